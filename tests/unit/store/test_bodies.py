"""Content encodings undone: exact bytes, wire chunks kept, damage named."""

from __future__ import annotations

import base64
import gzip
import itertools
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cassettes import bodies
from harness.cassettes.bodies import BodyError, decode
from harness.cassettes.model import Ending, WireChunk
from harness.errors import CassetteCorruptError
from tests.unit.store.recordings import STREAM, document, interaction, load

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLAIN = (STREAM * 20).encode()


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _brotli(data: bytes) -> bytes:
    return pytest.importorskip("brotli").compress(data)  # type: ignore[no-any-return]


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "DEFLATE": _raw_deflate,
    "br": _brotli,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("coding", PACKERS)
@pytest.mark.parametrize("is_base64", [False, True], ids=["bytes", "base64"])
def test_encoded_body_in_a_cassette_is_decoded(
    tmp_path: Path, coding: str, is_base64: bool
) -> None:
    """What the server compressed comes out as the client's code saw it."""
    packed = PACKERS[coding](PLAIN)
    assert packed != PLAIN
    body: Any = {"string": packed}
    if is_base64:
        body = {"base64_string": base64.b64encode(packed).decode()}
    recorded = interaction(headers={"Content-Encoding": [coding]})
    recorded["response"]["body"] = body
    doc = document(recorded)
    assert load(tmp_path, doc).exchanges[0].response.body == PLAIN


@pytest.mark.parametrize("coding", [*PACKERS, "identity", "unheard-of"])
def test_body_that_is_plain_despite_its_header_is_kept(coding: str) -> None:
    """Recorders that decode leave the header behind: the body is taken as it is."""
    assert decode(PLAIN, coding).body == PLAIN


def test_two_encodings_are_undone_in_reverse() -> None:
    """The last encoding applied is the first undone."""
    assert decode(gzip.compress(zlib.compress(PLAIN)), "deflate, gzip").body == PLAIN


def test_gzip_members_in_a_row_are_one_body() -> None:
    """Servers may flush a stream as several gzip members (RFC 1952, 2.2)."""
    data = gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:])
    assert decode(data, "gzip").body == PLAIN


@given(
    cuts=st.lists(st.integers(0, 400), max_size=6),
    coding=st.sampled_from(["gzip", "deflate"]),
)
def test_wire_chunks_of_a_compressed_body_keep_what_they_brought(
    cuts: list[int], coding: str
) -> None:
    """However it was cut, each piece's decoded length is told and nothing is lost."""
    packed = PACKERS[coding](PLAIN)
    edges = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    sizes = [b - a for a, b in itertools.pairwise(edges)]
    decoded = decode(packed, coding, sizes)
    assert decoded.body == PLAIN
    assert len(decoded.sizes) == len(sizes)
    assert sum(decoded.sizes) == len(PLAIN)
    first = zlib.decompressobj(47).decompress(packed[: sizes[0]])
    assert decoded.sizes[0] == len(first)


def test_stream_key_may_count_stored_or_decoded_bytes(tmp_path: Path) -> None:
    """Byte counts that add up to the stored or to the decoded length are both true."""
    packed = gzip.compress(PLAIN)
    headers = {"content-encoding": ["gzip"]}
    doc = document(
        interaction(
            packed, headers=headers, stream={"chunks": [[0, 12], [1, len(packed) - 12]]}
        ),
        interaction(
            packed, headers=headers, stream={"chunks": [[0, 5], [1, len(PLAIN) - 5]]}
        ),
    )
    stored, decoded = load(tmp_path, doc).exchanges
    assert stored.response.wire is not None
    assert [c.seconds for c in stored.response.wire] == [0.0, 1.0]
    assert sum(c.size for c in stored.response.wire) == len(PLAIN)
    assert decoded.response.wire == [WireChunk(0.0, 5), WireChunk(1.0, len(PLAIN) - 5)]


def test_compressed_body_that_ends_early_is_an_error_ending(tmp_path: Path) -> None:
    """What can be decoded is kept, and the ending says that the rest is missing."""
    packed = gzip.compress(PLAIN)[:-30]
    headers = {"content-encoding": ["gzip"]}
    doc = document(
        interaction(packed, headers=headers),
        interaction(packed, headers=headers, stream={"ended": "closed"}),
    )
    cut, closed = load(tmp_path, doc).exchanges
    assert PLAIN.startswith(cut.response.body)
    assert cut.response.body
    assert cut.response.ended == Ending(
        "error", "ContentDecodingError", "the compressed body ends early"
    )
    assert closed.response.ended == Ending("closed")


def test_damaged_compressed_body_is_named(tmp_path: Path) -> None:
    """Compressed bytes that are wrong in the middle are an error that says where."""
    packed = bytearray(gzip.compress(PLAIN))
    packed[12:40] = b"\xff" * 28
    doc = document(interaction(bytes(packed), headers={"content-encoding": ["gzip"]}))
    with pytest.raises(CassetteCorruptError, match=r"exchange 0: .*damaged: gzip"):
        load(tmp_path, doc)


def test_unknown_encoding_of_binary_data_is_named() -> None:
    """An encoding nobody knows is an error only where the body is not plain."""
    with pytest.raises(BodyError, match="unknown content-encoding 'unheard-of'"):
        decode(b"\xff\xfe\x00", "unheard-of")


@pytest.mark.parametrize(
    ("coding", "body", "package"),
    [
        ("br", b"\x8b\x02\x80hi\x03", "brotli"),
        ("zstd", b"\x28\xb5\x2f\xfd\x00", "backports.zstd"),
    ],
)
def test_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, coding: str, body: bytes, package: str
) -> None:
    """Without the optional package the error says which one to install."""
    monkeypatch.setattr(bodies, "_imported", lambda name: None)
    with pytest.raises(BodyError, match=f"pip install {package}"):
        decode(body, coding)
