"""What a failure says: the fact first, a command that shows it, the path last."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import harness
from tests.plugin.test_splits import GLUED

if TYPE_CHECKING:
    from tests.plugin.conftest import Project


def test_the_command_that_is_named_shows_the_failure(project: Project) -> None:
    """`see it` replays the test's own interface both ways, and finds a difference."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(GLUED)
    lines = project.run().outlines
    (line,) = [line for line in lines if "see it:" in line]
    words = shlex.split(line.split("see it:")[1])
    assert words[:2] == ["harness", "diff"]
    result = harness(*words[1:], cwd=project.path)
    assert result.code == 1
    assert "@@ exchange 0" in result.out


def test_a_failure_begins_with_the_fact_and_ends_with_the_path(
    project: Project,
) -> None:
    """The cassette is named as it is typed here, on the last line of the message."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(GLUED)
    lines = [line for line in project.run().outlines if line.startswith("E ")]
    assert "gives another answer" in lines[0]
    assert lines[-1].split() == ["E", "cassette:", "cassettes/plain-text.yaml"]


UNUSED = """
@pytest.mark.harness("gone")
def test_x(harness_variation):
    pass

@pytest.mark.harness("gone")
def test_y(harness_replay):
    pass
"""


def test_a_missing_cassette_fails_a_test_that_never_looks(project: Project) -> None:
    """A name that is wrong is found without the fixture being used."""
    project.tests(UNUSED)
    result = project.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["there is no such cassette; name another*(cassettes?gone.yaml)"]
    )


WRONG = {
    "--harness-record=sometimes": "--harness-record: expected none or once*",
    "--harness-speed=fast": "--harness-speed: expected 0 *got 'fast'",
    "--harness-splits=charss": "--harness-splits: split 'charss': *expected*",
    "--harness-seed=-1": "--harness-seed: expected a number from 0*",
    "--harness-match-on=luck": "--harness-match-on: expected a matcher of *'luck'",
    "--harness-ignore-json=user": "--harness-ignore-json: expected *'user'",
}


@pytest.mark.parametrize("option", WRONG)
def test_a_wrong_value_is_refused_before_collection(
    project: Project, option: str
) -> None:
    """Usage errors, exit code 4: no test runs, no file is imported."""
    project.tests("raise RuntimeError('imported')\n")
    result = project.run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {WRONG[option]}"])
    assert "imported" not in result.stdout.str()


def test_a_wrong_value_of_the_ini_file_is_refused_too(project: Project) -> None:
    """The message names the ini key."""
    project.write("pytest.ini", "[pytest]\nharness_unplayed = perhaps\n")
    project.tests("def test_x(): pass\n")
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: ini key harness_unplayed: expected fail or*"])


PAST = """
import socket

@pytest.mark.harness("three-steps")
def test_x():
    socket.create_connection(("203.0.113.1", 80), timeout=1)
"""


def test_a_blocked_request_is_not_to_be_ignored(project: Project) -> None:
    """Where something tried to reach out past the cassette, that is what to mend."""
    project.recording("llama-server/three-steps.yaml")
    project.tests(PAST)
    shown = project.run().stdout.str()
    assert "--harness-unplayed=ignore" not in shown
    assert "harness_server().base_url" in shown


RAISING = """
import pytest

class Raising:
    def process_chunk(self, chunk, message_id, message_date):
        raise KeyError("oh")
    def to_list(self):
        return []

@pytest.mark.harness("plain-text.yaml")
def test_x(harness_replay):
    harness_replay(Raising)
"""


def test_a_failure_of_the_users_interface_shows_the_users_lines(
    project: Project,
) -> None:
    """The line that called, the line that raised, and none of ours between them."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(RAISING)
    result = project.run()
    result.stdout.fnmatch_lines(['>*raise KeyError("oh")', ">*harness_replay(Raising)"])
    result.stdout.no_fnmatch_line("*harness?engine*")


def test_a_missing_folder_may_be_left_by_its_parent(project: Project) -> None:
    """A name with `..` is found where there is no folder of cassettes yet."""
    project.tests(RAISING.replace("plain-text", "../plain-text"))
    made = project.recording("llama-server/plain-text.yaml")
    made.rename(project.path / "plain-text.yaml")
    made.parent.rmdir()
    project.run().stdout.fnmatch_lines(["*raised KeyError: 'oh'*"])
