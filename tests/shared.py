"""Where the third-party test data lies, and what takes its place in a clone.

The corpus is read in place beside the checkout and never copied in. What holds for any
recording is tried on recordings made in code where it is absent; what is about the
third-party recordings themselves is skipped with a reason that the last line counts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

HAS_CORPUS = (SHARED / "corpus").is_dir()

needs_shared = pytest.mark.skipif(
    not HAS_CORPUS,
    reason="needs the recordings in ../shared, which this clone does not have",
)


def protocol_folder(api: str) -> Path:
    """Return where the recordings of an API lie, or those made in their place."""
    if HAS_CORPUS:
        return SHARED / "protocols" / api
    from tests.made_protocols import made_folder

    return made_folder(api)


def corpus_files() -> list[Path]:
    """Return every cassette of the corpus, or those made in its place, in order."""
    if HAS_CORPUS:
        return sorted((SHARED / "corpus").rglob("*.y*ml"))
    from tests.made_corpus import made_files

    return made_files()
