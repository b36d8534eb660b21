"""Words that tell where a search begins, at the borders of pieces and in long texts."""

from __future__ import annotations

import pytest

from harness.redaction.detectors import find_secrets
from harness.redaction.keywords import _PIECE, Words
from harness.redaction.named_values import Names

VALUE = b"Zx9k2mQ7vL4p"
LINES = {
    "name": b'{"db_password": "%b"}' % VALUE,
    "two words": b"seed phrase: %b!" % VALUE,
    "qualified": b"API_KEY_PROD=%b" % VALUE,
    "command": b"vault login %b" % VALUE,
    "item": b'["mysql", "-p%b"]' % VALUE,
    "foreign": "\u5bc6\u7801\uff1a".encode() + VALUE,
    "table": b"\nid,password\n1,%b\n" % VALUE,
}


def found(text: bytes, names: Names | None = None) -> set[bytes]:
    """Return what is found in a text."""
    spans = find_secrets(text, names or Names())
    return {text[start:end] for start, end, _ in spans}


@pytest.mark.parametrize("name", LINES)
def test_nothing_is_lost_between_two_pieces(name: str) -> None:
    """Wherever the border is in a line, its value is found."""
    line = LINES[name]
    assert any(VALUE in value for value in found(line))
    filler = b"words of no use\n" * (_PIECE // 16 + 1)
    for cut in range(0, len(line) + 1, 3):
        text = filler[: _PIECE - cut - 1] + b"\n" + line
        assert any(VALUE in value for value in found(text)), cut


def test_tables_and_commands_are_found_in_all_of_a_long_text() -> None:
    """However much stands before them."""
    text = b"words of no use\n" * (270_000) + b"\n".join(LINES.values())
    assert len(text) > 4 << 20
    values = [text[start:end] for start, end, _ in find_secrets(text)]
    assert sum(VALUE in value for value in values) >= len(LINES)


@pytest.mark.parametrize("name", ["x-tenant", "tenant", "2fa_seed", "_own"])
def test_more_names_are_found_whatever_they_begin_with(name: str) -> None:
    """A name that a project adds counts, with or without a letter in front."""
    names = Names(deny=frozenset({name}))
    written = name.encode()
    assert VALUE in found(b'{"%b": "%b"}' % (written, VALUE), names)
    assert VALUE not in found(b'{"%b": "%b"}' % (written, VALUE))


def test_word_is_where_it_stands_alone() -> None:
    """Letters within a longer word are not its end; each place is given once."""
    text = b"key keyboard monkey: key_id token2 \\npassword"
    assert Words(text).names == [0, 16, 21, 28, 37]


@pytest.mark.parametrize(
    ("before", "is_there"), [("", True), ("> ", True), ("sub", False)]
)
def test_a_carrier_begins_where_a_word_does(before: str, *, is_there: bool) -> None:
    """`net user` is a command, `subnet user` is not."""
    found = Words(f"{before}net user anna".encode()).carriers()
    assert (b"net user" in {carrier.literal for carrier, _ in found}) == is_there
