"""Credentials on command lines: `--password VALUE`, `mysql -pVALUE`, `curl -u a:b`.

Owns which flags of which programs take a credential, and where its value ends.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.redaction.secret_names import (
    Credential,
    is_drawn,
    is_placeholder,
    is_random,
    is_strong,
    is_uuid,
)
from harness.redaction.spans import COMMAND, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.redaction.keywords import Words


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
        rb"sshpass|(?:docker|podman|nerdctl|az|helm registry|oc|argocd|auth) login"
        rb"|mongo[a-z]*|twine upload|user(?:add|mod)|cqlsh|clickhouse-client"
        rb"|(?i:psexec(?:64)?(?:\.exe)?)|cypher-shell|hydra|medusa|evil-winrm|crackmapexec|ncftp[a-z]*|rdesktop"
    ),
    b"P": rb"zip|unzip|knife \w+|sqlcmd|bcp|smbclient|isql|tsql|ipmitool"
    rb"|mosquitto_[a-z]+",
    b"a": rb"redis-cli|valkey-cli",
    b"w": rb"ldap[a-z]+",
    b"W": rb"ldap[a-z]+",
    b"k": rb"openssl enc|nuget push",
    b"K": rb"openssl enc",
    b"c": rb"snmp[a-z]+",
    b"A": rb"snmp[a-z]+",
    b"X": rb"snmp[a-z]+",
}
_ATTACHED = {b"p": rb"sshpass|mysql[a-z]*|mariadb[a-z-]*|7za?", b"a": rb"redis-cli"}
_ATTACHED |= {b"P": rb"zip|sqlcmd|tsql|isql", b"w": rb"ldap[a-z]+"}
_FLAG = re.compile(rb"-(?<=\s-)([aAcKkPpwWX])(\s{1,5}|(?=\S))(?:\\?[\"'])?" + _VALUE)
_BEFORE = 160  # characters of a command before its flag
_COMMANDS = {
    (flag, is_spaced): re.compile(  # the last one
        rb"(?s:.*)(?<![\w-])(?:" + names + rb")\b([^\n|;]*)\Z"
    )
    for is_spaced, table in ((True, _PROGRAMS), (False, _ATTACHED))
    for flag, names in table.items()
}


def _is_likely(value: str, drawn: str) -> bool:
    """Return whether a value looks as drawn as its carrier asks for."""
    if is_placeholder(value) or not (value.isascii() or drawn == "any"):
        return False
    if drawn == "link":
        return is_strong(value, least=16) and not is_uuid(value[:36])
    if drawn == "drawn":
        return is_drawn(value)
    if drawn == "strong":
        return is_strong(value) and not is_uuid(value)
    return drawn == "any" or is_random(value)


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
            and (
                is_random(value, least=least)
                or is_strong(value, least=12)
                or is_number(name, value, sure)
            )
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


def find_in_commands(text: bytes, words: Words) -> Iterator[Span]:
    """Yield what flags and commands of known programs take as a credential.

    Args:
        text: Any text.
        words: Its words.
    """
    for match in _FLAG.finditer(text):
        command = _COMMANDS.get((match[1], bool(match[2])))
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        found = command.match(before) if command is not None else None
        if (
            found is not None
            and b" -" + match[1] not in found[1]
            and (
                match[1] not in b"cAKX"
                or is_random(match[3].decode("utf-8", "replace"))
            )
        ):
            yield Span(*match.span(3), COMMAND)
    for one, at in words.carriers():
        value = one.rest.match(text, at)
        if value and _is_likely(value[1].decode("utf-8", "replace"), one.drawn):
            yield Span(*value.span(1), COMMAND)
