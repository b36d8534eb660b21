"""The scenario half of `harness record`: progress, one line a scenario, exit code."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, say
from harness.errors import UsageError, counted, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.record.scenario_record import RecordedScenario


def record_scenarios(
    paths: Sequence[str], *, base_url: str, api_key_env: str | None, force: bool
) -> int:
    """Record the cassette of each scenario file, beside it.

    Args:
        paths: Scenario files; all are checked before the first request is sent.
        base_url: Of the server, up to and with its version.
        api_key_env: Name of the environment variable that holds the key.
        force: Record in CI as well.

    Returns:
        0, or 1 where a run did not come to what its scenario expects.

    Raises:
        HarnessError: A scenario is wrong, the server does not answer, ...; what was
            recorded before stays.
    """
    from harness.record.scenario_reading import load_scenario
    from harness.record.scenario_record import record_scenario

    for path in paths:
        load_scenario(Path(path))
    api_key = _api_key(api_key_env)
    met = 0
    for number, path in enumerate(paths, 1):
        title = f"{path} ({number} of {len(paths)})" if len(paths) > 1 else path
        with _live(title) as show:
            recorded = record_scenario(
                Path(path),
                base_url,
                api_key=api_key,
                force=force,
                on_progress=show,
                warn=say,
            )
        if recorded.unmet:
            reasons = "; ".join([*recorded.unmet, recorded.note])
            complain(f"{path}: not as expected: {reasons}")
        else:
            met += 1
            click.echo(printable(_summary(recorded)))
    if len(paths) > 1:
        say(f"{met} recorded, {len(paths) - met} not as expected")
    return Exit.DONE if met == len(paths) else Exit.FINDINGS


def _api_key(name: str | None) -> str:
    if name is None:
        return ""
    key = os.environ.get(name, "")
    if not key:
        raise UsageError(
            f"the environment variable {name} (--api-key-env) is empty or not set; "
            "put the key there, or leave the option out for a server that wants none"
        )
    return key


def _summary(recorded: RecordedScenario) -> str:
    run = recorded.run
    names = ", ".join(call.name for call in run.calls) or "no calls"
    size = recorded.cassette.stat().st_size / 1000
    return (
        f"{recorded.cassette}: {run.ending}, {counted(len(run.turns), 'answer')}, "
        f"{counted(run.chunks, 'chunk')}, {names}, {recorded.seconds:.1f} s, "
        f"{size:.1f} KB"
    )


@contextmanager
def _live(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show in one line on a terminal how far a run has come; else nothing."""
    if not sys.stderr.isatty():
        yield lambda _turn, _chunks: None
        return
    from rich.console import Console
    from rich.text import Text

    first = Text(f"{title}: waiting for the first chunk")
    with Console(stderr=True).status(first) as status:
        yield lambda turn, chunks: status.update(
            Text(f"{title}: answer {turn + 1}, {counted(chunks, 'chunk')}")
        )
