"""An exchange as an answer: what a client gets, in the form that it asked for.

A stream that is asked for as it was recorded goes out as its recorded bytes, piece by
piece, and ends as it ended. Everything else is written anew from its chunks: in another
dialect, cut otherwise, broken; as one completion where the client wants no stream; as
a stream where a whole completion was recorded. What is no chat completion, such as a
recorded error, goes out as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from harness.apis.chat.chunks import Chunk, Payload, payload_error, tool_call
from harness.apis.chat.deltas import choice_index
from harness.apis.chat.reader import ResponseAccumulator
from harness.apis.detect import api_named
from harness.apis.json_values import dicts_of
from harness.apis.requests import PATHS
from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Exchange, Request, header_pairs
from harness.engine.stream import StreamReader
from harness.engine.whole_answers import read_whole
from harness.errors import ChunkError
from harness.record.forwarding import end_to_end
from harness.serve.answer import Answer, BrokenOffError, Ending, Pieces, broken_off
from harness.serve.apis import (
    asked_api,
    has_error,
    is_asked_as_array,
    parts_of,
    style_of,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import WritingApi
    from harness.core.accumulate import AccumulatedMessage
    from harness.core.parts import Part
    from harness.serve.settings import Settings


_STREAM_HEADERS = [
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache"),
]
_NOT_WRITTEN = (
    "harness writes no answers in the API of {}: its recordings play as they were "
    "recorded, streamed or not, in pieces as recorded; ask for one of that kind, "
    "without a split, or ask in another API"
)
_OWN_HEADERS = frozenset({"content-length", "content-encoding", "content-type"})


def say(
    exchange: Exchange, settings: Settings, request: Request, *, is_streamed: bool
) -> Answer:
    """Return what an exchange answers.

    Args:
        exchange: The recording; its body is held.
        settings: How it is written and delivered. The faults of the connection are left
            out (`ServedFault.deliver`).
        request: What was asked; its path decides in which API.
        is_streamed: Whether the client asked for a stream; one at a path of no API
            gets what was recorded.

    Returns:
        The answer; its pieces are made while they are read.
    """
    kind, _, api = classify(exchange)
    if kind is Kind.OTHER:
        return _as_recorded(exchange, settings)
    wanted = asked_api(request.uri)
    asked = wanted or api
    if not wanted:  # where no API shows how a stream is asked for
        is_streamed = kind is Kind.STREAM
    is_own = asked == api and (settings.style is None or settings.style.api != asked)
    is_resumed = bool(wanted) and request.method == "GET"
    is_plain = is_own and settings.split is None and not is_resumed
    if is_streamed and kind is Kind.STREAM:
        was_array = exchange.response.body.lstrip()[:1] == b"["
        is_plain &= was_array == is_asked_as_array(request)
    if asked != "chat" and not (is_plain and (kind is Kind.STREAM) == is_streamed):
        if asked not in PATHS:
            return Answer.error(501, _NOT_WRITTEN.format(api_named(asked).title))
        return _restated(exchange, settings, request, asked, is_streamed=is_streamed)
    is_plain = asked == api and settings.variation.is_recorded
    if (kind is Kind.STREAM) != is_streamed or not is_plain:
        if is_streamed:
            return _stream(exchange, settings, kind, api)
        if kind is Kind.STREAM or asked != api or settings.variation.fault is not None:
            return _whole(exchange, settings, kind, api)
    return _as_recorded(exchange, settings)


def _restated(
    exchange: Exchange,
    settings: Settings,
    request: Request,
    api: str,
    *,
    is_streamed: bool,
) -> Answer:
    """Answer in another API than chat."""
    style = style_of(settings, api, request)
    broken = style.broken
    if broken is not None and broken.body is not None:
        return Answer.json(broken.body, broken.status)
    if is_streamed or request.method == "GET":
        timed = _Timed(exchange, settings.speed)
        made = written(timed.parts(parts_of(exchange)), settings, style, request)
        if broken is not None and broken.is_silent:
            made = broken_off(made, Ending.STALLED)
        if settings.writes is not None:
            made = settings.writes.recut_bytes(made)
        headers = [*_headers(exchange), ("content-type", style.content_type)]
        return Answer(exchange.response.status, headers, timed.during(made))
    parts = [part for _, found in parts_of(exchange) for part in found]
    problem = has_error(parts)
    if problem and api == "responses":
        return Answer.error(500, problem)
    document = cast("WritingApi", api_named(api)).body(parts)
    if problem:  # without what came before it
        error = {key: document[key] for key in ("type", "error") if key in document}
        return Answer.json(error, 500)
    return Answer.json(document)


def _as_recorded(exchange: Exchange, settings: Settings) -> Answer:
    response = exchange.response
    timed = _Timed(exchange, settings.speed)
    pieces: Pieces = timed
    if settings.writes is not None:
        pieces = timed.during(settings.writes.recut_bytes(timed.pieces()))
    is_stream = classify(exchange).kind is Kind.STREAM
    headers = _headers(exchange)
    if content_type := response.header("content-type"):
        headers.append(("content-type", content_type))
    elif is_stream:
        headers.append(_STREAM_HEADERS[0])
    length = None
    if not is_stream and _ending(exchange) is None:
        length = len(response.body)
    return Answer(response.status, headers, pieces, length, response.reason)


def _headers(exchange: Exchange) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in end_to_end(header_pairs(exchange.response.headers))
        if name.lower() not in _OWN_HEADERS
    ]


def _ending(exchange: Exchange) -> Ending | None:
    """Return how to break off a response that was never complete; None if it was."""
    ended = exchange.response.ended
    if ended is None or ended.kind == "complete":
        return None
    return Ending.RESET if ended.error == "ReadError" else Ending.CLOSED


class _Timed:
    """The recorded pieces, and when the piece was due that was read last.

    Whatever is made of the pieces lazily is due with the last of them that it
    needed: nothing is sent before a real server could have sent it.
    """

    def __init__(self, exchange: Exchange, speed: float) -> None:
        self._exchange = exchange
        self._speed = speed
        self._due: float | None = None

    def __iter__(self) -> Iterator[tuple[float | None, bytes]]:
        return self.during(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes as they were recorded."""
        for at, piece in self._exchange.response.iter_wire():
            self._read(at)
            yield piece

    def chunks(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yield chunks that were read from the recording."""
        for chunk in chunks:
            self._read(chunk.at)
            yield chunk
        self._read(self._exchange.response.seconds)

    def parts(
        self, answer: Iterable[tuple[float | None, list[Part]]]
    ) -> Iterator[tuple[float | None, list[Part]]]:
        """Yield the parts that were read from the recording."""
        for at, parts in answer:
            self._read(at)
            yield at, parts

    def during(self, made: Iterable[bytes]) -> Iterator[tuple[float | None, bytes]]:
        """Yield what is made of the pieces with its time, then end as recorded."""
        for piece in made:
            if piece:
                yield self._due, piece
        ending = _ending(self._exchange)
        if ending is not None:
            raise BrokenOffError(ending)

    def _read(self, at: float | None) -> None:
        if at is not None and self._speed:
            self._due = at / self._speed


def _chunks(exchange: Exchange, kind: Kind, api: str) -> Iterable[Chunk]:
    if kind is Kind.STREAM:
        return StreamReader(exchange, None, api=api)
    try:
        payload = read_whole(exchange, api).payload
    except ChunkError:
        return []
    for choice in payload["choices"]:
        delta = choice["delta"]
        calls = delta.get("tool_calls") if isinstance(delta, dict) else None
        if isinstance(calls, list):
            # A whole message's calls have no index, which a stream's must have.
            delta["tool_calls"] = [
                {"index": index, **call} if isinstance(call, dict) else call
                for index, call in enumerate(calls)
            ]
    return [Chunk(0, exchange.response.seconds, payload)]


def _stream(exchange: Exchange, settings: Settings, kind: Kind, api: str) -> Answer:
    timed = _Timed(exchange, settings.speed)
    chunks = timed.chunks(_chunks(exchange, kind, api))
    made = settings.variation.encode(chunks)
    if settings.writes is not None:
        made = settings.writes.recut_bytes(made)
    headers = [*_headers(exchange), *_STREAM_HEADERS]
    return Answer(exchange.response.status, headers, timed.during(made))


def _whole(exchange: Exchange, settings: Settings, kind: Kind, api: str) -> Answer:
    payloads = []
    for chunk in settings.variation.apply(_chunks(exchange, kind, api)):
        problem = payload_error(chunk.payload)
        if problem is not None:
            return Answer.error(500, problem)
        payloads.append(chunk.payload)
    fault = settings.fault.said
    is_cut = fault is not None and fault.ends_early
    ending = _ending(exchange) or (Ending.CLOSED if is_cut else None)
    if ending is not None:
        return Answer(200, [], broken_off((), ending), 1)
    at, speed = exchange.response.seconds, settings.speed
    due = at / speed if at is not None and speed else None
    answer = Answer.json(completion_of(payloads))
    pieces = [(due, piece) for _, piece in answer.pieces]
    return replace(
        answer, pieces=pieces, headers=[*_headers(exchange), *answer.headers]
    )


def completion_of(payloads: Iterable[Payload]) -> dict[str, Any]:
    """Return the whole completion that a stream has sent.

    Args:
        payloads: Its chunks.

    Returns:
        A `chat.completion` object with every choice, the calls with their ids (one
        made of its position where none came), log probabilities and usage.
    """
    accumulator = ResponseAccumulator()
    logprobs: dict[int, dict[str, list[Any]]] = {}
    for payload in payloads:
        accumulator.feed(payload)
        for choice in dicts_of(payload.get("choices")):
            if isinstance(choice.get("logprobs"), dict):
                held = logprobs.setdefault(choice_index(choice), {})
                for name, values in choice["logprobs"].items():
                    if isinstance(values, list):
                        held.setdefault(name, []).extend(values)
    return {
        "id": accumulator.id,
        "object": "chat.completion",
        "created": accumulator.created,
        "model": accumulator.model,
        "choices": [
            {
                "index": index,
                "message": _message(accumulator.message(choice=index)),
                "logprobs": logprobs.get(index),
                "finish_reason": accumulator.message(choice=index).finish_reason,
            }
            for index in accumulator.choices
        ],
        **({"usage": accumulator.usage} if accumulator.usage else {}),
    }


def _message(said: AccumulatedMessage) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": said.role,
        "content": said.content or (None if said.calls or said.refusal else ""),
        "refusal": said.refusal or None,
    }
    if said.reasoning:
        message["reasoning_content"] = said.reasoning
    if said.calls:
        message["tool_calls"] = [
            tool_call(call.id or f"call_{call.position}", call.name, call.arguments)
            for call in said.calls
        ]
    return message
