"""Consumers of other APIs than chat: as dicts, as the SDKs' objects, as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from harness.apis.json_values import canonical
from harness.apis.style import RESTATED
from harness.apis.varied import dialects_of
from harness.debug.outcomes import Outcome
from harness.fuzz import check, said
from harness.fuzz.api_inputs import (
    answer_of,
    api_plain,
    api_truth,
    cut_answer,
    neutral_answers,
    stock_answers,
    written,
    written_bytes,
)
from harness.fuzz.campaign import Campaign
from harness.fuzz.checking import judge_of, offered
from harness.fuzz.consumers import Wanted
from harness.fuzz.example_runner import Level
from harness.fuzz.findings import Plan
from harness.fuzz.fuzz_inputs import truth_of
from harness.fuzz.odd_values import stock
from harness.fuzz.shown_endings import without_end
from harness.fuzz.shrinking import shrink
from tests.fuzz import own_readers
from tests.planted import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anthropic.types import RawMessageStreamEvent
    from google.genai.types import GenerateContentResponse
    from openai.types.responses import ResponseStreamEvent

    from harness.fuzz.fuzz_inputs import FuzzInput

_EXAMPLES_OF_SLOW = 97  # of 0.2 s, and 6 ms of ours, in 10 s of two processes
_WRITTEN = ("chat", *RESTATED)


def _responses(events: Iterator[ResponseStreamEvent]) -> str:
    return "".join(e.delta for e in events if e.type == "response.output_text.delta")


def _anthropic(events: Iterator[RawMessageStreamEvent]) -> str:
    deltas = [e.delta for e in events if e.type == "content_block_delta"]
    return "".join(delta.text for delta in deltas if delta.type == "text_delta")


def _gemini(events: Iterator[GenerateContentResponse]) -> str:
    return "".join(event.text or "" for event in events)


@pytest.mark.slow  # importing the three SDKs takes seconds
@pytest.mark.parametrize(
    ("api", "target"),
    [("responses", _responses), ("anthropic", _anthropic), ("gemini", _gemini)],
)
def test_annotation_asks_for_the_objects_of_an_sdk(api: str, target: Any) -> None:
    """What the parameter is annotated with decides the API and the form."""
    judge = judge_of(target, Wanted())
    assert judge.api == api
    stream = written(api, neutral_answers(api)["plain text"])
    assert judge.run(stream) == Outcome({"text": "Hello there"})


@pytest.mark.parametrize("api", RESTATED)
def test_every_answer_is_carried_whatever_the_cuts(api: str) -> None:
    """Cut, whole, in bytes: the truth is the same; what is plain stays plain."""
    for name, answer in stock_answers(api).items():
        expected = api_truth(api, written(api, answer))
        for form in (
            written(api, cut_answer(answer, "chars")),
            api_plain(api, written(api, answer)),
            written_bytes(api, answer),
        ):
            truth = api_truth(api, form)
            assert (truth.text, truth.reasoning) == (expected.text, expected.reasoning)
            assert [canonical(call.arguments) for call in truth.calls] == [
                canonical(call.arguments) for call in expected.calls
            ], name


@pytest.mark.parametrize("api", RESTATED)
def test_every_dialect_carries_the_neutral_answers(api: str) -> None:
    """What a consumer is held to in a dialect is the answer that was written."""
    for answer in neutral_answers(api).values():
        expected = api_truth(api, written(api, answer))
        for dialect in dialects_of(api):
            truth = api_truth(api, written(api, answer, dialect=dialect))
            assert (truth.text, len(truth.calls)) == (
                expected.text,
                len(expected.calls),
            )


@pytest.mark.parametrize("api", _WRITTEN)
def test_cut_off_stream_has_no_end(api: str) -> None:
    """Without its last events an answer is not ended, and all else is left."""
    stream = written(api, neutral_answers(api)["plain text"])
    cut = without_end(stream, api)
    assert len(cut) < len(stream)
    left, whole = truth_of(cut, "", api), truth_of(stream, "", api)
    assert (left.is_ended, whole.is_ended) == (False, True)
    assert not left.finish
    assert left.text == whole.text


def test_answer_is_the_same_in_every_api() -> None:
    """Neutral answers translate: text and calls are those of the API they came from."""
    for source in _WRITTEN:
        for answer in neutral_answers(source).values():
            truth = truth_of(written(source, answer), "", source)
            for target in _WRITTEN:
                read = answer_of(source, written(source, answer))
                other = truth_of(written(target, read), "", target)
                assert (other.text, [c.name for c in other.calls]) == (
                    truth.text,
                    [c.name for c in truth.calls],
                )


def _client(base_url: str, api: str) -> str:
    path = "/chat/completions" if api == "chat" else f"/asked/in/{api}"
    with urlopen(base_url + path, b"{}") as answer:
        return truth_of((answer.read(),), "", api).text


def _loses_line_ends(base_url: str, api: str) -> str:
    text = _client(base_url, api)
    return text.replace("\n", "") if api == "gemini" else text


@pytest.mark.parametrize("api", _WRITTEN)
def test_server_answers_in_any_api(api: str) -> None:
    """`--as url` serves the bytes of an API at whatever path its client asks."""
    stream = written_bytes(api, neutral_answers(api)["plain text"])
    judge = judge_of(_client, Wanted(Level.URL, apis=(api,)))
    assert judge.run(stream).texts == {"text": "Hello there"}
    assert judge.judge("agreement", stream) is None


@pytest.mark.parametrize("apis", [("chat", "gemini"), ("anthropic", "gemini")])
def test_translations_are_tried_whichever_api_is_first(apis: tuple[str, str]) -> None:
    """Of a client of several APIs, chat first too, each answer is asked in all."""
    judge = judge_of(_loses_line_ends, Wanted(Level.URL, apis=apis))
    campaign = Campaign(judge, Plan(("translation",), max_examples=400))
    (failure,) = campaign.run()
    assert failure.note == "the same answer by gemini"


@pytest.mark.parametrize(
    "reader",
    [
        own_readers.chat,
        own_readers.responses,
        own_readers.anthropic,
        own_readers.gemini,
    ],
)
def test_every_stream_is_tried_once_before_anything_else(
    reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs one run: what sleeps 0.2 s gets all in 10 s of two processes."""
    judge = judge_of(reader, Wanted(Level.BYTES, apis=(reader.__name__,)))
    judge.learn()
    run, runs = judge.consumer.run, []

    def counted(fed: Any, **named: Any) -> Any:
        runs.append(fed)
        return run(fed, **named)

    monkeypatch.setattr(judge.consumer, "run", counted)
    streams = stock() if judge.api == "chat" else stock_answers(judge.api)
    campaign = Campaign(judge, Plan(offered(judge), max_examples=len(streams) + 1))
    assert campaign.run() == []
    assert campaign.tried.streams == set(streams)
    assert len(runs) == len(streams) < _EXAMPLES_OF_SLOW


