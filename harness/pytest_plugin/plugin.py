"""The pytest plugin: options, the marker, and fixtures that load what they need.

pytest loads this module in every run of every project that has harness installed, so
it imports nothing but pytest. `harness.pytest_plugin` has the parts; they are imported
when a test is marked with `harness` or asks for a fixture of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from harness.pytest_plugin import hookspecs
from harness.pytest_plugin.hookspecs import MARKER, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Cassette
    from harness.pytest_plugin.cases import Case
    from harness.pytest_plugin.fuzzing import Fuzzing
    from harness.pytest_plugin.playback import HarnessTest
    from harness.pytest_plugin.replay_fixture import AsyncReplaying, Replaying
    from harness.pytest_plugin.server_fixture import Serving
    from harness.pytest_plugin.test_run import Running
    from harness.record.session import RecordingSession

_DATA = frozenset(
    {"harness_cassette", "harness_replay", "harness_areplay", "harness_fuzz"}
    | {"harness_server", "harness_variation"}
)
"""Fixtures that use the cassette as data: then it is not played to a client."""

_VARIED = frozenset(
    {"harness_replay", "harness_areplay", "harness_server", "harness_session"}
)
"""Fixtures whose result a split changes."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that a conftest.py may implement."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--harness-*` options and `harness_*` ini keys."""
    group = parser.getgroup("harness", "streamed LLM agents (harness)")
    for name, (metavar, default, text) in OPTIONS.items():
        explained = f"{text} Default: {default}."
        group.addoption(
            f"--harness-{name.replace('_', '-')}",
            dest=f"harness_{name}",
            metavar=metavar,
            default=None,
            help=explained,
        )
        parser.addini(f"harness_{name}", explained, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; refuse what cannot be done.

    Raises:
        pytest.UsageError: Recording was asked for under pytest-xdist.
    """
    config.addinivalue_line("markers", MARKER)
    _check_values(config)
    mode = config.getoption("harness_record")
    if mode in {None, "none", "verify"} or hasattr(config, "workerinput"):
        return
    if getattr(config.option, "dist", "no") != "no" and (
        getattr(config.option, "tx", None) or getattr(config.option, "numprocesses", 0)
    ):
        raise pytest.UsageError(
            f"--harness-record={mode} is refused under pytest-xdist, whose workers "
            "would write at the same time; record without -n (or with -n 0)"
        )


def _check_values(config: pytest.Config) -> None:
    """Refuse a wrong value of the command line or ini before anything is collected."""
    given = {
        name: (config.getoption(f"harness_{name}"), config.getini(f"harness_{name}"))
        for name in OPTIONS
    }
    if not any(option is not None or ini for option, ini in given.values()):
        return  # as in most runs, which import nothing for it
    from harness.errors import UsageError
    from harness.pytest_plugin.plugin_settings import check_value

    try:
        for name, (option, ini) in given.items():
            check_value(name, option=option, ini=ini)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each cassette and each way to arrive its own test id."""
    item = metafunc.definition
    is_marked = item.get_closest_marker("harness") is not None
    if not is_marked and not _VARIED.intersection(metafunc.fixturenames):
        return
    from harness.errors import HarnessError
    from harness.pytest_plugin.cases import PLAIN, cases_of
    from harness.pytest_plugin.playback import asked_of
    from harness.pytest_plugin.varied import check_cases

    if is_marked and item.get_closest_marker("vcr") is not None:
        from harness.pytest_plugin.other_plugins import marked_by_both

        raise pytest.fail.Exception(marked_by_both(item), pytrace=False)
    names = set(metafunc.fixturenames)
    is_replayed = bool(_VARIED & names) or not _DATA & names
    try:
        cases = cases_of(asked_of(item), is_replayed=is_replayed)
        is_played = "harness_session" in names or (is_marked and not _DATA & names)
        check_cases(cases, is_played=is_played)
    except HarnessError as error:
        message = f"{item.nodeid}: {error}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    if cases == [PLAIN]:
        return
    metafunc.fixturenames.append("_harness_case")
    hidden: Any = pytest.HIDDEN_PARAM  # one case alone needs no name
    metafunc.parametrize(
        "_harness_case", cases, ids=[case.id or hidden for case in cases], indirect=True
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Load the rest where a test uses it, before any test is deselected."""
    if not any(map(uses, items)):
        return
    from harness.errors import HarnessError

    try:
        _running(config).orphans.collected(items)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist knows; a crashed one reports nothing."""
    output = getattr(node, "workeroutput", None)
    if output is None or "harness_found" in output:
        _running(node.config).add_worker(output)


def _running(config: pytest.Config) -> Running:
    from harness.pytest_plugin.test_run import Running

    running: Running | None = config.pluginmanager.get_plugin("harness-running")
    if running is None:
        running = Running(config)
        config.pluginmanager.register(running, "harness-running")
    return running


def uses(item: pytest.Item) -> bool:
    """Return whether a test is marked or asks for a fixture of the plugin."""
    return item.get_closest_marker("harness") is not None or any(
        name.startswith("harness_") for name in getattr(item, "fixturenames", ())
    )


@pytest.fixture
def harness_config() -> dict[str, Any]:
    """Return settings of the tests around; override it in a conftest.py.

    Keys: all but `splits`, `apis`, `dialects`, `faults`, `orphans` and `cassette_dir`,
    as the marker takes them (the marker and the command line go first), and
    `redaction`, `before_record_request` as `harness.use_cassette` takes them.
    """
    return {}


@pytest.fixture
def harness_cassette_name(request: pytest.FixtureRequest) -> str:
    """Return the name of the test's own cassette in the cassette folder.

    ``<module>/<test>``, percent-encoded; override it to choose another. A cassette
    named by the marker goes first. ``.yaml`` is added unless it has an ending.
    """
    from pathlib import Path

    from harness.pytest_plugin.cases import name_of_test, own_name

    return own_name(Path(request.node.path), name_of_test(request.node))


@pytest.fixture
def _harness_case(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    return case


@pytest.fixture
def _harness_around(
    request: pytest.FixtureRequest,
    harness_config: dict[str, Any],
    harness_cassette_name: str,
) -> Iterator[HarnessTest]:
    from harness.pytest_plugin.playback import HARNESS_TEST, HarnessTest

    names = set(request.node.fixturenames)
    is_marked = request.node.get_closest_marker("harness") is not None
    plays = "harness_session" in names or (is_marked and not _DATA & names)
    with _failing():
        test = HarnessTest(request.node, harness_config, harness_cassette_name)
        request.node.stash[HARNESS_TEST] = test
        entered = test.around(plays=plays)
        entered.__enter__()
    yield test
    unplayed = test.unplayed_late()
    with _failing():
        entered.__exit__(None, None, None)
    if unplayed:
        pytest.fail(unplayed, pytrace=False)


@pytest.fixture
def harness_session(_harness_around: HarnessTest) -> RecordingSession:
    """Play or record what the test's own HTTP client does.

    A marked test that takes the cassette in no other way has this without asking.
    The value shows what was used: `play_counts`, `unplayed`, `misses`.
    """
    assert _harness_around.session is not None
    return _harness_around.session


@pytest.fixture
def harness_cassette(_harness_around: HarnessTest) -> Cassette:
    """Return the test's cassette, loaded, as recorded."""
    with _failing():
        return _harness_around.load()


@pytest.fixture
def harness_variation(_harness_around: HarnessTest) -> Any:
    """Return how the stream arrives in this test: a `Variation`, which prints."""
    return _harness_around.case.variation


@pytest.fixture
def harness_replay(_harness_around: HarnessTest) -> Replaying:
    """Return a function that replays the test's cassette through an interface.

    ``harness_replay(MyInterface)`` gives a `Transcript`, under the split, dialect and
    fault of the test's id; a split or dialect that changes the answer fails.
    """
    from harness.pytest_plugin.replay_fixture import Replaying

    return Replaying(_harness_around)


@pytest.fixture
def harness_areplay(_harness_around: HarnessTest) -> AsyncReplaying:
    """Return what `harness_replay` does for async tests, to be awaited."""
    from harness.pytest_plugin.replay_fixture import AsyncReplaying

    return AsyncReplaying(_harness_around)


@pytest.fixture
def harness_fuzz(_harness_around: HarnessTest) -> Fuzzing:
    """Return a function that fuzzes a consumer of streams: ``harness_fuzz(parse)``.

    Streams are those of the marker's cassettes, else a stock of made ones.
    """
    from harness.pytest_plugin.fuzzing import Fuzzing

    return Fuzzing(_harness_around)


@pytest.fixture
def harness_server(_harness_around: HarnessTest) -> Iterator[Serving]:
    """Return a function that starts a live server of the test's cassette.

    ``harness_server().base_url`` is what a client is given; it sends what was recorded,
    under the split, dialect and fault of the test's id. Names of cassettes and what
    `harness.serve.serve` takes may be given.
    """
    from importlib.util import find_spec

    if find_spec("h11") is None:
        _lack("harness_server", "h11", "serve")
    from contextlib import ExitStack

    from harness.pytest_plugin.server_fixture import Serving

    with ExitStack() as running:
        yield Serving(_harness_around, running)


@pytest.fixture
def harness_snapshot(
    request: pytest.FixtureRequest, _harness_around: HarnessTest
) -> Any:
    """Return syrupy's snapshot for transcripts: ``transcript == harness_snapshot``."""
    try:
        from harness.snapshots import TranscriptSnapshotExtension
    except ImportError:
        _lack("harness_snapshot", "syrupy", "snapshots")
    try:
        snapshot = request.getfixturevalue("snapshot")
        return snapshot.use_extension(TranscriptSnapshotExtension)
    except (pytest.FixtureLookupError, AttributeError):
        pytest.fail(
            "harness_snapshot needs syrupy's fixture `snapshot`, and that is another "
            "or switched off; remove `-p no:syrupy`, or rename your own fixture",
            pytrace=False,
        )


def _lack(fixture: str, package: str, extra: str) -> NoReturn:
    """Fail a test whose fixture needs a package that is not there."""
    pytest.fail(
        f"{fixture} needs {package}, which is not installed; "
        f"pip install 'agent-stream-harness[{extra}]'",
        pytrace=False,
    )


@contextmanager
def _failing() -> Iterator[None]:
    """Make an error of ours the failure of the test, without our lines of code."""
    from harness.errors import HarnessError

    try:
        yield
    except HarnessError as error:
        from harness.pytest_plugin.failure_text import fact_first

        raise pytest.fail.Exception(fact_first(error), pytrace=False) from None
