"""What counts as a secret in one project: the built-in table, and its exceptions.

Owns the configuration of redaction and scanning, and finding and replacing by it in
one URL, header or body. It knows no exchange (`harness.redaction.redact`) and reports
nothing (`harness.redaction.scan`).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cassettes.bodies import unpack_base64
from harness.errors import UsageError
from harness.redaction.aws_frames import redact_frames, secrets_in_frames
from harness.redaction.byte_arrays import array_secrets, mark_alike, mark_arrays
from harness.redaction.detectors import find_keys, find_secrets, is_harmless
from harness.redaction.fragments import body_secrets
from harness.redaction.long_runs import KEPT, search_shortened, shortened
from harness.redaction.named_values import Names
from harness.redaction.overlaps import Secret
from harness.redaction.replacements import REDACTED, is_mark, marked, replace
from harness.redaction.secret_names import (
    folded,
    folded_all,
    is_credential_header,
    is_identifying_header,
    is_placeholder,
)
from harness.redaction.secret_shapes import PERSONAL, Detector
from harness.redaction.spans import URL_USER, Span, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from harness.cassettes.model import Exchange, Headers


KNOWN = "known secret"
"""The kind of a value that is a secret because of where else it stands."""

_KINDS = {
    "deny": frozenset,
    "allow": frozenset,
    "patterns": tuple,
    "secrets": tuple,
    "personal": frozenset,
}
_USER = re.compile(rb"://([^\s/?#@\"'<>\\]+)@")
_MOST_PASSES = 10  # two were enough for all that property tests have tried
_SHORT, _MOST_CLEAN = 200, 2048  # bytes of URLs and values of headers, and how many
_CLEAN: set[tuple[Hashable, ...]] = set()  # those without a secret, and by which rules
_SHORTEST_KNOWN = 8  # characters; shorter header values are words, not secrets


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
    personal: frozenset[str] = frozenset()
    """Personal data to remove, which is not looked for otherwise: `email`, `phone`.
    Other kinds, such as names and addresses, take `patterns` or a `hook`."""
    hook: Callable[[Exchange], Exchange] | None = None
    """Called last with the redacted exchange; returns the one to write."""

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            given = getattr(self, name)
            if isinstance(given, str):  # it would be taken letter by letter
                raise UsageError(
                    f"redaction {name}={given!r}: expected a list of texts, got one; "
                    f"write {name}=[{given!r}]"
                )
            object.__setattr__(self, name, kind(given))  # a list will do as well
        for pattern in self.patterns:
            try:
                re.compile(pattern.encode())
            except re.error as error:
                raise UsageError(
                    f"redaction pattern {pattern!r} is no regular expression ({error})"
                ) from None
        for wanted in sorted(self.personal - PERSONAL.keys()):
            raise UsageError(
                f"redaction personal={wanted!r}: expected some of "
                f"{', '.join(sorted(PERSONAL))}; for anything else use patterns=[...]"
            )

    def removes_header(self, name: str) -> bool:
        """Return whether the values of a header are removed, by its name."""
        return folded(name) not in folded_all(self.allow) and (
            self.removes_credential(name) or is_identifying_header(name.lower())
        )

    def removes_credential(self, name: str) -> bool:
        """Return whether a header is removed because its values are secrets."""
        plain = folded(name)
        return plain not in folded_all(self.allow) and (
            plain in folded_all(self.deny) or is_credential_header(name)
        )

    def uri(self, uri: str, known: Iterable[str] = ()) -> str:
        """Return a URL, or text that may hold one, without its secrets.

        Args:
            uri: The text.
            known: Values to remove besides.
        """
        known = tuple(known)

        def once(text: bytes) -> bytes:
            places = [(start, end) for start, end, _ in self.uri_spans(text, known)]
            return replace(text, places, lambda _: REDACTED.encode())

        marked = _until_stable(once, uri.encode("utf-8", "surrogatepass"))
        return marked.decode("utf-8", "surrogatepass")

    def headers(self, headers: Headers, known: Iterable[str] = ()) -> Headers:
        """Return headers without their secrets; the names stay as they are.

        Args:
            headers: The headers; left as they are.
            known: Values to remove besides.
        """
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

    def body(self, body: bytes, known: Iterable[str] = ()) -> bytes:
        """Return a body without its secrets, of the same length in bytes.

        Args:
            body: The body, not compressed.
            known: Values to remove besides.
        """
        known = tuple(known)

        def once(text: bytes) -> bytes:
            secrets = self._text_secrets(text, known)
            redacted = marked(text, [secret.places for secret in secrets])
            redacted = mark_alike(text, redacted)
            return mark_arrays(redacted, self._array_secrets(redacted, known))

        return redact_frames(body, lambda text: _until_stable(once, text))

    def key_spans(self, text: bytes) -> list[Span]:
        """Return where text has what looks like a key."""
        found = find_keys(text, _detectors(self.patterns, self.personal))
        return self._left(text, [*found])

    def uri_spans(self, uri: bytes, known: Iterable[str] = ()) -> list[Span]:
        """Return where the secrets of a URL, or a header's value, stand."""
        return self._left(
            uri,
            [
                *self._found(uri, is_url=True),
                *self._known(uri, known),
                *(Span(*m.span(1), URL_USER) for m in _USER.finditer(uri)),
            ],
        )

    def text_spans(self, text: bytes, known: Iterable[str] = ()) -> list[Span]:
        """Return where the secrets of any text stand that is in one piece."""
        known = tuple(known)

        def find(part: bytes) -> Iterator[Span]:
            yield from self._found(part)
            yield from self._known(part, known)

        return self._left(text, search_shortened(text, find, self._leaves_out(known)))

    def body_secrets(self, body: bytes, known: Iterable[str] = ()) -> list[Secret]:
        """Return the secrets of a body, also those a stream brings in fragments.

        They are in the order of their beginnings, each once.
        """
        known = tuple(known)

        def find(text: bytes) -> list[Secret]:
            found = self._text_secrets(text, known)
            found += self._array_secrets(text, known)
            return sorted(found, key=lambda one: one.places)

        return secrets_in_frames(body, find)

    def _array_secrets(self, body: bytes, known: tuple[str, ...]) -> list[Secret]:
        return array_secrets(body, lambda text: self.text_spans(text, known))

    def _text_secrets(self, body: bytes, known: tuple[str, ...]) -> list[Secret]:
        short = shortened(body, self._leaves_out(known))
        if short is None:
            return body_secrets(body, lambda text: self.text_spans(text, known))
        found = body_secrets(short.text, lambda text: self.text_spans(text, known))
        secrets = []
        for secret in found:
            where = tuple(short.raw(start, end) for start, end in secret.places)
            value = secret.value
            if _length(where) > _length(secret.places):
                value = b"".join(body[start:end] for start, end in where)
            secrets.append(Secret(secret.kind, value, where))
        return secrets

    def credentials(self, headers: Headers) -> list[str]:
        """Return the secrets that credential headers hold, to find them elsewhere.

        Args:
            headers: Of a request or a response.

        Returns:
            Values long enough to be no words: tokens without their scheme,
            the values of cookies, the password of `Basic`.
        """
        found: list[str] = []
        for name, values in headers.items():
            if self.removes_credential(name):
                for value in values:
                    found += _in_header(name.lower(), value)
        return [
            value
            for value in found
            if len(value) >= _SHORTEST_KNOWN
            and not value.isdecimal()
            and not is_placeholder(value)
            and value not in self.allow
        ]

    def _leaves_out(self, known: tuple[str, ...]) -> Callable[[bytes], bool]:
        """Return what decides whether a long run of base64 need not be searched."""
        values = [value.encode("utf-8", "surrogatepass") for value in known]
        values += [value.encode("utf-8", "surrogatepass") for value in self.secrets]
        may = not self.patterns and not self.personal
        may = may and all(len(value) < KEPT for value in values)
        return lambda run: (
            may and not any(value in run for value in values) and is_harmless(run)
        )

    def _found(self, text: bytes, *, is_url: bool = False) -> Iterable[Span]:
        key = (text, self.deny, self.allow, self.patterns, self.personal)
        is_short = is_url and len(text) < _SHORT
        if is_short and key in _CLEAN:
            return ()
        found: Iterable[Span] = find_secrets(
            text,
            Names(self.deny, self.allow),
            _detectors(self.patterns, self.personal),
            is_url=is_url,
        )
        if is_short and not (found := list(found)):
            if len(_CLEAN) >= _MOST_CLEAN:
                _CLEAN.clear()
            _CLEAN.add(key)
        return found

    def _known(self, text: bytes, known: Iterable[str]) -> Iterator[Span]:
        for value in (*self.secrets, *known):
            found = re.escape(value.encode("utf-8", "surrogatepass"))
            if found:
                yield from (Span(*m.span(), KNOWN) for m in re.finditer(found, text))

    def _left(self, text: bytes, spans: list[Span]) -> list[Span]:
        """Leave out what is allowed, and what has been redacted before."""
        allowed = {value.encode("utf-8", "surrogatepass") for value in self.allow}
        return merge(
            span
            for span in spans
            if (value := text[span.start : span.end]) not in allowed
            and not is_mark(value)
        )


