"""Running the command line as a user does: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

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
    """Run `harness` with these arguments and return what came out."""
    result = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    return Result(result.returncode, result.stdout.decode(), result.stderr.decode())
