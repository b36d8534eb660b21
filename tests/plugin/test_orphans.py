"""`--harness-orphans`: cassettes that no test uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

TESTS = """
@pytest.mark.harness
def test_x(harness_cassette):
    pass

@pytest.mark.harness("test_it/named")
def test_y(harness_cassette):
    pass
"""


@pytest.fixture
def messy(project: Project) -> Project:
    """A project with two cassettes in use and one left over."""
    for name in ("test_x", "named", "test_gone"):
        project.recording("llama-server/plain-text.yaml", f"test_it/{name}.yaml")
    project.write("test_it.py", f"import pytest\n{TESTS}")
    return project


@pytest.mark.parametrize(
    "workers",
    [
        pytest.param((), id="alone"),
        pytest.param(("-n", "2"), id="xdist", marks=pytest.mark.slow),
    ],
)
def test_an_orphan_fails_the_run(messy: Project, workers: tuple[str, ...]) -> None:
    """It is named with what to do, under pytest-xdist as well."""
    plugins = ("xdist.plugin",) if workers else ()
    result = messy.run("--harness-orphans=fail", *workers, plugins=plugins)
    result.assert_outcomes(passed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*1 orphaned cassette*", "*test_gone.yaml: no test of test_it.py uses it; *"]
    )


@pytest.mark.slow
def test_a_crashed_worker_leaves_the_question_open(messy: Project) -> None:
    """What it used is not known, so that no cassette is called an orphan."""
    messy.write(
        "test_it.py",
        f"import pytest\n{TESTS}\ndef test_z():\n    import os\n    os._exit(3)\n",
    )
    result = messy.run("--harness-orphans=fail", "-n2", plugins=("xdist.plugin",))
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*worker 'gw?' crashed while running *test_z*"])
    result.stdout.no_fnmatch_line("*orphaned*")


def test_orphans_are_ignored_by_default(messy: Project) -> None:
    """Somebody else may use the folder."""
    assert messy.run().ret == 0


def test_a_deselected_test_still_uses_its_cassette(messy: Project) -> None:
    """`-k` makes no orphans."""
    result = messy.run("--harness-orphans=fail", "-k", "test_x")
    result.stdout.fnmatch_lines(["*1 orphaned cassette*", "*test_gone.yaml*"])


def test_a_part_of_a_file_says_nothing_of_the_rest(messy: Project) -> None:
    """Where one test was named, the folder is not looked at."""
    assert messy.run("--harness-orphans=fail", "test_it.py::test_x").ret == 0


def test_cassettes_of_pytest_recording_are_no_orphans(messy: Project) -> None:
    """Its tests keep theirs in the same folder."""
    (messy.path / "cassettes/test_it/test_gone.yaml").unlink()
    messy.recording("stock-vcrpy/text.yaml", "test_it/test_theirs.yaml")
    messy.write(
        "test_it.py",
        f"import pytest\n{TESTS}\n@pytest.mark.vcr\ndef test_theirs():\n    pass\n",
    )
    assert (
        messy.run("--harness-orphans=fail", plugins=("pytest_recording.plugin",)).ret
        == 0
    )


def test_a_cassette_that_a_fixture_named_is_used(messy: Project) -> None:
    """Also where it lies in the folder of another test file."""
    messy.write(
        "test_other.py",
        "import pytest\n@pytest.fixture\ndef harness_cassette_name():\n"
        "    return 'test_it/test_gone'\n"
        "@pytest.mark.harness\ndef test_x(harness_cassette):\n    pass\n",
    )
    assert messy.run("--harness-orphans=fail").ret == 0
    # Where the fixture's file has cassettes of its own, nobody knows whose they are.
    messy.recording("llama-server/plain-text.yaml", "test_other/any.yaml")
    assert messy.run("--harness-orphans=fail").ret == 0
