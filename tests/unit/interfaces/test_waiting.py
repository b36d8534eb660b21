"""Readers that sleep: every push from anywhere arrives, once, in order."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from harness.agents.letta.queuing import QueuingInterface
from harness.agents.letta.streaming import StreamingServerInterface
from harness.agents.letta.waiting import Outbox
from harness.errors import HarnessError, StreamInactiveError, StreamTimeoutError
from tests.unit.interfaces.streams import DATE, ID, content, record, short

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_LONG_S = 30.0  # far above what a machine under load needs, and a test that hangs ends


def _reader(box: Outbox[Any], timeout_s: float | None = _LONG_S) -> Any:
    return box.read(lambda: timeout_s)


async def _all(generator: AsyncGenerator[Any, None]) -> list[Any]:
    return [item async for item in generator]


def test_pushed_before_is_read_at_once() -> None:
    """A generator that starts late gets everything, in order."""
    box: Outbox[int] = Outbox()
    for n in range(5):
        box.put(n)
    box.close()
    assert asyncio.run(_all(_reader(box))) == [0, 1, 2, 3, 4]


def test_pushes_from_the_loops_own_thread_wake_the_reader() -> None:
    """Each push is delivered before the next is made, without a time-out."""
    box: Outbox[int] = Outbox()
    seen: list[int] = []

    async def read() -> None:
        async for item in _reader(box):
            seen.append(item)  # noqa: PERF401 - each one as it comes

    async def main() -> None:
        task = asyncio.create_task(read())
        await asyncio.sleep(0)
        for n in range(100):
            box.put(n)
            for _ in range(5):  # turns of the loop: no clock is involved
                await asyncio.sleep(0)
            assert seen[-1] == n
        box.close()
        await task

    asyncio.run(main())
    assert seen == list(range(100))


def test_pushes_from_many_threads_all_arrive_in_each_threads_order() -> None:
    """Eight threads push 2 000 items each to one sleeping reader."""
    box: Outbox[tuple[int, int]] = Outbox()

    def push(thread: int) -> None:
        for n in range(2000):
            box.put((thread, n))

    def run() -> None:
        threads = [threading.Thread(target=push, args=(t,)) for t in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        box.close()

    async def main() -> list[tuple[int, int]]:
        pushing = asyncio.get_running_loop().run_in_executor(None, run)
        items = await _all(_reader(box))
        await pushing
        return items

    items = asyncio.run(main())
    assert len(items) == 16000
    for thread in range(8):
        assert [n for t, n in items if t == thread] == list(range(2000))


def test_no_wake_up_is_lost_in_a_ping_pong_with_a_thread() -> None:
    """3 000 times: the thread pushes only after the reader had time to fall asleep.

    A lost wake-up would leave the reader asleep until its time-out, and fail.
    """
    box: Outbox[int] = Outbox()
    turn = threading.Semaphore(0)

    def push() -> None:
        for n in range(3000):
            turn.acquire()
            box.put(n)
        box.close()

    async def main() -> list[int]:
        thread = threading.Thread(target=push)
        thread.start()
        items = []
        turn.release()
        async for item in _reader(box, timeout_s=_LONG_S):
            items.append(item)
            turn.release()
        thread.join()
        return items

    assert asyncio.run(main()) == list(range(3000))


def test_an_item_between_the_two_looks_is_seen() -> None:
    """A push after the reader found nothing and before it sleeps is not missed."""
    box: Outbox[int] = Outbox()

    class Enrolling(dict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            box._items.append(7)  # a writer that looked before the reader enrolled
            super().__setitem__(key, value)

    box._waiting = Enrolling()

    async def main() -> Any:
        return await asyncio.wait_for(anext(_reader(box)), 5)

    assert asyncio.run(main()) == 7


def test_a_push_at_the_moment_of_the_time_out_is_delivered() -> None:
    """Time is up and the item is there: the item wins."""
    box: Outbox[int] = Outbox()

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        reader = asyncio.create_task(anext(_reader(box, timeout_s=0.01)))
        await asyncio.sleep(0)
        # The item comes without a wake-up, as if that were still on its way.
        loop.call_soon(box._items.append, 7)
        return await reader

    assert asyncio.run(main()) == 7


@pytest.mark.parametrize("timeout_s", [0.0, 0.001, 0.02])
def test_idle_time_out_is_a_named_error(timeout_s: float) -> None:
    """Nothing came: the error tells how long was waited and what to do."""
    box: Outbox[int] = Outbox()
    with pytest.raises(StreamTimeoutError, match=r"call step_yield\(\)") as caught:
        asyncio.run(_all(_reader(box, timeout_s)))
    assert caught.value.timeout_s == timeout_s
    assert isinstance(caught.value, HarnessError)
    assert not box._waiting


def test_nothing_is_lost_by_a_time_out() -> None:
    """After a time-out another generator goes on where the first stopped."""
    box: Outbox[int] = Outbox()
    box.put(1)

    async def main() -> list[int]:
        first = _reader(box, 0.01)
        items = [await anext(first)]
        with pytest.raises(StreamTimeoutError):
            await anext(first)
        box.put(2)
        box.close()
        return items + await _all(_reader(box))

    assert asyncio.run(main()) == [1, 2]


def test_the_time_out_counts_idle_time_only() -> None:
    """Items that keep coming keep the stream alive, however long it takes."""
    box: Outbox[int] = Outbox()

    async def push() -> None:
        for n in range(20):
            await asyncio.sleep(0.05)
            box.put(n)
        box.close()

    async def main() -> list[int]:
        pushing = asyncio.create_task(push())
        items = await _all(_reader(box, 0.8))  # the whole takes longer than that
        await pushing
        return items

    assert asyncio.run(main()) == list(range(20))


def test_a_sleeping_reader_costs_no_turns_of_the_loop() -> None:
    """Nobody polls: while nothing comes, the loop runs nothing for the reader."""
    box: Outbox[int] = Outbox()

    async def main() -> int:
        task = asyncio.create_task(_all(_reader(box)))
        await asyncio.sleep(0)
        loop: Any = asyncio.get_running_loop()
        turns = 0
        run_once = loop._run_once

        def count() -> None:
            nonlocal turns
            turns += 1
            run_once()

        loop._run_once = count
        await asyncio.sleep(0.3)
        loop._run_once = run_once
        box.close()
        assert await task == []
        return turns

    assert asyncio.run(main()) <= 3


def test_several_loops_can_read_in_turn() -> None:
    """An outbox outlives the loop that read it first, even one that was cut off."""
    box: Outbox[int] = Outbox()

    async def first() -> int:
        reader = _reader(box)
        task = asyncio.create_task(anext(reader))
        await asyncio.sleep(0)
        box.put(1)
        item: int = await task
        asyncio.create_task(anext(reader))  # noqa: RUF006 - left asleep on purpose
        await asyncio.sleep(0)
        return item

    assert asyncio.run(first()) == 1
    box.put(2)
    box.close()
    assert asyncio.run(_all(_reader(box))) == [2]


def test_a_reader_whose_loop_is_closed_does_not_break_a_push() -> None:
    """Waking a loop that is gone is no error, and others are still woken."""
    box: Outbox[int] = Outbox()
    dead = asyncio.new_event_loop()
    box._waiting[dead.create_future()] = dead
    dead.close()
    box.put(1)
    assert box.drain() == [1]
    assert not box._waiting


def test_several_readers_share_the_items() -> None:
    """Each item goes to one reader, and the end to all of them."""
    box: Outbox[int] = Outbox()

    async def main() -> list[int]:
        tasks = [asyncio.create_task(_all(_reader(box))) for _ in range(3)]
        for n in range(30):
            await asyncio.sleep(0)
            box.put(n)
        box.close()
        return sorted(chain.from_iterable(await asyncio.gather(*tasks)))

    assert asyncio.run(main()) == list(range(30))


def test_a_cancelled_reader_leaves_nothing_behind() -> None:
    """Cancelling frees the place in the waiting room and loses no item."""
    box: Outbox[int] = Outbox()

    async def main() -> None:
        task = asyncio.create_task(anext(_reader(box)))
        await asyncio.sleep(0)
        assert len(box._waiting) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not box._waiting

    asyncio.run(main())
    box.put(1)
    assert box.drain() == [1]


def test_a_push_after_the_end_is_refused() -> None:
    """The item is not added, what waits stays, and the error says what to do."""
    box: Outbox[int] = Outbox()
    box.put(1)
    box.close()
    with pytest.raises(StreamInactiveError, match=r"call stream_start\(\)"):
        box.put(2)
    assert box.drain() == [1]


def test_streaming_generator_ends_with_everything_delivered() -> None:
    """An agent in a thread, its client in a loop: all of it arrives, then the end."""
    interface = StreamingServerInterface()

    def agent() -> None:
        interface.stream_start()
        for n in range(500):
            interface.process_payload(content(f"{n} "), ID, DATE)
        interface.stream_end()
        interface.step_complete()
        interface.step_yield()

    async def main() -> list[Any]:
        generator = interface.get_generator()
        running = asyncio.get_running_loop().run_in_executor(None, agent)
        items = await _all(generator)
        await running
        return items

    items = [short(item) for item in asyncio.run(main())]
    assert items == [
        *(("thought", f"{n} ") for n in range(500)),
        "[DONE_GEN]",
        "[DONE_STEP]",
    ]


@pytest.mark.parametrize("is_single", [False, True], ids=["step_yield", "single step"])
def test_streaming_generator_may_be_asked_for_after_the_end(is_single: bool) -> None:
    """An agent that was faster than its client loses nothing."""
    interface = StreamingServerInterface(multi_step=not is_single)
    interface.internal_monologue("hm", record())
    if is_single:
        interface.step_complete()
    else:
        interface.step_yield()
    items = asyncio.run(_all(interface.get_generator()))
    assert [short(item) for item in items] == [("thought", "hm")]
    with pytest.raises(StreamInactiveError, match=r"call stream_start\(\)"):
        interface.get_generator()


def test_streaming_time_out_is_the_interfaces_attribute() -> None:
    """`timeout` holds from the next wait on, also when it is set late."""
    interface = StreamingServerInterface()
    assert interface.timeout == 30
    generator = interface.get_generator()
    interface.timeout = 0.01
    start = time.monotonic()
    with pytest.raises(StreamTimeoutError):
        asyncio.run(_all(generator))
    assert time.monotonic() - start < 10


def test_restart_does_not_mix_two_streams() -> None:
    """A reader of an ended stream gets its end although another has begun."""
    interface = StreamingServerInterface()

    async def main() -> tuple[list[Any], list[Any]]:
        old = asyncio.create_task(_all(interface.get_generator()))
        await asyncio.sleep(0)
        interface.internal_monologue("old", record())
        interface.step_yield()
        interface.stream_start()
        interface.internal_monologue("new", record())
        interface.step_yield()
        return await old, await _all(interface.get_generator())

    old, new = asyncio.run(main())
    assert [short(item) for item in old] == [("thought", "old")]
    assert [short(item) for item in new] == [("thought", "new")]


def test_queue_generator_is_woken_by_a_thread() -> None:
    """The queue's reader sleeps in the same waiting room."""
    queue = QueuingInterface()

    def agent() -> None:
        for _ in range(200):
            queue.internal_monologue("hm", record())
        queue.step_yield()

    async def main() -> list[Any]:
        generator = queue.message_generator("api")
        running = asyncio.get_running_loop().run_in_executor(None, agent)
        items = await asyncio.wait_for(_all(generator), _LONG_S)
        await running
        return items

    assert len(asyncio.run(main())) == 200


def test_all_or_nothing_is_put() -> None:
    """Several items keep their order; a closed outbox takes none, and none is none."""
    outbox: Outbox[int] = Outbox()
    outbox.put_all([1, 2, 3])
    assert outbox.drain() == [1, 2, 3]
    outbox.close()
    outbox.put_all([])
    with pytest.raises(StreamInactiveError):
        outbox.put_all([4, 5])
    assert outbox.drain() == []


def test_putting_several_wakes_who_waits() -> None:
    """A reader that sleeps gets items that were put together."""

    async def read() -> list[int]:
        outbox: Outbox[int] = Outbox()
        asyncio.get_running_loop().call_later(0.01, outbox.put_all, [1, 2])
        asyncio.get_running_loop().call_later(0.02, outbox.close)
        return [item async for item in outbox.read(lambda: 5)]

    assert asyncio.run(read()) == [1, 2]
