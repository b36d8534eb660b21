"""`--harness-record`: what plays, what records, what is refused."""

from __future__ import annotations

import shlex
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import httpx2
import pytest

from harness import load_cassette
from harness.record.active import THREAD_PATCHES
from harness.record.use_cassette import CLIENT_PATCHES
from tests.plugin.conftest import CLIENT

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

ONE = """
@pytest.mark.harness
def test_asks():
    assert ask("hello") == "You said: hello"
"""
OWN = "cassettes/test_it/test_asks.yaml"


def test_nothing_is_recorded_by_default(project: Project, model: Model) -> None:
    """Without a cassette a test fails, nobody is asked, and it says how to record."""
    project.tests(ONE, model.url)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*CassetteMissingError: there is no cassette to answer*test_asks.yaml)",
            "record: *pytest test_it.py::test_asks --harness-record=once",
            "cassette: cassettes/test_it/test_asks.yaml",
        ]
    )
    result.stdout.no_fnmatch_line("missed:*")  # it is what the test failed with
    # The traceback ends with the project's line that asked.
    result.stdout.no_re_match_line(r".*(httpx|openai|harness).*\.py:\d+")
    assert model.asked == []
    assert not (project.path / "cassettes").exists()


RENAMED = """
import pytest

class TestCity:
    @pytest.mark.harness
    @pytest.mark.parametrize("city", ["Rome"])
    def test_asks(self, city):
        assert ask(city) == f"You said: {city}"

@pytest.mark.harness
def test_other():
    ask("other")
"""


@pytest.mark.parametrize(
    ("file", "old", "told"),
    [
        ("test_it.py", "test_old", "if this was TestCity.test_old[Rome], its"),
        ("test_it.py", "TestOld", "if this was TestOld.test_asks[Rome], its"),
        ("test_old.py", "", "if this was test_old.py, its"),
    ],
)
def test_the_cassette_of_a_renamed_test_is_named(
    project: Project, model: Model, file: str, old: str, told: str
) -> None:
    """With the command that renames it; those that tests have are not."""
    name = "TestCity" if old.startswith("Test") else "test_asks"
    project.write(file, CLIENT + RENAMED.replace(name, old or name), model.url)
    project.run("--harness-record=once").assert_outcomes(passed=2)
    (project.path / file).unlink()
    project.write("test_it.py", CLIENT + RENAMED, model.url)
    lines = project.run("-k", "asks").outlines
    (line,) = [line for line in lines if line.startswith("renamed:")]
    assert line.startswith(f"renamed:  {told} cassette is left: mv ")
    _, before, now = shlex.split(line.partition(" left: ")[2])
    (project.path / before).rename(project.path / now)
    project.run("-k", "asks").assert_outcomes(passed=1)


def test_once_records_where_there_is_no_cassette_and_plays_then(
    project: Project, model: Model
) -> None:
    """The first run records, later ones play it in every mode without asking."""
    project.tests(ONE, model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    recorded = load_cassette(project.path / OWN)
    assert len(recorded.exchanges) == 1
    assert recorded.exchanges[0].response.wire
    before = (project.path / OWN).read_bytes()
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert model.asked == ["hello"]
    assert (project.path / OWN).read_bytes() == before


def test_new_episodes_adds_what_is_missing(project: Project, model: Model) -> None:
    """A miss names the difference and the command; that command records it."""
    project.tests(ONE, model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.tests(ONE + '    assert ask("more") == "You said: more"\n', model.url)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*CassetteMismatchError: *recorded 'hello', sent 'more'*",
            "record: *pytest test_it.py::test_asks --harness-record=new_episodes",
        ]
    )
    project.run("--harness-record=new_episodes").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert model.asked == ["hello", "more"]


