"""What `harness replay` prints of the whole corpus: seconds of work, done once."""

from __future__ import annotations

from functools import cache

from tests.cli.running import Result, harness
from tests.shared import SHARED


@cache
def replayed(*options: str) -> Result:
    """Return what the command prints in lines of JSON, and on standard error."""
    corpus = str(SHARED / "corpus")
    return harness("replay", corpus, *options, "--format", "jsonl")
