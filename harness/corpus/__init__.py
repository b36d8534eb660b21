"""Corpora: many recorded streams, swept on one machine or a cluster.

A corpus is a folder of recordings or a Parquet data set (`harness.corpus.parquet`), on
this machine or at any fsspec URL. It is read by one process, part after part, and
worked on by others: `sweep_bytes` takes the bytes of one recording and returns its
rows. It is public, pure and can be pickled, so that any scheduler can run it.

Nothing here is imported by another room; fsspec, pyarrow and distributed are imported
where a URL, a data set or a cluster is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.corpus.sweeping import Plan, sweep_bytes

__all__ = ["Plan", "sweep_bytes"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("harness.corpus.sweeping"), name)
