"""`--harness-record=verify`: what the code no longer sends, over the whole run.

Owns the gathering, here or in workers of pytest-xdist, the summary, and the list of
tests that `harness rerecord` reads.
"""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from harness.pytest_plugin.playback import HarnessTest


CACHE = "harness/stale"
"""Where pytest's cache keeps the ids of the tests."""
_SHOWN = 20  # cassettes, and fields of the table; what is more is counted


class StaleRequests:
    """Gathers what has changed.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tests: dict[str, list[str]] = {}
        self._fields: Counter[str] = Counter()
        self._verified = 0
        self._requests = 0
        self._recorded: set[str] = set()

    def add(self, test: HarnessTest, *, passed: bool) -> None:
        """Take over what a test found, or that it was recorded again."""
        session = test.session
        if session is None or not session.verifies:
            if session is not None and passed and session.mode.value == "rewrite":
                self._recorded.add(test.item.nodeid)
            return
        from harness.record.mismatch import unsent

        self._verified += 1
        found = [*session.stale, *unsent(session)]
        if not found:
            return
        self._requests += len(found)
        lines = self._tests.setdefault(test.item.nodeid, [])
        for one in found:
            self._fields.update(one.fields or ["(not sent at all)"])
            place = f"{test.path}: exchange {one.exchange} ({one.request})"
            differences = one.differences or ("nothing like it was sent",)
            lines += [f"{place}: {text}" for text in differences]

    def state(self) -> Any:
        """Return what a worker of pytest-xdist found, as JSON."""
        return self._tests, self._fields, self._verified, self._requests

    def add_worker(self, state: Any) -> None:
        """Take over what a worker found."""
        tests, fields, verified, requests = state
        self._tests.update(tests)
        self._fields.update(fields)
        self._verified += verified
        self._requests += requests

    def finish(self, session: pytest.Session) -> None:
        """Fail the run if something has changed; keep the list of tests."""
        cache = getattr(self._config, "cache", None)
        if cache is not None and (self._verified or self._recorded):
            known = self._tests if self._verified else cache.get(CACHE, [])
            cache.set(CACHE, sorted(set(known) - self._recorded))
        if self._tests and session.exitstatus in {0, 5}:
            session.exitstatus = 1

    def report(self, reporter: Any) -> None:
        """Print what has changed: by field, then request by request."""
        if not self._tests:
            return
        count = self._requests
        are = "request is" if count == 1 else "requests are"
        reporter.section(
            f"{count} recorded {are} no longer sent as recorded", bold=True
        )
        fields = self._fields.most_common()
        for name, times in fields[:_SHOWN]:
            reporter.write_line(f"{times:6}  {name}")
        if len(fields) > _SHOWN:
            reporter.write_line(f"        and {len(fields) - _SHOWN} more fields")
        for nodeid, lines in sorted(self._tests.items())[:_SHOWN]:
            reporter.write_line(f"{nodeid}:")
            for line in lines:
                reporter.write_line(f"  {line}")
        if len(self._tests) > _SHOWN:
            reporter.write_line(f"and {len(self._tests) - _SHOWN} more tests")
        reporter.write_line(
            f"record these tests again: {self._command()} (or leave fields out that "
            "do not matter: harness_ignore_json)"
        )

    def _command(self) -> str:
        config = self._config
        folder = config.invocation_params.dir
        is_found = (
            getattr(config, "cache", None) is not None
            and config.getini("cache_dir") == ".pytest_cache"
            and config.rootpath in (folder, *folder.parents)
        )
        if is_found:
            return "harness rerecord"
        return shlex.join(["pytest", "--harness-record=rewrite", *sorted(self._tests)])
