"""Which headers a proxy passes on (RFC 9110, 7.6), as pure functions.

Owns the hop-by-hop rules and the one deliberate change to a request: content codings
that cannot be read here are not asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_HOP_BY_HOP = frozenset(  # RFC 9110, 7.6.1, and what older clients send
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"proxy-authenticate", "proxy-authorization", "proxy-connection"}
)
_READABLE_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "identity"})


def end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out headers that belong to one connection.

    A length beside a transfer coding is one of them, and wrong (RFC 9112, section 6.3).
    """
    headers = list(headers)
    named = {
        token.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for token in value.split(",")
    }
    if any(name.lower() == "transfer-encoding" for name, _ in headers):
        named.add("content-length")
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in _HOP_BY_HOP and name.lower() not in named
    ]


def request_headers(
    headers: Iterable[tuple[str, str]], length: int | None
) -> list[tuple[str, str]]:
    """Return the headers to send on: the body is whole and goes with its length."""
    sent = []
    for name, value in end_to_end(headers):
        lowered = name.lower()
        if lowered in {"host", "expect", "content-length"}:
            continue
        is_coding = lowered == "accept-encoding"
        sent.append((name, _readable_codings(value) if is_coding else value))
    if length is not None:
        sent.append(("content-length", str(length)))
    return sent


def _readable_codings(value: str) -> str:
    """Ask only for what can be read here, so that recordings stay readable."""
    kept = [
        coding.strip()
        for coding in value.split(",")
        if coding.partition(";")[0].strip().lower() in _READABLE_CODINGS
    ]
    return ", ".join(kept) or "identity"
