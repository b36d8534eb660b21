"""Where a recording goes that cannot go where it should, or is not alone there."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from harness.errors import CassetteError
from harness.record.error_surfacing import RecordingWarning
from harness.record.session import RecordingSession
from tests.unit.record.journals import (
    left_in,
    names_in,
    opened,
    record,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are POSIX's")


class Refusing:
    """A folder that takes nothing, or nothing more, as the system sees it."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, number: int) -> None:
        self.folders = {str(folder)}
        self.number = number
        self.is_on = True
        self._patch = patch
        self._open = os.open
        self._write = os.write
        patch.setattr(os, "open", self.open)
        patch.setattr(os, "write", self.write)
        self._refused: set[int] = set()

    def _error(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))

    def open(self, path: Any, flags: int, *more: Any, **named: Any) -> int:
        is_inside = any(str(path).startswith(folder) for folder in self.folders)
        if self.is_on and is_inside and flags & os.O_CREAT:
            raise self._error()
        descriptor = self._open(path, flags, *more, **named)
        (self._refused.add if is_inside else self._refused.discard)(descriptor)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        if self.is_on and descriptor in self._refused:
            self._write(descriptor, data[:3])  # a disk is full in the middle
            raise self._error()
        return self._write(descriptor, data)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files, for the test alone."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_folder_that_takes_nothing(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """All is kept among temporary files; the error says where, and why."""
    folder = tmp_path / "full"
    folder.mkdir()
    notes: list[str] = []
    session = opened(folder / "c.yaml", warn=notes.append)
    with monkeypatch.context() as patch:
        Refusing(patch, folder, number)
        record(session, "a", "b")
        (journal,) = left_in(temporary)
        assert names_in(journal) == ["a", "b"]
        with pytest.raises(CassetteError, match=os.strerror(number)) as caught:
            session.close()
    (note,) = notes
    assert os.strerror(number) in note
    assert f"kept in {journal}" in note
    (kept,) = temporary.glob("*.partial")
    assert f"what was recorded is in {str(kept)!r}" in str(caught.value)
    assert names_in(kept) == ["a", "b"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(folder.iterdir()) == []


def test_disk_that_fills_up_on_the_way(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal goes on elsewhere; no client sees an error, nothing is torn."""
    folder = tmp_path / "full"
    folder.mkdir()
    path = folder / "c.yaml"
    notes: list[str] = []
    session = opened(path, warn=notes.append)
    with monkeypatch.context() as patch:
        disk = Refusing(patch, folder, errno.ENOSPC)
        disk.is_on = False
        record(session, "a")
        disk.is_on = True
        record(session, "b", "c")
        (beside,), (elsewhere,) = left_in(folder), left_in(temporary)
        assert names_in(beside) == ["a"]
        assert beside.read_bytes().endswith(b"\n")
        assert names_in(elsewhere) == ["b", "c"]
        disk.is_on = False
        session.close()
    assert names_in(path) == ["a", "b", "c"]
    assert len(notes) == 2  # when it went elsewhere, and that all is well
    assert "all that was recorded is kept" in notes[1]
    assert [f.name for f in folder.iterdir()] == ["c.yaml"]
    assert list(temporary.iterdir()) == []


