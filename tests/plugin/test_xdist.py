"""pytest-xdist: plays as alone, writes nothing twice, refuses to record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

TESTS = """
@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("word", ["a", "b", "c"])
@pytest.mark.harness
def test_asks(word):
    assert ask(word) == f"You said: {word}"

@pytest.mark.harness("test_it/test_asks%5ba%5d", splits=["recorded", "chars"])
def test_same_file_again():
    assert ask("a") == "You said: a"
"""


@pytest.mark.parametrize("options", [("-n2",), ("-n2", "--dist=loadgroup")], ids=str)
def test_workers_play_and_write_nothing(
    project: Project, model: Model, options: tuple[str, ...]
) -> None:
    """What was recorded alone plays in workers, whatever they share."""
    project.tests(TESTS, model.url)
    project.run("--harness-record=once").assert_outcomes(passed=5)
    files = {path: path.read_bytes() for path in project.path.rglob("*.yaml")}
    asked = len(model.asked)
    project.run_apart(*options, plugins=("xdist.plugin",)).assert_outcomes(passed=5)
    assert len(model.asked) == asked
    assert {path: path.read_bytes() for path in project.path.rglob("*.yaml")} == files


def test_recording_by_option_is_refused_with_one_line(
    project: Project, model: Model
) -> None:
    """Before any worker starts; `-n 0` records."""
    project.tests(TESTS, model.url)
    xdist = ("xdist.plugin",)
    result = project.run_apart("-n2", "--harness-record=once", plugins=xdist)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = (line for line in result.errlines if line)
    assert line.startswith(
        "ERROR: --harness-record=once is refused under pytest-xdist, whose workers "
    )
    assert model.asked == []
    result = project.run_apart("-n0", "--harness-record=once", plugins=xdist)
    result.assert_outcomes(passed=5)


def test_recording_by_marker_is_refused_in_the_test(
    project: Project, model: Model
) -> None:
    """The test that would write fails with one line, and nobody is asked."""
    project.tests(
        '@pytest.mark.harness(record="rewrite")\ndef test_x():\n    ask("a")\n',
        model.url,
    )
    result = project.run_apart("-n2", plugins=("xdist.plugin",))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*recording (mode 'rewrite') is refused under pytest-*"]
    )
    assert model.asked == []
