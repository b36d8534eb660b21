"""The queue: what goes in, what comes out, what is refused."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from harness.agents.letta.agent_interface import AgentInterface
from harness.agents.letta.queuing import QueuingInterface
from harness.errors import StateError, StreamTimeoutError
from tests.unit.interfaces.streams import DATE, ID, TOOL_ID, record, tool_record

_HEAD = {"id": ID, "date": "2024-10-19T21:47:48.123456+00:00"}
_TOOL_HEAD = {**_HEAD, "id": TOOL_ID}


def _filled() -> QueuingInterface:
    queue = QueuingInterface()
    queue.internal_monologue("hm", record())
    queue.function_message("Success: 3", tool_record())
    return queue


def test_it_is_an_agent_interface() -> None:
    """The queue is what the protocol describes."""
    assert isinstance(QueuingInterface(), AgentInterface)


@pytest.mark.parametrize(
    ("msg", "options", "expected"),
    [
        ("Running f(x='Running ')", {}, {"function_call": "f(x='Running ')"}),
        ("Running ", {}, {"function_call": ""}),
        ("Ran f(x='Ran ')", {}, None),
        (
            "Ran f(x='Ran ')",
            {"include_ran_messages": True},
            {"function_call": "Function call returned: f(x='Ran ')"},
        ),
        (
            "Success: a Success: b",
            {},
            {"function_return": "a Success: b", "status": "success"},
        ),
        (
            "Error: an Error: b",
            {},
            {"function_return": "an Error: b", "status": "error"},
        ),
        ("running f", {}, {"function_message": "running f"}),
        ("", {}, {"function_message": ""}),
    ],
)
def test_function_message_by_prefix(
    msg: str, options: dict[str, Any], expected: dict[str, str] | None
) -> None:
    """Only the prefix decides and only the prefix goes."""
    queue = QueuingInterface()
    queue.function_message(msg, tool_record(), **options)
    assert queue.to_list("api") == ([] if expected is None else [expected | _TOOL_HEAD])


def test_obj_keeps_the_last_of_each_record_in_order() -> None:
    """Records with one id collapse into the last, which keeps its place."""
    queue = QueuingInterface()
    first, again = record(), record()
    queue.internal_monologue("hm", first)
    queue.function_message("Success: 3", tool_record())
    queue.internal_monologue("hm again", again)
    queue.error("broken")
    items = queue.to_list()
    assert [item.id for item in items] == [TOOL_ID, ID]
    assert items[1] is again


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (0, 0),
        (1, ["STOP"]),
        (2, ["STOP"]),
        (3, ["STOP", "STOP"]),
    ],
)
def test_api_removes_one_stop_at_the_end(steps: int, expected: Any) -> None:
    """A trailing STOP goes when it is not alone, and only one of them."""
    queue = QueuingInterface()
    for _ in range(steps):
        queue.step_yield()
    assert queue.to_list("api") == (expected or [])


def test_step_complete_queues_nothing() -> None:
    """Steps leave no mark in the queue."""
    queue = QueuingInterface()
    queue.step_complete()
    assert queue.to_list("api") == []


def test_to_list_empties_the_queue_and_clear_forgets_it() -> None:
    """What was listed or cleared does not come again."""
    queue = _filled()
    assert len(queue.to_list("api")) == 2
    assert queue.to_list("api") == []
    queue = _filled()
    queue.clear()
    assert queue.to_list("obj") == []


def test_drain_gives_entries_as_they_are() -> None:
    """Both sides of each entry, STOP included, once."""
    queue = _filled()
    queue.step_yield()
    entries = queue.drain()
    assert [e.message_obj and e.message_obj.id for e in entries] == [ID, TOOL_ID, None]
    assert entries[2].message_api == "STOP"
    assert queue.drain() == []


@pytest.mark.parametrize("call", ["to_list", "message_generator"])
def test_an_unknown_style_is_refused_and_loses_nothing(call: str) -> None:
    """The error comes at the call and the queue stays as it was."""
    queue = _filled()
    with pytest.raises(ValueError, match=re.escape("'obj' or 'api'; got 'json'")):
        getattr(queue, call)("json")
    assert len(queue.to_list("api")) == 2


@pytest.mark.parametrize(
    ("api", "obj", "message"),
    [
        ("GO", None, "the only string to queue is STOP; got 'GO'"),
        ("STOP", record(), "'STOP' goes without message_obj"),
        ({"internal_error": "x"}, record(), "goes without message_obj"),
        ({"internal_error": "x", "id": "1"}, None, "needs its message_obj; got None"),
        ({"function_call": "x"}, None, "needs its message_obj; got None"),
        ({}, None, "needs its message_obj; got None"),
        (["STOP"], None, "STOP or a dict; got list"),
        (None, None, "STOP or a dict; got NoneType"),
    ],
)
def test_what_may_not_be_queued_is_a_value_error(
    api: Any, obj: Any, message: str
) -> None:
    """Nothing enters the queue but STOP, errors and messages with their record."""
    queue = QueuingInterface()
    with pytest.raises(ValueError, match=re.escape(message)):
        queue._queue_push(message_api=api, message_obj=obj)
    assert queue.to_list("api") == []


@pytest.mark.parametrize(
    "call", ["user_message", "internal_monologue", "function_message"]
)
def test_calls_need_their_record(call: str) -> None:
    """Without a record there is no id and no date to show."""
    queue = QueuingInterface()
    with pytest.raises(ValueError, match=f"{call} needs msg_obj"):
        getattr(queue, call)("Ran x")
    assert queue.to_list("api") == []


@pytest.mark.parametrize(
    "date",
    [
        datetime(2024, 1, 1),  # noqa: DTZ001
        datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    ],
    ids=["naive", "other zone"],
)
def test_dates_of_foreign_records_must_be_utc(date: datetime) -> None:
    """A record that is not ours may carry another date; it is refused."""
    foreign: Any = SimpleNamespace(id="m", created_at=date)
    queue = QueuingInterface()
    with pytest.raises(ValueError, match="must be an aware UTC date; got 2024-01-01"):
        queue.internal_monologue("hm", foreign)
    assert queue.to_list("api") == []


def test_user_message_queues_nothing() -> None:
    """The user's words are not told back."""
    queue = QueuingInterface()
    queue.user_message("hi", record())
    assert queue.to_list("api") == []


