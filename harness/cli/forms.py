"""How `harness replay` prints emissions as they come: a table, JSON lines, events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.console import write
from harness.cli.output import out

if TYPE_CHECKING:
    from harness.engine.emission import Emission

__all__ = ["WRITERS"]


class Table:
    """Rows as they come: no width depends on what follows, so a stream can flow."""

    def start(self, cassette: str, interface: str) -> None:
        write(f"{cassette} ({interface})", bold=True)
        write(f"{'exch':>4} {'chunk':>6} {'at':>8}  {'message':<19} content")

    def emission(self, emission: Emission) -> None:
        from harness.engine.emission import describe

        kind, content = describe(emission.emitted)
        chunk = "-" if emission.chunk is None else emission.chunk
        at = "-" if emission.at is None else f"{emission.at:.3f}"
        place = f"{emission.exchange:>4} {chunk:>6} {at:>8}"
        write(f"{place}  {kind:<19} {content}")

    def end(self) -> None:
        """Nothing follows a table."""


class JsonLines:
    """One object an emission, documented and stable."""

    def __init__(self) -> None:
        from harness.engine.emission import emission_line

        self._line = emission_line
        self._cassette = self._interface = ""

    def start(self, cassette: str, interface: str) -> None:
        self._cassette, self._interface = cassette, interface

    def emission(self, emission: Emission) -> None:
        out().write(self._line(self._cassette, self._interface, emission) + "\n")

    def end(self) -> None:
        """Nothing follows JSON lines."""


class EventStream:
    """The text a server of the interface would have sent, one stream a replay."""

    def __init__(self) -> None:
        self._is_open = False

    def start(self, cassette: str, interface: str) -> None:  # noqa: ARG002 - no place for them
        self.end()

    def emission(self, emission: Emission) -> None:
        from harness.engine.emission import sse_text

        self._is_open = True  # not before: where nothing came there is no stream
        out().write(sse_text(emission))

    def end(self) -> None:
        from harness.engine.emission import sse_end

        if self._is_open:
            out().write(sse_end())
        self._is_open = False


WRITERS: dict[str, type[Table | JsonLines | EventStream]] = {
    "table": Table,
    "jsonl": JsonLines,
    "sse": EventStream,
}
