"""What a cassette holds, at a glance: for `harness ls`, `harness show` and reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.apis.chat.reader import ResponseAccumulator
from harness.apis.json_values import dict_of, text_of
from harness.cassettes.classify import Kind, classify
from harness.engine.stream import StreamReader
from harness.engine.transcript import Diagnostic
from harness.engine.whole_answers import read_whole
from harness.errors import ChunkError

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette, Exchange
    from harness.core.accumulate import AccumulatedMessage


@dataclass(slots=True)
class ExchangeSummary:
    """One exchange, read to its end."""

    exchange: Exchange
    kind: Kind
    reason: str = ""
    """What it is instead of a chat completion; empty for one."""
    model: str = ""
    """Of the response, else of the request; empty where neither names one."""
    chunks: int = 0
    choices: dict[int, AccumulatedMessage] = field(default_factory=dict)
    usage: dict[str, Any] | None = None
    tokens: tuple[int, int] | None = None
    """Of request and answer; None where none were counted."""
    api: str = ""
    """Whose answer it is; empty where it is nobody's."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    duration_s: float | None = None
    """From the request to the last read; None without recorded timing."""

    @property
    def ended(self) -> str:
        """How the answer ended: what was recorded, else the finish reason."""
        ending = self.exchange.response.ended
        if ending is not None and ending.kind != "complete":
            return f"{ending.kind} {ending.error}".strip()
        if self.kind is Kind.OTHER:
            return f"HTTP {self.exchange.response.status}"
        message = self.choices.get(0)
        return (message and message.finish_reason) or "no finish"

    @property
    def tools(self) -> list[str]:
        """The names of the functions called by choice 0, in order."""
        message = self.choices.get(0)
        return [call.name for call in message.calls] if message else []


@dataclass(slots=True)
class CassetteSummary:
    """One cassette, all exchanges read."""

    path: str
    exchanges: list[ExchangeSummary]

    @property
    def models(self) -> list[str]:
        """The models, each once, in order of appearance."""
        return list(dict.fromkeys(e.model for e in self.exchanges if e.model))

    @property
    def chunks(self) -> int:
        """The chunks of all exchanges."""
        return sum(e.chunks for e in self.exchanges)

    @property
    def tools(self) -> Counter[str]:
        """How often each function was called."""
        return Counter(name for e in self.exchanges for name in e.tools)

    @property
    def tokens(self) -> tuple[int, int] | None:
        """Prompt and completion tokens where any usage was recorded; None else."""
        counts = [e.tokens for e in self.exchanges if e.tokens is not None]
        if not counts:
            return None
        return (
            sum(request for request, _ in counts),
            sum(answer for _, answer in counts),
        )

    @property
    def duration_s(self) -> float | None:
        """The time of all exchanges together; None without recorded timing."""
        known = [e.duration_s for e in self.exchanges if e.duration_s is not None]
        return sum(known) if known else None


def summarise(cassette: Cassette) -> CassetteSummary:
    """Read every exchange of a cassette to its end.

    Args:
        cassette: The cassette; a `source` of it is used up.

    Returns:
        The summary; nothing raises on a stream that is wrong, see its diagnostics.
    """
    return CassetteSummary(
        cassette.path, [summarise_exchange(exchange) for exchange in cassette.exchanges]
    )


def summarise_exchange(exchange: Exchange) -> ExchangeSummary:
    """Read one exchange to its end; see `summarise`."""
    kind, reason, api = classify(exchange)
    summary = ExchangeSummary(exchange, kind, reason, api=api)
    for note in exchange.notes:
        summary.diagnostics.append(Diagnostic(note.kind, exchange.index, note.text))
    summary.duration_s = exchange.response.seconds
    accumulator = ResponseAccumulator()
    if kind is Kind.STREAM:
        reader = StreamReader(exchange, summary.diagnostics.append, api=api)
        for _, _, parts in reader.parts():
            accumulator.add(parts)
        summary.chunks = reader.events
        reader.finish()
    elif kind is Kind.WHOLE:
        try:
            whole = read_whole(exchange, api, summary.diagnostics.append)
            accumulator.add_whole(whole)
        except ChunkError as error:
            summary.kind, summary.reason = Kind.OTHER, str(error)
    summary.choices = {n: accumulator.message(choice=n) for n in accumulator.choices}
    summary.usage, summary.tokens = accumulator.usage, accumulator.tokens
    asked = dict_of(exchange.request.json())
    summary.model = accumulator.model or text_of(asked.get("model"))
    return summary
