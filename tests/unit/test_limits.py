"""Limits: each set by its variable, named by its errors and listed in the docs."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]
import pytest

from harness.cassettes.bodies import BodyTooLargeError, body_bytes, decode
from harness.cassettes.load import load_cassette
from harness.core.sse import SSEDecoder
from harness.errors import CassetteError, SSEError, UsageError
from harness.limits import BODY, CASSETTE, EVENT, LIMITS, REQUEST_TIME, Limit
from tests.cli.running import ROOT

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from pathlib import Path

ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.variable)
def test_limits_are_set_by_their_variable_and_documented(
    limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default holds without it; a wrong value is refused; the docs list it."""
    assert limit.value == limit.default
    monkeypatch.setenv(limit.variable, "7")
    assert limit.value == limit.seconds == 7
    assert f"limit of 7 {limit.unit}; set {limit.variable} higher" in limit.problem
    for wrong in ("0", "-1", "x", "nan", "inf", "1 MB"):
        monkeypatch.setenv(limit.variable, wrong)
        with pytest.raises(UsageError, match=limit.variable):
            _ = limit.value
    page = (ROOT / "docs/pages/reference/cassette.md").read_text("utf-8")
    assert f"`{limit.variable}`" in page
    assert f"{limit.default:_}" in page


def test_times_may_be_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out of less than a second can be set."""
    monkeypatch.setenv(REQUEST_TIME.variable, "0.25")
    assert REQUEST_TIME.seconds == 0.25
    assert "limit of 0.25 s;" in REQUEST_TIME.problem


@pytest.mark.parametrize("size", [1, 999, 1000, 1001, 5000])
@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_bodies_are_unpacked_up_to_the_limit(
    coding: str, size: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many bytes as the limit come out whole, one more is an error, however cut."""
    monkeypatch.setenv(BODY.variable, "1000")
    body = bytes(number * number % 251 for number in range(size))
    packed = ENCODERS[coding](body)
    sizes = [len(packed[at : at + piece]) for at in range(0, len(packed), piece)]
    if size > 1000:
        with pytest.raises(BodyTooLargeError, match=BODY.variable):
            decode(packed, coding, sizes)
    else:
        assert decode(packed, coding, sizes).body == body


def test_bodies_in_parts_are_joined_up_to_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Aliases that repeat one text do not fill the memory."""
    monkeypatch.setenv(BODY.variable, "1000")
    assert len(body_bytes(["x" * 100] * 10)) == 1000
    for value in (["x" * 100] * 10**7, "x" * 1001, b"x" * 1001):
        with pytest.raises(BodyTooLargeError):
            body_bytes(value)


def test_events_are_taken_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer event is refused with the name of its limit."""
    monkeypatch.setenv(EVENT.variable, "100")
    assert len(SSEDecoder().feed(b"data:" + b"x" * 95 + b"\n\n")) == 1
    with pytest.raises(SSEError, match=EVENT.variable):
        SSEDecoder().feed(b"data:" + b"x" * 96 + b"\n\n")


@pytest.mark.parametrize("name", ["c.json", "c.yaml"])
def test_cassettes_are_loaded_up_to_the_limit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of more text, or whose bodies are more together, is an error of ours."""
    status = {"code": 200}
    one = {
        "request": {"method": "GET", "uri": "http://h/"},
        "response": {"status": status, "body": {"string": "x" * 50_000}},
    }
    path = tmp_path / name
    text = json.dumps({"interactions": [one] * 2})
    path.write_text(text if name == "c.json" else text.replace("{", "{ ", 1))
    assert len(load_cassette(path).exchanges) == 2
    for limit in (len(text) - 10, 101_000):
        monkeypatch.setenv(CASSETTE.variable, str(limit))
        with pytest.raises(CassetteError, match=CASSETTE.variable):
            load_cassette(path)
