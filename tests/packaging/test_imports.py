"""What importing costs, and that the public names are what they say."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, requires

import pytest

import harness

HEAVY = {"pydantic", "vcr", "yaml", "hypothesis", "syrupy", "rich", "httpx", "openai"}


def _loaded_after(code: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


@pytest.mark.parametrize(
    "code",
    [
        "import harness",
        (
            "import contextlib, io\nfrom harness.cli import cli\n"
            "with contextlib.redirect_stdout(io.StringIO()):\n"
            "    cli(['--help'], standalone_mode=False)"
        ),
    ],
    ids=["import harness", "harness --help"],
)
def test_light_paths_load_nothing_heavy(code: str) -> None:
    """Neither the package nor its help page loads a library that takes time."""
    assert _loaded_after(code) & HEAVY == set()


def test_public_names_are_sorted_and_resolve() -> None:
    """`__all__` is sorted, every name in it resolves, and `dir` shows it."""
    assert list(harness.__all__) == sorted(harness.__all__)
    assert [name for name in harness.__all__ if not hasattr(harness, name)] == []
    assert set(harness.__all__) <= set(dir(harness))


@pytest.mark.parametrize("first", ["harness.engine.transcript", "harness.engine"])
def test_replay_is_the_function_whatever_is_imported_first(first: str) -> None:
    """`from harness import replay` is callable after any submodule was imported."""
    code = f"import {first}\nfrom harness import replay\nassert callable(replay)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as on any module, naming it."""
    with pytest.raises(AttributeError, match="has no attribute 'repaly'"):
        _ = harness.repaly


def test_distribution_declares_the_command_and_few_dependencies() -> None:
    """The command is installed and nothing beyond the agreed runtime needs is."""
    (script,) = entry_points(group="console_scripts", name="harness")
    assert script.value == "harness.cli:main"
    needed = {
        line.partition(">")[0].partition("=")[0].strip().lower()
        for line in requires("agent-stream-harness") or []
        if "extra ==" not in line
    }
    assert needed == {"click", "pydantic", "pyyaml", "rich", "vcrpy"}
