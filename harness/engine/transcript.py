"""What came out of a replay: emissions with provenance, diagnostics, responses.

Owns the printed forms of a transcript: JSON lines, the SSE text a server would have
sent, a plain table, and the difference of two. It does no I/O.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from harness.agents.letta.messages import (
    MessageStreamStatus,
    StreamedMessage,
    render_json,
    render_sse,
)
from harness.core.diagnostics import DiagnosticKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.accumulate import AccumulatedMessage
    from harness.core.parts import ToolCall
    from harness.engine.excerpt import Excerpt

__all__ = [
    "Diagnostic",
    "DiagnosticKind",
    "Emission",
    "ReplayedResponse",
    "Transcript",
    "describe",
    "emission_line",
    "message_json",
    "sse_end",
    "sse_text",
]

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(slots=True)
class Emission:
    """One message that an interface emitted, with what caused it."""

    exchange: int
    """Number of the exchange in the cassette, from 0."""
    chunk: int | None
    """Number of the chunk in its stream; None for what the step loop caused."""
    at: float | None
    """Seconds from the request to that chunk; None without recorded timing."""
    message: Any
    """A message model, a `MessageStreamStatus`, a queue's dict, or whatever a user's
    interface emitted."""

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form, without cassette and interface."""
        return {
            "exchange": self.exchange,
            "chunk": self.chunk,
            "at": self.at,
            "message": json.loads(message_json(self.message)),
        }


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something about a recording that a reader of its transcript should know."""

    kind: DiagnosticKind
    exchange: int
    """Number of the exchange in the cassette, from 0."""
    text: str
    """One line: what happened, expected, got."""
    chunk: int | None = None
    """Number of the chunk it was found at; None where it is about the whole."""
    byte_offset: int | None = None
    """Where the event starts in the response body; None where it is no event."""
    char_offset: int | None = None
    """Where in the call's arguments, in code points; None for other kinds."""
    excerpt: Excerpt | None = field(default=None, compare=False, repr=False)
    """The text around the place; None where it is about no text."""
    because: str = field(default="", compare=False, repr=False)
    """A key of `harness.debug.causes.KNOWN` where the cause is known; else empty."""

    def __str__(self) -> str:
        """Return the one line that the command line prints."""
        place = f"exchange {self.exchange}"
        if self.chunk is not None:
            place += f", chunk {self.chunk}"
        if self.byte_offset is not None:
            place += f", byte {self.byte_offset}"
        return f"{place}: {self.kind}: {self.text}"


@dataclass(frozen=True, slots=True)
class ReplayedResponse:
    """The accumulated answer of one exchange, what no interface is given included."""

    exchange: int
    chunks: int
    """How many events were read as chunks or failed to be."""
    choices: dict[int, AccumulatedMessage]
    """Every choice that came, by index; reasoning and refusals are in here."""
    model: str
    usage: dict[str, Any] | None
    tokens: tuple[int, int] | None = None
    """Of request and answer; None where none were counted."""
    question: str = ""
    """What the newest turn of the request asked; empty where it was not recorded."""
    first_at: float | None = None
    """Seconds until the first text or call came; None without recorded timing."""


