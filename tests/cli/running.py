"""Running the command line as a user does: in this process, or in one of its own.

A process costs half a second, so `harness` runs the entry point here, with streams,
folder, environment and imports of its own. `test_process.py` shows that this gives
what a process gives; what only a process can show (hash seeds, signals, closed pipes)
uses `harness_process`.
"""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from harness.cli import cli
from harness.cli.console import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Result:
    """What a run left behind."""

    code: int
    out: str
    err: str


def harness(
    *arguments: str,
    stdin: bytes = b"",
    cwd: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> Result:
    """Run `harness` with these arguments in this process; return what came out."""
    taken = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(
        io.BytesIO(), "utf-8", "backslashreplace", write_through=True
    )
    code: object = None
    with (
        _imports_of(cwd),
        patch.multiple(sys, stdin=taken, stdout=out, stderr=err),
        patch.dict(os.environ, environment or {}),
    ):
        try:
            run(cli, arguments)
        except SystemExit as stop:
            code = stop.code
        out.flush()
    assert isinstance(code, int)
    return Result(code, _written(out), _written(err))


def harness_process(
    *arguments: str,
    stdin: bytes = b"",
    cwd: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> Result:
    """Run `harness` with these arguments in a process; return what came out."""
    result = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    return Result(result.returncode, result.stdout.decode(), result.stderr.decode())


def _written(stream: io.TextIOWrapper) -> str:
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()


@contextmanager
def _imports_of(cwd: Path) -> Iterator[None]:
    """Import from this folder inside, and forget afterwards what came from it."""
    before, here = set(sys.modules), Path.cwd()
    os.chdir(cwd)
    importlib.invalidate_caches()  # the folder may be as old as its newest file
    try:
        with patch.object(sys, "path", [str(cwd), *sys.path]):
            yield
    finally:
        os.chdir(here)
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if cwd != ROOT and Path(file).is_relative_to(cwd):
                del sys.modules[name]
