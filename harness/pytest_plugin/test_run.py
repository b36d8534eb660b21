"""Hooks that are registered only where a test uses the plugin.

Owns when a passed test is failed after all, and what a failed one's report holds
besides: what is known of its cassette, and the command that runs it again.
"""

from __future__ import annotations

import json
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CassetteError, HarnessError, InterfaceError, UsageError
from harness.pytest_plugin.failure_text import fact_first, failure_section
from harness.pytest_plugin.network import NetworkBlockedError
from harness.pytest_plugin.orphans import Orphans
from harness.pytest_plugin.playback import FAILED, HARNESS_TEST
from harness.pytest_plugin.stale import StaleRequests
from harness.record.guard import file_kind

if TYPE_CHECKING:
    from collections.abc import Generator


AROUND = "_harness_around"
"""The fixture that every marked test gets."""
WORKER_KEY = "harness_found"
"""Where the output of a worker of pytest-xdist has what it knows."""


_EXPLAINED = (CassetteError, InterfaceError, NetworkBlockedError, UsageError)
"""Errors that explain everything; the lines of ours that raised them add nothing."""


class Running:
    """The hooks of a run in which some test uses the plugin.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.orphans = Orphans(config)
        self._stale = StaleRequests(config)
        self._telemetry: set[str] = set()

    def add_worker(self, output: dict[str, Any] | None) -> None:
        """Take over what a worker of pytest-xdist knows; None if it crashed."""
        if output is None:
            self.orphans.add_worker(None)
            return
        orphans, stale = json.loads(output[WORKER_KEY])
        self.orphans.add_worker(orphans)
        self._stale.add_worker(stale)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Give a marked test its cassette, before all its fixtures."""
        names = getattr(item, "fixturenames", None)
        if item.get_closest_marker("harness") is None:
            return
        if names is None:
            pytest.fail(
                f"{item.nodeid}: @pytest.mark.harness works on test functions, and "
                f"this is a {type(item).__name__}; use harness.use_cassette there",
                pytrace=False,
            )
        if AROUND not in names:
            names.insert(0, AROUND)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Take note of a fixture of the project that goes on after the test."""
        test = request.node.stash.get(HARNESS_TEST, None)
        code = getattr(fixturedef.func, "__code__", None)
        if test and code and file_kind(code.co_filename) == "project":
            goes_on = code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR)
            adds = "addfinalizer" in code.co_names  # or pytest's own list is private
            test.asks_later = test.asks_later or adds or bool(goes_on)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Fail a test that passed and left something unplayed."""
        try:
            result = yield
        except BaseException:
            item.stash[FAILED] = True
            raise
        test = item.stash.get(HARNESS_TEST, None)
        if getattr(item, "_excinfo", None):  # a unittest method keeps its failures
            item.stash[FAILED] = True
        elif test is not None:
            problems = list(test.problems())
            if problems:
                pytest.fail("\n".join(problems), pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Add to a failed test's report what to do."""
        if call.excinfo is not None:
            _end_where_it_was_called(call.excinfo.value)
            if isinstance(call.excinfo.value, CassetteError):
                call.excinfo.value.args = (fact_first(call.excinfo.value),)
        report = yield
        test = item.stash.get(HARNESS_TEST, None)
        if test is not None:
            self.orphans.used(test.path, *test.used)
            if test.session is not None and report.when == "call":
                self._stale.add(test, passed=report.passed)
                self._telemetry.update(test.session.traffic.answered)
            if report.failed:
                test.keep()
                error = call.excinfo.value if call.excinfo is not None else None
                report.sections.append(("harness", failure_section(test, error)))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look for cassettes that no test uses; a worker only reports what it knows."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[WORKER_KEY] = json.dumps([self.orphans.state(), self._stale.state()])
            return
        try:
            self.orphans.finish(session)
            self._stale.finish(session)
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """List which cassettes those are, and what was answered here."""
        self.orphans.report(terminalreporter)
        self._stale.report(terminalreporter)
        if self._telemetry:
            terminalreporter.write_line(
                "harness: telemetry was answered here, and neither sent nor recorded: "
                f"{', '.join(sorted(self._telemetry))} (ignore_telemetry=false records "
                "it)"
            )


def _end_where_it_was_called(error: BaseException) -> None:
    """End a traceback with the project's last line: not ours, nor a library's."""
    if not isinstance(error, _EXPLAINED):
        return
    frame, last = error.__traceback__, None
    while frame is not None:
        name = frame.tb_frame.f_globals.get("__name__", "")
        kind = file_kind(frame.tb_frame.f_code.co_filename)
        if name.partition(".")[0] != "harness" and kind == "project":
            last = frame
        frame = frame.tb_next
    if last is not None:
        last.tb_next = None
