"""The split helper is itself tested: one that cuts nothing would pass everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import SSEError
from tests.splitting import check_prefixes, every_cut, same_for_every_cut

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_every_cut_of_text_names_and_gives_each_way() -> None:
    """Three characters give whole, single, spaced and the two cuts in two."""
    assert list(every_cut("aé🙂")) == [
        ("whole", ["aé🙂"]),
        ("unit by unit", ["a", "é", "🙂"]),
        ("unit by unit with empty pieces between", ["", "a", "", "é", "", "🙂", ""]),
        ("cut at 1", ["a", "é🙂"]),
        ("cut at 2", ["aé", "🙂"]),
    ]


def test_every_cut_of_bytes_cuts_inside_a_character() -> None:
    """Bytes are cut between bytes, and every way still joins to the whole."""
    data = "é!".encode()
    ways = [pieces for _, pieces in every_cut(data)]
    assert [b"\xc3", b"\xa9!"] in ways
    assert all(b"".join(pieces) == data for pieces in ways)
    assert len(ways) == len(data) + 2


@pytest.mark.parametrize("data", [b"", b"x"])
def test_every_cut_of_almost_nothing_is_still_fed(data: bytes) -> None:
    """Empty and one-unit input have no cut in two, yet are fed."""
    names = [name for name, _ in every_cut(data)]
    assert names == ["whole", "unit by unit", "unit by unit with empty pieces between"]


def test_same_for_every_cut_returns_the_result_of_the_whole() -> None:
    """A decoder that joins its pieces passes and its result comes back."""
    assert same_for_every_cut(lambda pieces: "".join(pieces).upper(), "abc") == "ABC"


@pytest.mark.parametrize(
    ("decode", "name"),
    [
        pytest.param(lambda pieces: len(pieces[0]) > 1, "unit by unit", id="units"),
        pytest.param(lambda pieces: b"" in pieces, "empty pieces", id="empty"),
        pytest.param(lambda pieces: pieces == [b"ab", b"cd"], "cut at 2", id="cut"),
    ],
)
def test_same_for_every_cut_fails_a_decoder_that_depends_on_cuts(
    decode: object, name: str
) -> None:
    """A decoder that a single way betrays is caught, and the way is named."""
    assert callable(decode)
    with pytest.raises(AssertionError, match=name):
        same_for_every_cut(decode, b"abcd")


def _closing(pieces: Sequence[str]) -> str:
    text = "".join(pieces)
    if text.count("(") != text.count(")"):
        raise SSEError("unclosed", byte_offset=len(text))
    return text


def test_check_prefixes_counts_the_refused_ones() -> None:
    """`(a)` is refused after one and two characters, not after none or three."""
    assert check_prefixes(_closing, "(a)") == 2


def test_check_prefixes_lets_no_other_error_pass() -> None:
    """An exception that is no `ProtocolError` comes out of the check."""
    with pytest.raises(IndexError):
        check_prefixes(lambda pieces: "".join(pieces)[2], "abc")


def test_check_prefixes_compares_whole_with_unit_by_unit() -> None:
    """A prefix that decodes differently when it trickles in is caught."""
    with pytest.raises(AssertionError, match="cut short at 2"):
        check_prefixes(lambda pieces: max(map(len, pieces), default=0), "abc")
