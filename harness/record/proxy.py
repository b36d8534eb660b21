"""The recording proxy: any client, in any language, against a real server.

Owns the server side of it. Each request is sent on over a connection of its own, each
piece of the response goes to the client before the next is read, and the exchange is
recorded as `use_cassette` would. What happens to the stream happens to the client:
a response that breaks off upstream breaks off downstream, never looking complete.

One request a connection, both ways: simple, and endings cannot be mistaken.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.cassettes.model import Request, Response, grouped, header_pairs
from harness.errors import UsageError
from harness.net.addresses import check_reach
from harness.net.client import BrokenStreamError, Upstream, open_request
from harness.net.listening import Listener, RefusedError
from harness.record.downstream import Downstream
from harness.record.exchange import ExchangeRecorder, LiveRequest
from harness.record.session import RecordingSession, redacted_request
from harness.redaction.config import Redaction

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """What a proxy does.

    Raises:
        UsageError: The upstream, the mode or the address is wrong.
    """

    upstream: str
    """The server's base URL; its path goes before that of each request."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 0
    """The port; 0 for any free one."""
    mode: str = "all"
    """``all`` adds to the file, new recordings replacing those they match;
    ``rewrite`` replaces it as a whole when the proxy is stopped."""
    allow_remote: bool = False
    """Listen on an address that other machines reach."""
    force: bool = False
    """Record in CI as well."""
    redaction: Redaction | None = None
    """What is removed before anything is written; the built-in rules if None."""

    def __post_init__(self) -> None:
        Upstream.parse(self.upstream)
        check_reach(self.host, allow_remote=self.allow_remote)
        if self.mode not in {"all", "rewrite"}:
            raise UsageError(
                f"expected a proxy mode of all, rewrite, got {self.mode!r}"
            )


async def serve_proxy(
    cassette: str | os.PathLike[str],
    options: ProxyOptions,
    *,
    stop: asyncio.Event,
    started: Callable[[str], object] = lambda _: None,
    report: Callable[[str], object] = lambda _: None,
) -> int:
    """Forward requests to a server and record them, until stopped.

    Args:
        cassette: The file. It is written when the proxy stops; until then every
            exchange that has ended is in the journal beside it.
        options: Where to listen, where to forward, how to record.
        stop: When set, no more requests are taken, those under way are ended (and
            recorded as closed), and everything is saved.
        started: Called with the proxy's URL when it accepts connections.
        report: Called with one line for each request that has ended.

    Returns:
        How many exchanges were recorded.

    Raises:
        UsageError: The address cannot be listened on.
        RecordingRefusedError: This is CI, and `force` is not set.
        CassetteError: The file cannot be read or written.
    """
    session = RecordingSession(
        cassette,
        mode=options.mode,
        force=options.force,
        redaction=options.redaction,
        warn=report,
    )
    proxy = _Proxy(session, Upstream.parse(options.upstream), report)
    listener = Listener(proxy.serve)
    prepare(options.redaction or Redaction())
    has_failed = True
    try:
        started(await listener.start(options.host, options.port))
        await stop.wait()
        await listener.stop()
        has_failed = False
    finally:
        session.close(failed=has_failed)
    return session.recorded_count


def prepare(redaction: Redaction) -> None:
    """Build what the first redaction builds: 0.1 s, in which no stream would move."""
    text = Request("POST", "http://localhost/?of=any", body=b'{"any": "text"}')
    redacted_request(text, redaction)


@dataclass(eq=False)
class _Proxy:
    session: RecordingSession
    upstream: Upstream
    report: Callable[[str], object]
    _ends: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection, which is one request."""
        downstream = Downstream(reader, writer, self.upstream, self._ends)
        try:
            request, target = await downstream.request()
        except RefusedError as error:
            self.report(f"{error.status} {error}")
            await downstream.refuse(error.status, str(error))
            await downstream.linger()
            return
        except UsageError as error:
            await downstream.refuse(400, str(error))
            return
        forward = asyncio.ensure_future(self._forward(downstream, request, target))
        gone = asyncio.ensure_future(downstream.drop_rest())
        try:
            await asyncio.wait({forward, gone}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            forward.cancel()
            raise
        finally:
            gone.cancel()
            if not downstream.is_answered:
                forward.cancel()  # else only its end is left to be sent
            await asyncio.gather(forward, gone, return_exceptions=True)
        if not forward.cancelled():
            forward.result()

    async def _forward(
        self, downstream: Downstream, request: Request, target: str
    ) -> None:
        """Send a request on, pass the response back, record both."""
        live = self.session.answer(request)
        recorder: ExchangeRecorder | None = None
        outcome = "closed by the client"
        try:
            async with open_request(
                self.upstream,
                method=request.method,
                target=target,
                headers=header_pairs(request.headers),
                body=request.body or b"",
            ) as response:
                if isinstance(live, LiveRequest):
                    headers = grouped(response.headers)
                    recorder = live.responded(
                        Response(response.status, response.reason, headers)
                    )
                await downstream.respond(response, recorder)
                outcome = f"{response.status} complete"
        except BrokenStreamError as error:
            outcome = str(error)
            if recorder is None:
                await downstream.refuse(
                    502, self.session.redacted(f"{self.upstream.url('')}: {error}")
                )
            else:
                recorder.broke(error.kind, error.message)
                downstream.break_off(is_reset=error.kind == "ReadError")
        finally:
            if recorder is not None:
                # Counts only if nothing else ended it: the client went away, or the
                # proxy is being stopped.
                recorder.closed()
            outcome = f"{request.method} {request.uri} {outcome}"
            self.report(self.session.redacted(outcome))
