"""The options that several commands take, each declared once."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = ("streaming", "queuing")
"""The interfaces that have a name."""
MODE = click.Choice(("tokens", "steps", "legacy", "chat-completion"))
"""How a streaming interface is used."""
API = click.Choice(("chat", "responses", "anthropic", "gemini"))
"""What a recording can be restated in."""
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
DIALECT = click.option(
    "--dialect",
    metavar="NAME",
    help="Say the stream as this provider would; several joined by +.",
)
REASONING = click.option(
    "--reasoning", is_flag=True, help="Show reasoning as inner thoughts."
)
_AGENT = (
    click.option(
        "--assistant-message/--no-assistant-message",
        default=False,
        show_default=True,
        help="Emit the assistant function's text as assistant messages.",
    ),
    click.option(
        "--assistant-function",
        default="send_message",
        show_default=True,
        metavar="NAME",
        help="The function whose call is the agent's answer.",
    ),
    click.option(
        "--assistant-argument",
        default="message",
        show_default=True,
        metavar="NAME",
        help="The argument of that function that holds the text.",
    ),
)


def agent_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--assistant-...`; it gets them as `agent`, an `AgentOptions`."""

    @wraps(command)
    def with_agent(
        *,
        assistant_message: bool,
        assistant_function: str,
        assistant_argument: str,
        **others: Any,
    ) -> Any:
        from harness.engine.agent_options import AgentOptions

        agent = AgentOptions(
            use_assistant_message=assistant_message,
            assistant_function=assistant_function,
            assistant_argument=assistant_argument,
        )
        return command(agent=agent, **others)

    declared: Callable[..., Any] = with_agent
    for option in reversed(_AGENT):
        declared = option(declared)
    return declared


def exchange_option(verb: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return `--exchange N`, which `verb` only one exchange."""
    return click.option(
        "--exchange",
        type=click.IntRange(min=0),
        metavar="N",
        help=f"{verb} only exchange N, numbered from 0.  [default: all]",
    )


def given(*names: str) -> list[str]:
    """Return those of the parameters that the command line has, as it has them."""
    context = click.get_current_context()
    command_line = click.core.ParameterSource.COMMANDLINE
    return [
        f"--{name.replace('_', '-')}"
        for name in names
        if context.get_parameter_source(name) is command_line
    ]


def mode_of(interface: str, mode: str | None) -> str | None:
    """Return the mode an interface is used in; the queue has none."""
    return None if interface == "queuing" else mode or "tokens"
