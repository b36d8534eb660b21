"""Recording without a network, and leaving journals as killed processes do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.load import load_cassette
from harness.cassettes.model import Request, Response
from harness.record.exchange import LiveRequest
from harness.record.session import RecordingSession

if TYPE_CHECKING:
    from pathlib import Path

_numbers = itertools.count()  # no two exchanges are the same


def no_warning(text: str) -> None:
    """Fail: nothing was to be said."""
    pytest.fail(text)


def record(session: RecordingSession, *names: str) -> None:
    """Record one exchange for each name."""
    for name in names:
        live = session.answer(Request("POST", f"http://h/{name}", {}, b'{"a": 1}'))
        assert isinstance(live, LiveRequest)
        recorder = live.responded(Response(200, "OK", {}))
        recorder.piece(b"data: %06d\n\n" % next(_numbers))
        recorder.complete()


def opened(path: Path, mode: str = "all", **options: Any) -> RecordingSession:
    """Return a session that warns of nothing, unless it is asked to."""
    return RecordingSession(path, mode=mode, **{"warn": no_warning, **options})


def crashed(path: Path, *names: str, mode: str = "all") -> Path:
    """Leave a journal behind, as a killed process does; return it."""
    before = set(left_in(path.parent))
    session = opened(path, mode)
    record(session, *names)
    session.cassette.close(is_kept=False)  # as far as the locks go, it is gone
    (journal,) = set(left_in(path.parent)) - before
    return journal


def left_in(folder: Path) -> list[Path]:
    """Return the journals of a folder."""
    return sorted(folder.glob(".*.harness-journal"))


def names_in(path: Path) -> list[str]:
    """Return the names of the exchanges of a file."""
    uris = [exchange.request.uri for exchange in load_cassette(path).exchanges]
    return [uri.removeprefix("http://h/") for uri in uris]
