"""`--harness-speed`: how fast recorded pieces are given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project


@pytest.mark.parametrize(
    ("option", "marker", "speed"),
    [((), "", 0.0), (("--harness-speed=2",), "speed=4", 2.0), ((), "speed=4", 4.0)],
)
def test_the_session_plays_at_the_speed_that_was_set(
    project: Project, option: tuple[str, ...], marker: str, speed: float
) -> None:
    """0 (at once) unless somebody says otherwise."""
    project.recording("llama-server/plain-text.yaml")
    more = f", {marker}" if marker else ""
    project.tests(
        f'@pytest.mark.harness("plain-text", unplayed="ignore"{more})\n'
        "def test_x(harness_session):\n"
        f"    assert harness_session.pace.speed == {speed}\n"
    )
    project.run(*option).assert_outcomes(passed=1)


def test_a_negative_speed_is_told(project: Project) -> None:
    """The message says what is allowed."""
    project.tests("@pytest.mark.harness\ndef test_x():\n    pass\n")
    result = project.run("--harness-speed=-1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--harness-speed: expected 0 (at once)*got '-1'*"])
