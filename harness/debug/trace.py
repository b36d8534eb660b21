"""One exchange, chunk by chunk: what came, what it meant, what it caused.

A trace holds every event of a stream and keeps lengths instead of texts, so that the
state after any chunk can be shown without a copy of everything before it: linear in
the stream. It is what the stepper walks, `--around` prints and a report draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.apis.chat.reader import ResponseAccumulator
from harness.apis.varied import Variation
from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Cassette
from harness.core.json_arguments import FunctionArgumentsStreamHandler, MachineState
from harness.core.parts import CallPart, Finish, Reasoning, Refusal, Text
from harness.debug.raw_events import RawEvent, as_arrived, raw_events
from harness.engine.agent_options import AgentOptions
from harness.engine.replay import Replay, Unhearing
from harness.errors import InterfaceError, NothingToReplayError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.core.accumulate import AccumulatedMessage
    from harness.core.parts import Part
    from harness.engine.adapter_base import Mode
    from harness.engine.emission import Emission
    from harness.engine.transcript import Diagnostic
    from harness.errors import HarnessError


@dataclass(frozen=True, slots=True)
class CallState:
    """One tool call as it stands after a chunk."""

    position: int
    """Number among the calls, from 0."""
    name: str
    """As far as it has come."""
    length: int
    """Of its arguments so far, in code points."""
    machine: MachineState
    """The argument machine that follows it."""
    error: str
    """What the machine found malformed; empty if nothing."""


@dataclass(slots=True)
class Moment:
    """The state after one event."""

    event: RawEvent
    carries: list[str]
    """What the event carries, in words: `text "..."`, `call 0 arguments "..."`."""
    content_length: int
    """Of the text so far, in code points."""
    calls: tuple[CallState, ...]
    """Every call so far."""
    emissions: dict[str, list[Emission]] = field(default_factory=dict)
    """What each interface emitted at this event, by the interface's name."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    """What was found at this event."""
    pieces: list[tuple[str, str]] = field(default_factory=list)
    """What the event adds to the answer: `text`, `reasoning`, `refusal` or `call N`,
    and the fragment."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An interface that raised: nothing after that was passed on to it."""

    error: HarnessError
    """What was raised, by what and where; its cause is the interface's own."""
    chunk: int | None
    """The number of the chunk that it was given; None after the stream."""


