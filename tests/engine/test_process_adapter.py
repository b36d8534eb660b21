"""Interfaces that take the whole stream: `async def process(stream)`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from harness import InterfaceError, areplay, replay, replay_iter
from harness.core.diagnostics import DiagnosticKind
from tests.engine.made import call, cassette, exchange, finish, sse, text, user

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anthropic.types import RawMessageStreamEvent
    from openai import AsyncStream
    from openai.types.chat import ChatCompletionChunk

ASK = [user("x")]


def two_steps() -> Any:
    """Return a cassette of two responses, the first with a call."""
    first = sse(
        text("a"),
        text("b"),
        call("{}", call_id="c1", name="look"),
        finish("tool_calls"),
    )
    return cassette(
        exchange(first, ASK), exchange(sse(text("c"), finish()), [user("y")])
    )


class Reader:
    """In the manner of Letta's later classes: one object a response."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.content: list[str] = []
        self.calls: dict[int, str] = {}

    async def process(self, stream: Any) -> AsyncGenerator[dict[str, Any], None]:
        async with stream:
            async for chunk in stream:
                for choice in chunk.choices:
                    if choice.delta.content:
                        self.content.append(choice.delta.content)
                        yield {"text": choice.delta.content}
                    for one in choice.delta.tool_calls or []:
                        self.calls[one.index] = one.function.name
        await stream.close()

    def get_content(self) -> list[dict[str, Any]]:
        return [{"content": "".join(self.content)}]

    def get_tool_call_objects(self) -> list[dict[str, Any]]:
        return [{"call": name} for name in self.calls.values()]


def test_each_fragment_comes_out_at_its_chunk_and_results_at_the_end() -> None:
    """A class is made once a response; what it collected is asked for after each."""
    Reader.made = 0
    transcript = replay(two_steps(), Reader)
    assert [(e.exchange, e.chunk, e.message) for e in transcript.emissions] == [
        (0, 0, {"text": "a"}),
        (0, 1, {"text": "b"}),
        (0, None, {"content": "ab"}),
        (0, None, {"call": "look"}),
        (1, 0, {"text": "c"}),
        (1, None, {"content": "c"}),
    ]
    assert Reader.made == 2
    assert [d.kind for d in transcript.diagnostics] == [
        DiagnosticKind.UNRECORDED_RESULT
    ]


def test_an_object_gets_every_stream_also_in_a_running_loop() -> None:
    """`areplay` gives what `replay` gives; an object that was given is kept."""
    plain = replay(two_steps(), Reader).emissions
    waited = asyncio.run(areplay(two_steps(), Reader)).emissions
    assert waited == plain
    kept = replay(two_steps(), Reader()).emissions
    assert kept[-2].message == {"content": "abc"}


def test_splits_and_whole_answers_reach_it() -> None:
    """A stream cut otherwise is the same text."""
    cut = replay(two_steps(), Reader, split="chars").emissions
    assert [e.message for e in cut if "content" in e.message] == [
        {"content": "ab"},
        {"content": "c"},
    ]


class Stops(Reader):
    """Ends at the first chunk."""

    async def process(self, stream: Any) -> AsyncGenerator[dict[str, Any], None]:
        async for chunk in stream:
            yield {"text": chunk.choices[0].delta.content}
            return


class Hangs(Reader):
    """Waits for something after the end of its stream."""

    async def process(self, stream: Any) -> AsyncGenerator[dict[str, Any], None]:
        async for _ in stream:
            yield {}
        await asyncio.Event().wait()


def test_generator_that_ends_early_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not see, and that it never ends; a finish alone is not missed."""
    made = cassette(exchange(sse(text("a"), text("b"), finish()), ASK))
    (found,) = replay(made, Stops).diagnostics
    assert found.kind is DiagnosticKind.ENDED_EARLY
    assert (found.chunk, "the end of its stream" in found.text) == (1, True)
    made = cassette(exchange(sse(text("a"), finish()), ASK))
    assert replay(made, Stops).diagnostics == []
    monkeypatch.setattr("harness.engine.generator_adapter._END_TIMEOUT_S", 0.01)
    (found,) = replay(made, Hangs).diagnostics
    assert found.kind is DiagnosticKind.NEVER_ENDED


class Raises(Reader):
    """Raises at the second chunk."""

    async def process(self, stream: Any) -> AsyncGenerator[dict[str, Any], None]:
        number = 0
        async for _ in stream:
            yield {"n": number}
            number += 1
            if number == 2:
                raise KeyError("second")


class BadResult(Reader):
    """Raises where its calls are asked for."""

    def get_tool_call_objects(self) -> list[dict[str, Any]]:
        raise TypeError("no calls")


class NoGenerator(Reader):
    """A coroutine where a generator belongs."""

    async def process(self, stream: Any) -> Any:  # type: ignore[override]
        del stream


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Raises, r"exchange 0, chunk 1: .*\.process\(\) raised KeyError: 'second'"),
        (BadResult, r"get_tool_call_objects\(\) raised TypeError: no calls"),
        (NoGenerator, r"process\(\) must return an async generator, got coroutine"),
    ],
)
def test_exception_names_method_and_place(kind: type, problem: str) -> None:
    """As of every interface; what came before is seen."""
    made = cassette(exchange(sse(text("a"), text("b"), finish()), ASK))
    with pytest.raises(InterfaceError, match=problem):
        list(replay_iter(made, kind))


class OwnEvents(Reader):
    """Takes Anthropic's events."""

    async def process(
        self,
        stream: AsyncStream[RawMessageStreamEvent],
    ) -> AsyncGenerator[dict[str, Any], None]:
        async for event in stream:
            yield {"type": type(event).__name__}


class Typed(Reader):
    """Takes the objects of the OpenAI SDK."""

    async def process(
        self,
        stream: AsyncStream[ChatCompletionChunk],
    ) -> AsyncGenerator[dict[str, Any], None]:
        async for chunk in stream:
            yield {"module": type(chunk).__module__.partition(".")[0]}


@pytest.mark.slow  # imports both SDKs
def test_annotation_decides_what_the_stream_holds() -> None:
    """An API's own events as its SDK's objects; chat chunks where it names those."""
    pytest.importorskip("anthropic")
    pytest.importorskip("openai")
    from tests.anthropic_streams import answer, delta, opened, stopped

    events = answer(
        opened(0, "text", text=""), delta(0, "text_delta", text="a"), stopped(0)
    )
    body = "".join(
        f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events
    )
    native = cassette(body)
    seen = [e.message.get("type") for e in replay(native, OwnEvents).emissions]
    assert seen[0] == "RawMessageStartEvent"
    chat = cassette(exchange(sse(text("a"), finish()), ASK))
    seen = [e.message.get("module") for e in replay(chat, Typed).emissions]
    assert seen[:2] == ["openai", "openai"]
