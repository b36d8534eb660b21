"""Logs: lines with a time stamp, a level or a name in front of what was streamed.

Two kinds: `data:` lines as they came from the wire, and JSON that a server wrote into
its log, such as LM Studio's "Generated packet: {...}" over several lines.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import compress
from typing import TYPE_CHECKING

from harness.apis.json_values import parsed
from harness.cassettes.classify import is_error
from harness.cassettes.formats import COLOUR
from harness.cassettes.importers.base import encoded, exchanges_from, restored
from harness.cassettes.importers.draft import Draft
from harness.cassettes.importers.log_lines import (
    EVENT,
    Piece,
    as_sent,
    hold_breaks,
    literals,
    of_each_answer,
    payload,
    piece_of,
    prefixed,
    repeated_words,
    shape_of,
    values,
    with_its_end,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

# A line that Kubernetes cut (`P` for partial), and the beginning of the next one.
_PARTIAL = re.compile(r"^(\S+ (stdout|stderr) )P (.*)\n\S+ \2 ([PF]) ", re.MULTILINE)
_BARE = re.compile(r"[\s>|]*data:")
_REQUEST = re.compile(r"\b(?:POST|GET)\b(?: request)?(?: to)? (\S+)")
_STAMP = re.compile(
    r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)?[T ]?(?P<clock>\d\d:\d\d:\d\d)"
    r"(?:[.,](?P<part>\d+))?"
)


def sniff(text: str) -> bool:
    """Recognise a log with a stream in it."""
    text = _plain(text)
    lines = text.splitlines()
    if any(map(_BARE.match, lines)) and not _has_words_before(lines):
        return False  # the stream stands in the text as it came
    return any(literals(line) or prefixed(line) for line in lines) or any(
        value[1] for _, _, value in values(text)
    )


def _has_words_before(lines: list[str]) -> bool:
    """Return whether a logger wrote the same words before several pieces.

    Of a piece with several lines the others stand bare.
    """
    words: set[str] = set()
    for line in lines:
        found = prefixed(line) or EVENT.search(line)
        before = shape_of(line[: found.start()]) if found else ""
        if before in words:
            return True
        if re.search(r"\w", before):  # and no mark of quoted text
            words.add(before)
    return False


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams of a log."""
    text = _plain(text)
    lines = text.splitlines()
    reader = _Reader(are_lines=not hold_breaks(lines))
    if any(literals(one) or prefixed(one) for one in lines):
        for number, line in enumerate(lines, 1):
            reader.read_line(number, line)
    else:
        for number, prefix, (_, kind, raw) in values(text):
            reader.read_value(number, prefix, kind, raw)
    reader.finish()
    drafts = [draft for draft in reader.drafts if draft.body]
    return exchanges_from([one.restated() for one in drafts], path) if drafts else []


def _plain(text: str) -> str:
    text = COLOUR.sub("", text)
    while _PARTIAL.search(text):
        text = _PARTIAL.sub(r"\1\4 \3", text)
    return text