@dataclass(slots=True)
class Trace:
    """A whole exchange."""

    cassette: str
    """The path as the caller named it."""
    exchange: int
    """Number of the exchange."""
    variation: Variation
    """How the stream was written, cut and broken."""
    key: str
    """The argument that the machines look for."""
    interfaces: list[str]
    """The names of the interfaces that were fed."""
    moments: list[Moment]
    """One for each event."""
    message: AccumulatedMessage
    """What the whole stream held in choice 0."""
    after: dict[str, list[Emission]] = field(default_factory=dict)
    """What each interface emitted after the stream."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    """What was found, in order; those of a chunk are in its moment too."""
    failures: dict[str, Failure] = field(default_factory=dict)
    """What an interface raised, by its name."""

    def numbers_of(self, chunk: int) -> list[int]:
        """Return the positions of what a replay calls chunk N; several if it was cut.

        Args:
            chunk: The number, as a diagnostic or an emission has it.

        Returns:
            Positions in `moments`; empty if there is no such chunk.
        """
        return [n for n, m in enumerate(self.moments) if m.event.chunk == chunk]

    def failure_at(self, name: str, number: int) -> Failure | None:
        """Return what an interface raised at a position of `moments`."""
        failure = self.failures.get(name)
        if failure is None:
            return None
        numbers = [] if failure.chunk is None else self.numbers_of(failure.chunk)
        place = numbers[-1] if numbers else len(self.moments) - 1
        return failure if number == place else None

    def was_fed(self, name: str, number: int) -> bool:
        """Return whether an interface was given the event at a position."""
        failure = self.failures.get(name)
        if failure is None or failure.chunk is None:
            return True
        return self.moments[number].event.chunk <= failure.chunk

    def content(self, number: int) -> str:
        """Return the text so far after the event at a position."""
        return self.message.content[: self.moments[number].content_length]

    def arguments(self, call: CallState) -> str:
        """Return the arguments of a call as they stood."""
        return self.message.calls[call.position].arguments[: call.length]


def streams_of(cassette: Cassette) -> list[int]:
    """Return the numbers of the exchanges that are streamed chat completions."""
    return [
        exchange.index
        for exchange in cassette.exchanges
        if classify(exchange).kind is Kind.STREAM
    ]


def trace(
    cassette: Cassette,
    exchange: int | None = None,
    *,
    interfaces: Sequence[object] = ("streaming", "queuing"),
    variation: Variation | None = None,
    mode: Mode | str | None = None,
    options: AgentOptions | None = None,
    reasoning: bool = False,
    tick: Callable[[], None] | None = None,
) -> Trace:
    """Follow one exchange through the interfaces.

    Args:
        cassette: A cassette that can be read again (no pipe).
        exchange: Its number; None is the first stream.
        interfaces: What `harness.replay` takes, each.
        variation: How the stream is written, cut and broken.
        mode: How a streaming interface is used; the queue has none.
        options: What agent and interface agree on.
        reasoning: Pass reasoning fields on as content.
        tick: Called for each event and each emission; what it raises ends it all.

    Returns:
        The trace. An interface that raises leaves what it had emitted, and a failure;
        what is found in the stream does not depend on that.

    Raises:
        UsageError: There is no such exchange, or it is no stream.
        CassetteError: The cassette has no stream at all.
    """
    streams = streams_of(cassette)
    number = exchange if exchange is not None else next(iter(streams), 0)
    if number not in streams:
        raise UsageError(
            f"{cassette.path}: exchange {number} is no streamed chat completion; "
            f"streams are {', '.join(map(str, streams)) or 'none'} (see `harness show`)"
        )
    options = options or AgentOptions()
    variation = variation or Variation()
    arrived, sources = as_arrived(cassette.exchanges[number], variation)
    events = raw_events(arrived, sources)
    tick = tick or (lambda: None)
    moments, message = _follow(events, options.assistant_argument, tick)
    key = options.assistant_argument
    made = Trace(cassette.path, number, variation, key, [], moments, message)
    exchanges = [arrived if one.index == number else one for one in cassette.exchanges]
    for interface in interfaces:
        running = Replay(
            Cassette(cassette.path, exchanges),
            interface,
            mode=None if interface == "queuing" else mode or "tokens",
            options=options,
            exchange=number,
            reasoning=reasoning,
        )
        _run(made, running, tick, is_first=not made.interfaces)
    if any(isinstance(one.error, InterfaceError) for one in made.failures.values()):
        # No interface read the rest of the stream: what is odd in it counts too.
        unheard = Replay(
            Cassette(cassette.path, exchanges), Unhearing(), exchange=number
        )
        for _ in unheard:
            pass
        _place(made, unheard.diagnostics)
    return made


def _run(
    made: Trace, running: Replay, tick: Callable[[], None], *, is_first: bool
) -> None:
    """Sort what one interface emits to the chunks that caused it."""
    name = running.interface
    made.interfaces.append(name)
    after = made.after.setdefault(name, [])
    try:
        for emission in running:
            tick()
            if emission.chunk is None:
                after.append(emission)
            else:
                moment = made.moments[emission.chunk]
                moment.emissions.setdefault(name, []).append(emission)
    except (InterfaceError, NothingToReplayError) as error:
        made.failures[name] = Failure(error, getattr(error, "chunk", None))
        return
    if is_first:
        _place(made, running.diagnostics)


def _place(made: Trace, diagnostics: list[Diagnostic]) -> None:
    """Take what was found, each at the chunk that it is about."""
    made.diagnostics = list(diagnostics)
    for found in made.diagnostics:
        chunk = found.nearest
        if chunk is not None and chunk < len(made.moments):
            made.moments[chunk].diagnostics.append(found)


def _parts(accumulator: ResponseAccumulator, event: RawEvent) -> list[Part]:
    """Add an event to the answer; return its parts of choice 0."""
    if event.parts is None:
        return accumulator.feed(event.payload or {})
    accumulator.add(event.parts)
    return event.parts


def _follow(
    events: list[RawEvent], key: str, tick: Callable[[], None]
) -> tuple[list[Moment], AccumulatedMessage]:
    accumulator = ResponseAccumulator()
    machines: dict[int, FunctionArgumentsStreamHandler] = {}
    lengths: dict[int, int] = {}
    states: dict[int, CallState] = {}
    content = 0
    moments = []
    for event in events:
        tick()
        carries: list[str] = []
        pieces: list[tuple[str, str]] = []
        for part in _parts(accumulator, event):
            kind = type(part).__name__.lower()
            if isinstance(part, Finish):
                carries.append(f"finish {part.reason!r}")
                continue
            if isinstance(part, Text | Reasoning | Refusal):
                content += len(part.text) if kind == "text" else 0
                carries.append(f"{kind} {part.text!r}")
                pieces.append((kind, part.text))
                continue
            if not isinstance(part, CallPart):
                continue  # none of chat's
            call = part.call
            machine = machines.setdefault(
                call.position, FunctionArgumentsStreamHandler(key)
            )
            machine.process_json_chunk(part.arguments)
            length = lengths.get(call.position, 0) + len(part.arguments)
            lengths[call.position] = length
            states[call.position] = CallState(
                call.position,
                call.name,
                length,
                machine.inspect(),
                str(machine.error or ""),
            )
            pieces.append((f"call {call.position}", part.arguments))
            new = "opens, " if part.is_new else ""
            named = f"name {part.name!r} " if part.name else ""
            carries.append(
                f"call {call.position} {new}{named}arguments {part.arguments!r}"
            )
        moments.append(
            Moment(event, carries, content, tuple(states.values()), pieces=pieces)
        )
    return moments, accumulator.message()
