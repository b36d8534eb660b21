"""The README is run: every command, every block of Python, every table."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readme_tables import README, with_tables

ROOT = README.parent
TEXT = README.read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def _environment_of(executable: str) -> Path:
    return Path(executable).parent


@pytest.mark.parametrize("code", _blocks("python"))
def test_readme_python_block_runs(code: str) -> None:
    """Each block of Python in the README runs from the root of a checkout."""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def _console() -> list[tuple[str, str]]:
    found = []
    for block in _blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), _console())
def test_readme_console_block_shows_what_is_printed(command: str, output: str) -> None:
    """Each command in a console block prints exactly what the README shows."""
    program, *arguments = shlex.split(command)
    result = subprocess.run(
        [str(_environment_of(sys.executable) / program), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout + result.stderr == output


def test_readme_tables_are_generated() -> None:
    """Options, defaults and public names in the README are those of the code."""
    assert with_tables(TEXT) == TEXT, "run `python -m tests.readme_tables`"


def test_ci_runs_both_commands_of_the_readme() -> None:
    """The two commands of the README are lines of the script that CI runs."""
    script = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    commands = [block.strip() for block in _blocks("sh")[:2]]
    assert len(commands) == 2
    assert [command for command in commands if command not in script] == []


def test_readme_commands_name_files_that_exist() -> None:
    """Every cassette and data file that the README names is in the repository."""
    named = set(re.findall(r"\b(?:cassettes|tests/data)/[\w./-]+\.\w+", TEXT))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
