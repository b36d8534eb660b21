"""`harness replay --step`: the walk, the screen, and a session in a real terminal."""

from __future__ import annotations

import asyncio
import os
import re
import runpy
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from rich.text import Text

from harness import load_cassette
from harness.apis.varied import Variation, vary
from harness.debug.exports import write_test
from harness.debug.navigation import Walk
from harness.debug.trace import streams_of, trace
from tests.cli.running import ROOT, harness
from tests.engine.made import cassette, exchange, finish, sse, text, user
from tests.view.terminals import screen_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from harness.cassettes.model import Cassette
    from harness.debug.stepper import Stepper
    from harness.debug.trace import Trace

STEPS = "cassettes/llama-server/three-steps.yaml"
BROKEN = "tests/data/broken-arguments.sse"


def _walk(made: Cassette, variation: Variation | None = None) -> Walk:
    def follow(
        variation: Variation,
        *,
        exchange: int | None = None,
        tick: Callable[[], None] | None = None,
    ) -> Trace:
        return trace(made, exchange, variation=variation, tick=tick)

    numbers = streams_of(made)
    questions = {number: f"question {number}" for number in numbers}
    return Walk(follow, variation or Variation(), questions)


def _change(walk: Walk, name: str, text: str) -> None:
    variation = walk.wanted(name, text)
    if variation is not None:
        walk.adopt(walk.follow(variation, exchange=walk.trace.exchange))


def _next_exchange(walk: Walk) -> None:
    number = walk.other_exchange(1)
    if number is not None:
        walk.adopt(walk.follow(walk.trace.variation, exchange=number))


def _steps() -> Walk:
    return _walk(load_cassette(ROOT / STEPS))


def test_walk_goes_forward_and_back_and_stops_at_the_ends() -> None:
    """Beyond the first and the last event one stays and is told."""
    walk = _steps()
    walk.event(1)
    walk.event(1)
    walk.event(-1)
    assert (walk.position, walk.status) == (1, "")
    walk.event(-2)
    assert (walk.position, walk.status) == (0, "this is the first event")
    walk.event(99)
    assert (walk.position, walk.status) == (9, "this is the last event")


def test_walk_goes_by_chunk_where_one_is_cut() -> None:
    """A chunk that was cut is passed at once, and entered at its beginning."""
    walk = _walk(load_cassette(ROOT / STEPS), vary("chars"))
    walk.goto("3")
    first = walk.position
    walk.chunk(1)
    assert walk.moment is not None
    assert walk.moment.event.chunk == 4
    walk.chunk(-1)
    assert walk.position == first
    assert walk.moment.event.chunk == 3


def test_walk_goes_by_network_read() -> None:
    """The next read may hold several events; back goes to the first of them."""
    body = sse(text("a"), text("b"), text("c"), finish())
    two = body.index("data: ", body.index('"b"'))
    made = cassette(
        exchange(body, [user("x")], wire=[(0.1, two), (0.2, len(body) - two)])
    )
    walk = _walk(made)
    walk.piece(1)
    assert walk.position == 2
    walk.event(1)
    walk.piece(-1)
    assert walk.position == 0


def test_walk_finds_emissions_diagnostics_and_text() -> None:
    """Each jump goes to the next of its kind, and tells when there is none."""
    walk = _walk(load_cassette(ROOT / BROKEN))
    walk.diagnostic(1)
    assert walk.position == 1
    walk.diagnostic(1)
    assert (walk.position, walk.status) == (1, "no diagnostic after this event")
    walk.emission(-1)
    assert walk.position == 0
    walk.search('N":"TOOL')
    assert walk.position == 2
    walk.search(step=-1)
    assert walk.status == "no 'N\":\"TOOL' before this event"


def test_walk_goes_to_what_an_interface_raised() -> None:
    """An exception of the user's is a finding of its chunk."""
    made = load_cassette(ROOT / STEPS)
    raising = iter((None, None, KeyError("oh")))

    class Raising:
        def process_chunk(self, *_: object) -> None:
            if error := next(raising, None):
                raise error

        def to_list(self) -> list[object]:
            return []

    followed = trace(made, interfaces=["streaming", Raising])
    walk = Walk(lambda *_, **__: followed, Variation())
    walk.diagnostic(1)
    assert walk.position == 2


