"""The unit of work of a sweep: the bytes of one recording in, its rows out."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.cassettes.classify import Kind
from harness.cassettes.file_endings import ENDINGS
from harness.cassettes.library import begins_cassette
from harness.cassettes.load import read_cassette
from harness.cassettes.model import Cassette, Exchange
from harness.cassettes.unpacking import plain
from harness.core.diagnostics import DiagnosticKind, Severity
from harness.corpus.consumer_checks import judge_for, judged, read_by_sdk
from harness.corpus.opening import ROW, Item
from harness.corpus.stream_rows import LABELS, Stream, content_id, labels_of
from harness.engine.check import check_cassette
from harness.engine.replay import replay
from harness.engine.summary import summarise_exchange
from harness.engine.transcript import Transcript, message_json
from harness.errors import (
    CassetteError,
    InterfaceError,
    NothingToReplayError,
    UsageError,
    printable,
)
from harness.redaction.scan import scan_cassette

if TYPE_CHECKING:
    from collections.abc import Callable


CHECKS = ("check", "scan", "replay", "drift", "splits", "faults")
"""What a sweep can do with every stream, besides asking a consumer."""

NO_RECORDING = "no recording"
"""The shape in the row of a file that is none: a lock file among cassettes."""

_TEXTS = 5  # problems kept in a row; the counts by kind have all of them
_TEXT_LENGTH = 300
_KINDS = {kind.value for kind in DiagnosticKind}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with each stream."""

    checks: tuple[str, ...] = ("check", "scan", "replay")
    """Of `CHECKS`."""
    consumer: str = ""
    """``MODULE:NAME`` of a consumer that is asked, too; empty for none."""

    def prepare(self) -> None:
        """Import what is needed, so that a wrong name is reported at once.

        Raises:
            UsageError: A check is unknown, or the consumer cannot be used.
        """
        for name in self.checks:
            if name not in CHECKS:
                raise UsageError(
                    f"there is no check {name!r}; there are {', '.join(CHECKS)} and "
                    "consumer MODULE:NAME"
                )
        if self.consumer:
            judge_for(self.consumer)

    @property
    def names(self) -> tuple[str, ...]:
        """The verdicts of a row, in order."""
        return (*self.checks, *([self.consumer] if self.consumer else []))

    def work(self, item: Item) -> list[dict[str, Any]]:
        """Do it; see `sweep_bytes`."""
        return sweep_bytes(item, self)

    def give_up(self, item: Item, reason: str) -> list[dict[str, Any]]:
        """Return what stands for a recording that could not be worked on."""
        return [apart_row(item, reason)]


