"""What the agent loop needs of an interface, whatever the interface is.

Four kinds are distinguished by what they offer, never by inheritance alone:

- our `StreamingServerInterface` (and subclasses): drained at once after each input;
- anything with `get_generator()`: its async generator is read by one task that lives
  as long as a conversation, since feeding first and draining later gives nothing and
  cancelling a waiting reader kills the generator;
- anything with `process(stream)`, an async generator over one response: it is given a
  stream object of the SDK's kind, which is fed chunk by chunk;
- anything with `to_list()`: emptied at the end of each step, because a queue may
  reach back to the entry before (as the seed's `assistant_message` does).

A user's interface is used as it is; only attributes that it has are set.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from harness.agents.letta.light_messages import LightMessage, Record, make_message
from harness.agents.letta.streaming import StreamingServerInterface
from harness.engine.adapter_base import BaseAdapter, Mode
from harness.engine.generator_adapter import GeneratorAdapter
from harness.engine.process_adapter import ProcessAdapter
from harness.errors import InterfaceError, UnusableInterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from harness.agents.letta.light_messages import MakeMessage
    from harness.apis.chat.chunks import Chunk
    from harness.core.parts import Part


class StreamingAdapter(BaseAdapter):
    """Our streaming interface, drained without an event loop."""

    def __init__(
        self, interface: StreamingServerInterface, name: str, mode: Mode | None
    ) -> None:
        super().__init__(interface, name, mode)
        self.drain = interface.drain
        if type(interface) is StreamingServerInterface:
            # Nobody's code sees what it is given, and `Emission` what it emits.
            self.is_light = True
            self.record = Record
            interface.make = cast("MakeMessage", LightMessage)
        self._names_calls = interface.call_id_prefix is None
        kind, ours = type(interface), StreamingServerInterface
        if kind.process_chunk is ours.process_chunk:
            # Ours reads payloads: building a model of each chunk would take three
            # times as long as all the rest of its replay.
            self.feed = self._feed_ours  # type: ignore[method-assign]  # see above
            self._process: Callable[..., list[Any] | None] = interface.process_payload
            # The delta was read when it was accumulated: once is enough.
            self._by_parts = (
                kind.process_payload is ours.process_payload and not self._chat
            )
            if self._by_parts:
                self._process = interface.process_parts
            if self._by_parts and self.is_light:  # nobody sees its queue, now empty
                self._process = interface.read_parts

    def name_calls(self, prefix: str) -> None:
        """Give streamed calls without id the ids that the step loop gives them."""
        if self._names_calls:
            self.interface.call_id_prefix = prefix

    def release(self) -> None:
        """Leave the names of calls, and the making of messages, to the owner again."""
        super().release()
        self.interface.make = make_message
        if self._names_calls:
            self.interface.call_id_prefix = None

    def _feed_ours(
        self, chunk: Chunk, parts: list[Part], message_id: str, date: datetime
    ) -> list[Any] | None:
        read = parts if self._by_parts else chunk.payload
        try:
            return self._process(read, message_id, date)
        except Exception as error:
            raise self.failure("process_chunk", error) from error


class ListAdapter(BaseAdapter):
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
            returned = self.interface.to_list(**self._arguments)
            is_list = hasattr(returned, "__iter__")
            items = list(returned) if is_list else []
        except Exception as error:
            raise self.failure("to_list", error) from error
        if not is_list:
            self.must_have_run("to_list", returned)
            raise InterfaceError(
                f"{self.name}.to_list() must return a list, got "
                f"{type(returned).__name__}",
                where=self.where(),
            )
        return [item for item in items if item != "STOP"]


def adapt(
    interface: Any,
    name: str,
    mode: Mode | None,
    *,
    make: Callable[[], Any] | None = None,
) -> StreamingAdapter | ListAdapter | GeneratorAdapter:
    """Find out how an interface is to be used.

    Args:
        interface: The object; ours or a user's.
        name: How messages call it.
        mode: Sets the mode attributes that the interface has; None leaves them.
        make: Makes another one, for interfaces that serve one response each; None
            where there is only this object.

    Returns:
        Its adapter.

    Raises:
        UnusableInterfaceError: It offers neither `get_generator` nor `process` nor
            `to_list`.
    """
    if isinstance(interface, StreamingServerInterface):
        return StreamingAdapter(interface, name, mode)
    from harness.agents.letta.queuing import QueuingInterface  # see `make_interface`

    if isinstance(interface, QueuingInterface):
        return ListAdapter(interface, name, mode)
    if callable(getattr(interface, "get_generator", None)):
        return GeneratorAdapter(interface, name, mode)
    if callable(getattr(interface, "process", None)):
        return ProcessAdapter(interface, name, mode, make=make)
    if callable(getattr(interface, "to_list", None)):
        return ListAdapter(interface, name, mode)
    raise UnusableInterfaceError(
        f"{name} ({type(interface).__name__}) has no get_generator(), no process() "
        "and no to_list(): nothing it emits could be seen; see "
        "`harness docs own-interface`"
    )
