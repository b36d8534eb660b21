"""The consumer that is given a base URL: every example goes through a real server.

Pieces of bytes become writes; how many of them a client reads at once is the network's
choice, so cuts of bytes are likely here, not certain (`--as bytes` makes them certain).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from harness.fuzz.called_consumers import call_and_fold
from harness.fuzz.example_runner import Consumer, Level
from harness.net.listening import Listener, RefusedError
from harness.net.threads import LoopThread
from harness.serve.answer import Answer
from harness.serve.connection import Connection

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from harness.cassettes.model import Request
    from harness.debug.outcomes import Outcome


class StreamServer:
    """Answers every POST with the same pieces, whatever the path; on loopback."""

    def __init__(self) -> None:
        self.pieces: Sequence[bytes] = ()
        """What it answers, an own write for each."""
        self._listener = Listener(self._serve)
        self._thread = LoopThread("harness fuzz")
        self.url = self._thread.run(self._listener.start("127.0.0.1", 0))
        """The address."""

    def base_url(self, api: str) -> str:
        """Return the base URL, as the SDK of an API's vendor takes it."""
        return f"{self.url}/v1" if api in {"chat", "responses"} else self.url

    def close(self) -> None:
        """Stop."""
        self._thread.run(self._listener.stop())
        self._thread.stop()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = Connection(reader, writer)
        try:
            while (request := await connection.request()) is not None:
                await connection.send(self._answer(request))
        except RefusedError as error:
            await connection.refuse(Answer.error(error.status, str(error)))

    def _answer(self, request: Request) -> Answer:
        if request.method != "POST":  # what asks which models there are
            return Answer.json({"object": "list", "data": []})
        pieces = [piece for piece in self.pieces if piece]
        is_json = bool(pieces) and pieces[0][:1] in {b"{", b"["}
        kind = "application/json" if is_json else "text/event-stream"
        return Answer(200, [("content-type", kind)], [(None, one) for one in pieces])


@cache
def _server() -> StreamServer:
    """Return that of this process; its thread ends with it."""
    return StreamServer()


class UrlConsumer(Consumer):
    """A callable given the base URL of a server that answers with the example."""

    level = Level.URL

    def run(self, fed: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Let the server send the bytes and call it."""
        del is_beginning  # to a client the end looks like a beginning
        server = _server()
        server.pieces = fed
        api, named = self.named(fed)
        return call_and_fold(self, server.base_url(api), named)
