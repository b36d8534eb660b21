"""`python -m tests.garbage`: a campaign, its figures, and its result."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.garbage.driving import campaign


def main() -> int:
    """Run it; the exit code is 1 where anything undocumented came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.garbage")
    parser.add_argument("--examples", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="repeat one input")
    options = parser.parse_args()
    numbers = range(options.examples)
    if options.only is not None:
        numbers = range(options.only, options.only + 1)
    outcomes: Counter[str] = Counter()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "garbage.yaml")
        found = campaign(options.seed, numbers, path, outcomes)
        if options.only is not None:
            sys.stdout.write(f"{path.read_bytes()!r}\n")
    for outcome, count in sorted(outcomes.items()):
        sys.stdout.write(f"{count:>8}  {outcome}\n")
    seconds = time.monotonic() - started
    for finding in found:
        sys.stdout.write(
            f"\nseed {finding.seed}, input {finding.number}, {finding.step}:\n"
            f"{finding.problem}"
        )
    sys.stdout.write(
        f"{len(numbers)} inputs in {seconds:.0f} s, {len(found)} findings\n"
    )
    return 1 if found else 0


sys.exit(main())