def redacted_url(text: str, redaction: Redaction | None = None) -> str:
    """Return a URL, or a message with URLs in it, as a cassette would have it.

    Whatever prints a URL (a log line, an error, a command) prints this of it.

    Args:
        text: The URL or message.
        redaction: What is removed; the built-in table alone where it is None.
    """
    return (redaction or Redaction()).uri(text)


def _until_stable(once: Callable[[bytes], bytes], text: bytes) -> bytes:
    """Redact until nothing changes: a mark may leave its neighbour a secret's end."""
    for _ in range(_MOST_PASSES):
        redacted = once(text)
        if redacted == text:
            break
        text = redacted
    return text


def _length(places: Iterable[tuple[int, int]]) -> int:
    return sum(end - start for start, end in places)


def _in_header(name: str, value: str) -> list[str]:
    if "cookie" in name:
        parts = value.split(";")
        if name.startswith("set-"):
            parts = parts[:1]  # what follows are attributes, such as dates
        return [part.partition("=")[2].strip() for part in parts]
    scheme, _, token = value.strip().rpartition(" ")
    if scheme.lower() != "basic":
        return [token]
    try:
        return [token, unpack_base64(token).decode().partition(":")[2]]
    except ValueError:  # no base64 (BodyError is one), or bytes that are no text
        return [token]


@functools.lru_cache(maxsize=64)
def _detectors(
    patterns: tuple[str, ...], personal: frozenset[str]
) -> tuple[Detector, ...]:
    return (
        *(
            Detector("configured pattern", re.compile(pattern.encode()))
            for pattern in patterns
        ),
        *(PERSONAL[name] for name in sorted(personal)),
    )
