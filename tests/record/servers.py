"""A server on plain sockets, for tests that care where bytes are cut.

`ScriptedServer` answers each request by calling a function with a `Connection`, which
writes heads and chunks by hand, so that a test decides every cut, pause and ending.
`read_plainly` is the judge: what a client on a bare socket sees, without any library.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def event(text: str, **more: Any) -> bytes:
    """Return the event of one chunk with `content`."""
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
        **more,
    }
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


class Connection:
    """One request on one connection, and the means to answer it."""

    def __init__(self, server: ScriptedServer, raw: socket.socket) -> None:
        self.server = server
        self.raw = raw
        self.head = b""
        self.body = b""
        self._rest = b""

    def read_request(self) -> bool:
        """Read the next request; False when the client has closed."""
        data = self._rest
        while b"\r\n\r\n" not in data:
            more = self.raw.recv(65536)
            if not more:
                return False
            data += more
        self.head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in self.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            more = self.raw.recv(65536)
            if not more:
                return False
            body += more
        self.body, self._rest = body[:length], body[length:]
        return True

    def json(self) -> Any:
        return json.loads(self.body)

    def send(self, data: bytes) -> None:
        self.raw.sendall(data)

    def begin(self, head: bytes = HEAD) -> None:
        self.send(head)

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self.send(b"0\r\n\r\n")

    def wait(self, name: str) -> None:
        """Wait until the client has acknowledged something."""
        # Generous: it ends a test that would hang, and machines of CI have slow spells.
        assert self.server.acknowledged(name).wait(60), f"nobody acknowledged {name}"
        if self.server.is_closed:
            raise ConnectionAbortedError

    def cut(self) -> None:
        """Close in the middle: FIN without the end of the body."""
        self.raw.shutdown(socket.SHUT_RDWR)
        self.raw.close()

    def reset(self) -> None:
        """Close with a RST."""
        self.raw.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.raw.close()


class ScriptedServer:
    """Answers requests on loopback by a function, one thread a connection."""

    def __init__(self, script: Callable[[Connection], None]) -> None:
        self.script = script
        self.requests: list[Connection] = []
        self.is_closed = False
        self._events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def acknowledged(self, name: str) -> threading.Event:
        with self._lock:
            event = self._events.setdefault(name, threading.Event())
            if self.is_closed:  # nobody will acknowledge it any more
                event.set()
            return event

    def acknowledge(self, name: str) -> None:
        self.acknowledged(name).set()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.is_closed = True
            for waiting in self._events.values():
                waiting.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for raw in self._open:
            with suppress(OSError):  # closed by either side already
                raw.shutdown(socket.SHUT_RDWR)
        # A thread that outlived its test would fail another one.
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(raw)
            thread = threading.Thread(target=self._serve, args=(raw,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        connection = Connection(self, raw)
        try:
            while connection.read_request():
                self.requests.append(connection)
                self.script(connection)
        except OSError:
            pass  # the client went away, or the script closed the connection
        finally:
            raw.close()


def lockstep(pieces: list[bytes], ending: str = "end") -> Callable[[Connection], None]:
    """Send each piece only after the client has acknowledged the one before."""

    def script(connection: Connection) -> None:
        connection.begin()
        for number, piece in enumerate(pieces):
            if number:
                connection.wait(f"piece {number - 1}")
            connection.chunk(piece)
        connection.wait(f"piece {len(pieces) - 1}")
        getattr(connection, ending)()

    return script


def read_plainly(
    port: int, request: bytes, acknowledge: Callable[[int], None]
) -> tuple[list[bytes], str]:
    """Read a chunked response from a bare socket.

    Returns:
        The chunks as they came, and `complete`, `cut` (FIN before the end) or `reset`.
    """
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += raw.recv(65536)
        data = data.partition(b"\r\n\r\n")[2]
        pieces: list[bytes] = []
        while True:
            size, newline, rest = data.partition(b"\r\n")
            length = int(size, 16) if newline else None
            if length == 0 and rest.startswith(b"\r\n"):
                return pieces, "complete"
            if length is not None and length and len(rest) >= length + 2:
                pieces.append(rest[:length])
                data = rest[length + 2 :]
                acknowledge(len(pieces) - 1)
                continue
            try:
                more = raw.recv(65536)
            except ConnectionResetError:
                return pieces, "reset"
            if not more:
                return pieces, "cut"
            data += more


REQUEST: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "messages": [{"role": "user", "content": "hi"}],
}


def raw_request(path: str = "/v1/chat/completions", body: Any = None) -> bytes:
    """Return a POST as it goes over the wire."""
    content = json.dumps(REQUEST if body is None else body).encode()
    return (
        b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%b" % (path.encode(), len(content), content)
    )
