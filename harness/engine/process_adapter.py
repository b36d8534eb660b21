"""A user's interface that takes the whole stream: `async def process(stream)`.

The shape of Letta's later classes and of many consumers of an SDK: an async generator
over what the SDK's client returns. The stream object given to it is an async iterator
and an async context manager with `close()`, as the SDKs' are; it is fed an event at a
time, so that what comes out belongs to that event.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self

from harness.apis.sdk_objects import is_dropped, typed_event, wants_typed
from harness.core.parts import Finish
from harness.engine.adapter_base import Mode, first_annotation
from harness.engine.generator_adapter import GeneratorAdapter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime

    from harness.apis.chat.chunks import Chunk, Payload
    from harness.core.parts import Part

# What an annotation holds, as it is written or as the union that the SDK's name means,
# for the APIs whose events differ from chat chunks.
_EVENTS = {
    "anthropic": ("MessageStreamEvent", "RawMessageStartEvent"),
    "responses": ("ResponseStreamEvent", "ResponseCreatedEvent"),
    "gemini": ("GenerateContentResponse",),
}
# What is asked of it when its stream is over, as its agent asks: each group's first.
_RESULTS = (
    ("get_content", "get_reasoning_content"),
    ("get_tool_call_objects", "get_tool_call_object"),
)


class _Stream:
    """What the interface reads: as `openai.AsyncStream`, without the network."""

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._awake: asyncio.Future[None] | None = None
        self.has_ended = False

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._wake()

    def end(self) -> None:
        self.has_ended = True
        self._wake()

    def _wake(self) -> None:
        if self._awake is not None and not self._awake.done():
            self._awake.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        import asyncio

        while not self._items:
            if self.has_ended:
                raise StopAsyncIteration
            self._awake = asyncio.get_running_loop().create_future()
            await self._awake
        return self._items.pop(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    aclose = close


class ProcessAdapter(GeneratorAdapter):
    """Feeds `process(stream)`, one call a response.

    Args:
        interface: The object.
        name: How messages call it.
        mode: As for every adapter.
        make: Makes another one for each response after the first, as Letta does; None
            where a caller gave the object, which then gets every stream.
    """

    method = "process"
    ends_at = "the end of its stream"

    def __init__(
        self,
        interface: Any,
        name: str,
        mode: Mode | None,
        *,
        make: Callable[[], Any] | None,
    ) -> None:
        super().__init__(interface, name, mode)
        self.takes_chunks = True
        self._chat = True  # a whole answer is one chunk of its stream
        self._make = make
        self._stream: _Stream | None = None
        self._is_used = False
        self._has_missed = False
        self._is_stuck = False  # a generator went on after its stream's end
        annotation = first_annotation(interface.process)
        self._is_typed = wants_typed(annotation) or wants_typed(repr(annotation))
        self._named = annotation if isinstance(annotation, str) else repr(annotation)

    def takes_events(self, api: str) -> bool:
        """Return whether `process` is annotated with the events of this API."""
        return any(name in self._named for name in _EVENTS.get(api, ()))

    @property
    def has_ended(self) -> bool:
        """Whether the generator ended and then missed more than the end."""
        return self._has_missed

    def feed(
        self,
        chunk: Chunk,
        parts: list[Part],
        message_id: str,  # noqa: ARG002 - the interface makes its own
        date: datetime,  # noqa: ARG002 - see `message_id`
    ) -> None:
        """Put a chunk into the stream."""
        self.feed_chunk(chunk.payload)
        self._note_missed(any(not isinstance(part, Finish) for part in parts))

    def feed_chunk(self, payload: Payload) -> None:
        """Put a chat chunk into the stream: the SDK's object where annotated so."""
        if self._is_typed and "ChatCompletionChunk" in self._named:
            self._open_stream().put(typed_event("chat", payload))
            return
        # Not at the top: an interface of ours has no need of a model.
        from harness.apis.chat.models import to_model

        self._open_stream().put(to_model(payload))

    def feed_event(self, api: str, payload: Payload) -> None:
        """Put an API's own event into the stream, as its SDK's object."""
        if is_dropped(api, payload):
            return
        is_beta = "Beta" in self._named
        self._open_stream().put(typed_event(api, payload, is_beta=is_beta))
        self._note_missed(has_text=True)

    def call(self, method: str, *arguments: Any) -> None:
        """Begin and end streams; other methods are called where it has them."""
        if method == "stream_end" and self._stream is not None:
            self._stream.end()
        elif method not in {"stream_start", "stream_end"}:
            super().call(method, *arguments)

    def open(self) -> None:
        """Start reading the stream, if one has begun that is not read yet."""
        if self._stream is not None and self._task is None and not self._is_used:
            self._is_used = True
            self.start(self._generator(self._stream))

    async def settle(self) -> None:
        """Let the reader run; behind the end of its stream wait for its own end."""
        await super().settle()
        stream = self._stream
        if stream is None or not stream.has_ended:
            return
        self._stream = None
        if await super().end():
            await self._take_results()
        else:
            self._is_stuck = True

    async def end(self) -> bool:
        """Return whether every generator of the conversation ended with its stream."""
        is_stuck, self._is_stuck, self._has_missed = self._is_stuck, False, False
        return not is_stuck

    def _open_stream(self) -> _Stream:
        if self._stream is None:
            if self._is_used and self._make is not None:
                self.interface = self._make()
            self._is_used = self._has_missed = False
            self._stream = _Stream()
        return self._stream

    def _note_missed(self, has_text: bool) -> None:  # noqa: FBT001 - what it notes
        task = self._task
        self._has_missed |= has_text and task is not None and task.done()

    def _generator(self, stream: _Stream) -> Any:
        try:
            return self.interface.process(stream)
        except Exception as error:
            raise self.failure(self.method, error) from error

    async def _take_results(self) -> None:
        """Ask for what its agent would ask for, and emit it."""
        for names in _RESULTS:
            name = next((n for n in names if hasattr(self.interface, n)), None)
            if name is None:
                continue
            try:
                found = getattr(self.interface, name)()
                found = await found if inspect.isawaitable(found) else found
            except ValueError:
                if not name.endswith("_object"):
                    raise
                found = None  # its way to state that there was no call
            except Exception as error:
                raise self.failure(name, error) from error
            if found is not None:
                self._out += found if isinstance(found, list) else [found]