def test_disk_full_at_the_end_names_the_journal(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has everything already, and the next recording takes it in."""
    folder = tmp_path / "full"
    folder.mkdir()
    path = folder / "c.yaml"
    session = opened(path)
    record(session, "a")
    with monkeypatch.context() as patch:
        Refusing(patch, folder, errno.ENOSPC)
        with pytest.raises(CassetteError, match=r"No space.*make room") as caught:
            session.close()
    (journal,) = left_in(folder)
    assert f"what was recorded is in {str(journal)!r}" in str(caught.value)
    notes: list[str] = []
    session = opened(path, warn=notes.append)
    record(session, "b")
    session.close()
    assert names_in(path) == ["a", "b"]
    assert list(temporary.iterdir()) == []


def test_nowhere_to_write(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is in memory only, each step is said once, and the error is plain."""
    notes: list[str] = []
    session = opened(tmp_path / "c.yaml", warn=notes.append)
    with monkeypatch.context() as patch:
        Refusing(patch, tmp_path, errno.ENOSPC)
        record(session, "a", "b")
        with pytest.raises(CassetteError, match=r"could not be kept.*No space"):
            session.close()
    (note,) = notes
    assert "kept in memory" in note
    assert session.recorded_count == 2


def test_warning_made_an_error_breaks_no_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `-W error`, under which these tests run: it is raised at the end."""
    session = RecordingSession(tmp_path / "full" / "c.yaml", mode="all")
    with monkeypatch.context() as patch:
        disk = Refusing(patch, tmp_path / "full", errno.ENOSPC)
        record(session, "a")
        disk.is_on = False
        with pytest.raises(RecordingWarning, match="all that was recorded is kept"):
            session.close()
    assert names_in(tmp_path / "full" / "c.yaml") == ["a"]
    assert left_in(tmp_path / "full") == []


def test_journal_of_the_rest_is_not_taken_for_the_whole(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a save in between, what a full disk sends elsewhere is everything."""
    folder = tmp_path / "full"
    session = opened(folder / "c.yaml", "rewrite")
    record(session, "a")
    session.save()
    record(session, "b")
    with monkeypatch.context() as patch:
        Refusing(patch, folder, errno.ENOSPC)
        kept = session.close(failed=True)
    assert kept is not None
    assert names_in(Path(kept)) == ["a", "b"]


def test_folder_that_stays_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped process that is saving stops no other for ever."""
    import fcntl

    monkeypatch.setattr("harness.cassettes.locks._TRIES", 2)
    path = tmp_path / "c.yaml"
    session = opened(path)
    record(session, "a")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(
        CassetteError, match=r"locked for half a minute.*c\.yaml\.partial"
    ):
        session.close()
    os.close(descriptor)
    assert names_in(tmp_path / "c.yaml.partial") == ["a"]
    assert not path.exists()


def test_partial_files_are_not_shared(tmp_path: Path) -> None:
    """A failed rewrite never takes the name of another; its own it writes again."""
    path = tmp_path / "c.yaml"
    kept = []
    for name in "abc":
        session = opened(path, "rewrite")
        record(session, name)
        session.save()
        kept.append(session.close(failed=True))
    names = ["c.yaml.partial", "c.yaml.2.partial", "c.yaml.3.partial"]
    assert kept == [str(tmp_path / name) for name in names]
    assert [names_in(Path(name or "")) for name in kept] == [["a"], ["b"], ["c"]]
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_file_changed_meanwhile_keeps_the_changes(tmp_path: Path, suffix: str) -> None:
    """By another recording, between any two saves; `all` replaces what it knew."""
    path = tmp_path / f"c.{suffix}"
    first = opened(path)
    record(first, "old", "b")
    first.close()
    session = opened(path)
    record(session, "b", "c")
    other = opened(path)
    record(other, "b", "d")
    other.close()
    assert names_in(path) == ["old", "b", "d"]
    session.save()
    assert names_in(path) == ["old", "b", "d", "b", "c"]
    record(session, "e")
    other = opened(path, "new_episodes")
    record(other, "f")
    other.close()
    session.close()
    assert names_in(path) == ["old", "b", "d", "f", "b", "c", "e"]


@pytest.mark.parametrize("change", ["broken", "removed"])
def test_conflict_keeps_the_recording_apart(tmp_path: Path, change: str) -> None:
    """What is no cassette any more is left alone, and so is a file that was removed."""
    path = tmp_path / "c.yaml"
    first = opened(path)
    record(first, "a")
    first.close()
    session = opened(path)
    record(session, "b")
    if change == "broken":
        path.write_text("interactions: [\n")
    else:
        path.unlink()
    partial = tmp_path / "c.yaml.partial"
    with pytest.raises(CassetteError, match=f"what was recorded is in '{partial}'"):
        session.close()
    assert names_in(partial) == ["b"]
    assert path.exists() is (change == "broken")


def test_bytes_written_for_an_exchange_do_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the end one line each: 60 exchanges cost 60 times what one does."""
    written: list[int] = []
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        written.append(len(data))
        return write(descriptor, data)

    session = opened(tmp_path / "c.yaml")
    monkeypatch.setattr(os, "write", counted)
    record(session, *(f"{number:03}" for number in range(60)))
    monkeypatch.undo()
    assert len(written) == 60
    assert max(written[1:]) - min(written[1:]) <= 4  # the digits of a number
    assert not (tmp_path / "c.yaml").exists()
    session.close()
    assert len(names_in(tmp_path / "c.yaml")) == 60
