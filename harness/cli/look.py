"""`harness replay --around N`, `--until N` and `--step`: one exchange from close by."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain_of, has_escapes, write
from harness.cli.options import given
from harness.cli.output import out
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.varied import Variation
    from harness.cassettes.model import Cassette
    from harness.cli.replay import ReplayOptions
    from harness.debug.navigation import Follow
    from harness.debug.trace import Trace


def ways_to_look(options: ReplayOptions) -> int:
    """Return how many of the options of this module were given; 0 is a chunk."""
    return (options.around is not None) + (options.until is not None) + options.step


def _questions(cassette: Cassette) -> dict[int, str]:
    from harness.cassettes.classify import classify
    from harness.debug.trace import streams_of
    from harness.engine.conversation import question_of

    asked = (cassette.exchanges[number] for number in streams_of(cassette))
    return {one.index: question_of(one.request, classify(one).api) for one in asked}


def _can_step() -> None:
    """Refuse before anything is read, which can take seconds; then name what is."""
    try:
        import harness.debug.stepper  # noqa: F401 (is the extra installed?)
    except ImportError as error:
        raise UsageError(
            f"--step needs the extra `step` ({error}): pip install "
            "'agent-stream-harness[step]'; --around N shows the same without"
        ) from None
    if not (sys.stdin.isatty() and has_escapes(out())):
        raise UsageError("--step needs a terminal; use --around N or --until N")


def _step(cassette: Cassette, follow: Follow, variation: Variation) -> int:
    from harness.debug.exports import write_test
    from harness.debug.navigation import Walk
    from harness.debug.stepper import Stepper

    def save(made: Trace) -> str:
        test, kept = write_test(cassette, made, Path())
        return f"wrote {test} and {kept}: pytest {test}"

    walk = Walk(follow, variation, _questions(cassette))
    Stepper(walk, save).run()
    return _raised(walk.trace)


def _raised(made: Trace) -> int:
    """Complain of what interfaces raised; return the exit code."""
    for failure in made.failures.values():
        complain_of(failure.error, f"{made.cassette}: {failure.error}")
    return Exit.FINDINGS if made.failures else Exit.DONE


def look(
    paths: tuple[str, ...],
    interfaces: list[str],
    variation: Variation,
    options: ReplayOptions,
) -> int:
    """Show one exchange of one recording chunk by chunk.

    Args:
        paths: What was named; one file.
        interfaces: The interfaces that are fed.
        variation: How the stream is written, cut and broken.
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

    if ways_to_look(options) > 1:
        raise click.UsageError("--around, --until and --step exclude each other")
    idle = given("form", "rows", "strict", "quiet", "jobs")
    if idle:
        raise click.UsageError(
            f"{', '.join(idle)}: --around, --until and --step show one exchange in a "
            "way of their own; leave this out"
        )
    if len(paths) != 1 or paths[0] == "-":
        raise click.UsageError(
            "--around, --until and --step look at one recording in a file"
        )
    if Path(paths[0]).is_dir():
        raise click.UsageError(
            f"--around, --until and --step look at one recording, and {paths[0]} is a "
            f"folder: name a file in it (harness ls {paths[0]} lists them)"
        )
    if options.step:
        _can_step()
        write(f"reading {paths[0]} ...")  # until the screen of the stepper covers it
    cassette = load_cassette(paths[0])
    if len(interfaces) == 1 and ":" in interfaces[0]:
        interfaces = ["streaming", *interfaces]  # the user's own beside ours

    def follow(
        variation: Variation,
        *,
        exchange: int | None = None,
        tick: Callable[[], None] | None = None,
    ) -> Trace:
        return trace(
            cassette,
            options.exchange if exchange is None else exchange,
            interfaces=interfaces,
            variation=variation,
            mode=options.mode,
            options=options.to_agent(),
            reasoning=options.reasoning,
            tick=tick,
        )

    if options.step:
        return _step(cassette, follow, variation)
    made = follow(variation)
    shown = around if options.until is None else until
    chunk = options.around if options.until is None else options.until
    assert chunk is not None, "one of the three was given"
    lines = list(shown(made, chunk))
    if not lines:
        last = max((m.event.chunk for m in made.moments), default=None)
        raise UsageError(
            f"{made.cassette}: exchange {made.exchange} has no chunk {chunk}; its "
            f"chunks are numbered 0 to {last}"
        )
    for line in lines:
        write(line, bold=True) if line.startswith(">") else write(line)
    return _raised(made)
