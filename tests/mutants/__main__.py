"""`python -m tests.mutants [WORD]`: break each rule and see its test fail.

With a word only the mutants whose rule or file contains it. Exit code 1 if a mutant
survives, if its test passes for another reason than running (it is not found, the
file no longer imports), or if an old text does not stand exactly once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.mutants import ROOT, Mutant, applied, load

_COPIED = ("harness", "tests", "conftest.py", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "__snapshots__", "*.pyc")
_OPTIONS = ("-x", "-q", "-m", "", "-p", "no:cacheprovider")
_FAILED = pytest.ExitCode.TESTS_FAILED
_LONGEST_S = 120
_SECONDS = itertools.count(1_000_000_000)
_OTHERS = ("hypothesis", "pydantic", "click", "vcr", "rich.console", "h11", "httpcore2")
"""What harness and its tests import of others: once, before the forks."""


def _copy(folder: Path) -> Path:
    folder.mkdir()
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def _pytest(folder: Path, tests: list[str], longest_s: int) -> int:
    """Run tests on the package of this folder in a fork; return its process id.

    A fork has pytest and the packages of others imported already: two thirds of what
    a process of its own would take. Of harness and its tests it has nothing.
    """
    if process := os.fork():
        return process
    code = 3
    try:
        signal.alarm(longest_s)
        with _output(folder).open("wb") as output:
            for stream in (1, 2):
                os.dup2(output.fileno(), stream)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        for name in [*sys.modules]:
            if name.partition(".")[0] in {"harness", "tests"}:
                del sys.modules[name]
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a quarter of the time
        os.environ.pop("HARNESS_EXAMPLES", None)
        code = pytest.main([*_OPTIONS, *tests])
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)


def _output(folder: Path) -> Path:
    return folder.with_suffix(".out")


def _write(file: Path, text: str) -> None:
    """Write a file with a time of its own, so that no bytecode is taken for its."""
    file.write_text(text, encoding="utf-8")
    seconds = next(_SECONDS)
    os.utime(file, (seconds, seconds))


class _Trial(NamedTuple):
    """A mutant whose test runs."""

    number: int
    mutant: Mutant
    folder: Path
    text: str

    def end(self, status: int) -> str:
        """Mend the file; return what is wrong, or nothing where the test failed."""
        _write(self.folder / self.mutant.file, self.text)
        rule, test = self.mutant.rule, self.mutant.test
        if os.WIFSIGNALED(status):
            return f"{rule}: {test} ran for more than {_LONGEST_S} s"
        code = os.WEXITSTATUS(status)
        if code == 0:
            return f"{rule}: survived {test}"
        if code != _FAILED:
            last = _output(self.folder).read_text("utf-8").strip().rpartition("\n")[2]
            return f"{rule}: {test} did not run: {last}"
        return ""


def run(mutants: list[Mutant], *, processes: int = 2) -> list[str]:
    """Break and test each; return one line for each that was not noticed.

    Args:
        mutants: What to break.
        processes: How many copies of the tree are used at once.
    """
    for name in _OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    found: dict[int, str] = {}
    running: dict[int, _Trial] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        folders = [_copy(Path(temporary, str(number))) for number in range(processes)]
        tests = sorted({mutant.test for mutant in mutants})
        status = os.waitpid(_pytest(folders[0], tests, 5 * _LONGEST_S), 0)[1]
        if status:
            output = _output(folders[0]).read_text("utf-8")
            return [f"the tests do not pass without a mutant:\n{output}"]
        waiting = list(enumerate(mutants))
        while waiting or running:
            if waiting and folders:
                number, mutant = waiting.pop(0)
                folder = folders.pop()
                text = (folder / mutant.file).read_text("utf-8")
                try:
                    _write(folder / mutant.file, applied(mutant, text))
                except ValueError as error:
                    found[number] = str(error)
                    folders.append(folder)
                    continue
                process = _pytest(folder, [mutant.test], _LONGEST_S)
                running[process] = _Trial(number, mutant, folder, text)
                continue
            process, status = os.wait()
            if process not in running:
                continue
            trial = running.pop(process)
            found[trial.number] = trial.end(status)
            folders.append(trial.folder)
    return [found[number] for number in sorted(found) if found[number]]


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
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{noticed} of {len(mutants)} mutants noticed, {took:.0f} s "
        f"({used.ru_utime + used.ru_stime:.0f} s of the processor)"
    )
    return 1 if found or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
