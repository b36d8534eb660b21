"""`harness init`: what it writes works, and it overwrites nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import harness

COMMAND = str(Path(sys.executable).parent / "harness")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_the_example_passes(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an existing project, with either way of importing tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    done = subprocess.run(
        [COMMAND, "init"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "wrote tests/test_harness_example.py",
        "wrote tests/cassettes/harness-example.yaml",
    ]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "harness.pytest_plugin.plugin",
            f"--import-mode={mode}",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "5 passed" in run.stdout


@pytest.mark.parametrize(
    "name", ["test_harness_example.py", "cassettes/harness-example.yaml"]
)
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    """If one of its files is there, none is written, and the message names it."""
    mine = tmp_path / "tests" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    done = harness("init", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith(f"harness: tests/{name} is there already, and ")
    files = [path for path in (tmp_path / "tests").rglob("*") if path.is_file()]
    assert files == [mine]
    assert mine.read_text("utf-8") == "mine"
    assert harness("init", "elsewhere", cwd=tmp_path).code == 0
