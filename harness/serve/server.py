"""The server: connections in, answers out, until it is stopped.

Built on asyncio's streams with h11, not on Starlette and uvicorn: an HTTP server
refuses to send a wrong length, to end a body early or to reset a connection, and
decides itself what becomes one write. What it would have given, parsing requests, h11
gives; it is what the recording proxy is built on.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.net.addresses import check_reach
from harness.net.listening import ClientGoneError, Listener, RefusedError
from harness.redaction.config import redacted_url
from harness.serve.access import Access, is_preflight, why_unread
from harness.serve.answer import Answer
from harness.serve.connection import Connection
from harness.serve.routes import answer_to, is_control

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.model import Request
    from harness.serve.sessions import Asked, Sessions


_LOG = logging.getLogger(__name__)


class Server:
    """Answers requests from recordings; belongs to the event loop that starts it.

    Args:
        sessions: What is answered.
        host: The address to listen on.
        port: The port; 0 for any free one.
        allow_remote: Listen where other machines reach it.
        access: Who may ask, besides this machine by its own names.
        report: Called with one line for each request that has ended.

    Raises:
        UsageError: The address can be reached from other machines.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
        access: Access | None = None,
        report: Callable[[str], object] | None = None,
    ) -> None:
        check_reach(host, allow_remote=allow_remote)
        self.sessions = sessions
        sessions.report = report
        self.url = ""
        """Where it listens, such as ``http://127.0.0.1:40123``; empty until it does."""
        self._access = access or Access()
        self._host = host
        self._port = port
        self._report = report
        self._listener = Listener(self._serve)
        self.stop = self._listener.stop
        """Takes no more requests and ends those under way, at once; to be awaited."""

    async def start(self) -> None:
        """Listen.

        Raises:
            UsageError: The address cannot be listened on.
        """
        self.url = await self._listener.start(self._host, self._port)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = Connection(reader, writer)
        while True:
            try:
                request = await connection.request()
            except RefusedError as error:
                self._log(f"{error.status} {error}")
                await connection.refuse(Answer.error(error.status, str(error)))
                return
            if request is None:
                return
            shown = f"{request.method} {redacted_url(request.uri)}"
            asked: Asked | None = None
            try:
                answer, asked = self._answer(request, connection.address)
                outcome = await connection.send(answer)
            except ClientGoneError:
                self._ended(shown, asked, "client closed")
                raise
            except asyncio.CancelledError:
                self._ended(shown, asked, "stopped")
                raise
            self._ended(shown, asked, outcome)

    def _answer(self, request: Request, bound: str) -> tuple[Answer, Asked | None]:
        refused = self._access.problem(
            request, {self._host.lower(), bound}, is_control=is_control(request)
        )
        if refused:
            self._log(f"{request.method} {request.uri} 403 ({refused})")
            return Answer.error(403, refused), None
        granted = self._access.granted(request)
        if granted and is_preflight(request):
            return Answer.whole(200, b"", granted), None
        try:
            answer, asked = answer_to(request, self.sessions)
        except Exception as error:  # noqa: BLE001 - a client always gets an answer
            _LOG.exception("%s %s", request.method, redacted_url(request.uri))
            problem = f"this is a bug in harness: {type(error).__name__}: {error}"
            return Answer.error(500, problem), None
        if asked is not None and is_preflight(request):
            asked.problem = why_unread(request)
        if granted or not self._access.cors:
            own = [
                (name, value)
                for name, value in answer.headers
                if not name.lower().startswith("access-control-")
            ]
            answer = replace(answer, headers=[*own, *granted])
        return answer, asked

    def _ended(self, shown: str, asked: Asked | None, outcome: str) -> None:
        if asked is None:
            return
        asked.outcome = outcome
        source = f" {asked.source}" if asked.source else ""
        problem = f" ({asked.problem})" if asked.problem else ""
        self._log(f"{shown} {asked.status}{source} {outcome}{problem}")

    def _log(self, line: str) -> None:
        if self._report is not None:
            self._report(line)
