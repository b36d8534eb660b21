"""The event stream rules one by one, each example cut in every way."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from harness.core import sse
from harness.core.sse import SSEDecoder, SSEEvent, encode_comment, encode_event
from harness.errors import SSEError, StateError
from tests.splitting import check_prefixes, every_cut, same_for_every_cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

_BOM = b"\xef\xbb\xbf"


def decode(pieces: Sequence[bytes]) -> list[SSEEvent]:
    """Feed the pieces to a new decoder and close it."""
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


class Case(NamedTuple):
    """A stream and its events as (data, event, id, offset, is complete)."""

    id: str
    stream: bytes
    expected: list[tuple[str, str, str, int, bool]]


# The examples of the standard, section 9.2.6, then one case for each rule.
CASES = [
    Case(
        "standard-1-multi-line",
        b"data: YHOO\ndata: +2\ndata: 10\n\n",
        [("YHOO\n+2\n10", "", "", 0, True)],
    ),
    Case(
        "standard-2-comment-and-ids",
        b": test stream\n\ndata: first event\nid: 1\n\n"
        b"data:second event\nid\n\ndata:  third event\n",
        [
            ("first event", "", "1", 15, True),
            ("second event", "", "", 40, True),
            (" third event", "", "", 62, False),
        ],
    ),
    Case(
        "standard-3-empty-data",
        b"data\n\ndata\ndata\n\ndata:",
        [("", "", "", 0, True), ("\n", "", "", 6, True), ("", "", "", 17, False)],
    ),
    Case(
        "standard-4-optional-space",
        b"data:test\n\ndata: test\n\n",
        [("test", "", "", 0, True), ("test", "", "", 11, True)],
    ),
    Case("nothing", b"", []),
    Case("blank-lines-only", b"\n\n\r\n\r\r\n", []),
    Case(
        "event-type",
        b"event: add\ndata: 1\n\nevent: add\nevent\ndata: 2\n\n",
        [("1", "add", "", 0, True), ("2", "", "", 37, True)],
    ),
    Case(
        "event-type-without-data-is-forgotten",
        b"event: add\n\ndata: 1\n\n",
        [("1", "", "", 12, True)],
    ),
    Case(
        "event-type-without-data-at-the-end",
        b"data: 1\n\nevent: add\n",
        [("1", "", "", 0, True)],
    ),
    Case(
        "one-space-is-removed-a-tab-is-not",
        b"data:  two\n\ndata:\ttab\n\n",
        [(" two", "", "", 0, True), ("\ttab", "", "", 12, True)],
    ),
    Case(
        "only-the-first-colon-counts",
        b'data: {"a": 1}\nevent:a:b\n\n',
        [('{"a": 1}', "a:b", "", 0, True)],
    ),
    Case(
        "unknown-fields-and-other-case-are-ignored",
        b"Data: no\ndata : no\n data: no\nfoo: bar\nfoo\ndata: yes\n\n",
        [("yes", "", "", 42, True)],
    ),
    Case(
        "done-is-data",
        b"data: [DONE]\n\n",
        [("[DONE]", "", "", 0, True)],
    ),
    Case(
        "comments-between-and-inside",
        b": ping\n\n:\ndata: 1\n: inside\ndata: 2\n\n",
        [("1\n2", "", "", 10, True)],
    ),
    Case(
        "id-stays-until-changed",
        b"id: 7\ndata: 1\n\ndata: 2\n\nid:\ndata: 3\n\n",
        [("1", "", "7", 6, True), ("2", "", "7", 15, True), ("3", "", "", 28, True)],
    ),
    Case(
        "id-of-a-block-without-data-stays",
        b"id: 7\n\ndata: 1\n\n",
        [("1", "", "7", 7, True)],
    ),
    Case(
        "id-after-the-data-counts-for-it",
        b"data: 1\nid: 7\n\n",
        [("1", "", "7", 0, True)],
    ),
    Case(
        "id-with-nul-is-ignored",
        b"id: 7\nid: 8\0\ndata: 1\n\n",
        [("1", "", "7", 13, True)],
    ),
    Case(
        "unicode-line-separators-are-text",
        "data: a\u2028b\u2029c\x85d\x0be\x0cf\n\n".encode(),
        [("a\u2028b\u2029c\x85d\x0be\x0cf", "", "", 0, True)],
    ),
    Case(
        "characters-of-every-length",
        "data: é日🙂\n\n".encode(),
        [("é日🙂", "", "", 0, True)],
    ),
    Case(
        "bytes-that-are-no-utf-8",
        b"data: a\xffb\xe2\x82\ndata: \xf0\x9f\n\n",
        [("a\ufffdb\ufffd\n\ufffd", "", "", 0, True)],
    ),
    Case(
        "no-utf-8-in-event-and-id",
        b"event: \xff\nid: \xc3\ndata: 1\n\n",
        [("1", "\ufffd", "\ufffd", 0, True)],
    ),
    Case("bom", _BOM + b"data: 1\n\n", [("1", "", "", 3, True)]),
    Case("bom-only", _BOM, []),
    Case("half-a-bom", _BOM[:2], []),
    Case("half-a-bom-then-text", _BOM[:2] + b"\ndata: 1\n\n", [("1", "", "", 3, True)]),
    Case("second-bom-is-text", _BOM * 2 + b"data: 1\n\n", []),
    Case(
        "bom-later-is-text",
        b"data: 1\n\n" + _BOM + b"data: 2\n\ndata: " + _BOM + b"\n\n",
        [("1", "", "", 0, True), ("\ufeff", "", "", 21, True)],
    ),
    Case("bom-before-cr", _BOM + b"\rdata: 1\r\r", [("1", "", "", 4, True)]),
    Case(
        "mixed-line-ends",
        b"data: 1\rdata: 2\r\ndata: 3\n\r\ndata: 4\n\rdata: 5\r\n\n",
        [
            ("1\n2\n3", "", "", 0, True),
            ("4", "", "", 27, True),
            ("5", "", "", 36, True),
        ],
    ),
    Case(
        "cr-lf-cr-is-two-line-ends",
        b"data: 1\r\n\rdata: 2\r\n\r\n",
        [("1", "", "", 0, True), ("2", "", "", 10, True)],
    ),
    Case(
        "three-line-ends-of-one-kind",
        b"data: 1\n\n\ndata: 2\r\r\r",
        [("1", "", "", 0, True), ("2", "", "", 10, True)],
    ),
    Case("last-line-cut", b"data: 1\n\ndata: 2", _LAST := [
        ("1", "", "", 0, True),
        ("2", "", "", 9, False),
    ]),
    Case("last-blank-line-missing", b"data: 1\n\ndata: 2\n", _LAST),
    Case("last-blank-line-missing-cr", b"data: 1\r\rdata: 2\r", _LAST),
    Case("last-line-is-half-a-field", b"data: 1\n\nda", _LAST[:1]),
    Case(
        "last-event-whole-but-for-its-type",
        b"data: 1\nevent: x\nid: 9",
        [("1", "x", "9", 0, False)],
    ),
    Case("no-event-stream", b'{"error": {"message": "no"}}', []),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_stream_gives_its_events_whatever_the_cuts(case: Case) -> None:
    """Data, type, id, offset and completeness are the standard's, for each cut."""
    events = same_for_every_cut(decode, case.stream)
    assert [
        (e.data, e.event, e.id, e.byte_offset, e.is_complete) for e in events
    ] == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_stream_cut_short_still_decodes(case: Case) -> None:
    """No prefix of a stream is refused: its end is reported, not raised."""
    assert check_prefixes(decode, case.stream) == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"], ids=["lf", "cr", "crlf"])
