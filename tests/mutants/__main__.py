"""`python -m tests.mutants [WORD]`: break each rule and see its test fail.

With a word only the mutants whose rule or file contains it. Exit code 1 if a mutant
survives, if its test passes for another reason than running (it is not found, the
file no longer imports), or if an old text does not stand exactly once.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants import ROOT, Mutant, applied, load

_COPIED = ("harness", "tests", "conftest.py", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "__snapshots__", "*.pyc")
_OPTIONS = ("-x", "-q", "-m", "", "-p", "no:cacheprovider")
_FAILED = 1  # pytest's exit code for tests that ran and failed
_LONGEST_S = 120
_SECONDS = itertools.count(1_000_000_000)


def _copy(folder: Path) -> Path:
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def _pytest(
    folder: Path, *tests: str, longest_s: float = _LONGEST_S
) -> tuple[int, str]:
    """Run tests on the package of this folder, whatever is installed."""
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # a quarter of the time
    }
    environment.pop("HARNESS_EXAMPLES", None)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *_OPTIONS, *tests],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=longest_s,
    )
    return result.returncode, result.stdout + result.stderr


def _write(file: Path, text: str) -> None:
    """Write a file with a time of its own, so that no bytecode is taken for its."""
    file.write_text(text, encoding="utf-8")
    seconds = next(_SECONDS)
    os.utime(file, (seconds, seconds))


def _verdict(mutant: Mutant, folder: Path) -> str:
    """Return what is wrong about a mutant, or nothing where its test failed."""
    file = folder / mutant.file
    text = file.read_text(encoding="utf-8")
    try:
        _write(file, applied(mutant, text))
        code, output = _pytest(folder, mutant.test)
    except ValueError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"{mutant.rule}: {mutant.test} ran for more than {_LONGEST_S} s"
    finally:
        _write(file, text)
    if code == 0:
        return f"{mutant.rule}: survived {mutant.test}"
    if code != _FAILED:
        last = output.strip().rpartition("\n")[2]
        return f"{mutant.rule}: {mutant.test} did not run: {last}"
    return ""


def run(mutants: list[Mutant], *, processes: int = 2) -> list[str]:
    """Break and test each; return one line for each that was not noticed.

    Args:
        mutants: What to break.
        processes: How many copies of the tree are used at once.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        folders: SimpleQueue[Path] = SimpleQueue()
        for number in range(processes):
            folder = Path(temporary, str(number))
            folder.mkdir()
            folders.put(_copy(folder))
        folder = folders.get()
        tests = sorted({mutant.test for mutant in mutants})
        code, output = _pytest(folder, *tests, longest_s=5 * _LONGEST_S)
        folders.put(folder)
        if code:
            return [f"the tests do not pass without a mutant:\n{output}"]

        def judge(mutant: Mutant) -> str:
            mine = folders.get()
            try:
                return _verdict(mutant, mine)
            finally:
                folders.put(mine)

        with ThreadPoolExecutor(processes) as pool:
            return [found for found in pool.map(judge, mutants) if found]


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description=__doc__
    )
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    mutants = [m for m in load() if options.word in m.rule or options.word in m.file]
    started = time.monotonic()
    found = run(mutants, processes=options.processes)
    for line in found:
        print(line)
    took = time.monotonic() - started
    noticed = len(mutants) - len(found)
    print(f"{noticed} of {len(mutants)} mutants noticed, {took:.0f} s")
    return 1 if found or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
