"""One text in pieces, as each API streams it: every slot that models write to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def events(*payloads: Any, named: bool = False, ascii_only: bool = False) -> bytes:
    """Return event stream text, with the names of the events where it has them."""
    return b"".join(
        (f"event: {payload['type']}\n" if named else "").encode()
        + b"data: "
        + json.dumps(payload, ensure_ascii=ascii_only).encode()
        + b"\n\n"
        for payload in payloads
    )


def _chunk(delta: dict[str, Any], index: int = 0) -> dict[str, Any]:
    choice = {"delta": delta, "index": index, "finish_reason": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "m",
        "choices": [choice],
    }


def _delta(*path: str | int) -> Callable[[list[str]], bytes]:
    """Return the form of a field somewhere in a chat delta."""

    def form(pieces: list[str]) -> bytes:
        return events(*(_chunk(_nested(path, piece)) for piece in pieces))

    return form


def _nested(path: tuple[str | int, ...], value: Any) -> Any:
    for name in reversed(path):
        value = [value] if isinstance(name, int) else {name: value}
    return value


def _arguments(pieces: list[str]) -> list[str]:
    """Return the pieces inside the JSON of arguments."""
    return ['{"command": "', *(json.dumps(piece)[1:-1] for piece in pieces), '"}']


def _tool_call(pieces: list[str]) -> bytes:
    first = {"index": 0, "id": "call_1", "type": "function",
             "function": {"name": "run", "arguments": ""}}  # fmt: skip
    calls = [{"index": 0, "function": {"arguments": a}} for a in _arguments(pieces)]
    return events(*(_chunk({"tool_calls": [call]}) for call in [first, *calls]))


def _two_calls(pieces: list[str]) -> bytes:
    return events(
        *(
            _chunk(
                {
                    "tool_calls": [
                        {"index": 0, "function": {"arguments": f"{number}, "}},
                        {"index": 1, "function": {"arguments": piece}},
                    ]
                }
            )
            for number, piece in enumerate(_arguments(pieces))
        )
    )


def _two_calls_by_id(pieces: list[str]) -> bytes:
    """No numbers, and now one call is first, now the other."""
    deltas = []
    for number, piece in enumerate(_arguments(pieces)):
        calls = [
            {"function": {"arguments": piece}, "id": "b"},
            {"function": {"arguments": f"{number}, "}, "id": "a"},
        ]
        deltas.append({"tool_calls": calls[:: 1 - 2 * (number % 2)]})
    return events(*map(_chunk, deltas))


def _two_calls_by_position(pieces: list[str]) -> bytes:
    """No numbers, and ids at the beginning only."""
    deltas = []
    for number, piece in enumerate(_arguments(pieces)):
        told = [{"id": "a"}, {"id": "b"}] if number < 3 else [{}, {}]
        texts = (f"{number}, ", piece)
        calls = [
            {**ids, "function": {"arguments": text}}
            for ids, text in zip(told, texts, strict=True)
        ]
        deltas.append({"tool_calls": calls})
    return events(*map(_chunk, deltas))


def _two_choices(pieces: list[str]) -> bytes:
    return events(
        *(
            {**_chunk({}), "choices": [
                {"index": 1, "delta": {"content": f"{number} "}},
                {"index": 0, "delta": {"content": piece}},
            ]}
            for number, piece in enumerate(pieces)
        )
    )  # fmt: skip


def _logprobs(pieces: list[str]) -> bytes:
    tokens = [{"token": piece, "logprob": -0.1} for piece in pieces if piece]
    return events(
        {**_chunk({}), "choices": [{"index": 0, "logprobs": {"content": tokens}}]}
    )


def _responses(kind: str, name: str, **place: Any) -> Callable[[list[str]], bytes]:
    def form(pieces: list[str]) -> bytes:
        item = {"item_id": "item_1", "output_index": 1, **place}
        text = "".join(pieces)
        done = {
            "type": "message",
            "id": "item_1",
            "content": [{"type": "x", name: text}],
        }
        return events(
            *(
                {"type": f"response.{kind}.delta", **item, "delta": piece,
                 "sequence_number": number, "obfuscation": "abcdefg"[number % 7:]}
                for number, piece in enumerate(pieces)
            ),
            {"type": f"response.{kind}.done", **item, name: text},
            {"type": "response.content_part.done", **item, "part": {name: text}},
            {"type": "response.output_item.done", "output_index": 1, "item": done},
            {"type": "response.completed", "response": {"id": "r", "output": [done]}},
            named=True,
        )  # fmt: skip

    return form


def _responses_arguments(pieces: list[str]) -> bytes:
    form = _responses("function_call_arguments", "arguments")
    return form(_arguments(pieces))


def _anthropic(kind: str, name: str) -> Callable[[list[str]], bytes]:
    def form(pieces: list[str]) -> bytes:
        if kind == "input_json_delta":
            pieces = _arguments(pieces)
        return events(
            {"type": "content_block_start", "index": 1,
             "content_block": {"type": "text", name: ""}},
            *(
                {"type": "content_block_delta", "index": 1,
                 "delta": {"type": kind, name: piece}}
                for piece in pieces
            ),
            {"type": "content_block_stop", "index": 1},
            named=True,
        )  # fmt: skip

    return form


def _anthropic_begun(pieces: list[str]) -> bytes:
    """The first piece is in the start of the block, the others in deltas."""
    first, *rest = pieces
    return events(
        {"type": "content_block_start", "index": 0,
         "content_block": {"type": "text", "text": first}},
        *(
            {"type": "content_block_delta", "index": 0,
             "delta": {"type": "text_delta", "text": piece}}
            for piece in rest
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "text", "text": "Sure"}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "text_delta", "text": "ly"}},
        named=True,
    )  # fmt: skip


def _gemini_chunks(pieces: list[str]) -> list[dict[str, Any]]:
    return [
        {"candidates": [{"content": {
            "parts": [{"text": f"{number}. ", "thought": True}] * (number % 2)
            + [{"text": piece}],
            "role": "model"}}]}
        for number, piece in enumerate(pieces)
    ]  # fmt: skip


def _gemini(pieces: list[str]) -> bytes:
    return events(*_gemini_chunks(pieces))


def _gemini_array(pieces: list[str]) -> bytes:
    return json.dumps(_gemini_chunks(pieces), indent=2).encode()


def _ollama(pieces: list[str]) -> bytes:
    return b"".join(
        json.dumps(
            {"model": "m", "message": {"role": "assistant", "content": piece}}
        ).encode()
        + b"\n"
        for piece in pieces
    )


def _prefixed(pieces: list[str]) -> bytes:
    return b"".join(b"0:" + json.dumps(piece).encode() + b"\n" for piece in pieces)


def _plain_data(pieces: list[str]) -> bytes:
    lines = [piece.replace("\n", " ").encode() for piece in pieces if piece.strip()]
    return b"".join(b"data: " + line + b"\r\n\r\n" for line in lines)


def _escaped(pieces: list[str]) -> bytes:
    """Every character that is no letter as an escape."""
    text = [
        "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in piece)
        for piece in pieces
    ]
    return b"".join(f'data: {{"text": "{piece}"}}\n\n'.encode() for piece in text)


def _escaped_inside(pieces: list[str]) -> bytes:
    """The same in the JSON of arguments, which is escaped once more."""
    text = [
        "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in p) for p in pieces
    ]
    calls = [{"index": 0, "function": {"arguments": piece}} for piece in text]
    return events(*(_chunk({"tool_calls": [call]}) for call in calls))


def _id_of_its_own(pieces: list[str]) -> bytes:
    """Every event has another id, at the top and at the item."""
    return events(
        *(
            {"id": f"e{number}", "item_id": f"i{number}", "output_index": 0, "delta": p}
            for number, p in enumerate(pieces)
        )
    )


def _carriage_returns(pieces: list[str]) -> bytes:
    return events(*(_chunk({"content": p}) for p in pieces)).replace(b"\n", b"\r")


def _alternatives(piece: str) -> list[dict[str, Any]]:
    return [
        {"token": text, "logprob": -0.1, "bytes": list(text.encode())}
        for text in (piece, "zq")
    ]


def _logprobs_with_bytes(pieces: list[str]) -> bytes:
    """Each token as numbers, too, and among those that it might have been."""
    events_of = []
    for piece in pieces:
        token = _alternatives(piece)[0] | {"top_logprobs": _alternatives(piece)}
        choice = {"index": 0, "logprobs": {"content": [token]}}
        events_of.append({**_chunk({}), "choices": [choice]})
    return events(*events_of)


def _messages_in_a_log(pieces: list[str]) -> bytes:
    """What a log of a web socket holds: JSON in the strings of JSON."""
    return json.dumps(
        [{"data": json.dumps({"type": "x.delta", "delta": piece})} for piece in pieces]
    ).encode()


FORMS: dict[str, Callable[[list[str]], bytes]] = {
    "chat content": _delta("content"),
    "chat logprobs with bytes": _logprobs_with_bytes,
    "messages in a log": _messages_in_a_log,
    "chat content parts": _delta("content", 0, "text"),
    "chat reasoning_content": _delta("reasoning_content"),
    "chat reasoning": _delta("reasoning"),
    "chat reasoning_text": _delta("reasoning_text"),
    "chat reasoning_details": _delta("reasoning_details", 0, "text"),
    "chat refusal": _delta("refusal"),
    "chat audio transcript": _delta("audio", "transcript"),
    "chat function_call": _delta("function_call", "arguments"),
    "chat a field of tomorrow": _delta("tomorrow", 0, "deep", "field"),
    "chat tool call": _tool_call,
    "chat two calls in one delta": _two_calls,
    "chat two calls apart by id": _two_calls_by_id,
    "chat two calls apart by position": _two_calls_by_position,
    "chat two choices": _two_choices,
    "chat logprobs": _logprobs,
    "responses output_text": _responses("output_text", "text", content_index=0),
    "responses refusal": _responses("refusal", "refusal", content_index=0),
    "responses reasoning_text": _responses("reasoning_text", "text", content_index=0),
    "responses summary": _responses("reasoning_summary_text", "text", summary_index=0),
    "responses transcript": _responses("audio_transcript", "transcript"),
    "responses arguments": _responses_arguments,
    "anthropic text": _anthropic("text_delta", "text"),
    "anthropic text begun in the start": _anthropic_begun,
    "anthropic thinking": _anthropic("thinking_delta", "thinking"),
    "anthropic partial_json": _anthropic("input_json_delta", "partial_json"),
    "gemini": _gemini,
    "gemini array": _gemini_array,
    "ollama lines": _ollama,
    "prefixed lines": _prefixed,
    "data without JSON": _plain_data,
    "escaped": _escaped,
    "escaped inside arguments": _escaped_inside,
    "ids of their own": _id_of_its_own,
    "carriage returns": _carriage_returns,
}  # fmt: skip
"""By name, what makes a body of the pieces of a text."""
