"""Cassettes that no test uses any more.

Owns what counts as one: a cassette in the folder of a test file that was collected as
a whole, which none of its tests names, has as its own or used while it ran. Tests
that were deselected count; a folder whose tests have their names from other people's
fixture is left out.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.library import find_cassettes
from harness.errors import CassetteError, counted, printable
from harness.pytest_plugin.cases import case_of, name_of_test, named_paths, own_name
from harness.pytest_plugin.other_plugins import paths_of_others
from harness.pytest_plugin.playback import asked_of
from harness.pytest_plugin.plugin import uses

if TYPE_CHECKING:
    import pytest


_NAME_FIXTURE = "harness_cassette_name"


class Orphans:
    """Gathers what is used, here or in workers, and finds what is not.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._used: set[str] = set()
        self._folders: dict[str, str] = {}
        self._unclear: set[str] = set()
        self._failed_workers = False
        self._found: list[str] = []

    def collected(self, items: list[pytest.Item]) -> None:
        """Take note of the tests, before any is deselected."""
        partial = {
            str((self._config.invocation_params.dir / arg.partition("::")[0]).resolve())
            for arg in self._config.args
            if "::" in arg
        }
        for item in items:
            if str(item.path.resolve()) in partial:
                continue
            if not uses(item):
                if item.get_closest_marker("vcr") is not None:
                    self._used.update(
                        paths_of_others(item, item.path.parent / "cassettes")
                    )
                continue
            asked = asked_of(item)
            if asked.get("orphans") != "fail":
                continue
            folder = asked.folder
            name = own_name(asked.test_file, name_of_test(item))
            inside = str((folder / name).parent)
            self._folders[inside] = str(item.path)
            case = case_of(item)
            if case.cassette is not None:
                self._used.add(case.cassette)
            elif asked.names:  # one name: the case stands for it
                for one in asked.names:
                    self._used.update(named_paths(folder, one, "@pytest.mark.harness"))
            elif _has_own_names(item):
                self._unclear.add(inside)
            else:
                self._used |= {
                    str(folder / f"{name}{end}") for end in (".yaml", ".json")
                }
                self._used.update(paths_of_others(item, folder))

    def used(self, *paths: str) -> None:
        """Take note of cassettes that a test used."""
        self._used.update(paths)

    def state(self) -> Any:
        """Return what a worker of pytest-xdist knows, as JSON."""
        return sorted(self._used), self._folders, sorted(self._unclear)

    def add_worker(self, state: Any) -> None:
        """Take over what a worker knows; None if it crashed."""
        if state is None:
            self._failed_workers = True
            return
        used, folders, unclear = state
        self._used.update(used)
        self._folders.update(folders)
        self._unclear.update(unclear)

    def finish(self, session: pytest.Session) -> None:
        """Find the orphans and fail the run."""
        if self._failed_workers or not self._folders:
            return
        for folder in sorted(self._folders.keys() - self._unclear):
            with suppress(CassetteError):  # no such folder, or none in it
                found = find_cassettes(folder)
                self._found += [path for path in found if path not in self._used]
        if self._found and session.exitstatus in {0, 5}:
            session.exitstatus = 1

    def report(self, reporter: Any) -> None:
        """Print what was found."""
        if not self._found:
            return
        reporter.section(counted(len(self._found), "orphaned cassette"), bold=True)
        for path in self._found:
            owner = Path(self._folders[str(Path(path).parent)]).name
            line = (
                f"{path}: no test of {owner} uses it; delete it, or name it in a marker"
            )
            reporter.write_line(printable(line))


def _has_own_names(item: Any) -> bool:
    """Return whether a conftest.py or test file replaces the fixture that names."""
    manager = getattr(item.session, "_fixturemanager", None)
    if manager is None:
        return True
    found = manager.getfixturedefs(_NAME_FIXTURE, item) or ()
    return not found or found[-1].func.__module__ != "harness.pytest_plugin.plugin"
