"""What usually causes each kind of diagnostic, and what to do: `causes.toml`, read."""

from __future__ import annotations

import tomllib
from typing import Any, NamedTuple

from harness.core.package_files import package_file
from harness.engine.transcript import DiagnosticKind


class Cause(NamedTuple):
    """Why something usually happens."""

    usually: str
    """The usual cause, in one sentence."""
    remedy: str
    """What to do, in one sentence."""
    seen_in: tuple[str, ...] = ()
    """Public threads, as `repository#number`; empty where none is known."""


def _read(rows: dict[str, dict[str, Any]]) -> dict[str, Cause]:
    return {
        name: Cause(row["usually"], row["remedy"], tuple(row.get("seen_in", ())))
        for name, row in rows.items()
    }


_TABLES = tomllib.loads(package_file("harness.debug", "causes.toml"))
CAUSES = {DiagnosticKind(k): cause for k, cause in _read(_TABLES["kinds"]).items()}
"""The usual cause of each kind."""
KNOWN = _read(_TABLES["because"])
"""The cause of a diagnostic that names it itself (`Diagnostic.because`)."""
