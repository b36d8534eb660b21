"""`harness_snapshot`: transcripts as stored snapshots, with syrupy."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
            "cassette: *plain-text.yaml",
            "accept: *pytest test_it.py::test_x --snapshot-update",
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
