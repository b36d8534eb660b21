"""The wheel and the sdist as they are published, used in an empty environment."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.docs import PAGES, ROOT
from tests.docs.blocks import blocks_of, matches, steps_of
from tests.packaging.conftest import only, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_metadata_is_accepted(built: Path) -> None:
    """Twine finds nothing to warn of, the README as description included."""
    pytest.importorskip("twine", reason="needs twine, extra `sdk-test`")
    files = map(str, built.iterdir())
    done = run(sys.executable, "-m", "twine", "check", "--strict", *files)
    assert done.stdout.count("PASSED") == 2, done.stdout + done.stderr


def test_wheel_holds_the_package_and_its_pages(built: Path) -> None:
    """Every module, table and page that `harness docs` lists; no test, no picture."""
    with zipfile.ZipFile(only(built, "*.whl")) as wheel:
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
    with tarfile.open(only(built, "*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    needed = {"README.md", "CHANGELOG.md", "conftest.py", "docs/mkdocs.yml"}
    assert needed | {"tests/docs/tables.py", "cassettes/README.md"} <= names


def test_tutorial_runs_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    """Typed as it stands in an empty folder: the planted bug is found and shown."""

    def typed(program: str, *arguments: str) -> str:
        done = run(str(installed / "bin" / program), *arguments, cwd=tmp_path)
        return done.stdout + done.stderr

    for block in blocks_of(PAGES / "tutorials" / "first-bug.md"):
        if block.title:
            (tmp_path / block.title).parent.mkdir(exist_ok=True)
            (tmp_path / block.title).write_text(block.text, "utf-8")
        if block.language == "console":
            for step in steps_of(block):
                got = typed(*step.command.split())
                assert matches(step.output, got), f"$ {step.command}\n{got}"
    assert "tutorials/first-bug" in typed("harness", "docs")
    assert "Severity" in typed("harness", "docs", "malformed-arguments")
