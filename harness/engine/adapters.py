"""What the agent loop needs of an interface, whatever the interface is.

Three kinds are told apart by what they offer, never by inheritance alone:

- our `StreamingServerInterface` (and subclasses): drained at once after each input;
- anything with `get_generator()`: its async generator is read by one task that lives
  as long as a conversation, since feeding first and draining later gives nothing and
  cancelling a waiting reader kills the generator;
- anything with `to_list()`: emptied at the end of each step, because a queue may
  reach back to the entry before (as the seed's `assistant_message` does).

A user's interface is used as it is; only attributes that it has are set.
"""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from harness.agents.letta.streaming import StreamingServerInterface
from harness.apis.sdk_objects import typed_event, wants_typed
from harness.errors import HarnessError, InterfaceError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime

    from harness.apis.chat.chunks import Chunk, Payload
    from harness.core.parts import Part

__all__ = [
    "Adapter",
    "GeneratorAdapter",
    "ListAdapter",
    "Mode",
    "StreamingAdapter",
    "adapt",
]

_QUIET_ROUNDS = 10
# After a push, `asyncio.wait_for(event.wait())` needs four turns of the event loop
# until its generator yields (CPython 3.11); ten leave room for a wrapper or two.
_END_TIMEOUT_S = 5.0
# A generator that still waits so long after `step_yield` never ends.


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


class Adapter(Protocol):
    """An interface as the agent loop sees it."""

    interface: Any
    takes_chunks: bool
    """Whether chunks are passed on to it."""
    takes_events: bool
    """Whether it is given each API's own events instead."""

    def feed(
        self, chunk: Chunk, parts: list[Part], message_id: str, date: datetime
    ) -> None:
        """Pass one chunk on, and what was read of it."""

    def call(self, method: str, *arguments: Any) -> None:
        """Call a method of the interface; one that it lacks is left out."""

    def set_streaming(self, *, is_streaming: bool) -> None:
        """Say whether the response that follows is streamed."""

    def drain(self) -> list[Any]:
        """Return what came out since the last call."""

    def release(self) -> None:
        """Leave the interface configured as it was found."""


class _Base:
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
                    setattr(interface, attribute, value)
        # A user's interface that takes chunks and has no such attribute streams.
        streams = getattr(interface, "streaming_mode", mode is None or mode.streams)
        self.takes_events = bool(streams) and hasattr(interface, "process_event")
        """Whether it is given each API's own events instead of chat chunks."""
        self.takes_chunks = self.takes_events or (
            bool(streams) and hasattr(interface, "process_chunk")
        )
        self._is_typed: bool | None = None
        self._chat = bool(getattr(interface, "streaming_chat_completion_mode", False))

    def feed(
        self,
        chunk: Chunk,
        parts: list[Part],  # noqa: ARG002 - an interface reads for itself
        message_id: str,
        date: datetime,
    ) -> None:
        if self.takes_events:
            self.feed_event("chat", chunk.payload)
            return
        # Not at the top: an interface of ours has no need of a model.
        from harness.apis.chat.models import to_model

        self.call("process_chunk", to_model(chunk.payload), message_id, date)

    def feed_event(self, api: str, payload: Payload) -> None:
        """Pass an API's own event on, as its SDK's object where annotated so."""
        if self._is_typed is None:
            method = self.interface.process_event
            self._is_typed = wants_typed(_first_annotation(method))
        event = typed_event(api, payload) if self._is_typed else payload
        self.call("process_event", event)

    def call(self, method: str, *arguments: Any) -> None:
        function = getattr(self.interface, method, None)
        if function is None:
            return
        try:
            returned = function(*arguments)
        except Exception as error:
            raise self._failure(method, error) from error
        if returned is not None and inspect.iscoroutine(returned):
            returned.close()  # or Python warns that it was never awaited
            raise InterfaceError(
                f"{self.name}.{method}() is asynchronous; an agent calls it and does "
                "not wait: make it a plain function",
                where=self.where(),
            )

    def name_calls(self, prefix: str) -> None:
        """Say how calls without id are called; only ours can be told."""

    def set_streaming(self, *, is_streaming: bool) -> None:
        # A whole completion has no chunks: in streaming mode it would not be heard.
        if self.takes_chunks and hasattr(self.interface, "streaming_mode"):
            self.interface.streaming_mode = is_streaming

    def release(self) -> None:
        """Stop using the interface; its owner may have more to do with it."""
        self.set_streaming(is_streaming=True)  # the last response may have been whole

    @property
    def is_chat_completion(self) -> bool:
        """Whether what comes out are OpenAI chunks."""
        return self._chat

    def _failure(self, method: str, error: Exception) -> HarnessError:
        return InterfaceError(
            f"{self.name}.{method}() raised {type(error).__name__}: {error}",
            where=self.where(),
        )


def _first_annotation(method: Any) -> object:
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):  # a builtin without a signature
        return None
    return parameters[0].annotation if parameters else None


