"""Framing of JSON values one rule at a time, each example cut in every way."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import json_stream
from harness.core.json_stream import JSONStreamDecoder
from harness.errors import SSEError, StateError
from tests.splitting import check_prefixes, same_for_every_cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.core.sse import SSEEvent

_BOM = b"\xef\xbb\xbf"


def decode(pieces: Sequence[bytes]) -> list[SSEEvent]:
    """Feed the pieces to a new decoder and close it."""
    decoder = JSONStreamDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    assert all(event.is_complete for event in events)
    return events + decoder.close()


class Case(NamedTuple):
    """A stream and its values as (raw, offset, is complete)."""

    id: str
    stream: bytes
    expected: list[tuple[bytes, int, bool]]


CASES = [
    Case("nothing", b"", []),
    Case("white-space-only", b" \r\n\t\n", []),
    Case("lines", b'{"a":1}\n{"a":2}\n', [
        (b'{"a":1}', 0, True),
        (b'{"a":2}', 8, True),
    ]),
    Case("lines-crlf-and-blank", b'{"a":1}\r\n\r\n{"a":2}\r\n', [
        (b'{"a":1}', 0, True),
        (b'{"a":2}', 11, True),
    ]),
    Case("last-line-without-its-end", b'{"a":1}\n{"a":2}', [
        (b'{"a":1}', 0, True),
        (b'{"a":2}', 8, True),
    ]),
    Case("array-on-one-line", b'[{"a":[1]}, {"b":[]}]', [
        (b'{"a":[1]}', 1, True),
        (b'{"b":[]}', 12, True),
    ]),
    Case("array-as-google-writes-it", b'[{\n  "a": 1\n}\r\n,\r\n{\n  "b": {}\n}\r\n]', [
        (b'{\n  "a": 1\n}', 1, True),
        (b'{\n  "b": {}\n}', 18, True),
    ]),
    Case("empty-array", b"[]\n", []),
    Case("array-of-one-error", b'[{"error": {"code": 400}}]', [
        (b'{"error": {"code": 400}}', 1, True),
    ]),
    Case("arrays-in-the-array", b"[[1,[2]],[]]", [
        (b"[1,[2]]", 1, True),
        (b"[]", 9, True),
    ]),
    Case("objects-in-a-row", b'{\n"a": [\n{\n}\n,\n{}\n]\n}{}\n{}', [
        (b'{\n"a": [\n{\n}\n,\n{}\n]\n}', 0, True),
        (b"{}", 21, True),
        (b"{}", 24, True),
    ]),
    Case("brackets-in-texts", b'{"}{":"[\\"}"}{"\\\\":"]"}', [
        (b'{"}{":"[\\"}"}', 0, True),
        (b'{"\\\\":"]"}', 13, True),
    ]),
    Case("line-separators-are-text", '{"a":"\u2028\u2029\x85"}\n'.encode(), [
        ('{"a":"\u2028\u2029\x85"}'.encode(), 0, True),
    ]),
    Case("bytes-that-are-no-utf-8", b'{"a":"\xff\xe2\x82"}', [
        (b'{"a":"\xff\xe2\x82"}', 0, True),
    ]),
    Case("bom", _BOM + b"{}", [(b"{}", 3, True)]),
    Case("half-a-bom", _BOM[:2], [(_BOM[:2], 0, False)]),
    Case("record-separators", b"\x1e{}\n\x1e{}\n", [
        (b"{}", 1, True),
        (b"{}", 5, True),
    ]),
    Case("items-without-brackets", b'[1, "a,]b" ,null]', [
        (b"1", 1, True),
        (b'"a,]b"', 4, True),
        (b"null", 12, True),
    ]),
    Case("lines-without-brackets", b'1\n"a, b"\ntrue', [
        (b"1", 0, True),
        (b'"a, b"', 2, True),
        (b"true", 9, False),
    ]),
    # -- Damage --
    Case("cut-in-a-text", b'{"a":1}\n{"b": "x', [
        (b'{"a":1}', 0, True),
        (b'{"b": "x', 8, False),
    ]),
    Case("cut-after-a-backslash", b'{"b": "x\\', [(b'{"b": "x\\', 0, False)]),
    Case("array-never-closed", b'[{"a":1},\n', [(b'{"a":1}', 1, True)]),
    Case("half-a-line-in-between", b'{"a": {"b": "c\n{"d": 1}\n', [
        (b'{"a": {"b": "c', 0, True),
        (b'{"d": 1}', 15, True),
    ]),
    Case("half-a-line-cut-after-a-comma", b'{"a": 1,\n{"d": 1}\n', [
        (b'{"a": 1,', 0, True),
        (b'{"d": 1}', 9, True),
    ]),
    Case("object-never-closed-in-the-array", b'[{\n "a": {\n},\n{"b": 1}]', [
        (b'{\n "a": {\n},', 1, True),
        (b'{"b": 1}', 14, True),
    ]),
    Case("indented-item-never-closed", b'[\n  {\n    "a": {}\n  ,\n  {}\n]', [
        (b'{\n    "a": {}\n  ,', 4, True),
        (b"{}", 24, True),
    ]),
    Case("comma-missing-further-in", b'{\n "a": [\n  {}\n  {}\n ]\n}\n{}', [
        (b'{\n "a": [\n  {}\n  {}\n ]\n}', 0, True),
        (b"{}", 25, True),
    ]),
    Case("brace-too-many-inside-a-line", b'[        {\n"a" {}\n1 {}\n}, {}]', [
        (b'{\n"a" {}\n1 {}\n}', 9, True),
        (b"{}", 26, True),
    ]),
    Case("array-never-closed-inside", b'{"a": [1, {}\n}\n{"b": 1}', [
        (b'{"a": [1, {}\n}', 0, True),
        (b'{"b": 1}', 15, True),
    ]),
    Case("bracket-of-the-wrong-kind", b'[{"a":1]\n{"b":2}\n', [
        (b'{"a":1', 1, True),
        (b'{"b":2}', 9, True),
    ]),
    Case("bracket-that-closes-nothing", b'{"a":1]}\n}\n{}\n', [
        (b'{"a":1]}', 0, True),
        (b"}", 9, True),
        (b"{}", 11, True),
    ]),
    Case("brace-that-closes-nothing", b"[[1}, 2], {}]", [
        (b"[1}, 2]", 1, True),
        (b"{}", 10, True),
    ]),
    Case("quote-missing", b'{"a: 1}\n{"b": 2}\n', [
        (b'{"a: 1}', 0, True),
        (b'{"b": 2}', 8, True),
    ]),
    Case("backslash-before-the-line-end", b'{"a: \\\n}\n{"b": 2}\n', [
        (b'{"a: \\\n}', 0, True),
        (b'{"b": 2}', 9, True),
    ]),
    Case("plain-text-in-between", b'{}\nupstream {timed, out}\n{}\n', [
        (b"{}", 0, True),
        (b"upstream {timed, out}", 3, True),
        (b"{}", 25, True),
    ]),
    Case("plain-text-in-the-array", b"[{}, oops {}, \"x\n,{}]", [
        (b"{}", 1, True),
        (b"oops", 5, True),
        (b"{}", 10, True),
        (b'"x', 14, True),
        (b"{}", 18, True),
    ]),
    Case("no-json-at-all", b"data: {}\n\n", [(b"data: {}", 0, True)]),
    Case("done-marker", b"{}\n[DONE]\n", [(b"{}", 0, True), (b"DONE", 4, True)]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_stream_gives_its_values_whatever_the_cuts(case: Case) -> None:
    """Bytes, offset and completeness are the same for each cut."""
    events = same_for_every_cut(decode, case.stream)
    assert [(e.raw, e.byte_offset, e.is_complete) for e in events] == case.expected
    assert all(case.stream[e.byte_offset :].startswith(e.raw) for e in events)
    assert check_prefixes(decode, case.stream) == 0


# -- Against json.loads --------------------------------------------------------------

_TEXTS = st.text(st.sampled_from('ab"\\{}[],: \n\u2028é🙂'), max_size=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)
_OBJECTS = st.lists(st.dictionaries(_TEXTS, _VALUES, max_size=3), max_size=4)


def _dumps(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


_FORMS: dict[str, Callable[[Any], str]] = {
    "array": _dumps,
    "array indented": lambda values: _dumps(values, 2),
    "array without indent": lambda values: _dumps(values, 0),
    "array as Google writes it": lambda values: (
        "[" + "\n,\r\n".join(_dumps(v, 2) for v in values) + "\n]"
    ),
    "lines": lambda values: "".join(_dumps(v) + "\n" for v in values),
    "lines crlf": lambda values: "\r\n".join(_dumps(v) for v in values),
    "jq": lambda values: "".join(_dumps(v, 2) + "\n" for v in values),
    "jq without indent": lambda values: "".join(_dumps(v, 0) + "\n" for v in values),
    "nothing between": lambda values: "".join(map(_dumps, values)),
}


@given(_OBJECTS, st.data())
@settings(max_examples=30, deadline=None)
def test_every_form_gives_what_json_reads(
    values: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Objects written in any form are found whole, whatever the cuts."""
    for name, form in _FORMS.items():
        stream = form(values).encode()
        places = data.draw(st.lists(st.integers(0, len(stream)), max_size=3))
        edges = [0, *sorted(places), len(stream)]
        events = decode([stream[a:b] for a, b in pairwise(edges)])
        assert [json.loads(e.raw) for e in events] == values, name
        assert all(event.is_complete for event in events), name
        units = [stream[i : i + 1] for i in range(len(stream))]
        assert decode(units) == events, name


