"""The stepper in a real terminal: every key of its help, and a very long stream."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from harness import load_cassette
from harness.cassettes.encode import save_cassette
from harness.engine.replay import replay
from tests.cli.running import ROOT
from tests.engine.made import call, cassette, exchange, finish, sse, text, user
from tests.shared import HAS_CORPUS, SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.cassettes.model import Cassette

pytest.importorskip("textual", reason="needs the extra `step`")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
]


class Terminal:
    """A terminal of tmux's in which a command runs."""

    def __init__(self, folder: Path, command: str) -> None:
        self._socket = f"harness-{uuid.uuid4().hex[:8]}"
        self._folder = folder
        self.run("new-session", "-d", "-s", "s", "-x", "100", "-y", "24", command)

    def run(self, *arguments: str) -> str:
        """Run a command of tmux's; return what it prints."""
        found = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            cwd=self._folder,
            check=False,
        )
        return found.stdout

    def press(self, *keys: str) -> None:
        """Press keys, named as tmux names them."""
        self.run("send-keys", "-t", "s", *keys)

    def see(self, wanted: str) -> float:
        """Wait until a text is on the screen; return the seconds that it took."""
        start = time.monotonic()
        screen = ""
        while time.monotonic() < start + 60:
            screen = self.run("capture-pane", "-p", "-t", "s")
            if wanted in screen:
                return time.monotonic() - start
            time.sleep(0.01)  # a terminal reports to nobody that it was written to
        raise AssertionError(f"{wanted!r} never came; the screen shows:\n{screen}")


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[list[Terminal]]:
    """Terminals that are closed at the end."""
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        one.run("kill-server")


def _stepped(terminals: list[Terminal], folder: Path, made: Cassette) -> Terminal:
    """Step through a recording, in a terminal of its own."""
    save_cassette(made, folder / "made.yaml")
    command = f"{sys.executable} -m harness replay made.yaml --step; echo left $?; cat"
    terminal = Terminal(folder, command)
    terminals.append(terminal)
    terminal.see("? keys")
    return terminal


def _made() -> Cassette:
    """Return two exchanges: words in two reads, and a call with broken arguments."""
    words = sse(text("Once "), text("upon "), text("a "), text("time"), finish())
    half = words.index("data: ", words.index("upon"))
    wire = [(0.5, half), (3.0, len(words) - half)]
    broken = sse(
        call('{"city": "Ro', call_id="c1", name="look"),
        call('me" "'),
        call("x"),
        finish("tool_calls"),
    )
    return cassette(
        exchange(words, [user("Tell me a story.")], wire=wire),
        exchange(broken, [user("Where?")]),
    )


PRESSED: tuple[tuple[str, str], ...] = (
    ("Right", "chunk 1 of"),
    ("Left", "chunk 0 of"),
    ("l", "chunk 1 of"),
    ("h", "chunk 0 of"),
    ("j", "chunk 1 of"),
    ("k", "chunk 0 of"),
    ("Down", "chunk 1 of"),
    ("Up", "chunk 0 of"),
    ("End", "chunk 4 of"),
    ("Home", "chunk 0 of"),
    ("PageDown", "this is the last event"),
    ("PageUp", "this is the first event"),
    ("c", "chunk 1 of"),
    ("C", "chunk 0 of"),
    ("w", "chunk 2 of 0-4: read 1"),
    ("W", "chunk 0 of 0-4: read 0"),
    ("e", "chunk 1 of"),
    ("E", "chunk 0 of"),
    ("]", "(2 of 2)"),
    ("d", "chunk 1 of 0-3"),
    ("D", "no diagnostic before this event"),
    ("[", "(1 of 2)"),
    ("g", "goto: chunk number"),
    ("3 Enter", "chunk 3 of"),
    ("/", "search: text to find"),
    ("upon Enter", "no 'upon' after this event"),
    ("N", "chunk 1 of"),
    ("n", "no 'upon' after this event"),
    ("s", "recorded  whole  chars"),
    ("ch Tab Enter", "--split chars |"),
    ("t", "dialect: a dialect"),
    ("az Tab Enter", "--dialect azure --split chars |"),
    ("f", "fault: a fault"),
    ("no-d Tab Enter", "--split chars --fault no-done |"),
    ("f", "fault: a fault"),
    ("Escape", "? keys"),
    ("f", "fault: a fault"),
    ("Enter", "--dialect azure --split chars |"),
    ("J", '"finish_reason"'),
    ("K", "carries"),
    ("y", "copied the raw text of chunk"),
    ("T", "wrote test_made_0.py and test_made_0.yaml: pytest test_made_0.py"),
    ("?", "Esc closes this"),
    ("Escape", "carries"),
    ("q", "left 0"),
    ("", "reading made.yaml ..."),  # what the stepper's screen had covered
)
"""Keys as tmux names them, in order, and what is on the screen then."""


