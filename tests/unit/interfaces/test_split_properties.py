"""However a response is cut, the interfaces show the same.

Responses are drawn as runs (thoughts, fragments of several interleaved calls, some
of them malformed), then cut anew: every text and arguments run into other pieces,
with empty ones between. The judge is the same response uncut, and for well-formed
calls `json.loads`. Shrinks to few runs, short texts and few cuts.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tests.unit.interfaces.streams import (
    Payload,
    content,
    finish,
    fragment,
    joined,
    openai_chunks,
    spoken,
    stream,
)

_TEXTS = st.text(
    st.sampled_from('ab"\\{}:,é😀\u2028\n') | st.characters(codec="utf-8"), max_size=12
)
_VALUES = _TEXTS | st.integers() | st.none() | st.lists(_TEXTS, max_size=2)
_OBJECTS = st.dictionaries(
    st.sampled_from(["message", "a", "messages"]) | _TEXTS, _VALUES
)
_ARGUMENTS = st.one_of(
    _OBJECTS.map(json.dumps),
    _OBJECTS.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1)),
    _TEXTS.map(lambda text: json.dumps({"message": text})),
    _TEXTS.map(lambda text: '{"message": "' + text),  # often malformed or open
    _TEXTS,
)
_NAMES = st.sampled_from(["send_message", "send", "get_weather", "send_message_later"])


@st.composite
def _responses(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Draw the runs of a response, and its calls (name, arguments).

    A run is a kind (``text`` or the number of a call) and what it adds; no two
    neighbours are of one kind, so that a run is what a cut may cut.
    """
    calls = draw(st.lists(st.tuples(_NAMES, _ARGUMENTS), max_size=3))
    order: list[tuple[str, str]] = []
    rest = {str(n): arguments for n, (_, arguments) in enumerate(calls)}
    opened: list[str] = []
    for choice in draw(st.lists(st.integers(0, 3), max_size=10)):
        kinds = ["text", *(str(n) for n in range(len(calls)) if n <= len(opened))]
        kind = kinds[choice % len(kinds)]
        if order and order[-1][0] == kind:
            continue
        if kind == "text":
            order.append((kind, draw(_TEXTS) or "t"))
            continue
        if kind not in opened:
            opened.append(kind)
        cut = draw(st.integers(0, len(rest[kind])))
        order.append((kind, rest[kind][:cut]))
        rest[kind] = rest[kind][cut:]
    for kind in (str(n) for n in range(len(calls))):  # what is left, call by call
        if rest[kind] or kind not in opened:
            if order and order[-1][0] == kind:
                order[-1] = (kind, order[-1][1] + rest[kind])
            else:
                order.append((kind, rest[kind]))
    return order, calls


def _payloads(
    runs: list[tuple[str, str]],
    calls: list[tuple[str, str]],
    draw_pieces: Any = lambda text: [text],
) -> list[Payload]:
    payloads: list[Payload] = []
    seen = set()
    for kind, text in runs:
        pieces = draw_pieces(text)
        if kind == "text":
            payloads += [content(piece) for piece in pieces]
            continue
        if kind not in seen:
            seen.add(kind)
            name = calls[int(kind)][0]
            payloads.append(
                fragment("", name=name, index=int(kind), call_id=f"c{kind}")
            )
        payloads += [fragment(piece, index=int(kind)) for piece in pieces]
    return [*payloads, finish()]


def _cutter(data: st.DataObject) -> Any:
    def pieces(text: str) -> list[str]:
        cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
        return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    return pieces


def _tokens(payloads: list[Payload]) -> Any:
    items = stream(payloads)
    assert items.pop() == "[DONE_GEN]"
    return joined(items)


def _assistant(payloads: list[Payload]) -> Any:
    return joined(spoken(payloads))


def _chat(payloads: list[Payload]) -> Any:
    return openai_chunks(stream(payloads, streaming_chat_completion_mode=True))


@pytest.mark.parametrize("mode", [_tokens, _assistant, _chat])
@given(response=_responses(), data=st.data())
@settings(deadline=None)
def test_cuts_change_nothing(mode: Any, response: Any, data: st.DataObject) -> None:
    """Texts, calls and their order are those of the uncut response, in every mode."""
    runs, calls = response
    whole = mode(_payloads(runs, calls))
    assert mode(_payloads(runs, calls, _cutter(data))) == whole
    assert mode(_payloads(runs, calls, list)) == whole


@given(response=_responses(), data=st.data())
@settings(deadline=None)
def test_no_call_vanishes_and_every_text_is_exact(
    response: Any, data: st.DataObject
) -> None:
    """Each call is its exact text, or comes whole with its raw arguments."""
    runs, calls = response
    items = spoken(_payloads(runs, calls, _cutter(data)))
    shown = joined(items)
    expected_calls = {}
    said = []
    for number, (name, arguments) in enumerate(calls):
        text = _text_of(arguments) if name == "send_message" else None
        if text is None:
            expected_calls[f"c{number}"] = [name, arguments]
        else:
            said.append(text)
    assert shown["thoughts"] == "".join(text for kind, text in runs if kind == "text")
    assert shown["calls"] == expected_calls
    whole_calls = [item for item in items if item[0] == "call"]
    if not whole_calls and len(said) <= 1:  # else texts interleave, or are partial
        assert shown["texts"] == "".join(said)
    assert [item for item in items if item == ("text", "")] == [
        ("text", "") for text in said if not text
    ]


def _text_of(arguments: str) -> str | None:
    """Return the text by `json.loads`; None where there is none."""
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found  # the outermost object comes last
        return dict(found)

    try:
        parsed = json.loads(arguments, strict=False, object_pairs_hook=keep)
    except ValueError:
        return None
    if not isinstance(parsed, dict):
        return None
    values = [value for key, value in pairs if key == "message"]
    return values[0] if values and isinstance(values[0], str) else None


@pytest.mark.parametrize(
    "is_hard",
    [
        lambda runs, calls: (
            len({k for k, _ in runs if k != "text"}) > 1
            and [k for k, _ in runs].count("0") > 1
        ),
        lambda runs, calls: any(n == "send_message" and "\\u" in a for n, a in calls),
        lambda runs, calls: sum(n == "send_message" for n, _ in calls) > 1,
        lambda runs, calls: any(
            n == "send_message" and _text_of(a) is None for n, a in calls
        ),
        lambda runs, calls: any(
            n == "send_message" and _text_of(a) == "" for n, a in calls
        ),
    ],
    ids=["interleaved", "escapes", "two assistant calls", "malformed", "empty"],
)
def test_the_search_reaches_hard_cases(is_hard: Any) -> None:
    """A weak strategy would pass the properties above silently."""
    find(
        _responses(),
        lambda response: bool(is_hard(*response)),
        settings=settings(
            max_examples=5000, derandomize=True, database=None, phases=[Phase.generate]
        ),
    )
