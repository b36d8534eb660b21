"""Other people's plugins in the same run: each does its work, and so do we."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Model, Project

OURS = """
@pytest.mark.harness
def test_ours():
    assert ask("ours") == "You said: ours"
"""

THEIRS = """
@pytest.mark.vcr
def test_theirs():
    assert ask("theirs") == "You said: theirs"
"""


def test_pytest_recording(project: Project, model: Model) -> None:
    """Both record and play in one file, each its own tests, with one block switch."""
    project.tests(OURS + THEIRS, model.url)
    plugins = ("pytest_recording.plugin",)
    result = project.run("--harness-record=once", "--record-mode=once", plugins=plugins)
    result.assert_outcomes(passed=2)
    folder = project.path / "cassettes" / "test_it"
    assert sorted(path.name for path in folder.iterdir()) == [
        "test_ours.yaml",
        "test_theirs.yaml",
    ]
    asked = list(model.asked)
    project.run("--block-network", plugins=plugins).assert_outcomes(passed=2)
    assert model.asked == asked


def test_pytest_recording_plays_a_cassette_of_ours(
    project: Project, model: Model
) -> None:
    """A test changes its marker from one to the other and keeps its file."""
    project.tests(OURS, model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.tests(OURS.replace("mark.harness", "mark.vcr"), model.url)
    result = project.run("--block-network", plugins=("pytest_recording.plugin",))
    result.assert_outcomes(passed=1)
    assert model.asked == ["ours"]


@pytest.mark.slow
def test_pytest_vcr(
    project: Project, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same beside pytest-vcr, which no environment has next to pytest-recording."""
    folder = str(tmp_path / "pytest-vcr")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    subprocess.run([*install, "--target", folder, "pytest-vcr"], check=True)
    monkeypatch.setenv("PYTHONPATH", folder)
    project.tests(OURS + THEIRS, model.url)
    result = project.run_apart(
        "--harness-record=once", "--vcr-record=once", plugins=("pytest_vcr",)
    )
    result.assert_outcomes(passed=2)
    asked = list(model.asked)
    result = project.run_apart("--vcr-record=none", plugins=("pytest_vcr",))
    result.assert_outcomes(passed=2)
    assert model.asked == asked


# Alone in a process of their own, so without the OpenAI SDK, which takes a second.
ASK = """
import httpx, pytest

def ask(word):
    asked = {"stream": True, "messages": [{"role": "user", "content": word}]}
    return httpx.post("BASE_URL/chat/completions", json=asked).text.count("data: ")
"""


@pytest.mark.slow
def test_inline_snapshot(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inline snapshot of what a played client gets is created and compared."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # it does nothing there
    project.write(
        "test_it.py",
        f"""{ASK}
from inline_snapshot import snapshot

@pytest.mark.harness
def test_ours():
    assert ask("ours") == snapshot()
""",
        model.url,
    )
    plugins = ("inline_snapshot.pytest_plugin",)
    project.run_apart(
        "--harness-record=once", "--inline-snapshot=create", plugins=plugins
    )
    assert "snapshot(5)" in project.path.joinpath("test_it.py").read_text("utf-8")
    project.run_apart(plugins=plugins).assert_outcomes(passed=1)
    assert model.asked == ["ours"]


@pytest.mark.slow
def test_pytest_randomly(project: Project, model: Model) -> None:
    """Any order plays the same; its seed and ours do not touch."""
    project.tests(
        """
@pytest.mark.parametrize("word", list("abc"))
@pytest.mark.harness(splits=["recorded", "random"])
def test_asks(word):
    assert ask(word) == f"You said: {word}"
""",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=6)
    for seed in (1, 2):
        result = project.run(
            f"--randomly-seed={seed}", "-v", plugins=("pytest_randomly",)
        )
        result.assert_outcomes(passed=6)
        result.stdout.fnmatch_lines(["*test_asks?*random:0?*"])


@pytest.mark.slow
def test_pytest_cov(project: Project, model: Model) -> None:
    """Coverage of a project is measured as without the plugin."""
    project.write("agent.py", "def twice(count):\n    return count + count\n")
    project.write(
        "test_it.py",
        f"""{ASK}
from agent import twice

@pytest.mark.harness
def test_ours():
    assert twice(ask("ours")) == 10
""",
        model.url,
    )
    result = project.run_apart(
        "--harness-record=once", "--cov=agent", plugins=("pytest_cov.plugin",)
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["agent.py*100%*"])


def test_hypothesis(project: Project, model: Model) -> None:
    """A property inside a marked test plays one cassette for all its examples."""
    project.tests(
        """
from hypothesis import given, settings, HealthCheck, strategies as st

@pytest.mark.harness(unplayed="ignore")
@settings(max_examples=5, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["a"]))
def test_asks(word):
    assert ask(word) == f"You said: {word}"
""",
        model.url,
    )
    plugins = ("_hypothesis_pytestplugin",)
    project.run("--harness-record=once", plugins=plugins).assert_outcomes(passed=1)
    project.run(plugins=plugins).assert_outcomes(passed=1)


def test_unittest_classes(project: Project, model: Model) -> None:
    """Methods of a marked class, sync and async, each with its cassette."""
    project.tests(
        """
import unittest

@pytest.mark.harness
class TestSync(unittest.TestCase):
    def test_asks(self):
        self.assertEqual(ask("sync"), "You said: sync")

@pytest.mark.harness
class TestAsync(unittest.IsolatedAsyncioTestCase):
    async def test_asks(self):
        self.assertEqual(await aask("async"), "You said: async")
""",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=2)
    project.run().assert_outcomes(passed=2)
    assert sorted(model.asked) == ["async", "sync"]
    (path,) = project.path.glob("cassettes/test_it/TestSync*.yaml")
    path.rename(project.path / "cassettes" / "named.yaml")
    text = project.path.joinpath("test_it.py").read_text("utf-8")
    named = text.replace("harness\nclass TestSync", "harness('named')\nclass TestSync")
    project.path.joinpath("test_it.py").write_text(named, "utf-8")
    project.run().assert_outcomes(passed=2)
    path.parent.parent.joinpath("named.yaml").rename(path)
    names = sorted(path.stem for path in project.path.rglob("*.yaml"))
    assert [name.partition("~")[0] for name in names] == [
        "TestAsync.test_asks",
        "TestSync.test_asks",
    ]


def test_unittest_classes_take_no_cases(project: Project) -> None:
    """Splits need parameters, which unittest has not; the message says what to do."""
    project.tests(
        """
import unittest

@pytest.mark.harness(splits="quick")
class TestSync(unittest.TestCase):
    def test_asks(self):
        pass
"""
    )
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*takes no parameters; make it a function*"])
