"""Files replaced in one step."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cassettes.atomic import write_atomically
from harness.errors import CassetteError


def test_new_file_gets_its_folders_and_what_the_umask_allows(tmp_path: Path) -> None:
    """A first recording into a folder that is not there yet just works."""
    path = tmp_path / "a" / "b" / "c.yaml"
    umask = os.umask(0o027)
    try:
        write_atomically(path, b"one")
    finally:
        os.umask(umask)
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_failed_write_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, at any step before the rename, changes nothing."""
    path = tmp_path / "c.yaml"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for place in ("os.fsync", "pathlib.Path.replace"):
        with monkeypatch.context() as patched:
            patched.setattr(place, full)
            with pytest.raises(CassetteError, match=r"No space left.*untouched"):
                write_atomically(path, b"new")
        assert path.read_bytes() == b"old"
        assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]


def test_everything_is_on_the_disk_before_the_name_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced before it replaces the old one, the folder after."""
    path = tmp_path / "c.yaml"
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append(
            "folder" if is_folder else f"file of {os.fstat(descriptor).st_size}"
        )
        sync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", renamed)
    write_atomically(path, b"12345")
    assert steps == ["file of 5", "rename", "folder"]


def test_leftovers_of_the_dead_are_removed_and_of_the_living_are_not(
    tmp_path: Path,
) -> None:
    """Only temporary files of this very target, and only of processes that are gone."""
    path = tmp_path / "c.yaml"
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()
    gone = [f".c.yaml.{dead}-0a.harness-tmp", f".c.yaml.{os.getpid()}-0b.harness-tmp"]
    kept = [
        f".c.yaml.{os.getppid()}-0a.harness-tmp",  # of a process that is at work
        f".d.yaml.{dead}-0a.harness-tmp",  # of another target
        ".c.yaml.tmp",
    ]
    for name in [*gone, *kept]:
        (tmp_path / name).touch()
    write_atomically(path, b"new")
    assert {file.name for file in tmp_path.iterdir()} == {"c.yaml", *kept}


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """A folder of that name is named, not replaced."""
    with pytest.raises(CassetteError, match="no regular file"):
        write_atomically(tmp_path, b"new")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_read_only_folder_is_named(tmp_path: Path) -> None:
    """The message says which folder to make writable."""
    folder = tmp_path / "ro"
    folder.mkdir()
    folder.chmod(0o555)
    with pytest.raises(CassetteError, match=r"Permission denied.*writable"):
        write_atomically(folder / "c.yaml", b"new")
