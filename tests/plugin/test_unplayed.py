"""`--harness-unplayed`: what was recorded is played, or the test fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

IDLE = """
@pytest.mark.harness("three-steps"MORE)
def test_x():
    pass
"""


def test_an_unplayed_exchange_fails_a_test_that_passed(project: Project) -> None:
    """The failure tells how many of how many, which, and how to accept it."""
    project.recording("llama-server/three-steps.yaml")
    project.tests(IDLE.replace("MORE", ""))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*three-steps.yaml: * of * recorded exchanges were not played: exchange *",
            "accept: *pytest test_it.py::test_x --harness-record=rewrite",
        ]
    )


def test_it_can_be_ignored(project: Project) -> None:
    """By option, marker, fixture or ini, as every setting."""
    project.recording("llama-server/three-steps.yaml")
    project.tests(IDLE.replace("MORE", ""))
    project.run("--harness-unplayed=ignore").assert_outcomes(passed=1)
    project.tests(IDLE.replace("MORE", ", unplayed='ignore'"))
    project.run().assert_outcomes(passed=1)
    project.run("--harness-unplayed=fail").assert_outcomes(failed=1)


def test_the_first_failure_is_the_one_that_is_shown(project: Project) -> None:
    """A test that fails by itself is not failed over what it did not get to."""
    project.recording("llama-server/three-steps.yaml")
    project.tests(IDLE.replace("MORE", "").replace("pass", "assert 1 == 2"))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*were not played*")


def test_a_cassette_used_as_data_need_not_be_played(project: Project) -> None:
    """Fixtures that read the cassette do not play it to a client."""
    project.recording("llama-server/three-steps.yaml")
    project.tests(
        IDLE.replace("MORE", "").replace("test_x()", "test_x(harness_replay)")
    )
    project.run().assert_outcomes(passed=1)
