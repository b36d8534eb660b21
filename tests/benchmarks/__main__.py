"""`python -m tests.benchmarks`: measure, print, and keep where asked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.contests import CONTESTS
from tests.benchmarks.measuring import judge, measure
from tests.benchmarks.report import Machine, line, suite, write_json, write_page
from tests.benchmarks.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.measuring import Figure


def main() -> int:
    """Run what was asked for; return the exit code."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure every promise about speed against its peer. Takes some "
        "minutes; needs `pip install -e '.[bench]'`.",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=names, help=", ".join(names)
    )
    parser.add_argument(
        "--rounds", type=int, default=9, help="how often each run is timed (9)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write it as JSON")
    parser.add_argument("--suite", action="store_true", help="time the tests as well")
    parser.add_argument(
        "--page",
        action="store_true",
        help="write the table into docs/pages/benchmarks.md",
    )
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a goal is missed"
    )
    asked = parser.parse_args()
    if asked.page and asked.only:
        parser.error("--page needs all rows: leave --only out")
    machine = Machine.here()
    print(f"# {machine}", flush=True)
    figures = []
    for figure in _figures(asked.only or names, asked.rounds):
        print(line(figure), flush=True)
        figures.append(figure)
    if asked.suite:
        figures.append(suite())
        print(line(figures[-1]))
    if asked.json:
        write_json(asked.json, figures, machine)
    if asked.page:
        write_page(figures, machine, asked.rounds)
    return 1 if asked.check and not all(figure.is_met for figure in figures) else 0


def _figures(names: list[str], rounds: int) -> Iterator[Figure]:
    """Measure the contests that these rows are made of, one after the other."""
    for contest, prepare in CONTESTS.items():
        rows = [row for row in ROWS if row.contest == contest and row.name in names]
        if rows:
            samples = measure(prepare, rounds=rounds)
            yield from (judge(row, samples) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
