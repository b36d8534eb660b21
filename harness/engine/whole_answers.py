"""Reading an answer that was not streamed, and what is odd about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import Event
from harness.apis.chat.chunks import Chunk, parse_payload
from harness.apis.chat.restate import as_chunk, restated_whole, without_empty_deltas
from harness.apis.detect import api_named
from harness.apis.habits import Habits
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import CallPart, Problem, Text
from harness.engine.arguments_check import ArgumentsCheck
from harness.engine.transcript import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import Payload
    from harness.cassettes.model import Exchange
    from harness.core.parts import Part


def read_whole(
    exchange: Exchange, api: str, report: Callable[[Diagnostic], None] | None = None
) -> Chunk:
    """Read an answer that was not streamed, as the one chunk that carries it all.

    Args:
        exchange: The exchange; its response is a whole answer.
        api: Whose answer it is.
        report: Called with what is odd about it; None to report nothing.

    Returns:
        The chunk: of a chat completion its own fields, with `delta` for `message`
        (one that stands beside the message is left out: Perplexity sends an empty
        one); of another API the restated answer with its parts.

    Raises:
        ChunkError: The body is no JSON object.
    """
    payload = parse_payload(exchange.response.body)
    if api == "chat":
        whole = Chunk(0, None, as_chunk(payload))
        parts = _parts_of_chat(payload) if report else []
    else:
        parts = api_named(api).whole(payload)
        whole = restated_whole([p for p in parts if not isinstance(p, Problem)])
    if report is not None:
        WholeReporter(exchange.index, report).report(parts)
    return whole


def _parts_of_chat(payload: Payload) -> list[Part]:
    reader = api_named("chat").reader()
    event = Event(0, "", without_empty_deltas(payload))
    return [*reader.feed(event), *reader.close()]


class WholeReporter:
    """Reports what is odd about the parts of a whole answer: it has no chunks."""

    def __init__(self, exchange: int, report: Callable[[Diagnostic], None]) -> None:
        self._exchange = exchange
        self._report = report

    def byte_offset_of(self, chunk: int) -> int | None:  # noqa: ARG002 - it has none
        """Return None: arguments stand in JSON that was not taken apart."""
        return None

    def diagnose(self, kind: DiagnosticKind, text: str, **places: Any) -> None:
        """Report something; see `StreamReader.diagnose`."""
        known = {
            key: places[key]
            for key in ("char_offset", "excerpt", "because")
            if key in places
        }
        self._report(Diagnostic(kind, self._exchange, text, **known))

    def report(self, parts: list[Part]) -> None:
        """Report the problems among parts, broken arguments and habits."""
        check, habits = ArgumentsCheck(self), Habits()
        calls = [p.call for p in parts if isinstance(p, CallPart) and p.is_new]
        check.feed(parts, 0)
        check.close(calls)
        problems = [p for p in parts if isinstance(p, Problem)]
        kinds = {problem.kind for problem in problems}
        if (
            check.finish is None
            and any(isinstance(part, Text | CallPart) for part in parts)
            and kinds.isdisjoint(_ENDS)
        ):
            problems.append(Problem(DiagnosticKind.MISSING_FINISH, ""))
        for problem in (*problems, *habits.feed(parts), *habits.close()):
            text = problem.text
            if problem.kind is DiagnosticKind.ERROR_EVENT:
                text = f"the provider sent an error: {text}"
            elif problem.kind is DiagnosticKind.MISSING_FINISH and not text:
                text = "no finish reason in the whole answer; it may be cut"
            self.diagnose(problem.kind, text)


_ENDS = frozenset(
    {
        DiagnosticKind.ERROR_EVENT,
        DiagnosticKind.MISSING_FINISH,
        DiagnosticKind.EMPTY_FINISH,
    }
)
