"""`--harness-unplayed`: what was recorded is played, or the test fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

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
            "*3 of 3 recorded exchanges were not played: exchange *three-steps.yaml",
            "accept: *pytest test_it.py::test_x --harness-unplayed=ignore",
        ]
    )


def test_what_is_no_longer_asked_can_be_recorded_away(
    project: Project, model: Model
) -> None:
    """Where something was played, the command that accepts it records the rest anew."""
    text = "@pytest.mark.harness\ndef test_x():\n    ask('a')\n"
    project.tests(f"{text}    ask('b')\n", model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.tests(text, model.url)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*1 of 2 recorded exchanges were not played: exchange 1 *'b'*test_x.yaml",
            "accept: *pytest test_it.py::test_x --harness-record=rewrite",
        ]
    )
    accepted = project.run("test_it.py::test_x", "--harness-record=rewrite")
    accepted.assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)


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


def test_a_broken_stream_may_end_the_conversation(project: Project) -> None:
    """Under a fault a test need not get to what comes after it."""
    project.recording("llama-server/three-steps.yaml")
    project.tests(IDLE.replace("MORE", ", faults='cut-chunks:2'"))
    project.run().assert_outcomes(passed=1)


TIDY = """
@pytest.fixture
def tidy(request):
    yield
    TEARDOWN

@pytest.mark.harness
def test_x(tidy):
    ask("in the test")
"""


@pytest.mark.parametrize(
    "tidy", [TIDY, TIDY.replace("yield\n    TEARDOWN", "request.addfinalizer(LATER)")]
)
def test_what_a_fixture_asks_after_the_test_is_played(
    project: Project, model: Model, tidy: str
) -> None:
    """It is recorded as the test's, so that is judged when fixtures have ended, too."""
    tidy = tidy.replace("LATER", "lambda: TEARDOWN")
    project.tests(tidy.replace("TEARDOWN", "ask('after it')"), model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    assert model.asked == ["in the test", "after it"]
    project.run().assert_outcomes(passed=1)
    project.tests(tidy.replace("TEARDOWN", "None"), model.url)
    result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*1 of 2 recorded exchanges were not played: exchange 1 *after it*",
            "accept: *pytest test_it.py::test_x --harness-record=rewrite",
        ]
    )
    project.tests(tidy.replace("TEARDOWN", "None") + "    assert 1 == 2\n", model.url)
    project.run().assert_outcomes(failed=1)
