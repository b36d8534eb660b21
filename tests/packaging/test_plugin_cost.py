"""What the plugin costs a run that uses nothing of it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"vcr", "yaml", "hypothesis", "syrupy", "pydantic", "openai", "rich"}
ROUNDS = 15
# 15 ms of the 250 ms of CPU that an empty run takes alone on the machine this was
# written on.
ALLOWED = 1.06
# `-p` makes pytest look through all that is installed; so it is given for both.
PLUGINS = ("nothing", "harness.pytest_plugin.plugin")

RUN = """
import json, sys, time
calls = 0
def count(_frame, event, _argument):
    global calls
    calls += event in {"call", "c_call"}
if COUNTED:
    sys.setprofile(count)
import pytest
code = pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]])
sys.setprofile(None)
print(json.dumps([int(code), calls or time.process_time(), sorted(sys.modules)]))
"""


def _run(folder: Path, *options: str, counted: bool = False) -> Any:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    # Where no bytecode is kept, pytest compiles every plugin anew in each run.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    result = subprocess.run(
        [sys.executable, "-c", RUN.replace("COUNTED", str(counted)), *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    code, cost, modules = json.loads(result.stdout.splitlines()[-1])
    assert code == 0, result.stdout
    return cost, set(modules)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose tests have nothing to do with harness."""
    tests = "".join(f"def test_{n}():\n    pass\n" for n in range(20))
    (tmp_path / "test_it.py").write_text(tests, encoding="utf-8")
    (tmp_path / "nothing.py").write_text("", encoding="utf-8")
    return tmp_path


def test_nothing_heavy_is_imported(folder: Path) -> None:
    """No library, and of our own package only what declares options and hooks."""
    _, modules = _run(folder, "-p", "harness.pytest_plugin.plugin")
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert {name for name in modules if name.partition(".")[0] == "harness"} == {
        "harness",
        "harness.pytest_plugin.plugin",
        "harness.pytest_plugin",
        "harness.pytest_plugin.hookspecs",
    }


def test_the_entry_point_is_what_was_measured() -> None:
    """Installed, pytest loads this module and no other of ours, by the name harness."""
    from importlib.metadata import entry_points

    ours = [
        (point.name, point.value)
        for point in entry_points(group="pytest11")
        if point.value.startswith("harness")
    ]
    assert ours == [("harness", "harness.pytest_plugin.plugin")]


@pytest.mark.slow
def test_it_does_next_to_nothing(folder: Path) -> None:
    """Function calls of an otherwise empty run, with and without: no clock is asked."""
    counts = []
    for plugin in PLUGINS:
        _run(folder, "-p", plugin)  # compiles what is not compiled yet
        counts.append(_run(folder, "-p", plugin, counted=True)[0])
    without, with_it = counts
    assert with_it / without < ALLOWED


@pytest.mark.slow
@pytest.mark.timed
def test_it_takes_next_to_no_time(folder: Path) -> None:
    """CPU of an otherwise empty run, with and without: the median of pairs."""
    ratios = []
    for _ in range(ROUNDS):  # in turn, so that a slow minute is slow for both
        without, with_it = (_run(folder, "-p", plugin)[0] for plugin in PLUGINS)
        ratios.append(with_it / without)
    assert statistics.median(ratios) < ALLOWED
