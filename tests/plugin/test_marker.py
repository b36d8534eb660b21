"""`@pytest.mark.harness`: names, lists, globs, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

TEST = """
@pytest.mark.harness(ARGUMENTS)
def test_x(harness_cassette):
    assert harness_cassette.exchanges
"""


def _ids(project: Project) -> list[str]:
    result = project.run("-v")
    assert result.ret == 0, result.outlines
    return [line.split()[0] for line in result.outlines if line.startswith("test_it")]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ("'one'", [""]),
        ("'one.yaml'", [""]),
        ("'one', 'two'", ["[one]", "[two]"]),
        (
            "['one', 'two'], 'deep/one'",
            ["[cassettes/one]", "[cassettes/two]", "[deep/one]"],
        ),
        ("'*.yaml'", ["[one]", "[two]"]),
        ("'**/one.yaml'", ["[deep/one]", "[cassettes/one]"]),
    ],
)
def test_each_cassette_is_a_test_id(
    project: Project, arguments: str, ids: list[str]
) -> None:
    """Names, lists and globs; files that are no cassettes are passed over."""
    for name in ("one.yaml", "two.yaml", "deep/one.yaml"):
        project.recording("llama-server/plain-text.yaml", name)
    project.recording("llama-server/plain-text.scenario.yaml")
    project.tests(TEST.replace("ARGUMENTS", arguments))
    assert sorted(_ids(project)) == sorted(f"test_it.py::test_x{i}" for i in ids)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'no*.yaml'", "@pytest.mark.harness('no*.yaml'): no cassette in *matches"),
        ("3", "expected names of cassettes, globs or lists of them, got 3"),
        ("splits=[1.5]", "expected names of splits, dialects or faults, got 1.5"),
        ("spilts='whole'", "there is no 'spilts'; there is allow, apis,*"),
        ("dialects='klingon'", "*dialect 'klingon'*"),
    ],
)
def test_a_wrong_marker_is_told_while_collecting(
    project: Project, arguments: str, message: str
) -> None:
    """One line that names the test, what is wrong and what there is."""
    project.tests(TEST.replace("ARGUMENTS", arguments))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*test_it.py::test_x: *{message}*"])
    result.stdout.no_fnmatch_line("*another exception occurred*")


def test_a_glob_may_be_absolute(project: Project) -> None:
    """As a name may: cassettes of a folder that is nobody's beside the test file."""
    for name in ("one.yaml", "two.yaml"):
        project.recording("llama-server/plain-text.yaml", name)
    pattern = str(project.path / "cassettes" / "o*.yaml")
    project.tests(TEST.replace("ARGUMENTS", f"{pattern!r}, cassette_dir='elsewhere'"))
    assert _ids(project) == ["test_it.py::test_x"]


def test_a_missing_cassette_is_told(project: Project) -> None:
    """The message names the file, one that is called almost the same, what to do."""
    project.recording("llama-server/plain-text.yaml", "gonn.yaml")
    project.tests(TEST.replace("ARGUMENTS", "'gone'"))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "there is no such cassette; did you mean 'gonn.yaml'? name another"
            "*(cassettes?gone.yaml)"
        ]
    )
    result.stdout.no_fnmatch_line("*another exception occurred*")


def test_markers_add_up_the_closest_first(project: Project) -> None:
    """A test's own marker goes before its class's and its module's, key by key."""
    project.recording("llama-server/plain-text.yaml", "one.yaml")
    project.tests(
        """
pytestmark = pytest.mark.harness("one", splits=["whole", "chars"], seed=3)

@pytest.mark.harness(splits="random")
def test_x(harness_cassette):
    pass
"""
    )
    assert _ids(project) == ["test_it.py::test_x[random:3]"]


def test_the_marker_is_declared(project: Project) -> None:
    """`--strict-markers` accepts it and `--markers` explains it."""
    project.recording("llama-server/plain-text.yaml", "one.yaml")
    project.tests(TEST.replace("ARGUMENTS", "'one'"))
    project.run("--strict-markers").assert_outcomes(passed=1)
    project.run("--markers").stdout.fnmatch_lines(["@pytest.mark.harness(*cassettes*"])


def test_a_wrong_marker_of_a_unittest_class_is_told(project: Project) -> None:
    """Such a test is never asked for parameters, so the whole run says it."""
    project.write(
        "test_it.py",
        "import pytest, unittest\n@pytest.mark.harness(spilts='whole')\n"
        "class TestIt(unittest.TestCase):\n    def test_x(self):\n        pass\n",
    )
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = (line for line in result.errlines if line)
    assert line.startswith("ERROR: @pytest.mark.harness: there is no 'spilts'; ")


def test_the_marker_on_another_kind_of_test_is_refused(project: Project) -> None:
    """What takes no fixtures cannot have a cassette; the message says what can."""
    project.write(
        "conftest.py",
        """
import pytest

class Page(pytest.File):
    def collect(self):
        item = Item.from_parent(self, name="page")
        item.add_marker(pytest.mark.harness)
        yield item

class Item(pytest.Item):
    def runtest(self):
        pass

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".page":
        return Page.from_parent(parent, path=file_path)
""",
    )
    project.write("a.page", "")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["a.page::page: @pytest.mark.harness works on test functions, and this is a *"]
    )


@pytest.mark.slow
def test_the_plugin_can_be_switched_off(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed, it is there without being named; `-p no:harness` leaves it out."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = project.pytester.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(["*--harness-record=MODE*"])
    result = project.pytester.runpytest_subprocess("-p", "no:harness", "--help")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*--harness-*")
