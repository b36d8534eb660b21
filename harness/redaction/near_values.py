"""Random values near the name of a credential, whatever stands between the two.

Owns the looser half of `harness.redaction.named_values`: `setenv("API_KEY", "..."`,
`**Password** ...`, `<password type="x">...`, a value on the line after its name. The
looser what is between, the more random the value must look.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.redaction.secret_names import (
    Credential,
    is_drawn,
    is_mixed,
    is_placeholder,
    is_strong,
    is_uuid,
)
from harness.redaction.spans import FIELD, LINE, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_MARKS = (
    rb"""(?:\\{0,7}["'`],\s{0,4}(?=\\{0,7}["'`]|default)|[ ]{3,40}|[^\w\\},;?&#%]"""
    rb"""|\\{1,7}(?:[nrt]|u[0-9a-f]{4}|[^\w\\])){1,12}+"""
)
_WORDS = (
    rb"""(?:string|str|value|default|content|const|examples?|enum|eo[fts]|ist|est|lautet|es|cdata|key|out\[\d{1,4}\]|type(?=\s?=\s?\w)|(?:type|title|format)\\*"\s?:\s?\\*"[^"\\]{0,40}\\*","""
    rb"""|[a-z:]{1,12}=\\?["'][^"'\\]{0,80})(?!\w)"""
)
_BETWEEN = _MARKS + b"(?:" + _WORDS + _MARKS + b"){0,4}+"
AHEAD = _BETWEEN + rb"(?:[a-z+/_.~!@#$%^&*?-]{0,20}[0-9]|[a-z+/_-]{21})"
"""What follows a name, in lower case, where it is worth a look."""

_NEAR = re.compile(
    b"(" + _BETWEEN + rb")(?=[A-Za-z0-9])([\w+/.~!@#%$^*-]{8,256}+={0,2})"
    rb"""(?!\\?["']?\s?[:=]|[(\[])""",
    re.IGNORECASE,
)
# `PASSWORD 'x'`, `setPassword("x")`, `set("Api-Key", "x")`, `password := []byte("x")`,
# `["password"]=> string(8) "x"`.
_QUOTED = re.compile(
    rb"""(?:\\{0,7}["'`],\s{0,2}|\s{0,4}[({]?\s?|[)\]\\"'`]{0,9}(?:\s?(?:[=!]==?|\|\||\?\?|or)\s?"""
    rb"""|\s?(?:[:?|]{0,2}=>?|:)\s{0,2}[\w.:&*<>\[\]]{0,30}(?:bytes?|some|from|decode|str|string|text)\("""
    rb"""|(?::[\w\\":]{1,80})?\]=>\s{1,9}string\(\d{1,6}\)\s|;s:\d{1,6}:|\r?\n|\\{1,7}n"""
    rb"""|\)?\.(?:equals|to_?be|to_?equal|fill|type|send_?keys|set_?value|val)\())"""
    rb"""\\{0,7}(["'`])([^\s"'`\\<>{}(]{8,256}+)\\{0,7}\1"""
    rb"""(?!\s?=|\s?:(?!\s{0,4}(?:[\r\n]|\Z)|\\?"\s?[}\],]))""",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(rb"""\\*["'`]?\]?\s*(?:=>|[:?]{0,2}=|:)\s*\\*["'`]?""")
_LONG_NAME = re.compile(rb"(?:passw(?:or)?d|secret|token)\Z", re.IGNORECASE)
_LOOSE_NAMES = frozenset({b"token", b"pass", b"auth", b"pat", b"psk", b"pw", b"jwt"})
_SPECIAL = frozenset("!#$%^*")
_ID = re.compile(r"[a-z]{2,12}[_-](?=.*[0-9])|[\w-]+\.[a-z]{2,4}\Z|.*20\d\d-?[01]\d")


def find_near(text: bytes, end: int, name: bytes, sureness: Credential) -> Span | None:
    """Return the value near a name, where it can be nothing but a secret.

    Args:
        text: Any text.
        end: Where the name ends in it.
        name: The name, or the last word of it.
        sureness: What `credential_of` returns for it.
    """
    quoted = _QUOTED.match(text, end)
    is_sure = sureness is Credential.YES
    is_loose = name.lower() in _LOOSE_NAMES
    if quoted is not None and (is_sure or is_loose):
        shown = quoted[2].decode("utf-8", "replace")
        if (is_strong(shown) if is_sure else is_drawn(shown)) and not (
            is_placeholder(shown) or is_uuid(shown) or _ID.match(shown)
        ):
            return Span(*quoted.span(2), LINE)
    near = _NEAR.match(text, end)
    if near is None or _ASSIGNMENT.fullmatch(near[1]):
        return None
    if not near[1].strip(b"+/_-") and not _LONG_NAME.search(name):
        return None  # two letters and a dash stand in any base64
    value = near[2].rstrip(b".!*").decode("ascii")
    has_cases = value.lower() != value != value.upper()
    is_likely = is_sure or not _SPECIAL.isdisjoint(value[1:])
    least = 20
    if is_likely and (has_cases or is_drawn(value, changes=3)):
        least = 12 if _SPECIAL.isdisjoint(value[1:]) or not is_drawn(value) else 8
    if (
        not (is_sure or is_loose)
        or len(value) < least
        or not is_mixed(value, changes=3)
        or is_placeholder(value)
        or is_uuid(value)
        or _ID.match(value)
    ):
        return None
    return Span(near.start(2), near.start(2) + len(value), LINE)


# `{"value": "x", "name": "API_KEY"}`
_BEFORE = re.compile(
    rb"""alue(?<=\W[Vv]alue)\\*"\s{0,4}:\s{0,4}\\*"([^"\\\s]{8,512}+)\\*",\s{0,40}"""
    rb"""\\*"(?:[Nn]ame|[Kk]ey)\\*"\s{0,4}:\s{0,4}\\*"([A-Za-z][\w.-]{1,60}+)\\*\""""
)
# `{"type": "type", "text": "x", "label": "Password field"}`
_TYPED = re.compile(
    rb""""text\\*"\s{0,4}:\s{0,4}\\*"([^"\\\s]{8,512}+)\\*",\s{0,40}"""
    rb"""\\*"\w{1,16}\\*"\s{0,4}:\s{0,4}\\*"[^"\\]{0,80}?[Pp]assword"""
)


def find_before(text: bytes, sureness: Callable[[str], Credential]) -> Iterator[Span]:
    """Yield values that stand before the names that make them credentials.

    Args:
        text: Any text.
        sureness: Returns how surely a name stands before a credential.
    """
    for match in _BEFORE.finditer(text):
        shown = match[1].decode("utf-8", "replace")
        name = match[2].decode("ascii")
        if sureness(name) is Credential.YES and not is_placeholder(shown):
            yield Span(*match.span(1), FIELD)
    for match in _TYPED.finditer(text) if b"assword" in text else ():
        if is_strong(match[1].decode("utf-8", "replace")):
            yield Span(*match.span(1), FIELD)
