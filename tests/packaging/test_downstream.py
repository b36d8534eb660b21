"""The plugin in a stranger's project: from the wheel, offline, and a bug is caught."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEATHER = ROOT / "tests" / "downstream" / "weather"

# Each a way in which real parsers go wrong (streaming-bugs.md of the project's notes).
BUGS = {
    "blanks of text lost": (
        "reply.text += d.content",
        "reply.text += d.content.strip()",
    ),
    "blanks of arguments lost": (
        'call["arguments"] += tc.function.arguments',
        'call["arguments"] += tc.function.arguments.strip()',
    ),
}


def _run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "PYTHONPATH", "CI", "COV_"))
    }
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_strangers_project_uses_the_wheel(tmp_path: Path) -> None:
    """Its suite passes offline; a bug in its parser fails with a readable message."""
    python = str(tmp_path / "venv" / "bin" / "python")
    project = tmp_path / "weather"
    shutil.copytree(WEATHER, project)
    for command in (
        [sys.executable, "-m", "venv", str(tmp_path / "venv")],
        [
            python,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "-w",
            str(tmp_path),
            str(ROOT),
        ],
    ):
        done = _run(*command)
        assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    install = [python, "-m", "pip", "install", "-q", f"{wheel}[pytest]"]
    done = _run(*install, "openai", "pytest-asyncio", "setuptools>=77")
    assert done.returncode == 0, done.stderr
    done = _run(
        *(python, "-m", "pip", "install", "-q", "--no-build-isolation", str(project))
    )
    assert done.returncode == 0, done.stderr

    # `-m pytest` from the project: its own package is the one that is imported.
    done = _run(python, "-m", "pytest", "-q", cwd=project)
    assert done.returncode == 0, done.stdout
    assert "10 passed" in done.stdout

    parser = project / "weatherbot" / "stream.py"
    sound = parser.read_text("utf-8")
    for old, new in BUGS.values():
        assert old in sound
        parser.write_text(sound.replace(old, new), encoding="utf-8")
        done = _run(python, "-m", "pytest", "-q", "tests/test_stream.py", cwd=project)
        assert done.returncode == 1, done.stdout
        for part in (
            "split-invariance does not hold: ",
            "arrived, in ",
            "expected (",
            "got:",
            "first difference:",
            "as a test of its own:",
            "pytest 'tests/test_stream.py::test_however_it_arrives",
        ):
            assert part in done.stdout
