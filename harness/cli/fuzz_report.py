"""What `harness fuzz` prints: its progress, its findings, what was tried."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from harness.cli.console import complain, complain_of, has_escapes, say
from harness.errors import CassetteError, printable

if TYPE_CHECKING:
    from harness.cli.fuzz import FuzzOptions
    from harness.fuzz.example_worker import About
    from harness.fuzz.findings import Tried
    from harness.fuzz.relations import Failure


class Progress:
    """A line on standard error now and then; one that is rewritten on a terminal."""

    def __init__(self, time_s: float | None, examples: int | None) -> None:
        self._is_terminal = has_escapes(sys.stderr)
        self._pause_s = 0.2 if self._is_terminal else 10.0
        self._started = self._last = time.monotonic()
        self._goal = f" of {examples}" if examples and time_s is None else ""
        self._limit = f" of {time_s:g}" if time_s is not None else ""

    def __call__(self, tried: Tried) -> None:
        """Write what has been tried, if the last line is old enough."""
        now = time.monotonic()
        if now - self._last < self._pause_s:
            return
        self._last = now
        line = (
            f"{tried.examples}{self._goal} examples, {len(tried.streams)} streams, "
            f"{now - self._started:.0f}{self._limit} s"
        )
        if self._is_terminal:
            sys.stderr.write(f"\r{line}\x1b[K")
            sys.stderr.flush()
        else:
            say(line)


def show_failure(
    failure: Failure, about: About | None, target: str, options: FuzzOptions
) -> None:
    """Print a finding; write its cassette and print the test to paste."""
    from harness.fuzz.reporting import describe, pytest_of, save

    if has_escapes(sys.stderr) and not options.quiet:
        sys.stderr.write("\r\x1b[K")
    for line in describe(failure):
        click.echo(printable(line))
    key = "message" if about is None else about.key
    try:
        path = save(failure, options.output, key, about.api if about else "chat")
    except CassetteError as error:  # the test holds what arrived, too
        complain_of(error)
        path = "none"
    click.echo(f"\ncassette: {printable(path)}")
    click.echo("test:\n")
    text = pytest_of(
        failure,
        "" if about is None else about.level,
        target,
        options.agent,
        level=options.to_level(),
        api=options.apis,
        chunks=options.chunks,
        key=options.key,
    )
    for line in text.split("\n"):
        click.echo(f"    {printable(line)}" if line else "")
    click.echo()


def summarise(tried: Tried, about: About, seed: int) -> None:
    """Print what was tried, in numbers."""
    from harness.fuzz.reporting import counted

    noun = "argument text" if about.level == "handler" else "stream"
    asked = ", ".join(f"{name} {count}" for name, count in tried.relations.items())
    click.echo(f"{printable(about.name)} ({about.level}): {tried.ended}, seed {seed}")
    click.echo(
        f"tried {counted(tried.examples, 'example')}: "
        f"{counted(len(tried.streams), noun)}, {counted(tried.cuts, 'cut')}, "
        f"{counted(len(tried.dialects), 'dialect')}, "
        f"{counted(len(tried.faults), 'fault')}, in {tried.seconds:.1f} s"
    )
    click.echo(f"relations: {asked}")
    if tried.lacks:
        complain(f"{tried.lacks}; install agent-stream-harness[hypothesis]")
    if about.shows is not None and about.shows.is_silent and about.level != "handler":
        complain(
            f"{printable(about.name)} gave nothing of any plain stream: only "
            "exceptions and hangs can be found; expected it to return or yield what "
            "it read"
        )
    if (
        tried.is_past_floor
        and not tried.is_complete
        and not tried.ended.endswith("found")
    ):
        complain(
            "not every stream, relation and dialect was tried once; "
            "raise --max-examples or --time"
        )
