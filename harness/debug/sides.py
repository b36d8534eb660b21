"""One side of a comparison: emissions as plain data, replayed or stored.

A stored side is what `harness replay` printed as `--format jsonl` or `sse`, what a
server of Letta wrote, or a snapshot of `harness.snapshots`. All are read as data: no
message model is needed, so that a transcript of an older version, or of other people's
interface, can be compared.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.agents.letta.light_messages import STAMP_FIELDS
from harness.apis.chat.chunks import DONE
from harness.apis.json_values import parsed
from harness.core.diagnostics import DiagnosticKind
from harness.core.sse import SSEDecoder
from harness.engine.replay import replay
from harness.engine.transcript import describe
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from harness.apis.varied import Variation
    from harness.cassettes.model import Cassette
    from harness.engine.transcript import Transcript

STATUS_STEP = "[DONE_STEP]"
"""The status with which an agent's step ends."""


@dataclass(frozen=True, slots=True)
class Row:
    """One emission as plain JSON data."""

    exchange: int
    """Number of the exchange, from 0."""
    chunk: int | None
    """Number of the chunk; None for what the step loop caused."""
    at: float | None
    """Seconds from the request; None without recorded timing."""
    message: Any
    """The message's JSON form."""

    def key(self, *, is_exact: bool) -> str:
        """Return what two rows are compared by.

        Args:
            is_exact: Also by ids, dates, chunk numbers and times.

        Returns:
            Text that is equal for equal rows.
        """
        if is_exact:
            return json.dumps([self.exchange, self.chunk, self.at, self.message])
        message = self.message
        if isinstance(message, dict):
            message = {k: v for k, v in message.items() if k not in STAMP_FIELDS}
        return json.dumps([self.exchange, message])

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return asdict(self)

    def __str__(self) -> str:
        if isinstance(self.message, str):
            return f"status  {self.message}"
        kind, content = describe(self.message)
        return f"{kind}  {content}"


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared: where it comes from and its rows in order."""

    name: str
    """The file and how it was replayed."""
    rows: list[Row] = field(repr=False)
    interface: str = ""
    """Which interface emitted it; empty where that was not stored."""
    is_counted: bool = False
    """The numbers of its exchanges were counted: nothing stores them."""
    unbroken: list[str] = field(default_factory=list, repr=False)
    """Where a fault that was asked for changed nothing, a sentence each."""

    def counted(self) -> Side:
        """Return the side with its exchanges counted from 0 as they are emitted."""
        numbers: dict[int, int] = {}
        rows = [
            replace(row, exchange=numbers.setdefault(row.exchange, len(numbers)))
            for row in self.rows
        ]
        return replace(self, rows=rows, is_counted=True)


def side_of(transcript: Transcript, variation: str = "") -> Side:
    """Make a side of a replay.

    Args:
        transcript: What `harness.replay` returned.
        variation: The options of how it was written, cut and broken; may be empty.

    Returns:
        The side.
    """
    how = f"{transcript.interface} {variation}".strip()
    rows = [Row(**emission.to_dict()) for emission in transcript.emissions]
    unbroken = [
        f"exchange {found.exchange}: {found.text}"
        for found in transcript.diagnostics
        if found.kind is DiagnosticKind.FAULT_UNSEEN
    ]
    name = f"{transcript.cassette} ({how})"
    return Side(name, rows, transcript.interface, unbroken=unbroken)


def replayed_side(
    cassette: Cassette | str,
    interface: str,
    variation: Variation,
    *,
    mode: str | None = None,
    **options: Any,
) -> Side:
    """Replay a recording and make a side of it; `options` are those of `Replay`."""
    made = replay(
        cassette,
        interface,
        split=variation.split,
        dialect=variation.dialect,
        fault=variation.fault,
        mode=mode,
        **options,
    )
    shown = "" if mode in {None, "tokens"} else f"--mode {mode} "
    return side_of(made, f"{shown}{variation}".strip())


def load_stored(path: str) -> Side | None:
    """Read a stored transcript.

    Args:
        path: A file; standard input (``-``) is none.

    Returns:
        The side; None where the file does not begin as a stored transcript does, and
        may be a recording.

    Raises:
        CassetteCorruptError: It begins as one, and a later line does not belong; or
            it holds the transcripts of several replays.
    """
    file = Path(path)
    if path == "-" or not file.is_file():
        return None
    with file.open("rb") as opened:
        line = opened.readline(1 << 20)
        if _FIELD.match(line):
            return _from_events(path, line + opened.read())
        first = _object(line)
        if first is None:
            return None
        if {"exchange", "message"} <= first.keys():
            opened.seek(0)
            return _from_lines(path, opened.read().decode("utf-8", "replace"))
        if first.get("version") == 1 and "interface" in first:
            rest = opened.read().decode("utf-8", "replace")
            return _from_snapshot(path, str(first["interface"]), rest)
    return None


_FIELD = re.compile(rb"(?:\xef\xbb\xbf)?(?:data|event|id|retry)?:")
_MESSAGE_KEYS = frozenset(
    {"internal_monologue", "assistant_message", "function_call", "function_return"}
    | {"message_type", "reasoning"}
)


def _from_events(path: str, data: bytes) -> Side | None:
    """Read messages as a server sends them; None where the events are others.

    The numbers of exchanges are not sent: one ends with each `[DONE_STEP]`, as in what
    `harness replay --format sse` writes.
    """
    decoder = SSEDecoder()
    rows: list[Row] = []
    exchange = 0
    is_messages = is_over = False
    for event in (*decoder.feed(data), *decoder.close()):
        text = event.data.strip()
        if not text or text == DONE:
            is_over = is_over or text == DONE
            continue
        if is_over and is_messages:
            raise CassetteCorruptError(
                path,
                "it holds the transcripts of several replays; store one a file (one "
                "cassette, one --interface)",
                place=f"byte {event.byte_offset}",
            )
        message: Any = _object(text)
        if message is None:
            if not text.startswith("[DONE"):
                return None
            message = text
        elif "choices" in message:
            return None
        else:
            is_messages = is_messages or bool(_MESSAGE_KEYS & message.keys())
        rows.append(Row(exchange, None, None, message))
        exchange += message == STATUS_STEP
    if not is_messages:
        return None
    return Side(f"{path} (stored, sse)", rows, is_counted=True)


def _object(line: bytes | str) -> dict[str, Any] | None:
    value = parsed(line, strict=True)
    return value if isinstance(value, dict) else None


def _row(path: str, number: int, value: dict[str, Any] | None) -> Row:
    if value is None or not isinstance(value.get("exchange"), int):
        raise CassetteCorruptError(
            path,
            "expected an emission as `harness replay --format jsonl` prints it; store "
            "the transcript again",
            place=f"line {number}",
        )
    chunk, at = value.get("chunk"), value.get("at")
    return Row(value["exchange"], chunk, at, value.get("message"))


def _from_lines(path: str, text: str) -> Side:
    rows: list[Row] = []
    runs: set[tuple[str, str]] = set()
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            value = _object(line)
            rows.append(_row(path, number, value))
            run = value or {}
            runs.add((str(run.get("cassette")), str(run.get("interface"))))
    if len(runs) > 1:
        raise CassetteCorruptError(
            path,
            f"it holds the transcripts of {len(runs)} replays; store one a file "
            "(one cassette, one --interface)",
        )
    ((_, interface),) = runs
    return Side(f"{path} (stored, {interface})", rows, interface)


def _from_snapshot(path: str, interface: str, text: str) -> Side:
    rows: list[Row] = []
    stamps: dict[Any, dict[str, Any]] = {}
    for number, line in enumerate(text.split("\n"), 2):
        value = _object(line) if line.strip() else {}
        if value == {} or (value is not None and "diagnostic" in value):
            continue
        if value is not None and "stamp" in value and "message" not in value:
            stamps[value.pop("stamp")] = value
            continue
        row = _row(path, number, value)
        stamp = stamps.get((value or {}).get("stamp"), {})
        if stamp and isinstance(row.message, dict):
            row = Row(row.exchange, row.chunk, row.at, {**stamp, **row.message})
        rows.append(row)
    return Side(f"{path} (snapshot, {interface})", rows, interface)