_SCRAPS = (
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b"\r\n", b" ", b"  "),
    *(b'{"a":1}', b'{"a":', b"[1]", b"oops", b'"x"', b"\x1e", b"\n{", b",\n{", _BOM),
)


@given(st.lists(st.sampled_from(_SCRAPS), max_size=25).map(b"".join))
@settings(max_examples=150, deadline=None)
def test_no_byte_is_lost_of_any_soup(stream: bytes) -> None:
    """Only separators lie between the values, and the cuts change nothing."""
    events = decode([stream])
    assert decode([stream[i : i + 1] for i in range(len(stream))]) == events
    end = len(_BOM) if stream.startswith(_BOM) else 0
    for event in events:
        assert stream[event.byte_offset :].startswith(event.raw)
        assert event.raw
        assert not stream[end : event.byte_offset].strip(b" \t\r\n,\x1e[]")
        end = event.byte_offset + len(event.raw)
    assert not stream[end:].strip(b" \t\r\n,\x1e[]")


# -- Limits and states ---------------------------------------------------------------


def _limited(pieces: Sequence[bytes]) -> tuple[list[bytes], str]:
    decoder = JSONStreamDecoder(max_event_bytes=8)
    raws: list[bytes] = []
    try:
        for piece in pieces:
            raws += [event.raw for event in decoder.feed(piece)]
        raws += [event.raw for event in decoder.close()]
    except SSEError as error:
        return raws, str(error)
    return raws, ""


