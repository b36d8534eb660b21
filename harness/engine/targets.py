"""From what a caller names to an interface object: ours by name, a user's by import."""

from __future__ import annotations

import importlib
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.agents.letta.streaming import StreamingServerInterface
from harness.engine.user_frames import user_frame
from harness.errors import (
    HarnessError,
    InterfaceError,
    UnusableInterfaceError,
    UsageError,
    did_you_mean,
    raised_text,
)

if TYPE_CHECKING:
    from harness.engine.agent_options import AgentOptions


def name_of(target: object) -> str:
    """Return how a transcript calls an interface."""
    if isinstance(target, str):
        return target
    if type(target) is StreamingServerInterface:
        return "streaming"
    if isinstance(target, partial):
        return name_of(target.func)
    kind = (
        target if inspect.isclass(target) or inspect.isroutine(target) else type(target)
    )
    if kind is StreamingServerInterface:
        return "streaming"
    from harness.agents.letta.queuing import QueuingInterface  # see `make_interface`

    if kind is QueuingInterface:
        return "queuing"
    return f"{kind.__module__}:{kind.__qualname__}"


def make_interface(target: object, options: AgentOptions) -> Any:
    """Make the interface that a caller named.

    Args:
        target: ``streaming``, ``queuing``, ``MODULE:NAME``, a class or factory, or
            an interface object, which is returned as it is.
        options: Passed on to a class or factory as far as its parameters have the
            names of `StreamingServerInterface`'s.

    Returns:
        The interface.

    Raises:
        UsageError: The name is malformed, or there is no such module or attribute.
        UnusableInterfaceError: It wants arguments, or is asynchronous.
        InterfaceError: The class or factory raised.
    """
    if target == "streaming" or target is StreamingServerInterface:
        # Its signature is known: to look at it takes as long as ten chunks.
        return StreamingServerInterface(**options.to_arguments())
    if type(target) is StreamingServerInterface:
        return target
    name = name_of(target)
    if target == "queuing":
        # Not at the top: it brings logging, 5 ms of a start that has no queue.
        from harness.agents.letta.queuing import QueuingInterface

        target = QueuingInterface
    elif isinstance(target, str):
        target = import_named(target)
    if not (inspect.isclass(target) or inspect.isroutine(target)) and not isinstance(
        target, partial
    ):
        return target
    try:
        accepted = inspect.signature(target).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        accepted = {}  # type: ignore[assignment]  # an empty mapping of parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
    arguments = {
        key: value
        for key, value in options.to_arguments().items()
        if key in accepted or takes_all
    }
    try:
        made = target(**arguments)
    except HarnessError:
        raise
    except (Exception, SystemExit) as error:
        trace = error.__traceback__
        is_call = isinstance(error, TypeError) and trace and not trace.tb_next
        failed = UnusableInterfaceError if is_call else InterfaceError
        raise failed(
            f"{name} could not be made: {raised_text(error)}"
            + ("; name a function without parameters that makes it" * bool(is_call)),
            line=str(user_frame(error) or ""),
        ) from error
    if inspect.iscoroutine(made):
        made.close()  # or Python warns that it was never awaited
        raise UnusableInterfaceError(
            f"{name} is asynchronous; expected a plain function that returns the "
            "interface"
        )
    return made


def import_named(
    name: str,
    what: str = "interface",
    own: tuple[str, ...] = ("streaming", "queuing", "both"),
    example: str = "my_agent.stream:MyInterface",
) -> object:
    """Import what `MODULE:NAME` names.

    Args:
        name: As a caller writes it.
        what: How a message calls it.
        own: The names without a module that a message lists.
        example: A name that a message shows.

    Raises:
        UsageError: The name is malformed, or there is no such module or attribute.
        InterfaceError: Importing the module failed.
    """
    module_name, colon, attributes = name.partition(":")
    if name == "both":
        raise UsageError(
            f"{what} 'both' stands for two, and here one is asked; name it"
        )
    if "/" in module_name or module_name.endswith(".py"):
        dotted = module_name.removeprefix("./").removesuffix(".py").replace("/", ".")
        raise UsageError(
            f"{what} {name!r}: expected a module as `import` has it, got a path; "
            f"did you mean '{dotted.strip('.')}:{attributes or 'NAME'}'?"
        )
    if not (module_name and colon and attributes):
        dotted, dot, last = name.rpartition(".")
        hint = did_you_mean(name, own)
        if dot and not colon and dotted and last:
            hint = f"did you mean '{dotted}:{last}'?"
        raise UsageError(
            f"{what} {name!r} is none of {', '.join(map(repr, own))} and no "
            f"MODULE:NAME such as {example!r}" + (f": {hint}" if hint else "")
        )
    try:
        target: object = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # as of a script that runs when imported
        missing = (isinstance(error, ModuleNotFoundError) and error.name) or ""
        if missing and f"{module_name}.".startswith(f"{missing}."):
            raise UsageError(
                f"{what} {name!r}: there is no module {missing!r} in the current "
                "folder or among the installed packages"
            ) from None
        raise InterfaceError(
            f"{what} {name!r}: importing {module_name} failed: " + raised_text(error),
            line=str(user_frame(error) or ""),
        ) from error
    for attribute in attributes.split("."):
        try:
            target = getattr(target, attribute)
        except AttributeError:
            hint = did_you_mean(attribute, dir(target))
            raise UsageError(
                f"{what} {name!r}: {module_name} has no attribute {attributes!r}"
                + (f"; {hint}" if hint else "")
            ) from None
    return target
