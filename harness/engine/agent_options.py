"""What an agent and its interface agree on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.core.fielded import FrozenFielded


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AgentOptions(FrozenFielded):
    """What the agent and its interface agree on."""

    use_assistant_message: bool = False
    """Whether the assistant function's text comes as assistant messages."""
    assistant_function: str = "send_message"
    """The function whose call is the agent's answer."""
    assistant_argument: str = "message"
    """The argument of that function that holds the text."""
    multi_step: bool = True
    """False: the stream is over after the first step."""
    inner_thoughts: bool = False
    """Whether every function has an argument with the agent's inner thoughts."""

    @classmethod
    def of(cls, interface: Any, default: AgentOptions) -> AgentOptions:
        """Return the options that an interface already has, defaults elsewhere."""
        its = partial(getattr, interface)
        return cls(
            its("use_assistant_message", default.use_assistant_message),
            its("assistant_message_function_name", default.assistant_function),
            its("assistant_message_function_kwarg", default.assistant_argument),
            default.multi_step and bool(getattr(interface, "multi_step", True)),
            its("inner_thoughts_in_kwargs", default.inner_thoughts),
        )

    def to_arguments(self) -> dict[str, Any]:
        """Return them as the constructor arguments of `StreamingServerInterface`."""
        arguments: dict[str, Any] = {
            "multi_step": self.multi_step,
            "use_assistant_message": self.use_assistant_message,
            "assistant_message_function_name": self.assistant_function,
            "assistant_message_function_kwarg": self.assistant_argument,
        }
        if self.inner_thoughts:  # younger than interfaces that take any option
            arguments["inner_thoughts_in_kwargs"] = True
        return arguments
