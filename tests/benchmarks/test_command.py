"""The command runs and keeps what it measured; nothing here depends on speed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.contests import CONTESTS
from tests.benchmarks.measuring import Kind, Row, judge
from tests.benchmarks.report import Machine, table
from tests.benchmarks.rows import ROWS
from tests.benchmarks.workloads import event_stream, payloads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_command_writes_a_row_as_json(tmp_path: Path) -> None:
    """One cheap row is printed, and kept with its goal and the machine."""
    out = tmp_path / "figures.json"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "tests.benchmarks"),
            *("--only", "plain", "--rounds", "1", "--json", str(out)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    kept = json.loads(out.read_text("utf-8"))
    (row,) = kept["rows"]
    assert (row["name"], row["goal"], row["unit"]) == ("plain", 0.6, "times the cost")
    assert row["value"] > 0
    assert row["peer_s"] > 0
    assert kept["machine"]["cores"] >= 1
    assert ran.stdout.splitlines()[1].startswith("plain ")


@pytest.mark.parametrize(
    ("kind", "goal", "value", "is_met"),
    [
        (Kind.COST, 0.5, 0.5, True),
        (Kind.COST, 0.4, 0.5, False),
        (Kind.SPEEDUP, 2, 2.0, True),
        (Kind.SPEEDUP, 2.1, 2.0, False),
        (Kind.ABOVE, -1000, -1000, True),
        (Kind.ABOVE, -1001, -1000, False),
    ],
)
def test_a_row_is_the_median_of_the_rounds(
    kind: Kind, goal: float, value: float, is_met: bool
) -> None:
    """Rounds are compared pairwise, and the goal is read the right way round."""
    row = Row("name", "what", kind, goal, "contest", "ours", "peer")
    figure = judge(row, {"ours": [1.0, 9.0, 1.0], "peer": [2.0, 9.0, 2.0]})
    assert (figure.value, figure.is_met) == (value, is_met)


def test_a_rate_needs_no_peer() -> None:
    """Examples a second are one by the time of one."""
    row = Row("name", "what", Kind.RATE, 5, "contest", "ours")
    figure = judge(row, {"ours": [0.1, 0.2, 0.4]})
    assert (figure.value, figure.is_met, figure.peer_s) == (5.0, True, None)


def test_every_row_has_its_contest() -> None:
    """No row names a contest that is not there, and no two have one name."""
    assert {row.contest for row in ROWS} == set(CONTESTS)
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_table_says_what_was_missed() -> None:
    """The page's table has the goal and marks a row that falls short."""
    row = Row("name", "what it is", Kind.COST, 0.5, "contest", "ours", "peer")
    figure = judge(row, {"ours": [1.0], "peer": [1.0]})
    shown = table([figure], Machine.here(), 9)
    assert "| what it is | 1.00 times the cost | at most 0.5 | **missed** |" in shown
    assert "Medians of 9 rounds, " in shown


@pytest.mark.parametrize("count", [50, 200, 2000])
def test_streams_are_what_is_asked_for(count: int) -> None:
    """A generated stream has that many chunks and one complete call."""
    chunks = payloads(count)
    text = "".join(
        call["function"]["arguments"]
        for chunk in chunks
        for call in chunk["choices"][0]["delta"].get("tool_calls", ())
    )
    assert len(chunks) == count
    assert set(json.loads(text)) == {"message"}
    assert event_stream(count).count(b"data: {") == count
