"""How one server sends what the API's own sends otherwise, as a value.

A dialect writes (`writer`), edits what was written (`edit`) and frames it (`framing`).
It names the rules of its API that it breaks, and breaks no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.apis.detect import api_named
from harness.apis.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from harness.apis.base import Writer, WrittenEvent
    from harness.apis.edits import Change
    from harness.apis.framing import Framing


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server sends a response; it pickles by its name, and compares."""

    api: str
    """The API that it is one of."""
    name: str
    """As an option takes it."""
    summary: str
    """One line for a help text."""
    source: str
    """The recordings or the thread that show it."""
    writer: Callable[[], Writer] = field(repr=False, compare=False)
    """Returns a writer for one response."""
    framing: Framing
    """How its events become bytes."""
    edit: Change | None = field(default=None, repr=False, compare=False)
    """What it does to the events of the writer; None for nothing."""
    breaks: frozenset[str] = frozenset()
    """The rules that it breaks, without the name of the API, in a stream that has what
    they are about."""
    cannot: str = ""
    """What it cannot carry; empty if all that the API can."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.api, self.name)

    def apply(self, events: Iterable[WrittenEvent]) -> Iterator[WrittenEvent]:
        """Edit what its writer has written, lazily."""
        return iter(events) if self.edit is None else self.edit(events)

    def frames(
        self, events: Iterable[WrittenEvent], *, is_cut: bool
    ) -> Iterator[bytes]:
        """Yield the bytes of edited events, without `[DONE]` if the stream is cut."""
        framing = replace(self.framing, has_done=False) if is_cut else self.framing
        return framing.encode(events)

    def encode(self, events: Iterable[WrittenEvent]) -> Iterator[bytes]:
        """Edit and frame what its writer has written, an event a piece."""
        return self.framing.encode(self.apply(events))


def _named(api: str, name: str) -> Dialect:
    dialect: Dialect = api_named(api).dialects[name]  # type: ignore[attr-defined]
    return dialect


def read_dialects(
    api: str, rest: Callable[[str, Mapping[str, str]], dict[str, Any]]
) -> dict[str, Dialect]:
    """Read the dialects of an API (`harness.apis.tables`), the standard one first.

    Args:
        api: The API that they are of.
        rest: Returns the fields of a dialect that no table can hold, given its name
            and its cells.

    Returns:
        The dialects by their names.
    """
    return {
        name: Dialect(
            api,
            name,
            summary,
            cells["source"],
            breaks=frozenset(cells.get("breaks", "").split()),
            cannot=cells.get("cannot", ""),
            **rest(name, cells),
        )
        for name, summary, cells in read_table(api, "dialects")
    }
