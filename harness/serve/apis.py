"""Which API a request asks in, and an answer restated in it.

| path ends in | API |
|---|---|
| ``/chat/completions`` | chat |
| ``/responses``, ``/responses/ID`` (`GET`, with ``starting_after=N``) | responses |
| ``/messages`` | anthropic |
| ``/models/NAME:streamGenerateContent``, ``:generateContent`` | gemini |
| ``/api/chat``, ``/api/generate`` | ollama, only as it was recorded |
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from harness.apis.detect import api_named
from harness.apis.json_values import canonical, parsed
from harness.apis.responses.writer import NO_ID
from harness.apis.style import ApiStyle
from harness.cassettes.classify import Kind, classify
from harness.core.part_cuts import recut_parts
from harness.core.parts import Head, Part, Problem
from harness.engine.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Conversation
    from harness.cassettes.model import Exchange, Request
    from harness.serve.settings import Settings


_PATHS = (
    ("chat", re.compile(r"/chat/completions$")),
    ("responses", re.compile(r"/responses(?:/[^/]+)?$")),
    ("anthropic", re.compile(r"/messages$")),
    (
        "gemini",
        re.compile(r"/models/[^/:]+:(?:stream)?generateContent$", re.IGNORECASE),
    ),
    ("ollama", re.compile(r"/api/(?:chat|generate)$")),
)


def asked_api(uri: str) -> str:
    """Return the API that a path belongs to; empty for none of them."""
    path = uri.partition("?")[0].rstrip("/")
    return next((name for name, pattern in _PATHS if pattern.search(path)), "")


def is_asked_streamed(request: Request, document: object) -> bool:
    """Return whether a request asks for a stream."""
    api = asked_api(request.uri)
    if api == "gemini":
        return "streamgeneratecontent" in request.uri.lower()
    # Ollama streams where nothing else is asked for (its API, "Generate a completion").
    by_default = api == "ollama"
    return isinstance(document, dict) and bool(document.get("stream", by_default))


def same_question(recorded: Request, sent: Request) -> list[tuple[str, str, str]]:
    """Compare two requests of different APIs by what they ask.

    Args:
        recorded: The recorded request.
        sent: The one that came.

    Returns:
        Field, recorded and sent value of each difference: roles, texts, calls and
        results of tools, in the one neutral form.
    """
    one, other = _asked(recorded), _asked(sent)
    if one == other:
        return []
    found: list[tuple[str, str, str]] = []
    same = SequenceMatcher(None, one, other, autojunk=False)
    for tag, start, end, first, last in same.get_opcodes():
        if tag == "equal":
            continue
        pairs = zip_longest(one[start:end], other[first:last], fillvalue=_NO_TURN)
        for number, (mine, theirs) in enumerate(pairs):
            place = first + number if first + number < last else start + number
            found += [
                (f"turn {place}: {field}", known, new)
                for field, known, new in zip(_FIELDS, mine, theirs, strict=True)
                if known != new
            ]
    return found


_FIELDS = ("role", "text", "calls", "results")
_NO_TURN = ("",) * len(_FIELDS)


def _asked(request: Request) -> list[tuple[str, str, str, str]]:
    body = request.json()
    api = asked_api(request.uri)
    if not isinstance(body, dict) or not api:
        return []
    conversation: Conversation = api_named(api).request(request.uri, body)
    merged: list[list[str]] = []
    for turn in conversation.turns:
        calls = [[call.name, canonical(call.arguments or "{}")] for call in turn.calls]
        results = [canonical(output.text or "{}") for output in turn.outputs]
        role = "tool" if results and not turn.text else turn.role
        shown = [
            role,
            turn.text,
            json.dumps(calls) if calls else "",
            json.dumps(results) if results else "",
        ]
        # APIs differ in how many turns a text and its calls, or two results, are.
        if merged and merged[-1][0] == role and role in {"assistant", "tool"}:
            merged[-1] = [
                role,
                *map("".join, zip(merged[-1][1:], shown[1:], strict=True)),
            ]
        else:
            merged.append(shown)
    return [(role, text, calls, results) for role, text, calls, results in merged]


def written(
    answer: Iterator[tuple[float | None, list[Part]]],
    settings: Settings,
    style: ApiStyle,
    request: Request,
) -> Iterator[bytes]:
    """Yield an answer as a stream of the API that was asked.

    Args:
        answer: The time and the parts of each event.
        settings: Splits.
        style: The API that was asked, with a dialect and a fault of it.
        request: What was asked: its query may skip events.
    """
    if settings.split is not None and not settings.split.is_recorded:
        answer = recut_parts(answer, settings.split)
    events, _ = style.write(parts for _, parts in answer)
    query = parse_qs(request.uri.partition("?")[2])
    if request.method == "GET" and "starting_after" in query:
        seen = int(query["starting_after"][0])
        events = (
            event
            for event in events
            if int(event.payload.get("sequence_number", seen + 1)) > seen
        )
    return style.encode(events)


def style_of(settings: Settings, api: str, request: Request) -> ApiStyle:
    """Return how an API is written: as set for it; Gemini's query chooses framing."""
    style = settings.style
    if style is None or style.api != api:
        style = ApiStyle(api)
    return replace(style, is_array=is_asked_as_array(request))


def is_asked_as_array(request: Request) -> bool:
    """Return whether a request asks for a stream as one JSON array: Gemini's can."""
    query = parse_qs(request.uri.partition("?")[2])
    return asked_api(request.uri) == "gemini" and "sse" not in query.get("alt", [])


def parts_of(exchange: Exchange) -> Iterator[tuple[float | None, list[Part]]]:
    """Yield the parts of a recorded answer, streamed or whole, with their times."""
    kind, _, api = classify(exchange)
    if kind is Kind.STREAM:
        for _, at, parts in StreamReader(exchange, None, api=api).parts():
            yield at, parts
    elif kind is Kind.WHOLE:
        document = parsed(exchange.response.body, strict=True)
        if document is not None:
            yield exchange.response.seconds, api_named(api).whole(document)


def response_id(exchange: Exchange) -> str:
    """Return the id of a recorded answer as Responses has it."""
    for _, parts in parts_of(exchange):
        for part in parts:
            if isinstance(part, Head) and part.id:
                return part.id
    return NO_ID


def has_error(parts: list[Part]) -> str:
    """Return the message of an error among parts; empty where there is none."""
    for part in parts:
        if isinstance(part, Problem) and part.kind == "error-event":
            return part.text
    return ""
