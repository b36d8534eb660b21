"""The SSE decoder against a slow reference, two other decoders, and its encoder."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest
from httpx_sse._decoders import SSEDecoder as HttpxDecoder
from httpx_sse._decoders import SSELineDecoder as HttpxLines
from hypothesis import Phase, example, find, given, settings
from hypothesis import strategies as st
from openai._streaming import SSEDecoder as OpenAIDecoder

from harness.apis.chat.chunks import DONE
from harness.core.sse import SSEDecoder, SSEEvent, encode_comment, encode_event
from harness.errors import SSEError
from tests.chunk_streams import parse_body, recordings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EXAMPLES = settings(max_examples=60, deadline=None)
_BOM = b"\xef\xbb\xbf"


class Read(NamedTuple):
    """What a stream says: events, the one without its blank line, and the rest."""

    events: list[tuple[str, str, str]]
    pending: tuple[str, str, str] | None
    retry_ms: int | None
    comments: int


def reference(stream: bytes) -> Read:
    """Read a stream as the standard's text says it, step by step, all at once.

    Source: WHATWG HTML, sections 9.2.5 and 9.2.6. The stream is decoded as UTF-8, one
    leading BOM is dropped, lines are processed one by one with a data buffer, an event
    type buffer and a last event id buffer. At the end the standard discards what is
    pending; it is returned apart here. `retry` of more than 18 digits: see the module.
    """
    text = stream.decode("utf-8", errors="replace")
    text = text.removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    unfinished = lines.pop()
    data_buffer = type_buffer = id_buffer = ""
    events: list[tuple[str, str, str]] = []
    retry_ms = None
    comments = 0
    pending = None
    for line in [*lines, *([unfinished] if unfinished else []), None]:
        if not line:
            if data_buffer:
                event = (data_buffer[:-1], type_buffer, id_buffer)
                if line is None:
                    pending = event
                else:
                    events.append(event)
            data_buffer = type_buffer = ""
            continue
        if line.startswith(":"):
            comments += 1
            continue
        field, colon, value = line.partition(":")
        if colon and value.startswith(" "):
            value = value[1:]
        if field == "event":
            type_buffer = value
        elif field == "data":
            data_buffer += value + "\n"
        elif field == "id" and "\0" not in value:
            id_buffer = value
        elif field == "retry" and value and set(value) <= set("0123456789"):
            retry_ms = int(value) if len(value) <= 18 else retry_ms
    return Read(events, pending, retry_ms, comments)


def run(pieces: Iterable[bytes]) -> tuple[Read, list[SSEEvent]]:
    """Feed the pieces to our decoder and close it."""
    decoder = SSEDecoder()
    fed = [event for piece in pieces for event in decoder.feed(piece)]
    last = decoder.close()
    assert all(event.is_complete for event in fed)
    assert not any(event.is_complete for event in last)
    assert len(last) <= 1
    pending = (last[0].data, last[0].event, last[0].id) if last else None
    read = Read(
        [(e.data, e.event, e.id) for e in fed],
        pending,
        decoder.retry_ms,
        decoder.comments,
    )
    return read, fed + last


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut data at places; the same place twice gives an empty piece."""
    edges = [0, *sorted(min(p, len(data)) for p in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


_SCRAPS = (
    *(b"\r", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b":", b" ", b": ", b"\0"),
    *(b"data", b"data:", b"data: ", b"event", b"event: ", b"id", b"id: ", b"id:"),
    *(b"retry: ", b"retry:", b"0", b"3000", b"_", b"x", b"[DONE]", b'{"a":1}'),
    *(_BOM, b"\xef", b"\xbb\xbf", b"\xef\xbb", b"\xc2\x85", b"\xe2\x80\xa8"),
    *(b"\xe2", b"\x80", b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\x98\x80", b"\xff"),
)


_LINES = (
    *(b"data: 1\n", b"data: 2\r\n", b"data\r", b"event: a\n", b"id: 7\r\n"),
    *(b"retry: 5\n", b": ping\n", b"data: 3\n\n", b"data: 4\r\r", b"\r\n"),
)


def soups() -> st.SearchStrategy[bytes]:
    """Bytes rich in what matters to the format; shrink to fewer, earlier scraps.

    Scraps alone hardly ever make an event with an id, so whole lines are among them.
    """
    return st.lists(
        st.sampled_from(_LINES) | st.sampled_from(_SCRAPS), max_size=20
    ).map(b"".join)


def cut_places() -> st.SearchStrategy[list[int]]:
    """Places to cut, repeats allowed; shrink to fewer and smaller."""
    return st.lists(st.integers(0, 90), max_size=8)


@_EXAMPLES
@given(soups(), cut_places())
@example(_BOM + b"data: 1\r\n\r\n", [1, 2, 3, 3, 11, 12, 13])
@example(b"event: a\n\ndata: 1\n\n", [9])
@example(b"id: 1\0\nid\ndata\n\n", [5])
@example(b"data: 1\r\r\ndata: 2\r\n\r", [8, 9])
def test_any_bytes_read_as_the_standard_says(stream: bytes, places: list[int]) -> None:
    """For any bytes and any cuts the events are those of the reference, all kinds."""
    expected = reference(stream)
    for pieces in ([stream], cut(stream, places), [bytes([b]) for b in stream]):
        assert run(pieces)[0] == expected


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60), cut_places())
def test_random_bytes_read_as_the_standard_says(
    stream: bytes, places: list[int]
) -> None:
    """Uniform bytes hold few events and still never raise."""
    assert run(cut(stream, places))[0] == reference(stream)


@_EXAMPLES
@given(soups(), cut_places())
def test_offsets_are_the_same_for_every_cut_and_point_at_the_event(
    stream: bytes, places: list[int]
) -> None:
    """Decoding again from an event's offset gives that event first."""
    _, whole = run([stream])
    assert run(cut(stream, places))[1] == whole
    assert run(bytes([b]) for b in stream)[1] == whole
    for event in whole:
        rest = stream[event.byte_offset :]
        assert rest.startswith((b"data", b"event"))
        again = run([rest])[1][0]
        assert (again.raw, again.event, again.is_complete) == (
            event.raw,
            event.event,
            event.is_complete,
        )
    assert whole == sorted(whole, key=lambda event: event.byte_offset)


@_EXAMPLES
@given(soups(), st.integers(0, 90), st.integers(0, 90))
def test_events_of_a_prefix_are_the_first_events_of_the_whole(
    stream: bytes, end: int, place: int
) -> None:
    """What was given is never taken back, whatever comes after."""
    decoder = SSEDecoder()
    early = decoder.feed(stream[:end][:place]) + decoder.feed(stream[:end][place:])
    whole = early + decoder.feed(stream[end:]) + decoder.close()
    assert whole == run([stream])[1]


@_EXAMPLES
@given(soups(), cut_places(), st.integers(0, 20))
def test_a_limit_strikes_at_the_same_place_for_every_cut(
    stream: bytes, places: list[int], limit: int
) -> None:
    """The events before the long one and the error's offset never depend on cuts."""

    def limited(pieces: Iterable[bytes]) -> tuple[list[SSEEvent], int | None]:
        decoder = SSEDecoder(max_event_bytes=limit)
        events: list[SSEEvent] = []
        try:
            for piece in pieces:
                events += decoder.feed(piece)
            events += decoder.close()
        except SSEError as error:
            return events, error.byte_offset
        return events, None

    whole = limited([stream])
    assert limited(cut(stream, places)) == whole
    assert limited(bytes([b]) for b in stream) == whole
    if whole[1] is None:
        assert whole[0] == run([stream])[1]


@pytest.mark.parametrize(
    "reaches",
    [
        pytest.param(lambda r: len(r.events) >= 2, id="two-events"),
        pytest.param(lambda r: any("\n" in e[0] for e in r.events), id="two-lines"),
        pytest.param(lambda r: any(e[1] and e[2] for e in r.events), id="type-and-id"),
        pytest.param(lambda r: r.retry_ms and r.comments, id="retry-and-comment"),
        pytest.param(lambda r: r.pending and r.events, id="unfinished"),
    ],
)
def test_the_soup_reaches_what_matters(reaches: object) -> None:
    """The strategy finds each kind of stream, so that the properties mean something."""
    assert callable(reaches)
    find(
        soups(),
        lambda stream: bool(reaches(reference(stream))),
        settings=settings(
            max_examples=2_000,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
        ),
    )


# -- Round trip ----------------------------------------------------------------------

_texts = st.text(
    st.one_of(
        st.sampled_from("\r\n :\0é🙂\u2028\x85\ufeffdata"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)
_lines = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=6
)


@_EXAMPLES
@given(
    st.lists(st.tuples(_texts, _lines, _lines, st.none() | _texts), max_size=4),
    st.sampled_from(["\n", "\r", "\r\n"]),
    cut_places(),
)
def test_encoded_events_come_back(
    events: list[tuple[str, str, str, str | None]], newline: str, places: list[int]
) -> None:
    """Data (CR and CRLF as LF), type and id survive, comments between ignored."""
    stream = b""
    expected = []
    last_id = ""
    for data, event, id_, comment in events:
        if comment is not None:
            stream += encode_comment(comment, newline=newline)
        stream += encode_event(data, event=event, id=id_, newline=newline)
        last_id = id_ or last_id
        lines = data.replace("\r\n", "\n").replace("\r", "\n")
        expected.append((lines, event, last_id))
    read, _ = run(cut(stream, places))
    assert read.events == expected
    assert read.pending is None
    assert reference(stream).events == expected


# -- Independent judges --------------------------------------------------------------
#
# httpx-sse 0.4.3 and the OpenAI SDK 3.54 (whose decoder began as a copy) deviate from
# the standard, so their input here is well formed in what they get wrong:
# 1. a BOM loses them the first event: none is sent;
# 2. `retry` takes what `int()` takes: digits only;
# 3. a block without data is dispatched once an id, a type or a retry has come: every
#    block has data, and comments stand inside blocks;
# 4. bad UTF-8 raises in one of them: none is sent;
# 5. both discard an event without its blank line, as the standard does: none is sent.


def well_formed() -> st.SearchStrategy[bytes]:
    """Streams that every decoder agrees about; shrink to fewer blocks and fields."""
    value = st.text(st.sampled_from("ab :é🙂\u2028\x85\t{}[]\"'"), max_size=6)
    field = st.one_of(
        st.builds("data: {}".format, value),
        st.builds("data:{}".format, value),
        st.just("data"),
        st.builds("event: {}".format, value),
        st.builds("id: {}".format, value),
        st.builds(":{}".format, value),
        st.builds("retry: {}".format, st.integers(0, 10**6)),
        st.builds("foo: {}".format, value),
    )
    block = st.builds(
        lambda before, data, after: [*before, f"data: {data}", *after, ""],
        st.lists(field, max_size=3),
        value,
        st.lists(field, max_size=2),
    )
    return st.builds(
        lambda blocks, newline: "".join(
            line + newline for block in blocks for line in block
        ).encode(),
        st.lists(block, max_size=4),
        st.sampled_from(["\n", "\r", "\r\n"]),
    )


def _httpx_sse(stream: bytes) -> list[tuple[str, str, str]]:
    lines, decoder = HttpxLines(), HttpxDecoder()
    split = lines.decode(stream.decode()) if stream else []
    read = [decoder.decode(line) for line in [*split, *lines.flush()]]
    return [(e.data, e.event, e.id) for e in read if e is not None]


@_EXAMPLES
@given(well_formed(), cut_places())
def test_httpx_sse_agrees_on_well_formed_streams(
    stream: bytes, places: list[int]
) -> None:
    """Data, type and id are httpx-sse's (which names the default type `message`)."""
    ours = [(e[0], e[1] or "message", e[2]) for e in run(cut(stream, places))[0].events]
    assert ours == _httpx_sse(stream)


@_EXAMPLES
@given(well_formed(), cut_places())
def test_openai_agrees_on_well_formed_streams(stream: bytes, places: list[int]) -> None:
    """Data, type and id are the OpenAI SDK's (which says None for none)."""
    pieces = cut(stream, places)
    theirs = [
        (e.data, e.event or "", e.id or "")
        for e in OpenAIDecoder().iter_bytes(iter(pieces))
    ]
    assert run(pieces)[0].events == theirs


@pytest.mark.slow
def test_every_recorded_stream_gives_its_payloads() -> None:
    """On the corpus no chunk is lost or made up, in pieces of 1000 bytes."""
    for recording in recordings():
        body = recording.body.encode()
        read = run(body[i : i + 1000] for i in range(0, len(body), 1000))[0]
        events = read.events + ([read.pending] if read.pending else [])
        chunks = [event for event in events if event[0].strip() not in {DONE, ""}]
        assert len(chunks) == len(parse_body(recording.body)), recording.name


def test_openai_agrees_on_recorded_streams() -> None:
    """On every fifth recording both decoders give the same data (it is slow)."""
    for recording in recordings()[::5]:
        pieces = [recording.body.encode()]
        ours = [event[0] for event in run(pieces)[0].events if event[0]]
        theirs = [e.data for e in OpenAIDecoder().iter_bytes(iter(pieces)) if e.data]
        assert ours == theirs, recording.name
