"""The agent loop: one recorded exchange after the other, as an agent lived them.

For each response: its chunks, then the whole message as inner thoughts, then each
tool call with its recorded result, then the step is complete. Nothing is executed
and nothing is invented: what the recording does not hold is reported.

`AgentLoop.run` is the one engine. It calls the interface and yields after every
input, so that whoever drives it can see what came out at once (sync) or after the
event loop had a turn (async).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from harness.agents.letta.light_messages import CallOfRecord, FunctionOfRecord
from harness.agents.letta.surrogates import encodable
from harness.apis.chat.chunks import Chunk, Payload
from harness.apis.chat.reader import ResponseAccumulator
from harness.apis.chat.shown_reasoning import reasoning_as_content
from harness.apis.json_values import parsed
from harness.cassettes.classify import Classification, Kind
from harness.core.diagnostics import DiagnosticKind
from harness.core.fielded import Fielded
from harness.core.parts import CallPart, Reasoning, Refusal, Text
from harness.engine.arguments_check import ArgumentsCheck
from harness.engine.chosen_exchanges import chosen_exchanges
from harness.engine.conversation import (
    Answer,
    RequestReader,
    added_turns,
    continues,
    question_of,
    results_for,
)
from harness.engine.identity import ExchangeIdentity, date_of, look_ahead
from harness.engine.restated import restated_bytes, restated_exchange
from harness.engine.stream import StreamReader
from harness.engine.transcript import Diagnostic, ReplayedResponse
from harness.engine.whole_answers import read_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from harness.agents.letta.light_messages import Record
    from harness.agents.letta.messages import Message
    from harness.apis.base import Conversation
    from harness.apis.varied import Variation
    from harness.cassettes.model import Cassette, Exchange
    from harness.core.accumulate import AccumulatedMessage
    from harness.core.parts import Part
    from harness.engine.adapter_base import BaseAdapter
    from harness.engine.adapters import ListAdapter, StreamingAdapter
    from harness.engine.agent_options import AgentOptions
    from harness.engine.conversation import ToolResult
    from harness.engine.generator_adapter import GeneratorAdapter


@dataclass(slots=True, eq=False, repr=False)
class Cause(Fielded):
    """What the interface was just given; true until the loop goes on."""

    exchange: int
    chunk: int | None
    """The chunk that was fed; None for a call of the step loop."""
    at: float | None
    is_boundary: bool
    """Whether a queue may be emptied here: the end of a stream or of a step."""
    made: list[Any] | None = None
    """Its result; None where that has to be drained."""


class AgentLoop:
    """Replays exchanges through one adapted interface.

    Args:
        cassette: All its exchanges; those after the replayed ones are read for tool
            results.
        adapter: The interface.
        options: What agent and interface agree on.
        variation: How each stream is written, cut and broken.
        only: Replay just this exchange number; None for all.
        shows_reasoning: Whether reasoning fields count as content.
        report: Called with each diagnostic.
        on_response: Called with the answer of each replayed exchange.
    """

    def __init__(
        self,
        cassette: Cassette,
        adapter: StreamingAdapter | ListAdapter | GeneratorAdapter,
        options: AgentOptions,
        *,
        variation: Variation,
        only: int | None = None,
        shows_reasoning: bool = False,
        report: Callable[[Diagnostic], None],
        on_response: Callable[[ReplayedResponse], None],
    ) -> None:
        self._cassette = cassette
        self._adapter = adapter
        self._options = options
        self._variation = variation
        self._only = only
        self._shows_reasoning = shows_reasoning
        self._report = report
        self._on_response = on_response
        self._cause = Cause(0, None, None, is_boundary=False)
        self._is_started = False  # `stream_start` was called, no stream followed yet
        self._answer = Answer()  # the last one
        self._conversation = RequestReader()
        self._first: float | None = None  # when the first text of an answer came
        adapter.where = self._where

    @property
    def cause(self) -> Cause:
        """What the interface was given last, or is being given."""
        return self._cause

    def run(self) -> Iterator[Cause]:
        """Go through the exchanges; yields after each input to the interface.

        Yields:
            The cause of whatever the interface has emitted since the last one. A
            cause with `exchange` -1 follows each `step_yield`: the conversation is
            over and a generator must have ended.

        Raises:
            InterfaceError: The interface raised; nothing more can be replayed.
            NothingToReplayError: No chosen exchange is a chat completion; nothing was
                called.
        """
        # Two generators around that of a stream took 2 % of the time.
        return chain.from_iterable(self._exchanges())

    def _exchanges(self) -> Iterator[Iterable[Cause]]:
        previous: Conversation | None = None
        is_open = False
        chosen = chosen_exchanges(self._cassette, self._only)
        for exchange, kind in chosen:
            for note in exchange.notes:
                self._diagnose(exchange, note.kind, note.text)
            if kind.kind is Kind.OTHER:
                self._diagnose(exchange, DiagnosticKind.NOT_REPLAYED, kind.reason)
                continue
            conversation = None
            if len(chosen) > 1:  # else there is nothing that it could continue
                conversation = self._conversation(exchange, kind.api)
            if is_open and not continues(previous, conversation, self._answer):
                yield self._end_conversation()
                is_open = False
            if not is_open:
                # Also where nothing is streamed: it makes an ended interface active.
                self._adapter.call("stream_start")
                self._is_started = is_open = True
                yield [self._at(exchange.index)]
            previous = conversation
            yield from self._step(exchange, kind)
            if not self._options.multi_step:
                break
        if is_open:
            yield self._end_conversation()

    def _end_conversation(self) -> Iterator[Cause]:
        self._adapter.call("step_yield")
        yield Cause(self._cause.exchange, None, self._cause.at, is_boundary=True)
        yield Cause(-1, None, None, is_boundary=True)

    def _step(
        self, exchange: Exchange, kind: Classification
    ) -> Iterator[Iterable[Cause]]:
        """Replay one response and the tool calls it asked for."""
        adapter = self._adapter
        number, late = exchange.index, adapter.is_light
        self._first = None
        accumulator = ResponseAccumulator()
        if kind.kind is Kind.STREAM:
            reader = self._reader(exchange, kind.api)
            variation = self._variation
            is_chat = variation.style is None and not variation.is_recorded
            native = adapter.takes_events(kind.api) and not is_chat
            created, chunks = (0.0, None) if native else look_ahead(reader)
            # Text without a request may be a pipe, whose body is not known yet.
            content = exchange.response.body if exchange.request.uri else b""
            content = content or reader.first_event
            identity = ExchangeIdentity(number, content, is_late=late)
            message_id, date = identity.message_id(), date_of(created)
            adapter.set_streaming(is_streaming=True)
            adapter.name_calls(identity.call_prefix)
            self._at(exchange.index)
            yield self._stream(reader, chunks, accumulator, message_id, date)
            count = reader.events
        else:
            whole = read_whole(exchange, kind.api, self._report)
            if self._shows_reasoning:
                whole = reasoning_as_content(whole)
            parts = accumulator.add_whole(whole)
            identity = ExchangeIdentity(number, exchange.response.body, is_late=late)
            message_id, date = identity.message_id(), date_of(accumulator.created)
            count = 0
            yield self._feed_whole(exchange, whole.payload, parts, message_id, date)
        choices = {n: accumulator.message(choice=n) for n in accumulator.choices}
        self._on_response(
            ReplayedResponse(
                exchange.index,
                count,
                choices,
                accumulator.model,
                accumulator.usage,
                accumulator.tokens,
                self._first,
                partial(question_of, exchange.request, kind.api),
            )
        )
        if others := ", ".join(str(n) for n in choices if n != 0):
            self._diagnose(
                exchange,
                DiagnosticKind.OTHER_CHOICES,
                f"choices {others} were not passed on; an interface is told choice 0",
            )
        self._answer = Answer(accumulator.id, accumulator.calls)
        message = choices.get(0) or accumulator.message()
        yield self._act(exchange, kind.api, message, identity, date)
        adapter.call("step_complete")
        yield [Cause(self._cause.exchange, None, self._cause.at, is_boundary=True)]

    def _reader(self, exchange: Exchange, api: str) -> StreamReader:
        """Return what reads a stream, gone wrong first if it is to go wrong.

        A fault is read from bytes, so that everything odd about it is reported as it
        would be of a recording.
        """
        variation = self._variation
        if variation.fault is None and variation.style is None:
            return StreamReader(exchange, self._report, api=api)
        style = variation.style
        arrives = "chat" if style is None else style.api
        left = partial(self._report_left, exchange, arrives)
        text = f"the fault {variation.fault_text} changed no event"
        unseen = partial(self._diagnose, exchange, DiagnosticKind.FAULT_UNSEEN, text)
        watch = unseen if variation.fault_text else None
        restated = restated_exchange(
            exchange, lambda: restated_bytes(exchange, variation, api, left, watch)
        )
        return StreamReader(restated, self._report, api=arrives)

    def _report_left(self, exchange: Exchange, api: str, left: dict[str, int]) -> None:
        found = ", ".join(f"{what} ({count})" for what, count in left.items())
        text = f"{api} cannot carry all of the recording: {found}"
        self._diagnose(exchange, DiagnosticKind.NOT_CARRIED, text)

    def _stream(
        self,
        reader: StreamReader,
        chunks: Iterator[Chunk] | None,
        accumulator: ResponseAccumulator,
        message_id: str,
        date: datetime,
    ) -> Iterator[Cause]:
        """Feed the chunks of one response; None: the events as their API sent them."""
        adapter = self._adapter
        takes_chunks, accumulate = adapter.takes_chunks, accumulator.feed
        feed: Callable[..., list[Any] | None] = adapter.feed
        are_events = chunks is None
        if chunks is None:
            chunks = (event for event, _, _ in reader.parts())
            feed = partial(_feed_event, adapter, reader.api)
        else:
            if self._shows_reasoning:
                chunks = map(reasoning_as_content, chunks)
            if self._variation.fault is None and self._variation.style is None:
                chunks = self._variation.apply(chunks)
        check = ArgumentsCheck(reader)
        if takes_chunks and not self._is_started:
            adapter.call("stream_start")
            yield self._cause
        self._is_started = False
        at = None
        # One for all chunks: a new one for each took 5 % of the time.
        cause = self._at(self._cause.exchange) if takes_chunks else self._cause
        for chunk in chunks:
            at = chunk.at
            parts = chunk.parts
            if parts is None:
                parts = accumulate(chunk.payload)
            else:
                accumulator.add(parts)
            if at is not None and self._first is None and _has_text(parts):
                self._first = at
            if len(parts) != 1 or type(parts[0]) is not Text:  # most are text alone
                check.feed(parts, chunk.index)
            # The end of an API's events comes with the last of them again.
            if takes_chunks and not (are_events and chunk.index == cause.chunk):
                cause.chunk, cause.at = chunk.index, at
                cause.made = feed(chunk, parts, message_id, date)
                yield cause
        accumulator.add(reader.left)
        check.close(accumulator.calls)
        reader.finish()
        self._cause = Cause(self._cause.exchange, None, at, is_boundary=False)
        if takes_chunks:
            adapter.call("stream_end")
            yield self._cause

    def _act(
        self,
        exchange: Exchange,
        api: str,
        message: AccumulatedMessage,
        identity: ExchangeIdentity,
        date: datetime,
    ) -> Iterator[Cause]:
        """Announce the whole message and each of its tool calls with its result."""
        adapter, options = self._adapter, self._options
        text = message.content
        calls = [
            CallOfRecord(
                encodable(call.id) or identity.call_id(call.position),
                FunctionOfRecord(call.name, call.arguments or "{}"),
            )
            for call in message.calls
        ]
        if text:
            adapter.call(
                "internal_monologue",
                text,
                self._assistant(identity.message_id(), text, calls[:1], date),
            )
            yield self._cause
        if not calls:
            return
        later = (e for e in self._cassette.exchanges if e.index > exchange.index)
        turns = added_turns(
            exchange, later, api, answer=self._answer, read=self._conversation
        )
        results = results_for(message.calls, turns)
        for position, (call, result) in enumerate(zip(calls, results, strict=True)):
            part = f"call-{position}" if position else "response"
            asked = self._assistant(identity.message_id(part), text, [call], date)
            arguments, shown = _read_arguments(
                call.function.arguments, message.calls[position].type
            )
            shown_call = f"{call.function.name}({shown})"
            adapter.call("function_message", f"Running {shown_call}", asked)
            yield self._cause
            is_answer = call.function.name == options.assistant_function
            returned = adapter.record(
                id=identity.message_id(f"result-{position}"),
                role="tool",
                text=result.text if result else None,
                name=call.function.name,
                tool_call_id=call.id,
                created_at=date,
            )
            if arguments is None:
                error = "the arguments are not a JSON object"
                adapter.call("function_message", f"Error: {error}", returned)
                yield self._cause
                continue
            answer = arguments.get(options.assistant_argument)
            if is_answer and isinstance(answer, str):
                adapter.call("assistant_message", answer)
                yield self._cause
            adapter.call("function_message", f"Ran {shown_call}", returned)
            yield self._cause
            adapter.call(
                "function_message",
                self._outcome(exchange, call, result, is_answer=is_answer),
                returned,
            )
            yield self._cause

    def _outcome(
        self,
        exchange: Exchange,
        call: CallOfRecord,
        result: ToolResult | None,
        *,
        is_answer: bool,
    ) -> str:
        if result is not None:
            if result.is_guessed:
                self._diagnose(
                    exchange,
                    DiagnosticKind.GUESSED_RESULT,
                    f"the result of {call.function.name} ({call.id}) was taken by its "
                    "position: no id in the next request leads to it",
                )
            if result.beside:
                self._diagnose(
                    exchange,
                    DiagnosticKind.NOT_EMITTED,
                    f"the result of {call.function.name} ({call.id}) holds more than "
                    f"its text: {', '.join(result.beside)}; no message carries it",
                )
            return f"{'Error' if result.is_error else 'Success'}: {result.text}"
        if is_answer:
            return "Success: None"  # what the seed's agent returns for its answer
        problem = f"the result of {call.function.name} ({call.id}) was not recorded"
        self._diagnose(exchange, DiagnosticKind.UNRECORDED_RESULT, problem)
        return f"Error: {problem}"

    def _feed_whole(
        self,
        exchange: Exchange,
        payload: Payload,
        parts: list[Part],
        message_id: str,
        date: datetime,
    ) -> Iterator[Cause]:
        """Let a response without chunks be heard in every mode."""
        adapter = self._adapter
        self._at(exchange.index)
        self._is_started = False  # a stream that follows gets its own start
        if not adapter.is_chat_completion:
            adapter.set_streaming(is_streaming=False)
        elif adapter.takes_chunks:
            # Chat-completion mode has no step messages; one chunk holds it all.
            adapter.call("stream_start")
            adapter.feed(Chunk(0, None, payload), parts, message_id, date)
            adapter.call("stream_end")
            yield self._cause

    def _assistant(
        self, message_id: str, text: str, calls: list[CallOfRecord], date: datetime
    ) -> Message | Record:
        return self._adapter.record(
            id=message_id,
            role="assistant",
            text=text or None,
            tool_calls=calls or None,
            created_at=date,
        )

    def _diagnose(self, exchange: Exchange, kind: DiagnosticKind, text: str) -> None:
        self._report(Diagnostic(kind, exchange.index, text))

    def _at(self, number: int) -> Cause:
        self._cause = Cause(number, None, None, is_boundary=False)
        return self._cause

    def _where(self) -> str:
        cause = self._cause
        if cause.chunk is None:
            return f"exchange {cause.exchange}, in the step loop"
        return f"exchange {cause.exchange}, chunk {cause.chunk}"


def _feed_event(adapter: BaseAdapter, api: str, event: Chunk, *_: object) -> None:
    adapter.feed_event(api, event.payload)


def _has_text(parts: list[Part]) -> bool:
    """Return whether an event brought something of the answer."""
    return any(
        isinstance(part, Text | Reasoning | Refusal | CallPart) for part in parts
    )


def _read_arguments(text: str, kind: str) -> tuple[dict[str, Any] | None, str]:
    """Return the arguments (None if they are no object) and how they are shown."""
    if kind == "custom":  # any text, which is its one argument
        return {"input": text}, repr(text)
    arguments = parsed(text)
    if not isinstance(arguments, dict):
        return None, text
    return arguments, repr(arguments)
