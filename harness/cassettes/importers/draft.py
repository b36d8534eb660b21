"""An exchange in the making, for importers that read text line by line."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.cassettes.importers.base import Restated, encoded, not_read
from harness.cassettes.importers.repairs import repaired

if TYPE_CHECKING:
    from harness.core.parts import Problem

_REQUEST = re.compile(r"([A-Z]+) (\S+)(?: HTTP/[\d.]+)?$")
_STATUS = re.compile(r"HTTP/[\d.]+ (\d{3}) ?(.*)$")


@dataclass(slots=True)
class Draft:
    """What is known so far of one exchange."""

    method: str = "POST"
    target: str = ""
    """The path of a request line, or a whole URL."""
    scheme: str = "http"
    request_headers: list[list[str]] = field(default_factory=list)
    request_body: bytes | None = None
    status: int = 0
    """0 until a response begins."""
    reason: str = ""
    headers: list[list[str]] = field(default_factory=list)
    body: list[tuple[float | None, bytes]] = field(default_factory=list)
    """Pieces with their times."""
    notes: list[Problem] = field(default_factory=list)

    def read_request_line(self, line: str) -> bool:
        """Read the first line of a request; return whether it is one."""
        found = _REQUEST.match(line)
        if found:
            self.method, self.target = found[1], found[2]
        return bool(found)

    def read_status_line(self, line: str) -> bool:
        """Read the first line of a response; return whether it is one.

        What came before belongs to an earlier response, such as `100 Continue`.
        """
        found = _STATUS.match(line)
        if found:
            self.status, self.reason = int(found[1]), found[2]
            self.headers, self.body = [], []
        return bool(found)

    def header(self, name: str) -> str:
        """Return a header of the response, or an empty string."""
        return next((v for n, v in self.headers if n.lower() == name), "")

    def text(self) -> bytes:
        """Return the body so far."""
        return b"".join(piece for _, piece in self.body)

    def restated(self) -> Restated:
        """Return the interaction."""
        host = next((v for n, v in self.request_headers if n.lower() == "host"), "")
        uri = self.target
        if host and uri.startswith("/"):
            uri = f"{self.scheme}://{host}{uri}"
        body, repairs = repaired(self.text())
        if repairs:
            self.body, self.notes = [(None, body)], [*self.notes, *repairs]
        stream: dict[str, Any] = {}
        if self.body and all(at is not None for at, _ in self.body):
            stream["chunks"] = [[at, len(piece)] for at, piece in self.body]
        return Restated(
            self.method,
            uri,
            self.request_headers,
            self.request_body,
            self.status or 200,
            self.reason,
            self.headers,
            self.text(),
            stream=stream,
            notes=self.notes,
        )


def header_of(line: str) -> list[str]:
    """Return name and value of a line of a head."""
    name, _, value = line.partition(":")
    return [name.strip(), value.strip()]


_DATA = {"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"}
_WITH_VALUE = {f"-{letter}" for letter in "AbcCDeEFKmoPQrtTuUwxyYz"}
_WITH_VALUE |= {
    "--cacert",
    "--cert",
    "--connect-timeout",
    "--cookie",
    "--form",
    "--key",
}
_WITH_VALUE |= {"--max-time", "--output", "--proxy", "--resolve", "--retry", "--trace"}
_WITH_VALUE |= {"--trace-ascii", "--user", "--user-agent", "--write-out"}
_QUOTE = re.compile(r"\\.|\$?['\"]")
_OF_BASH = re.compile(r"(?<=\s)\$'((?:\\.|[^'\\])*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_KNOWN = frozenset({"-X", "--request", "-H", "--header", "--url"})


def draft_of_command(command: str) -> Draft:
    """Return a draft with the request that a `curl` command line sends.

    Args:
        command: From `curl` on; line breaks are undone.
    """
    draft = Draft(method="")
    command = _OF_BASH.sub(lambda found: shlex.quote(_unescaped(found[1])), command)
    try:
        words = shlex.split(command)[1:]
    except ValueError:  # an unfinished quote: what was pasted is cut
        words = command.split()[1:]
    values, others = iter(words), [""]
    for word in values:
        name, value = _option(word)
        if not name:
            others.append(value)
            continue
        if name in _WITH_VALUE or name in _DATA or name in _KNOWN:
            value = value or next(values, "")
        if name in {"-X", "--request"}:
            draft.method = value
        elif name in {"-H", "--header"}:
            draft.request_headers.append(header_of(value))
        elif name == "--url":
            draft.target = value
        elif name in _DATA and name != "--data-raw" and value.startswith("@"):
            draft.notes.append(not_read(f"the body of the request (file {value[1:]})"))
        elif name in _DATA:
            joint = b"" if draft.request_body is None or name == "--json" else b"&"
            draft.request_body = (draft.request_body or b"") + joint + encoded(value)
    # What is no URL may be the value of an option that is not known here.
    others.sort(key=lambda word: (not word, "://" not in word))
    draft.target = (draft.target or others[0]).strip("'\"")
    if draft.target and "://" not in draft.target:
        draft.target = f"http://{draft.target}"
    if not draft.method:
        has_body = draft.request_body is not None or draft.notes
        draft.method = "POST" if has_body else "GET"
    return draft


def open_quote(line: str, quote: str = "") -> str:
    """Return the quote that is open behind a line of a command; empty if none is.

    Args:
        line: The line.
        quote: The one that was open before it.
    """
    for found in _QUOTE.finditer(line):
        mark = found[0][-1]
        if found[0][0] == "\\" and quote != "'":
            continue
        if not quote:
            quote = "$'" if found[0] == "$'" else mark
        elif quote[-1] == mark:
            quote = ""
    return quote


def _unescaped(text: str) -> str:
    """Return what Bash makes of text between `$'` and `'`."""

    def meant(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _CONTROLS.get(found[2], found[2])

    units = _ESCAPE.sub(meant, text).encode("utf-16", "surrogatepass")
    return units.decode("utf-16", "surrogatepass")


def _option(word: str) -> tuple[str, str]:
    """Return the option that a word is, with a value that is part of the word."""
    if not word.startswith("-") or word == "-":
        return "", word
    if word.startswith("--"):
        name, _, value = word.partition("=")
        return name, value
    for position, letter in enumerate(word[1:], 1):  # such as -sN, -XPOST, -sd{...}
        name = f"-{letter}"
        if name in _WITH_VALUE or name in _DATA or name in _KNOWN:
            return name, word[position + 1 :]
    return word, ""
