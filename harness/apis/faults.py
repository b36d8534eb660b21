"""A way for a stream of an API to go wrong, as a value: it pickles and compares.

It names the rules that it breaks and what a reader, or who parses the arguments of
calls, reports of it. K is after how many events it happens; a K behind the end does
nothing, and so does a fault of what the stream has not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from harness.apis.tables import read_table
from harness.apis.varied import faults_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.base import Payload, WrittenEvent
    from harness.apis.edits import Change


Leaves: TypeAlias = Literal["same", "prefix", "anything"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong; it pickles by its name, and compares."""

    api: str
    """The API whose streams it breaks."""
    name: str
    """As an option takes it, without its number."""
    summary: str
    """One line for a help text; K is the number."""
    change: Change | None = field(repr=False, compare=False, default=None)
    """What it makes of a stream, given its number; None for a fault of bytes."""
    leaves: Leaves = "anything"
    """What the answer may be, against that without the fault: the same; for each
    text and each call a beginning of it; or anything but an undocumented exception."""
    allows: str = ""
    """What a documented consumer may do with it; empty where nothing is stated."""
    breaks: tuple[str, ...] = ()
    """The rules that it breaks, without the name of the API."""
    reported: str = ""
    """The kind of diagnostic that is reported; empty if none is."""
    default: int | None = None
    """The number where none is given; None if it takes no number."""
    source: str = ""
    """Where it was seen, where it was."""
    ends: Literal["as usual", "early", "never"] = "as usual"
    """Whether nothing comes after it, no terminator either, and whether the connection
    stays open all the same."""
    data: Callable[[Iterable[bytes], int], Iterator[bytes]] | None = field(
        repr=False, compare=False, default=None
    )
    """What it makes of the bytes of each event; None for a fault of events."""
    finish: str = ""
    """The finish reason that it ends with; empty if it changes none."""
    dialect: str = ""
    """The dialect that it needs; empty where any will do."""
    status: int = 200
    """The status of the response; another than 200 comes with `body`."""
    body: Payload | None = field(compare=False, default=None)
    """What is sent instead of a stream; None where a stream is."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.api, self.name)

    @property
    def level(self) -> Literal["chunks", "bytes"]:
        """What it works on."""
        return "bytes" if self.change is None else "chunks"

    @property
    def is_silent(self) -> bool:
        """Whether the connection stays open, without a byte, where it breaks off."""
        return self.ends == "never"

    def apply(
        self, events: Iterable[WrittenEvent], number: int | None = None
    ) -> Iterator[WrittenEvent]:
        """Break a stream, lazily.

        Args:
            events: As a writer returned them; payloads are replaced, never changed.
            number: After how many events; None for `default`.

        Returns:
            The broken stream; the same where it is a fault of bytes.
        """
        if self.change is None:
            return iter(events)
        return self.change(iter(events), self._at(number))

    def apply_bytes(
        self, frames: Iterable[bytes], number: int | None = None
    ) -> Iterator[bytes]:
        """Break the bytes of each event; the same where it is a fault of events."""
        if self.data is None:
            return iter(frames)
        return self.data(frames, self._at(number))

    def _at(self, number: int | None) -> int:
        return (self.default or 0) if number is None else number


def _named(api: str, name: str) -> Fault:
    return faults_of(api)[name]


def read_faults(api: str, rest: Callable[[str], dict[str, Any]]) -> dict[str, Fault]:
    """Read the faults of an API (`harness.apis.tables`).

    Args:
        api: The API that they are of.
        rest: Returns the fields of a fault that no table can hold, given its name.

    Returns:
        The faults by their names.
    """
    faults: dict[str, Fault] = {}
    for name, summary, cells in read_table(api, "faults"):
        fields: dict[str, Any] = cells | rest(name)
        fields["breaks"] = tuple(cells.get("breaks", "").split())
        for number in cells.keys() & {"default", "status"}:
            fields[number] = int(cells[number])
        faults[name] = Fault(api, name, summary, **fields)
    return faults