class StreamingAdapter(_Base):
    """Our streaming interface, drained without an event loop."""

    def __init__(
        self, interface: StreamingServerInterface, name: str, mode: Mode | None
    ) -> None:
        super().__init__(interface, name, mode)
        self.drain = interface.drain
        self._names_calls = interface.call_id_prefix is None
        if type(interface).process_chunk is StreamingServerInterface.process_chunk:
            # Ours reads payloads: building a model of each chunk would take three
            # times as long as all the rest of its replay.
            self._process = interface.process_payload
            self.feed = self._feed_payload  # type: ignore[method-assign]  # see above
            own = StreamingServerInterface.process_payload
            if type(interface).process_payload is own and not self._chat:
                # The delta was read when it was accumulated: once is enough.
                self._process_parts = interface.process_parts
                self.feed = self._feed_parts  # type: ignore[method-assign]  # see above

    def name_calls(self, prefix: str) -> None:
        """Give streamed calls without id the ids that the step loop gives them."""
        if self._names_calls:
            self.interface.call_id_prefix = prefix

    def release(self) -> None:
        """Leave the names of calls to the owner again."""
        super().release()
        if self._names_calls:
            self.interface.call_id_prefix = None

    def _feed_payload(
        self,
        chunk: Chunk,
        parts: list[Part],  # noqa: ARG002 - see `_feed_parts`
        message_id: str,
        date: datetime,
    ) -> None:
        try:
            self._process(chunk.payload, message_id, date)
        except Exception as error:
            raise self._failure("process_chunk", error) from error

    def _feed_parts(
        self,
        chunk: Chunk,  # noqa: ARG002 - see `_feed_payload`
        parts: list[Part],
        message_id: str,
        date: datetime,
    ) -> None:
        try:
            self._process_parts(parts, message_id, date)
        except Exception as error:
            raise self._failure("process_chunk", error) from error


class ListAdapter(_Base):
    """An interface that is emptied with `to_list`."""

    def __init__(self, interface: Any, name: str, mode: Mode | None) -> None:
        super().__init__(interface, name, mode)
        try:
            takes_style = "style" in inspect.signature(interface.to_list).parameters
        except (TypeError, ValueError):  # a builtin without a signature
            takes_style = False
        self._arguments = {"style": "api"} if takes_style else {}

    def drain(self) -> list[Any]:
        """Empty the interface; `STOP` is no message."""
        try:
            items = list(self.interface.to_list(**self._arguments))
        except Exception as error:
            raise self._failure("to_list", error) from error
        return [item for item in items if item != "STOP"]


class GeneratorAdapter(_Base):
    """A user's interface, read through its async generator.

    Must be used inside a running event loop, always the same. Its methods import
    asyncio, which takes 30 ms of a start: the other adapters do without.
    """

    def __init__(self, interface: Any, name: str, mode: Mode | None) -> None:
        super().__init__(interface, name, mode)
        self._out: list[Any] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the generator of this conversation is through."""
        return self._task is not None and self._task.done()

    def open(self) -> None:
        """Start reading, if this conversation has no reader yet."""
        if self._task is not None:
            return
        try:
            generator = self.interface.get_generator()
        except Exception as error:
            raise self._failure("get_generator", error) from error
        if not hasattr(generator, "__aiter__"):
            if inspect.iscoroutine(generator):
                generator.close()
            raise InterfaceError(
                f"{self.name}.get_generator() must return an async generator, "
                f"got {type(generator).__name__}",
                where=self.where(),
            )
        import asyncio

        self._task = asyncio.get_running_loop().create_task(self._read(generator))

    async def _read(self, generator: Any) -> None:
        async for item in generator:
            self._out.append(item)

    async def settle(self) -> None:
        """Let the reader run until nothing more comes out."""
        import asyncio

        seen, quiet = len(self._out), 0
        while quiet < _QUIET_ROUNDS:
            await asyncio.sleep(0)
            quiet += 1
            if len(self._out) != seen:
                seen, quiet = len(self._out), 0
        self._raise_failure()

    async def end(self) -> bool:
        """Wait until the generator ends; return False if it never does."""
        import asyncio

        if self._task is None:
            return True
        done, _ = await asyncio.wait({self._task}, timeout=_END_TIMEOUT_S)
        if not done:
            await self.cancel()
            return False
        self._raise_failure()
        self._task = None
        return True

    async def cancel(self) -> None:
        """Stop reading at once."""
        import asyncio

        if self._task is not None and not self._task.done():
            self._task.cancel()
            # One that catches its cancellation and goes on is left to the loop's end.
            await asyncio.wait({self._task}, timeout=_END_TIMEOUT_S)
            if self._task.done() and not self._task.cancelled():
                self._task.exception()  # or asyncio logs that nobody asked
        self._task = None

    def drain(self) -> list[Any]:
        """Return what the reader has collected since the last call."""
        out, self._out = self._out, []
        return out

    def _raise_failure(self) -> None:
        task = self._task
        if task is not None and task.done() and not task.cancelled():
            error = task.exception()
            if isinstance(error, Exception):
                self._task = None
                raise self._failure("get_generator", error) from error


def adapt(
    interface: Any, name: str, mode: Mode | None
) -> StreamingAdapter | ListAdapter | GeneratorAdapter:
    """Find out how an interface is to be used.

    Args:
        interface: The object; ours or a user's.
        name: How messages call it.
        mode: Sets the mode attributes that the interface has; None leaves them.

    Returns:
        Its adapter.

    Raises:
        InterfaceError: It offers neither `get_generator` nor `to_list`.
    """
    if isinstance(interface, StreamingServerInterface):
        return StreamingAdapter(interface, name, mode)
    from harness.agents.letta.queuing import QueuingInterface  # see `make_interface`

    if isinstance(interface, QueuingInterface):
        return ListAdapter(interface, name, mode)
    if callable(getattr(interface, "get_generator", None)):
        return GeneratorAdapter(interface, name, mode)
    if callable(getattr(interface, "to_list", None)):
        return ListAdapter(interface, name, mode)
    raise InterfaceError(
        f"{name} ({type(interface).__name__}) has no get_generator() and no to_list(): "
        "nothing it emits could be seen; see the README, 'Your own interface'"
    )
