"""One input through everything that reads one; what comes out is an error of ours."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import traceback
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.cassettes.classify import classify
from harness.cassettes.library import is_cassette
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Request
from harness.cli.show import _show
from harness.debug.explain import explain
from harness.debug.report import drawn, report_page
from harness.engine.check import check
from harness.engine.replay import replay_iter
from harness.engine.summary import summarise, summarise_exchange
from harness.errors import HarnessError, InterfaceError
from harness.net.listening import ClientGoneError, RefusedError
from harness.record.session import RecordingSession
from harness.redaction.redact import redact_cassette
from harness.redaction.scan import scan
from harness.serve.answer import Answer, BrokenOffError
from harness.serve.connection import Connection
from harness.serve.recordings import Recordings
from harness.serve.routes import answer_to
from harness.serve.sessions import Sessions
from harness.serve.settings import make_settings
from tests.garbage.making import made_recording, made_request

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from harness.cassettes.model import Cassette

__all__ = ["Finding", "campaign", "tried"]


class Finding(NamedTuple):
    """An input that something undocumented came of."""

    seed: int
    number: int
    step: str
    problem: str
    """The traceback."""


def _documented(error: BaseException) -> bool:
    """Say whether an error may come out: one of ours that hides nobody else's."""
    if isinstance(error, InterfaceError):
        # Of our own interfaces, nothing may raise that is not ours.
        return error.__cause__ is None or isinstance(error.__cause__, HarnessError)
    return isinstance(error, HarnessError)


def tried(
    seed: int,
    number: int,
    path: Path,
    outcomes: Counter[str],
    runner: asyncio.Runner,
) -> list[Finding]:
    """Make one input and put it through everything.

    Args:
        seed: Of the campaign.
        number: Of the input; the two say what it is.
        path: A file to write it to.
        outcomes: Counted up: which step ended how.
        runner: Of what is asynchronous; making a loop for each input takes longer.
    """
    draw = random.Random(f"{seed}/{number}")
    findings: list[Finding] = []

    def step(name: str, function: Callable[[], Any]) -> Any:
        try:
            found = function()
        except Exception as error:  # noqa: BLE001 - what is looked for
            if _documented(error):
                outcomes[f"{name}: {type(error).__name__}"] += 1
            else:
                outcomes[f"{name}: UNDOCUMENTED"] += 1
                text = "".join(traceback.format_exception(error)[-6:])
                findings.append(Finding(seed, number, name, text))
            return None
        outcomes[f"{name}: done"] += 1
        return found

    path.write_bytes(made_recording(draw))
    step("is_cassette", lambda: is_cassette(str(path)))
    step("request", lambda: runner.run(_parse(made_request(draw))))
    cassette = step("load", lambda: load_cassette(path))
    step("check", lambda: check(path))
    if cassette is not None:
        _through(cassette, path, step, draw)
    return findings


def _through(
    cassette: Cassette, path: Path, step: Callable[..., Any], draw: random.Random
) -> None:
    step("classify", lambda: [classify(one) for one in cassette.exchanges])
    step("summarise", lambda: summarise(cassette))
    step("show", lambda: _shown(cassette))
    for interface in ("streaming", "queuing"):
        replayed = partial(_replayed, cassette, interface, draw)
        step(f"replay {interface}", replayed)
    step("scan", lambda: scan(path))
    step("redact", lambda: redact_cassette(cassette))
    step("serve", lambda: _served(cassette))
    step("play", lambda: _played(cassette, path))
    if draw.random() < 0.1:
        step("report", lambda: report_page([drawn(cassette)]))


def _shown(cassette: Cassette) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for exchange in cassette.exchanges:
            _show(summarise_exchange(exchange))
    assert all(line.isprintable() for line in out.getvalue().split("\n"))


_DIALECTS = [None, None, None, "azure", "together"]


def _replayed(cassette: Cassette, interface: str, draw: random.Random) -> None:
    split = draw.choice([None, None, "chars", "whole"])
    running = replay_iter(cassette, interface, split=split)
    for _ in running:
        pass
    for diagnostic in running.diagnostics:
        for line in explain(diagnostic, cassette):
            assert line.isprintable()


def _served(cassette: Cassette) -> None:
    sessions = Sessions(Recordings([cassette]), make_settings(speed=0))
    for sent in (cassette.exchanges[0].request, Request("GET", "/v1/models", {}, b"")):
        answer, _ = answer_to(
            Request(sent.method, _path(sent.uri), sent.headers, sent.body), sessions
        )
        _read(answer)
    sessions.configure("a", {"match": "order", "split": "chars"})
    for is_streamed in (b"true", b"false"):
        body = b'{"messages": [], "stream": %b}' % is_streamed
        answer, _ = answer_to(
            Request("POST", "/s/a/v1/chat/completions", {}, body), sessions
        )
        _read(answer)


def _path(uri: str) -> str:
    return "/" + uri.partition("://")[2].partition("/")[2]


def _read(answer: Answer) -> None:
    with contextlib.suppress(BrokenOffError):
        for _ in answer.pieces:
            pass


def _played(cassette: Cassette, path: Path) -> None:
    session = RecordingSession(path)
    for exchange in cassette.exchanges:
        session.answer(exchange.request)
    session.answer(Request("POST", "http://localhost/v1/x", {}, b"{}"))


class _Transport:
    def set_write_buffer_limits(self, _: int) -> None:
        pass


class _Writer:
    """Takes what a connection writes, and drops it."""

    transport = _Transport()

    def write(self, data: bytes) -> None:
        pass

    async def drain(self) -> None:
        pass


async def _parse(sent: bytes) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(sent)
    reader.feed_eof()
    connection = Connection(reader, _Writer())  # type: ignore[arg-type]  # stands in
    with contextlib.suppress(ClientGoneError, RefusedError):
        while await connection.request() is not None:
            pass


def campaign(
    seed: int, numbers: range, path: Path, outcomes: Counter[str]
) -> list[Finding]:
    """Try many inputs; findings with the same last line are reported once."""
    found: dict[str, Finding] = {}
    with warnings.catch_warnings(), asyncio.Runner() as runner:
        warnings.simplefilter("ignore")
        for number in numbers:
            for finding in tried(seed, number, path, outcomes, runner):
                place = finding.problem.rstrip().splitlines()[-3:]
                found.setdefault(f"{finding.step} {place}", finding)
    return list(found.values())
