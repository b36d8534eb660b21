"""`check`, `replay` and `report` name the same facts of every recording there is.

One list of diagnostics (`harness.core.diagnostics`) stands behind the three. The
recordings are those of this repository and of `../shared`; by default one in forty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import load_cassette, replay
from harness.apis.varied import Variation
from harness.core.diagnostics import DiagnosticKind, Severity
from harness.debug.report_data import entry_data, traced
from harness.debug.trace import streams_of
from harness.engine.check import check
from harness.errors import CassetteError, NothingToReplayError
from tests.cli.running import ROOT
from tests.shared import HAS_CORPUS, SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

_SAMPLED = 40  # one in so many by default


@pytest.fixture(autouse=True)
def _secrets_are_searched_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave them out of `check`: they are no diagnostics, and two fifths of the time.

    Recordings are searched in `test_scanning.py`, odd ones in `test_shared_inputs.py`.
    """
    monkeypatch.setattr("harness.engine.check.scan_cassette", lambda *_: [])


def _recordings() -> list[Path]:
    folders = [ROOT / "cassettes", SHARED / "corpus", SHARED / "protocols"]
    found = [path for folder in folders for path in sorted(folder.rglob("*.y*ml"))]
    found += sorted((SHARED / "odd-inputs").glob("*.*"))
    return [one for one in found if "scenario" not in one.name and one.suffix != ".md"]


def _differences(path: Path) -> list[str]:
    """Return what one of the three names and another does not."""
    try:
        cassette = load_cassette(path)
        replayed = replay(cassette, "queuing").diagnostics
    except NothingToReplayError:
        return []
    except CassetteError:
        with pytest.raises(CassetteError):  # a file that no view reads
            load_cassette(path)
        return []
    facts = {str(one): one.kind.severity is Severity.NOTE for one in replayed}
    checked: dict[str, bool] = {}
    kinds = set(DiagnosticKind)
    for problem in check(path):
        place = "" if problem.exchange is None else f"exchange {problem.exchange}"
        text = f"{place}: {problem.text}"
        if problem.text.startswith(("chunk ", "byte ")):
            text = f"{place}, {problem.text}"
        if any(f" {kind}: " in text for kind in kinds):
            checked[text] = problem.is_note
    found = [
        f"check and replay: {one}"
        for one in facts.items() ^ checked.items()
    ]  # fmt: skip
    for number in streams_of(cassette):
        interfaces = ("streaming", "queuing")
        summary, made = traced(
            cassette,
            number,
            interfaces=interfaces,
            variation=Variation(),
            reasoning=False,
        )
        data = entry_data(cassette, summary, made, interfaces=interfaces)
        drawn = {one["text"].partition("\n")[0] for one in data["found"]}
        own = {str(one) for one in replayed if one.exchange == number}
        found += [f"report and replay: {one}" for one in own ^ drawn]
    return found


def _all_differences(paths: list[Path]) -> dict[str, list[str]]:
    return {
        str(path): differences
        for path in paths
        if (differences := _differences(path))
    }  # fmt: skip


def test_the_three_views_name_the_same_facts_of_a_sample() -> None:
    """Texts, places and severities are equal."""
    sampled = _recordings()[:: _SAMPLED if HAS_CORPUS else 4]
    assert len(sampled) > 10
    assert _all_differences(sampled) == {}


@needs_shared
@pytest.mark.slow
def test_the_three_views_name_the_same_facts_of_every_recording() -> None:
    """As above, of all of them."""
    found = _recordings()
    assert len(found) > 600
    assert _all_differences(found) == {}
