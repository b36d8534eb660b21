"""What all adapters share: calls into an interface, its exceptions named."""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.agents.letta.agent_interface import AgentChunkStreamingInterface
from harness.agents.letta.light_messages import Record
from harness.apis.sdk_objects import is_dropped, typed_event, wants_typed
from harness.engine.user_frames import user_frame
from harness.errors import HarnessError, InterfaceError, raised_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from harness.agents.letta.messages import Message
    from harness.apis.chat.chunks import Chunk, Payload
    from harness.core.parts import Part


class Mode(StrEnum):
    """How the agent loop uses a streaming interface."""

    TOKENS = "tokens"
    """Chunks are streamed; the step calls are silent but for function returns."""
    STEPS = "steps"
    """Whole messages from the step calls; chunks are not passed on."""
    LEGACY = "legacy"
    """As `steps`, with the legacy function call messages."""
    CHAT_COMPLETION = "chat-completion"
    """Chunks are streamed and come out as OpenAI chunks."""

    @property
    def streams(self) -> bool:
        """Whether chunks are passed to the interface."""
        return self in {Mode.TOKENS, Mode.CHAT_COMPLETION}


class BaseAdapter:
    """Calls into an interface, its exceptions named."""

    def __init__(self, interface: Any, name: str, mode: Mode | None) -> None:
        self.interface = interface
        self.name = name
        self.where: Callable[[], str] = lambda: ""
        if mode is not None:
            for attribute, value in (
                ("streaming_mode", mode.streams),
                ("nonstreaming_legacy_mode", mode is Mode.LEGACY),
                ("streaming_chat_completion_mode", mode is Mode.CHAT_COMPLETION),
            ):
                if hasattr(interface, attribute):
                    self._set(attribute, value=value)
        # A user's interface that takes chunks and has no such attribute streams.
        streams = getattr(interface, "streaming_mode", mode is None or mode.streams)
        self._takes_events = bool(streams) and hasattr(interface, "process_event")
        self.takes_chunks = self._takes_events or (
            bool(streams) and hasattr(interface, "process_chunk")
        )
        """Whether chunks are passed on to it."""
        self._is_typed: bool | None = None
        self.is_light = False
        """Whether it is given records and late ids, and emits light messages."""
        self.record: Callable[..., Message | Record] = _model_of_record
        """Makes what the calls of the step loop are given, of a `Record`'s fields."""
        self._chat = bool(getattr(interface, "streaming_chat_completion_mode", False))

    def takes_events(self, api: str) -> bool:  # noqa: ARG002 - some take one's only
        """Return whether it is given an API's own events instead of chat chunks."""
        return self._takes_events

    def feed(
        self,
        chunk: Chunk,
        parts: list[Part],  # noqa: ARG002 - an interface reads for itself
        message_id: str,
        date: datetime,
    ) -> list[Any] | None:
        """Pass one chunk on, and what was read of it.

        Returns:
            Its result; None where that has to be drained.
        """
        if self._takes_events:
            self.feed_event("chat", chunk.payload)
            return None
        # Not at the top: an interface of ours has no need of a model.
        from harness.apis.chat.models import to_model

        self.call("process_chunk", to_model(chunk.payload), message_id, date)
        return None

    def feed_event(self, api: str, payload: Payload) -> None:
        """Pass an API's own event on, as its SDK's object where annotated so."""
        if self._is_typed is None:
            method = self.interface.process_event
            self._is_typed = wants_typed(first_annotation(method))
        if self._is_typed and is_dropped(api, payload):
            return
        event = typed_event(api, payload) if self._is_typed else payload
        self.call("process_event", event)

    def call(self, method: str, *arguments: Any) -> None:
        """Call a method of the interface; one that it lacks is left out."""
        function = getattr(self.interface, method, None)
        if function is None:
            return
        try:
            returned = function(*arguments)
        except Exception as error:
            raise self.failure(method, error) from error
        if returned is not None:
            self.must_have_run(method, returned)

    def must_have_run(self, method: str, returned: Any) -> None:
        """Refuse what a method returned instead of doing its work."""
        is_generator = inspect.isgenerator(returned) or inspect.isasyncgen(returned)
        if not is_generator and not inspect.iscoroutine(returned):
            return
        if not inspect.isasyncgen(returned):
            returned.close()  # or Python warns that it was never awaited
        is_what = "a generator" if is_generator else "asynchronous"
        does_not = "read what it yields" if is_generator else "wait"
        raise InterfaceError(
            f"{self.name}.{method}() is {is_what}; an agent calls it and does "
            f"not {does_not}: make it a plain function",
            where=self.where(),
        )

    def _set(self, attribute: str, *, value: bool) -> None:
        try:
            setattr(self.interface, attribute, value)
        except Exception as error:
            raise InterfaceError(
                f"{self.name}.{attribute} = {value} raised {raised_text(error)}; an "
                "agent sets it before it streams: let it be set, or leave it out"
            ) from error

    def name_calls(self, prefix: str) -> None:
        """Say how calls without id are called; only ours can be set."""

    def set_streaming(self, *, is_streaming: bool) -> None:
        """Prepare for a response that is streamed, or for one that is not."""
        # A whole completion has no chunks: in streaming mode it would not be heard.
        if self.takes_chunks and hasattr(self.interface, "streaming_mode"):
            self._set("streaming_mode", value=is_streaming)

    def release(self) -> None:
        """Stop using the interface; its owner may have more to do with it."""
        self.set_streaming(is_streaming=True)  # the last response may have been whole

    @property
    def is_chat_completion(self) -> bool:
        """Whether what comes out are OpenAI chunks."""
        return self._chat

    def failure(self, method: str, error: BaseException) -> HarnessError:
        """Return what a method raised as an error that names the place."""
        trace = error.__traceback__
        if isinstance(error, TypeError) and trace is not None and not trace.tb_next:
            # It was raised by the call itself, not inside of what was called.
            expected = _signature(getattr(AgentChunkStreamingInterface, method, None))
            got = _signature(getattr(self.interface, method))
            return InterfaceError(
                f"{self.name}.{method}() cannot be called as an agent calls it: "
                f"expected {method}{expected or '(...)'}, got {method}{got} ({error})",
                where=self.where(),
            )
        return InterfaceError(
            f"{self.name}.{method}() raised {raised_text(error)}",
            where=self.where(),
            line=str(user_frame(error) or ""),
        )


def _model_of_record(**fields: Any) -> Message:
    return Record(**fields).to_model()


def _signature(function: Any) -> str:
    """Return the parameters of a method as it is called; empty where unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        return ""
    names = [str(p.replace(annotation=p.empty)) for p in parameters if p.name != "self"]
    return f"({', '.join(names)})"


def first_annotation(method: Any) -> object:
    """Return what the first parameter of a method is annotated with, else None."""
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):  # a builtin without a signature
        return None
    return parameters[0].annotation if parameters else None
