"""The checks behind `harness check`: is a recording fit to be kept?

Owns what counts as a problem of a recording and what is only worth knowing. It
reads and reports; it never changes a file. Format and byte counts are checked by
reading (`harness.store.reading`), secrets by `harness.store.scanning`.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.core.chunks import DONE, parse_payload, payload_error
from harness.core.sse import SSEDecoder
from harness.errors import (
    CassetteCorruptError,
    ChunkError,
    ProtocolError,
    StateError,
    shorten,
)
from harness.store.classify import Kind, classify
from harness.store.known_fields import unknown_chunk_fields, unknown_keys
from harness.store.library import find_cassettes
from harness.store.reading import read_cassette
from harness.store.scanning import scan_cassette

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from harness.core.sse import SSEEvent
    from harness.store.cassette import Cassette, Exchange, Response
    from harness.store.rules import Redaction

__all__ = ["Problem", "check"]


class Problem(NamedTuple):
    """One thing a check has to say about a recording."""

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

    Problems are: a file that does not parse as a cassette, byte counts that do not
    add up, keys that nothing reads, a stream that ends without `finish_reason` or
    `[DONE]` unless the recording says that it was cut, an event that is no chunk,
    times that run backwards, secrets. Notes are: exchanges that cannot be replayed
    and why, errors a provider sent in a stream, fields of chunks that are not in
    OpenAI's format.

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
    for name in find_cassettes(path):
        problems += _check_file(name, redaction)
    return problems


def _check_file(path: str, redaction: Redaction | None) -> list[Problem]:
    problems: list[Problem] = []

    def inspect(document: Any) -> None:
        for index, key in unknown_keys(document):
            ours = "response.stream." in key
            text = f"unknown key {shorten(key)}; nothing reads it: " + (
                "correct it, or record it again"
                if ours
                else "correct it, or keep it for the recorder that wrote it"
            )
            problems.append(Problem(path, index, text))

    try:
        cassette = read_cassette(path, inspect=inspect)
    except CassetteCorruptError as error:
        place = f"{error.place}: " if error.place else ""
        return [*problems, Problem(path, None, f"{place}{error.problem}")]
    for exchange in cassette.exchanges:
        problems += (
            Problem(path, exchange.index, text, is_note)
            for text, is_note in _check_exchange(exchange)
        )
    problems += _secrets(cassette, redaction)
    return sorted(problems, key=lambda p: -1 if p.exchange is None else p.exchange)


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
    kind, reason = classify(exchange)
    if kind is Kind.OTHER:
        yield f"not replayed: {reason}", True
    elif kind is Kind.WHOLE:
        try:
            json.loads(response.body)
        except (ValueError, RecursionError) as error:
            yield f"the answer is no complete JSON ({error}); record it again", False
    else:
        yield from _check_stream(response)


def _check_times(response: Response) -> Iterator[_Found]:
    last = 0.0
    for number, (seconds, _) in enumerate(response.wire or ()):
        if seconds < last:
            yield f"wire chunk {number} came before the one before it; edited?", False
            return
        last = seconds


def _check_stream(response: Response) -> Iterator[_Found]:
    stream = _Stream()
    decoder = SSEDecoder()
    try:
        for _, piece in response.iter_wire():
            for event in decoder.feed(piece):
                yield from stream.read(event)
        for event in decoder.close():
            yield from stream.read(event)
    except ProtocolError as error:
        yield f"{error}; record it again", False
        return
    yield from stream.at_the_end(response)


class _Stream:
    """What the events of one stream amount to."""

    def __init__(self) -> None:
        self._chunks = 0
        self._is_done = False
        self._is_finished = False
        self._is_cut = False
        self._is_damaged = False
        self._has_error = False
        self._unknown: Counter[str] = Counter()

    def read(self, event: SSEEvent) -> Iterator[_Found]:
        self._is_cut = not event.is_complete
        data = event.data.strip()
        if data == DONE:
            self._is_done = True
            return
        if not data:
            return
        where = f"event at byte {event.byte_offset}"
        if self._is_done:
            yield f"{where}: comes after [DONE]; the file was edited?", False
        try:
            payload = parse_payload(data)
        except ChunkError as error:
            self._is_damaged = self._is_cut
            if not self._is_cut:
                yield f"{where}: {error}; record it again", False
            return
        self._chunks += 1
        self._unknown.update(set(unknown_chunk_fields(payload)))
        message = payload_error(payload)
        if message is not None:
            self._has_error = True
            yield f"{where}: the provider sent an error: {shorten(message)}", True
        choices = payload.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("finish_reason"):
                self._is_finished = True

    def at_the_end(self, response: Response) -> Iterator[_Found]:
        ended = response.ended
        if ended is not None and ended.kind != "complete":
            because = f" ({ended.error})" if ended.error else ""
            yield f"the stream was cut: {ended.kind}{because}, as recorded", True
        elif self._is_damaged:
            yield "the last event is cut off in the middle; record it again", False
        elif not (self._is_done or self._is_finished or self._has_error):
            yield (
                (
                    "the stream ends without finish_reason or [DONE]; record it again, "
                    "or say under `stream` how it `ended`"
                ),
                False,
            )
        elif self._is_cut:
            yield (
                "the last event has no blank line after it; some clients drop it",
                True,
            )
        if self._unknown:
            named = ", ".join(
                f"{name} ({count} of {self._chunks} chunks)"
                for name, count in sorted(self._unknown.items())
            )
            yield f"fields that are not in OpenAI's format: {named}", True
