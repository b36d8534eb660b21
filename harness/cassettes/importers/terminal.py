"""Text in which a stream stands as it came: terminals, Markdown, issues, notes.

A stream begins behind a `curl` command, behind the head of a response (`curl -i`, or
`curl -v` with its `<`), in a fenced block, or simply with its first field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.apis.detect import api_of_request
from harness.apis.json_values import dict_of, parsed
from harness.cassettes.importers.base import encoded, exchanges_from, is_event, restored
from harness.cassettes.importers.draft import (
    Draft,
    draft_of_command,
    header_of,
    open_quote,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_FIRST_FIELD = re.compile(r"(?:data|event): ?\S|\{\"[^\n]*\}\s*$")
_ANY_FIELD = re.compile(r"^[ \t>|]*(?:data: ?[\[{]|event: ?\w)", re.MULTILINE)
# The first line behind words, a tag, a quote or the progress that curl shows.
_FIRST_BEHIND = re.compile(
    r"(?<![A-Za-z_.])data: ?(?P<rest>\{(?:\"|&quot;).*\})(?:\s*<[^<>]*>)*\s*$"
)
_FENCE = re.compile(r"\s*(?:```|~~~)")
_STREAM_BEGINS = re.compile(r"data: ?[\[{]|event: ?\w|HTTP/\d|\s*(?:```|~~~)")
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? \d{3}(?: |$)")
_REQUEST = re.compile(r"[A-Z]+ \S+ HTTP/\d(?:\.\d)?$")
_VERBOSE = re.compile(
    r"^(?:< HTTP/\d|> [A-Z]+ \S+ HTTP/\d|\*\s+Trying |\* Connected to )", re.MULTILINE
)
_PROMPT = re.compile(
    r"\s*(?:\(\S+\) ?)?(?:(?:[\w.-]+@[\w.-]+|~|/|\[\w+@|PS |[A-Z]:\\)[^$#%>]{0,200})?"
    r"[$%#>»\u03bb\u203a\u2771\u276f\u279c]+ *(?P<command>curl(?:\.exe)?\b.*)$"
)
_COMMAND = re.compile(r"(?P<command>curl(?:\.exe)? .*)$")
_CARET = re.compile(r"\^(.)")
_OTHER_PROMPT = re.compile(
    r"\s*(?:\(\S+\) ?)?(?:(?:[\w.-]+@[\w.-]+[^$#%>]{0,200}|PS [A-Z]:\\[^>]*)[$%#>]"
    r"|[$%»\u03bb\u203a\u2771\u276f\u279c])(?: |$)"
)
_NOISE = re.compile(
    r"\* |\*$|[{}] \[\d+ bytes data\]$|\s*% Total\b|\s*Dload\s+Upload\b"
    r"|\s*\d+\s+[\d.kMG]+\s.*[\d-]+:[\d-]+:[\d-]+"
)
_GLUED = re.compile(
    r"\* (?:Connection #\d+ to host .* left intact|Closing connection.*)$"
)


def sniff(text: str) -> bool:
    """Recognise text around a stream."""
    return bool(
        _ANY_FIELD.search(text)
        or _VERBOSE.search(text)
        or re.search(
            r"^\{\".*\}\s*$|^HTTP/\d|^[^\S\n]*(?:```|~~~)|\bcurl ", text, re.MULTILINE
        )
    )


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams that stand in text."""
    lines, is_indented = _lines(text)
    reader = _Reader(text)
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        command = _PROMPT.match(line) or _COMMAND.match(line)
        if command:
            words, number = _whole_command(command["command"], lines, number)
            reader.start(draft_of_command(words))
        else:
            reader.read(number, line)
    reader.finish()
    for draft in reader.drafts:
        if is_indented:
            draft.notes.append(restored("what stood before every line was left out"))
    restated = [draft.restated() for draft in reader.drafts]
    return exchanges_from(restated, path) if restated else []


def _whole_command(begun: str, lines: list[str], number: int) -> tuple[str, int]:
    """Return a command with the lines it goes on in, and how many lines that leaves.

    An apostrophe in prose about curl opens no text that goes on through a stream.
    """
    is_of_cmd = '^"' in begun  # of Windows, whose escape is a caret
    words = [_CARET.sub(r"\1", begun) if is_of_cmd else begun]
    quote = open_quote(words[0])
    while number < len(lines) and not _STREAM_BEGINS.match(lines[number]):
        more = _CARET.sub(r"\1", lines[number]) if is_of_cmd else lines[number]
        if words[-1].endswith(("\\", "^", "`")):
            words[-1] = words[-1][:-1]
        elif quote:
            words.append("\n")
        else:
            break
        if more:
            words.append(more)
        quote = open_quote(more, quote)
        number += 1
    return "".join(words), number


def _lines(text: str) -> tuple[list[str], bool]:
    """Return the lines without what stands in front of all of the stream's."""
    # The table that PowerShell's Invoke-WebRequest prints.
    text = re.sub(r"(?m)^Content +: (?=data:|event:)", " " * 20, text)
    # Wireshark puts the answer right behind the body of the request.
    text = re.sub(r"(?<=[}\]])(?=HTTP/\d(?:\.\d)? \d{3} )", "\n", text)
    lines = text.split("\n")
    if re.search(r"^data:", text, re.MULTILINE) or _VERBOSE.search(text):
        return lines, False
    found = re.search(r"^([ \t>|]+)(?:data|event): ?\S", text, re.MULTILINE)
    if not found:
        return lines, False
    prefix = found[1]
    return [
        line[len(prefix) :]
        if line.startswith(prefix)
        else ("" if line.rstrip() == prefix.rstrip() else line)
        for line in lines
    ], True


