"""The scanner behind `harness scan`: secrets that a recording still holds.

Owns which finds are worth a report and how they are shown: never the secret itself.
What a secret looks like is `harness.redaction.detectors`, shared with redaction, so
that what recording has cleaned comes out clean here. Ids of single requests are removed
when recording and not looked for here: they are noise, no secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.file_endings import is_packed
from harness.cassettes.inputs import open_input
from harness.cassettes.library import begins_cassette, find_recordings
from harness.cassettes.load import load_cassette, read_cassette
from harness.cassettes.unpacking import unpacked
from harness.errors import CassetteError
from harness.limits import CASSETTE
from harness.redaction.config import Redaction
from harness.redaction.prefixes import public_prefix
from harness.redaction.secret_names import is_identifying_header, is_placeholder
from harness.redaction.spans import COMMAND, FIELD, LINE, PARAMETER, URL_USER

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from harness.cassettes.model import Cassette, Exchange, Headers


class Finding(NamedTuple):
    """One secret in a recording."""

    path: str
    """The file."""
    exchange: int | None
    """Its number, from 0; None outside any exchange (a comment, an unknown key)."""
    place: str
    """Such as ``request header authorization``, ``response body, byte 312``."""
    kind: str
    """What it looks like, such as ``GitHub token``."""
    excerpt: str
    """Its shape, such as ``ghp_*** (40 characters)``; not the secret."""

    def __str__(self) -> str:
        where = "" if self.exchange is None else f"exchange {self.exchange}: "
        return f"{self.path}: {where}{self.place}: {self.kind}: {self.excerpt}"


def scan(
    path: str | os.PathLike[str], redaction: Redaction | None = None
) -> list[Finding]:
    """Look for secrets in a recording or a folder of recordings.

    Args:
        path: A file, a folder (as `find_recordings` reads it), or ``-``.
        redaction: What counts besides the built-in table, and what does not.

    Returns:
        The findings, by file, exchange and place; empty where there are none. Of a
        folder the journals that recordings left are searched, too.

    Raises:
        CassetteError: A file is missing or cannot be read as a recording.
    """
    findings: list[Finding] = []
    found = find_recordings(path)
    for name in found.cassettes + found.others:
        try:
            one = scan_file(name, redaction)
        except CassetteError:
            if name not in found.others:  # those only began as a recording
                raise
            continue
        findings += one.findings
        for problem in one.problems:
            raise problem
    return findings


class Scanned(NamedTuple):
    """What the recordings of one file hold: an archive has several."""

    findings: list[Finding]
    searched: int = 1
    """How many recordings were searched."""
    passed_over: int = 0
    """How many files of an archive are none."""
    problems: tuple[CassetteError, ...] = ()
    """What of an archive could not be read."""


def scan_file(path: str, redaction: Redaction | None = None) -> Scanned:
    """Look for secrets in one file; as `scan`."""
    if not is_packed(path):
        return Scanned(scan_cassette(load_cassette(path), redaction))
    findings: list[Finding] = []
    problems: list[CassetteError] = []
    count = passed_over = 0
    try:
        for name, _, text in unpacked(path):
            if text is None:
                problems.append(CassetteError(name, CASSETTE.problem))
                continue
            try:
                cassette = read_cassette(name, text=text)
            except CassetteError as problem:
                if begins_cassette(text):
                    problems.append(problem)
                passed_over += not begins_cassette(text)
                continue
            findings += scan_cassette(cassette, redaction, text=text)
            count += 1
    except CassetteError as problem:
        problems.append(problem)
    return Scanned(findings, count, passed_over, tuple(problems))


def scan_cassette(
    cassette: Cassette, redaction: Redaction | None = None, *, text: bytes | None = None
) -> list[Finding]:
    """Look for secrets in a loaded cassette and in the rest of its file.

    Args:
        cassette: The cassette; a `source` is read, which uses up that of a pipe.
        redaction: What counts besides the built-in table, and what does not.
        text: The content of its file, where that is no file of this machine.

    Returns:
        The findings, those outside of any exchange last.

    Raises:
        StateError: The cassette came through a pipe that has been read before.
        CassetteError: Its file cannot be read any more.
    """
    rules = redaction or Redaction()
    findings: list[Finding] = []
    seen: list[bytes] = []
    is_held = True
    for exchange in cassette.exchanges:
        is_held = is_held and exchange.response.source is None
        for place, kind, value in _of_exchange(exchange, rules, cassette.path):
            excerpt = _excerpt(value, kind)
            findings.append(
                Finding(cassette.path, exchange.index, place, kind, excerpt)
            )
            seen.append(value)
    # Text that is not held is the file itself: nothing stands outside of it.
    if is_held and text is None and Path(cassette.path).is_file():
        text = open_input(cassette.path).read()
    if is_held and text is not None:
        findings += _outside(cassette.path, text, seen, rules)
    return findings


class _Found(NamedTuple):
    place: str
    kind: str
    value: bytes


def _of_exchange(exchange: Exchange, rules: Redaction, path: str) -> Iterator[_Found]:
    request, response = exchange.request, exchange.response
    yield from _of_line(request.uri, "request url", rules)
    yield from _of_headers(request.headers, "request", rules)
    yield from _of_body(request.body or b"", "request body", rules)
    yield from _of_headers(response.headers, "response", rules)
    yield from _of_body(response.whole(path), "response body", rules)


def _of_line(line: str, place: str, rules: Redaction) -> Iterator[_Found]:
    text = line.encode("utf-8", "surrogatepass")
    for span in rules.uri_spans(text):
        value = text[span.start : span.end]
        if not _stands_for_one(value, span.kind):
            yield _Found(place, span.kind, value)


def _of_headers(headers: Headers, where: str, rules: Redaction) -> Iterator[_Found]:
    for name, values in headers.items():
        place = f"{where} header {name.lower()}"
        kind = ""
        if rules.removes_credential(name):
            kind = CREDENTIAL
        elif rules.removes_header(name) and is_identifying_header(
            name.lower(), with_request_ids=False
        ):
            kind = "identifying header"
        for value in values:
            if not kind:
                yield from _of_line(value, place, rules)
            elif value not in rules.allow and not is_placeholder(value):
                yield _Found(place, kind, value.encode("utf-8", "surrogatepass"))


def _of_body(body: bytes, where: str, rules: Redaction) -> Iterator[_Found]:
    for kind, value, places in rules.body_secrets(body):
        if not _stands_for_one(value, kind, in_prose=True):
            yield _Found(f"{where}, byte {places[0][0]}", kind, value)


_SCHEME = re.compile(r"(?i:bearer|basic|token|apikey|digest|negotiate|bot)\s+")
_TEMPLATE = re.compile(r"[{<$%\[(].*|.*[}>\])]|pass(?:word|wd)?|user(?:name)?|\.+")


def _stands_for_one(value: bytes, kind: str, *, in_prose: bool = False) -> bool:
    """Return whether a find is an example or a gap to be filled, and no secret."""
    text = value.decode("utf-8", "replace")
    if kind == URL_USER:
        password = text.rpartition(":")[2]
        return is_placeholder(password) or bool(_TEMPLATE.fullmatch(password))
    if kind in {COMMAND, FIELD, LINE, PARAMETER}:
        if is_placeholder(text) or _TEMPLATE.fullmatch(text):
            return True
        # Prompts and answers explain what a field is for: a sentence is no value.
        bare = _SCHEME.sub("", text.strip())
        # A carrier shows what has blanks, and cookies stand behind one another.
        is_sentence = " " in bare.replace("; ", "") and kind != COMMAND
        return in_prose and (is_sentence or len(text) < 4)
    # `sk-xxxxxxxxxxxxxxxx`, `ghp_0000...`: a shape without content.
    parts = (text[6:], text.removeprefix(public_prefix(kind, text)))
    return all(len(set(part.strip("-_"))) <= 3 for part in parts)


CREDENTIAL = "credential header"
"""The kind of a header whose name shows that its value is a secret."""


def _excerpt(value: bytes, kind: str) -> str:
    """Return what may be shown of a secret: the prefix its issuer gives to all."""
    text = value.decode("utf-8", "replace")
    shown = public_prefix(kind, text)
    return f"{shown}*** ({len(text)} characters)"


def _outside(
    path: str, text: bytes, seen: list[bytes], rules: Redaction
) -> Iterator[Finding]:
    """Find keys in what the exchanges do not show: comments, unknown keys, metadata."""
    for span in rules.key_spans(text):
        value = text[span.start : span.end]
        # YAML may fold a key over two lines: its beginning is no second find.
        if any(value in other for other in seen) or _stands_for_one(value, span.kind):
            continue
        line = text.count(b"\n", 0, span.start) + 1
        excerpt = _excerpt(value, span.kind)
        yield Finding(path, None, f"line {line}", span.kind, excerpt)
