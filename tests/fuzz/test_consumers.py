"""How a target is recognised and fed; every example has a consumer of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from harness import (
    FunctionArgumentsStreamHandler,
    QueuingInterface,
    StreamingServerInterface,
    UsageError,
)
from harness.debug.outcomes import Call, Outcome
from harness.fuzz import check, said
from harness.fuzz.checking import judge_of, offered
from harness.fuzz.consumers import Wanted, consumer_of
from harness.fuzz.example_runner import Level
from harness.fuzz.finding_cassettes import event_bytes
from harness.fuzz.probes import probes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from openai.types.chat import ChatCompletionChunk

_TEXT = probes()["content"]


def _dicts(chunks: Iterator[dict[str, Any]]) -> str:
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks)


def _objects(chunks: Iterator[ChatCompletionChunk]) -> str:
    return "".join(c.choices[0].delta.content or "" for c in chunks)


def _events(chunks: Iterator[dict[str, Any]]) -> Iterator[str]:
    for chunk in chunks:
        yield chunk["choices"][0]["delta"].get("content") or ""


async def _awaited(chunks: AsyncIterator[dict[str, Any]]) -> str:
    return "".join(
        [c["choices"][0]["delta"].get("content") or "" async for c in chunks]
    )


async def _async_events(chunks: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield chunk["choices"][0]["delta"].get("content") or ""


def _bytes(pieces: Iterator[bytes]) -> str:
    return "Seven grey geese." if b"geese" in b"".join(pieces) else ""


def _base_url(base_url: str) -> str:
    import httpx

    body = {"model": "model", "messages": [], "stream": True}
    answer = httpx.post(f"{base_url}/chat/completions", json=body)
    return "Seven grey geese." if "geese" in answer.text else answer.text


class _Listing:
    """An interface with `process_chunk` and `to_list`."""

    def __init__(self) -> None:
        self._items: list[str] = []

    def process_chunk(self, chunk: Any, message_id: str, date: Any) -> None:
        self._items += [c.delta.content for c in chunk.choices if c.delta.content]

    def to_list(self) -> list[str]:
        items, self._items = self._items, []
        return items


class _Generating(_Listing):
    """An interface with `process_chunk` and `get_generator`."""

    is_over = False

    def step_yield(self) -> None:
        self.is_over = True

    async def get_generator(self) -> AsyncIterator[str]:
        import asyncio

        while not (self.is_over and not self._items):
            for item in self.to_list():
                yield item
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("target", "level", "fed"),
    [
        (_dicts, Level.CHUNKS, _TEXT),
        (_objects, Level.CHUNKS, _TEXT),
        (_events, Level.CHUNKS, _TEXT),
        (_awaited, Level.CHUNKS, _TEXT),
        (_async_events, Level.CHUNKS, _TEXT),
        (_bytes, Level.BYTES, event_bytes(_TEXT)),
        (_base_url, Level.URL, event_bytes(_TEXT)),
        (_Listing, Level.INTERFACE, _TEXT),
        (_Listing(), Level.INTERFACE, _TEXT),
        (_Generating, Level.INTERFACE, _TEXT),
    ],
)
def test_level_is_chosen_and_text_comes_out(
    target: object, level: Level, fed: Any
) -> None:
    """Class, object, factory and function, sync and async: each is fed its way."""
    judge = judge_of(target, Wanted())
    assert judge.consumer.level is level
    assert judge.run(tuple(fed)) == Outcome({"text": "Seven grey geese."})


def test_our_own_are_recognised() -> None:
    """The handler and both interfaces, by class and by name."""
    handler = consumer_of(FunctionArgumentsStreamHandler, "handler")
    assert handler.run(('{"message": "a', 'b"}')) == Outcome({"text": "ab"})
    expected = Outcome({}, (Call("look_up", '{"bird": "goose", "many": 7}'),))
    for target in (StreamingServerInterface, "streaming"):
        assert said(target, probes()["calls"]) == expected
    queued = said(QueuingInterface, probes()["calls"])
    assert queued.texts == {"function_call": "look_up({'bird': 'goose', 'many': 7})"}


def test_object_is_copied_for_every_example() -> None:
    """What one example leaves behind does not reach the next, nor the object."""
    target = _Listing()
    target._items.append("left over")
    consumer = consumer_of(target, "listing")
    assert consumer.run(_TEXT) == consumer.run(_TEXT)
    assert target._items == ["left over"]


def test_payloads_are_not_shared() -> None:
    """A consumer that changes its chunks changes nobody else's."""

    def empties(chunks: Iterator[dict[str, Any]]) -> str:
        text = ""
        for chunk in chunks:
            delta = chunk["choices"][0]["delta"]
            text += delta.pop("content", None) or ""
        return text

    assert said(empties, _TEXT) == said(empties, _TEXT) != Outcome()


