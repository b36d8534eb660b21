"""Long runs of base64 are searched once, and what is around them as ever."""

from __future__ import annotations

import base64
import random

import pytest

from harness.redaction.config import Redaction
from harness.redaction.detectors import find_secrets
from harness.redaction.fragments import body_secrets
from harness.redaction.long_runs import KEPT, shortened
from harness.redaction.spans import merge

CORE = "q7Zt9wB2xK4mR8vN1pL6sD3f"
RANDOM = random.Random(11)
STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
RUNS = {
    "image": bytes(RANDOM.choices(STANDARD, k=6 * KEPT + 1)),
    "letters": b"QUJD" * 2 * KEPT,
    # Its first whole block has every character, so that a key's are no other.
    "mixed": b"QUJD" * (KEPT // 2) + STANDARD + b"-_" + b"QUJD" * 2 * KEPT,
    "text": base64.b64encode(b"nothing to be found in here. " * 1700),
    "two-alphabets": bytes(RANDOM.choices(b"abcdefgh-_+/", k=5 * KEPT)),
}
KEY = f"sk-proj-{CORE}".encode()
ENCODED = base64.b64encode(b"see " * KEPT + KEY + b" and " * KEPT)


def plain(body: bytes) -> list[tuple[tuple[int, int], ...]]:
    """Return where secrets stand if nothing is left out."""
    found = body_secrets(body, lambda text: merge(find_secrets(text)))
    return [secret.places for secret in found]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixed", "two-alphabets"])
@pytest.mark.parametrize(
    "form",
    [
        b'{"a": "%b"}',
        b'{"a": "%b", "password": "' + CORE.encode() + b'"}',
        b'{"a": "' + KEY + b'", "b": "%b"}',
        b'{"api_key": "' + CORE.encode() + b"%b" + CORE.encode() + b'"}',
        b"Authorization: Bearer " + CORE.encode() + b"%b",
        b'data: {"d": "x\\n%b\\n' + KEY + b'"}\n\ndata: {"d": "%b"}\n\n',
        b"%b/" + KEY,
        KEY + b"%b" + KEY,
        b"https://user:" + CORE.encode() + b"%b@host/?sig=" + CORE.encode() + b"%b",
        b'{"a": "%b' + ENCODED + b'", "b": "\\n' + ENCODED + b'"}',
    ],
    ids=range(10),
)
def test_what_is_found_around_a_long_run_stays_found(name: str, form: bytes) -> None:
    """As without the shortening, byte for byte."""
    body = form.replace(b"%b", RUNS[name])
    found = [secret.places for secret in Redaction().body_secrets(body)]
    assert found == plain(body)


@pytest.mark.parametrize("name", RUNS)
def test_a_long_run_is_left_out(name: str) -> None:
    """Where nothing of it can be found, all but its ends; and the way back holds."""
    body = b'{"a": "' + RUNS[name] + b'"}'
    short = shortened(body, lambda _: True)
    assert short is not None
    assert len(short.text) < len(body) - KEPT
    assert short.text[:KEPT] == body[:KEPT]
    assert short.raw(0, len(short.text)) == (0, len(body))
    cut = next(at for at in range(len(short.text)) if short.raw(at, at + 1)[0] > at)
    for start in (3, cut - 4, cut, cut + 9, len(short.text) - 9):
        first, last = short.raw(start, start + 4)
        assert body[first:last] == short.text[start : start + 4]
    first, last = short.raw(cut - 2, cut + 2)
    assert last - first == len(body) - len(short.text) + 4


@pytest.mark.parametrize("at", [KEPT // 2, 4 * KEPT + 5, 5 * KEPT, -KEPT // 2, -1])
@pytest.mark.parametrize(
    "secret", [KEY, b"Bearer+" + CORE.encode()], ids=["key", "bearer"]
)
def test_a_secret_within_a_long_run_is_found(secret: bytes, at: int) -> None:
    """In any of its blocks, behind what is no letter."""
    run = RUNS["mixed"]
    body = b'{"a": "' + run[:at] + b"/" + secret + b"/" + run[at:] + b'"}'
    spans = [span for places in plain(body) for span in places]
    found = [span for one in Redaction().body_secrets(body) for span in one.places]
    assert found == spans
    first = body.index(secret)
    assert any(start < first + len(secret) and first < end for start, end in found)


@pytest.mark.parametrize("at", [0, 2 * KEPT + 1, 3 * KEPT])
def test_a_secret_behind_a_long_run_is_found(at: int) -> None:
    """Base64 of text with a key in it goes as a whole, wherever the key is."""
    text = bytes(random.Random(3).choices(range(0x20, 0x5F), k=5 * KEPT))
    run = base64.b64encode(text[:at] + b" " + KEY + b" " + text[at:])
    [found] = Redaction().body_secrets(b'{"a": "\\n' + run + b'"}')
    assert found.value == run


def test_known_values_and_patterns_are_found_within_a_long_run() -> None:
    """What a project adds has no shape that could be relied on."""
    value = "walrusAndCarpenter"
    body = b'{"a": "' + RUNS["mixed"] + value.encode() + RUNS["mixed"] + b'"}'
    for rules, known in (
        (Redaction(), [value]),
        (Redaction(secrets=(value,)), []),
        (Redaction(patterns=("walrus[A-Za-z]{12}",)), []),
    ):
        [found] = rules.body_secrets(body, known)
        assert found.value == value.encode()


def test_a_key_shape_in_an_image_is_chance() -> None:
    """An image of many megabytes holds some; they are left, and cost no more."""
    run = RUNS["image"]
    for cut in range(4 * KEPT, 4 * KEPT + 80, 8):
        body = b'{"a": "' + run[:cut] + b"/AKIA" + b"Q3EGRHS5QX7ZLM2P/" + run[cut:]
        assert not Redaction().body_secrets(body + b'"}')
        chance = b"/AKIA" + b"Q3EGRHS5QX7ZLM2P/" + run[:60]
        with_key = body + chance + b"/" + KEY + b'"}'
        [found] = Redaction().body_secrets(with_key)  # of another alphabet: none
        assert found.value == KEY