def test_every_key_of_the_help_does_what_it_says(
    tmp_path: Path, terminals: list[Terminal]
) -> None:
    """From the first event to the end, with a test written that passes."""
    from harness.debug.stepper_view import KEYS

    terminal = _stepped(terminals, tmp_path, _made())
    for keys, wanted in PRESSED:
        terminal.press(*keys.split())
        terminal.see(wanted)
    names = {"→": "Right", "←": "Left", "↓": "Down", "↑": "Up", "Esc": "Escape"}
    names |= {"PgDn": "PageDown", "PgUp": "PageUp"}
    listed = {names.get(key, key) for keys, _ in KEYS for key in keys.split()}
    assert listed - {key for keys, _ in PRESSED for key in keys.split()} == set()
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in result.stdout
    kept = load_cassette(tmp_path / "test_made_0.yaml")
    assert replay(kept).text == "Once upon a time"


@pytest.mark.timed
def test_a_variation_of_twenty_thousand_chunks_answers_at_once(
    tmp_path: Path, terminals: list[Terminal]
) -> None:
    """It reports within 0.2 s, keys move meanwhile, and Escape ends it."""
    body = sse(*(text(f"word{n} ") for n in range(19999)), finish())
    terminal = _stepped(terminals, tmp_path, cassette(exchange(body, [user("x")])))
    terminal.press("s")
    terminal.see("split: how to cut")
    terminal.press("chars")
    terminal.press("Enter")
    assert terminal.see("--split chars: ") < 0.2
    terminal.press("j")
    terminal.see("chunk 1 of 0-19999")
    terminal.press("Escape")
    terminal.see("--split chars: ended, nothing was changed")
    terminal.press("End")
    terminal.see("chunk 19999 of 0-19999")


def test_every_recording_in_the_repository_is_stepped_through() -> None:
    """Whatever the API, each stream has its question, moves and panes.

    Gemini's come from the recordings beside the checkout, where they are.
    """
    from harness.cli.look import _questions
    from harness.debug.navigation import Walk
    from harness.debug.stepper_view import shown
    from harness.debug.trace import trace

    apis = set()
    paths = sorted((ROOT / "cassettes").rglob("*.yaml"))
    paths += sorted(
        (SHARED / "protocols" / "gemini" / "crmne__ruby_llm").rglob("*.yaml")
    )
    for path in paths:
        if "scenario" in path.name:
            continue
        made = load_cassette(path)
        for number, question in _questions(made).items():
            walk = Walk(
                lambda variation, *, exchange=number, tick=None, made=made: trace(
                    made, exchange, variation=variation, tick=tick
                ),
                trace(made, number).variation,
            )
            walk.emission(1)
            assert question, path
            assert "carries" in shown(walk, 60).plain
            apis.add(path.parent.name)
    assert apis >= {"llama-server-anthropic", "llama-server-responses"}
    assert ("crmne__ruby_llm" in apis) is HAS_CORPUS
