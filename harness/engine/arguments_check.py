"""The arguments of every call of one response, followed as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.diagnostics import DiagnosticKind
from harness.core.json_arguments import FunctionArgumentsStreamHandler
from harness.engine.excerpt import excerpt_of
from harness.errors import ArgumentsError, shorten

if TYPE_CHECKING:
    from harness.core.parts import CallPart, ToolCall
    from harness.engine.stream import StreamReader

__all__ = ["ArgumentsCheck"]


class ArgumentsCheck:
    """Follows the arguments of every call of one response and reports malformed ones.

    Cost per fragment does not grow with the arguments.
    """

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader
        self._machines: dict[int, FunctionArgumentsStreamHandler] = {}
        self._last_chunk: dict[int, tuple[int, int | None]] = {}
        self._offset_of = reader.byte_offset_of

    def feed(self, part: CallPart, chunk: int) -> None:
        """Follow one part of a call that came in the given chunk."""
        if not part.arguments or part.call.type == "custom":
            return  # a custom tool's input is any text
        position = id(part.call)
        machine = self._machines.get(position)
        if machine is None:
            machine = self._machines[position] = FunctionArgumentsStreamHandler()
        elif machine.error is not None:
            return  # it was reported
        self._last_chunk[position] = chunk, self._offset_of(chunk)
        machine.process_json_chunk(part.arguments)
        if machine.error is not None:
            self._diagnose(part.call, machine.error, chunk, self._offset_of(chunk))

    def close(self, calls: list[ToolCall]) -> None:
        """Report the calls whose arguments stopped too early."""
        for call in calls:
            machine = self._machines.get(id(call))
            if machine is not None and machine.error is None:
                error = machine.close()
                if error is not None:
                    self._diagnose(call, error, *self._last_chunk[id(call)])

    def _diagnose(
        self,
        call: ToolCall,
        error: ArgumentsError,
        chunk: int,
        byte_offset: int | None,
    ) -> None:
        got = shorten(error.got) if error.got else "the end of the arguments"
        self._reader.diagnose(
            DiagnosticKind.MALFORMED_ARGUMENTS,
            f"call {call.position} to {call.name!r}: {error}",
            chunk=chunk,
            char_offset=error.char_offset,
            excerpt=excerpt_of(
                call.arguments,
                at=error.char_offset,
                source=f"arguments of call {call.position} to {call.name!r}",
                note=f"expected {error.expected}, got {got}",
                chunk=chunk,
                byte_offset=byte_offset,
            ),
        )
