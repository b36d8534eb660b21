"""Where a test's cassette is, and that names are reversible and never shared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from harness.pytest_plugin.naming import LONGEST, file_name

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

MASK = re.compile(r"(.*)~([0-9a-f]+)", re.DOTALL)
SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.%~")


def name_of(written: str) -> str | None:
    """Return the test's name that a file name stands for; None where it was cut."""
    if "~~" in written:
        return None
    found = MASK.fullmatch(written)
    text, mask = (found[1], int(found[2], 16)) if found else (written, 0)
    text = "".join(
        char.upper() if mask >> place & 1 else char.lower()
        for place, char in enumerate(text)
    )
    return unquote_to_bytes(text).decode("utf-8", "surrogatepass")


@given(st.text(max_size=60))
@example("con")
@example("LPT1.x")
@example(".hidden")
@example("test_x[a/b:c d]")
@example("test_~1")
@example("test_x[\u00e9]")
@example("test_x[e\u0301]")
@example("")
def test_a_name_comes_back_from_its_file_name(name: str) -> None:
    """What is written holds safe characters only, and is read back as it was."""
    written = file_name(name)
    assert set(written) <= SAFE
    assert len(written) <= LONGEST
    if "~~" not in written:
        assert name_of(written) == name
        assert name_of(written.lower()) == name


@given(st.text(max_size=200), st.text(max_size=200))
@example("test_x[A]", "test_x[a]")
@example("a" * 199 + "b", "a" * 199 + "c")
def test_two_names_never_share_a_file(one: str, two: str) -> None:
    """Also not where the file system takes capital letters for small ones."""
    if one != two:
        assert file_name(one).lower() != file_name(two).lower()


def test_a_long_name_is_cut_with_a_hash() -> None:
    """Only a cut name cannot be read back."""
    written = file_name("x" * 500)
    assert len(written) == LONGEST
    assert name_of(written) is None


TESTS = """
import pathlib

class TestCity:
    @pytest.mark.parametrize("city", ["Rome", "a/b"])
    @pytest.mark.harness(splits=["whole", "chars"])
    def test_weather(self, city, _harness_around):
        print("PATH", _harness_around.path)

@pytest.mark.harness
def test_plain(_harness_around):
    print("PATH", _harness_around.path)
"""


def _paths(project: Project, *options: str) -> list[str]:
    result = project.run("-s", *options)
    assert result.ret == 0
    return sorted({line.split()[-1] for line in result.outlines if "PATH" in line})


def test_own_cassettes_are_beside_the_test_file(project: Project) -> None:
    """`cassettes/<module>/<test>.yaml`, class and parameters in, splits not."""
    project.tests(TESTS)
    folder = project.path / "cassettes" / "test_it"
    names = ("TestCity.test_weather[Rome]", "TestCity.test_weather[a/b]", "test_plain")
    assert _paths(project) == sorted(f"{folder / file_name(n)}.yaml" for n in names)
    assert f"{folder / 'test_plain.yaml'}" in _paths(project)


def test_the_folder_can_be_set_by_option_ini_marker_and_hook(project: Project) -> None:
    """Command line over marker or hook over ini."""
    text = "@pytest.mark.harness{}\ndef test_x(_harness_around):\n"
    text += "    print('PATH', _harness_around.path)\n"
    project.tests(text.format(""))
    project.write("pytest.ini", "[pytest]\nharness_cassette_dir = by-ini\n")
    assert _paths(project) == [str(project.path / "by-ini/test_it/test_x.yaml")]
    project.write(
        "conftest.py",
        "def pytest_harness_cassette_dir(config, test_file):\n"
        "    return test_file.parent / 'by-hook'\n",
    )
    assert _paths(project) == [str(project.path / "by-hook/test_it/test_x.yaml")]
    project.tests(text.format("(cassette_dir='by-marker')"))
    assert _paths(project) == [str(project.path / "by-marker/test_it/test_x.yaml")]
    assert _paths(project, "--harness-cassette-dir=by-option") == [
        str(project.path / "by-option/test_it/test_x.yaml")
    ]


def test_hooks_of_a_folder_are_for_its_tests_only(project: Project) -> None:
    """A `conftest.py` sets nothing for the tests of the folder beside it."""
    for folder in ("one", "two"):
        project.write(
            f"{folder}/test_{folder}.py",
            "import pytest\n@pytest.mark.harness\ndef test_x(_harness_around):\n"
            "    print('PATH', _harness_around.path)\n",
        )
    project.write(
        "one/conftest.py",
        "def pytest_harness_cassette_dir(config, test_file):\n    return 'mine'\n"
        "def pytest_harness_settings(config, test_file):\n"
        "    return {'cassette_dir': 'theirs'}\n",
    )
    assert _paths(project) == [
        str(project.path / "one/mine/test_one/test_x.yaml"),
        str(project.path / "two/cassettes/test_two/test_x.yaml"),
    ]


def test_a_fixture_can_name_the_cassette(project: Project) -> None:
    """`harness_cassette_name` of a conftest.py is used; a marker's name goes first."""
    project.tests(
        "@pytest.mark.harness\ndef test_x(_harness_around):\n"
        "    print('PATH', _harness_around.path)\n"
    )
    project.write(
        "conftest.py",
        "import pytest\n@pytest.fixture\ndef harness_cassette_name():\n"
        "    return 'shared/hello'\n",
    )
    assert _paths(project) == [str(project.path / "cassettes/shared/hello.yaml")]
    project.recording("llama-server/plain-text.yaml", "other.yaml")
    project.tests(
        "@pytest.mark.harness('other.yaml', unplayed='ignore')\n"
        "def test_x(_harness_around):\n"
        "    print('PATH', _harness_around.path)\n"
    )
    assert _paths(project) == [str(project.path / "cassettes/other.yaml")]
