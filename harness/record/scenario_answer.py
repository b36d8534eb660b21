"""One request of a scenario, and its result.

Owns the body that is sent and the reading of the answer, whole or broken. How a
request is sent is a callable that is passed in, so that all of this is tested without a
network; `harness.record.scenario_sending` has the real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.chat.chunks import DONE, parse_payload, payload_error
from harness.apis.chat.reader import ResponseAccumulator
from harness.core.sse import SSEDecoder, SSEEvent
from harness.errors import ProtocolError, shorten

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from harness.core.accumulate import AccumulatedMessage
    from harness.record.scenario import Ending, Scenario, TurnOverrides


_OF_TOOLS = ("tool_choice", "parallel_tool_calls")
"""Options that servers refuse where no tools are offered."""


class AnswerBrokenError(ProtocolError):
    """The connection failed in the middle of an answer.

    Attributes:
        kind: The transport's name for it, such as ``RemoteProtocolError``.
        said: What the transport reported.
    """

    def __init__(self, kind: str, said: str) -> None:
        self.kind = kind
        self.said = said
        super().__init__(f"the answer broke off: {kind}: {said}")


class Answer(NamedTuple):
    """An HTTP response whose body has not been read."""

    status: int
    """The HTTP status."""
    pieces: Iterator[bytes]
    """The body as it arrives; `AnswerBrokenError` where it breaks off."""


Send = Callable[[str], "AbstractContextManager[Answer]"]
"""Sends one request, given its JSON body; leaving the context hangs up."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request and its result."""

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
        described, tools = {"description", "parameters"}, scenario.tools
        offered = [{"name": n, **tools[n].model_dump(include=described)} for n in names]
        body["tools"] = [{"type": "function", "function": one} for one in offered]
    else:
        options = {key: options[key] for key in options if key not in _OF_TOOLS}
    if not scenario.stream:
        options.pop("stream_options", None)
    body.update(options)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def ask(
    scenario: Scenario,
    overrides: TurnOverrides,
    history: list[dict[str, Any]],
    send: Send,
    on_chunks: Callable[[int], None],
) -> Turn:
    """Send one request and read its answer as far as the scenario asks.

    Args:
        scenario: The conversation.
        overrides: What this request does differently.
        history: All messages so far, as they are sent.
        send: Sends it.
        on_chunks: Called with the number of chunks so far, after each read with some.

    Returns:
        What came; an answer that breaks off is one, too.

    Raises:
        HarnessError: What `send` raises where there is no answer at all.
    """
    reader = _Reader(overrides.stop_reading_after or scenario.stop_reading_after)
    with send(request_body(scenario, overrides, history)) as answer:
        try:
            if answer.status >= 400:
                said = b"".join(answer.pieces).decode("utf-8", "replace")
                problem = f"HTTP {answer.status}: {shorten(said, limit=200)}"
                return reader.turn("refused", answer.status, problem)
            if not scenario.stream:
                reader.read_whole(b"".join(answer.pieces))
            else:
                for piece in answer.pieces:
                    before = reader.chunks
                    reader.read(piece)
                    if reader.chunks > before:
                        on_chunks(reader.chunks)
                    if reader.has_enough:
                        return reader.turn("closed", answer.status)
                reader.close()
        except AnswerBrokenError as error:
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

    @property
    def has_enough(self) -> bool:
        return self._enough is not None and self.chunks >= self._enough

    def read(self, piece: bytes) -> None:
        try:
            events = self._decoder.feed(piece)
        except ProtocolError as error:
            raise AnswerBrokenError(type(error).__name__, str(error)) from None
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