def _is_request(line: str) -> bool:
    """Return whether a line of JSON is what was asked, and no event."""
    asked = dict_of(parsed(line)) if line.startswith("{") else {}
    return api_of_request("", asked) is not None and not is_event(asked)


class _Reader:
    def __init__(self, text: str) -> None:
        self.drafts: list[Draft] = []
        self._is_verbose = bool(_VERBOSE.search(text))
        self._has_fences = bool(re.search(r"^\s*(?:```|~~~)", text, re.MULTILINE))
        self._in_fence = False
        self._asking: Draft | None = None  # whose request is being read
        self._draft: Draft | None = None
        self._in_body = False
        self._in_head = False
        self._first = 0
        self._scheme = "http"
        self._asked: Draft | None = None  # by a command that printed nothing

    def start(self, draft: Draft) -> None:
        """A command was typed: what comes is what it prints."""
        self.finish()
        self._draft, self._in_body = draft, True

    def read(self, number: int, line: str) -> None:
        """Read a line that is no command."""
        bare = line.rstrip("\r")
        if _FENCE.match(bare):
            if self._in_fence:
                self.finish()
            self._in_fence = not self._in_fence
        elif self._is_verbose and self._read_verbose(bare):
            pass
        elif self._in_head:
            self._read_head(number, bare)
        elif _REQUEST.match(bare) and not self._in_body:
            self.finish()
            self._asking = self._draft = Draft()
            self._draft.read_request_line(bare)
        elif self._asking is not None and not _STATUS.match(bare):
            self._read_request(bare)
        elif _STATUS.match(bare):
            self._asking = None
            if self._draft is None or self._draft.status:
                self.finish()
            self._begin_head(bare)
        elif _OTHER_PROMPT.match(bare):
            self.finish()
        else:
            self._read_body(number, line)

    def _read_verbose(self, line: str) -> bool:
        """Read a line that `curl -v` adds; return whether it is one."""
        if line[:2] in {"> ", ">"}:
            asked = Draft(scheme=self._scheme)
            if asked.read_request_line(line[2:].strip()):
                known = self._draft
                self._draft = None
                if known is not None and (known.status or known.body):
                    self._draft = known
                    self.finish()
                elif known is not None:  # the command that was typed
                    asked.request_body, asked.notes = known.request_body, known.notes
                self._draft = asked
            elif self._draft is not None and ":" in line:
                self._draft.request_headers.append(header_of(line[2:]))
        elif line[:2] in {"< ", "<"}:
            shown = line[2:].strip()
            if _STATUS.match(shown):
                self._begin_head(shown)
                self._in_head = False
            elif self._draft is not None and shown:
                self._draft.headers.append(header_of(shown))
            self._in_body = not shown
        elif _NOISE.match(line):
            if re.search(r"\b(?:SSL|TLS)v?\d?.* connection\b|\bALPN", line):
                self._scheme = "https"
            if _GLUED.match(line):
                self.finish()
        else:
            return False
        return True

    def _read_request(self, line: str) -> None:
        """Read a line of a request that stands in front of its response."""
        draft = self._asking
        assert draft is not None
        if draft.request_body is not None:
            draft.request_body += encoded(f"{line}\n")
        elif line:
            draft.request_headers.append(header_of(line))
        else:
            draft.request_body = b""

    def _begin_head(self, line: str) -> None:
        if self._draft is None:
            self._draft, self._asked = self._asked or Draft(), None
        self._draft.read_status_line(line)
        self._in_head, self._in_body = True, False

    def _read_head(self, number: int, line: str) -> None:
        assert self._draft is not None
        if line and not _FIRST_FIELD.match(line):
            self._draft.headers.append(header_of(line))
            return
        self._in_head, self._in_body = False, True
        if line:  # the blank line is not shown, or not blank
            self._read_body(number, line)

    def _read_body(self, number: int, line: str) -> None:
        if not self._in_body:
            if _is_request(line):
                self._asked = Draft(request_body=encoded(line))
                return
            may_begin = self._in_fence or not self._has_fences
            begins = _FIRST_FIELD.match(line) or (
                self._in_fence and line.lstrip()[:1] in {"{", "["}
            )
            if may_begin and not begins and (found := _FIRST_BEHIND.search(line)):
                begins = "&quot;" in found["rest"] or is_event(parsed(found["rest"]))
                line = line[found.start() :]
            if not (may_begin and begins):
                return
            if self._draft is None:
                self._draft, self._asked = self._asked, None
            self._in_body = True
        self._draft = self._draft or Draft()
        glued = _GLUED.search(line) if self._is_verbose else None
        self._first = self._first or number
        text = line[: glued.start()] if glued else f"{line}\n"
        self._draft.body.append((None, encoded(text)))
        if glued:
            self.finish()

    def finish(self) -> None:
        """What was printed ends here."""
        draft, self._draft = self._draft, None
        self._in_body = self._in_head = False
        if draft is not None and (draft.status or draft.text().strip()):
            if self._first:
                draft.notes.append(
                    restored(f"taken from text: the body begins in line {self._first}")
                )
            self.drafts.append(draft)
        elif draft is not None:  # in a page its output stands apart
            self._asked = draft
        self._first = 0
