"""Secrets in the messages of AWS's event stream: none stays, and a client reads it."""

from __future__ import annotations

import json
from struct import pack
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from harness.apis.base import WrittenEvent
from harness.apis.framing import Framing
from harness.core.aws_event_stream import AWSEventStreamDecoder
from harness.redaction.redact import Redaction
from harness.redaction.replacements import mark
from tests.unit.store.secrets_planted import CORE, KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = Redaction()
KEY = KEYS["openai"]
PIECES = ["It is ", *(KEY[at : at + 4] for at in range(0, len(KEY), 4)), "."]


def invoked(pieces: list[str]) -> bytes:
    """Return what `InvokeModel` streams: the events of the model's API, in base64."""
    events = [WrittenEvent("", {"delta": {"text": piece}}) for piece in pieces]
    return b"".join(Framing(is_binary=True, has_done=False).encode(events))


def conversed(pieces: list[str]) -> bytes:
    """Return what `Converse` streams: JSON as it is, and a header of no text."""
    return b"".join(
        message(b"\x01n\x04\0\0\0\1", json.dumps({"delta": {"text": piece}}).encode())
        for piece in pieces
    )


def message(headers: bytes, payload: bytes) -> bytes:
    """Return one message."""
    prelude = pack(">II", len(headers) + len(payload) + 16, len(headers))
    whole = prelude + pack(">I", crc32(prelude)) + headers + payload
    return whole + pack(">I", crc32(whole))


def read(body: bytes) -> str:
    """Return the text, read by the decoder, which checks every checksum."""
    decoder = AWSEventStreamDecoder()
    events = [*decoder.feed(body), *decoder.close()]
    assert decoder.stray == []
    return "".join(json.loads(event.data)["delta"]["text"] for event in events)


@pytest.mark.parametrize("form", [invoked, conversed])
def test_key_in_pieces_is_gone_from_binary_messages(form: Callable[..., bytes]) -> None:
    """Wherever it is cut; length and checksums fit, and what has none is as it was."""
    body = form(PIECES)
    redacted = RULES.body(body)
    assert read(redacted) == f"It is {mark(len(KEY)).decode()}."
    assert len(redacted) == len(body)
    assert RULES.body(redacted) == redacted
    [secret] = RULES.body_secrets(body)
    assert secret.value == KEY.encode()
    start, end = secret.places[0]
    assert 0 < start < end < len(body)
    assert RULES.body_secrets(redacted) == []
    assert RULES.body(form(["Hi", " there"])) == form(["Hi", " there"])


@pytest.mark.parametrize("form", [invoked, conversed])
def test_binary_messages_cut_off_anywhere_hold_no_key(
    form: Callable[..., bytes],
) -> None:
    """What there is of the last message is searched as it stands."""
    body = form(["It is ", KEY, "."])
    for size in range(12, len(body)):
        redacted = RULES.body(body[:size])
        assert len(redacted) == size
        assert not any(CORE[at : at + 8].encode() in redacted for at in range(9, 28))


def test_key_in_a_header_or_beside_wrong_checksums_is_gone() -> None:
    """An error's text stands in a header; a checksum that was wrong is only kept."""
    name, text = b":error-message", f"bad key {KEY}".encode()
    headers = bytes([len(name)]) + name + b"\x07" + pack(">H", len(text)) + text
    body = message(headers, b"{}")
    assert KEY[-9:].encode() not in RULES.body(body)
    wrong = conversed(["Hi"])[:-1] + b"\0"
    assert RULES.body(wrong) == wrong
