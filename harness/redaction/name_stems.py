"""The ends of names that may be a credential's, and what follows them.

Owns the search that comes first, over all of a text in lower case; it only says where a
closer look is worth it (`harness.redaction.named_values`).
"""

from __future__ import annotations

import functools
import re

from harness.redaction.near_values import AHEAD

__all__ = ["stems"]

# By first letter, which `re` is four times as fast with.
_STEMS = (
    "k(?:ey(?:s|[-_]?(?:id|data))?)|t(?:okens?)|d(?:sn|atabase[-_]url)"
    "|c(?:onn(?:ection)?[-_ ]?str(?:ing)?|red(?:ential)?s?|ookies?"
    "|odes?(?:[-_]?verifier)?"
    "|ontrasena|lient[-_]?assertion)"
    "|p(?:ass(?:words?(?:[-_]?hash)?|wd|[-_ ]?phrase|code|wort)?|wd?|in|at|sk)"
    "|m(?:nemonic|ot[-_]?de[-_]?passe)"
    "|h(?:mac)|s(?:as|ecret(?:s|[-_]?id|[-_]?string)?|ess(?:ion(?:[-_]?id)?|id)|id|ig(?:nature)?"
    "|eed[-_ ]?phrase|enha)"
    "|a(?:ssertion|uth(?:orization|[-_]?code)?|ccess[-_]?code)|j(?:wt)|b(?:earer)|o(?:tp)"
    "|r(?:edis[-_]url)|w(?:ebhook[-_]url|achtwoord)"
)
_QUALIFIER = (
    "(?:[-_]?(?:[0-9]{1,2}|value|prod|dev|staging|live|test|old|new|base(?:64)?|b64"
    "|header))?"
)
_ASSIGNMENT = (
    rb"""(?:(?=[\\"'`\]]{0,6}(?:\s?\([\w .,/-]{1,30}\))?(?:\s{0,8}(?:[:=>?|]"""
    rb"""|,\s?\\*+"value|\\*"?\s+value=)"""
    rb"""|(?<=")(?:;[^\r\n]{0,200}+)?\r?\n|\s(?:is|was)[:\s]"""
    rb"""|\s(?:for|of)\s[\w.@ -]{1,40}(?:[:=]|\sis\s)))"""
    rb"""|(?=[)\]\\"'`]{0,5}\s?(?:\.[a-z_]{1,20}\(|\|\||\?\?|or\s|\{))|(?="""
    + AHEAD
    + b"))"
)


@functools.lru_cache(maxsize=64)
def stems(deny: frozenset[str]) -> re.Pattern[bytes]:
    """Return what finds the ends of names in lower case, where a value may follow.

    Args:
        deny: More names whose values are secrets.
    """
    more = [
        re.escape(re.sub(r"[-_]", "_", name.lower())).replace("_", "[-_]?")
        for name in sorted(deny)
    ]
    either = "|".join([*more, _STEMS])
    return re.compile(f"(?:{either}){_QUALIFIER}".encode() + _ASSIGNMENT)
