"""How a stream frames its events: as SSE, JSON values in a row, or AWS's messages."""

from __future__ import annotations

from harness.core.aws_event_stream import AWSEventStreamDecoder, is_aws_event_stream
from harness.core.json_stream import JSONStreamDecoder
from harness.core.sse import SSEDecoder


def decoder_for(head: bytes) -> SSEDecoder | JSONStreamDecoder | AWSEventStreamDecoder:
    """Return a decoder for a stream that begins like this.

    Args:
        head: The first bytes, at least up to one that is no white space.

    Returns:
        A decoder of JSON values where an object or an array comes first: no field of
        an event stream begins so. One of AWS's binary messages where one begins here.
        Else one of Server-Sent Events.
    """
    if is_aws_event_stream(head):
        return AWSEventStreamDecoder()
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}:
        return JSONStreamDecoder()
    return SSEDecoder()
