"""The checks behind `harness check`: is a recording fit to be kept?

Owns what counts as a problem of a recording and what is only worth knowing. It
reads and reports; it never changes a file. Format and byte counts are checked by
reading (`harness.cassettes.load`), secrets by `harness.redaction.scan`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.detect import api_named
from harness.cassettes.classify import Kind, classify
from harness.cassettes.journal import is_being_written
from harness.cassettes.journal_text import is_journal
from harness.cassettes.known_fields import unknown_keys
from harness.cassettes.library import find_cassettes
from harness.cassettes.load import read_cassette
from harness.core.diagnostics import DiagnosticKind, Severity
from harness.core.parts import Problem as Odd
from harness.engine.replay import Replay, Unhearing
from harness.engine.stream import StreamReader
from harness.engine.transcript import Diagnostic
from harness.errors import (
    CassetteCorruptError,
    NothingToReplayError,
    StateError,
    shorten,
)
from harness.redaction.scan import scan_cassette

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from harness.apis.base import Violation
    from harness.cassettes.model import Cassette, Exchange, Response
    from harness.redaction.config import Redaction


class Problem(NamedTuple):
    """One thing a check reports about a recording."""

    path: str
    """The file."""
    exchange: int | None
    """The number of the exchange, from 0; None for the file as a whole."""
    text: str
    """What is wrong, where, and what to do."""
    is_note: bool = False
    """It is worth knowing, and no reason to refuse the recording."""

    def __str__(self) -> str:
        where = "" if self.exchange is None else f"exchange {self.exchange}: "
        return f"{self.path}: {where}{'note: ' if self.is_note else ''}{self.text}"


_Found = tuple[str, bool]  # the text of a problem, and whether it is a note


def check(
    path: str | os.PathLike[str], redaction: Redaction | None = None
) -> list[Problem]:
    """Check a recording or a folder of recordings.

    Everything that `harness replay` reports is in it, as a problem or, where no client
    is hurt (`DiagnosticKind.severity`), as a note. Besides: a file that does not parse
    as a cassette, byte counts that do not add up, unknown keys, times that run
    backwards, secrets, rules of its API that a stream breaks, and a journal that a
    recording left (its exchanges are in no cassette).

    Args:
        path: A file, a folder (as `find_cassettes` reads it), or ``-``.
        redaction: What counts as a secret besides the built-in table, and what not.

    Returns:
        Problems and notes, by file and exchange; empty where all is well.

    Raises:
        CassetteError: A file is missing, empty or cannot be read, or a folder holds
            no cassettes.
    """
    problems: list[Problem] = []
    for name in find_cassettes(path, with_journals=True):
        problems += _check_file(name, redaction)
    return problems


def _check_file(path: str, redaction: Redaction | None) -> list[Problem]:
    problems: list[Problem] = []
    if is_journal(path):
        problems.append(Problem(path, None, *_about_journal(path)))

    def inspect(document: Any) -> None:
        for index, key in unknown_keys(document):
            # Only below `stream` is a key ours: elsewhere another recorder's.
            is_ours = key.startswith("response.stream.")
            text = f"unknown key {shorten(key)}: harness does not read it"
            problems.append(Problem(path, index, text, is_note=not is_ours))

    try:
        cassette = read_cassette(path, inspect=inspect)
    except CassetteCorruptError as error:
        place = f"{error.place}: " if error.place else ""
        return [*problems, Problem(path, None, f"{place}{error.problem}")]
    problems += check_cassette(cassette)
    problems += _secrets(cassette, redaction)
    return sorted(problems, key=lambda p: -1 if p.exchange is None else p.exchange)


def check_cassette(
    cassette: Cassette, diagnostics: list[Diagnostic] | None = None
) -> list[Problem]:
    """Check a loaded cassette as `check` does, but for its file and for secrets.

    Args:
        cassette: The cassette; a `source` of it is used up.
        diagnostics: What a replay of all of it reported, where there was one.

    Returns:
        Problems and notes, those of single exchanges first.
    """
    problems = [
        Problem(cassette.path, exchange.index, text, is_note)
        for exchange in cassette.exchanges
        for text, is_note in _check_exchange(exchange)
    ]
    if diagnostics is None:
        diagnostics = diagnostics_of(cassette)
    return [*problems, *_diagnosed(cassette, diagnostics)]


def _about_journal(path: str) -> _Found:
    if is_being_written(path):
        return "the journal of a recording that is going on", True
    return (
        (
            "a recording did not end, and the cassette does not have these exchanges; "
            "`harness show` reads them; the next recording to that cassette takes "
            "them in, or names the file where it puts them (after a rewrite)"
        ),
        False,
    )


def _secrets(cassette: Cassette, redaction: Redaction | None) -> Iterator[Problem]:
    try:
        findings = scan_cassette(cassette, redaction)
    except StateError:  # a pipe has been used up by checking its stream
        text = "not searched for secrets: a pipe is read once; save it to a file"
        yield Problem(cassette.path, None, text, is_note=True)
        return
    for finding in findings:
        text = (
            f"a secret: {finding.kind} in {finding.place}: {finding.excerpt}; "
            "revoke it and record again"
        )
        yield Problem(cassette.path, finding.exchange, text)


def _check_exchange(exchange: Exchange) -> Iterator[_Found]:
    response = exchange.response
    if response.wire is not None:
        yield from _check_times(response)
    kind, _, api = classify(exchange)
    if kind is Kind.WHOLE:
        try:
            json.loads(response.body)
        except (ValueError, RecursionError) as error:
            yield f"the answer is no complete JSON ({error}); record it again", False
    elif kind is Kind.STREAM and api_named(api).rules:
        reader = StreamReader(exchange, None, api=api)
        events = (event for event, _ in reader.iter_events())
        found: dict[str, list[Violation]] = {}
        for violation in api_named(api).check(events):
            found.setdefault(violation.rule.name, []).append(violation)
        for violations in found.values():
            yield _violation_text(violations), False


def _violation_text(violations: list[Violation]) -> str:
    """Return a broken rule as one line: where, which rule, expected, got."""
    first = violations[0]
    where = "" if first.event is None else f"event {first.event}: "
    more = f"; and {len(violations) - 1} times more" if len(violations) > 1 else ""
    return (
        f"{where}breaks {first.rule.name} ({first.rule.summary}): expected "
        f"{first.expected}, got {first.got}{more}"
    )


def _check_times(response: Response) -> Iterator[_Found]:
    last = 0.0
    for number, (seconds, _) in enumerate(response.wire or ()):
        if seconds < last:
            yield f"wire chunk {number} came before the one before it; edited?", False
            return
        last = seconds


def diagnostics_of(cassette: Cassette) -> list[Diagnostic]:
    """Return what a replay of a cassette reports, whatever the interface.

    Args:
        cassette: The cassette; a `source` of it is used up.

    Returns:
        The diagnostics in order; one a exchange where nothing can be replayed.
    """
    running = Replay(cassette, Unhearing())
    try:
        for _ in running.run():
            pass
    except NothingToReplayError:
        return [
            Diagnostic(note.kind, exchange.index, note.text)
            for exchange in cassette.exchanges
            for note in (
                *exchange.notes,
                Odd(DiagnosticKind.NOT_REPLAYED, classify(exchange).reason),
            )
        ]
    return running.diagnostics


def _diagnosed(cassette: Cassette, diagnostics: list[Diagnostic]) -> Iterator[Problem]:
    for found in diagnostics:
        place = str(found).removeprefix(f"exchange {found.exchange}").lstrip(", :")
        yield Problem(
            cassette.path,
            found.exchange,
            place,
            is_note=found.kind.severity is Severity.NOTE,
        )
