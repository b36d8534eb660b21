"""`python -m tests.third_party.old_releases`: known bugs in old releases, found again.

Each row is a library, a release that has a public bug, and one that has it no more.
The fuzzer looks for the bug by its own stock for at most a minute, without a hint; what
it found is shrunk and must be gone in the fixed release. Releases are installed where
they are missing (`environments.py`). Rows are named as arguments; `--list` names all.
With `--current`, bugs of releases that are current, which nothing has fixed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from harness.fuzz.judge import Judge
from harness.fuzz.reporting import describe
from tests.third_party.current_rows import CURRENT
from tests.third_party.environments import ROOT, around, folder_of
from tests.third_party.old_rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.chat.faults import Fault
    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.relations import Failure
    from tests.third_party.old_rows import Row

__all__ = ["found_again", "main"]

LIMIT_S = 60.0
SHRINKING_S = 80.0  # a quarter of it is for shrinking
_AROUND = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_API_KEY": "unused",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
}


def _judge(row: Row) -> Judge:
    from harness.fuzz.checking import judge_of
    from harness.fuzz.consumers import Wanted
    from harness.fuzz.example_runner import Level

    module, _, name = row.target.partition(":")
    target = getattr(importlib.import_module(f"tests.third_party.{module}"), name)
    wanted = Wanted(Level(row.level), apis=(row.api,) if row.api != "chat" else ())
    return judge_of(target, wanted)


class _OneBug(Judge):
    """Judges as another, and sees nothing but what looks like a row's bug.

    Shrinking keeps the kind of a failure alone, and one kind may be several bugs.
    """

    def __init__(self, judge: Judge, shows: str) -> None:
        super().__init__(judge.consumer)
        self._shows_bug = re.compile(shows)

    def judge(
        self, relation: str, fed: FuzzInput, *, fault: Fault | None = None
    ) -> Failure | None:
        """Judge one input."""
        failure = super().judge(relation, fed, fault=fault)
        if failure is None or not self._shows_bug.search(_report(failure)):
            return None
        return failure


def _report(failure: Failure) -> str:
    return "\n".join(describe(failure))


def _failures(judge: Judge) -> Iterator[tuple[float, int, Failure]]:
    """Yield what a campaign finds, with the seconds and the examples until then."""
    from harness.fuzz.campaign import cases_of
    from harness.fuzz.checking import offered
    from harness.fuzz.findings import Plan
    from harness.fuzz.trial_cases import Recorder, run_case

    relations = offered(judge)
    judge.learn()  # imports and what is learnt before do not count
    started, examples = time.monotonic(), 0
    for case in cases_of(judge, Plan(relations)):
        recorded = run_case(case, Recorder(relations))
        for found in recorded.found:
            seconds = time.monotonic() - started
            yield seconds, examples + found.at, found.failure
        examples += recorded.examples
        if time.monotonic() - started > LIMIT_S:
            return


def _search(row: Row, *, everything: bool) -> None:
    """In the old release: print what was found, shrunk, as JSON."""
    from harness.fuzz.findings import shrunk

    judge = _judge(row)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    known = set()
    for seconds, examples, failure in _failures(judge):
        if everything and failure.kind in known:
            continue
        if not everything and not re.search(row.shows, _report(failure)):
            continue
        known.add(failure.kind)
        one = judge if everything else _OneBug(judge, row.shows)
        small = shrunk(one, failure, None, time_s=SHRINKING_S)
        found = {
            "seconds": seconds,
            "examples": examples,
            "relation": small.relation,
            "arrived": [_packed(item) for item in small.base or small.arrived],
            "fault": small.fault,
            "report": _report(small),
        }
        print(json.dumps(found), file=answers, flush=True)
        if not everything:
            return


def _packed(item: Any) -> Any:
    return {"bytes": item.decode("latin-1")} if isinstance(item, bytes) else item


def _unpacked(item: Any) -> Any:
    if isinstance(item, dict) and set(item) == {"bytes"}:
        return item["bytes"].encode("latin-1")
    return item


def _check(row: Row) -> None:
    """In the fixed release: print what is still wrong with what was found."""
    from harness.apis.chat.faults import parse_fault

    judge = _judge(row)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        found = json.loads(line)
        arrived = tuple(_unpacked(item) for item in found["arrived"])
        fault = parse_fault(found["fault"]) if found["fault"] else None
        failure = judge.judge(found["relation"], arrived, fault=fault)
        report = "" if failure is None else _report(failure)
        print(json.dumps({"report": report}), file=answers, flush=True)


def _apart(
    what: str, name: str, packages: tuple[str, ...], lines: str = ""
) -> list[dict[str, Any]]:
    """Search or check in a process that has some packages; return its lines."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.third_party.old_releases", what, name],
        cwd=ROOT,
        env=around(folder_of(*packages), ROOT) | _AROUND,
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def found_again(row: Row) -> tuple[bool, str]:
    """Return whether a row holds, and what to print of it."""
    found = _apart("--search", row.name, row.old)
    if not found:
        return False, f"not found within {LIMIT_S:g} s"
    (one,) = found
    counted = f"{one['seconds']:.1f} s, {one['examples']} examples"
    size = f"{len(one['arrived'])} events"
    if not row.fixed:
        return True, f"found after {counted}, shrunk to {size}:\n{one['report']}"
    (still,) = _apart("--check", row.name, row.fixed, json.dumps(one) + "\n")
    if still["report"]:
        return False, f"found after {counted}, but not gone: {still['report']}"
    return True, f"found after {counted}, shrunk to {size}, gone"


def main(arguments: list[str]) -> int:
    """Try the rows that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.third_party.old_releases")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--list", action="store_true", help="name the rows")
    parser.add_argument("--current", action="store_true", help="of current releases")
    parser.add_argument("--search", help=argparse.SUPPRESS)
    parser.add_argument("--all", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--check", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    rows = {row.name: row for row in (*ROWS, *CURRENT)}
    if given.search:
        _search(rows[given.search], everything=given.all)
        return 0
    if given.check:
        _check(rows[given.check])
        return 0
    bad = 0
    chosen = [row.name for row in (CURRENT if given.current else ROWS)]
    for name in given.rows or chosen:
        row = rows[name]
        if given.list:
            print(f"{name}: {' '.join(row.old)}, {row.bug}")
            continue
        holds, text = found_again(row)
        bad += not holds
        print(
            f"{'ok ' if holds else 'NOT'} {name} {row.old[0]} {row.bug}: {text}",
            flush=True,
        )
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