@pytest.mark.parametrize(
    ("stream", "raws", "offset"),
    [
        (b'{"a":12}\n{"b":1}', [b'{"a":12}', b'{"b":1}'], None),
        (b"[ \n, \n, \n,{\"a\":12}" + b"\n" * 9 + b"1]", [b'{"a":12}', b"1"], None),
        (b'{"a":123}\n{}', [], 0),
        (b'{}\n{"a":123}\n{}', [b"{}"], 3),
        (b"[{},oops oops]", [b"{}"], 4),
        (b'{}\n{"a":"1234', [b"{}"], 3),
        (b'{"a":{}\n\n{}', [], 0),
        (b'{"a":{}\n{}', [b'{"a":{}', b"{}"], None),
        (b"123456789", [], 0),
    ],
)  # fmt: skip
def test_a_longer_value_is_refused_at_the_same_byte_for_every_cut(
    stream: bytes, raws: list[bytes], offset: int | None
) -> None:
    """Eight bytes pass; the values before are delivered, the error names the start."""
    problem = (
        ""
        if offset is None
        else f"event stream at byte {offset}: a value of more than 8 bytes; is this a "
        "stream of JSON values? To allow it, set HARNESS_MAX_EVENT_BYTES higher"
    )
    assert same_for_every_cut(_limited, stream) == (raws, problem)


