"""Running a scenario: the agent loop of a client that only has canned tools.

`run_scenario` sends the conversation, reads the answer, answers its tool calls from
the scenario and goes on, until nothing is left to say. It owns the loop and what a
run came to. It neither opens connections nor writes files: how a request is sent is
a callable that is passed in (`harness.record.scenario_record` has the real one), so
that the loop is tested without a network.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.core.accumulate import AccumulatedMessage, ResponseAccumulator
from harness.core.chunks import DONE, parse_payload, payload_error
from harness.core.sse import SSEDecoder
from harness.errors import ProtocolError, shorten
from harness.record.scenario import failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from harness.core.deltas import ToolCall
    from harness.core.sse import SSEEvent
    from harness.record.scenario import Ending, Scenario, TurnOverrides

__all__ = [
    "Answer",
    "Progress",
    "ScenarioRun",
    "Send",
    "StreamBrokenError",
    "Turn",
    "request_body",
    "run_scenario",
]

_OF_TOOLS = ("tool_choice", "parallel_tool_calls")
"""Options that servers refuse where no tools are offered."""


class StreamBrokenError(ProtocolError):
    """The connection failed in the middle of an answer.

    Attributes:
        kind: The transport's name for it, such as ``RemoteProtocolError``.
        said: What the transport said.
    """

    def __init__(self, kind: str, said: str) -> None:
        self.kind = kind
        self.said = said
        super().__init__(f"the answer broke off: {kind}: {said}")


class Answer(Protocol):
    """An HTTP response whose body has not been read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives; `StreamBrokenError` where it breaks off."""
        ...


Send = Callable[[str], "AbstractContextManager[Answer]"]
"""Sends one request, given its JSON body; leaving the context hangs up."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request and what came of it."""

    ending: Ending
    """How the response ended."""
    status: int
    """The HTTP status."""
    message: AccumulatedMessage
    """Choice 0 as far as it came."""
    choices: int
    """How many choices came."""
    chunks: int
    """How many chunks were read; 0 of an answer that was no stream."""
    problem: str = ""
    """What went wrong, for `broken` and `refused`; else empty."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come, after each chunk."""

    turn: int
    """Which request, from 0."""
    chunks: int
    """Of this response so far."""