def test_every_whole_event_is_offered_first(case: Case, newline: bytes) -> None:
    """Whoever takes its block gets its type, data and place; stray lines go first."""
    stream = re.sub(rb"\r\n|\n|\r", newline, case.stream)
    shape = re.compile(rb"(event: [^\n]+\n)?data: [^\n]*(\ndata: [^\n]*)*")

    def read(pieces: Sequence[bytes]) -> list[tuple[bytes, int] | SSEEvent]:
        decoder = SSEDecoder()

        def take(block: bytes, byte_offset: int) -> tuple[bytes, int] | None:
            assert not decoder.stray
            return (block, byte_offset) if shape.fullmatch(block) else None

        events = [event for piece in pieces for event in decoder.iter(piece, take)]
        made = [event for event in events if isinstance(event, SSEEvent)]
        assert decoder.stray or not made
        return [*events, *decoder.close()]

    expected = [(event.block, event.byte_offset) for event in decode([stream])]
    found = same_for_every_cut(read, stream)
    assert expected == [
        (one.block, one.byte_offset) if isinstance(one, SSEEvent) else one
        for one in found
    ]


def test_block_is_what_a_stream_has() -> None:
    """Also of several lines; a name with a line end is no other event's."""
    for stream in (b"data: a", b"event: n\ndata: a", b"data: a\ndata: data: \ndata: "):
        assert [event.block for event in decode([stream + b"\n\n"])] == [stream]
    odd = SSEEvent(b"c", event="a\ndata: b")
    assert odd.block != SSEEvent(b"b\nc", event="a").block


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("newline", [b"\r", b"\r\n"], ids=["cr", "crlf"])
def test_line_ends_are_all_the_same(case: Case, newline: bytes) -> None:
    """An example written with CR or CRLF gives the same data, types and ids."""
    stream = re.sub(rb"\r\n|\n|\r", newline, case.stream)
    events = same_for_every_cut(decode, stream)
    assert [(e.data, e.event, e.id, e.is_complete) for e in events] == [
        (data, event, id_, complete) for data, event, id_, _, complete in case.expected
    ]
    starts = [stream[e.byte_offset :][:5] for e in events]
    assert all(start[:4] == b"data" or start == b"event" for start in starts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_event_is_given_by_the_byte_that_decides_it(case: Case) -> None:
    """Every complete event is out with the first byte of its blank line's end."""
    decoder = SSEDecoder()
    out = 0
    for end in range(1, len(case.stream) + 1):
        out += len(decoder.feed(case.stream[end - 1 : end]))
        prefix = re.sub(rb"\r\n?|\n", b"\n", case.stream[:end].removeprefix(_BOM))
        lines = prefix.split(b"\n")[:-1]
        decided, has_data = 0, False
        for line in lines:
            if line:
                has_data = has_data or line.split(b":")[0] == b"data"
            else:
                decided, has_data = decided + has_data, False
        assert out == decided, f"after {end} bytes"


@pytest.mark.parametrize(
    ("lines", "retry_ms", "comments"),
    [
        ("retry: 3000", 3000, 0),
        ("retry:0", 0, 0),
        ("retry: 007", 7, 0),
        ("retry: 1_0", None, 0),
        ("retry: +5", None, 0),
        ("retry: 5 ", None, 0),
        ("retry:  5", None, 0),
        ("retry: 5.0", None, 0),
        ("retry: ٣", None, 0),
        ("retry: ²", None, 0),
        ("retry:", None, 0),
        ("retry", None, 0),
        ("retry: 1\nretry: x", 1, 0),
        ("retry: 1\nretry: 2", 2, 0),
        ("retry: " + "9" * 18, int("9" * 18), 0),
        ("retry: " + "9" * 19, None, 0),
        ("retry: " + "9" * 5000, None, 0),
        (": a\n:\n: b\n\n:c", None, 4),
        ("x: a", None, 0),
    ],
)
def test_retry_takes_digits_only_and_comments_are_counted(
    lines: str, retry_ms: int | None, comments: int
) -> None:
    """Anything but ASCII digits leaves the time as it was, with each line end."""

    def read(pieces: Sequence[bytes]) -> tuple[int | None, int, list[SSEEvent]]:
        decoder = SSEDecoder()
        events = [e for piece in pieces for e in decoder.feed(piece)]
        return decoder.retry_ms, decoder.comments, events

    for newline in ("\n", "\r", "\r\n"):
        stream = (lines.replace("\n", newline) + newline).encode()
        if len(stream) < 100:
            assert same_for_every_cut(read, stream) == (retry_ms, comments, [])
        assert read([stream]) == (retry_ms, comments, [])


def test_raw_data_keeps_the_bytes() -> None:
    """`raw` is what came, `data` is it as text."""
    [event] = decode([b"data: \xff\ndata: \xc3\xa9\n\n"])
    assert event.raw == b"\xff\n\xc3\xa9"
    assert event.data == "\ufffd\né"


# -- Limits and states ---------------------------------------------------------------


class Outcome(NamedTuple):
    """What a limited decoder gave, and how it failed."""

    data: list[str]
    problem: str


def _limited(limit: int) -> Any:
    def run(pieces: Sequence[bytes]) -> Outcome:
        decoder = SSEDecoder(max_event_bytes=limit)
        data: list[str] = []
        try:
            for piece in pieces:
                data += [event.data for event in decoder.feed(piece)]
            data += [event.data for event in decoder.close()]
        except SSEError as error:
            return Outcome(data, str(error))
        return Outcome(data, "")

    return run


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"], ids=["lf", "cr", "crlf"])
@pytest.mark.parametrize(
    ("lines", "data"),
    [
        (b"data: 12345\n\n", ["12345"]),
        (b": 123456789\n\ndata: 1\n\n", ["1"]),
        (b"id: 1234567\ndata: 1\n\ndata: 2\n\n", ["1", "2"]),
        (b"\n\n\n\n\n\n\n\n\n\n\n\n\n\ndata: 1\n\n", ["1"]),
        (b"data: 12345", ["12345"]),
    ],
)
def test_an_event_as_long_as_the_limit_passes(
    lines: bytes, data: list[str], newline: bytes
) -> None:
    """Eleven bytes to the end of the last line pass; comments and ids do not add up."""
    stream = lines.replace(b"\n", newline)
    assert same_for_every_cut(_limited(11), stream) == Outcome(data, "")


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"], ids=["lf", "cr", "crlf"])
def test_the_limit_counts_the_line_ends_inside_an_event(newline: bytes) -> None:
    """Seven bytes, a line end and six bytes: the line end after them does not count."""
    stream = b"data: 1\ndata:2\n\n".replace(b"\n", newline)
    size = 13 + len(newline)
    assert same_for_every_cut(_limited(size), stream) == Outcome(["1\n2"], "")
    assert same_for_every_cut(_limited(size - 1), stream).data == []


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"], ids=["lf", "cr", "crlf"])
@pytest.mark.parametrize(
    ("lines", "data", "line"),
    [
        (b"data: 123456\n\n", [], 0),
        (b"data: 1\n\ndata: 2\n\ndata: 123456\n\ndata: 3\n\n", ["1", "2"], 4),
        (b"data: 1\ndata: 2\n\n", [], 0),
        (b": 1234567890\n\n", [], 0),
        (b"data: 1\n\nid: 12345678\n\n", ["1"], 2),
        (b"data: 1\n\nxxxxxxxxxxxx", ["1"], 2),
        (b"event: 1\ndata: 1\n\n", [], 0),
    ],
)
def test_a_longer_event_is_refused_at_the_same_byte_for_every_cut(
    lines: bytes, data: list[str], line: int, newline: bytes
) -> None:
    """The events before it are delivered, and the error names where it starts."""
    stream = lines.replace(b"\n", newline)
    offset = len(newline.join(lines.split(b"\n")[:line]) + (newline if line else b""))
    problem = (
        f"event stream at byte {offset}: an event of more than 11 bytes; "
        "is this an event stream? To allow it, set HARNESS_MAX_EVENT_BYTES "
        "higher"
    )
    assert same_for_every_cut(_limited(11), stream) == Outcome(data, problem)


def test_a_stream_of_one_endless_line_is_refused_without_holding_it() -> None:
    """What is held when the limit strikes is let go."""
    decoder = SSEDecoder(max_event_bytes=1000)
    for _ in range(1000):
        decoder.feed(b"x")
    with pytest.raises(SSEError) as caught:
        decoder.feed(b"x")
    assert caught.value.byte_offset == 0
    assert not decoder._partial


def test_an_error_is_raised_once_and_closes_the_decoder() -> None:
    """After the error `feed` is a misuse and `close` gives nothing."""
    decoder = SSEDecoder(max_event_bytes=5)
    with pytest.raises(SSEError):
        decoder.feed(b"data: too long")
    for _ in range(2):
        with pytest.raises(StateError, match="make a new one"):
            decoder.feed(b"data: 1\n\n")
    assert decoder.close() == []


@pytest.mark.parametrize("last", ["feed", "close"])
def test_an_error_waits_for_the_events_before_it(last: str) -> None:
    """Events of the same piece come first; the next call raises, then all is over."""
    decoder = SSEDecoder(max_event_bytes=8)
    assert [e.data for e in decoder.feed(b"data: 1\n\ndata: too long\n\n")] == ["1"]
    with pytest.raises(SSEError) as caught:
        decoder.feed(b"") if last == "feed" else decoder.close()
    assert caught.value.byte_offset == 9
    assert decoder.close() == []
    with pytest.raises(StateError):
        decoder.feed(b"")


def test_the_default_limit_lets_a_large_event_through() -> None:
    """An event of two megabytes is no attack."""
    text = "x" * 2_000_000
    [event] = decode([b"data: " + text.encode() + b"\n\n"])
    assert event.data == text


def test_closing_twice_gives_the_last_event_once() -> None:
    """The second `close` returns nothing, and feeding after it is a misuse."""
    decoder = SSEDecoder()
    decoder.feed(b"data: 1")
    [event] = decoder.close()
    assert (event.data, event.is_complete) == ("1", False)
    assert decoder.close() == []
    with pytest.raises(StateError):
        decoder.feed(b"")


# -- Cost ----------------------------------------------------------------------------


class _CountingPattern:
    """A pattern that counts the bytes it is asked to search."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.searched = 0

    def finditer(self, data: bytes) -> Iterator[re.Match[bytes]]:
        self.searched += len(data)
        return self.pattern.finditer(data)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("step", [1, 7])
def test_cost_is_linear_in_the_bytes_fed(
    monkeypatch: pytest.MonkeyPatch, newline: bytes, step: int
) -> None:
    """Trickling in a long line, each byte is searched once and joined once.

    Counted, not timed: the searches through the pattern, the joins by a profile
    hook that sees every `join` of the decoder's held pieces.
    """
    pattern = _CountingPattern(sse._LINE_END)
    monkeypatch.setattr(sse, "_LINE_END", pattern)
    stream = b"data: " + b"x" * 20_000 + newline * 2
    joined = 0

    def count(frame: FrameType, event: str, called: Any) -> None:
        nonlocal joined
        if event == "c_call" and called.__name__ == "join":
            owner = frame.f_locals.get("self")
            if isinstance(owner, SSEDecoder):
                joined += sum(map(len, owner._partial))

    decoder = SSEDecoder()
    events: list[SSEEvent] = []
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for start in range(0, len(stream), step):
            events += decoder.feed(stream[start : start + step])
    finally:
        sys.setprofile(before)
    assert [len(event.raw) for event in events] == [20_000]
    assert 20_000 <= joined <= len(stream) + 10
    assert pattern.searched <= len(stream) + 10


def test_cost_of_many_events_in_one_piece_is_linear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A long body of awkward events is searched about once, not once an event."""
    pattern = _CountingPattern(sse._LINE_END)
    monkeypatch.setattr(sse, "_LINE_END", pattern)
    for block in (b"event: a\ndata: 1\n\n", b"data: 1\r\n\r\n", b"id: 1\rdata\r\r"):
        pattern.searched = 0
        stream = block * 1000
        assert len(decode([stream])) == 1000
        assert pattern.searched <= 2 * len(stream)


def test_whole_events_after_a_cut_one_are_taken_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A read that ends inside an event costs the events after it nothing."""
    lines = 0
    read_line = SSEDecoder._read_line

    def count(self: SSEDecoder, line: bytes, end: int) -> None:
        nonlocal lines
        lines += 1
        read_line(self, line, end)

    monkeypatch.setattr(SSEDecoder, "_read_line", count)
    stream = b"data: 1\n\n" * 1000
    assert len(decode([stream[:3], stream[3:5000], stream[5000:]])) == 1000
    assert lines <= 3


# -- Encoding ------------------------------------------------------------------------


def test_encode_event_writes_fields_in_order() -> None:
    """Type, id, then one `data` line for each line, then a blank line."""
    assert encode_event("a\r\nb\rc\nd", event="add", id="7") == (
        b"event: add\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
    )


def test_encode_event_without_type_and_id_leaves_them_out() -> None:
    """The usual event of a provider is one `data` line; empty data is kept."""
    assert encode_event("[DONE]") == b"data: [DONE]\n\n"
    assert encode_event("") == b"data: \n\n"


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"], ids=["lf", "cr", "crlf"])
def test_encode_writes_the_line_end_asked_for(newline: str) -> None:
    """Each of the three line ends can be written, in comments too."""
    end = newline.encode()
    assert encode_event("a\nb", newline=newline) == b"data: a%bdata: b%b%b" % (
        end,
        end,
        end,
    )
    assert encode_comment("ping\n", newline=newline) == b": ping%b:%b%b" % (
        end,
        end,
        end,
    )


def test_encode_keeps_unicode_separators_and_replaces_surrogates() -> None:
    """U+2028 ends no line; half a surrogate pair cannot be UTF-8."""
    assert encode_event("a\u2028b\x85") == "data: a\u2028b\x85\n\n".encode()
    assert encode_event("\ud83d", event="\ude42") == b"event: ?\ndata: ?\n\n"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"event": "a\nb"}, "must be one line"),
        ({"event": "a\r"}, "must be one line"),
        ({"id": "\n"}, "must be one line"),
        ({"id": "a\0"}, "without NUL"),
        ({"newline": "\u2028"}, "newline must be LF, CR or CRLF"),
        ({"newline": ""}, "newline must be LF, CR or CRLF"),
    ],
)
def test_encode_event_refuses_what_no_decoder_could_read_back(
    fields: dict[str, str], problem: str
) -> None:
    """A type or id of two lines would be another event."""
    with pytest.raises(ValueError, match=problem):
        encode_event("x", **fields)


def test_encoded_comments_are_no_events() -> None:
    """A comment, even of several lines, is counted and gives nothing."""
    decoder = SSEDecoder()
    assert decoder.feed(encode_comment("one\ndata: two\n\nthree")) == []
    assert decoder.comments == 4
    assert [name for name, _ in every_cut(encode_comment(""))][-1] == "cut at 2"
