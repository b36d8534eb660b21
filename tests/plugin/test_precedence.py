"""Command line over marker over fixture over hook over ini over default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin import hookspecs
from harness.pytest_plugin.plugin_settings import EARLY, SETTINGS, resolve

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

LEVELS = ("ini", "hook", "fixture", "marker", "option")
VALUES = {
    "record": ("once", "new_episodes", "all", "rewrite", "none"),
    "seed": (1, 2, 3, 4, 5),
    "speed": (1.0, 2.0, 3.0, 4.0, 5.0),
    "unplayed": ("ignore", "fail", "ignore", "fail", "ignore"),
    "block_network": ("all", "none", "all", "remote", "all"),
}


def _values(project: Project, levels: tuple[str, ...]) -> dict[str, str]:
    """Return what each setting is where these levels give it."""
    given = {
        level: {name: values[LEVELS.index(level)] for name, values in VALUES.items()}
        for level in levels
    }
    marker = ", ".join(f"{k}={v!r}" for k, v in given.get("marker", {}).items())
    ini = "".join(f"harness_{k} = {v}\n" for k, v in given.get("ini", {}).items())
    conftest = ["import pytest"]
    if "hook" in levels:
        conftest += [
            "def pytest_harness_settings(config, test_file):",
            f"    return {given['hook']!r}",
        ]
    if "fixture" in levels:
        conftest += [
            "@pytest.fixture",
            "def harness_config():",
            f"    return {given['fixture']!r}",
        ]
    project.write("conftest.py", "\n".join(conftest) + "\n")
    project.write("pytest.ini", f"[pytest]\n{ini}")
    project.write(
        "test_it.py",
        "import pytest\n"
        f"@pytest.mark.harness({marker})\n"
        "def test_x(_harness_around, harness_variation):\n"
        f"    for name in {list(VALUES)!r}:\n"
        "        print()\n"
        "        print('VALUE', name, _harness_around.setting(name))\n",
    )
    options = [
        f"--harness-{name.replace('_', '-')}={value}"
        for name, value in given.get("option", {}).items()
    ]
    lines = project.run("-s", *options).outlines
    return dict(line.split()[1:] for line in lines if line.startswith("VALUE"))


@pytest.mark.parametrize("count", range(len(LEVELS) + 1))
def test_each_level_goes_before_those_below(project: Project, count: int) -> None:
    """With everything up to a level given, that level's value of each counts."""
    got = _values(project, LEVELS[:count])
    assert got.keys() == VALUES.keys()
    for name, values in VALUES.items():
        expected = values[count - 1] if count else SETTINGS[name].default
        assert got[name].rstrip("0.") == str(expected).rstrip("0.")


def test_what_is_decided_early_cannot_come_from_the_fixture(project: Project) -> None:
    """A fixture comes after collection; the message says where else."""
    project.write(
        "conftest.py",
        "import pytest\n@pytest.fixture\ndef harness_config():\n"
        "    return {'splits': 'quick'}\n",
    )
    project.tests("@pytest.mark.harness\ndef test_x():\n    pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'splits' is decided while tests are collected*"])


def test_options_ini_marker_and_table_name_the_same_settings(project: Project) -> None:
    """Nothing can be set in one place and is unknown in another."""
    assert set(hookspecs.OPTIONS) == set(SETTINGS)
    assert set(SETTINGS) >= EARLY
    assert all(f"{name}=None" in hookspecs.MARKER for name in SETTINGS)
    for name, (_metavar, default, text) in hookspecs.OPTIONS.items():
        setting = SETTINGS[name]
        assert all(value in text for value in setting.allowed)
        if setting.default == ():
            assert default in {"as recorded", "none"}
        else:
            assert setting.value(default, "table") == setting.default


@pytest.mark.parametrize("level", LEVELS)
def test_resolve_takes_the_highest_level_that_gives_a_value(level: str) -> None:
    """The rule itself, without a pytest around it: what is above is not given."""
    at = LEVELS.index(level) + 1  # 0 is the default
    given: dict[str, Any] = {name: number for number, name in enumerate(LEVELS, 1)}
    given = {name: given[name] if at >= given[name] else None for name in LEVELS}
    found = resolve(
        "seed",
        option=given["option"],
        marker={"seed": given["marker"]},
        fixture={"seed": given["fixture"]},
        hook={"seed": given["hook"]},
        ini=given["ini"],
    )
    assert found == at