def test_an_error_is_raised_once_and_closes_the_decoder() -> None:
    """What is held is let go; after the error `feed` is a misuse."""
    decoder = JSONStreamDecoder(max_event_bytes=5)
    assert decoder.feed(b'{"a":') == []
    with pytest.raises(SSEError):
        decoder.feed(b"1")
    assert not decoder._pieces
    with pytest.raises(StateError, match="make a new one"):
        decoder.feed(b"{}")
    assert decoder.close() == []


@pytest.mark.parametrize("last", ["feed", "close"])
def test_an_error_waits_for_the_values_before_it(last: str) -> None:
    """Values of the same piece come first; the next call raises, then all is over."""
    decoder = JSONStreamDecoder(max_event_bytes=5)
    assert [e.raw for e in decoder.feed(b'{}{"a":1}')] == [b"{}"]
    with pytest.raises(SSEError) as caught:
        decoder.feed(b"") if last == "feed" else decoder.close()
    assert caught.value.byte_offset == 2
    assert decoder.close() == []


def test_closing_twice_gives_the_last_value_once() -> None:
    """The second `close` returns nothing, and feeding after it is a misuse."""
    decoder = JSONStreamDecoder()
    decoder.feed(b"[{")
    [event] = decoder.close()
    assert (event.raw, event.is_complete) == (b"{", False)
    assert decoder.is_array_open
    assert decoder.close() == []
    with pytest.raises(StateError):
        decoder.feed(b"")


def test_an_object_is_out_with_its_last_bracket_and_the_array_knows_its_end() -> None:
    """Nothing waits for a comma or a line end."""
    decoder = JSONStreamDecoder()
    assert len(decoder.feed(b'[{"a": {}}')) == 1
    assert decoder.is_array_open
    decoder.feed(b"]")
    assert not decoder.is_array_open


# -- Cost ----------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["_IN_STRING", "_PLAIN"])
def test_cost_is_linear_in_the_bytes_fed(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    """Trickling in a long value, a byte is matched about once (counted, not timed)."""
    matched = 0
    original = getattr(json_stream, pattern)

    class Counting:
        def match(self, data: bytes, position: int) -> Any:
            nonlocal matched
            matched += len(data) - position
            return original.match(data, position)

    monkeypatch.setattr(json_stream, pattern, Counting())
    text = b'"' + b"x" * 30_000 + b'"' if pattern == "_IN_STRING" else b"1," * 15_000
    decoder = JSONStreamDecoder()
    stream = b'{"a": [' + text + b"]}"
    events = [
        e for i in range(0, len(stream), 7) for e in decoder.feed(stream[i : i + 7])
    ]
    assert [event.raw for event in events] == [stream]
    assert 30_000 <= matched <= 30_100


def test_brackets_that_close_nothing_cost_nothing() -> None:
    """A deep value closed by the wrong brackets is no search for the right ones."""
    depth = 50_000
    [event] = decode([b"{" * depth + b"]" * depth])
    assert len(event.raw) == 2 * depth
