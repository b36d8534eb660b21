"""`harness_snapshot`: transcripts as stored snapshots, with syrupy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

TEST = """
@pytest.mark.harness("plain-text")
def test_x(harness_replay, harness_snapshot):
    assert harness_replay(MORE) == harness_snapshot
"""


def test_a_changed_transcript_fails_and_says_how_to_accept_it(project: Project) -> None:
    """First difference, and the command; that command accepts it."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(TEST.replace("MORE", ""))
    syrupy = ("syrupy",)
    project.run("--snapshot-update", plugins=syrupy).assert_outcomes(passed=1)
    project.run(plugins=syrupy).assert_outcomes(passed=1)
    project.tests(TEST.replace("MORE", "mode='steps'"))
    result = project.run(plugins=syrupy)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *emissions, stored are *; first difference *",
            "accept: *pytest test_it.py::test_x --snapshot-update",
            "cassette: cassettes/plain-text.yaml",
        ]
    )
    project.run("--snapshot-update", plugins=syrupy).assert_outcomes(passed=1)
    project.run(plugins=syrupy).assert_outcomes(passed=1)


def test_without_syrupy_it_says_what_is_missing(project: Project) -> None:
    """One line, and only for tests that ask for it."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(TEST.replace("MORE", ""))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*harness_snapshot needs syrupy*"])


@pytest.mark.slow
def test_every_test_id_has_a_snapshot_of_its_own(project: Project) -> None:
    """Ids that differ in what no file name may hold, and ids too long for one.

    A run of one test leaves the others' alone.
    """
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        """
@pytest.mark.harness("plain-text", splits=["random:0", "at:3,7"])
@pytest.mark.parametrize("name", ["a/b", "ab", "%2f", "x" * 300, "x" * 301])
def test_x(harness_replay, harness_snapshot, name):
    assert harness_replay() == harness_snapshot
    assert harness_replay(mode="steps") == harness_snapshot
"""
    )
    syrupy = ("syrupy",)
    result = project.run("--snapshot-update", "-Werror", plugins=syrupy)
    result.assert_outcomes(passed=10)
    files = list(project.path.glob("__snapshots__/test_it/*.jsonl"))
    assert len(files) == 20
    result = project.run("-Werror", plugins=syrupy)
    result.assert_outcomes(passed=10)
    result.stdout.no_fnmatch_line("*unused*")
    result = project.run("--snapshot-update", "-k", "ab-random", plugins=syrupy)
    result.assert_outcomes(passed=1, deselected=9)
    assert len(list(project.path.glob("__snapshots__/test_it/*.jsonl"))) == 20
