"""`harness replay --around N`, `--until N` and `--step`: one exchange from close by."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from harness.cli.console import Exit, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.varied import Variation
    from harness.debug.trace import Trace

__all__ = ["look", "wants_to_look"]

_WAYS = ("around", "until", "step")


def wants_to_look(options: dict[str, Any]) -> bool:
    """Tell whether one of the options of this module was given.

    Args:
        options: The options of `harness replay`.

    Returns:
        Whether `look` is to run instead of a replay.
    """
    return any(_is_given(options, name) for name in _WAYS)


def _step(follow: Callable[[Variation], Trace], variation: Variation) -> None:
    from harness.debug.walk import Walk
    from harness.errors import UsageError

    try:
        from harness.debug.stepper import Stepper
    except ImportError as error:
        raise UsageError(
            f"--step needs the extra `step` ({error}): pip install "
            "'agent-stream-harness[step]'; --around N shows the same without"
        ) from None
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--step needs a terminal; use --around N or --until N")
    Stepper(Walk(follow, variation)).run()


def _is_given(options: dict[str, Any], name: str) -> bool:
    return options[name] is not None and options[name] is not False  # 0 is a chunk


def look(
    paths: tuple[str, ...],
    interfaces: list[str],
    variation: Variation,
    options: dict[str, Any],
) -> int:
    """Show one exchange of one recording chunk by chunk.

    Args:
        paths: What was named; one file.
        interfaces: The interfaces that are told.
        variation: How the stream is said, cut and broken.
        options: The options of `harness replay`.

    Returns:
        The exit code.

    Raises:
        click.UsageError: Several files, or several ways to look at them.
        UsageError: There is no such exchange or chunk.
    """
    from harness.cassettes.load import load_cassette
    from harness.debug.panes import around, until
    from harness.debug.trace import trace
    from harness.engine.targets import AgentOptions
    from harness.errors import UsageError

    if sum(_is_given(options, name) for name in _WAYS) > 1:
        raise click.UsageError("--around, --until and --step exclude each other")
    if len(paths) != 1 or paths[0] == "-":
        raise click.UsageError(
            "--around, --until and --step look at one recording in a file"
        )
    cassette = load_cassette(paths[0])

    def follow(variation: Variation) -> Trace:
        return trace(
            cassette,
            options["exchange"],
            interfaces=interfaces,
            variation=variation,
            mode=options["mode"],
            options=AgentOptions(
                use_assistant_message=options["assistant_message"],
                assistant_function=options["assistant_function"],
                assistant_argument=options["assistant_argument"],
            ),
            reasoning=options["reasoning"],
        )

    if options["step"]:
        _step(follow, variation)
        return Exit.DONE
    made = follow(variation)
    chunk = options["around"] if options["until"] is None else options["until"]
    lines = list((around if options["until"] is None else until)(made, chunk))
    if not lines:
        last = max((m.arrival.chunk for m in made.moments), default=None)
        raise UsageError(
            f"{made.cassette}: exchange {made.exchange} has no chunk {chunk}; its "
            f"chunks are numbered 0 to {last}"
        )
    for line in lines:
        write(line, bold=True) if line.startswith(">") else write(line)
    return Exit.DONE
