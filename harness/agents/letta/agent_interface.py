"""The protocol of an interface: what an agent calls, and what a replay looks for.

Nothing needs to inherit from these classes: `harness replay --interface
MODULE:NAME` takes any object that has the methods. Inheriting gives type checks
and the two signals that do nothing by default.

What an agent does with an interface, for each response of the model:

1. Streaming only: `stream_start()`, `process_chunk(...)` for every chunk,
   `stream_end()`.
2. `internal_monologue(text, msg_obj)` where the response has content.
3. For every tool call `function_message("Running name(args)", msg_obj)`; where it
   is the assistant function `assistant_message(text)`; then, with the tool's own
   message as `msg_obj`, `function_message("Ran name(args)", ...)` and
   `function_message("Success: result", ...)` or `function_message("Error: ...", ...)`.
4. `step_complete()`. After the last step `step_yield()`.

What came out is read by `get_generator()` (an async generator that ends after
`step_yield`) or `to_list()` (everything since the last call).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from harness.agents.letta.messages import Message


_PREFIXES = ("Running ", "Ran ", "Success: ", "Error: ")


def split_prefix(msg: str) -> tuple[str, str]:
    """Split the text of a `function_message` into its stage and its content.

    Args:
        msg: The text.

    Returns:
        The prefix with its trailing space, and the rest verbatim: the same words
        further on are part of the arguments or the result. An empty prefix and the
        whole text where it begins with none of the four.
    """
    for prefix in _PREFIXES:
        if msg.startswith(prefix):
            return prefix, msg[len(prefix) :]
    return "", msg


def needs_record(call: str, msg_obj: Message | None) -> Message:
    """Return the record that a call was given.

    Args:
        call: The class and the method that was called.
        msg_obj: What it was given.

    Raises:
        ValueError: It was given none.
    """
    if msg_obj is None:
        raise ValueError(f"{call} needs msg_obj, whose id and date it shows; got None")
    return msg_obj


@runtime_checkable
class AgentInterface(Protocol):
    """What an agent reports to its front end, one whole message at a time."""

    @abstractmethod
    def user_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Take a message that the user sent.

        Args:
            msg: Its text.
            msg_obj: The record it is stored as.
        """

    @abstractmethod
    def internal_monologue(self, msg: str, msg_obj: Message | None = None) -> None:
        """Take the agent's inner thoughts: the content of the model's answer.

        Args:
            msg: The text.
            msg_obj: The record of the answer.
        """

    @abstractmethod
    def assistant_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Take the agent's words to the user.

        Args:
            msg: The text.
            msg_obj: The record it is stored as; agents often give none, because
                the text is an argument of the call announced just before.
        """

    @abstractmethod
    def function_message(self, msg: str, msg_obj: Message | None = None) -> None:
        """Take a stage of a function call.

        Args:
            msg: ``Running name(args)``, ``Ran name(args)``, ``Success: result`` or
                ``Error: reason``; what follows the prefix is verbatim.
            msg_obj: For ``Running`` the answer with the call as `tool_calls[0]`;
                for the others the tool's message with its `tool_call_id`.
        """

    def step_complete(self) -> None:
        """Note that a step is over: the response and the calls it asked for."""

    def step_yield(self) -> None:
        """Note that the agent is done: nothing more comes until the next start."""


@runtime_checkable
class AgentChunkStreamingInterface(AgentInterface, Protocol):
    """An interface that also reads the model's answer while it streams."""

    @abstractmethod
    def stream_start(self) -> None:
        """Note that a response begins; also makes an ended stream active again."""

    @abstractmethod
    def process_chunk(
        self, chunk: Any, message_id: str, message_date: datetime
    ) -> None:
        """Take one chunk of the response.

        Args:
            chunk: A `chat.completion.chunk` with attribute access, as the OpenAI
                SDK's; extra fields kept.
            message_id: The id of the message that the response becomes.
            message_date: Its date; aware.
        """

    @abstractmethod
    def stream_end(self) -> None:
        """Note that the response is over; also called after an error in it."""
