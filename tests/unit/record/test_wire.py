"""Responses and requests watched as bytes: what h11 reads of them is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import h11
import pytest

from harness.record.wire import RequestReader, ResponseTap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cassettes.model import Response
    from harness.record.exchange import LiveRequest

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"transfer-encoding: chunked\r\n\r\n"
_CHUNKS = b"3\r\nabc\r\n2;a=b\r\nde\r\n0\r\nx: y\r\n\r\n"
_BAD = (b"-1", b"+2", b"1_0", b"0x2", b"")
_LONG = b"40\r\n" + b"x" * 64 + b"\r\n"


class _Recorder:
    """Keeps what a tap records: of a response its pieces, and how it ended."""

    def __init__(self) -> None:
        self.response: Response | None = None
        self.body = b""
        self.ending = ""

    def responded(self, response: Response) -> _Recorder:
        self.response = response
        return self

    def piece(self, data: bytes) -> None:
        assert data
        self.body += data

    def complete(self) -> None:
        self.ending = self.ending or "complete"

    def broke(self, kind: str, message: str) -> None:
        self.ending = self.ending or f"{kind}: {message}"

    def closed(self) -> None:
        self.ending = self.ending or "closed"


def _watched(pieces: Iterable[bytes], method: str = "POST") -> _Recorder:
    recorder = _Recorder()
    tap = ResponseTap(cast("LiveRequest", recorder), method)
    for piece in pieces:
        tap.feed(piece)
    tap.ended()
    return recorder


def _cuts(data: bytes) -> list[list[bytes]]:
    """Return the bytes in one piece, in two at every place, and each alone."""
    halves = [[data[:at], data[at:]] for at in range(1, len(data))]
    return [[data], *halves, [bytes([one]) for one in data]]


def _read_by_h11(data: bytes, method: str) -> tuple[int, list[Any], bytes, bool]:
    """Return status, headers, body and whether it is whole, as h11 reads it."""
    connection = h11.Connection(h11.CLIENT)
    asked = h11.Request(method=method, target="/", headers=[("host", "x")])
    connection.send(asked)
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    status, headers, body = 0, [], b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status, headers = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, headers, body, True
    except h11.RemoteProtocolError:
        return status, headers, body, False


@pytest.mark.parametrize(
    ("data", "method"),
    [
        (_CHUNKED + _CHUNKS, "POST"),
        (_CHUNKED + _LONG + _CHUNKS, "POST"),
        (_CHUNKED + _CHUNKS[:20], "POST"),
        (_CHUNKED + b"0\r\n\r\n", "POST"),
        (_CHUNKED + b"3\r\nabc\r\nzz\r\n", "POST"),
        *(
            (_CHUNKED + b"3\r\nabc\r\n%s\r\nde\r\n0\r\n\r\n" % bad, "POST")
            for bad in _BAD
        ),
        (_OK + b"content-length: 5\r\n\r\nabcde", "POST"),
        (_OK + b"content-length: 5\r\n\r\nabc", "POST"),
        (_OK + b"content-length: 0\r\n\r\n", "POST"),
        (_OK + b"\r\nabcde", "GET"),
        (_OK + b"x: a\r\n b\r\ny: c\r\nx: d\r\n\r\nab", "GET"),
        (_OK.replace(b"\r", b"") + b"content-length: 2\n\nab", "GET"),
        (_OK + b"content-length: 5\r\n\r\n", "HEAD"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "POST"),
        (b"HTTP/1.1 304 \r\ncontent-length: 5\r\n\r\n", "GET"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + _CHUNKED + _CHUNKS, "POST"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + _CHUNKED + _CHUNKS, "POST"),
    ],
)
def test_response_is_recorded_as_h11_reads_it(data: bytes, method: str) -> None:
    """However the connection delivers it: headers, body, and whether it is whole."""
    status, headers, body, is_whole = _read_by_h11(data, method)
    for pieces in _cuts(data):
        seen = _watched(pieces, method)
        assert seen.response is not None
        assert seen.response.status == status
        assert sorted(
            (name.lower().encode(), value.encode())
            for name, values in seen.response.headers.items()
            for value in values
        ) == sorted(headers)
        assert seen.body == body
        assert (seen.ending == "complete") is is_whole
        assert is_whole or seen.ending.startswith("RemoteProtocolError: ")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n\x81\x05hello",
        b"no HTTP\r\n\r\nat all",
        b"HTTP/1.1 200",
    ],
)
def test_what_could_not_be_played_is_not_recorded(data: bytes) -> None:
    """An upgraded connection, another protocol, half of a head."""
    for pieces in _cuts(data):
        seen = _watched(pieces)
        assert (seen.response, seen.body, seen.ending) == (None, b"", "")


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (TimeoutError("slow"), "ReadTimeout: slow"),
        (OSError("gone"), "ReadError: gone"),
        (KeyboardInterrupt(), "closed"),
    ],
)
def test_error_of_a_read_is_how_it_ended(error: BaseException, ending: str) -> None:
    """Ctrl-C is no error of the connection; before the head there is nothing to end."""
    recorder = _Recorder()
    tap = ResponseTap(cast("LiveRequest", recorder), "POST")
    tap.broke(error)
    tap.closed()
    assert recorder.ending == ""
    tap.feed(_CHUNKED)
    tap.broke(error)
    assert recorder.ending == ending


@pytest.mark.parametrize(
    "body",
    [
        b"content-length: 5\r\n\r\nabcde",
        b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    ],
)
def test_request_is_read_however_it_is_sent(body: bytes) -> None:
    """Its end is known at its last byte, and not before."""
    data = b"POST /v1/x?a=b HTTP/1.1\r\nhost: x\r\n" + body
    for pieces in _cuts(data):
        reader = RequestReader("http://x")
        assert [reader.feed(piece) for piece in pieces] == [
            *[False] * (len(pieces) - 1),
            True,
        ]
        request = reader.request()
        assert (request.method, request.uri) == ("POST", "http://x/v1/x?a=b")
        assert request.body == b"abcde"
        assert bytes(reader.sent) == data


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (_CHUNKED + _CHUNKS[:20], "incomplete chunked read"),
        (_OK + b"content-length: 5\r\n\r\nabc", "received 3 bytes, expected 5"),
        (_CHUNKED + b"zz\r\n", "illegal chunk header: b'zz'"),
    ],
)
def test_broken_framing_is_told(data: bytes, ending: str) -> None:
    """As httpx words it."""
    assert ending in _watched([data]).ending


def test_whether_a_client_waits_for_leave_to_send_its_body() -> None:
    """Until its body comes; a client that did not ask is never told to go on."""
    head = b"POST / HTTP/1.1\r\n%bcontent-length: 2\r\n\r\n"
    waits, plain = RequestReader("http://x"), RequestReader("http://x")
    assert not waits.expects_continue
    waits.feed(head % b"Expect: 100-Continue\r\n")
    plain.feed(head % b"")
    assert (waits.expects_continue, plain.expects_continue) == (True, False)
    waits.feed(b"ab")
    assert not waits.expects_continue


def test_request_without_a_body_has_none() -> None:
    """Not an empty one: none was sent."""
    reader = RequestReader("http://x")
    assert reader.feed(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert reader.request().body is None
