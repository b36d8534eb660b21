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


XDIST = ("xdist.plugin",)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-n2",), id="load", marks=pytest.mark.slow),
        pytest.param(
            ("-n2", "--dist=loadgroup"), id="loadgroup", marks=pytest.mark.slow
        ),
    ],
)
def test_workers_play_and_write_nothing(
    project: Project, model: Model, options: tuple[str, ...]
) -> None:
    """What was recorded alone plays in workers, whatever they share."""
    project.tests(TESTS, model.url)
    project.run("--harness-record=once").assert_outcomes(passed=5)
    files = {path: path.read_bytes() for path in project.path.rglob("*.yaml")}
    asked = len(model.asked)
    project.run(*options, plugins=XDIST).assert_outcomes(passed=5)
    assert len(model.asked) == asked
    assert {path: path.read_bytes() for path in project.path.rglob("*.yaml")} == files


def test_recording_by_option_is_refused_with_one_line(
    project: Project, model: Model
) -> None:
    """Before any worker starts; `-n 0` records."""
    project.tests(TESTS, model.url)
    result = project.run("-n2", "--harness-record=once", plugins=XDIST)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = (line for line in result.errlines if line)
    assert line.startswith(
        "ERROR: --harness-record=once is refused under pytest-xdist, whose workers "
    )
    assert model.asked == []
    result = project.run("-n0", "--harness-record=once", plugins=XDIST)
    result.assert_outcomes(passed=5)


@pytest.mark.slow
def test_recording_by_marker_is_refused_in_the_test(project: Project) -> None:
    """The tests that would write fail with one line before they run; others do not.

    A cassette that is there is played in mode `once`, and in `new_episodes`, where a
    miss is told as in `none`.
    """
    modes = ("once", "new_episodes", "all", "rewrite", "none")
    for mode in modes:
        project.recording("llama-server/plain-text.yaml", f"there-{mode}.yaml")
    project.write(
        "test_it.py",
        "import pytest\n"
        + "".join(
            f"@pytest.mark.harness('{place}-{mode}', record={mode!r}, "
            f"unplayed='ignore')\ndef test_{place}_{mode}():\n    pass\n"
            for mode in modes
            for place in ("there", "gone")
        )
        + "@pytest.mark.harness('there-none', record='new_episodes', "
        "unplayed='ignore')\ndef test_miss():\n    import httpx\n"
        "    httpx.get('http://127.0.0.1:9/')\n",
    )
    result = project.run("-n2", plugins=XDIST)
    result.assert_outcomes(errors=6, passed=4, failed=1)  # gone_none is not there
    result.stdout.fnmatch_lines(
        ["E *Error: GET / was never recorded, *there-none.yaml)"]
    )
    refused = {
        (
            line.split("record=")[1].split(" (")[0],
            line.partition("mode ")[2].split("'")[1],
        )
        for line in result.outlines
        if " is refused under pytest-xdist" in line
    }
    assert refused == {(m, m) for m in ("once", "all", "rewrite")}
    result.stdout.fnmatch_lines_random(
        [
            f"*ERROR*test_{name}*"
            for name in (
                *("gone_once", "gone_all", "there_all"),
                *("gone_rewrite", "there_rewrite"),
            )
        ]
    )
