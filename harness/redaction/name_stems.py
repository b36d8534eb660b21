"""The ends of names that may be a credential's, and what follows them.

Owns what comes first, at the words of a text in lower case; it only shows where a
closer look is worth it (`harness.redaction.named_values`).
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from harness.redaction.near_values import AHEAD
from harness.redaction.secret_names import QUALIFIERS

if TYPE_CHECKING:
    from collections.abc import Iterable


# By first letter, which `re` is four times as fast with.
_STEMS = (
    "k(?:ey(?:s|[-_]?(?:id|data|string))?)|t(?:okens?)|d(?:sn|atabase[-_]url)"
    "|x(?:srf)|c(?:srf|onn(?:ection)?[-_ ]?str(?:ing)?|red(?:ential)?s?|ookies?"
    "|odes?(?:[-_]?verifier)?"
    "|ontrasena|lient[-_]?assertion)"
    "|p(?:ass(?:words?(?:[-_]?(?:hash|digest))?|wd|[-_ ]?phrase|code|wort)?"
    "|wd?|in|at|sk)"
    "|m(?:nemonic|ot[-_]?de[-_]?passe)"
    "|h(?:mac)|s(?:as|aml[-_]?response|ecret(?:s|[-_]?id|[-_]?string)?|ess(?:ion(?:[-_]?id)?|id)|id|ig(?:nature)?"
    "|eed[-_ ]?phrase|enha)"
    "|a(?:ssertion|uth(?:orization|[-_]?code)?|ccess[-_]?code)|j(?:wt)|b(?:earer)|o(?:tp)"
    "|r(?:edis[-_]url)|w(?:ebhook[-_]url|achtwoord)"
)
_QUALIFIER = (
    f"(?:[-_]?(?:(?:{'|'.join(sorted(QUALIFIERS, reverse=True))})[0-9]{{0,2}}"
    "|[0-9]{1,2})){0,2}"
)
FIELDS_BETWEEN = (
    rb"""(?:\\*+"\w{1,16}\\*+":\s?(?:\\*+"[^"\\]{0,40}\\*+"|\w{1,8}),\s?){0,2}"""
)
"""What may stand between a name and its value, in an object that has both."""
IS = "is|was|are|ist|lautet|est|es|er|je|jest|este|è|é|är".encode()
"""The verb between a name and its value, in any language."""
OF = "for|of|de|del|della|di|du|für|van|voor|til|för".encode()
"""What names whose the value is, before the verb."""
_ASSIGNMENT = (
    rb"""(?:(?=[\\"'`\]*]{0,9}(?:\s?[(\[][\w .,/-]{0,30}[)\]])?(?:\s{0,40}"""
    rb"""(?:[:=>?|]|<<<|;s:\d|,\s?"""
    + FIELDS_BETWEEN
    + rb"""(?:\\*+"value|value:)|\\*"?\s+(?:android:)?value=|</(?:key|name)>)"""
    rb"""|(?<=")(?:;[^\r\n]{0,200}+)?\r?\n|'s\s|\sas\s\w{1,16}\s?=|\s(?:"""
    + IS
    + rb"""|to|from|(?:re)?set|changed|updated)[:\s]"""
    rb"""|\s(?:"""
    + OF
    + rb""")\s[\w.@:/' -]{1,60}(?:[:=]|\s(?:"""
    + IS
    + rb"""|to)\s)))"""
    rb"""|(?=[)\]\\"'`]{0,9}\s?(?:\.[a-z_]{1,20}\(|\|\||\?\?|or\s|\{))|(?="""
    + AHEAD
    + b"))"
)


# Where a name goes on behind a blank or dash, the end of its first word.
_FIRST = "database|conn(?:ection)?|client|mot|seed|redis|webhook|access"


@functools.lru_cache(maxsize=64)
def stems(deny: frozenset[str]) -> re.Pattern[bytes]:
    """Return what matches the end of a name in lower case, where a value may follow.

    Args:
        deny: More names whose values are secrets.
    """
    return re.compile(f"(?:{_either(deny)}){_QUALIFIER}".encode() + _ASSIGNMENT)


def name_end(deny: frozenset[str]) -> re.Pattern[bytes]:
    """Return what finds, in a word of letters, where `stems` may match.

    Args:
        deny: As for `stems`.
    """
    first = [_FIRST, *(re.match("[a-z]*", name.lower())[0] for name in deny)]  # type: ignore[index]
    either = "|".join(filter(None, (_either(deny), *first)))
    return re.compile(f"(?:{either}){_QUALIFIER}\\Z".encode())


def _either(deny: frozenset[str]) -> str:
    return "|".join([*_patterns(deny), _STEMS])


def _patterns(names: Iterable[str]) -> list[str]:
    return [
        re.escape(re.sub(r"[-_]", "_", name.lower())).replace("_", "[-_]?")
        for name in sorted(names)
    ]


def odd_names(deny: frozenset[str]) -> re.Pattern[bytes]:
    """Return what finds names that begin with no letter: no keyword leads to them."""
    odd = _patterns(name for name in deny if not re.match("[A-Za-z]", name))
    return re.compile("|".join(odd or [r"(?!)"]).encode())
