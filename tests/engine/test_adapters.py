"""Interfaces of any make through the same replay: ours, and other people's."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from harness.agents.letta.light_messages import MessageStreamStatus
from harness.agents.letta.queuing import QueuingInterface
from harness.agents.letta.streaming import StreamingServerInterface
from harness.engine import generator_adapter
from harness.engine.adapter_base import Mode
from harness.engine.adapters import adapt
from harness.engine.agent_options import AgentOptions
from harness.engine.emission import Emission
from harness.engine.event_loop import OwnLoop
from harness.engine.replay import areplay, replay, replay_iter
from harness.errors import InterfaceError, UsageError
from tests import third_party_interfaces as theirs
from tests.engine.made import (
    asked,
    call,
    cassette,
    chunk,
    exchange,
    finish,
    result,
    sse,
    text,
    user,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.model import Cassette
    from harness.engine.transcript import Transcript

MODES = list(Mode)
ASK = [user("hi")]
SPEAK = ("c2", "send_message", '{"message": "Sunny."}')


def full() -> Cassette:
    """Return two conversations: streamed, failed, whole, broken arguments, parallel."""
    weather = ("c1", "weather", '{"city": "Rome"}')
    later = [*ASK, asked(weather, SPEAK), result("c1", "21")]
    return cassette(
        exchange(
            sse(
                chunk(choices=[]),
                text("Look"),
                text("ing."),
                call("", index=0, call_id="c1", name="weather"),
                call('{"city": ', index=0),
                call('"Rome"}', index=0),
                call("", index=1, call_id="c2", name="send_message"),
                call('{"message": "Su', index=1),
                call('nny."}', index=1),
                finish("tool_calls"),
                chunk(choices=[], usage={"total_tokens": 3}),
            ),
            ASK,
            wire=None,
        ),
        exchange("oops", later, status=500),
        exchange(whole({"role": "assistant", "content": "Done."}), later),
        exchange(
            sse(call('{"a" 1}', call_id="c3", name="f"), finish()), [user("again")]
        ),
    )


OURS: list[tuple[str, Callable[[], Any], Mode | None]] = [
    *[(f"streaming {mode}", StreamingServerInterface, mode) for mode in MODES],
    ("queuing", QueuingInterface, None),
]
THEIRS: list[tuple[str, Callable[[], Any], Mode | None]] = [
    (f"{kind.__name__} {mode}", kind, mode)
    for kind in (
        theirs.EventInterface,
        theirs.QueueInterface,
        theirs.ListInterface,
    )
    for mode in (Mode.TOKENS, Mode.STEPS)
]
EVERY = [pytest.param(make, mode, id=name) for name, make, mode in [*OURS, *THEIRS]]


async def _areplay(*arguments: Any, **options: Any) -> Transcript:
    return await areplay(*arguments, **options)


@pytest.mark.parametrize("speaks", [False, True], ids=["calls", "assistant"])
@pytest.mark.parametrize(("make", "mode"), EVERY)
def test_three_ways_to_replay_give_the_same(
    make: Callable[[], Any], mode: Mode | None, speaks: bool
) -> None:
    """`replay`, `replay_iter` and `areplay` differ in how they are called only."""
    options = AgentOptions(use_assistant_message=speaks)
    at_once = replay(full(), make, mode=mode, options=options)
    iterator = replay_iter(full(), make, mode=mode, options=options)
    one_by_one = list(iterator)
    awaited = asyncio.run(_areplay(full(), make, mode=mode, options=options))
    assert at_once.emissions
    assert at_once.emissions == one_by_one == awaited.emissions
    assert at_once.to_jsonl() == awaited.to_jsonl()
    assert at_once.diagnostics == iterator.diagnostics == awaited.diagnostics
    # A `ToolCall` is itself and no other: its text is compared.
    assert repr(at_once.responses) == repr(awaited.responses)
    assert at_once == awaited


def _said(emission: Emission) -> list[str]:
    """Return the texts in an emission, whatever its shape."""
    shown = emission.to_dict()["message"]
    return re.findall(r"Done\.|Sunny\.|oops", json.dumps(shown))


@pytest.mark.parametrize(("make", "mode"), EVERY)
def test_whole_completion_is_heard_in_every_mode(
    make: Callable[[], Any], mode: Mode | None
) -> None:
    """A response without chunks is heard, where thoughts are heard at all."""
    transcript = replay(full(), make, mode=mode)
    heard = [e for e in transcript.emissions if "Done." in _said(e)]
    if mode is Mode.CHAT_COMPLETION:
        assert heard == []  # inner thoughts are silent there
    else:
        assert [(e.exchange, e.chunk) for e in heard] == [(2, None)]


def test_whole_completion_speaks_in_chat_completion_mode() -> None:
    """The assistant function of a completion that was not streamed becomes content."""
    message = {"role": "assistant", "content": "Hm.", "tool_calls": []}
    message["tool_calls"] = asked(SPEAK)["tool_calls"]
    transcript = replay(cassette(whole(message)), "streaming", mode="chat-completion")
    content = "".join(
        choice["delta"].get("content") or ""
        for chunk in transcript.messages
        for choice in chunk["choices"]
    )
    assert content == "Sunny."
    assert {e.chunk for e in transcript.emissions} == {None}


@pytest.mark.parametrize(
    ("interface", "mode"),
    [
        ("streaming", "tokens"),
        ("streaming", "steps"),
        ("streaming", "legacy"),
        ("queuing", None),
    ],
)
def test_raw_control_characters_in_arguments_are_heard_in_every_mode(
    interface: str, mode: str | None
) -> None:
    """A model that sends a bare line feed inside a string still speaks."""
    made = cassette(sse(call('{"message": "a\nb"}', call_id="c", name="send_message")))
    options = AgentOptions(use_assistant_message=True)
    transcript = replay(made, interface, mode=mode, options=options)
    shown = [e.to_dict()["message"] for e in transcript.emissions]
    said = [m["assistant_message"] for m in shown if "assistant_message" in m]
    assert "".join(said) == "a\nb"
    assert "malformed-arguments" not in {str(d.kind) for d in transcript.diagnostics}


@pytest.mark.parametrize(("make", "mode"), EVERY)
def test_one_object_replays_twice_alike(
    make: Callable[[], Any], mode: Mode | None
) -> None:
    """An object is left as it was found: its second replay is the first again."""
    interface = make()
    first = replay(full(), interface, mode=mode)
    noid = cassette(sse(text("x"), finish()), sse(call("{}", name="f"), finish()))
    other = replay(noid, interface, mode=mode)
    second = replay(full(), interface, mode=mode)
    assert second.emissions == first.emissions
    assert replay(noid, interface, mode=mode).emissions == other.emissions


def test_object_is_left_configured_as_it_was() -> None:
    """A whole completion at the end, or calls without id, leave no trace behind."""
    interface = StreamingServerInterface()
    interface.streaming_mode = True
    replay(cassette(whole({"role": "assistant", "content": "x"})), interface)
    assert interface.streaming_mode is True
    unnamed = sse(call("{}", name="f"), finish())
    replay(cassette(sse(text("x"), finish()), unnamed), interface)
    assert interface.call_id_prefix is None
    again = replay(cassette(unnamed), interface)
    assert again.emissions == replay(cassette(unnamed), "streaming").emissions


class _Slow(theirs.QueueInterface):
    """Delivers thirty items for each, a turn of the event loop apart."""

    async def get_generator(self) -> Any:
        async for item in super().get_generator():
            for _ in range(30):
                await asyncio.sleep(0)
                yield item


def test_reader_is_waited_for_as_long_as_something_comes() -> None:
    """Many items that one chunk caused all belong to that chunk."""
    made = cassette(sse(text("a"), text("b"), finish()))
    transcript = replay(made, _Slow)
    texts = [e.chunk for e in transcript.emissions if "text" in e.message]
    assert texts == [0] * 30 + [1] * 30


def test_object_keeps_its_own_mode_and_options() -> None:
    """An object given as it is replays as its owner configured it."""
    interface = StreamingServerInterface(
        use_assistant_message=True, assistant_message_function_name="weather"
    )
    interface.nonstreaming_legacy_mode = True
    transcript = replay(full(), interface)
    kinds = {m.model_dump().get("message_type") for m in transcript.messages}
    assert None in kinds  # the legacy message has no type
    assert interface.nonstreaming_legacy_mode
    assert not interface.streaming_mode


@pytest.mark.parametrize("mode", MODES)
def test_only_attributes_that_exist_are_set(mode: Mode) -> None:
    """A mode sets what the interface has, and adds nothing."""
    event = theirs.EventInterface()
    adapt(event, "event", mode)
    assert event.streaming_mode is mode.streams
    assert not hasattr(event, "nonstreaming_legacy_mode")
    ours = StreamingServerInterface()
    adapt(ours, "ours", mode)
    assert (
        ours.streaming_mode,
        ours.nonstreaming_legacy_mode,
        ours.streaming_chat_completion_mode,
    ) == (mode.streams, mode is Mode.LEGACY, mode is Mode.CHAT_COMPLETION)


def test_unknown_mode_is_a_usage_error() -> None:
    """A mode that does not exist is answered with those that do."""
    with pytest.raises(UsageError) as caught:
        replay(full(), "streaming", mode="token")
    assert str(caught.value) == (
        "there is no mode 'token'; it is one of tokens, steps, legacy, chat-completion"
    )


def _texts(transcript: Transcript) -> list[str]:
    return [m["text"] for m in transcript.messages if "text" in m]


@pytest.mark.parametrize(
    "kind",
    [
        theirs.EventInterface,
        theirs.PollingInterface,
        theirs.QueueInterface,
        theirs.ListInterface,
    ],
)
def test_foreign_interface_hears_everything(kind: type[theirs.Agentic]) -> None:
    """However it waits, each delivers the same list, ends of conversations included."""
    transcript = replay(full(), kind, mode="tokens")
    expected = replay(full(), theirs.ListInterface)
    assert transcript.messages == expected.messages
    assert _texts(transcript) == ["Look", "ing."]
    assert {"says": "Sunny."} in transcript.messages
    assert transcript.diagnostics == expected.diagnostics
    assert "never-ended" not in {str(d.kind) for d in transcript.diagnostics}


@pytest.mark.parametrize("kind", [theirs.EventInterface, theirs.QueueInterface])
def test_emission_belongs_to_the_last_input_before_it(
    kind: type[theirs.Agentic],
) -> None:
    """What a chunk caused carries its number, what the step loop caused has none."""
    body = sse(text("a"), chunk(choices=[]), text("b"), finish())
    pieces = [len(e) + 2 for e in body.split("\n\n")[:-1]]
    reads = [(0.5 * n, size) for n, size in enumerate(pieces, 1)]
    transcript = replay(cassette(exchange(body, wire=reads)), kind)
    assert [(e.chunk, e.at, next(iter(e.message))) for e in transcript.emissions] == [
        (0, 0.5, "id"),
        (2, 1.5, "id"),
        (None, 2.0, "done"),
        (None, 2.0, "id"),
        (None, 2.0, "done"),
    ]


def test_list_interface_is_emptied_at_the_end_of_each_step() -> None:
    """A list may reach back to the entry before, so it is left alone within a step."""
    spied: list[int] = []

    class Counting(theirs.ListInterface):
        def to_list(self) -> list[dict[str, Any]]:
            items = super().to_list()
            spied.append(len(items))
            return items

    replay(cassette(sse(text("a"), text("b"), finish())), Counting)
    assert spied == [5, 0, 0]  # the step, the yield, the conversation


def test_interface_without_chunks_gets_the_steps() -> None:
    """One that lacks methods is told what it has methods for, in the api style."""
    transcript = replay(full(), theirs.StepsOnly)
    assert transcript.messages == ["api: Looking.", "api: Done."]


def test_interface_with_chunks_only_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `step_yield` a generator cannot know its end: told, nothing lost."""
    monkeypatch.setattr(generator_adapter, "_END_TIMEOUT_S", 0.01)
    transcript = replay(
        cassette(sse(text("a"), text("b"), finish())), theirs.ChunksOnly
    )
    assert [(e.chunk, e.message) for e in transcript.emissions] == [(0, "a"), (1, "b")]
    assert [str(d.kind) for d in transcript.diagnostics] == ["never-ended"]


