"""Every odd value of a chunk's field that a provider was seen to send, as streams.

The counterpart of `harness.fuzz.stock_streams`, whose streams differ in what they hold;
these differ in how it is written. All are made from three plain streams, one change
each.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.apis.chat.shrinking import runs_of
from harness.core.json_paths import value_at, with_value
from harness.fuzz.api_inputs import further_answers, written
from harness.fuzz.cuts import cut_at
from harness.fuzz.stock_streams import stock_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.fuzz.fuzz_inputs import FuzzInput


_LATE = ("parallel calls at index 0", "content as a list of parts")
_Object = dict[str, Any]


def _each(stream: FuzzInput, change: Callable[[int, _Object], _Object]) -> FuzzInput:
    """Change the choice of every chunk that has one."""
    changed = []
    for number, payload in enumerate(stream):
        choices = [change(number, choice) for choice in payload["choices"]]
        changed.append({**payload, "choices": choices})
    return tuple(changed)


def _entries(stream: FuzzInput, change: Callable[[int, _Object], _Object]) -> FuzzInput:
    """Change every entry of `tool_calls`, given its number in the stream."""
    count = 0

    def of_choice(_: int, choice: _Object) -> _Object:
        nonlocal count
        delta = choice["delta"]
        if "tool_calls" not in delta:
            return choice
        entries = []
        for entry in delta["tool_calls"]:
            entries.append(change(count, entry))
            count += 1
        return {**choice, "delta": {**delta, "tool_calls": entries}}

    return _each(stream, of_choice)


def _delta(stream: FuzzInput, **fields: Any) -> FuzzInput:
    def of_choice(number: int, choice: _Object) -> _Object:
        if number == 0:
            return choice
        return {**choice, "delta": {**fields, **choice["delta"]}}

    return _each(stream, of_choice)


def _beside(stream: FuzzInput, **fields: Any) -> FuzzInput:
    return tuple({**payload, **fields} for payload in stream)


def _finish(reason: str | None, *, only_open: bool = True) -> Callable[..., _Object]:
    def of_choice(_: int, choice: _Object) -> _Object:
        if choice["finish_reason"] and only_open:
            return choice
        return {**choice, "finish_reason": reason}

    return of_choice


def _other_choice(stream: FuzzInput) -> FuzzInput:
    """Let a second choice take turns, as `n: 2` asks for."""
    both = []
    for payload in stream:
        (choice,) = payload["choices"]
        other = {**choice, "index": 1}
        if choice["delta"].get("content"):
            other["delta"] = {"content": "other "}
        both += [payload, {**payload, "choices": [other]}]
    return tuple(both)


def _continued(fields: _Object, function: _Object) -> Callable[..., _Object]:
    def of_entry(number: int, entry: _Object) -> _Object:
        if number == 0:
            return entry
        return {**entry, **fields, "function": {**entry["function"], **function}}

    return of_entry


@cache
def odd_streams() -> dict[str, FuzzInput]:
    """Return the streams by name, those that broke most consumers first."""
    streams = stock_streams()
    text, call = streams["text"], streams["call"]
    parallel = streams["parallel calls"]
    nulls = {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}
    counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head, *middle, last = text
    end = call[-1]
    empty = _entries(call[2:3], lambda _, e: {**e, "function": {"arguments": ""}})
    message = {"role": "assistant", "content": "Hello there"}
    whole = {**last["choices"][0], "message": message}

    def one_by_one(number: int, choice: _Object) -> _Object:
        is_end = 0 < number < len(text) - 1
        return {**choice, "finish_reason": "stop"} if is_end else choice

    odd: dict[str, FuzzInput] = {
        "finish is empty until the end": _each(text, _finish("")),
        "finish is empty beside calls": _each(call, _finish("")),
        "role again": _delta(text, role="assistant"),
        "role is empty": _delta(text, role=""),
        "role is null": _delta(call, role=None, content=None),
        "content is empty beside calls": _delta(call, role="assistant", content=""),
        "usage, error and logprobs are null": _each(
            _beside(text, usage=None, error=None),
            lambda _, choice: {**choice, "logprobs": None},
        ),
        "usage of nulls": (*text, {**head, "choices": [], "usage": nulls}),
        "usage grows": tuple(
            {
                **payload,
                "usage": {**counts, "completion_tokens": n, "total_tokens": 3 + n},
            }
            for n, payload in enumerate(text, 1)
        ),
        "usage beside the finish": (*text[:-1], {**last, "usage": counts}),
        "usage beside calls": _beside(call, usage=counts),
        "usage beside calls of nulls": _beside(parallel, usage=nulls),
        "id comes late and is empty then": _entries(call, _late_id),
        "name is empty on continuations": _entries(
            call, _continued({"id": "", "type": ""}, {"name": ""})
        ),
        "nulls on continuations": _entries(
            parallel,
            lambda _, entry: {
                **entry,
                "id": entry.get("id"),
                "type": entry.get("type"),
                "function": {
                    "name": entry["function"].get("name"),
                    "arguments": entry["function"].get("arguments"),
                },
            },
        ),
        "id again on continuations": _entries(call, _continued({"id": "call_1"}, {})),
        "id changes on continuations": _entries(
            call, lambda number, entry: {**entry, "id": f"call_{number + 1}"}
        ),
        "index is a text": _entries(
            parallel, lambda _, entry: {**entry, "index": str(entry["index"])}
        ),
        # As vLLM ends a call.
        "arguments are empty in between": (*call[:3], *empty, *call[3:-1], *empty, end),
        "type is null and custom empty": _entries(
            call, lambda _, entry: {**entry, "type": None, "custom": {}}
        ),
        "finish twice": (*text, last),
        "finish of calls twice": (*call, call[-1]),
        "finish again without delta": (
            *text,
            {**last, "choices": [{"index": 0, "finish_reason": "stop"}]},
        ),
        "finish beside every piece": _each(text, one_by_one),
        "closing chunk twice, with usage": (
            *text[:-1],
            {**last, "usage": counts},
            {**last, "usage": counts},
        ),
        "calls are an empty list": _delta(text, tool_calls=[]),
        "calls are null": _delta(text, tool_calls=None, function_call=None),
        "refusal is null": _delta(text, refusal=None, reasoning_content=None),
        "choices are null": (*text, {**head, "choices": None, "usage": counts}),
        "another id in every chunk": tuple(
            {**payload, "id": f"chatcmpl-{n}"} for n, payload in enumerate(text)
        ),
        "signed reasoning": _signed(text),
        "first chunk is bare": ({"id": "", "choices": []}, *text),
        "whole message at the end": (head, *middle, {**last, "choices": [whole]}),
        "two choices in turns": _other_choice(text),
        "finish says stop after calls": _each(
            call,
            lambda _, choice: {
                **choice,
                "finish_reason": choice["finish_reason"] and "stop",
            },
        ),
        "reasoning beside text": _delta(text, reasoning_content="Hm. "),
        "reasoning beside a call": _delta(call, reasoning_content="Hm. "),
        "open choice after the finish": (*text, head),
        "text and parallel calls": (*text[:-1], *parallel[1:]),
        "a call that is cut off": call[:-2]
        + _each(call[-1:], _finish("length", only_open=False)),
        **_marked(text),
        **_ambiguous(text, call),
    }
    return odd


def _late_id(number: int, entry: _Object) -> _Object:
    return {**entry, "id": (None, "call_1")[number] if number < 2 else ""}


def _signed(stream: FuzzInput) -> FuzzInput:
    """Let signed reasoning come before a text, in blocks as OpenRouter passes them on.

    The text in them is in two fields besides, as vLLM sent it while it went from one
    name to the other.
    """
    block = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    opaque = {"type": "reasoning.encrypted", "format": "openai-responses-v1"}
    deltas: list[_Object] = [
        {
            **dict.fromkeys(("reasoning_content", "reasoning"), text),
            "reasoning_details": [{**block, "text": text}],
        }
        for text in ("Let me", " see.")
    ]
    last = (
        [{**block, "signature": "c2lnbmVk"}],
        [{**opaque, "index": 1, "data": "b3Bh"}],
    )
    deltas += ({"reasoning_details": details} for details in last)
    return (stream[0], *_chunks(stream, *deltas), *stream[1:])


def _ambiguous(text: FuzzInput, call: FuzzInput) -> dict[str, FuzzInput]:
    """Return what may be read in several ways: only cuts and exceptions are asked."""
    legacy = (
        *({"name": "look", "arguments": None}, {"arguments": '{"x": '}),
        {"arguments": "1}"},
    )
    end = _each(text[-1:], _finish("function_call", only_open=False))
    return {
        "a call of the legacy form": (
            text[0],
            *_chunks(text, *({"function_call": piece} for piece in legacy)),
            *end,
        ),
        "arguments are the JSON null": _entries(
            call[:3] + call[-1:], _continued({}, {"arguments": "null"})
        ),
        # As servers send it that cut by UTF-16 units, escaped.
        "half a pair in each of two pieces": _spoken(text, "Hi \ud83d", "\ude00!"),
        "continuation at another index": _entries(
            call, lambda number, entry: {**entry, "index": min(number, 1)}
        ),
        "index of a continuation counts on": _entries(
            call, lambda number, entry: {**entry, "id": "call_1", "index": number}
        ),
    }


def _spoken(stream: FuzzInput, *pieces: str) -> FuzzInput:
    deltas = ({"content": piece} for piece in pieces)
    return (stream[0], *_chunks(stream, *deltas), stream[-1])


def _chunks(stream: FuzzInput, *deltas: _Object) -> FuzzInput:
    bare = {"index": 0, "finish_reason": None}
    return tuple(
        {**stream[0], "choices": [{**bare, "delta": delta}]} for delta in deltas
    )


def _marked(stream: FuzzInput) -> dict[str, FuzzInput]:
    """Return text with markers that a consumer may take out: only cuts are asked."""
    return {
        "think tags": _spoken(stream, "<think>", "Let me ", "see.", "</think>", "Yes."),
        "think tags in pieces": _spoken(
            stream, "<thi", "nk>Let me", " see.</th", "ink>\n\nYes", "."
        ),
        "template markers": _spoken(
            stream, "Yes.", "<|im_", "end|>", "<|end", "oftext|>"
        ),
        "a call in tags": _spoken(
            stream,
            *('<tool_call>\n{"name": "look', '", "arguments": {"x": 1}}', "</tool_c"),
            "all>",
        ),
    }


@cache
def only_cuts() -> frozenset[str]:
    """Return the names of the streams that a consumer may read in its own way."""
    streams = stock_streams()
    return frozenset(
        (*_marked(streams["text"]), *_ambiguous(streams["text"], streams["call"]))
    )


def stock() -> dict[str, FuzzInput]:
    """Return all streams, the most common shapes first, then what broke the most."""
    streams: dict[str, FuzzInput] = dict(stock_streams())
    late = {name: streams.pop(name) for name in _LATE}
    odd = odd_streams()
    revealing = "text and parallel calls"
    further = further_answers("chat").items()
    more = {name: written("chat", answer) for name, answer in further}
    return {revealing: odd[revealing], **streams, **odd, **more, **late}


def renamed(
    streams: Mapping[str, FuzzInput], function: str, argument: str
) -> dict[str, FuzzInput]:
    """Return the streams with calls as calls of the assistant function.

    Args:
        streams: By name.
        function: What every call is a call of.
        argument: What holds the text: the JSON text that the call had.
    """
    made = {}
    for name, stream in streams.items():
        if name in only_cuts():
            continue
        changed, is_changed = list(stream), False
        for places in runs_of(stream):
            field = places[0][1][-1]
            pieces = [str(value_at(stream[number], path)) for number, path in places]
            if field == "name":
                texts = (function, *[""] * (len(places) - 1))
            elif field == "arguments":
                text, count = json.dumps({argument: "".join(pieces)}), len(places)
                texts = cut_at(text, [n * len(text) // count for n in range(1, count)])
                is_changed = True
            else:
                continue
            for (number, path), piece in zip(places, texts, strict=True):
                changed[number] = with_value(changed[number], path, piece)
        if is_changed:
            made[f"{name}, to {function}"] = tuple(changed)
    return made