def test_walk_tries_another_split_at_the_same_chunk() -> None:
    """What is heard otherwise goes on at the chunk; what is wrong changes nothing."""
    walk = _steps()
    walk.goto("6")
    _change(walk, "split", "chars")
    assert walk.moment is not None
    assert walk.moment.event.chunk == 6
    assert walk.status == "--split chars"
    before = walk.trace
    _change(walk, "dialect", "nobody")
    assert walk.trace is before
    assert walk.status.startswith("dialect 'nobody'")
    _change(walk, "split", "")
    assert len(walk.trace.moments) == 10


def test_walk_through_nothing_does_nothing() -> None:
    """No move fails where the fault leaves no event at all."""
    walk = _walk(load_cassette(ROOT / STEPS), vary(fault="cut-bytes:0"))
    for move in (walk.event, walk.chunk, walk.piece, walk.emission, walk.diagnostic):
        move(1)
        move(-1)
    walk.search("x")
    assert walk.moment is None


def test_walk_goes_from_exchange_to_exchange() -> None:
    """`]` and `[` go through the streams of a recording, and stop at the ends."""
    walk = _steps()
    assert walk.place == "1 of 3"
    walk.event(3)
    _next_exchange(walk)
    assert (walk.trace.exchange, walk.position, walk.place) == (1, 0, "2 of 3")
    _next_exchange(walk)
    _next_exchange(walk)
    assert (walk.place, walk.status) == ("3 of 3", "this is the last exchange")


def test_walk_finds_a_phrase_however_it_was_cut() -> None:
    """Text and arguments are searched as they have come, over all the pieces."""
    walk = _steps()
    walk.search('"CITY": "rome"')
    assert walk.position == 7
    _next_exchange(walk)
    _next_exchange(walk)
    walk.search("told you the WEATHER")
    assert walk.position == 6
    _change(walk, "split", "chars")
    walk.goto("0")
    walk.search("told you the weather")
    assert walk.moment is not None
    assert walk.moment.event.chunk == 6


@pytest.mark.parametrize("path", [STEPS, BROKEN])
def test_a_written_test_passes_and_replaces_nothing(tmp_path: Path, path: str) -> None:
    """It holds for the exchange alone, varied as it was; a second has a number."""
    made = load_cassette(ROOT / path)
    followed = trace(made, streams_of(made)[-1], variation=vary("chars"))
    test, kept = write_test(made, followed, tmp_path)
    (written,) = (
        value for name, value in runpy.run_path(str(test)).items() if "test_" in name
    )
    written()
    again, other = write_test(made, followed, tmp_path)
    assert again.name == f"{test.stem}_2.py"
    assert len({test, kept, again, other}) == len(list(tmp_path.iterdir())) == 4
    assert "split='chars'" in again.read_text("utf-8")


def test_the_users_interface_stands_beside_ours() -> None:
    """What both emitted for a chunk is shown, ours first."""
    own = "harness:StreamingServerInterface"
    result = harness("replay", STEPS, own, "--around", "1")
    names = [line.split()[0] for line in result.out.splitlines() if line.strip()]
    assert names.index("streaming") < names.index(own)


def _pilot(
    walk: Walk,
    drive: Callable[[Stepper, object], Awaitable[None]],
    size: tuple[int, int] = (140, 40),
) -> None:
    pytest.importorskip("textual", reason="needs the extra `step`")
    from harness.debug.stepper import Stepper

    async def run() -> None:
        app = Stepper(walk, lambda made: f"wrote a test of {made.cassette}")
        async with app.run_test(size=size) as pilot:
            await drive(app, pilot)

    asyncio.run(run())


def _screen(app: Stepper) -> str:
    from textual.widgets import Static

    return "\n".join(str(found.render()) for found in app.query(Static))


