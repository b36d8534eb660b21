"""What a stream holds besides its events, and data in other forms than theirs.

Text between the events: is it an error that a server wrote there?
"""

from __future__ import annotations

import re

from harness.apis.chat.chunks import payload_error
from harness.apis.json_values import parsed
from harness.core.aws_event_stream import is_aws_event_stream
from harness.core.patterns import late
from harness.errors import shorten

FRAMED_TWICE = (
    "each event is framed twice: its data begin with `data:` again, which no client "
    "takes off"
)
"""What is reported of such a stream, once."""

_TITLE = late(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_PREFIX = late(r"\s*(?:error|exception|traceback)\b[^:\n]*:\s*", re.IGNORECASE)


def stray_error(text: str) -> str:
    """Return the message of an error that stands outside of any event.

    Args:
        text: One or more lines that are no field of an event stream.

    Returns:
        The message, on one line; empty where the text does not look like an error.

    Source: llama.cpp#16104 writes a field `error:`, gateways write pages of HTML.
    """
    title = _TITLE.search(text)
    if title and "<" in text:
        import html  # its table of names is large, and this is rare

        return " ".join(html.unescape(title[1]).split())
    prefix = _PREFIX.match(text)
    body = text[prefix.end() :] if prefix else text
    message = _message_of(body)
    if message:
        return message
    return shorten(" ".join(body.split())) if prefix else ""


def stray_words(lines: list[bytes]) -> tuple[bool, str]:
    """Return whether stray lines are an error, and what is reported of them."""
    text = b"\n".join(lines).decode("utf-8", "replace")
    error = stray_error(text)
    if error:
        return True, f"the provider sent an error outside of any event: {error}"
    text = shorten(text)
    if is_aws_event_stream(lines[0]):
        return False, (
            "a message of the binary event stream is cut, or its checksum is wrong: "
            f"it begins {text}"
        )
    if len(lines) == 1:
        return False, f"a line that is no field of an event stream: {text}"
    return False, f"{len(lines)} lines that are no fields of an event stream: {text}"


def not_utf8(data: bytes) -> str:
    """Return what of an event's data is no UTF-8; empty where all of it is."""
    if data.isascii():
        return ""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return (
            f"{data[error.start : error.end]!r} at byte {error.start} of the data is "
            f"no UTF-8 ({error.reason}); U+FFFD is read instead, and strict clients "
            "raise"
        )
    return ""


def _message_of(text: str) -> str:
    document = parsed(text)
    if not isinstance(document, dict):
        return ""
    for found in (
        payload_error(document),
        document.get("message"),
        document.get("detail"),
    ):
        if found and isinstance(found, str):
            return " ".join(found.split())
    return ""
