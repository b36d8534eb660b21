"""A key planted in pieces in every slot of recorded streams: none stays."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.load import load_cassette
from harness.cassettes.model import Cassette, Exchange, Request, Response
from harness.errors import CassetteError
from harness.redaction.redact import Redaction, redact_exchange
from harness.redaction.scan import scan_cassette
from tests.shared import HAS_CORPUS, SHARED, corpus_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
TELLING = re.compile(r"type|object|role|.*id|.*Id|.*index|event")
"""Fields that tell texts apart; with a key in them, it would be another stream."""


def recordings() -> list[Path]:
    """Return every recording of every API, in a stable order."""
    protocols = sorted((SHARED / "protocols").rglob("*.y*ml"))
    return [*corpus_files(), *protocols]


def events(body: bytes) -> list[Any] | None:
    """Return the events of a stream, or None if it is none."""
    lines = re.findall(rb"^data: ?(.*?)\r?$", body, re.MULTILINE)
    try:
        values = [json.loads(line) for line in lines if line.strip()[:1] == b"{"]
    except ValueError:
        return None
    return values if len(values) > 1 else None


def leaves(value: Any, slot: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the slot, container and key of each text: a reader of its own.

    A slot is a path; the number in an object stands for its position in an array.
    """
    items = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, dict):
        slot = (*slot, *[v for k, v in value.items() if re.fullmatch(r".*index", k)])
        slot = (*slot, value["type"]) if "type" in value and len(slot) < 4 else slot
    for key, item in items:
        is_told = isinstance(item, dict) and "index" in item
        place = (*slot, "[]" if isinstance(key, int) and is_told else key)
        if isinstance(item, dict | list):
            yield from leaves(item, place)
        elif isinstance(item, str) and not TELLING.fullmatch(str(key)):
            yield place, value, key


def slots_of(stream: list[Any]) -> dict[Any, list[tuple[Any, Any]]]:
    """Return the places of the texts of a stream by their slot."""
    found: dict[Any, list[tuple[Any, Any]]] = {}
    for event in stream:
        for slot, container, key in leaves(event):
            found.setdefault(slot, []).append((container, key))
    return found


def planted(stream: list[Any], drawn: random.Random) -> dict[Any, str]:
    """Write a key of its own into each slot, in as many pieces as there is room for."""
    keys = {}
    for slot, places in slots_of(stream).items():
        key = "s" + "k-" + "".join(drawn.choices(LETTERS, k=40))
        count = min(len(places), drawn.randint(2, 12))
        cuts = sorted(drawn.sample(range(1, len(key)), count - 1))
        edges = [0, *cuts, len(key)]
        for number, (container, name) in enumerate(places[:count]):
            piece = key[edges[number] : edges[number + 1]]
            container[name] = " " * (not number) + piece + " " * (number == count - 1)
        keys[slot] = key
    return keys


def check(body: bytes, seed: int) -> int:
    """Plant, redact, and look for what is left; return how many keys were planted."""
    stream = events(body)
    if stream is None:
        return 0
    keys = planted(stream, random.Random(seed))
    written = b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in stream)
    exchange = Exchange(
        0, Request("POST", "http://h/", {}), Response(200, body=written)
    )
    redacted = redact_exchange(exchange).response.body
    assert len(redacted) == len(written)
    after = events(redacted)
    assert after is not None
    texts = {
        slot: "".join(container[key] for container, key in places)
        for slot, places in slots_of(after).items()
    }
    for slot, key in keys.items():
        text = texts[slot] + "\0" + redacted.decode()
        rest = [
            key[i : i + 8] for i in range(3, len(key) - 7) if key[i : i + 8] in text
        ]
        assert rest == [], slot
    found = {secret.value.decode() for secret in Redaction().body_secrets(written)}
    assert [slot for slot, key in keys.items() if key not in "\0".join(found)] == []
    assert len(scan_cassette(Cassette("-", [exchange]))) >= len(keys)
    return len(keys)


@pytest.mark.parametrize(
    "every",
    [
        120,
        pytest.param(5, marks=pytest.mark.slow),
        pytest.param(1, marks=pytest.mark.campaign),  # two minutes
    ],
)
def test_key_in_every_slot_of_recorded_streams_is_gone_and_found(every: int) -> None:
    """Whatever API was recorded: each text of a stream holds a key, and then none."""
    count = 0
    for number, path in enumerate(recordings()[::every]):
        try:
            cassette = load_cassette(path)
        except CassetteError:
            continue  # broken on purpose, see test_reading.py
        for exchange in cassette.exchanges:
            count += check(exchange.response.body, number)
    assert count > (2000 if HAS_CORPUS else 200) / every
