"""The public types as a user's checker sees them, and as they are when run.

mypy checks this file with the others: `assert_type` is exact there, and an error that
it should report and does not is an unused `type: ignore`. pytest runs the same lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

import pytest
from hypothesis.strategies import SearchStrategy

import harness
from harness import (
    ArgumentsError,
    Cassette,
    Diagnostic,
    Emission,
    FunctionArgumentsStreamHandler,
    Transcript,
    load_cassette,
    replay,
    replay_iter,
    use_cassette,
)
from harness.core.splits import Split
from harness.debug.outcomes import Outcome
from harness.fuzz import check, said
from harness.record.session import RecordingSession
from harness.strategies import argument_texts, event_streams, splits
from tests.docs import ROOT

RECORDING = ROOT / "cassettes/stock-vcrpy/two-turns.yaml"


def test_replay_gives_what_its_types_promise() -> None:
    """A path of either kind or a cassette in, a transcript out."""
    assert assert_type(load_cassette(RECORDING), Cassette).exchanges
    for source in (RECORDING, str(RECORDING), load_cassette(RECORDING)):
        transcript = assert_type(replay(source), Transcript)
        (first, *_) = assert_type(transcript.emissions, list[Emission])
        assert_type(first.chunk, int | None)
        assert_type(transcript.diagnostics, list[Diagnostic])
        assert isinstance(assert_type(transcript.text, str), str)
    for emission in replay_iter(RECORDING, split="chars"):
        assert_type(emission, Emission)
    if TYPE_CHECKING:
        replay(3)  # type: ignore[arg-type]
        replay(RECORDING, split=2.5)  # type: ignore[arg-type]
        replay(RECORDING, splits="chars")  # type: ignore[call-arg]
        replay(RECORDING).emission  # type: ignore[attr-defined]  # noqa: B018


def test_argument_handler_gives_what_its_types_promise() -> None:
    """Text or nothing for each fragment; the end is an error or none."""
    handler = FunctionArgumentsStreamHandler("message", strict=False)
    assert assert_type(handler.process_json_chunk('{"message": "a'), str | None) == "a"
    assert_type(handler.is_complete, bool)
    assert assert_type(handler.close(), ArgumentsError | None) is not None
    if TYPE_CHECKING:
        handler.process_json_chunk(b"{}")  # type: ignore[arg-type]


def test_decorated_function_keeps_its_type() -> None:
    """`use_cassette` is a block and a decorator, of functions and coroutines."""

    @use_cassette(RECORDING)
    def ask(question: str) -> int:
        return len(question)

    @use_cassette(RECORDING)
    async def ask_later(question: str) -> int:
        return len(question)

    assert assert_type(ask("abc"), int) == 3
    if TYPE_CHECKING:
        ask(3)  # type: ignore[arg-type]
        ask_later("a") + 1  # type: ignore[operator]
    with use_cassette(RECORDING) as session:
        assert assert_type(session, RecordingSession).recorded_count == 0


def test_fuzzing_and_strategies_give_what_their_types_promise() -> None:
    """What a test of a user is written with."""

    def read(chunks: Any) -> str:
        return "".join(one["choices"][0]["delta"]["content"] for one in chunks)

    chunk = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
    check(read, [chunk], relation="split-invariance")
    outcome = assert_type(said(read, [chunk]), Outcome)
    assert [*outcome.texts.values()] == ["a"]
    assert_type(argument_texts(), SearchStrategy[str])
    assert_type(splits(), SearchStrategy[Split])
    if TYPE_CHECKING:
        check(read, [chunk])  # type: ignore[call-arg]
        event_streams(3)  # type: ignore[call-arg]


def test_a_name_that_is_none_is_an_error() -> None:
    """For the checker and when it is run."""
    with pytest.raises(AttributeError, match="no attribute 'playback'"):
        harness.playback  # type: ignore[attr-defined]  # noqa: B018