def test_own_outcome_is_used() -> None:
    """A target's `outcome` decides what counts; here only the length."""

    class Reader:
        def __call__(self, chunks: Iterator[Any]) -> str:
            return "".join(map(str, chunks))

        @staticmethod
        def outcome(items: list[str]) -> str:
            return str(len(items))

    assert said(Reader, _TEXT) == Outcome({"text": "1"})


def test_documented_error_is_no_finding() -> None:
    """An exception that the target lists is meant on a broken stream; others not."""

    class Reader:
        documented_errors: tuple[type[Exception], ...] = ()

        def __call__(self, chunks: Iterator[dict[str, Any]]) -> str:
            reasons = [c["choices"][0].get("finish_reason") for c in chunks]
            if not any(reasons):
                raise LookupError("no finish")
            return ""

    class Documented(Reader):
        documented_errors = (LookupError,)

    with pytest.raises(AssertionError, match="LookupError"):
        check(Reader, _TEXT, relation="faults", fault="no-finish")
    check(Documented, _TEXT, relation="faults", fault="no-finish")


def test_wrong_names_are_told() -> None:
    """A relation or level that does not exist is a usage error, with the choice."""
    with pytest.raises(UsageError, match="split-invariance"):
        check(_dicts, _TEXT, relation="split")
    with pytest.raises(UsageError, match="handler, interface"):
        said(_dicts, _TEXT, level="chunk")


@pytest.mark.parametrize(
    ("target", "is_offered"),
    [
        ("queuing", True),
        ("streaming", True),
        ("harness:QueuingInterface", True),
        ("harness:StreamingServerInterface", True),
        (type("Mine", (StreamingServerInterface,), {}), False),
    ],
)
def test_our_interfaces_are_compared_however_they_are_named(
    target: object, *, is_offered: bool
) -> None:
    """The relation is about the two classes, not about a name of them."""
    judge = judge_of(target, Wanted())
    assert ("interfaces" in offered(judge)) is is_offered
    if is_offered:
        assert offered(judge, ["interfaces"]) == ("interfaces",)


class _Unbound:
    def read(self, chunks: Any) -> str:
        return "".join(map(str, chunks))


@pytest.mark.parametrize(
    "target",
    [_Unbound.read, lambda one, two: (one, two), lambda *, chunks: chunks],
    ids=["unbound", "two", "named-only"],
)
def test_callable_of_other_arguments_is_refused(target: Any) -> None:
    """What cannot be called with one argument is a mistake, and no finding."""
    with pytest.raises(UsageError, match="is called with one argument"):
        check(target, _TEXT, relation="agreement")


@pytest.mark.filterwarnings(
    # Python 3.15 counts the thread of pytest-xdist, which holds no lock.
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)
def test_copy_of_the_process_that_comes_back_is_ended() -> None:
    """A target that forks, and whose child returns, is run once."""

    def forks(chunks: Any) -> str:
        text = _dicts(chunks)
        if child := os.fork():
            assert os.waitpid(child, 0) == (child, 0)
        return text

    check(forks, _TEXT, relation="agreement")


@pytest.mark.parametrize("relation", ["agreement", "nothing-lost", "prefix-safety"])
def test_bytes_that_are_passed_on_are_a_stream(relation: str) -> None:
    """Wherever they are cut, however framed; the last event may lack its end."""

    def passes(pieces: Iterable[bytes]) -> Iterator[bytes]:
        yield from pieces

    def decodes(pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece.decode("utf-8", "ignore").encode()

    chunk = '{"choices":[{"index":0,"delta":{"content":"gr\u00fc\u00df"}}]}'
    body = f"retry: 3\r\n\r\ndata: {chunk}\r\n\r\ndata: {chunk}".encode()
    pieces = [body[n : n + 1] for n in range(len(body))]
    check(passes, pieces, relation=relation, level="bytes")
    if relation != "prefix-safety":
        with pytest.raises(AssertionError):
            check(decodes, pieces, relation=relation, level="bytes")