def test_keys_move_and_the_panes_follow() -> None:
    """Every key does its move, and the screen shows where one stands."""

    async def drive(app: Stepper, pilot: object) -> None:
        press = pilot.press  # type: ignore[attr-defined]  # textual's pilot
        assert "chunk 0 of 0-2: read 0, byte 0 | as recorded" in _screen(app)
        await press("d")
        shown = _screen(app)
        assert "chunk 1 of 0-2" in shown
        assert "malformed arguments at character 17" in shown
        assert "stopped, depth 0, offset 25" in shown
        await press("right")
        assert "chunk 2 of 0-2" in _screen(app)
        await press("left", "left", "left")
        assert "this is the first event" in _screen(app)
        await press("end")
        assert app.walk.position == 2

    _pilot(_walk(load_cassette(ROOT / BROKEN)), drive)


async def _settled(app: Stepper, pilot: object) -> None:
    """Wait for what runs in a thread, and for the screen."""
    await app.workers.wait_for_complete()
    await pilot.pause()  # type: ignore[attr-defined]  # textual's pilot


SCREENS = {"broken-arguments": (BROKEN, "d"), "three-steps": (STEPS, "e")}


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", SCREENS)
def test_screen_is_drawn_as_it_was_reviewed(name: str, columns: int) -> None:
    """The whole screen: head, findings, time line, list, panes and keys."""
    path = ROOT / f"tests/view/screens/step-{name}-{columns}.txt"
    recording, key = SCREENS[name]

    async def drive(app: Stepper, pilot: object) -> None:
        await pilot.press(key)  # type: ignore[attr-defined]  # textual's pilot
        lines = Text.from_ansi(screen_of(app)).plain.splitlines()
        shown = "".join(f"{line.rstrip()}\n" for line in lines)
        assert shown == path.read_text("utf-8")

    _pilot(_walk(load_cassette(ROOT / recording)), drive, (columns, 30))


def test_every_key_of_the_help_is_bound() -> None:
    """The help lists what there is, and it and the footer fit 80 columns."""
    pytest.importorskip("textual", reason="needs the extra `step`")
    from harness.debug.stepper import Stepper
    from harness.debug.stepper_view import FOOTER, KEYS

    assert len(FOOTER) <= 80
    assert all(17 + 1 + len(what) <= 76 for _, what in KEYS)
    names = {"→": "right", "←": "left", "↓": "down", "↑": "up", "?": "question_mark"}
    names |= {"PgDn": "pagedown", "PgUp": "pageup", "Home": "home", "End": "end"}
    names |= {"]": "right_square_bracket", "[": "left_square_bracket", "/": "slash"}
    bound = {
        key
        for binding in Stepper.BINDINGS
        for key in str(binding[0]).split(",")  # type: ignore[index]  # tuples all
    }
    listed = {names.get(key, key) for keys, _ in KEYS for key in keys.split()}
    assert listed - bound == {"Esc"}  # a method of its own


@pytest.mark.slow
def test_vi_keys_pages_and_the_mouse_move() -> None:
    """j, k, PgDn, PgUp and a click on a line of the list go where they say."""

    async def drive(app: Stepper, pilot: object) -> None:
        press = pilot.press  # type: ignore[attr-defined]  # textual's pilot
        await press("j", "j", "down", "k")
        assert app.walk.position == 2
        await press("pagedown")
        assert app.walk.position == 2 + app._room
        await press("pageup")
        assert app.walk.position == 2
        await pilot.click("#list", offset=(3, 7))  # type: ignore[attr-defined]  # textual's pilot
        assert app.walk.position == 7

    body = sse(*(text(f"w{n} ") for n in range(99)), finish())
    _pilot(_walk(cassette(exchange(body, [user("x")]))), drive)


def test_help_copy_and_exchanges() -> None:
    """`?` shows the keys, `y` copies the raw text, `]` goes to the next exchange."""

    async def drive(app: Stepper, pilot: object) -> None:
        press = pilot.press  # type: ignore[attr-defined]  # textual's pilot
        await press("question_mark")
        assert len(app.screen_stack) == 2
        await press("escape")
        assert len(app.screen_stack) == 1
        await press("y")
        assert app.clipboard == app.walk.trace.moments[0].event.raw
        assert '"question 0"' in _screen(app)
        await press("right_square_bracket")
        await _settled(app, pilot)
        assert "(2 of 3)" in _screen(app)
        assert '"question 1"' in _screen(app)

    _pilot(_steps(), drive)


