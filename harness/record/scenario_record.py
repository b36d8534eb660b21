"""From a scenario file to the cassette beside it.

Owns where the cassette goes and when an old one is replaced: only by a run that came
to what the scenario expects. A run that was interrupted, or came to something else,
leaves the old file as it was and what it recorded in a `.partial` file beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cassettes.saving import partial_files
from harness.record.scenario_reading import load_scenario
from harness.record.scenario_run import ScenarioRun, run_scenario
from harness.record.scenario_sending import http_send
from harness.record.use_cassette import use_cassette

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.record.scenario import Scenario


@dataclass(frozen=True, slots=True)
class RecordedScenario:
    """What became of one scenario file."""

    cassette: Path
    """The file beside the scenario's."""
    run: ScenarioRun
    """What was answered."""
    seconds: float
    """How long the run took."""
    unmet: list[str]
    """What the scenario expected and did not get; empty: the cassette was written."""
    note: str = ""
    """Where the recording of such a run went; else empty."""


class _UnmetError(Exception):
    """Leaves the cassette unwritten; its arguments are the run and what is unmet."""


def cassette_path(scenario: Path) -> Path:
    """Return where the cassette of a scenario file goes.

    Args:
        scenario: The scenario file.

    Returns:
        ``name.yaml`` for ``name.scenario.yaml``; for any other name
        ``name.cassette.yaml``, so that the scenario is never overwritten.
    """
    name = scenario.name.removesuffix(scenario.suffix)
    if name.endswith(".scenario") and name != ".scenario":
        return scenario.with_name(name.removesuffix(".scenario") + ".yaml")
    return scenario.with_name(f"{name}.cassette.yaml")


def record_scenario(
    path: Path,
    base_url: str,
    *,
    api_key: str = "",
    force: bool = False,
    on_progress: Callable[[int, int], None] = lambda _turn, _chunks: None,
    warn: Callable[[str], object] | None = None,
) -> RecordedScenario:
    """Run a scenario against a server and write its cassette.

    Args:
        path: The scenario file.
        base_url: Up to and with the version, such as ``http://127.0.0.1:8080/v1``.
        api_key: Sent to the server as a bearer token and never written down.
        force: Record in CI as well.
        on_progress: As `run_scenario` takes it.
        warn: As `RecordingSession` takes it.

    Returns:
        Its outcome.

    Raises:
        ScenarioError: The file holds what no scenario may hold.
        UsageError: The server does not answer, or no HTTP client is installed.
        RecordingRefusedError: This is CI.
        CassetteError: The old cassette does not parse, or the new one cannot be
            written; what was there is untouched.
    """
    scenario = load_scenario(path)
    target = cassette_path(path)
    send = http_send(base_url, api_key=api_key)
    started = time.monotonic()
    unmet, note = list[str](), ""
    earlier = partial_files(target)
    try:
        with use_cassette(target, record="rewrite", force=force, warn=warn):
            run = run_scenario(scenario, send, on_progress=on_progress)
            _require_met(run, scenario)
        for path_of_earlier in earlier:  # runs that were not as expected
            path_of_earlier.unlink(missing_ok=True)
    except _UnmetError as error:
        run, unmet = error.args
        note = "; ".join(getattr(error, "__notes__", []))
    seconds = time.monotonic() - started
    return RecordedScenario(target, run, seconds, unmet, note)


def _require_met(run: ScenarioRun, scenario: Scenario) -> None:
    unmet = run.unmet(scenario)
    if unmet:
        raise _UnmetError(run, unmet)
