"""Redaction: an exchange without its secrets, before anything is written.

Owns which parts of an exchange are searched for which values. Redacting twice changes
nothing more. What a secret looks like, and what is not found, is said in
`harness.redaction.detectors`; how a project configures it, in
`harness.redaction.config`; what stands in a secret's place, in
`harness.redaction.replacements`.
"""

from __future__ import annotations

import dataclasses

from harness.cassettes.model import Cassette, Exchange, Headers, Request, Response
from harness.errors import UsageError
from harness.redaction.config import Redaction
from harness.redaction.replacements import REDACTED

__all__ = ["REDACTED", "Redaction", "redact_cassette", "redact_exchange"]


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
            headers=rules.headers(response.headers, known),
            body=rules.body(response.body, known),
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


def redact_cassette(cassette: Cassette, redaction: Redaction | None = None) -> Cassette:
    """Return a copy of a cassette without its secrets; see `redact_exchange`."""
    return Cassette(
        cassette.path,
        [redact_exchange(exchange, redaction) for exchange in cassette.exchanges],
    )


def _known(rules: Redaction, *parts: Headers) -> tuple[str, ...]:
    found = (value for headers in parts for value in rules.credentials(headers))
    return tuple(dict.fromkeys(found))


def _request(request: Request, rules: Redaction, known: tuple[str, ...]) -> Request:
    return Request(
        request.method,
        rules.uri(request.uri, known),
        rules.headers(request.headers, known),
        None if request.body is None else rules.body(request.body, known),
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
