"""`--jobs`: recordings one after another, or in worker processes, in the same order.

Owns what stands for a path on a command line, and that a command sees the same results
and errors in the same order, whatever works on them.
"""

from __future__ import annotations

import io
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from harness.cli.console import complain_of
from harness.cli.output import out, replaced
from harness.errors import CassetteError, HarnessError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.corpus.opening import Entry, Item

T = TypeVar("T")
_PART = 8  # recordings handed to a process at once: the first results come soon


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


def refuse_input(output: str, names: Iterable[str]) -> None:
    """Refuse to write over what is read: the recording would be lost.

    Args:
        output: The file to write.
        names: Files, and folders whose cassettes are read.

    Raises:
        UsageError: It is one of them.
    """
    from harness.cassettes.library import find_recordings

    target = Path(output)
    if not target.is_file():
        return
    for name in names:
        place = Path(name)
        if place.is_dir() and target.resolve().is_relative_to(place.resolve()):
            is_read = any(map(target.samefile, find_recordings(name).cassettes))
        else:
            is_read = place.is_file() and target.samefile(place)
        if is_read:
            raise UsageError(
                f"{output}: is one of the files to read, and stays as it is; name "
                "another file to write"
            )


def each(
    work: Callable[[str], T],
    names: list[tuple[str, HarnessError | None]],
    jobs: int = 1,
    there: Callable[[], Callable[[str], T]] | None = None,
    stands: Callable[[T], bool] = lambda _result: True,
) -> Iterator[tuple[str, Callable[[], T]]]:
    """Yield each recording with what returns its result, or raises its error.

    What `work` writes to the outputs comes in its place, too.

    Args:
        work: Called with a name.
        names: As `named` returns them.
        jobs: How many processes; with one, and for pipes, `work` is called here.
        there: Returns what is called in a process instead, asked when it is handed in;
            it can be pickled, and so can its results.
        stands: Called with a result of `there` when its turn has come, before what was
            written is; returns False where `work` is to be called here after all.
    """
    files = [name for name, error in names if error is None]
    if jobs == 1 or len(files) < 2 or not all(Path(name).is_file() for name in files):
        for name, error in names:
            yield name, partial(_raise, error) if error else partial(work, name)
        return
    from harness.corpus.engines import Processes
    from harness.corpus.worker import Limits

    job = _Job(_Terminal.here())
    with Processes(job, Limits(0, 0), min(jobs, len(files))) as engine:
        engine.part_items = _PART
        results = engine.run(_entries(files, there or (lambda: work)))
        for name, error in names:
            if error is not None:
                yield name, partial(_raise, error)
                continue
            [done] = next(results)[1]
            is_good = done.error is not None or stands(done.result)
            yield name, done.give if is_good else partial(work, name)


def readable(
    results: Iterable[tuple[str, Callable[[], T]]], unreadable: list[str]
) -> Iterator[tuple[str, T]]:
    """Yield what was made of each recording that can be read; complain of the others.

    Args:
        results: What `each` yields.
        unreadable: Gets the names of those that cannot be read.
    """
    for name, result in results:
        try:
            found = result()
        except CassetteError as error:
            complain_of(error)
            unreadable.append(name)
        else:
            yield name, found


def _raise(error: HarnessError) -> Any:
    raise error


class _Done(NamedTuple):
    """What came of a recording in another process."""

    log: list[tuple[bool, str]]
    """Texts that were written, and whether to standard error."""
    result: Any
    error: Exception | None = None

    def give(self) -> Any:
        """Write what was written, and return the result or raise the error."""
        for is_err, text in self.log:
            if is_err:
                out().flush()
                sys.stderr.write(text)
            else:
                out().write(text)
        if self.error is not None:
            raise self.error
        return self.result


def _entries(
    names: Iterable[str], there: Callable[[], Callable[[str], Any]]
) -> Iterator[Entry]:
    import pickle

    from harness.corpus.opening import TEXT, Entry, Item
    from harness.corpus.places import Found

    for name in names:
        item = Item(name, TEXT, pickle.dumps(there()))
        yield Entry.held(item, 0, Found(name, 0, 0))


class _Terminal(NamedTuple):
    """What the outputs of a command are, for a process that has others."""

    out: bool
    err: bool
    columns: int

    @classmethod
    def here(cls) -> _Terminal:
        import shutil

        columns = shutil.get_terminal_size((80, 24)).columns
        return cls(out().isatty(), sys.stderr.isatty(), columns)


class _Job(NamedTuple):
    """Calls what an item holds with its name; see `harness.corpus.worker.Job`."""

    terminal: _Terminal

    def prepare(self) -> None:
        """Nothing is needed."""

    def work(self, item: Item) -> list[_Done]:
        """Return its result, whatever it was."""
        import pickle

        os.environ["COLUMNS"] = str(self.terminal.columns)
        log: list[tuple[bool, str]] = []
        streams = (
            _text(_Log(log, is_err=False, is_terminal=self.terminal.out)),
            _text(_Log(log, is_err=True, is_terminal=self.terminal.err)),
        )
        with replaced(*streams):
            try:
                result = pickle.loads(item.data)(item.name)  # noqa: S301 - of `each`
            except Exception as error:  # noqa: BLE001 - raised again by `give`
                return [_Done(log, None, portable(error))]
        return [_Done(log, result)]

    def give_up(self, item: Item, reason: str) -> list[_Done]:
        """Return the error of a process that died."""
        return [_Done([], None, CassetteError(item.name, reason))]


class _Log(io.RawIOBase):
    def __init__(
        self, log: list[tuple[bool, str]], *, is_err: bool, is_terminal: bool
    ) -> None:
        self._log, self._is_err, self._is_terminal = log, is_err, is_terminal

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, data: Any) -> int:
        text = bytes(data).decode("utf-8", "surrogatepass")
        self._log.append((self._is_err, text))
        return len(data)


def _text(log: _Log) -> io.TextIOWrapper:
    buffer = io.BufferedWriter(log)
    return io.TextIOWrapper(
        buffer, "utf-8", "surrogatepass", newline="", write_through=True
    )


def portable(error: Exception) -> Exception:
    """Return an error that can be pickled, with its traceback for ``--debug``."""
    import pickle  # as its other uses: only for other processes
    import traceback

    note = traceback.format_exc()
    try:
        pickle.dumps(error)
    except Exception:  # noqa: BLE001 - what a user's code raised may hold anything
        error = HarnessError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error
