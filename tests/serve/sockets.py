"""The judge: what a client on a bare socket sees, without any HTTP library."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Seen(NamedTuple):
    """A response as it came."""

    status: int
    head: str
    """Lower case."""
    body: bytes
    """Without the framing of HTTP chunks."""
    pieces: list[bytes]
    """The HTTP chunks, or the body as one where it had a length."""
    times: list[float]
    """When each of the pieces was complete, in seconds since the request was sent."""
    ended: str
    """``complete``, ``closed`` before the end, ``reset``, or ``silent`` at the
    time-out."""


def request_bytes(
    url: str,
    document: Any = None,
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> bytes:
    """Return a request's bytes."""
    parts = urlsplit(url)
    sent = body if body is not None else json.dumps(document).encode()
    if method == "GET":
        sent = b""
    lines = [
        f"{method} {parts.path}{'?' * bool(parts.query)}{parts.query} HTTP/1.1",
        f"host: {parts.netloc}",
        "content-type: application/json",
        f"content-length: {len(sent)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + sent


def ask(url: str, document: Any = None, *, timeout_s: float = 20, **more: Any) -> Seen:
    """Send one request and read the response to its end, or to the time-out."""
    return exchange(url, request_bytes(url, document, **more), timeout_s=timeout_s)


def beginning(url: str, document: Any, size: int) -> Seen:
    """Send one request and read so many bytes of the body, and what came with them."""
    return exchange(url, request_bytes(url, document), size=size)


def exchange(
    url: str, sent: bytes, *, timeout_s: float = 20, size: int | None = None
) -> Seen:
    """Send bytes and read one response, or so many bytes of its body."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        raw.settimeout(timeout_s)
        started = time.monotonic()
        raw.sendall(sent)
        return _read(raw, started, size)


def _read(raw: socket.socket, started: float, size: int | None) -> Seen:
    data = b""
    marks: list[tuple[int, float]] = []
    ended = "closed"
    try:
        while more := raw.recv(65536):
            data += more
            marks.append((len(data), time.monotonic() - started))
            if _is_over(data):
                ended = "complete"
                break
            if size is not None and len(_seen(data, marks, ended).body) >= size:
                break
    except TimeoutError:
        ended = "silent"
    except ConnectionResetError:
        ended = "reset"
    return _seen(data, marks, ended)


def _is_over(data: bytes) -> bool:
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return False
    if head.split()[1] in {b"204", b"304"}:  # which have no body (RFC 9112, 6.3)
        return True
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        return body.endswith(b"0\r\n\r\n") and _chunks(body, 0)[1]
    length = lowered.partition(b"content-length:")[2].split(b"\r\n")[0]
    return bool(length.strip()) and len(body) >= int(length)


def _chunks(body: bytes, start: int) -> tuple[list[tuple[bytes, int]], bool]:
    """Return the HTTP chunks with where each ends, and whether the last has come."""
    found: list[tuple[bytes, int]] = []
    place = 0
    while True:
        line_end = body.find(b"\r\n", place)
        if line_end < 0:
            return found, False
        size = int(body[place:line_end], 16)
        end = line_end + 2 + size + 2
        if size == 0:
            return found, True
        if len(body) < end:
            found.append((body[line_end + 2 :], start + len(body)))
            return found, False
        found.append((body[line_end + 2 : end - 2], start + end))
        place = end


def _seen(data: bytes, marks: list[tuple[int, float]], ended: str) -> Seen:
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1").lower()
    status = int(text.split(" ")[1]) if text else 0
    pieces, times = [body], [marks[-1][1] if marks else 0.0]
    if "transfer-encoding: chunked" in text:
        found, _is_last = _chunks(body, len(head) + 4)
        pieces = [piece for piece, _ in found]
        times = [next(t for size, t in marks if size >= end) for _, end in found]
    return Seen(status, text, b"".join(pieces), pieces, times, ended)