def test_rewrite_of_a_failing_test_keeps_the_cassette(
    project: Project, model: Model
) -> None:
    """A test that fails while it records again leaves the old file and says so."""
    project.tests(ONE, model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    before = (project.path / OWN).read_bytes()
    project.tests(ONE + '    assert ask("more") == "wrong"\n', model.url)
    result = project.run("--harness-record=rewrite")
    result.assert_outcomes(failed=1)
    assert (project.path / OWN).read_bytes() == before
    result.stdout.fnmatch_lines(["kept: *.partial (the cassette was not replaced)"])
    (kept,) = project.path.glob("cassettes/**/*.partial")
    assert b"more" in kept.read_bytes()
    project.tests(ONE + '    assert ask("more")\n', model.url)
    project.run("--harness-record=rewrite").assert_outcomes(passed=1)
    assert len(load_cassette(project.path / OWN).exchanges) == 2


def test_rewrite_of_a_failing_unittest_method_keeps_the_cassette(
    project: Project, model: Model
) -> None:
    """The failure of a unittest method counts too, though pytest keeps it apart."""
    text = """
import unittest

@pytest.mark.harness
class TestAsking(unittest.TestCase):
    def test_asks(self):
        self.assertEqual(ask("hello"), EXPECTED)
"""
    project.tests(text.replace("EXPECTED", "'You said: hello'"), model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    (path,) = project.path.glob("cassettes/test_it/*.yaml")
    before = path.read_bytes()
    project.tests(text.replace("EXPECTED", "'other'"), model.url)
    project.run("--harness-record=rewrite").assert_outcomes(failed=1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["once", "all", "rewrite"])
def test_recording_is_refused_in_ci(
    project: Project, model: Model, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where CI is set a test that would record fails with one line, nobody is asked."""
    monkeypatch.setenv("CI", "true")
    project.tests(ONE, model.url)
    result = project.run(f"--harness-record={mode}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*recording (mode '{mode}') is refused where CI*"])
    assert model.asked == []


def test_async_client_is_recorded_and_played(project: Project, model: Model) -> None:
    """A coroutine that the test runs itself is covered as sync code is."""
    project.tests(
        """
import asyncio

@pytest.mark.harness
def test_asks():
    assert asyncio.run(aask("hello")) == "You said: hello"
""",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert model.asked == ["hello"]


def test_threads_of_a_test_are_played_to(project: Project, model: Model) -> None:
    """Threads and pool jobs started by the test have its cassette."""
    project.tests(
        """
from concurrent.futures import ThreadPoolExecutor

@pytest.mark.harness
def test_asks():
    with ThreadPoolExecutor() as pool:
        said = sorted(pool.map(ask, ["a", "b", "c"]))
    assert said == ["You said: a", "You said: b", "You said: c"]
""",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert sorted(model.asked) == ["a", "b", "c"]


def test_corrupt_cassette_is_an_error_and_stays(project: Project, model: Model) -> None:
    """A file that does not parse fails the test in every mode and is not touched."""
    project.tests(ONE, model.url)
    path = project.write(OWN, "interactions: [\n")
    for mode in ("none", "once", "rewrite"):
        result = project.run(f"--harness-record={mode}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"*line*({path.relative_to(project.path)})"])
    assert path.read_text("utf-8") == "interactions: [\n"


def test_a_swallowed_miss_fails_the_test(project: Project, model: Model) -> None:
    """Code under test that catches the error does not hide it."""
    project.tests(
        """
@pytest.mark.harness
def test_asks():
    try:
        ask("hello")
    except Exception:
        pass
""",
        model.url,
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the test did not notice: *there is no cassette*"])
    path = project.path / "test_it.py"
    text = path.read_text("utf-8")
    path.write_text(text.replace("pass\n", "raise ValueError\n"), "utf-8")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *ValueError", "missed: *there is no cassette*"])


def test_session_fixture_tells_what_was_played(project: Project, model: Model) -> None:
    """`harness_session` works without a marker and counts."""
    project.tests(
        """
def test_asks(harness_session):
    assert ask("hello") == "You said: hello"
    assert sum(harness_session.play_counts) + harness_session.recorded_count == 1
""",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)


def test_unknown_mode_is_told(project: Project) -> None:
    """A mode that there is not is named with those there are."""
    project.tests(ONE)
    result = project.run("--harness-record=sometimes")
    result.stderr.fnmatch_lines(
        ["*--harness-record: expected none or once or new_episodes or all or rewrite*"]
    )
    assert result.ret != 0


def test_only_what_was_recorded_is_recorded_again(
    project: Project, model: Model
) -> None:
    """A varied stream is played from the recording, in every mode."""
    project.tests(
        """
@pytest.mark.harness(splits=["recorded", "whole", "chars"])
def test_asks():
    assert ask("hello") == "You said: hello"
""",
        model.url,
    )
    project.run("--harness-record=rewrite").assert_outcomes(passed=3)
    assert model.asked == ["hello"]


def test_fixtures_of_a_marked_test_are_recorded_too(
    project: Project, model: Model
) -> None:
    """The cassette is there before the test's fixtures, and until they have ended."""
    project.tests(
        """
@pytest.fixture(autouse=True)
def asked():
    yield ask("before")
    ask("after")

@pytest.mark.harness
def test_asks(asked):
    assert asked == "You said: before"
""",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=1)
    recorded = load_cassette(project.path / OWN)
    assert len(recorded.exchanges) == 2
    project.tests(
        "@pytest.fixture\ndef asked():\n    return ask('before')\n"
        "@pytest.mark.harness(unplayed='ignore')\ndef test_asks(asked):\n    pass\n",
        model.url,
    )
    project.run().assert_outcomes(passed=1)
    assert model.asked == ["before", "after"]


def test_a_cassette_that_cannot_be_written_is_told(
    project: Project, model: Model
) -> None:
    """One line, where pytest tells what went wrong after a test."""
    project.tests(ONE, model.url)
    project.write("cassettes", "a file where a folder should be")
    result = project.run("--harness-record=once")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*test_asks.yaml*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_re_match_line(r"\S*harness\S*\.py:\d+")


def test_recording_reaches_what_playing_may_not(project: Project, model: Model) -> None:
    """The network is blocked for tests that play, not while they record."""
    project.tests(ONE.replace("harness", "harness(block_network='all')"), model.url)
    project.run().assert_outcomes(failed=1)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    result = project.run("--harness-record=all")
    result.assert_outcomes(passed=1)
    assert model.asked == ["hello", "hello"]


def test_clients_and_threads_are_left_as_they_were(
    project: Project, model: Model
) -> None:
    """What is replaced while a marked test runs is put back after it."""

    def methods() -> list[object]:
        return [
            *(module.Client._transport_for_url for module in (httpx, httpx2)),
            *(module.AsyncClient._transport_for_url for module in (httpx, httpx2)),
            threading.Thread.start,
            ThreadPoolExecutor.submit,
        ]

    before = methods()
    project.tests(ONE, model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert methods() == before
    # Nor had an earlier test left something.
    assert not CLIENT_PATCHES._replaced
    assert not THREAD_PATCHES._replaced
