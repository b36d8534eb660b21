"""The table as text, as JSON and on its page, with date and machine."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measuring import Figure, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "pages" / "benchmarks.md"

_SECTION = re.compile(r"(<!-- benchmarks -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
_PACKAGES = ("pydantic", "PyYAML", "openai", "vcrpy", "jiter", "streaming-json-parser")
_IDLE = 0.5  # load average; above it something else ran as well


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and when it was measured."""

    date: str
    python: str
    processor: str
    cores: int
    load: float
    """Load average of the last minute, before we began."""
    packages: dict[str, str]

    @classmethod
    def here(cls) -> Machine:
        """Describe this one, now."""
        return cls(
            datetime.now(UTC).date().isoformat(),
            f"{platform.python_implementation()} {platform.python_version()}",
            _processor(),
            os.cpu_count() or 0,
            round(os.getloadavg()[0], 1),
            dict(_versions()),
        )

    def __str__(self) -> str:
        load = "idle"
        if self.load > _IDLE:
            load = f"under load (load average {self.load} before it began)"
        packages = ", ".join(f"{name} {v}" for name, v in self.packages.items())
        return (
            f"{self.date}, {self.python}, {self.processor}, {self.cores} cores, "
            f"{load}; {packages}"
        )


def _versions() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # its rows cannot be measured then
            continue


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.machine()


def line(figure: Figure) -> str:
    """Return a row for the terminal."""
    verdict = "ok" if figure.is_met else "MISSED"
    spread = f"{_number(figure.low)} to {_number(figure.high)}"
    return (
        f"{figure.name:<15} {_number(figure.value):>8} {figure.unit:<14} "
        f"goal {_goal(figure):<16} {verdict:<6} [{spread}] {_times(figure)}"
    )


def _times(figure: Figure) -> str:
    peer = "" if figure.peer_s is None else f", peer {_duration(figure.peer_s)}"
    return f"ours {_duration(figure.ours_s)}{peer}"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.2f}"


def _goal(figure: Figure) -> str:
    is_floor = figure.unit in {Kind.SPEEDUP, Kind.RATE}
    goal = f"{figure.goal:,g}".replace(",", " ")
    return f"{'at least' if is_floor else 'at most'} {goal}"


def table(figures: Sequence[Figure], machine: Machine, rounds: int) -> str:
    """Return the page's table."""
    rows = [
        "| what | measured | goal | |",
        "|---|---|---|---|",
        *(
            f"| {f.what} | {_number(f.value)} {f.unit} | {_goal(f)} | "
            f"{'met' if f.is_met else '**missed**'} |"
            for f in figures
        ),
    ]
    return "\n".join([*rows, "", f"Medians of {rounds} rounds, {machine}.", ""])


def write_page(figures: Sequence[Figure], machine: Machine, rounds: int) -> None:
    """Put the table into its page, between its marks."""
    text = PAGE.read_text("utf-8")
    new = _SECTION.sub(lambda m: f"{m[1]}{table(figures, machine, rounds)}{m[2]}", text)
    PAGE.write_text(new, "utf-8")


def write_json(path: Path, figures: Sequence[Figure], machine: Machine) -> None:
    """Write figures and machine to a file."""
    document = {
        "machine": {field: getattr(machine, field) for field in Machine.__slots__},
        "rows": [figure.as_json() for figure in figures],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def suite() -> Figure:
    """Run the default test suite once on two processes; wall seconds."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2"], cwd=ROOT, check=True
    )
    seconds = time.monotonic() - started
    what = "the default test suite on two cores, once, by the clock"
    unit = str(Kind.SECONDS)
    return Figure(
        "suite",
        what,
        unit,
        120,
        seconds,
        seconds,
        seconds,
        seconds,
        None,
        seconds <= 120,
    )
