"""Redaction: an exchange without its secrets, before anything is written.

Owns what is replaced and by what. Headers and URLs get the word `REDACTED`. In
bodies a secret is replaced by a mark of the same length in bytes, so that the sizes
of the wire chunks stay true even where a secret lies across two of them, and
content-length stays right. Redacting twice changes nothing more.

What a secret looks like, and what is not found, is said in `harness.store.detectors`.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.store.bodies import unpack_base64
from harness.store.cassette import Cassette, Exchange, Headers, Request, Response
from harness.store.delta_text import joined_texts
from harness.store.detectors import (
    CREDENTIAL_FIELDS,
    CREDENTIAL_PARAMETERS,
    Detector,
    Span,
    find_fields,
    find_keys,
    find_parameters,
    is_credential_header,
    is_identifying_header,
    is_placeholder,
    merge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "REDACTED",
    "Redaction",
    "credentials",
    "mark",
    "redact_cassette",
    "redact_exchange",
]

REDACTED = "REDACTED"
"""What stands in place of a secret in headers and URLs."""

_USER = re.compile(rb"://([^\s/?#@\"'<>\\]+)@")
_REDACTED_BEFORE = re.compile(rb"REDACTED|(?:\*REDACTED\*|\*)*")

_SHORTEST_KNOWN = 8  # characters; shorter header values are words, not secrets


def mark(length: int) -> bytes:
    """Return what stands in a body in place of `length` bytes of secret.

    The asterisks keep the mark from joining its neighbours into another key: no
    shape of key has them. From 10 bytes on it says `REDACTED`.
    """
    return (b"*REDACTED*" if length >= 10 else b"").ljust(length, b"*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What is removed, besides and instead of what always is.

    Names are those of headers, URL parameters and JSON fields; case does not count,
    nor whether words are joined by `-`, `_` or nothing.
    """

    deny: frozenset[str] = frozenset()
    """More names whose values are removed."""
    allow: frozenset[str] = frozenset()
    """Names whose values stay, and exact values that are no secrets."""
    patterns: tuple[str, ...] = ()
    """More regular expressions; where one has a group, the first is the secret."""
    secrets: tuple[str, ...] = ()
    """Values to remove wherever they stand, such as a key read from a variable."""
    hook: Callable[[Exchange], Exchange] | None = None
    """Called last with the redacted exchange; returns the one to write."""

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            try:
                re.compile(pattern.encode())
            except re.error as error:
                raise UsageError(
                    f"redaction pattern {pattern!r} is no regular expression ({error})"
                ) from None

    def uri(self, uri: str, known: Iterable[str] = ()) -> str:
        """Return a URL without its secrets; `known` are values to remove besides."""
        text = uri.encode("utf-8", "surrogatepass")
        spans = [
            *self._spans(text, known),
            *find_parameters(text, _named(CREDENTIAL_PARAMETERS, self)),
            *(Span(*m.span(1), "credentials in a URL") for m in _USER.finditer(text)),
        ]
        spans = self._left(text, spans)
        return _replaced(text, spans, _redacted).decode("utf-8", "surrogatepass")

    def headers(self, headers: Headers, known: Iterable[str] = ()) -> Headers:
        """Return headers without their secrets; names stay as they are."""
        known = tuple(known)
        redacted: Headers = {}
        for name, values in headers.items():
            if self.removes_header(name):
                redacted[name] = [
                    value if not value or value in self.allow else REDACTED
                    for value in values
                ]
            else:
                redacted[name] = [self.uri(value, known) for value in values]
        return redacted

    def removes_header(self, name: str) -> bool:
        """Say whether the values of a header are removed, by its name."""
        lowered = name.lower()
        return _folded(name) not in _folded_all(self.allow) and (
            self.removes_credential(name) or is_identifying_header(lowered)
        )

    def removes_credential(self, name: str) -> bool:
        """Say whether a header is removed because its values are secrets."""
        folded = _folded(name)
        return folded not in _folded_all(self.allow) and (
            folded in _folded_all(self.deny) or is_credential_header(name.lower())
        )

    def body(self, body: bytes, known: Iterable[str] = ()) -> bytes:
        """Return a body without its secrets, of the same length in bytes."""
        return _replaced(body, self.body_spans(body, known), _marked)

    def body_spans(self, body: bytes, known: Iterable[str] = ()) -> list[Span]:
        """Return where the secrets of a body stand, in order and apart."""
        fields = _named(CREDENTIAL_FIELDS, self)
        known = tuple(known)
        spans = self._left(
            body,
            [
                *self._spans(body, known),
                *find_fields(body, fields),
                *find_parameters(body, _named(CREDENTIAL_PARAMETERS, self)),
            ],
        )
        if b"data:" in body:
            for text in joined_texts(body):
                joined = text.joined
                found = [*self._spans(joined, known), *find_fields(joined, fields)]
                for span in self._left(joined, found):
                    spans += [
                        Span(start, end, span.kind)
                        for start, end in text.spans(span.start, span.end)
                    ]
        return merge(spans)

    def _spans(self, text: bytes, known: Iterable[str]) -> list[Span]:
        spans = list(find_keys(text, _detectors(self.patterns)))
        for value in (*self.secrets, *known):
            found = re.escape(value.encode("utf-8", "surrogatepass"))
            if found:
                spans += [
                    Span(*match.span(), "known secret")
                    for match in re.finditer(found, text)
                ]
        return spans

    def _left(self, text: bytes, spans: list[Span]) -> list[Span]:
        """Leave out what is allowed, and what has been redacted before."""
        allowed = {value.encode("utf-8", "surrogatepass") for value in self.allow}
        return merge(
            span
            for span in spans
            if (value := text[span.start : span.end]) not in allowed
            and not _REDACTED_BEFORE.fullmatch(value)
        )


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
    request, response = exchange.request, exchange.response
    known = tuple(
        {
            value: None
            for part in (request.headers, response.headers)
            for value in credentials(part, rules)
        }
    )
    redacted = Exchange(
        exchange.index,
        Request(
            request.method,
            rules.uri(request.uri, known),
            rules.headers(request.headers, known),
            None if request.body is None else rules.body(request.body, known),
        ),
        dataclasses.replace(
            response,
            headers=rules.headers(response.headers, known),
            body=rules.body(response.body, known),
        ),
    )
    if rules.hook is not None:
        redacted = rules.hook(redacted)
        _check_hooked(redacted)
    return redacted


