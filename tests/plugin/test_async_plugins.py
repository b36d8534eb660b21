"""pytest-asyncio and anyio: a cassette belongs to its test, whatever loop runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

TESTS = """
MARK

@pytest.mark.harness
async def test_one(FIXTURE):
    assert await aask("one") == "You said: one"

@pytest.mark.harness
async def test_two(FIXTURE):
    import asyncio
    said = await asyncio.gather(aask("two"), aask("three"))
    assert said == ["You said: two", "You said: three"]

async def test_unmarked():
    from harness.record.active import current_session
    assert current_session() is None

@pytest.mark.harness("test_it/test_one", splits=["whole", "chars"])
async def test_cut():
    assert await aask("one") == "You said: one"

@pytest.mark.harness("test_it/test_one", splits=["recorded", "chars"])
async def test_replayed(harness_areplay):
    assert (await harness_areplay()).messages
"""

LONG_LIVED = """
import pytest
from openai import AsyncOpenAI

@pytest.fixture(SCOPE)
async def warm():
    yield AsyncOpenAI(api_key="unused", base_url="http://127.0.0.1:9/v1")
"""


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["function", "session"])
def test_pytest_asyncio(project: Project, model: Model, scope: str) -> None:
    """In auto mode, with loops of a test and of the whole session."""
    project.write(
        "pytest.ini",
        "[pytest]\nasyncio_mode = auto\n"
        f"asyncio_default_fixture_loop_scope = {scope}\n"
        f"asyncio_default_test_loop_scope = {scope}\n",
    )
    project.write("conftest.py", LONG_LIVED.replace("SCOPE", f"scope={scope!r}"))
    text = TESTS.replace("MARK", "").replace("FIXTURE", "warm")
    project.tests(text, model.url)
    plugins = ("pytest_asyncio.plugin",)
    result = project.run("--harness-record=once", plugins=plugins)
    result.assert_outcomes(passed=8)  # the plain case of test_cut besides, to record
    asked = len(model.asked)
    assert asked == 3
    project.run(plugins=plugins).assert_outcomes(passed=7)
    assert len(model.asked) == asked


@pytest.mark.slow
def test_anyio(project: Project, model: Model) -> None:
    """With anyio's own runner, and a fixture that lives as long as the module."""
    project.write(
        "conftest.py",
        LONG_LIVED.replace("SCOPE", "scope='module'")
        + "\n@pytest.fixture(scope='module')\ndef anyio_backend():\n"
        "    return 'asyncio'\n",
    )
    text = TESTS.replace("MARK", "pytestmark = pytest.mark.anyio")
    project.tests(text.replace("FIXTURE", "warm"), model.url)
    plugins = ("anyio.pytest_plugin",)
    result = project.run("--harness-record=once", plugins=plugins)
    result.assert_outcomes(passed=8)  # the plain case of test_cut besides, to record
    asked = len(model.asked)
    project.run(plugins=plugins).assert_outcomes(passed=7)
    assert len(model.asked) == asked
