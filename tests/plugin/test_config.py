"""Where settings come from: every one by every way, and what only a fixture takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from harness.pytest_plugin.plugin_settings import EARLY, SETTINGS

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

GIVEN = {
    "record": "once",
    "cassette_dir": "tapes",
    "splits": "whole",
    "apis": "chat",
    "dialects": "ollama",
    "faults": "cut-chunks:2",
    "seed": "7",
    "unplayed": "ignore",
    "orphans": "fail",
    "speed": "3",
    "block_network": "all",
    "max_age": "12w",
    "allow": "db.example.com:5432",
    "match_on": "method",
    "ignore_json": "$.user",
    "ignore_hosts": "*.example.com",
    "ignore_localhost": "yes",
    "ignore_telemetry": "no",
}
TUPLES = ("splits", "apis", "dialects", "faults", "allow", "match_on", "ignore_json")
SHOWN = {
    **GIVEN,
    **{name: (GIVEN[name],) for name in (*TUPLES, "ignore_hosts")},
    "seed": 7,
    "speed": 3.0,
    "max_age": 84,
    "ignore_localhost": True,
    "ignore_telemetry": False,
}
SHOW = """
import pytest
@pytest.mark.harness(MARKER)
def test_x(harness_cassette_name, harness_variation, _harness_around):
    print("VALUES", [_harness_around.setting(name) for name in NAMES])
"""


@pytest.mark.parametrize("way", ["option", "ini", "marker", "fixture", "hook"])
def test_every_setting_is_taken_from_everywhere(project: Project, way: str) -> None:
    """Each option, ini key, keyword, hook's and fixture's key of the table counts."""
    assert GIVEN.keys() == SETTINGS.keys()
    names = [name for name in GIVEN if way != "fixture" or name not in EARLY]
    options = [f"--harness-{name.replace('_', '-')}={GIVEN[name]}" for name in names]
    marker = ", ".join(f"{name}={GIVEN[name]!r}" for name in names)
    given = {name: GIVEN[name] for name in names}
    if way == "ini":
        lines = "\n".join(f"harness_{name} = {GIVEN[name]}" for name in names)
        project.write("pytest.ini", f"[pytest]\n{lines}\n")
    elif way == "fixture":
        project.write(
            "conftest.py",
            "import pytest\n@pytest.fixture\ndef harness_config():\n"
            f"    return {given!r}\n",
        )
    elif way == "hook":
        project.write(
            "conftest.py",
            f"def pytest_harness_settings(config, test_file):\n    return {given!r}\n",
        )
    project.write(
        "test_it.py",
        SHOW.replace("MARKER", marker if way == "marker" else "").replace(
            "NAMES", repr(names)
        ),
    )
    result = project.run("-s", *(options if way == "option" else []))
    shown = next(line for line in result.outlines if "VALUES" in line)
    assert f"VALUES {[SHOWN[name] for name in names]!r}" in shown


ASKS = """
@pytest.mark.harness(MARKER)
def test_asks():
    assert ask(TEXT) == "You said: hello"
"""


def test_match_on_decides_which_request_is_the_same(
    project: Project, model: Model
) -> None:
    """From the fixture, and from the marker before it; names of matchers, functions."""

    def tests(marker: str, text: str) -> None:
        project.tests(ASKS.replace("MARKER", marker).replace("TEXT", text), model.url)

    tests("", "'hello'")
    project.run("--harness-record=once").assert_outcomes(passed=1)
    tests("", "'other'")
    project.run().assert_outcomes(failed=1)
    tests("match_on=['method', 'path']", "'other'")
    project.run().assert_outcomes(passed=1)
    tests("", "'other'")
    project.write(
        "conftest.py",
        "import pytest\n"
        "def is_as_long(one, two):\n"
        "    assert len(one.body) == len(two.body)\n"
        "@pytest.fixture\ndef harness_config():\n"
        "    return {'match_on': ['method', is_as_long]}\n",
    )
    project.run().assert_outcomes(passed=1)
    tests("", "'nil'")
    project.run().assert_outcomes(failed=1)
    tests("match_on=['luck']", "'hello'")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'luck'*"])


def test_redaction_and_before_record_request_see_what_is_written(
    project: Project, model: Model
) -> None:
    """The fixture's rules replace what the default ones do not know."""
    project.write(
        "conftest.py",
        """
import pytest
from harness.redaction.redact import Redaction

def without_question(request):
    request.uri = request.uri.replace("/v1/", "/hidden/")
    return request

@pytest.fixture
def harness_config():
    return {
        "redaction": Redaction(patterns=("secret-[a-z]+",)),
        "before_record_request": without_question,
        "match_on": ["method"],
    }
""",
    )
    project.tests(
        """
@pytest.mark.harness
def test_asks():
    assert ask("secret-plan").startswith("You said: ")
""",
        model.url,
    )
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert model.asked == ["secret-plan"]
    (path,) = project.path.glob("cassettes/test_it/*.yaml")
    text = path.read_text("utf-8")
    assert "secret-plan" not in text
    assert "/hidden/" in yaml.safe_load(text)["interactions"][0]["request"]["uri"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            "{'sed': 1}",
            "*harness_config: there is no 'sed'; did you mean 'seed'? there is *",
        ),
        ("3", "fixture harness_config: expected a dict, got int"),
        ("{'seed': -1}", "fixture harness_config, 'seed': expected a number*got -1"),
        ("{'seed': 1 << 64}", "expected a number from 0 below 2[*][*]64, got 1844674*"),
    ],
)
def test_a_wrong_fixture_is_told(project: Project, returned: str, message: str) -> None:
    """One line that says which key is wrong and what there is."""
    project.write(
        "conftest.py",
        "import pytest\n@pytest.fixture\ndef harness_config():\n"
        f"    return {returned}\n",
    )
    project.write(
        "test_it.py",
        "def test_x(harness_variation, _harness_around):\n"
        "    _harness_around.setting('seed')\n",
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*{message}"])


def test_a_wrong_hook_is_told_while_collecting(project: Project) -> None:
    """A hook that returns an unknown name is named with what there is."""
    project.write(
        "conftest.py",
        "def pytest_harness_settings(config, test_file):\n    return {'sed': 1}\n",
    )
    project.write("test_it.py", SHOW.replace("MARKER", "").replace("NAMES", "[]"))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pytest_harness_settings: there is no 'sed'*"])