@pytest.mark.slow
def test_a_long_variation_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says at once what it does; Escape ends it and changes nothing."""
    walk = _steps()
    made = walk.trace
    started, ended = threading.Event(), threading.Event()

    def follow(*_given: object, tick: Callable[[], None], **_more: object) -> Trace:
        started.set()
        try:
            while True:
                tick()
                time.sleep(0.001)  # a stream of any length
        finally:
            ended.set()

    monkeypatch.setattr(walk, "follow", follow)

    async def drive(app: Stepper, pilot: object) -> None:
        press = pilot.press  # type: ignore[attr-defined]  # textual's pilot
        await press("s", *"chars", "enter")
        assert "--split chars: " in _screen(app)
        assert started.wait(20)
        await press("escape")
        assert "--split chars: ended, nothing was changed" in _screen(app)
        await _settled(app, pilot)
        assert ended.wait(20)
        assert app.walk.trace is made
        await press("right")
        assert app.walk.position == 1

    _pilot(walk, drive)


@pytest.mark.slow
def test_line_for_input_takes_numbers_text_and_splits() -> None:
    """`g`, `/` and `s` ask, Enter does it, Escape leaves all as it was."""

    async def drive(app: Stepper, pilot: object) -> None:
        press = pilot.press  # type: ignore[attr-defined]  # textual's pilot
        await press("g", "7", "enter")
        assert app.walk.position == 7
        await press("slash", *"rome", "enter")
        assert app.walk.status == "no 'rome' after this event"
        await press("N")
        assert app.walk.position == 6
        await press("s", *"chars", "enter")
        await _settled(app, pilot)
        assert "--split chars" in _screen(app)
        assert len(app.walk.trace.moments) == 18
        await press("g", "1", "escape", "right")
        assert app.walk.position == app.walk.trace.numbers_of(6)[0] + 1

    _pilot(_steps(), drive)


@pytest.mark.slow
def test_a_long_stream_shows_only_what_fits() -> None:
    """The list holds the lines around the position, not five thousand."""

    async def drive(app: Stepper, pilot: object) -> None:
        await pilot.press("end")  # type: ignore[attr-defined]  # textual's pilot
        assert "4999" in _screen(app)
        assert _screen(app).count("\n") < 100

    body = sse(*(text(f"w{n} ") for n in range(4999)), finish())
    _pilot(_walk(cassette(exchange(body, [user("x")]))), drive)


def test_without_a_terminal_it_says_what_to_use() -> None:
    """In a pipe `--step` is refused, with the options that print the same."""
    pytest.importorskip("textual", reason="needs the extra `step`")
    result = harness("replay", BROKEN, "--step")
    assert result.code == 2
    assert result.err == (
        "harness: --step needs a terminal; use --around N or --until N\n"
    )


_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()P_^X].|.)"
)


@pytest.mark.slow
def test_session_in_a_pseudo_terminal() -> None:
    """Where nothing but a terminal is there, keys drive the stepper in and out."""
    pytest.importorskip("textual", reason="needs the extra `step`")
    pty = pytest.importorskip("pty", reason="needs a Unix")
    terminal, inside = pty.openpty()
    _set_size(terminal)
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "replay", BROKEN, "--step"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(inside)
    written = b""

    def wait_for(wanted: str) -> str:
        nonlocal written
        deadline = time.monotonic() + 60
        while True:
            text = _ESCAPE.sub("", written.decode("utf-8", "ignore"))
            if wanted in text:
                written = b""
                return text
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([terminal], [], [], left)
            assert ready, f"{wanted!r} never came; written was {text[-2000:]!r}"
            written += os.read(terminal, 65536)

    try:
        wait_for("exchange 0, chunk 0 of 0-2: read 0, byte 0")
        os.write(terminal, b"d")
        wait_for("exchange 0, chunk 1 of 0-2: read 0, byte 303")
        os.write(terminal, b"\x1b[C")  # the arrow to the right
        wait_for("exchange 0, chunk 2 of 0-2: read 0, byte 509")
        os.write(terminal, b"q")
        with suppress(OSError):  # how Linux says that the other side has closed
            while os.read(terminal, 65536):
                pass
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def _set_size(terminal: int) -> None:
    import termios

    termios.tcsetwinsize(terminal, (40, 150))
