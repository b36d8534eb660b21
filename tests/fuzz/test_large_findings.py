"""What is large, or takes long to shrink, comes to an end all the same."""

from __future__ import annotations

import threading
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING

from harness.fuzz import findings
from harness.fuzz.checking import judge_of
from harness.fuzz.consumers import Wanted
from harness.fuzz.example_worker import Job
from harness.fuzz.findings import Plan
from harness.fuzz.processes import await_ready, start
from harness.fuzz.shrink_search import fewer_pieces
from harness.fuzz.stock_streams import stock_streams
from tests.planted.unseen import StripsEnd

if TYPE_CHECKING:
    import pytest

    from harness.fuzz.fuzz_inputs import FuzzInput


def _long_text() -> FuzzInput:
    head, *_, last = stock_streams()["text"]
    choice = {"index": 0, "delta": {"content": "a " * 1_000_000}}
    return (head, {**head, "choices": [choice]}, last)


def test_worker_that_sends_a_large_finding_takes_a_large_message() -> None:
    """Else the two ends wait for each other: neither reads while it sends."""
    stream = _long_text()
    plan = Plan(("agreement",))
    job = Job("tests.planted.unseen:StripsEnd", Wanted(), plan, {"long": stream}, 30.0)
    worker = start(job)
    try:
        await_ready(worker)
        worker.send("run", 0)  # what it found is sent, and not read here
        sender = threading.Thread(target=worker.send, args=("try", stream), daemon=True)
        sender.start()
        sender.join(30.0)
        assert not sender.is_alive()
    finally:
        worker.end()


def test_long_bytes_are_joined_in_few_tries() -> None:
    """A failure by one cut of a long stream needs no try for each of its bytes."""
    data = bytes(range(250)) * 400
    place, tries = 70_007, count(1)

    def fails(pieces: tuple[bytes, ...]) -> bool:
        next(tries)
        ends, end = set[int](), 0
        for piece in pieces:
            ends.add(end := end + len(piece))
        return place in ends

    single = tuple(data[n : n + 1] for n in range(len(data)))
    assert len(fewer_pieces(single, fails, 3000)) == 2
    assert next(tries) < 100


def test_shrinking_that_runs_out_of_time_keeps_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The smallest that was found by then; nothing more is tried."""
    judge = judge_of(StripsEnd, Wanted())
    text = stock_streams()["text"]
    choices = [{"index": 0, "delta": {"content": piece}} for piece in "abcdefgh \n"]
    pieces = [{**text[0], "choices": [choice]} for choice in choices]
    stream = (*text[:-1], *pieces, text[-1])
    failure = judge.judge("agreement", stream)
    assert failure is not None
    clock = count(step=3)
    monkeypatch.setattr(
        findings, "time", SimpleNamespace(monotonic=lambda: next(clock))
    )
    small = findings.shrunk(judge, failure, time_s=1.0)  # ten seconds, at least
    assert next(clock) == 15  # three tries
    assert len(small.arrived) < len(stream)
    assert judge.judge("agreement", small.arrived) is not None
