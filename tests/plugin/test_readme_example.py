"""The README's example of the plugin is run as it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import harness.pytest_plugin.server_fixture  # noqa: F401 - pytester forgets what a run imports
from tests.docs import PAGES
from tests.plugin.conftest import CLIENT

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

# What the example calls and a reader has: an agent, an interface, a client, a parser.
THEIRS = """
async def my_agent(question):
    return await aask(question + " Say: 21 degrees.")

class MyInterface:
    def __init__(self):
        self.said = []

    def process_chunk(self, chunk, message_id, message_date):
        for choice in chunk.choices:
            if choice.delta and choice.delta.content:
                self.said.append(choice.delta.content)

    def to_list(self):
        said, self.said = self.said, []
        return ["".join(said)]

def run_my_client(option, url):
    assert option == "--base-url"
    return ask("What is the weather in Rome, in degrees?", url)

def my_parser(chunks):
    said = ""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            content = (choice.get("delta") or {}).get("content")
            if not choice.get("index"):
                for part in content if isinstance(content, list) else [content]:
                    text = part.get("text") if isinstance(part, dict) else part
                    said += text if isinstance(text, str) else ""
    return {"text": said}
"""


@pytest.mark.slow
def test_the_example_of_the_readme_runs(project: Project, model: Model) -> None:
    """Recorded and stored once, it then passes without a model."""
    (block,) = re.findall(
        r"^```py\n(.*?)^```$",
        (PAGES / "how-to" / "pytest.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    project.write(
        "test_first.py",
        f"import pytest\n{CLIENT}\n"
        "@pytest.mark.harness('weather/rome')\n"
        "def test_first():\n    ask('What is the weather in Rome, in degrees?')\n",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=1)
    (project.path / "test_first.py").unlink()
    project.write(
        "pytest.ini",
        "[pytest]\nasyncio_mode = auto\n"
        "asyncio_default_fixture_loop_scope = function\n",
    )
    project.tests(f"{THEIRS}\n{block}", model.url)
    plugins = ("pytest_asyncio.plugin", "syrupy")
    first = ("--harness-record=once", "--snapshot-update")
    project.run(*first, plugins=plugins).assert_outcomes(passed=10)
    asked = list(model.asked)
    project.run(plugins=plugins).assert_outcomes(passed=10)
    assert model.asked == asked
