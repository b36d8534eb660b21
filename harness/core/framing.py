"""How a stream frames its events: Server-Sent Events, or JSON values in a row."""

from __future__ import annotations

from harness.core.json_stream import JSONStreamDecoder
from harness.core.sse import SSEDecoder

__all__ = ["decoder_for"]


def decoder_for(head: bytes) -> SSEDecoder | JSONStreamDecoder:
    """Return a decoder for a stream that begins like this.

    Args:
        head: The first bytes, at least up to one that is no white space.

    Returns:
        A decoder of JSON values where an object or an array comes first: no field of
        an event stream begins so. Else one of Server-Sent Events.
    """
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}:
        return JSONStreamDecoder()
    return SSEDecoder()
