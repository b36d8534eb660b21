"""One streamed response as messages, a message a fragment.

Content becomes `InternalMonologue`, calls become `FunctionCallMessage` deltas, and
the assistant function's text `AssistantMessage` where that is asked for. What the
deltas carry is read in `harness.apis.chat.deltas`, which calls are spoken is decided in
`harness.agents.letta.assistant_calls`; here is only what it looks like.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.agents.letta.assistant_calls import (
    AssistantText,
    CallDelta,
    CallRouter,
    InnerThought,
    Routed,
    call_id_of,
)
from harness.agents.letta.light_messages import CallFields, make_message
from harness.agents.letta.surrogates import HalfPairs, encodable
from harness.apis.chat.deltas import DeltaReader
from harness.core.parts import CallPart, Finish, Part, Text, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from harness.agents.letta.light_messages import MakeMessage
    from harness.agents.letta.messages import StreamedMessage
    from harness.apis.chat.chunks import Payload


_CONTENT = "content"  # the one text that is no call's, as a key of `HalfPairs`


class TokenMessages:
    """Reads the chunks of one response.

    Never raises on what a chunk holds. O(size of the chunk) a call.

    Args:
        assistant_function: The function whose calls are text for the user; None
            passes every call on as deltas.
        assistant_argument: The key of that text.
        call_id_prefix: A call without id gets this, ``_`` and its position; None
            leaves it without.
        thoughts_argument: The argument of every function that holds inner thoughts;
            None where there is none.
        make: Makes the messages.
    """

    def __init__(
        self,
        assistant_function: str | None,
        assistant_argument: str,
        *,
        call_id_prefix: str | None = None,
        thoughts_argument: str | None = None,
        make: MakeMessage = make_message,
    ) -> None:
        self._router = CallRouter(
            assistant_function, assistant_argument, thoughts=thoughts_argument
        )
        self._halves = HalfPairs()
        self._make = make
        self._call_id_prefix = call_id_prefix
        self._id: str  # set by `feed`, as `_date`: nothing is shown before it
        self._date: datetime

    @cached_property
    def read(self) -> Callable[[Payload], list[Part]]:
        """Reads a chunk's JSON object, of any shape, for those who have not."""
        return DeltaReader().read

    def feed(
        self, parts: list[Part], message_id: str, message_date: datetime
    ) -> list[StreamedMessage]:
        """Take one chunk.

        Args:
            parts: What `read` made of it, or another `DeltaReader`: the same one for
                all chunks of the response.
            message_id: The id of the messages it leads to.
            message_date: Their date.

        Returns:
            The messages, in order; empty if it has nothing to show.
        """
        self._id = message_id
        self._date = message_date
        messages: list[StreamedMessage] = []
        for part in parts:
            if type(part) is Text:
                text = part.text
                if self._halves.held or not text.isascii():
                    text = self._halves.join(_CONTENT, text)
                if text:
                    shown = {"internal_monologue": text}
                    messages.append(
                        self._make("InternalMonologue", message_id, message_date, shown)
                    )
            elif type(part) is CallPart:
                for routed in self._router.feed(part):
                    self._add_routed(routed, messages)
            elif type(part) is Finish:
                messages += self.close()
        return messages

    def close(self) -> list[StreamedMessage]:
        """Settle what was held back; chunks may follow all the same.

        Returns:
            The messages, with the id and date of the last chunk.
        """
        messages: list[StreamedMessage] = []
        for key in self._halves.flush():
            if isinstance(key, ToolCall):
                lost_half = CallDelta(key, "", "\ufffd", is_announced=True)
                self._add_routed(lost_half, messages)
            else:
                self._add_routed(InnerThought("\ufffd"), messages)
        for routed in self._router.finish():
            self._add_routed(routed, messages)
        return messages

    def _add_routed(self, routed: Routed, messages: list[StreamedMessage]) -> None:
        fields: dict[str, Any]
        if isinstance(routed, AssistantText):
            kind, fields = "AssistantMessage", {"assistant_message": routed.text}
        elif isinstance(routed, InnerThought):
            kind, fields = "InternalMonologue", {"internal_monologue": routed.text}
        else:
            call = routed.call
            if isinstance(routed, CallDelta):
                function_call = self._delta(routed)
                if not function_call:
                    return
            else:
                function_call = CallFields(
                    name=encodable(call.name),
                    arguments=encodable(call.arguments),
                    function_call_id=call_id_of(call, self._call_id_prefix),
                )
            kind, fields = "FunctionCallMessage", {"function_call": function_call}
        messages.append(self._make(kind, self._id, self._date, fields))

    def _delta(self, routed: CallDelta) -> dict[str, str]:
        """Return what a fragment of a call adds to it; absent fields are left out."""
        call, arguments = routed.call, routed.arguments
        if self._halves.held or not arguments.isascii():
            arguments = self._halves.join(call, arguments)
        delta = {}
        if name := encodable(routed.name):
            delta["name"] = name
        if arguments:
            delta["arguments"] = arguments
        if routed.is_announced and (call_id := call_id_of(call, self._call_id_prefix)):
            delta["function_call_id"] = call_id
        return delta
