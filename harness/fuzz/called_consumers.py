"""Consumers that are called with a whole stream, sync or async.

What they yield or return is their answer. Items are copied for each example, because
a consumer may change what it was given.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import TYPE_CHECKING, Any

from harness.apis.chat.models import to_model
from harness.errors import UsageError
from harness.fuzz.current_example import CURRENT
from harness.fuzz.example_runner import Consumer, Level, copied, example_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from harness.debug.outcomes import Outcome


class CalledConsumer(Consumer):
    """A callable over an iterator of what arrives; returns a value or an iterator."""

    is_async = False

    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Call it; what it yields or returns is its answer."""
        feed, given, named = self._fed(fed)
        CURRENT.taken = 0
        return call_and_fold(
            self, given, named, counts=lambda: not (is_beginning and feed.is_over)
        )

    def closed(self, fed: Sequence[Any], taken: int) -> Outcome:
        """Take some of what it yields, then close it: what came out of closing.

        Args:
            fed: What it is called with.
            taken: How many of its items are taken.
        """
        _, given, named = self._fed(fed)
        error: BaseException | None = None
        try:
            result = self.make()(given, **named)
            if inspect.isasyncgen(result):
                example_loop().run_until_complete(_aclose(result, taken))
            elif inspect.isgenerator(result):
                for _ in zip(range(taken), result, strict=False):
                    pass
                result.close()
            elif inspect.iscoroutine(result):
                result.close()  # it returns a value, which nobody can close
        except (Exception, SystemExit) as raised:  # noqa: BLE001 - whatever it raises
            error = raised
        return self.outcome_of([], None, error)

    def _fed(self, fed: Sequence[Any]) -> tuple[_Feed, Any, dict[str, str]]:
        api, named = self.named(fed)
        feed = _Feed(self.items(fed, api))
        return feed, feed.aiter() if self.is_async else iter(feed), named

    def items(self, fed: Sequence[Any], api: str) -> Iterator[Any]:  # noqa: ARG002 - of chunks
        """Return what it is called with."""
        return iter(fed)


class BytesConsumer(CalledConsumer):
    """A callable over an iterator of the bytes of an event stream."""

    level = Level.BYTES


class ChunksConsumer(CalledConsumer):
    """A callable over an iterator of chunks."""

    level = Level.CHUNKS

    def __init__(
        self,
        make: Callable[[], Any],
        name: str,
        *,
        form: str = "dict",
        is_async: bool = False,
        documented: tuple[type[BaseException], ...] = (),
        outcome: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        super().__init__(make, name, documented=documented, outcome=outcome)
        self.is_async = is_async
        self._convert = _CONVERTERS[form]()

    def items(self, fed: Sequence[Any], api: str) -> Iterator[Any]:
        """Return the chunks in the form that it takes, each made when it is taken."""
        return (self._convert(payload, api) for payload in fed)


class _Feed:
    """Items to an iterator that remembers when it ran out."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items
        self.is_over = False

    def __iter__(self) -> Iterator[Any]:
        for CURRENT.taken, item in enumerate(self._items, 1):
            yield item
        self.is_over = True

    async def aiter(self) -> AsyncIterator[Any]:
        """Yield the items to whoever waits for them."""
        for item in self:
            yield item
            await asyncio.sleep(0)


async def _aclose(items: Any, taken: int) -> None:
    for _ in range(taken):
        await anext(items, None)
    await items.aclose()


_LAST_CALLS = ("close", "finish", "flush", "end", "done", "result")


def fed(make: Callable[[], Any]) -> Callable[[], Any]:
    """Return what makes callables of objects with `feed`, and maybe `close`.

    What `feed` returns was emitted, and so was what the first of `close`, `finish`,
    `flush`, `end`, `done` and `result` returns that there is.
    """

    def call(items: Iterator[Any]) -> Iterator[Any]:
        reader = make()
        for item in items:
            yield from _emitted(reader.feed(item))
        for name in _LAST_CALLS:
            last = getattr(reader, name, None)
            if callable(last) and (emitted := list(_emitted(last()))):
                yield from emitted
                return

    return lambda: call


def _emitted(value: Any) -> Iterator[Any]:
    if isinstance(value, list) or _is_iterator(value):
        yield from value
    elif value is not None:
        yield value


def must_take_one(call: Any, name: str, *, names_api: bool) -> None:
    """Refuse a callable that cannot be called with what has arrived.

    Args:
        call: The callable.
        name: How the error calls it.
        names_api: Whether it is given the parameter `api`, too.

    Raises:
        UsageError: It wants more arguments, or fewer.
    """
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # a builtin without a signature
        return
    try:
        signature.bind(None, **({"api": ""} if names_api else {}))
    except TypeError as error:
        raise UsageError(
            f"{name} is called with one argument, what has arrived, and takes "
            f"{signature} ({error}); name a function of one argument that calls it, or "
            "a method of an object instead of its class"
        ) from None


def call_and_fold(
    consumer: Consumer,
    given: Any,
    named: dict[str, str],
    *,
    counts: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Call a callable and fold what it yields or returns, awaited where needed.

    Args:
        consumer: Makes the callable.
        given: What it is called with.
        named: Arguments besides: `api`, for a consumer that asks for it.
        counts: Asked for every item that it yields.
    """
    items: list[Any] = []
    value: Any = None
    error: BaseException | None = None
    own = os.getpid()

    def add(item: Any) -> None:
        if counts():
            items.append(item)

    try:
        result = consumer.make()(given, **named)
        if inspect.isawaitable(result) or hasattr(result, "__aiter__"):
            value = example_loop().run_until_complete(_collect(result, add))
        elif _is_iterator(result):
            for item in result:
                add(item)
        else:
            value = result
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - whatever it raises
        error = raised
    if os.getpid() != own:
        os._exit(0)  # a copy of this process that the consumer made and let come back
    CURRENT.emits = bool(items)
    return consumer.outcome_of(items, value, error)


async def _collect(result: Any, add: Callable[[Any], None]) -> Any:
    if inspect.isawaitable(result):
        result = await result
    if hasattr(result, "__aiter__"):
        async for item in result:
            add(item)
        return None
    if not _is_iterator(result):
        return result
    for item in result:
        add(item)
    return None


def _is_iterator(value: Any) -> bool:
    return hasattr(value, "__next__") or inspect.isgenerator(value)


def _sdk_converter() -> Callable[[Any, str], Any]:
    from harness.apis.sdk_objects import typed_event

    return lambda payload, api: typed_event(api, copied(payload))


_CONVERTERS: dict[str, Callable[[], Callable[[Any, str], Any]]] = {
    "dict": lambda: lambda payload, _: copied(payload),
    "model": lambda: lambda payload, _: to_model(copied(payload)),
    "sdk": _sdk_converter,
}
