"""The Responses reader whatever comes: garbage, planted texts, cuts."""

from __future__ import annotations

import random

import pytest

from harness.apis.base import Event
from harness.apis.responses.known_fields import (
    ANY_EVENT,
    EVENTS,
    ITEMS,
    PARTS,
    RESPONSE,
)
from harness.apis.responses.reader import Reader
from tests import responses_garbage
from tests.responses_streams import (
    copy_of,
    events_of,
    path_of,
    plain,
    read,
    recordings,
    replaced,
    strings,
    texts_in,
)
from tests.shared import needs_shared

# -- Properties ---------------------------------------------------------------------


_INNER = (
    ("response.output[].content[].", tuple(PARTS.values())),
    ("response.output[].summary[].", tuple(PARTS.values())),
    ("response.output[].", tuple(ITEMS.values())),
    ("response.", (RESPONSE,)),
    ("item.content[].", tuple(PARTS.values())),
    ("item.summary[].", tuple(PARTS.values())),
    ("item.", tuple(ITEMS.values())),
    ("part.", tuple(PARTS.values())),
)
"""Where an event holds objects that have tables of their own; the longest first."""


def meaning(kind: str, path: str) -> str:
    """Return what the table of an event's type has of a path; empty if nothing."""
    if kind not in EVENTS:
        return ANY_EVENT.meaning(path)
    for start, tables in _INNER:
        if path.startswith(start):
            below = path[len(start) :]
            found = next(filter(None, (t.meaning(below) for t in tables)), "")
            if found:
                return found
    return EVENTS[kind].meaning(path)


def test_garbage_raises_nothing() -> None:
    """A thousand mutated events; `python -m tests.responses_garbage` does more."""
    assert responses_garbage.run(1000, seed=3) > 1000


@needs_shared
@pytest.mark.parametrize(
    "share",
    [
        pytest.param(100, id="a hundredth"),
        pytest.param(20, id="a twentieth", marks=pytest.mark.slow),
        pytest.param(1, id="all", marks=pytest.mark.campaign),  # a minute
    ],
)
def test_no_text_is_lost(share: int) -> None:
    """A text planted in any leaf of a recorded event comes out, or its field is known.

    Only the altered event is fed, to a copy of the state before it.
    """
    rng = random.Random(11)
    planted = 0
    for found in recordings():
        reader = Reader()
        for sent in found.events:
            for place, _ in texts_in(sent.payload):
                known = meaning(sent.payload["type"], path_of(place))
                if known and not known.startswith("carried") and place != ("type",):
                    continue
                if rng.randrange(share):
                    continue
                mark = f"PLANTED{planted}"
                planted += 1
                reading = copy_of(reader)
                payload = replaced(sent.payload, place, mark)
                parts = reading.feed(Event(sent.index, sent.name, payload))
                parts += reading.close()
                texts = (text for part in parts for text in strings(part))
                assert any(mark in text for text in texts), (found.name, place)
            reader.feed(sent)
    assert planted > 20_000 / share


def test_cuts_change_nothing() -> None:
    """Byte by byte and at pairs of cuts of one recorded stream: the same parts."""
    found = next(r for r in recordings() if 1000 < len(r.body) < 9000)
    body = found.body
    expected = plain(read(events_of(body)))
    single = [body[n : n + 1] for n in range(len(body))]
    assert plain(read(events_of(body, single))) == expected
    rng = random.Random(5)
    for _ in range(100):
        one, two = sorted(rng.randrange(len(body)) for _ in range(2))
        pieces = [body[:one], body[one:two], body[two:]]
        assert plain(read(events_of(body, pieces))) == expected
