"""`QueuingInterface`: whole messages in a queue, read at once or as they come.

Entries are the message dicts of the seed's API beside the record they belong to.
Nothing here reads chunks: the queue shows steps, not tokens.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from harness.agents.letta.agent_interface import (
    AgentInterface,
    needs_record,
    split_prefix,
)
from harness.agents.letta.surrogates import encodable
from harness.agents.letta.waiting import Outbox
from harness.errors import StateError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.agents.letta.messages import Message


Style = Literal["obj", "api"]
"""`obj`: the `Message` records; `api`: the dicts that the seed's API sent."""

STOP = "STOP"
"""Ends the queue for its reader; the only string in it."""

_log = logging.getLogger(__name__)


class QueueEntry(NamedTuple):
    """One entry of the queue."""

    message_api: dict[str, Any] | str
    """The message as a dict, or ``STOP``."""
    message_obj: Message | None
    """The record it belongs to; None for ``STOP`` and for errors."""


class QueuingInterface(AgentInterface):
    """Queues what the agent does, to be read later.

    Pushes may come from any thread. An error in a call leaves the queue unchanged.

    Args:
        debug: Log every call at level DEBUG, to the logger of this module.
    """

    def __init__(self, debug: bool = False) -> None:  # noqa: FBT001, FBT002 - the seed's
        self.debug = debug
        self.timeout: float | None = None
        """Seconds that a `message_generator` waits for the next entry; None (as
        in the seed) waits without limit."""
        self._entries: Outbox[QueueEntry] = Outbox()
        # Not looked up in the queue: its reader may have taken the entry already.
        self._newest: QueueEntry | None = None

    def to_list(self, style: Style = "obj") -> list[Any]:
        """Empty the queue and return what was in it, oldest first.

        Args:
            style: `obj` gives the records without ``STOP`` and errors, and of those
                with one id only the last; `api` gives the dicts, without a ``STOP``
                at the end unless it is alone.

        Returns:
            Records or dicts; empty if nothing was queued since the last call.

        Raises:
            ValueError: There is no such style. The queue is left as it was.
        """
        _check_style(style)
        entries = self._entries.drain()
        if style == "api":
            items: list[Any] = [entry.message_api for entry in entries]
            if len(items) > 1 and items[-1] == STOP:
                items.pop()
            return items
        newest_by_id: dict[str, Message] = {}
        for entry in reversed(entries):
            if entry.message_obj is not None:
                newest_by_id.setdefault(entry.message_obj.id, entry.message_obj)
        return list(reversed(newest_by_id.values()))

    def drain(self) -> list[QueueEntry]:
        """Empty the queue and return its entries as they are, oldest first."""
        return self._entries.drain()

    def clear(self) -> None:
        """Throw away what is queued."""
        self._entries.clear()
        self._newest = None

    def message_generator(self, style: Style = "obj") -> AsyncGenerator[Any, None]:
        """Return a generator of what is queued, now and later, until ``STOP``.

        Args:
            style: As for `to_list`; nothing is left out but, in `obj`, errors,
                which have no record.

        Returns:
            The generator. It raises `StreamTimeoutError` when `timeout` is set and
            nothing came for that long.

        Raises:
            ValueError: There is no such style.
        """
        _check_style(style)
        return self._messages(style)

    async def _messages(self, style: Style) -> AsyncGenerator[Any, None]:
        entries = self._entries.read(lambda: self.timeout)
        try:
            async for entry in entries:
                if entry.message_api == STOP:
                    return
                if style == "api":
                    yield entry.message_api
                elif entry.message_obj is not None:
                    yield entry.message_obj
        finally:
            await entries.aclose()

    def step_yield(self) -> None:
        """Queue ``STOP``: the agent is done."""
        self._queue_push(message_api=STOP, message_obj=None)

    def step_complete(self) -> None:
        """Do nothing: the queue does not mark steps."""

    def error(self, error: str) -> None:
        """Queue an error, then ``STOP``.

        Args:
            error: What went wrong.
        """
        self._queue_push(message_api={"internal_error": error}, message_obj=None)
        self._queue_push(message_api=STOP, message_obj=None)

    def user_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Queue nothing; the user knows what they wrote.

        Args:
            msg: The text.
            msg_obj: Its record.

        Raises:
            ValueError: `msg_obj` is missing.
        """
        self._needs_record("user_message", msg, msg_obj)

    def internal_monologue(self, msg: str, msg_obj: Message | None = None) -> None:
        """Queue ``{"internal_monologue": msg}``.

        Args:
            msg: The inner thoughts.
            msg_obj: The record of the answer.

        Raises:
            ValueError: `msg_obj` is missing or its date is not UTC.
        """
        record = self._needs_record("internal_monologue", msg, msg_obj)
        self._queue_message({"internal_monologue": encodable(msg)}, record)

    def assistant_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Queue ``{"assistant_message": msg}``.

        Args:
            msg: The text.
            msg_obj: Its record; without one the message belongs to the record of
                the entry queued before it.

        Raises:
            ValueError: The date of `msg_obj` is not UTC.
            StateError: Neither `msg_obj` nor such an entry is there.
        """
        if self.debug:
            _log.debug("assistant_message %r of %r", msg, msg_obj)
        new_message = {"assistant_message": msg}
        if msg_obj is not None:
            self._queue_message(new_message, msg_obj)
            return
        before = self._newest
        if before is None or before.message_obj is None:
            came = "nothing" if before is None else repr(before.message_api)
            raise StateError(
                "assistant_message without msg_obj belongs to the message queued "
                f"before it, but {came} was; pass msg_obj"
            )
        api = cast("dict[str, Any]", before.message_api)
        self._queue_push(
            message_api=new_message | {"id": api["id"], "date": api["date"]},
            message_obj=before.message_obj,
        )

    def function_message(
        self,
        msg: str,
        msg_obj: Message | None = None,
        *,
        include_ran_messages: bool = False,
    ) -> None:
        """Queue a stage of a function call.

        Args:
            msg: ``Running ...`` becomes `function_call`, ``Success: ...`` and
                ``Error: ...`` become `function_return` with a status; another text
                becomes `function_message`. Only the prefix is taken off.
            msg_obj: The record of the answer, or of the tool's message.
            include_ran_messages: Queue ``Ran ...`` too, as ``Function call
                returned: ...``; else it is dropped.

        Raises:
            ValueError: `msg_obj` is missing or its date is not UTC.
        """
        record = self._needs_record("function_message", msg, msg_obj)
        prefix, text = split_prefix(msg)
        match prefix:
            case "Running ":
                new_message = {"function_call": text}
            case "Ran ":
                if not include_ran_messages:
                    return
                new_message = {"function_call": f"Function call returned: {text}"}
            case "Success: ":
                new_message = {"function_return": text, "status": "success"}
            case "Error: ":
                new_message = {"function_return": text, "status": "error"}
            case _:
                new_message = {"function_message": msg}
        self._queue_message(new_message, record)

    def _needs_record(self, call: str, msg: str, msg_obj: Message | None) -> Message:
        if self.debug:
            _log.debug("%s %r of %r", call, msg, msg_obj)
        return needs_record(f"QueuingInterface.{call}", msg_obj)

    def _queue_message(self, new_message: dict[str, Any], record: Message) -> None:
        date = record.created_at
        if date.utcoffset() != timedelta(0):
            raise ValueError(
                f"the created_at of message {record.id!r} must be an aware UTC date; "
                f"got {date.isoformat()}"
            )
        new_message["id"] = str(record.id)
        new_message["date"] = date.isoformat()
        self._queue_push(message_api=new_message, message_obj=record)

    def _queue_push(
        self, message_api: str | dict[str, Any], message_obj: Message | None
    ) -> None:
        """Add an entry; the one door to the queue, so that it holds nothing else.

        Raises:
            ValueError: It is none of: ``STOP`` without a record, exactly
                ``{"internal_error": ...}`` without a record, a dict with one.
        """
        if isinstance(message_api, str):
            if message_api != STOP:
                raise ValueError(
                    f"the only string to queue is STOP; got {message_api!r}"
                )
            wants_record = False
        elif isinstance(message_api, dict):
            wants_record = message_api.keys() != {"internal_error"}
        else:
            raise ValueError(  # noqa: TRY004 - the seed's error for all of these
                f"a queue entry is STOP or a dict; got {type(message_api).__name__}"
            )
        if wants_record and message_obj is None:
            raise ValueError(f"{message_api!r} needs its message_obj; got None")
        if not wants_record and message_obj is not None:
            raise ValueError(
                f"{message_api!r} goes without message_obj; got {message_obj!r}"
            )
        entry = QueueEntry(message_api, message_obj)
        self._entries.put(entry)
        self._newest = entry


def _check_style(style: str) -> None:
    if style not in {"obj", "api"}:
        raise ValueError(f"style is 'obj' or 'api'; got {style!r}")
