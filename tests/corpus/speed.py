"""How fast a sweep is, by engine; run by hand on a quiet machine.

    python -m tests.corpus.speed CORPUS --do replay

prints streams a second and the peak memory of the sweeping process for `--jobs 1`,
`--jobs 2` and, with `--dask`, a local cluster of two workers; then the ratios.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_RUN = """
import resource, sys
from harness.cli import cli
try:
    cli.main(sys.argv[1:], standalone_mode=False)
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def measure(corpus: str, checks: str, *engine: str) -> tuple[float, int, int]:
    """Sweep once; return seconds, MiB at the peak (children left out), and rows."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.jsonl")
        started = time.perf_counter()
        result = subprocess.run(
            [
                sys.executable,
                "-c",
                _RUN,
                "sweep",
                corpus,
                "--do",
                checks,
                "--output",
                str(rows),
                "--quiet",
                *engine,
            ],
            capture_output=True,
            check=True,
            text=True,
        )
        seconds = time.perf_counter() - started
        with rows.open("rb") as file:
            count = sum(1 for _ in file)
    return seconds, int(result.stderr.split()[-1]), count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--do", default="replay")
    parser.add_argument("--dask", action="store_true")
    asked = parser.parse_args()
    engines: dict[str, tuple[str, ...]] = {
        "jobs 1": ("--jobs", "1"),
        "jobs 2": ("--jobs", "2"),
    }
    if asked.dask:
        engines["dask local, 2 workers"] = ("--dask", "local", "--jobs", "2")
    print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    taken = {}
    for name, options in engines.items():
        seconds, mib, rows = measure(asked.corpus, asked.do, *options)
        taken[name] = seconds
        rate = rows / seconds
        print(f"{name}: {rows} rows, {seconds:.1f} s, {rate:.0f}/s, {mib} MiB", end="")
        print(f", {taken['jobs 1'] / seconds:.2f} x jobs 1")


if __name__ == "__main__":
    main()
