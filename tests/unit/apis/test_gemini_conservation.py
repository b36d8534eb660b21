"""Nothing of a Gemini event is read in silence, and nothing makes the reader raise."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.base import Event
from harness.apis.gemini.api import API
from harness.apis.gemini.known_fields import FIELDS
from harness.apis.gemini.reader import Reader
from harness.core.parts import CallPart, Opaque, OtherChoice, Part
from tests.gemini_streams import call, event, recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLANTED = "planted-in-a-leaf"

# Whose text is in no part: known, and shown by `harness show`.
_KNOWN_ONLY = {
    "candidates[].content.role",
    "createTime",
    "error.status",
    "candidates[].content.parts[].partMetadata.note",
    "candidates[].content.parts[].functionCall.partialArgs[].nullValue",
    "candidates[].safetyRatings[].category",
    "candidates[].continuationToken",
    "candidates[].logprobsResult.chosenCandidates[].token",
    "modelStatus.message",
    "traceId",
    "sdkHttpResponse.headers.date",
}

_MADE: list[dict[str, Any]] = [
    event({"text": "a", "partMetadata": {"note": "n"}}, {"text": "b", "thought": True}),
    event(
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"inlineData": {"mimeType": "image/png", "data": "QQ=="}, "text": "x"},
        {"toolCall": {"args": {"q": ["deep"]}}, "thoughtSignature": "QQ=="},
        {"novel": {"deep": ["x"]}},
    ),
    event(call("f", ("$.a", {"stringValue": "x"}), ("$.b", {"nullValue": "NULL"}))),
    event({**call("f", args={"a": ["x"]}, id="i"), "thoughtSignature": "QQ=="}),
    event(call("f", args="text"), {"thoughtSignature": "QQ=="}),
    {
        "candidates": [
            {
                "index": 1,
                "content": {"parts": [{"text": "t"}], "role": "model", "odd": "x"},
                "finishReason": "SAFETY",
                "finishMessage": "why",
                "safetyRatings": [{"category": "C"}],
                "citationMetadata": {"citations": [{"uri": "u"}]},
                "groundingMetadata": {"webSearchQueries": ["q"]},
                "urlContextMetadata": {"urlMetadata": [{"retrievedUrl": "u"}]},
                "continuationToken": "QQ==",
                "logprobsResult": {"chosenCandidates": [{"token": "t"}]},
            }
        ]
    },
    {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "m"}},
    {"error": {"message": "m", "status": "S", "details": [{"reason": "r"}]}},
    {"error": "text"},
    {"responseId": "r", "modelVersion": "m", "createTime": "t", "traceId": "t"},
    {"usageMetadata": {"trafficType": "T", "promptTokensDetails": [{"modality": "M"}]}},
    {"modelStatus": {"message": "m"}, "sdkHttpResponse": {"headers": {"date": "d"}}},
    {"response": event({"text": "a", "odd": "b"}), "odd": "c"},
    {"candidates": [{"finish_reason": "STOP", "content": {"parts": [{"text": "a"}]}}]},
    {"odd": [{"odder": "x"}], "candidates": ["x"]},
]  # fmt: skip


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield every text with its path, its container and its key in it."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        below = f"{path}[]" if isinstance(value, list) else f"{path}.{key}".lstrip(".")
        if isinstance(inner, dict | list):
            yield from _leaves(inner, below)
        elif isinstance(inner, str):
            yield below, value, key


def _all_text(parts: list[Part]) -> str:
    texts = []
    for part in parts:
        inner = part.part if type(part) is OtherChoice else part
        if type(inner) is CallPart:
            texts += [inner.name, inner.arguments, inner.id]
        elif type(inner) is Opaque:
            texts.append(inner.data)
        else:
            texts.append(repr(inner))
    return " ".join(texts)


def _check_stream(payloads: list[dict[str, Any]], step: int, first: int) -> set[str]:
    """Plant a text in every `step`th leaf; return the paths seen in no part."""
    silent = set()
    reader = Reader()
    number = first
    for index, payload in enumerate(payloads):
        for path, container, key in _leaves(payload):
            number += 1
            if number % step:
                continue
            kept, container[key] = container[key], _PLANTED
            altered = copy.deepcopy(reader, {id(FIELDS): FIELDS})
            parts = altered.feed(Event(index, "", payload)) + altered.close()
            if _PLANTED not in _all_text(parts):
                silent.add(path.removeprefix("response."))
            container[key] = kept
        reader.feed(Event(index, "", payload))
    return silent


def test_a_text_in_any_leaf_of_made_events_is_in_a_part_or_known() -> None:
    """Every kind of event: only the listed fields are in no part."""
    silent = set()
    for payload in _MADE:
        silent |= _check_stream([copy.deepcopy(payload)], 1, 0)
    assert silent == _KNOWN_ONLY
    assert all(FIELDS.meaning(path) for path in silent)


@pytest.mark.parametrize(
    "step", [pytest.param(5, id="a fifth"), pytest.param(1, marks=pytest.mark.slow)]
)
def test_a_text_in_any_leaf_of_recorded_events_is_in_a_part_or_known(step: int) -> None:
    """All leaves of all recordings in the slow run."""
    for number, stream in enumerate(recordings()):
        silent = _check_stream(stream.payloads, step, number)
        assert silent <= {"candidates[].content.role", "createTime"}, stream.name


def _deep(levels: int, *, is_list: bool) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value] if is_list else {"text": value}
    return value


_ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x"),
    *("\ud800", "$.a", "STOP", [], {}, [[]], [{}], {"text": "t"}, [None], ["x"]),
    *({"name": "f"}, {"message": 1}, {"partialArgs": [1, {"jsonPath": "$.a"}]}),
    *(_deep(950, is_list=True), _deep(950, is_list=False)),
]  # fmt: skip


def _mutate(value: dict[str, Any], chance: random.Random) -> None:
    """Change one place of an event: another value, one more key, one less."""
    place: Any = value
    while chance.random() < 0.85:
        inner = place.values() if isinstance(place, dict) else place
        containers = [v for v in inner if isinstance(v, dict | list) and v]
        if not containers:
            break
        place = chance.choice(containers)
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    odd = copy.deepcopy(chance.choice(_ODD[:-2])) if chance.random() < 0.98 else None
    odd = odd if odd is not None else chance.choice(_ODD)
    kind = chance.randrange(4)
    if kind == 0 and keys:
        del place[chance.choice(keys)]
    elif kind == 1 and isinstance(place, dict):
        place[chance.choice(["text", "args", "id", "index", "response", "x_y"])] = odd
    elif kind == 2 and isinstance(place, list):
        place.insert(0, odd)
    elif keys:
        place[chance.choice(keys)] = odd


@pytest.mark.parametrize(
    "count",
    [1000, pytest.param(100_000, marks=pytest.mark.campaign)],
)
def test_mutated_events_raise_nothing(count: int) -> None:
    """Readers, rules, detection and requests take whatever comes."""
    chance = random.Random(1)
    streams = [s.payloads[:20] for s in recordings()] + [[payload] for payload in _MADE]
    done = 0
    while done < count:
        payloads = copy.deepcopy(chance.choice(streams))
        for payload in payloads:
            for _ in range(chance.choice([1, 1, 2, 4])):
                _mutate(payload, chance)
        done += len(payloads)
        events = [Event(n, "", payload) for n, payload in enumerate(payloads)]
        reader = Reader()
        parts = [part for one in events for part in reader.feed(one)] + reader.close()
        assert all(isinstance(part, Part) for part in parts)
        assert all(violation.got for violation in API.check(events))
        for payload in payloads:
            API.is_event("", payload)
            API.is_answer(payload)
            body = {**payload, "contents": [c.get("content") for c in _dicts(payload)]}
            API.is_request("", body)
            API.request("", body)


def _dicts(payload: dict[str, Any]) -> list[dict[str, Any]]:
    candidates = payload.get("candidates")
    found = candidates if isinstance(candidates, list) else []
    return [entry for entry in found if isinstance(entry, dict)]
