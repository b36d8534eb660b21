"""What a file is, by its name: a recording, a compressed one, an archive of them."""

from __future__ import annotations

ENDINGS = (".yaml", ".yml", ".json", ".har", ".toml")
"""Of files that may be cassettes; other documents have them, too."""
_RECORDINGS = (*ENDINGS, ".jsonl", ".ndjson", ".sse", ".txt", ".http")
COMPRESSED = (".gz", ".zst")
"""Of files that hold one recording."""
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst")


def is_archive(name: str) -> bool:
    """Return whether a file is an archive of recordings, by its name."""
    return name.lower().endswith(_ARCHIVES)


def is_packed(name: str) -> bool:
    """Return whether a file is an archive, or a compressed recording, by its name."""
    lower = name.lower()
    return is_archive(lower) or (
        lower.endswith(COMPRESSED) and is_recording_name(lower)
    )


def is_recording_name(name: str) -> bool:
    """Return whether a file may be a recording, by its name."""
    lower = name.lower()
    for ending in COMPRESSED:
        lower = lower.removesuffix(ending)
    return lower.endswith(_RECORDINGS)
