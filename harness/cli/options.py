"""The options of commands: how a class declares them, and those that several take."""

from __future__ import annotations

import math
from functools import wraps
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.engine.agent_options import AgentOptions

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

OURS = ("streaming", "queuing")
"""The interfaces that have a name."""


class Options:
    """What a command was given: a subclass declares each option as a field.

    The field's name is the option's (`max_examples` is ``--max-examples``), its type
    decides what it takes: `bool` is a flag, `int` a number, a tuple may be repeated.
    """

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)

    def but(self, **changed: Any) -> Self:
        """Return the same options with other values."""
        return type(self)(**{**vars(self), **changed})


class _Whole(click.IntRange):
    name = "integer"  # as an error has it


class Number(click.FloatRange):
    """A number within bounds, which is neither infinite nor none at all."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the number; fail as click does."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


def option(text: str, *names: str, **settings: Any) -> Any:
    """Declare an option as a field of `Options`.

    Args:
        text: Its help.
        *names: How it is written, where the field's name is not enough.
        **settings: As `click.option` takes them; `least` and `most` of a number, `of`
            for what there is to choose from. A default is shown.
    """

    def declare(field: str, kind: str) -> Decorator:
        given = dict(settings)
        bounds = given.pop("least", None), given.pop("most", None)
        if "of" in given:
            given["type"] = click.Choice(given.pop("of"))
        if kind == "bool":
            given["is_flag"] = True
        elif kind.startswith("int"):
            given = {"type": _Whole(*bounds), "metavar": "N", **given}
        elif kind.startswith("tuple"):
            given["multiple"] = True
        written = names or (f"--{field.replace('_', '-')}",)
        shown = "default" in given
        return click.option(*written, field, help=text, show_default=shown, **given)

    return declare


def group(options: type[Options], make: Callable[[Any], Any]) -> Any:
    """Declare as a field what `make` returns of the options that another class has."""

    def declare(field: str, _kind: str) -> Decorator:
        def with_group(command: Callable[..., Any]) -> Callable[..., Any]:
            @takes(options)
            @wraps(command)
            def with_made(*, options: Any, **others: Any) -> Any:
                return command(**{field: make(options)}, **others)

            return with_made

        return with_group

    return declare


def takes(options: type[Options]) -> Decorator:
    """Give a command the options that a class declares; it gets them as `options`."""
    kinds = options.__annotations__

    def declare(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_options(**given: Any) -> Any:
            own = options(**{name: given.pop(name) for name in kinds})
            return command(options=own, **given)

        declared: Callable[..., Any] = with_options
        for name in reversed(kinds):
            declared = vars(options)[name](name, kinds[name])(declared)
        return declared

    return declare


MODE = ("tokens", "steps", "legacy", "chat-completion")
"""How a streaming interface is used."""
API = ("chat", "responses", "anthropic", "gemini")
"""What a recording can be restated in."""
PERSONAL = ("email", "phone")
"""The kinds of personal data that are looked for where they are asked for."""
AS_JSON = option("Print one JSON object.", "--json")
JOBS = option(
    "Worker processes; the output is the same. They pay from some hundred recordings "
    "on.",
    least=1,
    default=1,
)
DIALECT = option(
    "Say the stream as this provider would; several joined by +.", metavar="NAME"
)
REASONING = option("Show reasoning as inner thoughts.")


def exchange_option(verb: str) -> Any:
    """Return `--exchange N`, which `verb` only one exchange."""
    return option(f"{verb} only exchange N, numbered from 0.  [default: all]", least=0)


class _Agent(Options):
    assistant_message: bool = option(
        "Emit the assistant function's text as assistant messages.",
        "--assistant-message/--no-assistant-message",
        default=False,
    )
    assistant_function: str = option(
        "The function whose call is the agent's answer.",
        default="send_message",
        metavar="NAME",
    )
    assistant_argument: str = option(
        "The argument of that function that holds the text.",
        default="message",
        metavar="NAME",
    )


def _agent(options: _Agent) -> AgentOptions:
    from harness.engine.agent_options import AgentOptions

    return AgentOptions(
        use_assistant_message=options.assistant_message,
        assistant_function=options.assistant_function,
        assistant_argument=options.assistant_argument,
    )


AGENT = group(_Agent, _agent)
"""`--assistant-...`, as one `AgentOptions`."""


def given(*names: str) -> list[str]:
    """Return those of the parameters that the command line has, as it has them."""
    context = click.get_current_context()
    command_line = click.core.ParameterSource.COMMANDLINE
    written = {one.name: one.opts[0] for one in context.command.params}
    return [
        written[name]
        for name in names
        if context.get_parameter_source(name) is command_line
    ]


def mode_of(interface: str, mode: str | None) -> str | None:
    """Return the mode an interface is used in; the queue has none."""
    return None if interface == "queuing" else mode or "tokens"
