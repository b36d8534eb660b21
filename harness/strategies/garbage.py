"""What no provider should send and some do: broken texts, odd chunks, stray bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from harness.strategies.arguments import argument_texts
from harness.strategies.streams import chunk_streams, event_streams
from harness.strategies.validation import check_text

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from harness.apis.chat.chunks import Payload


_JSON_CHARACTERS = st.sampled_from('{}[]:,"\\ \n\t0123456789+-.eEtruefalsnuIN/bdDcxa')
_CHARACTERS = _JSON_CHARACTERS | st.characters()


def garbage_texts(key: str = "message") -> SearchStrategy[str]:
    """Texts that may be JSON or not, mostly not: any text, and JSON's characters.

    Half of them begin as arguments with `key` do. Shrinks to the empty text.

    Args:
        key: The key that a consumer wants.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: `key` is no text.
    """
    check_text("key", key)
    opening = f"{{{json.dumps(key, ensure_ascii=False)}:"
    shaped = st.text(_JSON_CHARACTERS, max_size=20)
    return st.one_of(
        st.text(max_size=20),
        shaped,
        shaped.map(lambda text: opening + text),
        shaped.map(lambda text: f'{opening}"{text}'),
    )


def broken_argument_texts(key: str = "message") -> SearchStrategy[str]:
    """Texts of arguments damaged in one place: cut short, or a character wrong.

    A few are still valid, for a character can be wrong without being malformed.
    Shrinks to the damage alone.

    Args:
        key: See `argument_texts`.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: `key` is no text.
    """
    return _broken(argument_texts(key))


@st.composite
def _broken(draw: st.DrawFn, texts: SearchStrategy[str]) -> str:
    text = draw(texts)
    place = draw(st.integers(0, len(text)))
    if draw(st.booleans()):
        return text[:place]
    wrong = draw(_CHARACTERS)
    if draw(st.booleans()):
        return text[:place] + wrong + text[place:]
    return text[:place] + wrong + text[place + 1 :]


_ODD: SearchStrategy[Any] = st.sampled_from(
    [None, "", 0, -1, 1.5, True, [], {}, [None], "x", [[]], {"x": None}, float("nan")]
)
_FIELDS = {
    "choice": ("index", "delta", "finish_reason", "message", "x"),
    "delta": ("role", "content", "reasoning", "refusal", "tool_calls", "function_call"),
    "entry": ("index", "id", "type", "function", "x"),
    "function": ("name", "arguments", "x"),
    "payload": ("id", "choices", "usage", "model", "created", "error"),
}


def _objects(
    kind: str, inner: dict[str, SearchStrategy[Any]]
) -> SearchStrategy[dict[str, Any]]:
    """Objects with some fields of a kind, each odd or as it should be."""
    fields = {name: inner.get(name, _ODD) | _ODD for name in _FIELDS[kind]}
    return st.fixed_dictionaries({}, optional=fields)


def garbage_payloads() -> SearchStrategy[Payload]:
    """Chunks in which every field may be missing, null or of another type.

    Everything is a JSON value, but for NaN, which Python's `json` makes as well.
    Shrinks to ``{}``.

    Returns:
        The strategy.
    """
    text = st.sampled_from(["", "x", '{"a', '"}', "\ud83d"])
    function = _objects("function", {"name": text, "arguments": text})
    index = st.integers(0, 2)
    entry = _objects("entry", {"index": index, "id": text, "function": function})
    delta = _objects(
        "delta",
        {
            "content": text | st.lists(_ODD, max_size=2),
            "tool_calls": st.lists(entry | _ODD, max_size=2),
            "function_call": function,
        },
    )
    choice = _objects("choice", {"index": index, "delta": delta, "message": delta})
    return _objects("payload", {"choices": st.lists(choice | _ODD, max_size=2)})


def garbage_bytes() -> SearchStrategy[bytes]:
    """Event streams damaged in one place, and bytes that are none.

    Cut short anywhere, a byte more or less, invalid UTF-8, a byte order mark.
    Shrinks to no bytes.

    Returns:
        The strategy.
    """
    pieces = st.sampled_from(
        [
            *(b"data:", b"data: {", b"}", b"\n", b"\r", b"\r\n", b":", b"\xff"),
            *(b"\xc3", b"\xef\xbb\xbf", b"retry: 1_0\n", b"id: \x00\n", b"[DONE]"),
            *(b" ", b'"'),
        ]
    )
    return st.lists(pieces, max_size=8).map(b"".join) | st.binary() | _damaged()


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    data = draw(event_streams(max_calls=1, max_cuts=1)).data
    place = draw(st.integers(0, len(data)))
    return data[:place] + draw(st.binary(max_size=2)) + data[place + 1 :]


def disordered_payloads() -> SearchStrategy[list[Payload]]:
    """Chunks of a valid stream, some twice, some missing, in any order.

    Shrinks to none.

    Returns:
        The strategy.
    """
    return chunk_streams(max_calls=2).flatmap(
        lambda stream: st.lists(st.sampled_from(stream.payloads), max_size=8)
    )