def test_campaign_ends_where_nothing_is_left_to_ask() -> None:
    """Of a relation that only a few cases ask, not even the limit is reached."""
    judge = judge_of(events.AnthropicReader, Wanted(Level.CHUNKS, apis=("anthropic",)))
    campaign = Campaign(judge, Plan(("earliness",), max_examples=10**9))
    assert campaign.run() == []
    assert "nothing more" in campaign.tried.ended


def test_text_that_is_held_back_is_late() -> None:
    """`earliness` counts the events; it is asked by name only."""

    def late(events: Iterator[dict[str, Any]]) -> Iterator[str]:
        held = ""
        for event in events:
            for choice in event["choices"]:
                yield held
                held = choice["delta"].get("content") or ""
        yield held

    stream = written("chat", neutral_answers("chat")["plain text"])
    with pytest.raises(AssertionError, match="shows text 1 event late"):
        check(late, stream, relation="earliness")
    assert said(late, stream).texts == {"text": "Hello there"}


@pytest.mark.parametrize("api", ["responses", "anthropic", "gemini"])
def test_shrunk_bytes_are_of_what_failed(api: str) -> None:
    """Every input that shrinking returns was judged itself and failed."""
    failed: set[tuple[object, ...]] = set()

    def fails(fed: FuzzInput) -> bool:
        if truth_of(fed, "", api).calls:
            failed.add(fed)
        return fed in failed

    start = written_bytes(api, stock_answers(api)["text and parallel calls"])
    assert fails(start)
    small = shrink(start, fails, "", tries=400, api=api)
    assert small in failed
    assert len(small) == 1
