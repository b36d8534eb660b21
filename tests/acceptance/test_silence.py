"""Nothing is lost in silence: recordings with one field or event changed.

Whatever text of a field that was renamed or retyped is no longer emitted stands in a
diagnostic. An event that is deleted or sent twice is reported wherever the stream
carries redundancy; where it carries none, nobody could know:

| API | not reported when deleted or sent twice | because |
|---|---|---|
| chat | a chunk of text, of arguments, or that opens a call | nothing restates it |
| | a chunk that holds nothing, or only the usage | it is optional; usage repeats |
| | one finish of two | the other one is there |
| Anthropic | a delta of text, thinking, citations, compaction, arguments | as above |
| | `ping` | it may come at any time |
| Responses | `response.in_progress`, a `response.created` before another opening |
| | | both are optional where a server does not number its events |
| | a delta or a done item of an answer that was cut | nothing restates it |
| Gemini | a chunk of text | nothing restates it |

Arguments that were cut by the change are reported as malformed, deltas that a done
event restates as different from it. `HARNESS_SEED` chooses other places.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections import Counter
from typing import Any

import pytest

from tests.acceptance.mutated import Recorded, answer_of, found_in, leaves
from tests.acceptance.mutated import recorded_streams as streams
from tests.shared import corpus_files, protocol_folder

SEED = int(os.environ.get("HARNESS_SEED", "7"))
_SHOWN = 30  # characters of a text that a diagnostic shows at least

# Kinds of events, as `_kind` names them, that may go or come twice unreported.
UNREPORTED = {
    "chat": {"text", "call fragment", "call opening", "empty", "usage", "finish"},
    "anthropic": {
        "content_block_delta text_delta",
        "content_block_delta thinking_delta",
        "content_block_delta input_json_delta",
        "content_block_delta citations_delta",
        "content_block_delta compaction_delta",
        "ping",
    },
    "responses": {"response.created", "response.in_progress"},
    "gemini": {"text"},
}


_RESTATED_AT_THE_END = (".delta", ".output_item.done")


def _sample(count: int) -> list[Recorded]:
    """Return streams of all APIs, as many of each folder as far as there are."""
    found: list[Recorded] = []
    apis = ("gemini", "anthropic", "responses", "chat")
    for share, api in enumerate(apis):
        paths = (
            list(corpus_files())
            if api == "chat"
            else sorted(protocol_folder(api).rglob("*.y*ml"))
        )
        random.Random(SEED).shuffle(paths)
        wanted = (count - len(found)) // (len(apis) - share)
        for one in streams(paths):
            if wanted <= 0:
                break
            found.append(one)
            wanted -= 1
    return found


def _held(answers: list[Any], text: str) -> int:
    """Return how often a text stands in an answer, in arguments as JSON writes it."""
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    whole = "\0".join(map(str, _flat(answers)))
    # Two calls may begin alike: one as it was sent, the other as JSON in JSON.
    return whole.count(text) + (whole.count(escaped) if escaped != text else 0)


def _flat(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [one for inner in value for one in _flat(inner)]
    return [str(value)]


def _lost_in_silence(recorded: Recorded, rng: random.Random) -> list[str]:
    """Rename and retype one field that holds text; return what nobody reports."""
    places = [
        (index, path, text)
        for index, (_, payload) in enumerate(recorded.events)
        for path, text in leaves(payload)
        if text and text in recorded.texts[index] and isinstance(path[-1], str)
    ]
    if not places:
        return []
    index, path, _ = rng.choice(places)
    answers, known = answer_of(recorded.cassette(recorded.events))
    lost = []
    for change in ("renamed", "list", "object", "number"):
        events = [*recorded.events]
        events[index] = copy.deepcopy(events[index])
        holder: Any = events[index][1]
        for step in path[:-1]:
            holder = holder[step]
        value = holder.pop(path[-1])
        if change == "renamed":
            holder[f"{path[-1]}_x"] = value
        elif change != "number":
            holder[path[-1]] = [value] if change == "list" else {"x": value}
        else:
            holder[path[-1]] = value = 20241031
        told = str(value)
        seen, found = answer_of(recorded.cassette(events))
        is_new = change == "number"  # else it was there already
        if seen == answers or _held(seen, told) >= _held(answers, told) + is_new:
            continue  # it stands elsewhere too, or is emitted in another place
        new = (Counter(found) - Counter(known)).keys()
        shown = told[:_SHOWN]
        if not any(shown in one or repr(shown)[1:-1] in one for one in new):
            lost.append(f"{recorded.name}: event {index}, {path} {change}: {told!r}")
    return lost


@pytest.mark.parametrize(
    "count", [pytest.param(12), pytest.param(200, marks=pytest.mark.slow)]
)
def test_text_of_a_changed_field_is_emitted_or_reported(count: int) -> None:
    """Renamed, or another type: the text stands in a diagnostic or in the answer."""
    rng = random.Random(SEED)
    sample = _sample(count)
    assert len(sample) == count
    assert {one.api for one in sample} == set(UNREPORTED)
    assert [line for one in sample for line in _lost_in_silence(one, rng)] == []


def _kind(api: str, payload: dict[str, Any], texts: set[str]) -> str:
    """Return what an event is, in a few words."""
    if api in {"anthropic", "responses"}:
        delta = payload.get("delta")
        inner = delta.get("type") if isinstance(delta, dict) else None
        return f"{payload.get('type')} {inner}" if inner else str(payload.get("type"))
    if api == "gemini":
        first = (payload.get("candidates") or [{}])[0]
        return "finish" if first.get("finishReason") else "text"
    choice = (payload.get("choices") or [{}])[0]
    delta = choice.get("delta") or {}
    if choice.get("finish_reason"):
        return "finish"
    for entry in delta.get("tool_calls") or []:
        is_opening = entry.get("id") or (entry.get("function") or {}).get("name")
        return "call opening" if is_opening else "call fragment"
    if texts - {""}:
        return "text"
    return "usage" if payload.get("usage") else "empty"


def _unreported(recorded: Recorded, rng: random.Random) -> set[str]:
    """Delete and repeat one event of each kind; return the kinds nobody reports."""
    known = Counter(found_in(recorded, recorded.cassette(recorded.events)))
    numbers = list(range(len(recorded.events)))
    rng.shuffle(numbers)
    seen: set[str] = set()
    silent: set[str] = set()
    for index in numbers:
        payload = recorded.events[index][1]
        kind = _kind(recorded.api, payload, recorded.texts[index])
        if kind in seen or len(numbers) < 2:
            continue
        seen.add(kind)
        without = [e for n, e in enumerate(recorded.events) if n != index]
        twice = [*recorded.events[: index + 1], *recorded.events[index:]]
        for events in (without, twice):
            if not Counter(found_in(recorded, recorded.cassette(events))) - known:
                silent.add(kind)
    if recorded.api == "responses" and any("missing-finish" in one for one in known):
        # It was cut before its last event, which would restate these.
        silent = {kind for kind in silent if not kind.endswith(_RESTATED_AT_THE_END)}
    return silent


@pytest.mark.parametrize(
    "count", [pytest.param(8), pytest.param(200, marks=pytest.mark.slow)]
)
def test_deleted_or_repeated_event_is_reported_where_it_can_be(count: int) -> None:
    """Only the kinds in the table go unnoticed."""
    rng = random.Random(SEED)
    unlisted = {
        one.name: kinds
        for one in _sample(count)
        if (kinds := _unreported(one, rng) - UNREPORTED[one.api])
    }
    assert unlisted == {}
