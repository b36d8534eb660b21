"""A real file system without room, or read-only: recordings are kept elsewhere."""

from __future__ import annotations

import subprocess
import tempfile
from typing import TYPE_CHECKING

import httpx
import pytest

from harness.cassettes.atomic import write_atomically
from harness.cassettes.load import load_cassette
from harness.errors import CassetteError
from harness.record import use_cassette
from tests.record.servers import Connection, ScriptedServer
from tests.record.test_proxy import RunningProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KILOBYTES = 64


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of 64 KiB; temporary files go elsewhere."""
    folder, temporary = tmp_path / "disk", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    options = f"size={KILOBYTES}k"
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            check=False,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip("mounting a file system takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def long_answer(connection: Connection) -> None:
    """Answer with 4 KB."""
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4096\r\n\r\n" + b"x" * 4096)


@pytest.mark.parametrize("fate", ["full at once", "full on the way", "read-only"])
def test_use_cassette_on_a_disk_that_refuses(disk: Path, fate: str) -> None:
    """Every answer reaches its client; the error gives the reason and the file."""
    path = disk / "c.yaml"
    reason = "Read-only file system" if fate == "read-only" else "No space left"
    notes: list[str] = []
    if fate == "full at once":
        (disk / "filler").write_bytes(b"x" * (KILOBYTES * 1024))
    elif fate == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

    def record() -> None:
        with (
            use_cassette(path, "once", warn=notes.append),
            httpx.Client(verify=False) as client,
        ):
            for number in range(30):
                response = client.post(server.url, json={"id": number})
                assert len(response.content) == 4096

    with (
        ScriptedServer(long_answer) as server,
        pytest.raises(CassetteError, match=reason) as caught,
    ):
        record()
    (note,) = notes
    assert reason in note
    (kept,) = (disk.parent / "tmp").glob("*.partial")
    assert f"what was recorded is in {str(kept)!r}" in str(caught.value)
    exchanges = load_cassette(kept).exchanges
    assert [e.request.json()["id"] for e in exchanges] == list(range(30))
    assert not path.exists()


def test_the_advice_names_what_is_there(disk: Path) -> None:
    """A folder that could not be made cannot be made writable, nor a file be kept."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(CassetteError) as caught:
        write_atomically(disk / "new" / "c.yaml", b"")
    assert str(caught.value).endswith(
        f"cannot be written (Read-only file system): make {str(disk)!r} writable or "
        "write elsewhere"
    )


def test_proxy_on_a_full_disk(disk: Path) -> None:
    """It says so when it happens, goes on, and its error names the file."""
    (disk / "filler").write_bytes(b"x" * (KILOBYTES * 1024))
    errors: list[BaseException] = []
    with ScriptedServer(long_answer) as server, httpx.Client(verify=False) as client:
        proxy = RunningProxy(disk / "c.yaml", server.url, errors=errors)
        proxy.start()
        for number in range(3):
            assert len(client.post(proxy.url, json={"id": number}).content) == 4096
        proxy.stop()
    (error,) = errors
    (kept,) = (disk.parent / "tmp").glob("*.partial")
    assert "No space left" in proxy.lines[0]
    assert f"what was recorded is in {str(kept)!r}" in str(error)
    assert len(load_cassette(kept).exchanges) == 3
