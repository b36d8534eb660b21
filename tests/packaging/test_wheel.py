"""The wheel and the sdist as they are published, used in an empty environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.docs import PAGES, ROOT
from tests.docs.blocks import blocks_of, matches, steps_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def _run(*command: str, cwd: Path = ROOT) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "PYTHONPATH", "CI", "COV_"))
    }
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both, the wheel from the sdist, as a release does."""
    for tool in ("build", "hatchling"):
        pytest.importorskip(tool, reason=f"needs {tool}, extra `sdk-test`")
    folder = tmp_path_factory.mktemp("dist")
    printed = _run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    )
    assert "Successfully built" in printed, printed
    return folder


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_metadata_is_accepted(built: Path) -> None:
    """Twine finds nothing to warn of, the README as description included."""
    pytest.importorskip("twine", reason="needs twine, extra `sdk-test`")
    files = map(str, built.iterdir())
    printed = _run(sys.executable, "-m", "twine", "check", "--strict", *files)
    assert printed.count("PASSED") == 2, printed


def test_wheel_holds_the_package_and_its_pages(built: Path) -> None:
    """Every module, table and page that `harness docs` lists; no test, no picture."""
    with zipfile.ZipFile(_only(built, "*.whl")) as wheel:
        names = {name for name in wheel.namelist() if name.startswith("harness/")}
        others = {name.partition("/")[0] for name in wheel.namelist()} - {"harness"}
    assert [name for name in others if not name.endswith(".dist-info")] == []
    package = ROOT / "harness"
    modules = {
        path.relative_to(ROOT).as_posix()
        for kind in ("*.py", "*.txt", "*.json", "*.toml")
        for path in package.rglob(kind)
    }
    pages = {
        f"harness/pages/{path.relative_to(PAGES).as_posix()}"
        for path in PAGES.rglob("*.md")
        if path.name not in {"api.md", "changelog.md"}
    }
    assert modules | pages | {"harness/py.typed"} <= names
    assert [name for name in names if name.endswith((".svg", ".png"))] == []


def test_sdist_holds_what_its_tests_need(built: Path) -> None:
    """A distributor can run the tests and build the pages from it."""
    with tarfile.open(_only(built, "*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    needed = {"README.md", "CHANGELOG.md", "conftest.py", "docs/mkdocs.yml"}
    assert needed | {"tests/docs/tables.py", "cassettes/README.md"} <= names


def test_tutorial_runs_from_the_wheel_alone(built: Path, tmp_path: Path) -> None:
    """Typed as it stands in an empty folder: the planted bug is found and shown."""
    python = tmp_path / "venv" / "bin" / "python"
    _run(sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv"))
    printed = _run(
        *(sys.executable, "-m", "pip", "--python", str(python), "install", "-q"),
        f"{_only(built, '*.whl')}[pytest]",
    )
    assert "error" not in printed.lower(), printed
    folder = tmp_path / "project"
    folder.mkdir()
    for block in blocks_of(PAGES / "tutorials" / "first-bug.md"):
        if block.title:
            (folder / block.title).parent.mkdir(exist_ok=True)
            (folder / block.title).write_text(block.text, "utf-8")
        if block.language == "console":
            for step in steps_of(block):
                program, *arguments = step.command.split()
                got = _run(str(python.parent / program), *arguments, cwd=folder)
                assert matches(step.output, got), f"$ {step.command}\n{got}"
    harness = str(python.parent / "harness")
    listed = _run(harness, "docs", cwd=folder)
    assert "tutorials/first-bug" in listed
    assert "Severity" in _run(harness, "docs", "malformed-arguments", cwd=folder)
