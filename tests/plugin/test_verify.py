"""`--harness-record=verify`, `harness rerecord`, `--harness-max-age`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness.cassettes.model import Exchange, Request, Response
from harness.pytest_plugin.max_age import expired, read_age
from tests.cli.running import harness

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

ASKS = """
@pytest.mark.parametrize("n", range(2))
@pytest.mark.harness
def test_changed(n):
    assert ask(f"changed NEW{n}").startswith("You said: changed")

@pytest.mark.harness
def test_same():
    assert ask("same") == "You said: same"

@pytest.mark.harness
def test_dropped():
    for text in ("first", "second")[:COUNT]:
        ask(text)
"""


def _tests(project: Project, model: Model, new: str, count: int) -> None:
    text = ASKS.replace("NEW", new).replace("COUNT", str(count))
    project.tests(text, model.url)


def test_verify_reports_every_changed_request_in_one_run(
    project: Project, model: Model
) -> None:
    """Field by field and test by test; the server is not asked, nothing is written."""
    _tests(project, model, "", 2)
    project.run("--harness-record=once").assert_outcomes(passed=4)
    asked = list(model.asked)
    before = {path: path.read_bytes() for path in project.path.rglob("*.yaml")}
    assert project.run("--harness-record=verify").ret == 0
    _tests(project, model, "x", 1)
    result = project.run("--harness-record=verify")
    result.assert_outcomes(passed=4)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*3 recorded requests are no longer sent as recorded*",
            "     2  messages?0?.content",
            "     1  (not sent at all)",
            "test_it.py::test_changed?0?:",
            "*exchange 0 (POST *): messages?0?.content: recorded 'changed 0', sent *",
            "test_it.py::test_dropped:",
            "*exchange 1 (POST *): nothing like it was sent",
            # there is no cache here, whose list `harness rerecord` would read
            "record these tests again: pytest --harness-record=rewrite *test_dropped *",
        ]
    )
    result.stdout.no_fnmatch_line("*test_same*")
    assert model.asked == asked
    after = {path: path.read_bytes() for path in project.path.rglob("*.yaml")}
    assert after == before


def test_rerecord_runs_those_tests_only(project: Project) -> None:
    """From pytest's cache, here or above; without a list it names the way to one."""
    folder = project.path / "tests"
    folder.mkdir()
    assert harness("rerecord", cwd=folder).code == 2
    cache = project.path / ".pytest_cache" / "v" / "harness" / "stale"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps(["test_it.py::test_a[x y]"]), encoding="utf-8")
    done = harness("rerecord", "--dry-run", "-q", cwd=folder)
    assert done.code == 0
    assert done.out == (
        "python -m pytest --harness-record=rewrite -q 'test_it.py::test_a[x y]'\n"
    )
    cache.write_text("[]", encoding="utf-8")
    assert "nothing has changed" in harness("rerecord", cwd=project.path).err


def test_what_is_recorded_again_is_off_the_list(project: Project, model: Model) -> None:
    """A test that failed stays on it, and so does its cassette."""
    _tests(project, model, "", 2)
    project.run("--harness-record=once").assert_outcomes(passed=4)
    _tests(project, model, "x", 1)
    run = project.pytester.runpytest_inprocess  # with pytest's cache
    result = run("-pharness.pytest_plugin.plugin", "--harness-record=verify")
    result.stdout.fnmatch_lines(["record these tests again: harness rerecord *"])
    cache = project.path / ".pytest_cache" / "v" / "harness" / "stale"
    found = json.loads(cache.read_text("utf-8"))
    assert [nodeid.partition("::")[2] for nodeid in found] == [
        "test_changed[0]",
        "test_changed[1]",
        "test_dropped",
    ]
    path = project.path / "test_it.py"
    path.write_text(path.read_text("utf-8") + "    assert False\n", encoding="utf-8")
    result = run("-pharness.pytest_plugin.plugin", "--harness-record=rewrite", *found)
    result.assert_outcomes(passed=2, failed=1)
    assert json.loads(cache.read_text("utf-8")) == ["test_it.py::test_dropped"]


@pytest.mark.slow
def test_workers_report_what_has_changed(project: Project, model: Model) -> None:
    """One summary over all workers of pytest-xdist, as without them."""
    _tests(project, model, "", 2)
    project.run("--harness-record=once").assert_outcomes(passed=4)
    _tests(project, model, "x", 1)
    options = ("-n2", "--harness-record=verify")
    result = project.run(*options, plugins=("xdist.plugin",))
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*3 recorded requests are no longer sent*", "     2  messages?0?.content"]
    )


NOW = datetime(2026, 1, 31, tzinfo=UTC)


def _exchange(index: int, date: str) -> Exchange:
    headers = {"Date": [date]} if date else {}
    return Exchange(index, Request("GET", "http://x/"), Response(200, "", headers))


def test_age_is_that_of_the_oldest_date() -> None:
    """What has no date, or none that can be read, has no age."""
    exchanges = [
        _exchange(0, ""),
        _exchange(1, "Thu, 01 Jan 2026 00:00:00 GMT"),
        _exchange(2, "yesterday"),
        _exchange(3, "Fri, 30 Jan 2026 00:00:00 GMT"),
    ]
    assert expired(exchanges, 29, NOW) == (1, 30)
    assert expired(exchanges, 30, NOW) is None
    assert expired(exchanges, 10**30, NOW) is None  # more than a timedelta holds
    assert expired(exchanges, 0, NOW) is None


@pytest.mark.parametrize(
    ("given", "days"), [("0", 0), (90, 90), ("90d", 90), ("12w", 84), ("1Y", 365)]
)
def test_ages_are_read(given: object, days: int) -> None:
    """Days, weeks, months of 30 days, years."""
    assert read_age(given) == days


def test_old_recording_fails_the_test(project: Project, model: Model) -> None:
    """With its age and the way to a new one."""
    project.tests("@pytest.mark.harness\ndef test_x():\n    ask('a')\n", model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    (path,) = project.path.rglob("*.yaml")
    text = path.read_text("utf-8")
    assert "Date:" in text or "date:" in text
    project.run("--harness-max-age=1d").assert_outcomes(passed=1)
    lines = [
        "      - Thu, 01 Jan 2015 00:00:00 GMT" if " GMT" in line else line
        for line in text.splitlines()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = project.run("--harness-max-age=9y")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*exchange 0 was recorded * days ago, and max_age *"])
    project.run().assert_outcomes(passed=1)
    assert project.run("--harness-max-age=soon").ret
