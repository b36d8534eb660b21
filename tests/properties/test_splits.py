"""Whatever a split does to a stream, the stream says the same."""

from __future__ import annotations

import copy
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.reader import ResponseAccumulator
from harness.core.splits import Split, parse_split
from tests.chunk_streams import SHARES, chunk_streams, recordings
from tests.shared import needs_shared

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Chunk

SPLITS = (
    "recorded",
    "whole",
    "chars",
    "3",
    "7",
    "random:1",
    "random:2",
    "at:1,2,9",
    "tokens",
    "recorded+random:3",
)


def splits() -> st.SearchStrategy[Split]:
    """Any split; shrinks to `recorded` and to fewer, smaller parts."""
    number = st.integers(1, 12).map(str)
    seeded = st.integers(0, 2**64 - 1).map("random:{}".format)
    at = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(
        lambda positions: "at:" + ",".join(map(str, positions))
    )
    fixed = st.sampled_from(["recorded", "whole", "chars", "tokens"])
    one = st.one_of(fixed, number, seeded, at)
    return st.lists(one, min_size=1, max_size=2).map("+".join).map(parse_split)


def said(chunks: list[Chunk]) -> dict[Any, Any]:
    """Return what every choice says, and the usage, as the accumulator reads it."""
    accumulator = ResponseAccumulator()
    for chunk in chunks:
        accumulator.feed(chunk.payload)
    answer: dict[Any, Any] = {"usage": accumulator.usage, "id": accumulator.id}
    for choice in accumulator.choices:
        message = accumulator.message(choice=choice)
        calls = [(c.id, c.name, c.arguments, c.index) for c in message.calls]
        answer[choice] = (
            message.content,
            message.reasoning,
            message.refusal,
            message.finish_reason,
            calls,
        )
    return answer


def order(chunks: list[Chunk]) -> list[tuple[str, Any]]:
    """Return kinds and calls in the order they speak, neighbours of one merged.

    Reads the payloads itself: an independent judge of the order.
    """
    seen: list[tuple[str, Any]] = []

    def note(kind: str, key: object) -> None:
        if not seen or seen[-1] != (kind, key):
            seen.append((kind, key))

    for chunk in chunks:
        for choice in chunk.payload.get("choices") or []:
            delta = choice.get("delta") or {}
            if choice.get("index") or not delta:
                continue
            for field in ("reasoning_content", "reasoning", "reasoning_text"):
                if delta.get(field):
                    note("reasoning", None)
            content = delta.get("content")
            if isinstance(content, list):
                for part in content:
                    if part.get("thinking") and part["thinking"][0].get("text"):
                        note("reasoning", None)
                    if part.get("text"):
                        note("content", None)
            elif content:
                note("content", None)
            if delta.get("refusal"):
                note("refusal", None)
            for entry in delta.get("tool_calls") or []:
                note("call", entry.get("index"))
    return seen


def once(chunks: list[Chunk]) -> Counter[str]:
    """Count what must appear exactly as often as it was sent."""
    counts: Counter[str] = Counter()
    for chunk in chunks:
        counts["usage"] += bool(chunk.payload.get("usage"))
        for choice in chunk.payload.get("choices") or []:
            delta = choice.get("delta") or {}
            counts["finish"] += bool(choice.get("finish_reason"))
            for entry in delta.get("tool_calls") or []:
                counts["name"] += bool((entry.get("function") or {}).get("name"))
            logprobs = choice.get("logprobs") or {}
            counts["logprobs"] += len(logprobs.get("content") or [])
    return counts


def text_pieces(chunks: list[Chunk]) -> list[str]:
    """Return the non-empty texts of choice 0's deltas, one each."""
    pieces = []
    for chunk in chunks:
        for choice in chunk.payload.get("choices") or []:
            if choice.get("index"):
                continue
            delta = choice.get("delta") or {}
            pieces += [delta[k] for k in ("content", "refusal") if delta.get(k)]
            for entry in delta.get("tool_calls") or []:
                pieces.append((entry.get("function") or {}).get("arguments") or "")
    return [piece for piece in pieces if piece and isinstance(piece, str)]


@given(st.text(), splits())
def test_cutting_text_loses_nothing(text: str, split: Split) -> None:
    """Pieces concatenate to the text and none is empty."""
    pieces = split.cut_text(text)
    assert "".join(pieces) == text
    assert all(pieces) or pieces == [""]


@given(st.binary(), splits())
def test_cutting_bytes_loses_nothing(data: bytes, split: Split) -> None:
    """Pieces of bytes concatenate to the bytes and none is empty."""
    pieces = split.cut_bytes(data)
    assert b"".join(pieces) == data
    assert all(pieces) or pieces == [b""]


@given(st.lists(st.binary(), max_size=6), splits())
def test_recutting_bytes_is_cutting_them_whole(
    pieces: list[bytes], split: Split
) -> None:
    """How bytes come in does not matter to a split without `recorded`."""
    recut = list(split.recut_bytes(pieces))
    assert b"".join(recut) == b"".join(pieces)
    assert all(recut)
    if "recorded" not in str(split):
        assert recut == [p for p in split.cut_bytes(b"".join(pieces)) if p]


@given(splits())
def test_a_split_parses_back(split: Split) -> None:
    """What a split prints is the split."""
    assert parse_split(str(split)) == split
    assert str(parse_split(str(split))) == str(split)


@given(chunk_streams(), splits())
def test_a_recut_stream_says_the_same(chunks: list[Chunk], split: Split) -> None:
    """Text, calls, order, finish, usage and names survive any split of any stream."""
    before = copy.deepcopy(chunks)
    recut = list(cut_chunks(split, chunks))
    assert chunks == before
    assert said(recut) == said(chunks)
    assert order(recut) == order(chunks)
    if "recorded" in str(split):  # nothing merged, so nothing is overwritten
        assert once(recut) == once(chunks)
    else:
        for what in ("finish", "name", "logprobs"):
            assert once(recut)[what] == once(chunks)[what], what
    assert [c.index for c in recut] == sorted(c.index for c in recut)


@given(chunk_streams(), st.integers(1, 5))
def test_no_fragment_is_longer_than_asked(chunks: list[Chunk], size: int) -> None:
    """Under `N` no text of a delta has more than N code points."""
    recut = list(cut_chunks(parse_split(str(size)), chunks))
    assert max(map(len, text_pieces(recut)), default=0) <= size


@given(chunk_streams(), splits())
def test_recutting_twice_is_recutting_once(chunks: list[Chunk], split: Split) -> None:
    """A split that ignores the recorded cuts finds the same cuts again.

    Text only: an announcement and the bundles of several units are kept as sent.
    """
    if "recorded" in str(split):
        return
    first = list(cut_chunks(split, chunks))
    assert text_pieces(list(cut_chunks(split, first))) == text_pieces(first)


@cache
def as_recorded(number: int) -> tuple[dict[Any, Any], list[tuple[str, Any]]]:
    """Return what a recording says and in which order, before any split."""
    chunks = recordings()[number].chunks
    return said(chunks), order(chunks)


@needs_shared
@pytest.mark.parametrize("every", SHARES)
@pytest.mark.parametrize("split", SPLITS)
def test_every_recording_says_the_same(split: str, every: int) -> None:
    """All streams of the corpus survive each kind of split."""
    cut = parse_split(split)
    for number in range(SPLITS.index(split) % every, len(recordings()), every):
        recording = recordings()[number]
        recut = list(cut_chunks(cut, recording.chunks))
        assert (said(recut), order(recut)) == as_recorded(number), recording.name
        assert once(recut)["finish"] == once(recording.chunks)["finish"]
