"""Ways for a stream to go wrong: values that print, parse back and compose.

A fault works on chunks or on the encoded bytes, and names what a documented consumer
may make of it. Positions are given, so a fault does the same on every machine; a
position beyond the end of the stream does nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from harness.apis.chat.breaking import BYTE_CHANGES, CHANGES
from harness.apis.faults import Fault as FaultKind
from harness.apis.faults import read_faults
from harness.errors import UsageError, did_you_mean, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.chat.chunks import Chunk
    from harness.apis.faults import Leaves

_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class FaultPart:
    """A kind of fault at its position."""

    name: str
    """The kind's name."""
    number: int | None
    """Its position or count; None for a kind that takes none."""
    kind: FaultKind = field(compare=False, repr=False)
    """What it does."""

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}:{self.number}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A way for a stream to go wrong; `str()` of it parses back.

    Made by `parse_fault`. Its chunk faults come before its byte faults, whatever the
    order they were given in, because bytes are made of chunks.
    """

    parts: tuple[FaultPart, ...]
    """What was joined by ``+``, in that order; at least one."""

    def __str__(self) -> str:
        return "+".join(map(str, self.parts))

    @property
    def ends_early(self) -> bool:
        """Whether the stream breaks off, so that no `[DONE]` follows."""
        return any(part.kind.ends != "as usual" for part in self.parts)

    @property
    def leaves(self) -> Leaves:
        """What the answer may be (`harness.apis.faults.Fault`), all of it together."""
        found = {part.kind.leaves for part in self.parts}
        if "anything" in found:
            return "anything"
        return "prefix" if "prefix" in found else "same"

    @property
    def allows(self) -> str:
        """What a documented consumer may do with it, a sentence a part."""
        return " ".join(dict.fromkeys(part.kind.allows for part in self.parts))

    def apply(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Do its chunk faults to a stream; payloads are not changed, but replaced.

        Args:
            chunks: The stream.

        Returns:
            The broken stream, lazily. Faults of bytes are left out (`apply_bytes`).
        """
        stream = iter(chunks)
        for part in self.parts:
            if part.kind.change is not None:
                changed = part.kind.change(stream, part.number or 0)
                stream = cast("Iterator[Chunk]", changed)
        return stream

    def apply_bytes(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Do its byte faults to an encoded event stream.

        Args:
            pieces: The bytes, cut anyhow; a fault of one event needs it whole and
                passes events on one a piece.

        Returns:
            The broken bytes, lazily. Faults of chunks are left out (`apply`).
        """
        stream = iter(pieces)
        for part in self.parts:
            stream = part.kind.apply_bytes(stream, part.number)
        return stream


def parse_fault(text: str) -> Fault:
    """Read a fault as the command line takes it.

    Args:
        text: A name of `FAULTS`, with ``:K`` where it takes a number (without it, its
            default), or several joined by ``+``. Blanks around it are ignored.

    Returns:
        The fault.

    Raises:
        UsageError: A name is unknown, or its number is none or not wanted; the
            message lists what there is.
    """
    return Fault(tuple(_parse_part(part, text) for part in text.strip().split("+")))


def _parse_part(part: str, text: str) -> FaultPart:
    name, colon, tail = part.partition(":")
    kind = FAULTS.get(name)
    if kind is not None:
        if not colon:
            return FaultPart(name, kind.default, kind)
        if kind.default is not None and _NUMBER.fullmatch(tail):
            return FaultPart(name, int(tail), kind)
    forms = [
        kind.name if kind.default is None else f"{kind.name}:K"
        for kind in FAULTS.values()
    ]
    hint = did_you_mean(name, FAULTS) if kind is None else ""
    raise UsageError(
        f"fault {shorten(text)}: {hint and f'{hint} '}expected one of "
        f"{', '.join(forms)} (K a number from 0), or several joined by +; got "
        f"{shorten(part)}"
    )


FAULTS = read_faults(
    "chat", lambda name: {"change": CHANGES.get(name), "data": BYTE_CHANGES.get(name)}
)
"""Every kind of fault, in the order of a help text."""
