"""`StreamingServerInterface`: an agent's work as one stream of messages.

Owns the modes and the ends of steps and streams. How one streamed response looks
is decided in `harness.agents.letta.token_messages` and, for OpenAI clients, in
`harness.agents.letta.chat_completion`; how readers wait, in
`harness.agents.letta.waiting`.

Where the fragments of a response are shown (`streaming_mode`), the whole messages
that the agent announces afterwards are silent, except for the returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agents.letta.agent_interface import (
    AgentChunkStreamingInterface,
    needs_record,
    split_prefix,
)
from harness.agents.letta.chat_completion import ChatCompletionChunks
from harness.agents.letta.light_messages import MessageStreamStatus, make_message
from harness.agents.letta.step_messages import (
    call_message,
    call_of,
    legacy_messages,
    return_message,
    thoughts_apart,
)
from harness.agents.letta.surrogates import encodable
from harness.agents.letta.token_messages import TokenMessages
from harness.agents.letta.waiting import Outbox
from harness.apis.chat.chunks import Payload, payload_of
from harness.errors import StreamInactiveError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from harness.agents.letta.light_messages import Emitted, MakeMessage, Record
    from harness.agents.letta.messages import Message, StreamedMessage
    from harness.core.parts import Part


class StreamingServerInterface(AgentChunkStreamingInterface):
    """Streams what the agent does, in one of four modes.

    - tokens: `streaming_mode`; each fragment of a response is a message.
    - steps: no mode set; each call of the `AgentInterface` is a message.
    - legacy: `nonstreaming_legacy_mode`; steps, with calls as one line of text.
    - chat completion: `streaming_chat_completion_mode`; OpenAI chunks (dicts) in
      which the assistant function's text is the content, and nothing else is shown.

    The modes are attributes, to be set before the first call of a response. One
    object serves one agent at a time: calls must not overlap, but may come from any
    thread, and readers may wait in any event loop. After `step_yield` the object
    can be used again from `stream_start` on. A call that raises has shown nothing.

    Args:
        multi_step: The stream lasts until `step_yield`, steps end with
            ``[DONE_STEP]``; else it is over after the first step.
        use_assistant_message: Show calls to the assistant function as its text.
        assistant_message_function_name: The assistant function.
        assistant_message_function_kwarg: The argument that holds its text.
        inner_thoughts_in_kwargs: Every function has an argument with the agent's inner
            thoughts: show it as `InternalMonologue`, and the call without it.
        inner_thoughts_kwarg: The name of that argument.
    """

    def __init__(
        self,
        multi_step: bool = True,  # noqa: FBT001, FBT002 - positional as in the seed
        use_assistant_message: bool = False,  # noqa: FBT001, FBT002 - as above
        assistant_message_function_name: str = "send_message",
        assistant_message_function_kwarg: str = "message",
        *,
        inner_thoughts_in_kwargs: bool = False,
        inner_thoughts_kwarg: str = "inner_thoughts",
    ) -> None:
        self.multi_step = multi_step
        self.use_assistant_message = use_assistant_message
        self.assistant_message_function_name = assistant_message_function_name
        self.assistant_message_function_kwarg = assistant_message_function_kwarg
        self.inner_thoughts_in_kwargs = inner_thoughts_in_kwargs
        self.inner_thoughts_kwarg = inner_thoughts_kwarg
        self.streaming_mode = False
        """Silences what the streamed fragments have shown already."""
        self.nonstreaming_legacy_mode = False
        """Shows calls as `LegacyFunctionCallMessage`; no status marks."""
        self.streaming_chat_completion_mode = False
        """Shows OpenAI chunks and nothing else; no status marks."""
        self.timeout: float | None = 30
        """Seconds that a generator waits for the next item; None waits on."""
        self.call_id_prefix: str | None = None
        """Names streamed calls without id ``<prefix>_<position>``; None does not."""
        self.make: MakeMessage = make_message
        """Makes the messages; a replay's are `LightMessage`s."""
        self._outbox: Outbox[Emitted] = Outbox()
        self._tokens: TokenMessages | None = None
        self._chunks: ChatCompletionChunks | None = None
        self._is_end_announced = False

    @property
    def is_active(self) -> bool:
        """Whether the stream goes on: more can be pushed."""
        return not self._outbox.is_closed

    def get_generator(self) -> AsyncGenerator[Emitted, None]:
        """Return a generator of what is emitted, from what waits already on.

        It ends after `step_yield` (or the first step) with everything delivered.

        Returns:
            The generator. It raises `StreamTimeoutError` after `timeout` seconds
            without an item; another generator can then go on.

        Raises:
            StreamInactiveError: The stream is over and everything was delivered.
        """
        if self._outbox.is_closed and not self._outbox:
            raise StreamInactiveError(
                "the stream is over and everything was delivered; "
                "call stream_start() to begin another"
            )
        return self._outbox.read(lambda: self.timeout)

    def drain(self) -> list[Emitted]:
        """Take what was emitted and not yet read, oldest first, without waiting.

        Works at any time, also after the end; O(number of items).
        """
        return self._outbox.drain()

    def stream_start(self) -> None:
        """Begin a response; make an ended stream active again.

        What an ended stream had not delivered goes to the generators it has; new
        ones do not see it. What a response that was never ended had held back is
        emitted first.
        """
        if self._outbox.is_closed:
            # Another outbox: who still reads the old one gets its end, not ours.
            self._outbox = Outbox()
            self._tokens = self._chunks = None
        else:
            self._end_response()
        self._is_end_announced = False

    def stream_end(self) -> None:
        """End the response: emit what was held back, then ``[DONE_GEN]``.

        Once a response, however often it is called (after an error it is called
        again), and not in legacy and chat-completion mode. Nothing if the stream
        is over.
        """
        if self._outbox.is_closed:
            return
        self._end_response()
        if self._has_marks and not self._is_end_announced:
            self._outbox.put(MessageStreamStatus.done_generation)
        self._is_end_announced = True

    def step_complete(self) -> None:
        """End a step: ``[DONE_STEP]``, or the end of a single-step stream.

        Raises:
            StreamInactiveError: The stream is over, and it is no single-step one.
        """
        if not self._outbox.is_closed:
            self._end_response()
        if not self.multi_step:
            self._outbox.close()
        elif self._has_marks:
            self._outbox.put(MessageStreamStatus.done_step)

    def step_yield(self) -> None:
        """End the stream; generators deliver what is left and end."""
        if not self._outbox.is_closed:
            self._end_response()
            self._outbox.close()

    @staticmethod
    def clear() -> None:
        """Do nothing: what was emitted cannot be taken back."""

    def process_chunk(
        self, chunk: Any, message_id: str, message_date: datetime
    ) -> None:
        """Read one chunk of the response.

        Args:
            chunk: A dict, or a pydantic model: ours or the OpenAI SDK's.
            message_id: The id of the messages it leads to.
            message_date: Their date.

        Raises:
            TypeError: `chunk` is none of these.
            StreamInactiveError: The stream is over and the chunk carries something.
        """
        self.process_payload(payload_of(chunk), message_id, message_date)

    def process_payload(
        self, payload: Payload, message_id: str, message_date: datetime
    ) -> None:
        """Read one chunk that is a plain dict; what `process_chunk` comes down to.

        Args:
            payload: The chunk's JSON object, of any shape.
            message_id: The id of the messages it leads to.
            message_date: Their date.

        Raises:
            StreamInactiveError: The stream is over and the chunk carries something.
        """
        if self.streaming_chat_completion_mode:
            self._outbox.put_all(self._chunk_reader().feed(payload))
            return
        tokens = self._tokens or self._token_reader()
        parts = tokens.read(payload)
        self._outbox.put_all(tokens.feed(parts, message_id, message_date))

    def process_parts(
        self, parts: list[Part], message_id: str, message_date: datetime
    ) -> None:
        """Read one chunk whose delta has been read already; a faster second door.

        The agent loop accumulates each response with `DeltaReader` and would have every
        delta read twice (1.3 of 5 us a chunk). All chunks of a response must go through
        one door. Not in chat-completion mode, whose chunks carry more than the delta.

        Args:
            parts: What `DeltaReader.read` or `ResponseAccumulator.feed` returned for
                the chunk, by one reader for the whole response.
            message_id: The id of the messages it leads to.
            message_date: Their date.

        Raises:
            StreamInactiveError: The stream is over and the chunk carries something.
        """
        self._outbox.put_all(self.read_parts(parts, message_id, message_date))

    def read_parts(
        self, parts: list[Part], message_id: str, message_date: datetime
    ) -> list[StreamedMessage]:
        """Do as `process_parts`, but return the messages instead of emitting them."""
        tokens = self._tokens or self._token_reader()
        return tokens.feed(parts, message_id, message_date)

    def user_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Emit nothing; the user knows what they wrote."""

    def assistant_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Emit nothing; the call to the assistant function has shown it."""

    def internal_monologue(self, msg: str, msg_obj: Message | None = None) -> None:
        """Emit an `InternalMonologue`, where it was not streamed.

        Args:
            msg: The inner thoughts.
            msg_obj: The record of the answer.

        Raises:
            ValueError: `msg_obj` is missing.
            StreamInactiveError: The stream is over.
        """
        if self._is_streamed:
            return
        record = needs_record("StreamingServerInterface.internal_monologue", msg_obj)
        self._outbox.put(self._thought(record, encodable(msg)))

    def function_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Emit a stage of a function call.

        Args:
            msg: ``Running ...`` emits the call of `msg_obj`, where it was not
                streamed; ``Ran ...`` nothing; ``Success: ...`` and ``Error: ...`` a
                `FunctionReturn` with the rest, verbatim.
            msg_obj: The record of the answer, with its call; for a return the
                tool's message with its `tool_call_id`.

        Raises:
            ValueError: `msg` has another prefix, or `msg_obj` is missing or lacks
                the call or the `tool_call_id`.
            StreamInactiveError: The stream is over.
        """
        record = needs_record("StreamingServerInterface.function_message", msg_obj)
        prefix, text = split_prefix(msg)
        match prefix:
            case "Running ":
                if not self._is_streamed:
                    self._outbox.put_all(self._call_messages(record))
            case "Ran ":
                pass
            case "Success: " | "Error: ":
                message = return_message(
                    record,
                    text,
                    "success" if prefix == "Success: " else "error",
                    self.make,
                )
                if not self.streaming_chat_completion_mode:
                    self._outbox.put(message)
            case _:
                raise ValueError(
                    "a function message begins with 'Running ', 'Ran ', 'Success: ' "
                    f"or 'Error: '; got {msg!r}"
                )

    @property
    def _has_marks(self) -> bool:
        return not (
            self.streaming_chat_completion_mode or self.nonstreaming_legacy_mode
        )

    @property
    def _is_streamed(self) -> bool:
        return self.streaming_mode or self.streaming_chat_completion_mode

    def _call_messages(self, record: Message | Record) -> list[StreamedMessage]:
        name = self.assistant_message_function_name
        argument = self.assistant_message_function_kwarg
        if self.nonstreaming_legacy_mode:
            return legacy_messages(record, name, argument, self.make)
        thoughts, arguments = "", call_of(record).function.arguments
        if self.inner_thoughts_in_kwargs:
            thoughts, arguments = thoughts_apart(arguments, self.inner_thoughts_kwarg)
        shown = [self._thought(record, thoughts)] if thoughts else []
        spoken = name if self.use_assistant_message else None
        return [*shown, call_message(record, arguments, spoken, argument, self.make)]

    def _thought(self, record: Message | Record, text: str) -> StreamedMessage:
        shown = {"internal_monologue": text}
        return self.make("InternalMonologue", record.id, record.created_at, shown)

    def _token_reader(self) -> TokenMessages:
        speaks = self.use_assistant_message
        self._tokens = TokenMessages(
            self.assistant_message_function_name if speaks else None,
            self.assistant_message_function_kwarg,
            call_id_prefix=self.call_id_prefix,
            thoughts_argument=(
                self.inner_thoughts_kwarg if self.inner_thoughts_in_kwargs else None
            ),
            make=self.make,
        )
        self._is_end_announced = False
        return self._tokens

    def _chunk_reader(self) -> ChatCompletionChunks:
        if self._chunks is None:
            self._chunks = ChatCompletionChunks(
                self.assistant_message_function_name,
                self.assistant_message_function_kwarg,
                call_id_prefix=self.call_id_prefix,
            )
        return self._chunks

    def _end_response(self) -> None:
        """Emit what the response at hand holds back, and forget it."""
        if self._tokens is not None:
            self._outbox.put_all(self._tokens.close())
            self._tokens = None
        if self._chunks is not None:
            self._outbox.put_all(self._chunks.close())
            self._chunks = None
