"""Where the third-party test data lies, and the skip when it does not.

The corpus is read in place beside the checkout and never copied in; a clone
without it skips these tests with a reason that the last line counts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

needs_shared = pytest.mark.skipif(
    not (SHARED / "corpus").is_dir(),
    reason="needs the recordings in ../shared, which this clone does not have",
)


def corpus_files() -> list[Path]:
    """Return every cassette of the corpus in a stable order; empty without it."""
    root = SHARED / "corpus"
    return sorted(p for p in root.rglob("*.y*ml")) if root.is_dir() else []
