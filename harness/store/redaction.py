"""Redaction: an exchange without its secrets, before anything is written.

Owns what stands in place of a secret. Headers and URLs get the word `REDACTED`. In
bodies a secret is replaced by a mark of the same length in bytes, so that the sizes
of the wire chunks stay true even where a secret lies across two of them, and
content-length stays right. Redacting twice changes nothing more.

What a secret looks like, and what is not found, is said in `harness.store.detectors`;
how a project configures it, in `harness.store.rules`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.store.cassette import Cassette, Exchange, Headers, Request, Response
from harness.store.rules import REDACTED, Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "REDACTED",
    "Redaction",
    "mark",
    "redact_body",
    "redact_cassette",
    "redact_exchange",
    "redact_headers",
    "redact_request",
    "redact_uri",
]


def mark(length: int) -> bytes:
    """Return what stands in a body in place of `length` bytes of secret.

    The asterisks keep the mark from joining its neighbours into another key: no
    shape of key has them. From 10 bytes on it says `REDACTED`.
    """
    return (b"*REDACTED*" if length >= 10 else b"").ljust(length, b"*")


def redact_exchange(exchange: Exchange, redaction: Redaction | None = None) -> Exchange:
    """Return a copy of an exchange without its secrets.

    Args:
        exchange: What was recorded; it is left as it is. Its body must be held.
        redaction: What to remove; the built-in table alone where it is None.

    Returns:
        The copy. Values of credential headers are also removed from the URL and the
        bodies, whatever they look like. The lengths of bodies are unchanged.

    Raises:
        UsageError: The hook returned no exchange, or one whose body no longer fits
            its wire chunks.
    """
    rules = redaction or Redaction()
    response = exchange.response
    known = _known(rules, exchange.request.headers, response.headers)
    redacted = Exchange(
        exchange.index,
        _request(exchange.request, rules, known),
        dataclasses.replace(
            response,
            headers=redact_headers(response.headers, rules, known),
            body=redact_body(response.body, rules, known),
        ),
    )
    if rules.hook is None:
        return redacted
    hooked: object = rules.hook(redacted)
    if not isinstance(hooked, Exchange):
        raise UsageError(
            f"the redaction hook must return an Exchange, got {type(hooked).__name__}"
        )
    _check_sizes(hooked.response)
    return hooked


def redact_request(request: Request, redaction: Redaction | None = None) -> Request:
    """Return a copy of a request without its secrets, to compare it with recorded ones.

    The hook is not called: it is made for exchanges.

    Args:
        request: What is about to be sent; it is left as it is.
        redaction: What was removed when recording.
    """
    rules = redaction or Redaction()
    return _request(request, rules, _known(rules, request.headers))


def redact_cassette(cassette: Cassette, redaction: Redaction | None = None) -> Cassette:
    """Return a copy of a cassette without its secrets; see `redact_exchange`."""
    return Cassette(
        cassette.path,
        [redact_exchange(exchange, redaction) for exchange in cassette.exchanges],
    )


def redact_uri(uri: str, redaction: Redaction, known: Iterable[str] = ()) -> str:
    """Return a URL without its secrets.

    Args:
        uri: The URL, or text that may hold one.
        redaction: What to remove.
        known: Values to remove besides.
    """
    text = uri.encode("utf-8", "surrogatepass")
    places = [(start, end) for start, end, _ in redaction.uri_spans(text, known)]
    marked = _replaced(text, places, lambda _: REDACTED.encode())
    return marked.decode("utf-8", "surrogatepass")


def redact_headers(
    headers: Headers, redaction: Redaction, known: Iterable[str] = ()
) -> Headers:
    """Return headers without their secrets; the names stay as they are.

    Args:
        headers: The headers; left as they are.
        redaction: What to remove.
        known: Values to remove besides.
    """
    known = tuple(known)
    redacted: Headers = {}
    for name, values in headers.items():
        if redaction.removes_header(name):
            redacted[name] = [
                value if not value or value in redaction.allow else REDACTED
                for value in values
            ]
        else:
            redacted[name] = [redact_uri(value, redaction, known) for value in values]
    return redacted


def redact_body(
    body: bytes, redaction: Redaction | None = None, known: Iterable[str] = ()
) -> bytes:
    """Return a body without its secrets, of the same length in bytes.

    Args:
        body: The body, not compressed.
        redaction: What to remove.
        known: Values to remove besides.
    """
    places = sorted(
        place
        for secret in (redaction or Redaction()).body_secrets(body, known)
        for place in secret.places
    )
    return _replaced(body, places, mark)


def _known(rules: Redaction, *parts: Headers) -> tuple[str, ...]:
    found = (value for headers in parts for value in rules.credentials(headers))
    return tuple(dict.fromkeys(found))


def _request(request: Request, rules: Redaction, known: tuple[str, ...]) -> Request:
    return Request(
        request.method,
        redact_uri(request.uri, rules, known),
        redact_headers(request.headers, rules, known),
        None if request.body is None else redact_body(request.body, rules, known),
    )


def _check_sizes(response: Response) -> None:
    if response.wire is None:
        return
    total = sum(chunk.size for chunk in response.wire)
    if total != len(response.body):
        raise UsageError(
            f"the redaction hook made a body of {len(response.body)} bytes whose wire "
            f"chunks add up to {total}; replace by text of the same length"
        )


def _replaced(
    text: bytes, places: list[tuple[int, int]], replacement: Callable[[int], bytes]
) -> bytes:
    """Replace sorted places, which may overlap, by what `replacement` makes of each."""
    if not places:
        return text
    pieces = []
    position = 0
    for start, end in places:
        if end <= position:
            continue
        begin = max(start, position)
        pieces += [text[position:begin], replacement(end - begin)]
        position = end
    return b"".join([*pieces, text[position:]])
