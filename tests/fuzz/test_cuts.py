"""The generator of cuts: exhaustive where it says so, and always the same text."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from harness.apis.chat.reader import ResponseAccumulator
from harness.fuzz.cuts import StreamCuts, byte_cuts, drawn_places, seeded, text_cuts
from harness.fuzz.hypothesis_draws import make, streams
from harness.fuzz.stock_streams import stock_streams, stock_texts


def test_every_one_cut_and_two_cut_of_short_texts_comes() -> None:
    """No place is left out, nor any pair of places."""
    text = '{"a": "\\n"}'
    cuts = set(text_cuts(text, seed=0, examples=0))
    for place in range(1, len(text)):
        assert (text[:place], text[place:]) in cuts
    for one, two in combinations(range(1, len(text)), 2):
        assert (text[:one], text[one:two], text[two:]) in cuts


def test_cut_texts_join_to_the_text() -> None:
    """Whatever the cuts, nothing is lost, added or moved."""
    for text in stock_texts("message").values():
        for cut in text_cuts(text, seed=3, examples=30):
            assert "".join(cut) == text


def test_cut_bytes_join_to_the_bytes() -> None:
    """So for bytes, where a character may be cut."""
    data = "data: é👋\r\n\r\n".encode()
    cuts = list(byte_cuts(data, seed=1, examples=20))
    assert all(b"".join(cut) == data for cut in cuts)
    assert any(cut[0].endswith(b"\xc3") for cut in cuts)


@pytest.mark.parametrize("most", [1, 2, 5, 6])
def test_places_are_drawn_evenly_and_their_number_on_a_log_scale(most: int) -> None:
    """Every choice of places comes, and as often as any other of as many."""
    places = [3 * number for number in range(most)]
    found: Counter[tuple[int, ...]] = Counter()
    for seed in range(9000):
        count = min(most, int(most ** seeded(seed).random()))
        drawn = drawn_places(seeded(seed), places)
        assert len(drawn) == count
        found[tuple(drawn)] += 1
    for count in range(1, max(2, most)):
        each = [found[some] for some in combinations(places, count)]
        mean = sum(each) / len(each)
        assert mean > 30
        assert all(abs(one - mean) < 4.5 * mean**0.5 for one in each)
    assert set().union(*found) == set(places)


@pytest.mark.slow
def test_cut_streams_say_the_same() -> None:
    """Every cut, merge and random cut of every stream says what the stream says."""
    made = make(streams(), 5, 20)
    for stream in [*stock_streams().values(), *made]:
        said = _said(stream)
        cuts = StreamCuts(stream)
        if not cuts.is_spliceable:
            continue
        for cut in [
            *cuts.every_one_cut(),
            *cuts.every_merge(),
            *cuts.random(seed=1, examples=10),
        ]:
            assert _said(cut) == said


def test_same_seed_makes_the_same_structures() -> None:
    """Hypothesis is asked in a way that depends on the number alone."""
    assert make(streams(), 7, 10) == make(streams(), 7, 10)
    assert make(streams(), 7, 10) != make(streams(), 8, 10)


def _said(stream: tuple[dict[str, object], ...]) -> object:
    accumulator = ResponseAccumulator()
    for payload in stream:
        accumulator.feed(payload)
    message = accumulator.message()
    calls = [(call.name, call.arguments) for call in message.calls]
    return message.content, message.reasoning, message.refusal, calls
