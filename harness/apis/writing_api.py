"""What the APIs that answers are written in do alike; see `harness.apis.base`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.apis.base import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.apis.base import Writer, WrittenEvent
    from harness.apis.faults import Fault

__all__ = ["AnyDialect", "Written"]


class AnyDialect(Named, Protocol):
    """How one server sends a stream: a value that pickles and compares."""

    def writer(self) -> Writer:
        """Return a writer for one response."""

    def apply(self, events: Iterator[WrittenEvent]) -> Iterator[WrittenEvent]:
        """Give written events what the writer does not."""

    def frames(
        self, events: Iterable[WrittenEvent], *, is_cut: bool
    ) -> Iterator[bytes]:
        """Yield the bytes of events; of a stream that is cut without a terminator."""


class Written:
    """The writing half of an API: its dialects and faults, put to work."""

    dialects: Mapping[str, AnyDialect]
    faults: Mapping[str, Fault]

    def writer(self, dialect: str) -> Writer:
        """Return a writer for one response; an empty name is the standard dialect."""
        return self._named(dialect).writer()

    def changed(
        self,
        events: Iterator[WrittenEvent],
        dialect: str,
        fault: str,
        number: int | None,
    ) -> Iterator[WrittenEvent]:
        """Give written events what of a dialect the writer does not, then the fault."""
        events = self._named(dialect).apply(events)
        return self.faults[fault].apply(events, number) if fault else events

    def encode(
        self,
        events: Iterable[WrittenEvent],
        dialect: str,
        fault: str,
        number: int | None,
    ) -> Iterator[bytes]:
        """Yield the bytes of events, terminators and faults of bytes included."""
        broken = self.faults[fault] if fault else None
        is_cut = broken is not None and broken.ends != "as usual"
        frames = self._named(dialect).frames(events, is_cut=is_cut)
        return frames if broken is None else broken.apply_bytes(frames, number)

    def _named(self, dialect: str) -> AnyDialect:
        return self.dialects[dialect or next(iter(self.dialects))]
