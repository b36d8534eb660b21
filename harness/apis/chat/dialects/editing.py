"""Editing deltas in place of a stream: only what changes is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from harness.apis.chat.chunks import Chunk
from harness.apis.chat.deltas import choice_index
from harness.apis.json_values import dict_of, dicts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.chat.chunks import Payload

Entry: TypeAlias = dict[str, Any]
"""An entry of a delta's `tool_calls`."""


def edit_choices(
    payload: Payload, edit: Callable[[int, dict[str, Any]], dict[str, Any]]
) -> Payload:
    """Return a payload with its choices edited; itself where nothing was."""
    choices = payload.get("choices")
    if not isinstance(choices, list):
        return payload
    edited = []
    for choice in choices:
        if isinstance(choice, dict):
            edited.append(edit(choice_index(choice), choice))
        else:
            edited.append(choice)
    if all(new is old for new, old in zip(edited, choices, strict=True)):
        return payload
    return {**payload, "choices": edited}


def edit_delta(
    payload: Payload, edit: Callable[[int, dict[str, Any]], dict[str, Any]]
) -> Payload:
    """Return a payload with its deltas edited; itself where nothing was."""

    def in_choice(index: int, choice: dict[str, Any]) -> dict[str, Any]:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return choice
        edited = edit(index, delta)
        return choice if edited is delta else {**choice, "delta": edited}

    return edit_choices(payload, in_choice)


def each_delta(
    edit: Callable[[int, dict[str, Any]], dict[str, Any]], chunks: Iterable[Chunk]
) -> Iterator[Chunk]:
    """Yield a stream with its deltas edited."""
    for chunk in chunks:
        yield Chunk(chunk.index, chunk.at, edit_delta(chunk.payload, edit))


def function_of(entry: Entry) -> dict[str, Any]:
    """Return the function of an entry; empty where there is none."""
    return dict_of(entry.get("function"))


def entries_of(delta: dict[str, Any]) -> list[Entry]:
    """Return the entries of a delta that can be read."""
    return dicts_of(delta.get("tool_calls"))