class _Reader:
    def __init__(self, *, are_lines: bool) -> None:
        self._are_lines = are_lines
        self.drafts: list[Draft] = [Draft()]
        self._is_done = False
        self._name = ""
        self._shape = ""  # what stands before the last literal
        self._cut = ""  # what stands before a literal that ended inside a line
        self._began: float | None = None
        self._stamped: tuple[int, float | None] = (0, None)  # the last line, its time
        self._pieces: list[Piece] = []  # of the draft
        # The ids of answers that have not ended, and whether they gave the reason to.
        self._begun: dict[str, bool] = {}
        self._framed = False

    def read_line(self, number: int, line: str) -> None:
        named, found = EVENT.search(line), prefixed(line, is_bare=True)
        pieces = literals(line, self._cut)
        if pieces:
            self._cut = ""
            for shape, piece in pieces:
                whole = with_its_end(piece) if self._are_lines else as_sent(piece)
                self._shape, self._cut = shape, "" if whole.endswith("\n") else shape
                self._add(number, line, whole, shape)
                self._is_done = "data: [DONE]" in whole
        elif named and not found:
            self._name = named["name"]
        elif found:
            data = payload(found)
            name = f"event: {self._name}\n" if self._name else ""
            self._name = ""
            words = shape_of(line[: found.start()])
            if not words and self._pieces:  # the piece that the last words introduced
                words = self._pieces[-1].words
            self._add(number, line, f"{name}data: {data}\n\n", words)
            self._is_done = data.strip() == "[DONE]"
            rest = found["rest"].partition(data)[2]
            if prefixed(rest):
                self.read_line(number, rest)
        elif "'{" in line and shape_of(line.partition("'{")[0]) == self._shape != "":
            rest = line[line.index("'{") + 1 :]  # a logger had cut it: reported later
            self._add(number, line, f"data: {rest}\n\n", self._shape)
        elif (asked := _REQUEST.search(line)) and "://" in asked[1]:
            # A path alone stands in an access log, behind the answer.
            self._open(line)
            self.drafts[-1].target = asked[1].strip("\"'`,")

    def read_value(self, number: int, prefix: str, kind: str, raw: str) -> None:
        asked = _REQUEST.search(prefix)
        if not kind and asked:
            self._open(prefix)
            self.drafts[-1].target = asked[1]
            self.drafts[-1].request_body = encoded(raw)
        elif kind == "answer":
            self._add(number, prefix, raw, shape_of(prefix))
            self._is_done, self._begun = True, {}
        elif kind or (self.drafts[-1].body and not self._is_done and _is_of_any(raw)):
            lines = "\n".join(f"data: {line}" for line in raw.splitlines())
            self._framed = True
            self._add(number, prefix, f"{lines}\n\n", shape_of(prefix))

    def _open(self, line: str) -> None:
        self.finish()
        if self.drafts[-1].body:
            self.drafts.append(Draft())
        self._is_done = False
        self._began = _seconds(line)

    def _add(self, number: int, line: str, text: str, words: str) -> None:
        piece = piece_of(number, words, text)
        is_mark = piece.content == "data: [DONE]"
        if is_mark:  # of the first that gave its reason
            ended = (name for name, has_reason in self._begun.items() if has_reason)
            piece = piece._replace(id=next(ended, ""))
        if self._is_done and piece.id not in self._begun:
            last = self._pieces[-1]
            if last.content == piece.content and last.words != words:
                return  # the end, in other words
            self._open("")
        if is_mark:
            self._begun.pop(piece.id, None)
        elif piece.id:
            self._begun[piece.id] = self._begun.get(piece.id) or piece.is_last
        if self._stamped[0] != number:  # once a line, which may hold many pieces
            self._stamped = number, _seconds(line)
        at = self._stamped[1]
        if self._began is None:
            self._began = at
        draft = self.drafts[-1]
        since = None if at is None or self._began is None else at - self._began
        if since is not None and draft.body and since < (draft.body[-1][0] or 0):
            since = None  # the next day, or lines out of order
        draft.body.append((since, encoded(text)))
        self._pieces.append(piece)

    def finish(self) -> None:
        if self._pieces:
            again = repeated_words(self._pieces)
            kept = [one.words not in again for one in self._pieces]
            left = kept.count(False)
            repeated = f", so are {left} that say the same again" * bool(left)
            body = list(compress(self.drafts[-1].body, kept))
            pieces = list(compress(self._pieces, kept))
            answers = of_each_answer(pieces)
            self.drafts += [Draft() for _ in answers[1:]]
            for draft, places in zip(
                self.drafts[-len(answers) :], answers, strict=True
            ):
                draft.body = [body[place] for place in places]
                if self._framed:  # JSON has no terminator of its own
                    draft.body.append((draft.body[-1][0], b"data: [DONE]\n\n"))
                first, last = (pieces[places[end]].number for end in (0, -1))
                text = f"{len(places)} event{'s' * (len(places) != 1)} taken from a log"
                text += (
                    f", lines {first} to {last}; what stands before them and between "
                )
                draft.notes.append(restored(f"{text}them is left out{repeated}"))
        self._pieces, self._framed, self._begun = [], False, {}


def _is_of_any(raw: str) -> bool:
    """Return whether JSON is an event of any API: a ping, or an error."""
    value = parsed(raw)
    return isinstance(value, dict) and (value.get("type") == "ping" or is_error(value))


def _seconds(line: str) -> float | None:
    """Return the time that a line states, in seconds since some moment."""
    found = _STAMP.search(line)
    if not found:
        return None
    date = (found["date"] or "2000-01-01").replace("/", "-")
    try:
        moment = datetime.fromisoformat(f"{date}T{found['clock']}+00:00")
    except ValueError:
        return None
    return moment.timestamp() + float(f"0.{found['part'] or 0}")
