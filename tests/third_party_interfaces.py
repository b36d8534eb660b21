"""Interfaces as other people write them: nothing here knows harness.

Each is what somebody could have in their own server, down to its faults. All of
them emit plain dicts, so that the same stream must give the same list through each.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator


class Agentic:
    """What all of them do with the calls of an agent; how it gets out differs."""

    def push(self, item: dict[str, Any]) -> None:
        raise NotImplementedError

    def process_chunk(self, chunk: Any, message_id: str, message_date: Any) -> None:
        for choice in chunk.choices:
            if choice.delta is None:
                continue
            if choice.delta.content:
                self.push({"id": message_id, "text": choice.delta.content})
            for call in choice.delta.tool_calls or []:
                self.push({"id": message_id, "arguments": call.function.arguments})

    def stream_start(self) -> None:
        """Nothing to prepare."""

    def stream_end(self) -> None:
        self.push({"done": "generation"})

    def internal_monologue(self, msg: str, msg_obj: Any = None) -> None:
        self.push({"id": msg_obj.id, "thought": msg})

    def user_message(self, msg: str, msg_obj: Any = None) -> None:
        self.push({"user": msg})

    def assistant_message(self, msg: str, msg_obj: Any = None) -> None:
        self.push({"says": msg})

    def function_message(self, msg: str, msg_obj: Any = None) -> None:
        self.push({"id": msg_obj.id, "call": msg})

    def step_complete(self) -> None:
        self.push({"done": "step"})

    def step_yield(self) -> None:
        """Overridden by those that end something."""


class EventInterface(Agentic):
    """In the seed's manner: a deque, an event, a generator that waits with a time-out.

    Asked for its generator while inactive it raises `StopIteration`.
    """

    def __init__(self, multi_step: bool = True, timeout: float = 30) -> None:
        self.streaming_mode = False
        self.multi_step = multi_step
        self._waiting: deque[dict[str, Any]] = deque()
        self._event = asyncio.Event()
        self._timeout = timeout
        self._active = False

    def push(self, item: dict[str, Any]) -> None:
        assert self._active, "pushed while inactive"
        self._waiting.append(item)
        self._event.set()

    def stream_start(self) -> None:
        if not self._active:
            self._active = True
            self._waiting.clear()
            self._event.clear()

    def step_complete(self) -> None:
        if self.multi_step:
            super().step_complete()
        else:
            self.step_yield()

    def step_yield(self) -> None:
        self._active = False
        self._event.set()

    def get_generator(self) -> AsyncGenerator[dict[str, Any], None]:
        if not self._active:
            raise StopIteration
        return self._generate()

    async def _generate(self) -> AsyncGenerator[dict[str, Any], None]:
        while self._active:
            try:
                await asyncio.wait_for(self._event.wait(), timeout=self._timeout)
            except TimeoutError:
                return
            while self._waiting:
                yield self._waiting.popleft()
            self._event.clear()


class PollingInterface(Agentic):
    """Looks into its list every few milliseconds."""

    def __init__(self) -> None:
        self._items: list[dict[str, Any] | None] = []

    def push(self, item: dict[str, Any]) -> None:
        self._items.append(item)

    def step_yield(self) -> None:
        self._items.append(None)

    async def get_generator(self) -> AsyncGenerator[dict[str, Any], None]:
        while True:
            while not self._items:  # noqa: ASYNC110 - people do
                await asyncio.sleep(0.005)
            item = self._items.pop(0)
            if item is None:
                return
            yield item


class QueueInterface(Agentic):
    """An `asyncio.Queue` with a sentinel."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def push(self, item: dict[str, Any]) -> None:
        self._queue.put_nowait(item)

    def step_yield(self) -> None:
        self._queue.put_nowait(None)

    async def get_generator(self) -> AsyncGenerator[dict[str, Any], None]:
        while (item := await self._queue.get()) is not None:
            yield item


class ListInterface(Agentic):
    """No generator at all: a list that is emptied by its reader."""

    def __init__(self) -> None:
        self._items: list[dict[str, Any]] = []

    def push(self, item: dict[str, Any]) -> None:
        self._items.append(item)

    def to_list(self) -> list[dict[str, Any]]:
        items, self._items = self._items, []
        return items


