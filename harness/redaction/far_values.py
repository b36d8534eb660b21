"""Drawn values in the line of a credential's name, before it or well behind it.

Owns the loosest search of all: whatever stands between the two, as in prose and in
calls (`add("--api-key", type=str, default="...")`, `... is the new password`). What
such a value looks like is therefore the narrowest: no id, hash, name or word does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.redaction.secret_names import is_drawn
from harness.redaction.spans import LINE, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.redaction.keywords import Words


_NAME = re.compile(
    rb"pass(?:word|wd|phrase|code|wort)|pwd\b|secret|credentials?"
    rb"|key|token"
)
_OF_DOORS = re.compile(
    rb"(?:api|access|auth|bearer|secret|private|bot|admin|deploy|signing|encryption"
    rb"|account|master|license|session|service|refresh"
    rb"|integration|ingest(?:ion)?|instrumentation|server)[ _-]?\Z"
)
_HINTS = (
    *(b"pass", b"pwd", b"secret", b"credential", b"key", b"auth", b"access", b"api"),
    *(b"bearer", b"bot", b"session", b"refresh", b"admin", b"deploy"),
)
_LINE_END = re.compile(rb"(?<![:\r\n])[\r\n]|[{};]|(?<!:)(?<!\\n)\\n")
_FAR, _BEFORE = 120, 100  # bytes
_VALUE = rb"([A-Za-z0-9][\w!#*+@%^$?~-]{10,126}[A-Za-z0-9!#*?])"
_BEHIND = re.compile(rb"(?<![\w/@.#+\\-])" + _VALUE + rb"(?![\w/\\&=-]|\.\w)")
_ASSIGNED = re.compile(rb"([\w-]+)(?:\\*[\"'`\]])*\s*[:=]|://\S*\Z")
_OTHER = re.compile(rb"[,&]|\w\\*[\"'`]\s*:|=")
_SAME = frozenset({b"default", b"value", b"val", b"text", b"content", b"data", b"is"})
_AHEAD = re.compile(
    rb"(?<![\w/@.#+\\-])" + _VALUE + rb"(?:\\*[\"'`)\]]){0,2}"
    rb"(?:,?\s(?:is|was|as|for|are|ist|est|es|={1,3}|[-=]>)\s|\s?[(,-]{1,2}\s?(?:that(?:'s|\sis)\s)?"
    rb"|\s{1,4}(?:#|//|--|<-)\s)(?:[A-Za-z]{1,12}\s){0,4}[\w.$-]{0,40}\Z"
)
_ENDED = re.compile(
    rb"(?:s?\b)(?=\s*(?:[.,;!?)\"'\\\r\n]|\Z)|\s(?:for|of|to|on|in|and|at|there)\s)"
)


def find_far(text: bytes, words: Words) -> Iterator[Span]:
    """Yield values that can be nothing but the secret that their line speaks of.

    Args:
        text: Any text.
        words: Its words.
    """
    # Usage has `tokens` in every answer, and none of these.
    if all(words.lowered.find(hint) < 0 for hint in _HINTS):
        return
    done = 0
    for at in words.names:
        name = _NAME.match(words.lowered, at)
        if name is None or at < done or not _is_of_door(words.lowered, at, name[0]):
            continue
        line = text[name.end() : name.end() + _FAR]
        end = _LINE_END.search(line)
        for value in _BEHIND.finditer(line, 0, end.start() if end else len(line)):
            if not is_drawn(value[1].decode()):
                continue  # asked first: what stands between takes longer to read
            between = line[: value.start()]
            *_, last = [b"is", *_ASSIGNED.findall(between)]
            is_same = last.lower() in _SAME or (last and not _OTHER.search(between))
            if is_same:
                start = name.end() + value.start()
                done = start + len(value[1])
                yield Span(start, done, LINE)
                break
        if _ENDED.match(text, name.end()):
            before = text[max(0, at - _BEFORE) : at]
            found = _AHEAD.search(before)
            if found is not None and is_drawn(found[1].decode()):
                start = at - len(before) + found.start(1)
                yield Span(start, start + len(found[1]), LINE)


def _is_of_door(lowered: bytes, at: int, name: bytes) -> bool:
    return name not in (b"key", b"token") or (
        _OF_DOORS.search(lowered, max(0, at - 12), at) is not None
    )
