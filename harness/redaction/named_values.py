"""Values that are credentials by the name beside them.

Owns where names and values stand in a text: JSON fields (also in JSON that is itself
a JSON string), parameters of URLs and forms, and lines (`NAME=value`,
`name: value`, `export NAME="value"`, `<name>value</name>`). Which names count is
`harness.redaction.secret_names`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from harness.redaction.columns import find_in_columns
from harness.redaction.commands import find_options, is_number
from harness.redaction.escapes import past_escape
from harness.redaction.name_stems import FIELDS_BETWEEN, IS, OF, stems
from harness.redaction.near_values import find_before, find_near
from harness.redaction.secret_names import (
    Credential,
    credential_of,
    folded,
    folded_all,
    is_drawn,
    is_placeholder,
    is_prose,
    is_random,
    is_strong,
    is_sure,
    is_uuid,
)
from harness.redaction.spans import FIELD, LINE, PARAMETER, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.redaction.keywords import Words


class Names(NamedTuple):
    """What one project adds to the names that count, and takes away."""

    deny: frozenset[str] = frozenset()
    """More names whose values are secrets; case and `_` or `-` do not count."""
    allow: frozenset[str] = frozenset()
    """Names whose values are none."""


_NO_NAMES = Names()

_FIRST_WORD = re.compile(rb"(?<![A-Za-z])([A-Za-z]{2,12})[ ]\Z")
_ARN = re.compile(rb"\barn:aws[\w-]*:[^\s\"']*\Z")
_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$"

# 1 closes the name, 2 is the operator, 3 opens the value.
_OPENING = re.compile(
    rb"""(\\*+["'`])?(?::(?:protected|[\w\\"]{1,60}:private)(?=\]))?(?:\]|\*\*)?"""
    rb"""(?:\s?[(\[][\w .,/-]{0,30}[)\]])?(\s*+(?:"""
    rb""":\s?&?(?:'static\s)?[A-Za-z]\w{0,20}(?:[<\[][\w, |]{0,30}[>\]])?"""
    rb"""\??\s{0,4}=(?!=)|As\s\w{1,16}\s?=|=>|[:?]{0,2}=|::(?=\s)|:(?!:)|>|\|{1,2}|<<<)|,\s?"""
    + FIELDS_BETWEEN
    + rb"""(?:\\*+"[Vv]alue\\*+"\s*+:|value:\s)|\s+(?:(?:android:)?value|VALUE)="""
    rb"""|(?:'s|\s(?:""" + IS + rb"""|(?:from\s\S{1,64}\s|(?:(?:is|was|been)\s)?"""
    rb"""(?:(?:re)?set|changed|updated)\s)?to)):?(?=\s)"""
    rb"""(?:\s(?:now|still|currently|just|simply|actually|set\sto)(?=\s))?"""
    rb"""|</(?:key|name)>(?:\s|\\[nrt])*+<(?:string|value)>"""
    rb"""|\s(?:"""
    + OF
    + rb""")\s[\w.@:/' -]{1,60}?\s*+(?:[:=]|(?<=\s)(?:"""
    + IS
    + rb"""|to))(?=\s))"""
    rb"""(?:\*\*)?(?:\s|\\[nrt])*+(?:\[(?:\s|\\[nrt])*+"""
    rb"""|\{\s*+"""
    + FIELDS_BETWEEN
    + rb"""\\*+"(?:S|[$]?[Vv]alue|[_#]text|stringValue|plain_?[Tt]ext)\\*+"\s*+"""
    rb""":\s*+)?(?:(?:(?:&|!!)[A-Za-z]\w{0,20}|!vault)\s{1,2})?(?:[bfruNEL@$]{1,2}(?=\\*["']))?(\\*+["'`])?"""
)
_PART = re.compile(
    rb'"(?:;[^\r\n]{0,200}+)?(?:\r?\n[^\r\n]{1,200}+){0,3}\r?\n\r?\n([^\r\n]{1,2048}+)'
)  # of a form: the rest of its head, and its first line
_QUOTED = {
    b'"': re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL),
    b"'": re.compile(rb"(?:[^'\\\n]++|\\(?!n).)*+"),
    b"`": re.compile(rb"[^`\\\n]*+"),
    # One level of JSON inside JSON: `\"` ends the value, `\\\"` is a quote in it.
    b'\\"': re.compile(rb'(?:[^"\\]++|\\\\(?:\\["\\]|[^"\\])|\\[nrtbfu/])*+'),
}
# The next of a list of values, and no name of the next field.
_ITEM = re.compile(
    rb"""\\?["'](?:,\s{0,40}|\s->\s)\\?["'](?=[^"'\\]*[0-9])"""
    rb"""([^\s"'\\]{12,256})(?=\\?["']\s{0,40}(?:[,\]\r\n"\\]|\Z))"""
)
_QUOTED_DEEPER = re.compile(rb"[^\"'`\\]*+")
_SCHEME = re.compile(
    rb"(?:bearer|basic|token|apikey|api-key|digest|negotiate|bot|key|oauth|aws4-hmac-sha256)\s+(?=\S)",
    re.IGNORECASE,
)
_BARE = re.compile(  # no longer: of a text of nothing but names, each is looked at
    rb"""(?:[^\s"'`,;&<>\\(){}\[\]|]{1,256}+|&(?![\w.%\[\]-]{1,64}=)){0,8}+"""
)
_PARAMETER_VALUE = re.compile(rb"""[^&#;\s"'<>\\`)\]}]{0,2048}+""")
_MOST = 2000
_REST = re.compile(rb"""[^\s"'`&#;<>\\]*+""")
_URL_START = b"?&#;"
_SHORTEST = 6  # characters of a value in a line; shorter ones are words and numbers


def find_named(
    text: bytes, words: Words, names: Names = _NO_NAMES, *, is_url: bool = False
) -> Iterator[Span]:
    """Yield values that are credentials by their names. O(len(text)).

    Args:
        text: JSON, event stream text, a form, a URL, or anything with these in it.
        words: Its words.
        names: What counts besides, and what does not.
        is_url: The text is a URL: any value of a parameter counts, however short.

    Yields:
        Spans in the order of their beginnings.
    """
    yield from find_options(text, lambda name: _sureness(name, names))
    yield from find_before(text, lambda name: _sureness(name, names))
    yield from find_in_columns(text, words, lambda name: _sureness(name, names))
    found_to = 0
    pattern = stems(names.deny)
    for at in words.names:
        match = pattern.match(words.lowered, at) if at >= found_to else None
        if match is None or (end := match.end()) < found_to or _is_within(text, end):
            continue
        before = text[max(0, end - 80) : end]
        start = end - len(before) + len(before.rstrip(_NAME_BYTES))
        start = past_escape(text, start)
        name = text[start:end].decode("ascii").lstrip("-.$")
        first = _FIRST_WORD.search(before, 0, len(before) - (end - start))
        if first is not None and is_sure(two := first[1].decode("ascii") + name):
            name = two  # `API key: ...`
            start -= len(first[0])
        sureness = _sureness(name, names)
        if sureness is not Credential.NO and not _ARN.search(before):
            span = _value(text, start, end, sureness, is_url=is_url)
            if span is None:
                span = find_near(text, end, name.encode(), sureness)
            if span is not None:
                if span.end - span.start > _MOST:
                    span = span._replace(end=_rest(text, span))
                found_to = span.end
                yield span
                while item := _ITEM.match(text, found_to):
                    found_to = item.end(1)
                    yield Span(*item.span(1), span.kind)


# Base64 of an image has no names; a name is shorter, and something follows it.
_IN_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LONG, _AFTER, _BEFORE = 256, 8, 80


def _is_within(text: bytes, end: int) -> bool:
    """Return whether a name ends in the middle of a long word."""
    before = text[max(0, end - _LONG) : end]
    left = len(before) - len(before.rstrip(_IN_BASE64))
    if left <= _AFTER:
        return False
    after = text[end : end + _LONG]
    right = len(after) - len(after.lstrip(_IN_BASE64))
    return right > _BEFORE and left + right >= _LONG


@functools.lru_cache(maxsize=4096)
def _sureness(name: str, names: Names) -> Credential:
    plain = folded(name)
    if plain in folded_all(names.allow):
        return Credential.NO
    if plain in folded_all(names.deny):
        return Credential.YES
    return credential_of(name)


def _rest(text: bytes, span: Span) -> int:
    rest = _REST.match(text, span.end)
    return rest.end() if rest is not None and span.kind != FIELD else span.end


def _value(
    text: bytes, start: int, end: int, sureness: Credential, *, is_url: bool
) -> Span | None:
    """Return the value of the name at `start`, where it is a secret."""
    if text[max(0, start - 6) : start] == b'name="':
        part = _PART.match(text, end)
        if part is not None:
            return _field(text, part, text[start:end], sureness)
    opening = _OPENING.match(text, end)
    if opening is None:
        return None
    quote_after, operator, quote = opening.groups()
    at = opening.end()
    is_parameter = quote_after is None and operator == b"=" and quote is None
    if is_parameter and (is_url or text[start - 1 : start] in _URL_START):
        value = _PARAMETER_VALUE.match(text, at)
        if value and value[0]:
            return _parameter(value, sureness, is_url=is_url)
    name = text[start:end]
    if quote is not None:
        pattern = _QUOTED.get(quote, _QUOTED_DEEPER)
        value = pattern.match(text, at)
        if value is None or not value[0] or text[value.end() : value.end() + 1] == b"":
            return _bare(text, at, name, sureness, operator)
        shown = value[0].decode("utf-8", "replace")
        is_whole = sureness is Credential.YES and is_strong(shown)  # also `#` and `(`
        if is_whole or (quote_after is not None and sureness is not Credential.URL):
            return _field(text, value, name, sureness)
    if sureness is Credential.URL:
        return None
    return _bare(text, at, name, sureness, operator, is_quoted=quote is not None)


def _parameter(
    value: re.Match[bytes], sureness: Credential, *, is_url: bool
) -> Span | None:
    shown = value[0].decode("utf-8", "replace")
    if is_placeholder(shown):
        return None
    if not is_url and (
        "(" in shown  # a call
        or "[" in shown  # a look-up
        or (shown.startswith(("/", "~/", "./")) and not is_drawn(shown))  # a path
        or (sureness is not Credential.YES and not is_random(shown.lstrip("/")))
    ):
        return None
    return Span(*value.span(), PARAMETER)


def _field(
    text: bytes, value: re.Match[bytes], name: bytes, sureness: Credential
) -> Span | None:
    value_group = 1 if value.re is _PART else 0
    shown = value[value_group].decode("utf-8", "replace")
    scheme = _SCHEME.match(value[value_group])
    has_scheme = scheme is not None and " " not in shown[scheme.end() :]
    is_cookie = b"cookie" in name.lower() and "=" in shown
    if is_placeholder(shown) or (is_prose(shown) and not has_scheme and not is_cookie):
        return None
    if sureness is Credential.MAYBE and not _is_likely(text, value, name, shown):
        return None
    return Span(*value.span(value_group), FIELD)


_LOG_PROBABILITY = re.compile(rb'\\*"\s*,\s*\\*"(?:logprob|bytes)')


def _is_likely(text: bytes, value: re.Match[bytes], name: bytes, shown: str) -> bool:
    lowered = name.lower()
    if b"cookie" in lowered:
        return "=" in shown or is_random(shown, least=16)
    if lowered == b"key":
        return _is_key(shown)
    if lowered in {b"code", b"pin", b"otp", b"sid", b"auth"}:
        return lowered == b"auth" and is_random(shown, least=8)
    if lowered == b"token" and _LOG_PROBABILITY.match(text, value.end()):
        return False  # it is also the text of a log probability
    least = 16 if lowered == b"token" or b"sess" in lowered else 8
    is_likely = is_random(shown, least=least) or is_strong(shown, least=12)
    return is_likely and not is_uuid(shown)


def _is_key(value: str) -> bool:
    """Return whether a value beside the mere word `key` is no hash of data."""
    is_mixed = value.lower() != value != value.upper()
    is_plain = value.isalnum() or (folded(value).isalnum() and is_drawn(value))
    return len(value) >= 32 and is_plain and is_mixed and is_strong(value)


_OF_CODE = re.compile(rb"""[(\[]|\\*["']\s*:""")  # `"secrets:name_2": ...`
_LOOSE = {b"|", b"is", b"was", b"are", b"to", b"'s"}
_FOREIGN = {*IS.split(b"|")} - _LOOSE
_OF_NOTHING = {b"key", b"keys", b"code", b"codes", b"pin", b"sid", b"auth"}


def _bare(
    text: bytes,
    at: int,
    name: bytes,
    sureness: Credential,
    operator: bytes,
    *,
    is_quoted: bool = False,
) -> Span | None:
    """Return the value of a line, which is more often code or prose than a secret."""
    is_arrow = b">" in operator and b"=" not in operator and b"<" not in operator
    is_key = name.lower() == b"key" and operator.strip() in (b":", b"=")
    if (name.lower() in _OF_NOTHING and not is_key) or (
        is_arrow and not _is_element(text, at, name)
    ):
        return None
    if scheme := _SCHEME.match(text, at):
        at = scheme.end()
    value = _BARE.match(text, at)
    if value is None:
        return None
    found = value[0].rstrip(b".:!?*")
    shown = found.decode("utf-8", "replace")
    whole = value[0].decode("utf-8", "replace")  # `sk-ant-...`
    if len(shown) < _SHORTEST or is_placeholder(shown) or is_placeholder(whole):
        return None
    if _OF_CODE.match(text, value.end()) or (is_arrow and shown[0] in "@:/"):
        return None  # a call, a name; `<user>:<password>@host`
    if is_key and not _is_key(shown):
        return None
    if not _is_value(name, shown, sureness, operator, is_quoted=is_quoted):
        return None
    return Span(value.start(), value.start() + len(found), LINE)


def _is_value(
    name: bytes, shown: str, sureness: Credential, operator: bytes, *, is_quoted: bool
) -> bool:
    """Return whether a word beside the name of a credential is one."""
    is_sure = sureness is Credential.YES
    word = operator.strip().rstrip(b":")
    # `password for admin: `
    is_loose = (b" " in word and word[:1] != b":") or word in _LOOSE
    if is_number(name.decode("ascii"), shown, sureness):
        return True
    is_foreign = word.rpartition(b" ")[2] in _FOREIGN
    if is_foreign and not is_drawn(shown, changes=3):
        return False  # a hash or an id, too
    if is_loose or is_foreign or name.lower() == b"pass":
        return is_strong(shown, least=8 if is_sure else 12) and not is_uuid(shown)
    if not any(map(str.isdecimal, shown)) and (
        len(shown) < 80 and credential_of(shown) is not Credential.NO
    ):
        return False  # `password=db_password`
    least = _SHORTEST if is_sure else 12
    is_variable = name.isupper() and operator == b"=" and is_sure
    may_be_word = is_sure and shown.isalnum() and (is_variable or is_quoted)
    if not may_be_word and not is_random(shown, least=least):
        return False
    return is_sure or not is_uuid(shown)


def _is_element(text: bytes, at: int, name: bytes) -> bool:
    """Return whether `name>` or `name="name">` is the end of an opening tag."""
    start = text.rfind(name, 0, at)
    return _TAG.search(text[max(0, start - 80) : start]) is not None


_TAG = re.compile(rb"""<(?:\w{1,30}:)?(?:\w{1,30}\s[^<>]{0,40}?\w{2,4}=\\*["'])?\Z""")
