"""The wheel and the sdist as a release builds them, and what a stranger installs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
INSTALL = ("install", "-q", "--no-compile")


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of these tests in its environment."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "PYTHONPATH", "CI", "COV_"))
    }
    # Else pytest compiles every plugin anew in each of the runs.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def only(folder: Path, pattern: str) -> Path:
    """Return the one file of a pattern."""
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both, the wheel from the sdist, as a release does."""
    for tool in ("build", "hatchling"):
        pytest.importorskip(tool, reason=f"needs {tool}, extra `sdk-test`")
    folder = tmp_path_factory.mktemp("dist")
    done = run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    )
    assert "Successfully built" in done.stdout, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment that has the wheel with its plugin, and nothing besides.

    To install it takes longer than most tests; who adds to it copies it first.
    """
    folder = tmp_path_factory.mktemp("installed") / "venv"
    wheel = f"{only(built, '*.whl')}[pytest]"
    for command in (
        (sys.executable, "-m", "venv", "--without-pip", str(folder)),
        (*PIP, "--python", str(folder / "bin" / "python"), *INSTALL, wheel),
    ):
        done = run(*command)
        printed = done.stdout + done.stderr
        assert done.returncode == 0, printed
        assert "error" not in printed.lower(), printed
    return folder
