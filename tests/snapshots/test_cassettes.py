"""What both interfaces emit for every cassette, in every mode, as reviewed files.

A changed emission is a changed line below `__snapshots__`. After a change that is
meant: `pytest tests/snapshots --snapshot-update`, then read the difference.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import AgentOptions, NothingToReplayError, load_cassette, replay
from harness.cassettes.library import find_cassettes
from harness.snapshots import TranscriptSnapshotExtension

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from harness.cassettes.model import Cassette

ROOT = Path(__file__).resolve().parents[2] / "cassettes"
STORED = Path(__file__).parent / "__snapshots__" / "test_cassettes"


def _name(path: str) -> str:
    """Return ``folder.name`` of a cassette: a file name on every system."""
    return ".".join(Path(path).relative_to(ROOT).with_suffix("").parts)


CASSETTES = {_name(path): path for path in find_cassettes(ROOT)}

NOTHING_TO_REPLAY = {
    "llama-cpp-python.empty-body": "no event with data",
    "llama-cpp-python.refused": "HTTP 500",
    "llama-server.http-400": "HTTP 400",
    "llama-server-anthropic.refused": "HTTP 400",
    "llama-server-responses.refused": "HTTP 400",
}
REPLAYED = sorted(CASSETTES.keys() - NOTHING_TO_REPLAY.keys())

_SPEAKING = AgentOptions(use_assistant_message=True)
WAYS: dict[str, tuple[str, str | None, AgentOptions | None]] = {
    "queuing": ("queuing", None, None),
    "streaming-tokens": ("streaming", "tokens", None),
    "streaming-tokens-assistant": ("streaming", "tokens", _SPEAKING),
    "streaming-steps": ("streaming", "steps", None),
    "streaming-steps-assistant": ("streaming", "steps", _SPEAKING),
    "streaming-legacy": ("streaming", "legacy", None),
    "streaming-chat-completion": ("streaming", "chat-completion", None),
}
TRANSCRIPTS = [f"{name}.{way}" for name in REPLAYED for way in WAYS]


@cache
def _loaded(name: str) -> Cassette:
    """Return a cassette, which is replayed in several ways."""
    return load_cassette(CASSETTES[name])


@pytest.mark.parametrize("case", TRANSCRIPTS)
def test_transcript(case: str, snapshot: SnapshotAssertion) -> None:
    """A cassette makes an interface emit what was reviewed, in every mode."""
    name, _, way = case.rpartition(".")
    interface, mode, options = WAYS[way]
    transcript = replay(_loaded(name), interface, mode=mode, options=options)
    assert transcript == snapshot.use_extension(TranscriptSnapshotExtension)


@pytest.mark.parametrize("name", NOTHING_TO_REPLAY)
@pytest.mark.parametrize("interface", ["queuing", "streaming"])
def test_cassette_with_nothing_to_replay(name: str, interface: str) -> None:
    """A cassette without an answer says so and gives no transcript."""
    with pytest.raises(NothingToReplayError, match=NOTHING_TO_REPLAY[name]):
        replay(CASSETTES[name], interface)


def test_no_snapshot_is_left_over() -> None:
    """Each file belongs to a cassette that is there; holds for `-k` and xdist too."""
    stored = {path.name for path in STORED.iterdir()}
    wanted = {f"test_transcript[{case}].jsonl" for case in TRANSCRIPTS}
    assert stored - wanted == set()