def redact_cassette(cassette: Cassette, redaction: Redaction | None = None) -> Cassette:
    """Return a copy of a cassette without its secrets; see `redact_exchange`."""
    return Cassette(
        cassette.path,
        [redact_exchange(exchange, redaction) for exchange in cassette.exchanges],
    )


def _check_hooked(exchange: object) -> None:
    if not isinstance(exchange, Exchange):
        raise UsageError(
            f"the redaction hook must return an Exchange, got {type(exchange).__name__}"
        )
    response: Response = exchange.response
    if response.wire is None:
        return
    total = sum(chunk.size for chunk in response.wire)
    if total != len(response.body):
        raise UsageError(
            f"the redaction hook made a body of {len(response.body)} bytes whose wire "
            f"chunks add up to {total}; replace by text of the same length"
        )


def credentials(headers: Headers, redaction: Redaction) -> list[str]:
    """Return the secrets that credential headers hold, without what stands around.

    Args:
        headers: Of a request or a response.
        redaction: Which headers hold credentials.

    Returns:
        Values long enough to be told from words, wherever else they stand: tokens
        without their scheme, the values of cookies, the password of `Basic`.
    """
    found: list[str] = []
    for name, values in headers.items():
        if not redaction.removes_credential(name):
            continue
        for value in values:
            if "cookie" in name.lower():
                parts = value.split(";")
                if name.lower().startswith("set-"):
                    parts = parts[:1]  # what follows are attributes such as dates
                found += [part.partition("=")[2].strip() for part in parts]
            else:
                scheme, _, token = value.strip().rpartition(" ")
                found.append(token)
                if scheme.lower() == "basic":
                    found.append(_password(token))
    return [
        value
        for value in found
        if len(value) >= _SHORTEST_KNOWN
        and not value.isdecimal()
        and not is_placeholder(value)
        and value not in redaction.allow
    ]


def _password(token: str) -> str:
    try:
        return unpack_base64(token).decode().partition(":")[2]
    except ValueError:  # also a BodyError, or bytes that are no text
        return ""


def _marked(value: bytes) -> bytes:
    return mark(len(value))


def _redacted(_: bytes) -> bytes:
    return REDACTED.encode()


def _replaced(
    text: bytes, spans: list[Span], replacement: Callable[[bytes], bytes]
) -> bytes:
    if not spans:
        return text
    pieces = []
    position = 0
    for start, end, _ in spans:
        pieces += [text[position:start], replacement(text[start:end])]
        position = end
    return b"".join([*pieces, text[position:]])


def _folded(name: str) -> str:
    return re.sub(r"[-_]", "", name.lower())


@functools.lru_cache(maxsize=64)
def _folded_all(names: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_folded, names))


@functools.lru_cache(maxsize=64)
def _detectors(patterns: tuple[str, ...]) -> tuple[Detector, ...]:
    return tuple(
        Detector("configured pattern", re.compile(pattern.encode()), is_word=False)
        for pattern in patterns
    )


@functools.lru_cache(maxsize=64)
def _names(
    built_in: frozenset[str], deny: frozenset[str], allow: frozenset[str]
) -> frozenset[str]:
    allowed = _folded_all(allow)
    return frozenset(name for name in built_in | deny if _folded(name) not in allowed)


def _named(built_in: frozenset[str], rules: Redaction) -> frozenset[str]:
    return _names(built_in, rules.deny, rules.allow)