@pytest.mark.parametrize("is_read", [False, True], ids=["queued", "read already"])
def test_assistant_message_belongs_to_the_entry_before(is_read: bool) -> None:
    """One entry before is enough, also when a reader has taken it already."""
    queue = QueuingInterface()
    before = record(("call_1", "send_message", "{}"))
    queue.function_message("Running send_message({})", before)
    if is_read:
        queue.to_list("api")
    queue.assistant_message("hello")
    entry = queue.drain()[-1]
    assert entry == ({"assistant_message": "hello"} | _HEAD, before)


@pytest.mark.parametrize(
    ("prepare", "came"),
    [
        (lambda queue: None, "nothing was"),
        (lambda queue: queue.step_yield(), "'STOP' was"),
        (lambda queue: queue.error("x"), "'STOP' was"),
        (
            lambda queue: queue._queue_push({"internal_error": "x"}, None),
            "{'internal_error': 'x'} was",
        ),
        (
            lambda queue: (queue.internal_monologue("x", record()), queue.clear()),
            "nothing was",
        ),
    ],
    ids=["nothing", "STOP", "error", "error alone", "cleared"],
)
def test_assistant_message_after_no_message_is_a_clear_error(
    prepare: Any, came: str
) -> None:
    """Nothing to attach to: the error says what came before and what to do."""
    queue = QueuingInterface()
    prepare(queue)
    queue.to_list()
    with pytest.raises(StateError, match=re.escape(came) + ".*pass msg_obj"):
        queue.assistant_message("hello")
    assert queue.to_list("api") == []


def test_error_is_told_and_ends_the_queue() -> None:
    """An error entry, then STOP."""
    queue = QueuingInterface()
    queue.error("broken")
    assert [entry.message_api for entry in queue.drain()] == [
        {"internal_error": "broken"},
        "STOP",
    ]


@pytest.mark.parametrize("style", ["obj", "api"])
def test_generator_ends_at_stop_and_leaves_the_rest(style: Any) -> None:
    """One generator reads up to STOP; what follows is for the next one."""
    queue = _filled()
    queue.error("broken")
    queue.internal_monologue("later", record())

    async def read() -> list[Any]:
        return [item async for item in queue.message_generator(style)]

    items = asyncio.run(read())
    if style == "api":
        assert items[2:] == [{"internal_error": "broken"}]
        assert items[0] == {"internal_monologue": "hm"} | _HEAD
    else:
        assert [item.id for item in items] == [ID, TOOL_ID]
    assert queue.to_list("api") == [{"internal_monologue": "later"} | _HEAD]


def test_generator_waits_without_limit_unless_told() -> None:
    """The seed's queue has no time-out; ours has one on request."""
    queue = QueuingInterface()
    assert queue.timeout is None
    queue.timeout = 0.01

    async def read() -> None:
        async for _ in queue.message_generator("api"):
            pass

    with pytest.raises(StreamTimeoutError) as caught:
        asyncio.run(read())
    assert caught.value.timeout_s == 0.01


def test_it_is_quiet(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is printed; with debug every call is logged, without it none."""
    caplog.set_level(logging.DEBUG)
    _filled()
    assert caplog.records == []
    queue = QueuingInterface(debug=True)
    queue.internal_monologue("hm", record())
    queue.assistant_message("hello")
    assert [r.name for r in caplog.records] == ["harness.agents.letta.queuing"] * 2
    assert capsys.readouterr() == ("", "")


def test_records_keep_their_microseconds() -> None:
    """Queue dicts carry the date as isoformat, unlike the streamed messages."""
    queue = QueuingInterface()
    queue.assistant_message("x", record())
    assert queue.to_list("api")[0]["date"] == DATE.isoformat()
