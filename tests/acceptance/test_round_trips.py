"""Every recorded stream, written in every API and read back: the same answer.

Up to the table of what an API cannot carry (`harness docs restating`): where a fact
differs, the writer has counted what the table names for it; else it may not differ.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.crossing import (
    APIS,
    COUNTS,
    broken,
    crossed,
    facts,
    read,
    recorded,
    table,
    write,
)
from tests.shared import HAS_CORPUS

_REASONS = {
    "finish": {"finish reason", "what follows an error"},
    "id": {"another id or model", "id or model of an error"},
    "model": {"another id or model", "id or model of an error"},
    "tokens": {"token count", "what follows an error"},
    "error": {"error", "what follows an error"},
    "others": {"other choice"},
}
"""What may be counted where a fact differs."""
_ENDLESS: dict[str, set[str]] = {
    "chat": set(),
    "responses": {"terminal"},
    "anthropic": {"block-stopped", "delta-once", "stop-last"},
    "gemini": {"finish-present"},
}
"""The rules that a source without an end breaks in each API: what was cut stays cut."""

each_share = pytest.mark.parametrize(
    "every", [24, pytest.param(1, marks=pytest.mark.campaign, id="all")]
)


def differing(before: Any, after: Any, left_out: dict[str, int]) -> list[str]:
    """Return the facts that differ without a reason that was counted."""
    found = [
        fact
        for fact, reasons in _REASONS.items()
        if not _is_carried(fact, before[fact], after[fact])
        and reasons.isdisjoint(left_out)
    ]
    wanted, got = _content(before, left_out), _content(after, left_out)
    for number, (one, other) in enumerate(zip(wanted, got, strict=False)):
        if one[0] == "call" and not one[3]:  # the id is made up where there is none
            wanted[number] = (*one[:3], other[3], one[4])
    if wanted != got:
        found.append("content")
    lost = Counter(kind for kind, _ in (before["whole"] - after["whole"]).elements())
    # One annotation is left out as chat names it, of which it is known what it is.
    left = Counter(left_out) + Counter(url_citation=left_out.get("annotation", 0))
    if after["whole"] - before["whole"] or any(
        count != left[kind] for kind, count in lost.items()
    ):
        found.append("whole")
    return found


def _is_carried(fact: str, before: Any, after: Any) -> bool:
    if fact in {"id", "model"}:  # one is made up where there is none
        return not before or not before.isdisjoint(after)
    if fact == "finish":  # as sent, or in chat's words
        return before == after or not before.isdisjoint(after)
    return bool(before == after)


def _content(facts: Any, left_out: dict[str, int]) -> list[Any]:
    """Return texts and calls, in the form of the API that has the less."""
    found: list[Any] = []
    for kind, *fields in facts["content"]:
        if kind == "call":
            form, name, call_id, arguments = fields
            form = "function" if "custom call" in left_out else form
            if "call without an object" in left_out and type(arguments) is str:
                continue
            found.append(("call", form, name, call_id, arguments))
            continue
        name = "Text" if kind == "Refusal" and "refusal" in left_out else kind
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + fields[0])
        else:
            found.append((name, fields[0]))
    return found


@each_share
@pytest.mark.parametrize("target", APIS)
@pytest.mark.parametrize("source", APIS)
def test_what_is_written_is_read_back(source: str, target: str, every: int) -> None:
    """All pairs of APIs over all recordings: 10 s of the processor in all.

    And it is legal, but for the end of a source that has none.
    """
    names = []
    for name, events in recorded(source, every):
        names.append(name)
        answer = read(source, events)
        made = crossed(source, events, target)
        before, after = facts(answer), facts(read(target, made.events))
        found = differing(before, after, made.left_out)
        assert found == [], (name, made.left_out)
        items = {kind for kind, _ in before["whole"]} | {"annotation"}
        assert made.left_out.keys() <= table(target) | items, name
        allowed = set() if before["finish"] or before["error"] else _ENDLESS[target]
        assert broken(target, made.events) <= allowed, name
    assert names
    assert len(names) == -(-COUNTS[source] // every) or not HAS_CORPUS


@each_share
@pytest.mark.parametrize("api", APIS[1:])
def test_what_is_written_is_written_again_the_same(api: str, every: int) -> None:
    """Event by event: what the first writing made up is kept. 3 s in all."""
    for name, events in recorded(api, every):
        made = write(api, read(api, events)).events
        assert write(api, read(api, made)).events == made, name
