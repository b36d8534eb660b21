"""What came out of a replay: emissions with provenance, diagnostics, responses.

Owns the printed forms of a transcript: JSON lines, the SSE text a server would have
sent, a plain table, and the difference of two. It does no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.diagnostics import DiagnosticKind
from harness.core.fielded import FrozenFielded
from harness.engine.emission import (
    Emission,
    describe,
    emission_line,
    message_json,
    readable,
    sse_end,
    sse_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

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

    @property
    def nearest(self) -> int | None:
        """Number of the chunk that it is about, or that its excerpt is from."""
        if self.chunk is None and self.excerpt is not None:
            return self.excerpt.chunk
        return self.chunk

    def __str__(self) -> str:
        """Return the one line that the command line prints."""
        place = f"exchange {self.exchange}"
        if self.chunk is not None:
            place += f", chunk {self.chunk}"
        if self.byte_offset is not None:
            place += f", byte {self.byte_offset}"
        return f"{place}: {self.kind}: {self.text}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReplayedResponse(FrozenFielded):
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
    first_at: float | None = None
    """Seconds until the first text or call came; None without recorded timing."""
    asked: Callable[[], str] = field(default=str, compare=False, repr=False)
    """Reads the question in the request."""

    @property
    def question(self) -> str:
        """What the newest turn of the request asked; empty if it was not recorded."""
        return self.asked()


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
        """Return one line: what was replayed and its result."""
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
        return [readable(emission.to_dict()) for emission in self.emissions]

    def to_jsonl(self) -> str:
        """Return JSON lines: one object an emission, as `harness replay` prints them.

        Returns:
            Lines with `cassette`, `interface`, `exchange`, `chunk`, `at`, `message`,
            in this order; an empty string without emissions.
        """
        return "".join(
            f"{emission_line(self.cassette, self.interface, emission)}\n"
            for emission in self.emissions
        )

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
                *describe(emission.emitted),
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