@dataclass(repr=False)
class Transcript:
    """All emissions of one replay, in order. Equal when its emissions are."""

    cassette: str
    """The cassette's path as the caller named it."""
    interface: str
    """`streaming`, `queuing` or the name of a user's interface."""
    emissions: list[Emission] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list, compare=False)
    responses: list[ReplayedResponse] = field(default_factory=list, compare=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transcript):
            return NotImplemented
        return self.to_lines() == other.to_lines()

    __hash__ = None  # type: ignore[assignment]  # mutable: a list of emissions

    @property
    def messages(self) -> list[Any]:
        """The emitted messages alone, in order."""
        return [emission.message for emission in self.emissions]

    @property
    def text(self) -> str:
        """The visible text of all answers, choice 0 of each, a line end between."""
        texts = [r.choices[0].content for r in self.responses if 0 in r.choices]
        return "\n".join(filter(None, texts))

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls of all answers, choice 0 of each, in order."""
        return [
            call
            for r in self.responses
            if 0 in r.choices
            for call in r.choices[0].calls
        ]

    def show(self, *, width: int | None = None) -> None:
        """Print the default view, as `harness replay` does on a terminal.

        Args:
            width: Columns to use; None asks the terminal.
        """
        from harness.engine.default_view import view

        print(view(self, width=width))  # noqa: T201 - it is asked to print

    def __repr__(self) -> str:
        """Return one line: what was replayed and what came of it."""
        from harness.engine.default_view import counts

        return f"<Transcript {self.cassette} {self.interface}: {counts(self)}>"

    def _repr_html_(self) -> str:
        """Return the default view for a notebook."""
        import html

        from harness.engine.default_view import view

        return f"<pre>{html.escape(view(self, width=100))}</pre>"

    def __rich__(self) -> object:
        """Return the default view for rich."""
        from rich.text import Text

        from harness.engine.default_view import view

        return Text(view(self))

    def to_lines(self) -> list[str]:
        """Return one readable line an emission, without paths: what is compared."""
        return [_readable(emission.to_dict()) for emission in self.emissions]

    def to_jsonl(self) -> str:
        """Return JSON lines: one object an emission, as `harness replay` prints them.

        Returns:
            Lines with `cassette`, `interface`, `exchange`, `chunk`, `at`, `message`,
            in this order; an empty string without emissions.
        """
        return "".join(f"{line}\n" for line in self._json_lines())

    def _json_lines(self) -> Iterator[str]:
        for emission in self.emissions:
            yield emission_line(self.cassette, self.interface, emission)

    def to_sse(self) -> str:
        """Return the event stream that a server of this interface would have sent.

        Returns:
            ``data: <compact JSON or status>`` and a blank line each, ``data: [DONE]``
            last.
        """
        events = [sse_text(emission) for emission in self.emissions]
        return "".join([*events, sse_end()])

    def __str__(self) -> str:
        """Return a plain table: exchange, chunk, time, what was emitted."""
        rows = [
            (
                str(emission.exchange),
                "-" if emission.chunk is None else str(emission.chunk),
                "-" if emission.at is None else f"{emission.at:.3f}",
                *describe(emission.message),
            )
            for emission in self.emissions
        ]
        head = ("exchange", "chunk", "at", "message", "content")
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(4)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) for cell, width in zip(row, widths, strict=False)
            )
            + f"  {row[4]}"
            for row in [head, *rows]
        )

    def difference(self, other: Transcript) -> str:
        """Return a readable difference, first difference first.

        Args:
            other: The transcript to compare with; called "got" in the text.

        Returns:
            A unified diff of the emissions, one a line; empty if they are equal.
        """
        mine, theirs = self.to_lines(), other.to_lines()
        if mine == theirs:
            return ""
        from difflib import unified_diff  # only where two are compared

        return "\n".join(
            unified_diff(
                mine,
                theirs,
                f"expected ({self.interface}, {self.cassette})",
                f"got ({other.interface}, {other.cassette})",
                lineterm="",
                n=2,
            )
        )


def message_json(message: object) -> str:
    """Return any emitted message as compact ASCII JSON.

    Args:
        message: One of ours, or whatever a user's interface emitted: dataclasses and
            plain objects are taken by their fields, sets are sorted, and what JSON has
            no form for is its `str`.

    Returns:
        One line; never an address in memory, which no two runs share.
    """
    if isinstance(message, (StreamedMessage, str)):
        return render_json(message)
    try:
        return _encode(message)
    except (TypeError, ValueError, RecursionError):  # odd keys, or a circle
        return json.dumps(repr(message))


def _plain(value: object) -> object:
    """Return the next best thing that JSON has a form for."""
    if isinstance(value, BaseModel):
        try:
            return value.model_dump(mode="json", warnings=False)
        except ValueError:  # half a surrogate pair
            return value.model_dump(warnings=False)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, set | frozenset):
        return [json.loads(text) for text in sorted(map(_encode, value))]
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.isoformat()
    kind = type(value)
    if kind.__str__ is not object.__str__ or kind.__repr__ is not object.__repr__:
        return str(value)
    return dict(vars(value)) if hasattr(value, "__dict__") else kind.__qualname__


_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


def _readable(value: object) -> str:
    """Return JSON that a person reads and any terminal or file takes."""
    text = json.dumps(value, ensure_ascii=False)
    # Half a surrogate pair, which UTF-8 cannot carry, stays the escape that it was.
    return text.encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=8)  # the same two names on every line: 1.5 of 7 us
def _quoted(text: str) -> str:
    return json.dumps(text)


def emission_line(cassette: str, interface: str, emission: Emission) -> str:
    """Return the stable JSON line of one emission, without a line end."""
    at = "null" if emission.at is None else json.dumps(emission.at)
    chunk = "null" if emission.chunk is None else str(emission.chunk)
    return (
        f'{{"cassette":{_quoted(cassette)},"interface":{_quoted(interface)},'
        f'"exchange":{emission.exchange},"chunk":{chunk},"at":{at},'
        f'"message":{message_json(emission.message)}}}'
    )


def sse_text(emission: Emission) -> str:
    """Return the event that a server would have sent for one emission."""
    message = emission.message
    if isinstance(message, str):
        lines = _LINE_END.split(message)  # a line each, or the rest would be lost
        return "".join(f"data: {line}\n" for line in lines) + "\n"
    return f"data: {message_json(message)}\n\n"


def sse_end() -> str:
    """Return the event that ends a transcript's event stream."""
    return render_sse(MessageStreamStatus.done)


def describe(message: object) -> tuple[str, str]:
    """Return what kind of message it is and its content, for a table row.

    Args:
        message: Anything an interface emitted.

    Returns:
        A short kind (`assistant_message`, `function_call`, `status`, ...) and the
        content: text as a JSON string, so that every character shows; the fields of
        a call; or the whole as compact JSON.
    """
    if isinstance(message, MessageStreamStatus):
        return "status", message.value
    data = json.loads(message_json(message))
    if not isinstance(data, dict):
        return type(message).__name__, _readable(data)
    named = data.get("message_type")
    kind = named if isinstance(named, str) else ""
    for name in ("internal_monologue", "assistant_message", "function_return"):
        if name in data:
            status = f" ({data['status']})" if "status" in data else ""
            return kind or name, _readable(data[name]) + status
    if "function_call" in data:
        call = data["function_call"]
        if isinstance(call, dict):
            call = {key: value for key, value in call.items() if value is not None}
        return kind or "function_call", _readable(call)
    if "choices" in data:
        return "chat.completion.chunk", _readable(data["choices"])
    return kind or type(message).__name__, _readable(data)
