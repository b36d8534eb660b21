"""The arguments of every call of one response, followed as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.diagnostics import DiagnosticKind
from harness.core.json_arguments import FunctionArgumentsStreamHandler
from harness.core.json_states import END, EXPECTED
from harness.core.parts import CallPart, Finish
from harness.engine.excerpt import excerpt_of
from harness.errors import ArgumentsError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core.parts import Part, ToolCall
    from harness.engine.stream import StreamReader
    from harness.engine.whole_answers import WholeReporter

_LIMIT = "length"  # chat's word for an answer that reached its output limit


class _Followed:
    """The arguments of one call."""

    def __init__(self) -> None:
        self.machine = FunctionArgumentsStreamHandler()
        self.at: tuple[int, int | None] = (0, None)
        """Chunk and byte offset of the last fragment."""
        self.bad_at: tuple[int, int | None] = (0, None)
        """Those of the fragment that was malformed."""
        self.is_reported = False
        self.last = ""
        """The last fragment, while each repeats all before it."""
        self.fragments = 0
        """How many did; -1 once one did not."""

    def repeats(self, fragment: str) -> bool:
        """Take the next fragment; return whether all so far repeat those before."""
        if self.fragments >= 0:
            last = self.last
            if len(fragment) > len(last) and fragment.startswith(last):
                self.fragments += 1
                self.last = fragment
            else:
                self.fragments, self.last = -1, ""
        return self.fragments > 1


class ArgumentsCheck:
    """Follows the arguments of every call of one response and reports malformed ones.

    Cost per fragment does not grow with the arguments, unless each fragment repeats
    all before it.
    """

    def __init__(self, reader: StreamReader | WholeReporter) -> None:
        self.finish: Finish | None = None
        """The finish that came last."""
        self._reader = reader
        self._followed: dict[int, _Followed] = {}
        self._offset_of = reader.byte_offset_of

    def feed(self, parts: Iterable[Part], chunk: int) -> None:
        """Follow what parts that came in a chunk have of calls and of the finish."""
        for part in parts:
            if type(part) is CallPart:
                self._follow(part, chunk)
            elif type(part) is Finish:
                self.finish = part

    def _follow(self, part: CallPart, chunk: int) -> None:
        if not part.arguments or part.call.type == "custom":
            return  # a custom tool's input is any text
        followed = self._followed.get(id(part.call))
        if followed is None:
            followed = self._followed[id(part.call)] = _Followed()
        if followed.is_reported:
            return
        machine = followed.machine
        followed.at = chunk, self._offset_of(chunk)
        if machine.error is None:
            machine.process_json_chunk(part.arguments)
            followed.bad_at = followed.at
        if not followed.repeats(part.arguments) and machine.error is not None:
            followed.is_reported = True
            self._diagnose(part.call, machine.error, *followed.bad_at)

    def close(self, calls: list[ToolCall]) -> None:
        """Report the calls whose arguments stopped too early, or repeat themselves."""
        for call in calls:
            followed = self._followed.get(id(call))
            if followed is None:
                continue
            if followed.machine.error is not None and followed.fragments > 1:
                self._reader.diagnose(
                    DiagnosticKind.CUMULATIVE,
                    f"call {call.position} to {call.name!r}: each of "
                    f"{followed.fragments} fragments of its arguments repeats all "
                    "before it; expected only what is new",
                    chunk=followed.bad_at[0],
                    byte_offset=followed.bad_at[1],
                )
            elif not followed.is_reported:
                error = followed.machine.close()
                if error is not None:
                    self._diagnose(call, error, *followed.at)

    def _diagnose(
        self, call: ToolCall, error: ArgumentsError, chunk: int, byte_offset: int | None
    ) -> None:
        got = shorten(error.got) if error.got else "the end of the arguments"
        text, because = f"call {call.position} to {call.name!r}: {error}", ""
        finish = self.finish
        if (
            not error.got
            and finish is not None
            and _LIMIT in (finish.reason, finish.meaning)
        ):
            because = "output-limit"
            text += f"; the output limit cut the answer (finish {finish.reason!r})"
        elif error.expected == EXPECTED[END]:
            because = "joined-calls"
        self._reader.diagnose(
            DiagnosticKind.MALFORMED_ARGUMENTS,
            text,
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
            because=because,
        )
