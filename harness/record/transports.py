"""The transports between an httpx client and its real one.

Owns how `httpx` and `httpx2` are reached, for both in one place, and neither is a
dependency: whichever is installed is used. While a cassette is open, the method with
which a client picks its transport for a URL is replaced (`Client._transport_for_url`,
the same in httpx 0.14 to 0.28 and httpx2). This catches clients created before, and
whatever transport they have: network, proxy mounts, mock or a user's own. An app that
runs in this process (ASGI, WSGI, a test client) is what is tested, and no traffic:
played, its code would not run.

A request without a cassette here gets the client's own transport, untouched. Errors
before there is a response (refused connections, time-outs) are passed on and not
recorded: there is nothing to play. Upgraded connections (status 101) likewise.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from harness.cassettes.model import Exchange, Request, Response, grouped, wire_headers
from harness.record.active import current_session, passing
from harness.record.body_streams import PlayedBody, RecordedBody, stream_class
from harness.record.error_surfacing import surfaced
from harness.record.guard import PORTS, place_of, recorded_places
from harness.record.played_response import played_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    from harness.record.exchange import LiveRequest
    from harness.record.session import RecordingSession


_APPS = {"ASGITransport", "WSGITransport", "_TestClientTransport"}
_IN_PROCESS = {*_APPS, "MockTransport"}
"""Transports that run code of the project: its own requests are not theirs."""


def targets(module: ModuleType) -> Iterator[tuple[type, str, Callable[..., Any]]]:
    """Yield the methods to replace in `httpx` or `httpx2`."""
    for client, kind in (
        (module.Client, _SyncTransport),
        (module.AsyncClient, _AsyncTransport),
    ):
        yield client, "_transport_for_url", _wrapped(kind, module)


def _wrapped(kind: type[_Transport], module: ModuleType) -> Callable[..., Any]:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def transport_for_url(self: Any, url: Any) -> Any:
            transport = original(self, url)
            session = current_session()
            if session is None or _is_tested_app(transport, url, session):
                return transport
            return kind(session, transport, module)

        return transport_for_url

    return wrap


def _is_tested_app(transport: Any, url: Any, session: RecordingSession) -> bool:
    """Return whether an app of the project answers; one that is recorded is played."""
    place = place_of(url.host, url.port or PORTS.get(url.scheme))
    return type(transport).__name__ in _APPS and place not in recorded_places(session)


class _Transport:
    """What both transports share; lives for one request."""

    def __init__(
        self, session: RecordingSession, transport: Any, module: ModuleType
    ) -> None:
        self.session = session
        self.transport = transport
        self.module = module

    def answer(self, request: Any) -> Exchange | LiveRequest | None:
        """Ask the cassette; the request's body has been read."""
        headers = grouped(request.headers.multi_items())
        sent = Request(request.method, str(request.url), headers, request.content)
        with surfaced(self.module):
            return self.session.answer(sent)

    def let_through(self) -> AbstractContextManager[None]:
        """Return the context of a live request: what is below is not ours to see."""
        is_inside = type(self.transport).__name__ in _IN_PROCESS
        return contextlib.nullcontext() if is_inside else passing()

    def played(self, exchange: Exchange) -> Any:
        response = exchange.response
        stream = stream_class(self.module, PlayedBody)(
            exchange, self.session, self.module
        )
        reason = response.reason.encode("ascii", "replace")
        return self.module.Response(
            response.status,
            headers=wire_headers(played_headers(exchange)),
            stream=stream,
            extensions={"reason_phrase": reason} if reason else None,
        )

    def recorded(self, live: LiveRequest, response: Any) -> Any:
        if response.status_code == 101:
            return response
        headers = grouped(response.headers.multi_items())
        recorder = live.responded(
            Response(response.status_code, response.reason_phrase, headers)
        )
        stream = stream_class(self.module, RecordedBody)(response.stream, recorder)
        # A new response, because some transports return one that was read already.
        return self.module.Response(
            response.status_code,
            headers=response.headers,
            stream=stream,
            extensions=response.extensions,
        )


class _SyncTransport(_Transport):
    """Stands between a `Client` and its transport for one request."""

    def handle_request(self, request: Any) -> Any:
        request.read()
        found = self.answer(request)
        if isinstance(found, Exchange):
            return self.played(found)
        with self.let_through():
            response = self.transport.handle_request(request)
        return response if found is None else self.recorded(found, response)


class _AsyncTransport(_Transport):
    """Stands between an `AsyncClient` and its transport for one request."""

    async def handle_async_request(self, request: Any) -> Any:
        await request.aread()
        found = self.answer(request)
        if isinstance(found, Exchange):
            return self.played(found)
        with self.let_through():
            response = await self.transport.handle_async_request(request)
        return response if found is None else self.recorded(found, response)
