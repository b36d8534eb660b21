"""`--jobs`: recordings one after another, or in worker processes, in the same order.

Owns what stands for a path on a command line, and that a command sees the same results
and errors in the same order, whatever works on them.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import sys
import traceback
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from harness.cli.output import out, rejoin
from harness.errors import CassetteError, HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.corpus.opening import Entry, Item

__all__ = [
    "Terminal",
    "Write",
    "captured",
    "each",
    "jobs_option",
    "named",
    "portable",
    "show",
]

T = TypeVar("T")
_PART = 8  # recordings handed to a process at once: the first results come soon

jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Worker processes; the output is the same. They pay from some hundred "
    "recordings on.",
)
"""Gives a command `--jobs`."""


def named(
    paths: Iterable[str], *, with_journals: bool = False
) -> list[tuple[str, HarnessError | None]]:
    """Return the recordings that paths stand for; with an error the path itself."""
    from harness.cassettes.library import find_cassettes

    found: list[tuple[str, HarnessError | None]] = []
    for path in paths:
        try:
            names = find_cassettes(path, with_journals=with_journals)
        except HarnessError as error:
            found.append((path, error))
        else:
            found += [(name, None) for name in names]
    return found


def each(
    work: Callable[[str], T],
    names: list[tuple[str, HarnessError | None]],
    jobs: int,
    there: Callable[[], Callable[[str], Any]] | None = None,
) -> Iterator[tuple[str, Callable[[], T | Any]]]:
    """Yield each recording with what returns its result, or raises its error.

    Args:
        work: Called with a name.
        names: As `named` returns them.
        jobs: How many processes; with one, and for pipes, `work` is called here.
        there: Returns what is called in a process instead, asked when it is handed in;
            it can be pickled, and so can its results.
    """
    files = [name for name, error in names if error is None]
    if jobs == 1 or len(files) < 2 or not all(Path(name).is_file() for name in files):
        for name, error in names:
            yield name, partial(work, name) if error is None else partial(_raise, error)
        return
    from harness.corpus.engines import Processes
    from harness.corpus.worker import Limits

    with Processes(_Job(), Limits(0, 0), min(jobs, len(files))) as engine:
        engine.part_items = _PART
        results = engine.run(_entries(files, there or (lambda: work)))
        for name, error in names:
            if error is not None:
                yield name, partial(_raise, error)
                continue
            [(result, problem)] = next(results)[1]
            yield name, partial(_give, result, problem)


def _raise(error: HarnessError) -> Any:
    raise error


def _give(result: Any, problem: Exception | None) -> Any:
    if problem is not None:
        raise problem
    return result


def _entries(
    names: Iterable[str], there: Callable[[], Callable[[str], Any]]
) -> Iterator[Entry]:
    from harness.corpus.opening import TEXT, Entry, Item
    from harness.corpus.places import Found

    for name in names:
        item = Item(name, TEXT, pickle.dumps(there()))
        yield Entry(name, 0, partial(Item, *item), Found(name, 0, 0))


class _Job:
    """Calls what an item holds with its name; see `harness.corpus.worker.Job`."""

    def prepare(self) -> None:
        """Nothing is needed."""

    def work(self, item: Item) -> list[tuple[Any, Exception | None]]:
        """Return the result, or the error."""
        try:
            return [(pickle.loads(item.data)(item.name), None)]  # noqa: S301 - of `each`
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            return [(None, portable(error))]

    def give_up(self, item: Item, reason: str) -> list[tuple[Any, Exception | None]]:
        """Return the error of a process that died."""
        return [(None, CassetteError(item.name, reason))]


def portable(error: Exception) -> Exception:
    """Return an error that can be pickled, with its traceback for ``--debug``."""
    note = traceback.format_exc()
    try:
        pickle.dumps(error)
    except Exception:  # noqa: BLE001 - what a user's code raised may hold anything
        error = HarnessError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error


class Terminal(NamedTuple):
    """What the outputs of a command are, for a process that has others."""

    out: bool
    err: bool
    columns: int

    @classmethod
    def here(cls) -> Terminal:
        """Return what they are here."""
        columns = shutil.get_terminal_size((80, 24)).columns
        return cls(out().isatty(), sys.stderr.isatty(), columns)


Write = tuple[bool, str]
"""A text that was written: whether to standard error, and the text."""


class _Log(io.RawIOBase):
    def __init__(self, log: list[Write], *, is_err: bool, is_terminal: bool) -> None:
        self._log, self._is_err, self._is_terminal = log, is_err, is_terminal

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, data: Any) -> int:
        text = bytes(data).decode("utf-8", "surrogatepass")
        self._log.append((self._is_err, text))
        return len(data)


@contextmanager
def captured(terminal: Terminal) -> Iterator[list[Write]]:
    """Keep what is written to the outputs, in order, for `show`.

    Args:
        terminal: What they would be.
    """
    log: list[Write] = []
    before = sys.stdout, sys.stderr
    os.environ["COLUMNS"] = str(terminal.columns)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.BufferedWriter(_Log(log, is_err=is_err, is_terminal=is_terminal)),
            "utf-8",
            "surrogatepass",
            newline="",
            write_through=True,
        )
        for is_err, is_terminal in ((False, terminal.out), (True, terminal.err))
    )
    try:
        yield log
    finally:
        rejoin()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def show(log: Iterable[Write]) -> None:
    """Write what was kept."""
    for is_err, text in log:
        if is_err:
            out().flush()
            sys.stderr.write(text)
        else:
            out().write(text)
