"""The HTTP client that a scenario is run with: one request, one fresh connection.

llama.cpp's server promises to keep connections alive and closes them after each
stream, so a client that reuses one fails on the second request.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.record.scenario_answer import AnswerBrokenError
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.record.scenario_answer import Answer, Send

__all__ = ["http_client_module", "http_send"]

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 600.0  # a small machine may think for minutes before its first token


def http_client_module() -> Any:
    """Return `httpx`, or `httpx2` (the OpenAI SDK's) where only that is installed.

    Raises:
        UsageError: Neither is.
    """
    try:
        import httpx
    except ImportError:
        try:
            import httpx2
        except ImportError:
            raise UsageError(
                "recording a scenario needs an HTTP client; install "
                "agent-stream-harness[record]"
            ) from None
        return httpx2
    return httpx


def http_send(base_url: str, *, api_key: str = "") -> Send:
    """Return what sends the requests of a scenario to a server.

    Args:
        base_url: Up to and with the version, such as ``http://127.0.0.1:8080/v1``.
        api_key: Sent as a bearer token; empty: none is sent.

    Returns:
        A `Send`; it raises `UsageError` where the server does not answer at all.

    Raises:
        UsageError: No HTTP client is installed, or the URL is none.
    """
    module = http_client_module()
    url = f"{base_url.rstrip('/')}/chat/completions"
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            f"base URL {redacted_url(base_url)!r}: expected http://HOST/v1 or https://HOST/v1"
        )
    is_encrypted = url.startswith("https:")  # else no certificates are loaded
    headers = {
        "accept": "text/event-stream, application/json",
        # Readable cassettes, the same whatever is installed beside the client.
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "agent-stream-harness",
    }
    if api_key:
        headers["authorization"] = f"Bearer {api_key}"
    timeout = module.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)

    @contextmanager
    def send(body: str) -> Iterator[Answer]:
        with module.Client(timeout=timeout, verify=is_encrypted) as client:
            request = client.build_request(
                "POST", url, content=body.encode(), headers=headers
            )
            try:
                response = client.send(request, stream=True)
            except (module.TransportError, module.InvalidURL) as error:
                raise UsageError(
                    f"{redacted_url(url)} does not answer ({type(error).__name__}: "
                    f"{redacted_url(str(error))}); "
                    "is the server running, and is --base-url right?"
                ) from None
            try:
                yield _HTTPAnswer(response, module.TransportError)
            finally:
                response.close()

    return send


class _HTTPAnswer:
    """A response of `httpx` or `httpx2`."""

    def __init__(self, response: Any, broken: type[Exception]) -> None:
        self._response = response
        self._broken = broken

    @property
    def status(self) -> int:
        return int(self._response.status_code)

    def pieces(self) -> Iterator[bytes]:
        try:
            yield from self._response.iter_bytes()
        except self._broken as error:
            raise AnswerBrokenError(type(error).__name__, str(error)) from None
