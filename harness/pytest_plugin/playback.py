"""A cassette around one test: opened before it, checked and closed after it.

Owns which cassette a test has, who may record, and what is done to the process while
the test runs (clients, network). The cassette belongs to the test's thread and not to
a context: plugins for async tests run a test in contexts made before it or kept
longer, and a context would take the cassette to the next test.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.inputs import near_name
from harness.errors import (
    CassetteError,
    CassetteMissingError,
    RecordingRefusedError,
    UsageError,
    shorten,
)
from harness.pytest_plugin.cases import (
    PLAIN,
    Asked,
    case_of,
    cases_of,
    name_of_test,
    own_name,
)
from harness.pytest_plugin.failure_text import relative
from harness.pytest_plugin.max_age import expired
from harness.pytest_plugin.network import blocked
from harness.pytest_plugin.other_plugins import recorded_by_others
from harness.pytest_plugin.plugin_settings import FIXTURE_KEYS, checked
from harness.record.traffic import TRAFFIC_OPTIONS, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cassettes.model import Cassette
    from harness.record.session import RecordingSession


FAILED = pytest.StashKey[bool]()
"""Whether the test itself raised; the cassette is closed after that is known."""

_ASKED = pytest.StashKey[Asked]()

_REPLACING = {"all", "rewrite"}


def asked_of(item: Any) -> Asked:
    """Return what was asked of a test; kept, since it is needed more than once."""
    stash: pytest.Stash = item.stash
    if _ASKED not in stash:
        stash[_ASKED] = Asked(
            item.config, item.iter_markers("harness"), Path(item.path), item.ihook
        )
    return stash[_ASKED]


class HarnessTest:
    """One test with its cassette: what the fixtures of the plugin share.

    Args:
        item: The test.
        given: What the fixture `harness_config` returned.
        name: What the fixture `harness_cassette_name` returned.

    Raises:
        UsageError: Something that was asked for is wrong.
    """

    def __init__(self, item: Any, given: dict[str, Any], name: str) -> None:
        checked(given, "fixture harness_config", is_fixture=True)
        self.item = item
        self.asked = asked_of(item)
        self.case = case_of(item)
        self._given = given
        self.path = self.case.cassette or str(self._own(name))
        """The cassette file, whether or not it is there."""
        self.has_cassette = bool(self.asked.names)
        """Whether it was named or asked for; a fixture may do without."""
        self.session: RecordingSession | None = None
        """What plays or records, once it is open."""
        self.tried: list[str] = []
        """Hosts that the network was blocked for."""
        self.kept: str | None = None
        """Where a recording went that did not replace the cassette."""
        self.allowed: set[tuple[str | None, int | None]] = set()
        """Host and port of the test's own servers, which it may always reach."""
        self.used: set[str] = set()
        """Cassettes that were used besides its own."""
        self.asks_later = False
        """Whether a fixture of the project has code that runs after the test."""
        self._has_passed = False
        self._is_worker = hasattr(item.config, "workerinput")
        self._check_has_cases()

    def setting(self, name: str) -> Any:
        """Return a setting by precedence."""
        return self.asked.get(name, self._given)

    def _own(self, name: str) -> Path:
        path = self.asked.folder / name
        is_file = path.suffix.lower() in {".yaml", ".yml", ".json"}
        own = path if is_file else path.with_name(f"{path.name}.yaml")
        if own.exists() or name != own_name(
            self.asked.test_file, name_of_test(self.item)
        ):
            return own
        return Path(recorded_by_others(self.item, self.asked.folder) or own)

    def _check_has_cases(self) -> None:
        if self.case is PLAIN:
            cases = cases_of(self.asked, is_replayed=False)
            if len(cases) > 1 or cases[0].id:
                raise UsageError(
                    f"{self.item.nodeid}: @pytest.mark.harness asks for "
                    f"{len(cases)} cases, and this kind of test (a unittest class?) "
                    "takes no parameters; make it a function, or ask for one cassette "
                    "and no splits, dialects or faults"
                )
            if cases[0].cassette is not None:
                self.path = cases[0].cassette

    @property
    def mode(self) -> str:
        """The record mode that is in force for this test."""
        mode: str = self.setting("record")
        return mode if self.case.variation.is_recorded else "none"

    def load(self) -> Cassette:
        """Return the cassette.

        Raises:
            CassetteError: It is not there, or cannot be read; the message explains how
                to record it.
        """
        from harness.cassettes.load import load_cassette

        self.has_cassette = True
        self._check_is_there()
        return load_cassette(self.path)

    def _check_is_there(self) -> None:
        if not Path(self.path).exists():
            hint = near_name(self.path)
            raise CassetteMissingError(
                self.path,
                f"there is no such cassette; {hint and f'{hint} '}name another "
                "(@pytest.mark.harness('NAME.yaml')), or record it: `harness record`, "
                "or a marked test that calls a client, with --harness-record=once",
            )

    def variation_options(self, fixture: str, given: Iterable[str]) -> dict[str, Any]:
        """Return how the stream arrives in this test, as options of a fixture.

        Args:
            fixture: The fixture's name.
            given: The options that the test gives it itself.

        Raises:
            UsageError: One of them is decided by the test's id.
        """
        varied = {
            name: value
            for name in ("split", "dialect", "fault")
            if (value := getattr(self.case.variation, name)) is not None
        }
        style = self.case.variation.style
        if style is not None:
            named = {"dialect": style.dialect, "fault": style.fault_text}
            varied |= {"api": style.api} | {k: v for k, v in named.items() if v}
        for name in sorted(varied.keys() & given):
            raise UsageError(
                f"{name!r} is given to {fixture} and to the marker as {name}s; "
                "leave one of them out"
            )
        return varied

    @contextlib.contextmanager
    def around(self, *, plays: bool) -> Iterator[HarnessTest]:
        """Block the network, and play or record around what the block does.

        Args:
            plays: Whether the test's own client is played to; else its cassette is
                data, and only the network is blocked.
        """
        if self.asked.names and self.setting("record") == "none":
            self._check_is_there()  # also where the test never looks into it
        with contextlib.ExitStack() as stack:
            if not self.case.variation.is_recorded:
                from harness.pytest_plugin.varied import check_can_vary

                check_can_vary(self.path, self.case.variation, is_played=plays)
            if plays:
                self.open(stack)
            policy = self.setting("block_network")
            if self.session is not None:
                self.session.traffic.allow_remote = policy == "none"
                if self.session.cassette.can_record:
                    policy = "none"
            lets = Traffic(**{name: self.setting(name) for name in TRAFFIC_OPTIONS})
            self.tried = stack.enter_context(blocked(policy, self.allowed, lets))
            yield self

    def open(self, stack: contextlib.ExitStack) -> None:
        """Open the cassette for the clients of this thread, until the stack unwinds."""
        from harness.record.active import lending
        from harness.record.session import RecordingSession
        from harness.record.use_cassette import intercepting

        self.has_cassette = True
        self._check_may_record()
        session = RecordingSession(self._played_path(stack), **self._options())
        session.path = self.path  # not that of a varied copy
        self.session = session
        stack.enter_context(intercepting())
        stack.push(self._close)
        stack.enter_context(lending(session, threading.current_thread()))

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            name: self._given[name] for name in FIXTURE_KEYS if name in self._given
        }
        named = {*TRAFFIC_OPTIONS, "match_on", "ignore_json", "speed"}
        options |= {name: self.setting(name) for name in named}
        mode = self.mode
        if self._is_worker and mode == "new_episodes":
            mode = "none"
        variation = self.case.variation
        if variation.dialect is not None or variation.fault is not None:
            # What the client sends back of a varied answer is not what was recorded.
            options |= {"match_on": ("method", "path"), "ignore_json": ()}
        if mode == "verify":
            mode, options["verify"] = "none", True
        return {**options, "mode": mode}

    def _check_may_record(self) -> None:
        mode = self.mode
        if self._is_worker and (
            mode in _REPLACING or (mode == "once" and not Path(self.path).exists())
        ):
            raise RecordingRefusedError(
                self.path,
                f"recording (mode {mode!r}) is refused under pytest-xdist, whose "
                "workers would write at the same time; record without -n: "
                f"pytest '{self.item.nodeid}' --harness-record={mode}",
            )

    def _played_path(self, stack: contextlib.ExitStack) -> str:
        """Return the file to play: a copy, where streams are to arrive otherwise."""
        if self.case.variation.is_recorded or not Path(self.path).exists():
            return self.path
        import tempfile

        from harness.cassettes.encode import save_cassette
        from harness.pytest_plugin.varied import varied_cassette

        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-"))
        copy = str(Path(folder) / "varied.yaml")
        save_cassette(varied_cassette(self.load(), self.case.variation), copy)
        return copy

    def _close(self, _kind: Any, error: Any, _traceback: Any) -> None:
        assert self.session is not None
        failed = error is not None or self.item.stash.get(FAILED, False)
        self.session.close(failed=failed)

    def keep(self) -> None:
        """Put what a failed test recorded beside its cassette, to be reported."""
        session = self.session
        if session is None or session.is_closed or session.mode.value != "rewrite":
            return
        with contextlib.suppress(CassetteError):  # reported when the session is closed
            self.kept = session.cassette.save_partial()

    def problems(self) -> Iterator[str]:
        """Yield what is wrong after a test that passed, one line each.

        What was not played is left to the end where a fixture may yet ask for it.
        """
        session = self.session
        if session is None:
            return
        for miss in session.misses:
            yield f"a request was not answered, and the test did not notice: {miss}"
        unseen = session.unseen()
        if unseen:
            yield unseen
        old = expired(session.cassette.exchanges, self.setting("max_age"))
        if old is not None:
            yield (
                f"{self.path}: exchange {old[0]} was recorded {old[1]} days ago, and "
                f"max_age is {self.setting('max_age')} days; record it again "
                "(--harness-record=rewrite)"
            )
        self._has_passed = True
        unplayed = self._unplayed()
        if unplayed and not self.asks_later:
            yield unplayed

    def unplayed_late(self) -> str:
        """Return the same of a test that passed, when its fixtures have ended, too."""
        return self._unplayed() if self._has_passed and self.asks_later else ""

    def _unplayed(self) -> str:
        """Return what is wrong if an exchange was not played that should have been."""
        session = self.session
        if (
            session is None
            or session.mode.value in _REPLACING
            or session.verifies
            or self.case.variation.fault is not None
            or self.setting("unplayed") == "ignore"
            or not session.unplayed
        ):
            return ""
        unplayed, total = session.unplayed, len(session.play_counts)
        shown = ", ".join(_shown(exchange) for exchange in unplayed[:5])
        more = f" and {len(unplayed) - 5} more" if len(unplayed) > 5 else ""
        return (
            f"{len(unplayed)} of {total} recorded exchanges were not played: "
            f"{shown}{more}; expected the test to make every recorded request, of "
            f"{relative(self, self.path)}"
        )


HARNESS_TEST = pytest.StashKey[HarnessTest]()
"""Where a running test keeps its cassette."""


def _shown(exchange: Any) -> str:
    from harness.redaction.config import redacted_url

    request = exchange.request
    url = redacted_url(request.uri)
    shown = f"exchange {exchange.index} ({request.method} {url}"
    body = request.json()
    messages = body.get("messages") if isinstance(body, dict) else None
    if isinstance(messages, list) and messages and isinstance(messages[-1], dict):
        last = messages[-1].get("content")
        if isinstance(last, str):
            shown += f", {shorten(last, limit=40)}"
    return f"{shown})"
