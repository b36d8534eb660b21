"""A recording restated in an API: its dialect, its faults, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from harness.apis.detect import API_NAMES, api_named
from harness.errors import UsageError, did_you_mean, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import WritingApi, WrittenEvent
    from harness.apis.dialects import Dialect
    from harness.apis.faults import Fault
    from harness.core.parts import Part


RESTATED = tuple(name for name in API_NAMES if name not in {"chat", "ollama"})
"""The APIs that have writers of their own; chat has `harness.apis.chat.dialects`, and
Ollama's is only read."""


@dataclass(frozen=True, slots=True)
class ApiStyle:
    """How an answer is written; made by `api_style`."""

    api: str
    """One of `RESTATED`."""
    dialect: str = ""
    """A dialect of that API; empty for the standard one."""
    fault: str = ""
    """A fault of that API; empty for none."""
    number: int | None = None
    """After how many events it goes wrong; None for the fault's own default."""
    is_array: bool = False
    """Whether it is one JSON array in any dialect, as Gemini's is without `alt=sse`."""

    @property
    def content_type(self) -> str:
        """The `content-type` of what `encode` yields."""
        return self._written.framing.content_type

    def __str__(self) -> str:
        """Return the command line options that ask for it."""
        options = [f"--api {self.api}"]
        if self.dialect:
            options.append(f"--dialect {self.dialect}")
        if self.fault:
            options.append(f"--fault {self.fault_text}")
        return " ".join(options)

    @property
    def fault_text(self) -> str:
        """The fault with its number, as an option takes it; empty for none."""
        return self.fault if self.number is None else f"{self.fault}:{self.number}"

    @property
    def broken(self) -> Fault | None:
        """The fault itself; None where nothing goes wrong."""
        return self._api.faults[self.fault] if self.fault else None

    @property
    def _written(self) -> Dialect:
        """The dialect itself, framed as it is asked for."""
        known = self._api.dialects
        dialect = known[self.dialect or next(iter(known))]
        if not self.is_array:
            return dialect
        return replace(dialect, framing=replace(dialect.framing, is_array=True))

    @property
    def _api(self) -> WritingApi:
        return cast("WritingApi", api_named(self.api))

    def write(
        self, answer: Iterable[list[Part]]
    ) -> tuple[Iterator[WrittenEvent], dict[str, int]]:
        """Write an answer.

        Args:
            answer: The parts of each event, in order.

        Returns:
            The events, lazily; and what was left out, complete when they are through.
        """
        dialect, broken = self._written, self.broken
        writer = dialect.writer()

        def written() -> Iterator[WrittenEvent]:
            for parts in answer:
                yield from writer.feed(parts)
            yield from writer.close()

        events = dialect.apply(written())
        if broken is not None:
            events = broken.apply(events, self.number)
        return events, writer.left_out

    def encode(self, events: Iterable[WrittenEvent]) -> Iterator[bytes]:
        """Yield the bytes of events, terminators and faults of bytes included."""
        broken = self.broken
        is_cut = broken is not None and broken.ends != "as usual"
        frames = self._written.frames(events, is_cut=is_cut)
        return frames if broken is None else broken.apply_bytes(frames, self.number)


def api_style(api: str, dialect: str = "", fault: str = "") -> ApiStyle:
    """Read what the command line takes.

    Args:
        api: One of `RESTATED`.
        dialect: A dialect of that API; empty for the standard one.
        fault: A fault of that API, ``NAME`` or ``NAME:K``; empty for none.

    Returns:
        The style.

    Raises:
        UsageError: A name is unknown; the message lists what there is.
    """
    if api not in RESTATED:
        raise UsageError(
            f"API {shorten(api)}: expected one of {', '.join(('chat', *RESTATED))}"
        )
    known = cast("WritingApi", api_named(api))
    if dialect and dialect not in known.dialects:
        raise UsageError(
            f"dialect {shorten(dialect)} of {api}: {_hint(dialect, known.dialects)}"
            f"expected one of {', '.join(known.dialects)}"
        )
    name, colon, text = fault.partition(":")
    if name and name not in known.faults:
        raise UsageError(
            f"fault {shorten(name)} of {api}: {_hint(name, known.faults)}expected one "
            f"of {', '.join(known.faults)}"
        )
    if colon and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f"fault {shorten(fault)}: expected a number after the colon")
    return ApiStyle(api, dialect, name, int(text) if colon else None)


def _hint(name: str, known: Iterable[str]) -> str:
    hint = did_you_mean(name, known)
    return f"{hint} " if hint else ""