@dataclass(slots=True)
class ScenarioRun:
    """What a run came to."""

    turns: list[Turn] = field(default_factory=list)
    """In order."""

    @property
    def ending(self) -> Ending:
        """How the last response ended; earlier ones were complete."""
        return self.turns[-1].ending

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of all turns, in order."""
        return [call for turn in self.turns for call in turn.message.calls]

    @property
    def chunks(self) -> int:
        """Of all turns."""
        return sum(turn.chunks for turn in self.turns)

    def unmet(self, scenario: Scenario) -> list[str]:
        """Tell what the scenario expects and the run did not come to.

        Args:
            scenario: The one that was run.

        Returns:
            One sentence each; empty if it is as expected.
        """
        expect, last = scenario.expect, self.turns[-1]
        wanted = expect.ending
        if wanted is None:
            turn = scenario.turn(len(self.turns) - 1)
            stops = turn.stop_reading_after or scenario.stop_reading_after
            wanted = "closed" if stops else "complete"
        unmet = []
        if last.ending != wanted:
            reason = f" ({last.problem})" if last.problem else ""
            unmet.append(f"expected a {wanted} answer, got a {last.ending} one{reason}")
        names = [call.name for call in self.calls]
        if expect.calls is not None and names != expect.calls:
            unmet.append(f"expected the calls {expect.calls}, got {names}")
        finish = last.message.finish_reason
        if expect.finish is not None and finish != expect.finish:
            unmet.append(f"expected the finish {expect.finish!r}, got {finish!r}")
        if expect.choices is not None and last.choices != expect.choices:
            unmet.append(f"expected {expect.choices} choices, got {last.choices}")
        said = "\0".join(self._texts())  # no text that is looked for spans two
        unmet += [
            f"expected {text!r} in what was said, got {shorten(said)}"
            for text in expect.contains or []
            if text not in said
        ]
        return unmet

    def _texts(self) -> Iterator[str]:
        for turn in self.turns:
            yield turn.message.content
            for call in turn.message.calls:
                yield from _strings(_arguments(call))


def run_scenario(
    scenario: Scenario,
    send: Send,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> ScenarioRun:
    """Run a conversation to its end.

    It ends where the model calls nothing and the next turn says nothing new, where it
    calls a tool that has no result, after `max_steps` requests, and with the first
    response that is not complete or that the length limit cut.

    Args:
        scenario: What to say.
        send: Sends one request.
        on_progress: Called after each chunk.

    Returns:
        What came of it, at least one turn.

    Raises:
        HarnessError: Whatever `send` raises, such as an unreachable server.
    """
    run = ScenarioRun()
    history = [message.fields() for message in scenario.messages]
    times_called: dict[str, int] = {}
    for number in range(scenario.max_steps):
        overrides = scenario.turn(number)
        history += [message.fields() for message in overrides.messages]
        turn = _request(scenario, overrides, number, history, send, on_progress)
        run.turns.append(turn)
        if turn.ending != "complete" or turn.message.finish_reason == "length":
            break
        said, is_answered = _answer(scenario, turn, number, times_called)
        history += said
        has_more_to_say = bool(turn.message.calls or scenario.turn(number + 1).messages)
        if not is_answered or not has_more_to_say:
            break
    return run


def request_body(
    scenario: Scenario, overrides: TurnOverrides, history: list[dict[str, Any]]
) -> str:
    """Return the JSON body of one request.

    Args:
        scenario: The conversation.
        overrides: What this request does differently.
        history: All messages so far, as they are sent.

    Returns:
        Compact JSON; the keys in the order of the scenario.
    """
    options = {**scenario.options.fields(), **overrides.options.fields()}
    names = list(scenario.tools) if overrides.tools is None else overrides.tools
    body: dict[str, Any] = {"model": scenario.model, "stream": scenario.stream}
    body["messages"] = history
    if names:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": name,
                    "description": scenario.tools[name].description,
                    "parameters": scenario.tools[name].parameters,
                },
            }
            for name in names
        ]
    else:
        options = {key: options[key] for key in options if key not in _OF_TOOLS}
    if not scenario.stream:
        options.pop("stream_options", None)
    body.update(options)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _request(
    scenario: Scenario,
    overrides: TurnOverrides,
    number: int,
    history: list[dict[str, Any]],
    send: Send,
    on_progress: Callable[[Progress], None],
) -> Turn:
    reader = _Reader(overrides.stop_reading_after or scenario.stop_reading_after)
    with send(request_body(scenario, overrides, history)) as answer:
        try:
            if answer.status >= 400:
                said = b"".join(answer.pieces()).decode("utf-8", "replace")
                problem = f"HTTP {answer.status}: {shorten(said, limit=200)}"
                return reader.turn("refused", answer.status, problem)
            if not scenario.stream:
                reader.read_whole(b"".join(answer.pieces()))
            else:
                for piece in answer.pieces():
                    before = reader.chunks
                    reader.read(piece)
                    if reader.chunks > before:
                        on_progress(Progress(number, reader.chunks))
                    if reader.has_enough:
                        return reader.turn("closed", answer.status)
                reader.close()
        except StreamBrokenError as error:
            return reader.turn("broken", answer.status, f"{error.kind}: {error.said}")
        ending: Ending = "broken" if reader.problem else "complete"
        return reader.turn(ending, answer.status, reader.problem)


class _Reader:
    """Adds up the answer to one request."""

    def __init__(self, enough: int | None) -> None:
        self._enough = enough
        self._decoder = SSEDecoder()
        self._response = ResponseAccumulator()
        self.chunks = 0
        self.problem = ""
        self._is_over = False

    @property
    def has_enough(self) -> bool:
        return self._enough is not None and self.chunks >= self._enough

    def read(self, piece: bytes) -> None:
        try:
            events = self._decoder.feed(piece)
        except ProtocolError as error:
            raise StreamBrokenError(type(error).__name__, str(error)) from None
        for event in events:
            self._event(event)

    def close(self) -> None:
        for event in self._decoder.close():
            self._event(event)
        if not self.problem and not self.chunks:
            self.problem = "the stream held no chunk"

    def read_whole(self, body: bytes) -> None:
        try:
            self._response.feed(parse_payload(body))
        except ProtocolError as error:
            self.problem = str(error)

    def turn(self, ending: Ending, status: int, problem: str = "") -> Turn:
        response = self._response
        return Turn(
            ending=ending,
            status=status,
            message=response.message(),
            choices=len(response.choices),
            chunks=self.chunks,
            problem=problem,
        )

    def _event(self, event: SSEEvent) -> None:
        if self.has_enough or not event.data or event.data == DONE:
            return
        try:
            payload = parse_payload(event.data)
        except ProtocolError as error:
            self.problem = self.problem or str(error)
            return
        said = payload_error(payload)
        if said is not None:
            self.problem = self.problem or f"the stream carries an error: {said}"
        self.chunks += 1
        self._response.feed(payload)


def _answer(
    scenario: Scenario, turn: Turn, number: int, times_called: dict[str, int]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the messages that a response adds, and whether every call has a result."""
    message = turn.message
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if not message.calls:
        return [said], True
    said["tool_calls"] = calls = []
    results, is_answered = [], True
    for call in message.calls:
        call_id = call.id or f"call_{number}_{call.position}"
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        calls.append({"id": call_id, "type": "function", "function": function})
        result = _result(scenario, call, times_called)
        if result is None:
            is_answered = False
        else:
            results.append({"role": "tool", "tool_call_id": call_id, "content": result})
    return [said, *results], is_answered


def _result(
    scenario: Scenario, call: ToolCall, times_called: dict[str, int]
) -> str | None:
    tool = scenario.tools.get(call.name)
    if tool is None:
        return failure(f"there is no tool called {call.name}")
    if not isinstance(_arguments(call), dict):
        return failure("the arguments are no JSON object")
    before = times_called.get(call.name, 0)
    times_called[call.name] = before + 1
    return tool.result(before)


def _arguments(call: ToolCall) -> object:
    try:
        return json.loads(call.arguments or "{}", strict=False)
    except (ValueError, RecursionError):
        return call.arguments  # what was cut still says something


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
