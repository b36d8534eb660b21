r"""What a secret looks like, for redaction and for the scanner.

Owns the search: the formats and services of `harness.redaction.secret_formats` and the
names of `harness.redaction.secret_names`, in a text as it stands and behind one level
of percent escapes, `\u` escapes, HTML's or base64.
Sharing it is what makes `harness scan` agree with what recording removes. It changes
nothing and opens nothing.

The table is ours and the engine too: detect-secrets' last release (1.5.0) is of May
2024, its entropy detectors fire on the ids and hashes every recording is full of, and
a second table would disagree with the one that redacts.

Not found, by design: secrets in compressed request bodies, behind more than one level
of these escapes, and secrets of no known format under harmless names. Names, addresses
and other personal data are not looked for, but for e-mail addresses and phone numbers
where `Redaction(personal=...)` asks for them.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING

from harness.redaction.commands import find_in_commands
from harness.redaction.escapes import OF_ASCII, past_escape, text_in_base64
from harness.redaction.far_values import find_far
from harness.redaction.keywords import Words
from harness.redaction.long_runs import search_shortened
from harness.redaction.named_values import Names, find_named
from harness.redaction.prefixes import find_prefixed, is_chance
from harness.redaction.secret_formats import SERVICES
from harness.redaction.secret_names import is_placeholder
from harness.redaction.secret_shapes import (
    BASIC,
    JWK,
    KUBERNETES,
    KUBERNETES_DATA,
    KUBERNETES_FIELD,
    KUBERNETES_KIND,
    KUBERNETES_OBJECT,
    KUBERNETES_STRING,
    KUBERNETES_STRINGS,
    PEM_BEGIN,
    PEM_BODY,
    PEM_CUT,
    SHAPES,
    Detector,
)
from harness.redaction.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_NO_NAMES = Names()


def find_secrets(
    text: bytes,
    names: Names = _NO_NAMES,
    extra: Iterable[Detector] = (),
    *,
    is_url: bool = False,
) -> Iterator[Span]:
    """Yield what looks like a secret, or is one by its name. O(len(text)).

    Args:
        text: Any text: a body, a header's value, a URL.
        names: What a project adds to the names that count, and takes away.
        extra: More shapes than the built-in ones.
        is_url: The text is a URL: any value of a parameter counts, however short.

    Yields:
        Spans in no order, which may overlap.
    """
    extra = tuple(extra)
    yield from _found(text, names, extra, is_url=is_url)
    behind = OF_ASCII.text(text)
    if behind is not text:
        spans = list(_found(behind, names, extra, is_url=is_url))
        places = OF_ASCII.written(text, [(start, end) for start, end, _ in spans])
        for (start, end), span in zip(places, spans, strict=True):
            yield Span(start, end, span.kind)


def find_keys(text: bytes, extra: Iterable[Detector] = ()) -> Iterator[Span]:
    """Yield what has the shape of a key, whatever its name; as `find_secrets`."""
    yield from _raw_keys(text, tuple(extra), Words(text))


def _found(
    text: bytes, names: Names, extra: tuple[Detector, ...], *, is_url: bool = False
) -> Iterator[Span]:
    words = Words(text, names.deny)
    yield from _raw_keys(text, extra, words)
    yield from find_named(text, words, names, is_url=is_url)
    yield from find_far(text, words)


def _raw_keys(text: bytes, extra: tuple[Detector, ...], words: Words) -> Iterator[Span]:
    yield from _in_words(text)
    yield from find_in_commands(text, words)
    for kind, pattern, needed in SHAPES:
        for match in pattern.finditer(text) if text.find(needed) >= 0 else ():
            user, _, password = match[1].rstrip(b":").rpartition(b":")
            is_same = user == password and user.isalpha() and len(user) < _SHORTEST
            if is_same:
                continue  # `postgres:postgres@`
            if not is_placeholder(password.decode("utf-8", "replace")):
                yield Span(*match.span(1), kind)
    for kind, pattern, _ in extra:
        for match in pattern.finditer(text):
            start, end = match.span(1 if pattern.groups else 0)
            if end > start:
                yield Span(start, end, kind)
    for match in BASIC.finditer(text) if b"asic" in text or b"ASIC" in text else ():
        if b":" in text_in_base64(match[1]):
            yield Span(*match.span(1), "basic credentials")
    yield from _blocks(text)


def _blocks(text: bytes) -> Iterator[Span]:
    """Yield secrets of several lines or fields, each known by another of them."""
    for match in PEM_BEGIN.finditer(text):
        body = PEM_BODY.match(text, match.end()) or PEM_CUT.match(text, match.end())
        end = body.end() if body else match.end()
        end = match.start() + len(text[match.start() : end].rstrip(b"\\"))
        yield Span(match.start(), end, "private key")
    for match in JWK.finditer(text) if b'"kty' in text else ():
        yield Span(*match.span(1), "private key")
    yield from _kubernetes_objects(text)
    if KUBERNETES.search(text):
        for match in KUBERNETES_DATA.finditer(text):
            yield Span(*match.span(1), "Kubernetes secret")
        for block in KUBERNETES_STRINGS.finditer(text):
            at = block.end()
            while line := KUBERNETES_STRING.match(text, at):
                at = line.end()
                if not is_placeholder(line[1].decode("utf-8", "replace")):
                    yield Span(*line.span(1), "Kubernetes secret")


_FAR = 4000  # bytes between the kind of an object and its data


def _kubernetes_objects(text: bytes) -> Iterator[Span]:
    if text.find(b"Secret") < 0 or text.find(b"kind") < 0:
        return
    for part in KUBERNETES_OBJECT.finditer(text):
        before = text[max(0, part.start() - _FAR) : part.start()]
        if (part[2] or [b"", *KUBERNETES_KIND.findall(before)][-1]) == b"Secret":
            for match in KUBERNETES_FIELD.finditer(text, *part.span(1)):
                if not is_placeholder(match[1].decode("utf-8", "replace")):
                    yield Span(*match.span(1), "Kubernetes secret")


# Every key of the table is, or is within, a word of at least 13 such characters.
_SHORTEST = 13
_IN_WORD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~+/=-:@%$"
_CLASSES = bytes(ord("a") if byte in _IN_WORD else ord(" ") for byte in range(256))
_LONG = re.compile(b"a" * _SHORTEST + b"a*+")


# Words, with anything but digits between them: no key is like that.
_PLAIN = re.compile(
    rb"(?:(?:[A-Z]?[a-z]{0,19}+|[A-Z]{0,9}+)[_.~+/=:@%$-]{1,9}+)*+"
    rb"(?:[A-Z]?[a-z]{0,19}+|[A-Z]{0,9}+)"
)
_CONSONANTS = re.compile(rb"[bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ]{4}")


_SHORT, _MOST_CLEAN = 100, 20_000  # bytes of words that are remembered, and how many
_PLAIN_WORDS: set[bytes] = set()
_CLEAN_WORDS: set[bytes] = set()  # no plain ones, and without a key


def _in_words(text: bytes) -> Iterator[Span]:
    # Ids and field names come again and again, also in the next text.
    known: dict[bytes, list[Span]] = {}
    if len(_PLAIN_WORDS) + len(_CLEAN_WORDS) > _MOST_CLEAN:
        _PLAIN_WORDS.clear()
        _CLEAN_WORDS.clear()
    for match in _LONG.finditer(text.translate(_CLASSES)):
        start, end = match.span()
        start = past_escape(text, start)
        word = text[start:end]
        if word in _PLAIN_WORDS:
            continue
        if word not in _CLEAN_WORDS:
            found = known.get(word)
            if found is None:
                if _PLAIN.fullmatch(word) and not _CONSONANTS.search(word):
                    if len(word) < _SHORT:
                        _PLAIN_WORDS.add(word)
                    continue
                found = known[word] = list(_in_word(word))
                if not found and len(word) < _SHORT:
                    _CLEAN_WORDS.add(word)
            for begin, stop, kind in found:
                yield Span(start + begin, start + stop, kind)
        span = _of_service(text, start, word)
        if span is not None:
            yield span


_SEPARATOR = re.compile(rb"[=:]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}+={0,2}")


def _in_word(word: bytes) -> Iterator[Span]:
    yield from find_prefixed(word)
    for match in _BASE64.finditer(word):
        first = _behind_base64(match[0])
        if first is not None:
            yield Span(*match.span(), f"{first.kind} in base64")


def _behind_base64(value: bytes) -> Span | None:
    behind = text_in_base64(value)
    if not behind:
        return None

    def find(text: bytes) -> Iterator[Span]:
        return _found(text, _NO_NAMES, ())

    return min(search_shortened(behind, find, is_harmless), default=None)


def is_harmless(run: bytes) -> bool:
    """Return whether no secret begins within a long run of base64, or is behind it."""
    # Within a word no key begins; and no shape but these needs no other characters.
    alphabets = (b"+" in run or b"/" in run) + (b"-" in run or b"_" in run)
    may_begin = alphabets > 1 or (alphabets and not is_chance(run))
    begins = may_begin and (
        any(scheme in run for scheme in _SCHEMES) or any(find_prefixed(run))
    )
    return not begins and _behind_base64(run) is None


_SCHEMES = (b"earer+", b"EARER+", b"asic+", b"ASIC+")


_OPERATORS = b"=:>|,("
_QUOTES = b" \t\r\n\"'`\\"
_NAME = b"abcdefghijklmnopqrstuvwxyz0123456789_.- \t"


def _of_service(text: bytes, start: int, word: bytes) -> Span | None:
    """Return the key of a service whose word stands before it."""
    before = text[max(0, start - 120) : start].rstrip(_QUOTES)
    for name in _names_before(before):
        span = _key_of(_service(name), text, start)
        if span is not None:
            return span
    for separator in itertools.islice(_SEPARATOR.finditer(word), 2):  # `/d:a=b`
        for name in _names_before(before + word[: separator.end()]):
            span = _key_of(_service(name), text, start + separator.end())
            if span is not None:
                return span
    return None


_KEY_IS = re.compile(rb"(?:key|token|secret)('s|\s(?:is|was))?\Z")
_KEY = (b"key", b"nkey")  # also behind an escaped end of line
_SECTIONS = (b"{", b"]", b":\n", b":\\n")  # of JSON, TOML and INI, YAML


def _names_before(before: bytes) -> Iterator[bytes]:
    """Yield names that may show whose the value behind them is."""
    if before and before[-1] in _OPERATORS:
        name = _name_before(before.rstrip(_OPERATORS + b"?"))
        yield name
        if name.endswith(_KEY) and name.split()[-1] in _KEY:
            for begin in _SECTIONS:
                head, found, rest = before.rpartition(begin)
                if found and b"}" not in rest:
                    yield _name_before(head.rstrip(_OPERATORS + _QUOTES))
    elif stated := _KEY_IS.search(before[-12:].lower()):
        yield _name_before(before[: len(before) - len(stated[1] or b"")])


def _name_before(before: bytes) -> bytes:
    lowered = before.rstrip(_QUOTES + b"]").lower()
    return lowered[len(lowered.rstrip(_NAME)) :][-45:]


def _key_of(patterns: re.Pattern[bytes] | None, text: bytes, at: int) -> Span | None:
    if patterns is None:
        return None
    match = patterns.match(text, at)
    if match is None or (
        _PLAIN.fullmatch(match[0]) and not _CONSONANTS.search(match[0])
    ):
        return None  # a word as long as a key
    return Span(*match.span(), "key of a service")


@functools.lru_cache(maxsize=4096)
def _service(name: bytes) -> re.Pattern[bytes] | None:
    """Return what the keys of the service look like that a name has the word of."""
    text = name.decode("ascii", "replace")
    found = [
        value
        for word, values, *_ in SERVICES
        if re.search(word, text)
        for value in values
    ]
    if not found:
        return None
    choices = "|".join(sorted(found, reverse=True))
    return re.compile(f"(?:=?(?:{choices}))(?![A-Za-z0-9_%-])".encode())
