"""Each relation by itself: one consumer that breaks it, and a right one that does not.

The fuzzer finds a planted bug by whichever relation sees it first; here each is asked
alone, so that a relation that no longer judges is noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.fuzz import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


TEXT = [_chunk(content="Good "), _chunk(content="day"), _chunk("stop")]
NO_CHOICE: list[Any] = [{**TEXT[0], "choices": [None]}, *TEXT[1:]]


def _deltas(chunks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        choice.get("delta") or {}
        for one in chunks
        for choice in one.get("choices") or []
        if isinstance(choice, dict)
    ]


def _pieces(chunks: Iterable[dict[str, Any]]) -> list[str]:
    return [d["content"] for d in _deltas(chunks) if d.get("content")]


def right(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer as it was meant."""
    chunks = list(chunks)
    calls = [
        {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
        for delta in _deltas(chunks)
        for call in delta.get("tool_calls") or []
    ]
    ends = [c["finish_reason"] for one in chunks for c in one["choices"] or [] if c]
    found: dict[str, Any] = {"content": "".join(_pieces(chunks)), "tool_calls": calls}
    return found | ({"finish_reason": ends[-1]} if any(ends) else {})


def counts(chunks: Iterable[dict[str, Any]]) -> str:
    """Show how often the text was cut."""
    return "|".join(_pieces(chunks))


def misses(chunks: Iterable[dict[str, Any]]) -> str:
    """Show plain streams, but another text for one word, however it was cut."""
    return "".join(_pieces(chunks)).replace("day", "night")


def backwards(chunks: Iterable[dict[str, Any]]) -> str:
    """Show the newest piece first, so that nothing shown stays where it was."""
    return "".join(reversed(_pieces(chunks)))


def crashes(chunks: Iterable[dict[str, Any]]) -> str:
    """Take for granted what a provider may leave out."""
    return "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks)


def always_done(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Show an answer as complete whether or not it was."""
    return right(chunks) | {"finish_reason": "stop"}


BROKEN = [
    ("split-invariance", counts, TEXT),
    ("agreement", misses, TEXT),
    ("nothing-lost", misses, TEXT),
    ("prefix-safety", backwards, TEXT),
    ("faults", crashes, NO_CHOICE),
    ("truncation", always_done, TEXT),
]


@pytest.mark.parametrize(
    ("relation", "consumer", "fed"), BROKEN, ids=[row[0] for row in BROKEN]
)
def test_relation_fails_alone(
    relation: str, consumer: Callable[..., Any], fed: list[dict[str, Any]]
) -> None:
    """The consumer breaks it, the right one keeps it, for the same input."""
    with pytest.raises(AssertionError, match=relation):
        check(consumer, fed, relation=relation)
    check(right, fed, relation=relation)
