"""Made answers as parts, and what of them a Messages stream carries."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXTS = st.text(st.sampled_from('aé🙂{}":,\\ \n'), min_size=1, max_size=5)
_INPUTS = st.sampled_from(
    ({}, {"a": 1}, {"é": "🙂\\n", "b": [{}, [None, '"}{']]}, {"": {"": "}"}})
)
_RESULT = {"type": "web_search_tool_result", "tool_use_id": "srv", "content": []}


class MadeCall(NamedTuple):
    """A call that an answer makes."""

    id: str
    name: str
    kind: str
    pieces: list[str]


def _pieces(text: str, cuts: list[int]) -> list[str]:
    """Cut a text; no piece is empty."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


@st.composite
def _calls(draw: st.DrawFn, number: int) -> MadeCall:
    kind = draw(st.sampled_from(("function", "function", "custom")))
    text = json.dumps(draw(_INPUTS), ensure_ascii=draw(st.booleans()))
    if kind == "custom":
        text = draw(_TEXTS)
    elif draw(st.integers(0, 4)) == 0:
        text = ""
    return MadeCall(
        draw(st.sampled_from(("", f"call_{number}"))),
        draw(st.sampled_from(("f", "get_weather"))),
        kind,
        _pieces(text, draw(st.lists(st.integers(0, 40), max_size=3))),
    )


def _others() -> st.SearchStrategy[list[Part]]:
    """What is no call: one thing, or two that belong together."""
    served = {"type": "server_tool_use", "id": "srv", "name": "web_search"}
    return st.one_of(
        _TEXTS.map(lambda text: [Text(text)]),
        _TEXTS.map(lambda text: [Reasoning(text)]),
        _TEXTS.map(lambda text: [Refusal(text)]),
        _TEXTS.map(lambda text: [Reasoning(text), Opaque("signature", text)]),
        _TEXTS.map(lambda text: [Opaque("signature", text)]),
        _TEXTS.map(lambda text: [Opaque("redacted_reasoning", text)]),
        _TEXTS.map(lambda text: [Opaque("encrypted_reasoning", text)]),
        st.sampled_from(("text", "reasoning", "refusal")).map(lambda k: [Block(k)]),
        _INPUTS.map(
            lambda sent: [
                Item("server_tool_use", served | {"input": sent}),
                Item("web_search_tool_result", _RESULT),
            ]
        ),
        st.just([Item("citation", {"type": "char_location", "cited_text": "c"})]),
        st.just([Item("citation", {"type": "url_citation"})]),
        st.just([Item("web_search_call", {"type": "web_search_call", "id": "w"})]),
        st.just([Usage({"output_tokens": 5, "prompt_tokens": 2})]),
    )


@st.composite
def answers(draw: st.DrawFn) -> list[list[Part]]:
    """Answers with a finish, as the parts of event after event; calls interleave."""
    made = [draw(_calls(n)) for n in range(draw(st.integers(0, 3)))]
    waiting: list[list[tuple[MadeCall, str | None]]] = [
        [(call, None), *((call, piece) for piece in call.pieces)] for call in made
    ]
    objects: dict[int, ToolCall] = {}
    seen: list[list[Part]] = [[Head(draw(st.sampled_from(("", "m"))), "model")]]
    has_served = False
    for _ in range(draw(st.integers(0, 12))):
        other = draw(_others())
        if isinstance(other[0], Item) and other[0].kind == "server_tool_use":
            if has_served:  # ids of calls are unique
                continue
            has_served = True
        queue = draw(st.sampled_from([None, *waiting])) if waiting else None
        if queue is None:
            seen.append(other)
        elif queue:
            seen.append([_call_part(*queue.pop(0), objects, made)])
    for queue in waiting:
        seen += [[_call_part(*step, objects, made)] for step in queue]
    reason = draw(st.sampled_from(("end_turn", "tool_use", "stop", "max_tokens")))
    return [*seen, [Finish(reason)], [Usage({"output_tokens": 7})]]


def _call_part(
    call: MadeCall,
    piece: str | None,
    objects: dict[int, ToolCall],
    made: list[MadeCall],
) -> CallPart:
    key = next(n for n, other in enumerate(made) if other is call)
    if piece is None:
        state = objects[key] = ToolCall(len(objects), None, call.id)
        state.name, state.type = call.name, call.kind
        return CallPart(state, call.name, "", is_new=True, id=call.id)
    objects[key].add_arguments(piece)
    return CallPart(objects[key], "", piece, is_new=False)


# -- What is carried -------------------------------------------------------------------


def carried(parts: Sequence[Part]) -> list[Any]:
    """Return what a Messages stream carries of an answer, neighbours joined.

    This is the table of `harness.apis.anthropic.writer`, written down once more.
    """
    units: list[list[Any]] = []
    calls: dict[int, list[Any]] = {}
    counts: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0}
    reason = ""
    for part in parts:
        last = units[-1][0] if units else ""
        match part:
            case Text() | Refusal():
                _join(units, "text", part.text)
            case Reasoning():
                _join(units, "reasoning", part.text)
            case Block():
                kind = "reasoning" if part.kind == "reasoning" else "text"
                units.append([kind, ""])
            case CallPart() if id(part.call) not in calls:
                call_id = part.call.id or f"toolu_{part.call.position}"
                unit = ["call", call_id, part.call.name, part.call.type, ""]
                calls[id(part.call)] = unit
                units.append(unit)
                unit[-1] += part.arguments
            case CallPart():
                calls[id(part.call)][-1] += part.arguments
            case Opaque(kind="redacted_reasoning"):
                units.append(["redacted", part.data])
            case Opaque(kind="signature") if part.call is None and last != "text":
                units.append(["signature", part.data])
            case Item(kind="citation", is_done=True) if part.value["type"].endswith(
                "_location"
            ):
                units.append(["text", "", part.value])
            case Item() if part.is_done and part.kind.startswith(("server", "web")):
                if part.kind != "web_search_call":
                    units.append(["item", part.value])
            case Usage():
                counts |= {k: v for k, v in part.counts.items() if k != "prompt_tokens"}
            case Finish():
                reason = {"stop": "end_turn"}.get(part.reason, part.reason)
            case _:
                pass
    for unit in calls.values():
        if unit[3] == "custom":
            unit[3:] = ["function", json.dumps({"input": unit[4]})]
        unit[-1] = json.loads(unit[-1] or "{}")
    if reason in {"end_turn", "tool_use"}:
        reason = "tool_use" if calls else "end_turn"
    merged: list[list[Any]] = []
    for unit in units:
        joins = unit[0] in {"text", "reasoning"} and len(unit) == 2
        if joins and merged and merged[-1][0] == unit[0] and len(merged[-1]) == 2:
            merged[-1][1] += unit[1]
        elif not (joins and not unit[1]):
            merged.append(unit)
    return [*merged, counts, reason]


def unplaced(units: Sequence[Any]) -> list[Any]:
    """Join the text that stands together; its citations have no place in it.

    A whole answer has them beside the text of their block.
    """
    joined: list[Any] = []
    for unit in units:
        if not isinstance(unit, list) or unit[0] != "text":
            joined.append(unit)
            continue
        if not joined or not isinstance(joined[-1], list) or joined[-1][0] != "text":
            joined.append(["text", "", []])
        joined[-1][1] += unit[1]
        joined[-1][2] += unit[2:]
    return joined


def _join(units: list[list[Any]], kind: str, text: str) -> None:
    units.append([kind, text])
