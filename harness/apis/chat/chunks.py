"""Event payload to chunk: lenient about providers' quirks, exact about content.

Owns what a chunk is. Inside harness a chunk is its parsed JSON object (a plain
dict, as the provider sent it), carried in a `Chunk` with its number and its time:
a pydantic model of every chunk would cost three times as much as parsing it, and
keeping many alive slows the garbage collector (`harness docs benchmarks`). What a
user's interface is handed is a model of it: `harness.apis.chat.models`.

What a delta carries is read in `harness.apis.chat.deltas`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import as_json, with_details
from harness.core.fielded import Fielded
from harness.errors import ChunkError, shorten

if TYPE_CHECKING:
    from harness.core.parts import Part

DONE = "[DONE]"
"""The data of the event that ends a stream (OpenAI API reference, streaming)."""

TOO_DEEP = "an error object that is nested too deeply"
"""What is shown of an error that cannot be written."""

Payload = dict[str, Any]
"""The JSON object of one chunk, as sent."""


@dataclass(slots=True, eq=False, repr=False)
class Chunk(Fielded):
    """One `chat.completion.chunk` of a stream, payload included: read-only."""

    index: int
    """Number of the event in its stream, from 0, `[DONE]` not counted."""
    at: float | None
    """Seconds from the request to its last byte; None without recorded timing."""
    payload: Payload
    """The parsed object."""
    parts: list[Part] | None = None
    """What was read of it, where that is known before it is accumulated: a chunk that
    restates another API's event."""

    @property
    def created(self) -> Any:
        """When the response began, as sent: Unix seconds, or anything else."""
        return self.payload.get("created")


_scan = json.JSONDecoder(strict=False).scan_once  # type: ignore[attr-defined]  # not in typeshed


def parse_json(data: str | bytes) -> Any:
    """Parse a JSON value, by pydantic's parser where that is loaded.

    To load it takes a third of a start, and it is twice as fast as Python's. What one
    of them refuses `json.loads` reads or refuses, so both lead to the same.

    Args:
        data: Its text. Bytes are taken as UTF-8, with U+FFFD for what is none.

    Returns:
        The value. Lone surrogates written as escapes stay in the text: a provider that
        cuts between UTF-16 units sends the halves in two chunks.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.

    Source: RFC 8259; that escaped surrogates may be cut is ours.
    """
    fast = getattr(sys.modules.get("pydantic_core"), "from_json", None)
    try:
        if fast is not None:
            # To cache values too takes a quarter longer: texts do not come again.
            return fast(data, cache_strings="keys")
        text = data if isinstance(data, str) else data.decode()
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (ValueError, TypeError, StopIteration, RecursionError):
        pass  # lone surrogates (those in a `str` with a TypeError), bad UTF-8, blanks
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    return json.loads(text, strict=False)


def parse_payload(data: str | bytes) -> Payload:
    """Parse the data of one event.

    Args:
        data: As for `parse_json`; not `[DONE]`.

    Returns:
        The JSON object.

    Raises:
        ChunkError: It is no JSON, or JSON but no object.
    """
    try:
        payload = parse_json(data)
    except ValueError as error:
        problem = f"no JSON ({error})"
    except RecursionError:
        problem = "nested too deeply"
    else:
        if type(payload) is dict:
            return payload
        problem = "JSON, but no object"
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    at = text.find("data: {", 1)
    if at > 0 and problem.startswith("no JSON"):  # Zhipu's GLM: GLM-5#66
        problem = (
            "no JSON: it breaks off, and another event begins in it at character "
            f"{at}: {shorten(text[at:])}"
        )
    raise ChunkError(problem, payload=text)


def has_choices(payload: Payload) -> bool:
    """Return whether an event carries choices, an error beside them or not."""
    return bool(payload.get("choices"))


def payload_error(payload: Payload) -> str | None:
    """Return the message of an error that a provider sent in the middle of a stream.

    Args:
        payload: A parsed chunk.

    Returns:
        The message (the error object as JSON where it has none), or None when
        the payload is no error.

    Source: OpenAI and OpenRouter send ``{"error": {...}}`` in a 200 response;
    some providers send ``{"error": "text"}`` or ``{"object": "error", ...}``; DashScope
    and Cerebras send code and message alone, MiniMax a `base_resp` (lobehub#4054: with
    status 0 its message is no error), Groq an error in `x_groq`.
    """
    error = payload.get("error")
    message = payload.get("message")
    if error:
        if error is True and isinstance(message, str):
            return message
        return _text_of(error)
    if payload.get("object") == "error":
        return message if isinstance(message, str) else as_json(payload, TOO_DEEP)
    if "code" in payload and "choices" not in payload and isinstance(message, str):
        return message
    for field, failed in (("base_resp", "status_code"), ("x_groq", "error")):
        held = payload.get(field)
        if type(held) is dict and held.get(failed):
            return payload_error({"error": held.get("status_msg") or held[failed]})
    return None


def _text_of(error: object) -> str:
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return with_details(error["message"], error)
    return error if isinstance(error, str) else as_json(error, TOO_DEEP)


def payload_of(chunk: Any) -> Payload:
    """Return the plain dict of a chunk in whatever form a caller has it.

    Args:
        chunk: A dict, a pydantic model (ours or the OpenAI SDK's), or a `Chunk`.

    Returns:
        The payload; fields that were never set are absent.

    Raises:
        TypeError: It is none of these.
    """
    if type(chunk) is dict:
        return chunk
    if isinstance(chunk, Chunk):
        return chunk.payload
    from pydantic import BaseModel  # not at the top: only a user's chunk needs it

    if isinstance(chunk, BaseModel):
        # A value of another type than declared is what was sent: no warning.
        return chunk.model_dump(exclude_unset=True, warnings=False)
    if isinstance(chunk, dict):
        return dict(chunk)
    raise TypeError(
        f"a chunk is a dict or a pydantic model, got {type(chunk).__name__}"
    )


def tool_call(call_id: object, name: object, arguments: str) -> Payload:
    """Return a call as messages and whole answers of chat carry it."""
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}
