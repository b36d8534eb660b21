"""The consumer that is given a base URL: every example goes through a real server.

Pieces of bytes become writes; how many of them a client reads at once is the network's
choice, so cuts of bytes are likely here, not certain (`--as bytes` makes them certain).
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from harness.fuzz.calling import call_and_fold
from harness.fuzz.driving import BaseConsumer, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.debug.outcomes import Outcome

__all__ = ["StreamServer", "UrlConsumer"]


class StreamServer(ThreadingHTTPServer):
    """Answers every POST with the same pieces, whatever the path; on loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pieces: Sequence[bytes] = ()
        """What it answers, an own write for each."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def base_url(self, api: str) -> str:
        """Return the base URL, as the SDK of an API's vendor takes it."""
        return f"{self.url}/v1" if api in {"chat", "responses"} else self.url

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StreamServer

    def do_POST(self) -> None:
        """Send the example."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        pieces = [piece for piece in self.server.pieces if piece]
        is_json = bool(pieces) and pieces[0][:1] in {b"{", b"["}
        self.send_response(200)
        kind = "application/json" if is_json else "text/event-stream"
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def do_GET(self) -> None:
        """Answer what asks which models there are."""
        body = b'{"object": "list", "data": []}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        """Answer, unless the client has gone: closing early is its right."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:  # what is asked is no news
        pass


_SERVER: list[StreamServer] = []


class UrlConsumer(BaseConsumer):
    """A callable given the base URL of a server that answers with the example."""

    level = Level.URL

    def run(self, arrival: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Let the server send the bytes and call it."""
        del is_beginning  # to a client the end looks like a beginning
        if not _SERVER:  # one of this process; its thread ends with it
            _SERVER.append(StreamServer())
        (server,) = _SERVER
        server.pieces = arrival
        api, named = self.named(arrival)
        return call_and_fold(self, server.base_url(api), named)
