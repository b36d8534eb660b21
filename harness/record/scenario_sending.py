"""How the requests of a scenario are sent: one request, one fresh connection.

Because llama.cpp's server promises to keep connections alive and closes them after each
stream. What is sent belongs to the cassette in use here: it is recorded, or played.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.cassettes.bodies import BodyError, decode
from harness.cassettes.model import Exchange, Request, Response, grouped
from harness.errors import UsageError
from harness.net import require_h11
from harness.record.active import current_session, passing
from harness.record.scenario_answer import Answer, AnswerBrokenError, Send
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.net.client import Upstream
    from harness.net.threads import BlockingResponse
    from harness.record.exchange import ExchangeRecorder, LiveRequest
    from harness.record.session import RecordingSession


def http_send(base_url: str, *, api_key: str = "") -> Send:
    """Return what sends the requests of a scenario to a server.

    Args:
        base_url: Up to and with the version, such as ``http://127.0.0.1:8080/v1``.
        api_key: Sent as a bearer token; empty: none is sent.

    Returns:
        A `Send`; it raises `UsageError` where the server does not answer at all. What
        it sends belongs to the cassette in use.

    Raises:
        UsageError: h11 is not installed, or the URL is none.
    """
    if not base_url.startswith(("http://", "https://")):
        raise UsageError(
            f"base URL {redacted_url(base_url)!r}: expected http://HOST/v1 or "
            "https://HOST/v1"
        )
    require_h11("recording a scenario", "record")
    from harness.net.client import Upstream

    upstream = Upstream.parse(base_url)
    headers = [
        ("accept", "text/event-stream, application/json"),
        # Readable cassettes, the same whatever is installed beside the client.
        ("accept-encoding", "identity"),
        ("content-type", "application/json"),
        ("user-agent", "agent-stream-harness"),
    ]
    if api_key:
        headers.append(("authorization", f"Bearer {api_key}"))

    @contextmanager
    def send(body: str) -> Iterator[Answer]:
        data = body.encode()
        sent = [*headers, ("content-length", str(len(data)))]
        request = Request("POST", upstream.url(_PATH), grouped(sent), data)
        session = current_session()
        found = session.answer(request) if session is not None else None
        if isinstance(found, Exchange):
            assert session is not None
            yield Answer(found.response.status, _played(found, session))
        else:
            with passing(), _sent(upstream, sent, data, found) as answer:
                yield answer

    return send


_PATH = "/chat/completions"


def _played(exchange: Exchange, session: RecordingSession) -> Iterator[bytes]:
    """Yield a recorded body, with its ending."""
    for _, piece in exchange.response.iter_wire():
        yield piece
    ended = exchange.response.ended
    if ended is not None and ended.kind == "closed":
        raise session.read_past_end(exchange)
    if ended is not None and ended.kind == "error":
        raise AnswerBrokenError(ended.error, ended.message)


@contextmanager
def _sent(
    upstream: Upstream,
    headers: list[tuple[str, str]],
    body: bytes,
    live: LiveRequest | None,
) -> Iterator[Answer]:
    """Send a request and record its response, if a cassette takes it."""
    from harness.net.client import BrokenStreamError
    from harness.net.threads import blocking_request

    recorder: ExchangeRecorder | None = None
    is_open = False
    try:
        with blocking_request(
            upstream, method="POST", target=_PATH, headers=headers, body=body
        ) as response:
            is_open = True
            head = response.head
            answered = Response(head.status, head.reason, grouped(head.headers))
            recorder = live.responded(answered) if live is not None else None
            yield Answer(head.status, _pieces(response, answered, recorder))
    except BrokenStreamError as error:
        if is_open:
            raise
        advice = "is the server running, and is --base-url right?"
        if error.is_of_proxy:
            advice = "is HTTPS_PROXY right, and is that proxy running? NO_PROXY="
            advice += f"{upstream.host} goes around it"
        raise UsageError(
            f"{redacted_url(upstream.url(_PATH))} does not answer ({error.kind}: "
            f"{redacted_url(error.message)}); {advice}"
        ) from None
    finally:
        if recorder is not None:
            recorder.closed()  # counts only if nothing else has ended it


def _pieces(
    response: BlockingResponse, head: Response, recorder: ExchangeRecorder | None
) -> Iterator[bytes]:
    from harness.net.client import BrokenStreamError

    encodings = head.header("content-encoding")
    held: list[bytes] = []
    try:
        for piece in response.pieces():
            if recorder is not None:
                recorder.piece(piece)
            if encodings:
                held.append(piece)
            else:
                yield piece
    except BrokenStreamError as error:
        if recorder is not None:
            recorder.broke(error.kind, error.message)
        raise AnswerBrokenError(error.kind, error.message) from None
    if recorder is not None:
        recorder.complete()
    if encodings:
        try:
            yield decode(b"".join(held), encodings).body
        except BodyError as error:
            raise AnswerBrokenError("DecodingError", str(error)) from None