def test_stop_is_no_message() -> None:
    """The end mark of a queue reaches no transcript."""
    transcript = replay(full(), QueuingInterface)
    assert "STOP" not in transcript.messages
    assert all(isinstance(m, dict) for m in transcript.messages)


@pytest.mark.parametrize("kind", [theirs.ForgetsTheEnd, theirs.IgnoresCancelling])
def test_generator_that_never_ends_is_cut_off_and_told(
    kind: type[theirs.QueueInterface], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each conversation gets its own generator all the same."""
    monkeypatch.setattr(generator_adapter, "_END_TIMEOUT_S", 0.01)
    made = cassette(
        exchange(sse(text("a"), finish()), [user("x")]),
        exchange(sse(text("b"), finish()), [user("y")]),
    )
    transcript = replay(made, kind)
    found = [(str(d.kind), d.exchange) for d in transcript.diagnostics]
    if kind is theirs.ForgetsTheEnd:
        assert _texts(transcript) == ["a", "b"]
        assert found == [("never-ended", 0), ("never-ended", 1)]
        assert transcript.diagnostics[0].text == (
            "the generator of tests.third_party_interfaces:ForgetsTheEnd "
            "still waited after step_yield()"
        )
    else:
        assert "a" in _texts(transcript)


def test_generator_that_ends_early_is_told_once() -> None:
    """What it pushes after its own end cannot be seen; that is said, once."""
    made = cassette(
        exchange(sse(text("a"), finish()), ASK),
        exchange(sse(text("b"), finish()), [*ASK, asked(), user("x")]),
    )
    transcript = replay(made, theirs.EndsEachStep)
    assert _texts(transcript) == ["a"]
    assert [(str(d.kind), d.exchange) for d in transcript.diagnostics] == [
        ("ended-early", 1)
    ]
    assert "ended before step_yield()" in transcript.diagnostics[0].text


def test_generator_may_end_with_the_only_step() -> None:
    """A single-step generator that ends after its step is as it should be."""
    made = cassette(exchange(sse(text("a"), finish()), ASK))
    assert replay(made, theirs.EndsEachStep).diagnostics == []
    options = AgentOptions(multi_step=False)
    transcript = replay(full(), theirs.EventInterface, options=options)
    assert [d for d in transcript.diagnostics if "generator" in d.text] == []
    assert {e.exchange for e in transcript.emissions} == {0}


def test_exception_in_process_chunk_names_place_and_keeps_the_cause() -> None:
    """The error says which method of whom raised what, at which chunk."""
    with pytest.raises(InterfaceError) as caught:
        replay(full(), theirs.FirstChoiceInterface)
    assert str(caught.value) == (
        "exchange 0, chunk 0: tests.third_party_interfaces:FirstChoiceInterface"
        ".process_chunk() raised IndexError: list index out of range "
        "(tests/third_party_interfaces.py, line 195, in process_chunk)"
    )
    assert isinstance(caught.value.__cause__, IndexError)
    assert caught.value.where == "exchange 0, chunk 0"


def test_exception_in_the_step_loop_names_its_place() -> None:
    """Where no chunk is to blame, the step loop is named."""

    class Refusing(theirs.ListInterface):
        def step_complete(self) -> None:
            raise OSError("disk full")

    with pytest.raises(InterfaceError, match=r"^exchange 0, in the step loop: .*OSErr"):
        replay(full(), Refusing)


def _until_failure(running: Any) -> tuple[list[Any], str]:
    seen: list[Any] = []
    with pytest.raises(InterfaceError) as caught:
        seen.extend(running)
    return seen, str(caught.value)


class _FailsLate(theirs.ListInterface):
    def step_complete(self) -> None:
        raise OSError("late")


class _FailsLateStreaming(StreamingServerInterface):
    def step_complete(self) -> None:
        raise OSError("late")


class _FailsLateQueue(theirs.QueueInterface):
    def step_complete(self) -> None:
        raise OSError("late")


@pytest.mark.parametrize("kind", [_FailsLate, _FailsLateStreaming, _FailsLateQueue])
def test_what_came_before_a_failure_is_seen(kind: type) -> None:
    """An interface that raises has not taken back what it emitted."""
    made = cassette(sse(text("a"), text("b"), finish()))
    seen, error = _until_failure(replay_iter(made, kind))
    assert len(seen) >= 2
    assert "step_complete() raised OSError: late" in error


class _Inherited(StreamingServerInterface):
    pass


@pytest.mark.parametrize("mode", MODES)
def test_inherited_interface_shows_what_ours_does(mode: Mode) -> None:
    """Although ours skips its queue: each message at its cause, what waited first."""
    shown = []
    for kind in (StreamingServerInterface, _Inherited):
        interface = kind(use_assistant_message=True)
        interface.stream_end()  # whose mark waits
        shown.append(replay(full(), interface, mode=mode).emissions)
    assert shown[0] == shown[1]
    assert shown[0][0] == Emission(0, None, None, MessageStreamStatus.done_generation)


def test_generator_that_raises_is_an_interface_error() -> None:
    """Its exception surfaces at the input that woke it, after what came before."""
    made = cassette(sse(text("a"), text("b"), text("c"), finish()))
    seen, error = _until_failure(replay_iter(made, theirs.GeneratorRaises))
    assert [(e.chunk, e.message["text"]) for e in seen] == [(0, "a")]
    assert error == (
        "exchange 0, chunk 1: tests.third_party_interfaces:GeneratorRaises"
        ".get_generator() raised KeyError: 'second' "
        "(tests/third_party_interfaces.py, line 239, in get_generator)"
    )


@pytest.mark.parametrize(
    ("kind", "got"),
    [(theirs.PlainGenerator, "list_iterator"), (theirs.AwaitedGenerator, "coroutine")],
)
def test_get_generator_must_return_an_async_generator(kind: type, got: str) -> None:
    """Anything else is refused with what came, and leaves no warning."""
    with pytest.raises(InterfaceError, match=f"async generator, got {got}"):
        replay(full(), kind)
    gc.collect()


def test_get_generator_that_raises_is_an_interface_error() -> None:
    """`StopIteration`, as the seed raises it, does not end the replay quietly."""

    class Inactive(theirs.EventInterface):
        def stream_start(self) -> None:
            """Never becomes active."""

    with pytest.raises(InterfaceError, match=r"get_generator\(\) raised StopIteration"):
        replay(full(), Inactive)


def test_asynchronous_method_is_refused() -> None:
    """A coroutine that nobody awaits would lose everything in silence."""
    with pytest.raises(InterfaceError) as caught:
        replay(full(), theirs.AsyncChunks)
    assert "process_chunk() is asynchronous" in str(caught.value)
    gc.collect()


class _Kept:
    """What is common to interfaces with one odd method."""

    def process_chunk(self, chunk: Any, message_id: str, date: Any) -> Any:
        """Take a chunk."""

    def to_list(self) -> Any:
        """Return nothing."""
        return []


class _Yields(_Kept):
    def process_chunk(self, chunk: Any, message_id: str, date: Any) -> Any:
        yield chunk


class _Waits(_Kept):
    async def to_list(self) -> Any:
        return []


class _GivesNone(_Kept):
    def to_list(self) -> Any:
        return None


class _Wordless(_Kept):
    def process_chunk(self, chunk: Any, message_id: str, date: Any) -> Any:
        raise _WordlessError


class _WordlessError(Exception):
    def __str__(self) -> str:
        raise OSError


class _Fixed(_Kept):
    @property
    def streaming_mode(self) -> bool:
        return True


class _Ends:
    raised: type[BaseException] = SystemExit

    async def process(self, stream: Any) -> Any:
        async for one in stream:
            yield str(one)
            raise self.raised(3)


class _Cancels(_Ends):
    raised = asyncio.CancelledError


async def _made_later() -> _Kept:
    return _Kept()


def _needs(model: str) -> _Kept:
    return _Kept()


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (_Yields, "process_chunk() is a generator"),
        (_Waits, "to_list() is asynchronous"),
        (_GivesNone, "to_list() must return a list, got NoneType"),
        (_Wordless, "raised _WordlessError: (its __str__ raised OSError)"),
        (_Fixed, "streaming_mode = True raised AttributeError"),
        (_Ends, "process() raised SystemExit: 3"),
        (_Cancels, "process() raised CancelledError: 3"),
        (_made_later, "is asynchronous; expected a plain function"),
        (_needs, "name a function without parameters"),
    ],
)
def test_odd_method_is_named(kind: Any, problem: str) -> None:
    """What would be lost in silence, end the loop or the report is one error."""
    with pytest.raises(InterfaceError) as caught:
        replay(full(), kind)
    assert problem in str(caught.value)
    gc.collect()


def test_to_list_that_raises_is_an_interface_error() -> None:
    """The reading side of an interface can fail as well."""

    class Unreadable(theirs.ListInterface):
        def to_list(self) -> list[dict[str, Any]]:
            raise RuntimeError("gone")

    with pytest.raises(InterfaceError, match=r"to_list\(\) raised RuntimeError: gone"):
        replay(full(), Unreadable)


def test_interface_that_cannot_be_read_is_refused_at_once() -> None:
    """Without a generator and a list, nothing is called."""
    with pytest.raises(InterfaceError, match=r"no get_generator\(\), no process\(\)"):
        replay(full(), theirs.Nothing)


def test_running_event_loop_is_told_to_use_areplay() -> None:
    """Inside a loop a generator can only be awaited; ours need no loop."""

    async def inside() -> tuple[Transcript, Transcript]:
        with pytest.raises(UsageError, match=r"use `await areplay\(\.\.\.\)`"):
            replay(full(), theirs.QueueInterface)
        return replay(full(), "streaming"), replay(full(), "queuing")

    streaming, queuing = asyncio.run(inside())
    assert streaming.emissions == replay(full(), "streaming").emissions
    assert queuing.emissions == replay(full(), "queuing").emissions


@pytest.fixture(scope="module", autouse=True)
def _small_heap() -> None:
    """Spare the collector what earlier tests of the process left in caches."""
    gc.collect()
    gc.freeze()


@pytest.mark.parametrize("way", ["break", "del", "close", "twice"])
@pytest.mark.parametrize(("make", "mode"), EVERY)
def test_abandoned_replay_leaves_nothing_behind(
    make: Callable[[], Any],
    mode: Mode | None,
    way: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Stopping half-way leaves no task, no warning and no message in a log."""
    with warnings.catch_warnings(record=True) as seen, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        running = replay_iter(full(), make, mode=mode)
        if way == "break":
            for _ in running:
                break
        else:
            next(running)
        if way in {"close", "twice"}:
            running.close()
            assert list(running) == []
        if way == "twice":
            running.close()
        del running
        gc.collect()
    assert [str(w.message) for w in seen] == []
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


def test_replay_that_was_closed_before_it_began_yields_nothing() -> None:
    """Closing first calls nothing on the interface."""
    interface = theirs.ListInterface()
    running = replay_iter(full(), interface)
    running.close()
    assert list(running) == []
    assert interface.to_list() == []


def test_areplay_leaves_no_task_behind() -> None:
    """In the caller's loop nothing keeps running, also after a failure."""

    async def inside() -> set[str]:
        await areplay(full(), theirs.QueueInterface)
        with pytest.raises(InterfaceError):
            await areplay(full(), _FailsLateQueue)
        return {t.get_name() for t in asyncio.all_tasks() - {asyncio.current_task()}}

    assert asyncio.run(inside()) == set()


def test_areplay_can_be_cancelled() -> None:
    """A cancelled replay cancels its reader and is gone."""

    class Slow(theirs.QueueInterface):
        async def get_generator(self) -> Any:
            await asyncio.sleep(3600)
            yield {}

    async def inside() -> int:
        task = asyncio.create_task(_areplay(full(), Slow))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(inside()) == 1


class _Background(theirs.QueueInterface):
    """Starts tasks of its own and forgets them."""

    def process_chunk(self, chunk: Any, message_id: str, message_date: Any) -> None:
        self.task = asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        super().process_chunk(chunk, message_id, message_date)


class _Slotted:
    """Allows no weak reference to itself."""

    __slots__ = ("inner",)

    def __init__(self) -> None:
        self.inner = theirs.QueueInterface()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_tasks_of_an_interface_are_cancelled_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What an interface left running is cancelled, as `asyncio.run` would."""
    interface = _Background()
    replay(full(), interface)
    assert interface.task.cancelled()
    del interface
    gc.collect()
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.INFO] == []


def test_object_without_weak_references_replays() -> None:
    """Its loop cannot be tied to its life and lasts for one replay."""
    transcript = replay(full(), _Slotted())
    assert transcript.messages == replay(full(), theirs.QueueInterface).messages


def test_loop_of_a_dead_interface_is_closed() -> None:
    """The loop of an object is the same while it lives, and closed after it."""
    interface = theirs.QueueInterface()
    replay(full(), interface)
    own = OwnLoop.of(interface)
    own.release()
    assert OwnLoop.of(interface) is own
    own.release()
    assert not own.loop.is_closed()
    del interface
    gc.collect()
    assert own.loop.is_closed()


@pytest.mark.parametrize("is_on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(*, is_on: bool) -> None:
    """It waits while a transcript is made; an error changes nothing about that."""
    states: list[bool] = []

    class Failing:
        def process_chunk(self, *_given: object) -> None:
            states.append(gc.isenabled())
            raise ValueError

        def to_list(self) -> list[object]:
            return []

    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        with pytest.raises(InterfaceError):
            replay(full(), Failing)
        assert (states, gc.isenabled()) == ([False], is_on)
    finally:
        (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("is_ours", [True, False])
def test_only_a_subclass_is_given_its_queue(
    monkeypatch: pytest.MonkeyPatch, *, is_ours: bool
) -> None:
    """Nobody sees the queue of our own class: what it says is handed on at once."""

    class Derived(StreamingServerInterface):
        pass

    queued: list[object] = []
    process = StreamingServerInterface.process_parts

    def counted(self: StreamingServerInterface, *given: Any) -> None:
        queued.append(given)
        process(self, *given)

    monkeypatch.setattr(StreamingServerInterface, "process_parts", counted)
    transcript = replay(full(), StreamingServerInterface if is_ours else Derived)
    assert transcript.emissions
    assert (not queued) is is_ours