class ChunksOnly:
    """Lacks everything but what it needs to show text."""

    def __init__(self) -> None:
        self._texts: asyncio.Queue[str] = asyncio.Queue()

    def process_chunk(self, chunk: Any, message_id: str, message_date: Any) -> None:
        for choice in chunk.choices:
            if choice.delta and choice.delta.content:
                self._texts.put_nowait(choice.delta.content)

    async def get_generator(self) -> AsyncGenerator[str, None]:
        while True:
            yield await self._texts.get()


class StepsOnly:
    """Wants whole messages and has no method for chunks."""

    def __init__(self) -> None:
        self._out: list[str] = []

    def internal_monologue(self, msg: str, msg_obj: Any = None) -> None:
        self._out.append(msg)

    def to_list(self, style: str = "obj") -> list[str]:
        out, self._out = self._out, []
        return [f"{style}: {text}" for text in out]


class FirstChoiceInterface(ListInterface):
    """Reads `choices[0]`, as many consumers do, and so dies of a usage chunk."""

    def process_chunk(self, chunk: Any, message_id: str, message_date: Any) -> None:
        self.push({"text": chunk.choices[0].delta.content})


class ForgetsTheEnd(QueueInterface):
    """Its generator waits for an end that never comes."""

    def step_yield(self) -> None:
        """Forgotten."""


class IgnoresCancelling(QueueInterface):
    """Waits on, whatever happens to it."""

    def step_yield(self) -> None:
        """Forgotten."""

    async def get_generator(self) -> AsyncGenerator[dict[str, Any], None]:
        for _ in range(3):
            try:
                yield await self._get()
            except asyncio.CancelledError:
                continue

    async def _get(self) -> dict[str, Any]:
        while True:
            item = await self._queue.get()
            if item is not None:
                return item


class EndsEachStep(QueueInterface):
    """Ends its generator after each step instead of at the end."""

    def step_complete(self) -> None:
        super().step_complete()
        self._queue.put_nowait(None)


class GeneratorRaises(QueueInterface):
    """Its generator trips over the second thing it delivers."""

    async def get_generator(self) -> AsyncGenerator[dict[str, Any], None]:
        yield await self._some()
        await self._some()
        raise KeyError("second")

    async def _some(self) -> dict[str, Any]:
        item = await self._queue.get()
        assert item is not None
        return item


class PlainGenerator(ListInterface):
    """Returns something to iterate, but not asynchronously."""

    def get_generator(self) -> Iterator[dict[str, Any]]:
        return iter(self._items)


class AwaitedGenerator(QueueInterface):
    """Its `get_generator` must be awaited, which no server of the seed's kind does."""

    async def get_generator(self) -> list[dict[str, Any]]:  # type: ignore[override]
        return []


class AsyncChunks(ListInterface):
    """Takes chunks in a coroutine function, which nobody awaits."""

    async def process_chunk(  # type: ignore[override]
        self, chunk: Any, message_id: str, message_date: Any
    ) -> None:
        self.push({"text": "never"})


class Nothing(Agentic):
    """Offers no way to read it."""

    def push(self, item: dict[str, Any]) -> None:
        """Thrown away."""


def make_event_interface() -> EventInterface:
    """A factory without arguments."""
    return EventInterface()


def make_anything(**options: Any) -> ListInterface:
    """A factory that takes whatever it is given."""
    made = ListInterface()
    made.push({"options": options})
    return made


def make_nothing() -> None:
    """A factory that forgot to return."""


class Choosy(ListInterface):
    """A class with one argument of the seed's names and one of its own."""

    def __init__(self, use_assistant_message: bool, own: str = "default") -> None:
        super().__init__()
        self.push({"assistant": use_assistant_message, "own": own})


class NeedsMore(ListInterface):
    """A class that cannot be made without something nobody knows."""

    def __init__(self, secret: str) -> None:
        super().__init__()


class Package:
    """Where nested names lead to."""

    class Inner(ListInterface):
        """A class inside a class."""

    instance = ListInterface()
    not_an_interface = 3
