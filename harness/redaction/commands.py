"""Credentials on command lines: `--password VALUE`, `mysql -pVALUE`, `curl -u a:b`.

Owns which flags of which programs take a credential, and where its value ends.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.redaction.secret_names import Credential, is_placeholder, is_random
from harness.redaction.spans import COMMAND, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["find_in_commands", "find_options", "is_number"]

_VALUE = rb"""((?![<{$%-])[^\s"'\\|;<>{}]{6,256}+)"""

# `--password VALUE`, also as items of a list.
_OPTION = re.compile(
    rb"""-(?<![\w-]-)-?([A-Za-z][A-Za-z0-9_-]{2,60}+)"""
    rb"""(?:\\*+["'],\s{0,4}\\*+["']|\s{1,4}\\*+["']?)([^\s"'`\\<>(){}$,;|&-]"""
    rb"""[^\s"'`\\<>(){}$,;|&]{5,256}+)"""
)
_FEWEST = 6

# A flag of one letter means this to these programs alone.
_PROGRAMS = {
    b"p": (
        rb"sshpass|(?:docker|podman|nerdctl|az|helm registry|oc|argocd) login"
        rb"|mongo[a-z]*|twine upload|useradd|cqlsh|clickhouse-client"
    ),
    b"P": rb"zip|unzip|sqlcmd|bcp|smbclient",
    b"a": rb"redis-cli|valkey-cli",
    b"w": rb"ldap[a-z]+",
    b"W": rb"ldap[a-z]+",
    b"k": rb"openssl enc",
}
_ATTACHED = {b"p": rb"sshpass|mysql[a-z]*|mariadb[a-z-]*|7za?", b"a": rb"redis-cli"}
_FLAG = re.compile(rb"-(?<=\s-)([aPpwWk])(\s{1,5}|(?=\S))(?:\\?[\"'])?" + _VALUE)
_BEFORE = 160  # characters of a command before its flag
_COMMANDS = {
    (flag, is_spaced): re.compile(  # the last one
        rb"(?s:.*)(?<![\w-])(?:" + names + rb")\b([^\n|;]*)\Z"
    )
    for is_spaced, table in ((True, _PROGRAMS), (False, _ATTACHED))
    for flag, names in table.items()
}
_OTHERS = tuple(
    re.compile(before + _VALUE + after)
    for before, after in (
        (rb"ConvertTo-SecureString\s{1,5}(?:-String\s{1,5})?\\?[\"']", b""),
        (rb"IDENTIFIED BY\s{1,5}(?:PASSWORD\s{1,5})?\\?[\"']", b""),
        (rb"-pass(?:in|out)?\s{1,5}pass:", b""),
        (rb"gh secret set\s[^\n|;]{0,80}?(?:-b|--body)[\s=]{1,5}\\?[\"']?", b""),
        (rb"mc alias set\s{1,5}\S{1,64}\s\S{1,200}\s\S{1,128}\s", b""),
        (rb"/(?:u|user):\S{1,64}\s[^\n|;]{0,80}?/p:", b""),
        (rb"https?\s-a\s{1,5}\\?[\"']?[\w.@-]{1,64}+:", b""),
        (
            rb"echo\s{1,5}(?:-n\s{1,5})?\\?[\"']?(?:[\w.-]{1,32}+:)?",
            rb"(?=\\?[\"']?\s{0,3}\|[^\n|]{0,80}?(?:-stdin|passwd))",
        ),
    )
)


def find_options(text: bytes, sureness: Callable[[str], Credential]) -> Iterator[Span]:
    """Yield the values of long options whose names are a credential's.

    Args:
        text: Any text.
        sureness: Returns how surely a name stands before a credential.
    """
    for option in _OPTION.finditer(text):
        value = option[2].rstrip(b".,:!?").decode("utf-8", "replace")
        name = option[1].decode("ascii")
        sure = sureness(name)
        least = _FEWEST if sure is Credential.YES else 16
        if (
            sure > Credential.URL
            and (is_random(value, least=least) or is_number(name, value, sure))
            and not is_placeholder(value)
        ):
            yield Span(option.start(2), option.start(2) + len(value.encode()), COMMAND)


_PASSWORD = re.compile(r"(?:pass(?:word|wd|code|phrase)|pwd)\Z", re.IGNORECASE)


def is_number(name: str, value: str, sureness: Credential) -> bool:
    """Return whether a value of digits alone is a password by its name."""
    return (
        sureness is Credential.YES
        and value.isdecimal()
        and len(value) >= _FEWEST
        and _PASSWORD.search(name) is not None
    )


def find_in_commands(text: bytes) -> Iterator[Span]:
    """Yield what flags and commands of known programs take as a credential."""
    for match in _FLAG.finditer(text):
        command = _COMMANDS.get((match[1], bool(match[2])))
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        found = command.match(before) if command is not None else None
        if found is not None and b" -" + match[1] not in found[1]:
            yield Span(*match.span(3), COMMAND)
    for pattern in _OTHERS:
        for match in pattern.finditer(text):
            yield Span(*match.span(1), COMMAND)
