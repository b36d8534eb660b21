"""One other way in which a recorded stream could have arrived.

A `Variation` is a dialect, then a split, then a fault: the order in which a provider
writes it, a network cuts it and something breaks it. It is a value: it prints, compares
and is all that is needed to make the same stream again.

What a variation is made of is imported where it is asked for: the modules of the
dialects, splits and faults take 25 ms of a start, and most replays vary nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, cast, overload

from harness.core.fielded import FrozenFielded
from harness.errors import UsageError, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from harness.apis.base import WritingApi
    from harness.apis.chat.chunks import Chunk
    from harness.apis.chat.dialects.registry import Dialect, DialectPart
    from harness.apis.chat.faults import Fault
    from harness.apis.faults import Fault as FaultKind
    from harness.apis.style import ApiStyle
    from harness.core.parts import Part
    from harness.core.splits import Split


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Variation(FrozenFielded):
    """How a stream is written, cut and broken; nothing set leaves it as recorded."""

    split: Split | None = None
    """How its text is cut; None leaves the recorded chunks."""
    dialect: Dialect | None = None
    """Whose habits it has; None leaves the recorded provider's."""
    fault: Fault | None = None
    """How it goes wrong; None leaves it whole."""
    style: ApiStyle | None = None
    """The API that it is restated in, with a dialect and a fault of that API, in place
    of those above; None leaves the recorded one (as chat chunks where it is cut)."""

    def __str__(self) -> str:
        """Return the command line options that ask for it; empty for none."""
        asked = {"dialect": self.dialect, "split": self.split, "fault": self.fault}
        options = [f"--{name} {value}" for name, value in asked.items() if value]
        return " ".join([*([str(self.style)] if self.style else []), *options])

    @property
    def is_recorded(self) -> bool:
        """Whether it leaves the stream as it was recorded."""
        is_restated = self.dialect or self.fault or self.style
        return is_restated is None and not self._cuts

    def without_fault(self) -> Variation:
        """Return the same with nothing going wrong."""
        style = self.style and replace(self.style, fault="", number=None)
        return replace(self, fault=None, style=style)

    @property
    def fault_text(self) -> str:
        """The fault as an option takes it; empty for none."""
        return str(self.fault or (self.style.fault_text if self.style else ""))

    @property
    def _cuts(self) -> bool:
        return self.split is not None and not self.split.is_recorded

    def apply(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Vary a stream of chunks, lazily; faults of bytes are left out.

        Args:
            chunks: The stream; its payloads are not changed.

        Returns:
            The varied stream; each chunk has the number and time of its source.
        """
        stream = iter(chunks)
        if self.dialect is not None:
            stream = self.dialect.apply(stream)
        if self.split is not None and self._cuts:
            from harness.apis.chat.cutting import cut_chunks

            stream = cut_chunks(self.split, stream)
        if self.fault is not None:
            stream = self.fault.apply(stream)
        return stream

    def restate(
        self, answer: Iterable[tuple[float | None, list[Part]]]
    ) -> tuple[Iterator[bytes], dict[str, int]]:
        """Write an answer in the API of `style`, cut by the split.

        Args:
            answer: The time and the parts of each event, in order.

        Returns:
            The bytes, an event a piece, lazily; and what the API cannot carry, with how
            often it came, complete when the bytes are through.
        """
        from harness.core.part_cuts import recut_parts

        assert self.style is not None
        if self.split is not None and self._cuts:
            answer = recut_parts(answer, self.split)
        events, left_out = self.style.write(parts for _, parts in answer)
        return self.style.encode(events), left_out

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[bytes]:
        """Vary a stream and write it as event stream text, byte faults included.

        Args:
            chunks: The stream; its payloads are not changed.

        Returns:
            The bytes, an event or less a piece, `[DONE]` last unless the stream
            breaks off.
        """
        from harness.apis.framing import Framing

        framing = self.dialect.framing if self.dialect is not None else Framing()
        if self.fault is None:
            return framing.encode(self.apply(chunks))
        if self.fault.ends_early:
            framing = replace(framing, has_done=False)
        return self.fault.apply_bytes(framing.encode(self.apply(chunks)))


def vary(
    split: Split | str | int | None = None,
    dialect: Dialect | str | None = None,
    fault: Fault | str | None = None,
    api: str | None = None,
) -> Variation:
    """Make a variation from values or from what the command line takes.

    Args:
        split: A split, or as `parse_split` takes it.
        dialect: A dialect, or as `parse_dialect` takes it.
        fault: A fault, or as `parse_fault` takes it.
        api: The API to restate it in: then `dialect` and `fault` are names of that
            API's; None, or `chat`, restates it as chat chunks.

    Returns:
        The variation.

    Raises:
        UsageError: A name is wrong; the message names what there is.
    """
    if isinstance(split, str | int):
        from harness.core.splits import parse_split

        split = parse_split(str(split))
    for name, value, method in (
        ("split", split, "is_recorded"),
        ("dialect", dialect, "apply"),
        ("fault", fault, "apply"),
    ):
        if not (value is None or isinstance(value, str) or hasattr(value, method)):
            raise UsageError(
                f"{name}: expected a name as the command line takes it, got "
                f"{shorten(value)}"
            )
    try:
        return _varied(split, dialect, fault, api)
    except UsageError as error:
        owner = _owner(api, dialect, dialects_of) or _owner(api, fault, faults_of)
        raise UsageError(f"{error}{owner}") from None


def _varied(
    split: Split | None,
    dialect: Dialect | str | None,
    fault: Fault | str | None,
    api: str | None,
) -> Variation:
    if api is not None and api != "chat":
        from harness.apis.style import api_style

        style = api_style(api, str(dialect or ""), str(fault or ""))
        return Variation(split, style=style)
    if isinstance(dialect, str):
        from harness.apis.chat.dialects.registry import parse_dialect

        dialect = parse_dialect(dialect)
    if isinstance(fault, str):
        from harness.apis.chat.faults import parse_fault

        fault = parse_fault(fault)
    return Variation(split, dialect, fault)


def _owner(
    api: str | None, asked: object, known: Callable[[str | None], Mapping[str, Named]]
) -> str:
    """Return whose a name is that this API does not have; empty if nobody's."""
    from harness.apis.requests import PATHS

    if api is not None and api not in PATHS:
        return ""
    for part in str(asked or "").split("+"):
        name = part.partition(":")[0].strip()
        owners = [other for other in PATHS if name in known(other)]
        if owners and name not in known(api):
            return f"; {name} belongs to {' and '.join(owners)}: name that API, too"
    return ""


class Named(Protocol):
    """A dialect or a fault, as lists and help texts show it."""

    @property
    def name(self) -> str:
        """As an option takes it."""

    @property
    def summary(self) -> str:
        """One line."""


@overload
def dialects_of(api: Literal["chat"]) -> Mapping[str, DialectPart]: ...
@overload
def dialects_of(api: str | None) -> Mapping[str, Named]: ...
def dialects_of(api: str | None) -> Mapping[str, Named]:
    """Return the dialects that `vary` takes for an API, by name; None is `chat`."""
    if api is None or api == "chat":
        from harness.apis.chat.dialects.registry import DIALECTS

        return DIALECTS
    return _writing(api).dialects


def faults_of(api: str | None) -> Mapping[str, FaultKind]:
    """Return the faults that `vary` takes for an API, by name; None is `chat`."""
    if api is None or api == "chat":
        from harness.apis.chat.faults import FAULTS

        return FAULTS
    return _writing(api).faults


def _writing(api: str) -> WritingApi:
    from harness.apis.detect import api_named

    return cast("WritingApi", api_named(api))
