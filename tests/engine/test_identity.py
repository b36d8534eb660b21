"""Ids and dates come from the recording and from nothing else."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime

import pytest

from harness.engine.identity import EPOCH, ExchangeIdentity, date_of


def test_message_id_is_a_stable_uuid5() -> None:
    """The ids of recordings never change: this one is written down here."""
    found = ExchangeIdentity(0, b"data: {}\n\n").message_id()
    assert re.fullmatch(r"message-[0-9a-f-]{36}", found)
    made = uuid.UUID(found.removeprefix("message-"))
    assert made.version == 5
    namespace = uuid.UUID("6f1b0a0c-3f0e-5d2b-9a51-2f6f1c9f7c11")
    digest = hashlib.sha256(b"data: {}\n\n").hexdigest()
    assert made == uuid.uuid5(namespace, f"0:response:{digest}")


def test_ids_differ_by_number_content_and_part() -> None:
    """Each of the three makes another id, and the same three make the same."""
    ids = {
        ExchangeIdentity(number, content).message_id(part)
        for number in (0, 1, 10)
        for content in (b"", b"a", b"b")
        for part in ("response", "call-1", "call-11", "result-0")
    }
    assert len(ids) == 3 * 3 * 4
    assert ExchangeIdentity(1, b"a").message_id("call-1") in ids
    assert ExchangeIdentity(1, b"a").message_id() == ExchangeIdentity(
        1, b"a"
    ).message_id("response")


def test_a_late_id_is_the_same_id() -> None:
    """Whenever it is read, and for all parts of one exchange."""
    late = ExchangeIdentity(1, b"a", is_late=True)
    first, other = late.message_id(), late.message_id("call-1")
    assert type(first) is not str
    for part, made in (("call-1", other), ("response", first), ("call-1", other)):
        assert str(made) == ExchangeIdentity(1, b"a").message_id(part)
    assert late.message_id() is first


def test_calls_without_id_are_named_by_exchange_and_position() -> None:
    """`call_<exchange>_<n>`, as the prefix that a streaming interface is told."""
    identity = ExchangeIdentity(3, b"x")
    assert identity.call_id(0) == "call_3_0"
    assert identity.call_id(12) == f"{identity.call_prefix}_12"


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (1700000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1700000000.5, datetime(2023, 11, 14, 22, 13, 20, 500000, tzinfo=UTC)),
        (1, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        (0, EPOCH),
        (-1, EPOCH),
        (1700000000000, EPOCH),  # milliseconds: no calendar has that year
        (1e300, EPOCH),
        (float("inf"), EPOCH),
        (float("nan"), EPOCH),
    ],
)
def test_date_is_utc_or_the_epoch(created: float, expected: datetime) -> None:
    """What no calendar holds is the epoch, and nothing raises."""
    assert date_of(created) == expected
    assert date_of(created).tzinfo is UTC