@dataclass(slots=True)
class _Row:
    """What is written about one stream; the order of its fields is that of a row."""

    id: str
    """The entry's name; with ``#N`` the Nth exchange of a file."""
    stream: str = ""
    """Made of the content: whether two sweeps saw the same."""
    api: str = ""
    provider: str = ""
    model: str = ""
    shape: str = ""
    source: str = ""
    size: int = 0
    verdicts: dict[str, str] = field(default_factory=dict)
    """By check: ``ok``, ``found``, ``failed`` (an error came out), ``nothing``."""
    diagnostics: dict[str, int] = field(default_factory=dict)
    """By kind; also broken rules, kinds of secrets, relations."""
    problems: list[str] = field(default_factory=list)
    """The first of them as text."""
    digest: str = ""
    """Of all that the streaming interface emitted; empty without `replay`."""
    sdk: str = ""
    """What read it for `drift`: the vendor's SDK, with the versions that matter."""
    sdk_digest: str = ""
    """Of what that SDK read; empty where none did."""
    apart: str = ""
    """Why the stream was set apart without a verdict; empty where it was not."""
    harness: str = __version__
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON; `asdict` would copy all that is in it."""
        return {name: getattr(self, name) for name in _FIELDS}

    def note(self, kind: str, text: str) -> None:
        self.diagnostics[kind] = self.diagnostics.get(kind, 0) + 1
        if len(self.problems) < _TEXTS:
            self.problems.append(printable(text)[:_TEXT_LENGTH])


_FIELDS = tuple(each.name for each in fields(_Row))


def apart_row(item: Item, reason: str) -> dict[str, Any]:
    """Return the row of what could not be worked on, named by its id."""
    row = _Row(item.name, source=item.name, size=len(item.data), apart=reason)
    return row.as_json()


def streams_in(item: Item) -> list[Stream]:
    """Return the streams of a recording with their labels.

    Raises:
        CassetteError: It cannot be read.
    """
    if item.problem:
        raise CassetteError(item.name, item.problem)
    if item.kind == ROW:
        return [Stream.decode(item.data)]
    streams = []
    for name, exchange in exchanges_in(item):
        labels = labels_of(summarise_exchange(exchange), name)
        streams.append(Stream(name, exchange, labels))
    return streams


def exchanges_in(item: Item) -> list[tuple[str, Exchange]]:
    """Return the exchanges of a recording, their bodies whole, with the ids of rows.

    Args:
        item: Of kind `TEXT`. None come of YAML or JSON that is no recording at all,
            such as a lock file: folders hold them beside cassettes.

    Raises:
        CassetteError: It is a recording, and cannot be read, or has too large a body.
    """
    text = plain(item.name, item.data)
    try:
        cassette = read_cassette(item.name, text=text)
    except CassetteError:
        if item.name.lower().endswith(ENDINGS) and not begins_cassette(text):
            return []
        raise
    for exchange in cassette.exchanges:
        response = exchange.response
        if response.source is not None:
            response.body, response.source = response.whole(item.name), None
    return [(f"{item.name}#{each.index}", each) for each in cassette.exchanges]


def sweep_bytes(item: Item, plan: Plan) -> list[dict[str, Any]]:
    """Carry out a plan on one recording.

    Args:
        item: Its bytes: a row of a data set, or a file in any accepted format.
        plan: What to do.

    Returns:
        One row a stream, in order: plain JSON. Nothing in a recording raises; what is
        wrong with it is in its rows.
    """
    started = time.perf_counter()
    if item.problem:
        return [apart_row(item, item.problem)]
    text = None
    source = item.name
    try:
        if item.kind == ROW:
            stream = Stream.decode(item.data)
            found = [(item.name, stream.exchange)]
            source = stream.labels.source
        else:
            found = exchanges_in(item)
            text = plain(item.name, item.data)
    except CassetteError as error:
        return [apart_row(item, str(error))]
    if not found:
        return [_Row(item.name, source=source, shape=NO_RECORDING).as_json()]
    rows = []
    for name, exchange in found:
        row = _row(name, source, exchange, plan, text)
        text = None  # what stands outside of exchanges is reported with the first
        now = time.perf_counter()
        row.seconds, started = round(now - started, 6), now
        rows.append(row.as_json())
    return rows


def _row(
    name: str, source: str, exchange: Exchange, plan: Plan, text: bytes | None
) -> _Row:
    summary = summarise_exchange(exchange)
    labels = labels_of(summary, source)
    row = _Row(
        name,
        content_id(exchange),
        **{name: getattr(labels, name) for name in LABELS},
        size=len(exchange.response.body),
    )
    # Ids of messages come from the number: a stream has the same digest in any file.
    cassette = Cassette(name, [replace(exchange, index=0)])
    # One replay for those who look at one.
    replayed = cache(partial(replay, cassette, "streaming"))
    asked: dict[str, Callable[[Cassette, _Row], str]] = {
        "check": partial(_check, replayed=replayed if "replay" in plan.names else None),
        "scan": partial(_scan, text=text),
        "replay": partial(_replay, replayed=replayed),
        "drift": _drift,
    }
    for check in plan.names:
        try:
            if check in asked:
                row.verdicts[check] = asked[check](cassette, row)
            elif summary.kind is not Kind.STREAM:
                row.verdicts[check] = "nothing"
            else:
                is_own = check in CHECKS
                target = "streaming" if is_own else check
                lines = judged(target, summary, check if is_own else "consumer")
                for line in lines:
                    row.note(line.partition(":")[0], f"{check}: {line}")
                row.verdicts[check] = "found" if lines else "ok"
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one stream must not end a sweep
            kind = type(error).__name__
            row.note(f"{check}-failed", f"{check}: {kind}: {error}")
            row.verdicts[check] = "failed"
    row.diagnostics = dict(sorted(row.diagnostics.items()))
    return row


def _check(
    cassette: Cassette, row: _Row, replayed: Callable[[], Transcript] | None
) -> str:
    found = None
    if replayed is not None:
        with suppress(NothingToReplayError, InterfaceError):
            found = replayed().diagnostics
    problems = check_cassette(cassette, found)
    for problem in problems:
        # `breaks RULE (...)`, or `KIND: text` as a diagnostic prints itself.
        words = problem.text.removeprefix("event ").split()
        named = (word.rstrip(":") for word in words)
        kind = next((one for one in named if one in _KINDS), "")
        if not kind and "breaks" in words[:3]:
            kind = words[words.index("breaks") + 1]
        row.note(kind or "damaged", f"check: {problem.text}")
    return "found" if any(not each.is_note for each in problems) else "ok"


def _scan(cassette: Cassette, row: _Row, text: bytes | None) -> str:
    findings = scan_cassette(cassette, text=text)
    for finding in findings:
        place = f"{finding.place}: {finding.kind}: {finding.excerpt}"
        row.note(f"secret: {finding.kind}", f"scan: {place}")
    return "found" if findings else "ok"


def _replay(_cassette: Cassette, row: _Row, replayed: Callable[[], Transcript]) -> str:
    try:
        transcript = replayed()
    except NothingToReplayError:
        return "nothing"
    digest = hashlib.sha256()
    for each in transcript.emissions:
        line = f"{each.chunk} {message_json(each.emitted)}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    row.digest = digest.hexdigest()[:32]
    counts = Counter(str(each.kind) for each in transcript.diagnostics)
    for kind, count in counts.items():
        row.diagnostics[kind] = max(count, row.diagnostics.get(kind, 0))
    bad = [d for d in transcript.diagnostics if d.kind.severity is not Severity.NOTE]
    return "found" if bad else "ok"


def _drift(cassette: Cassette, row: _Row) -> str:
    row.sdk, row.sdk_digest, lines = read_by_sdk(cassette)
    for line in lines:
        row.note(line.partition(":")[0], f"drift: {line}")
    return "ok" if row.sdk else "nothing"  # what changed: `Comparison`
