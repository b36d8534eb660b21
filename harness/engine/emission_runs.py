"""Emissions of one kind, joined: what a person reads of a stream of messages.

An interface emits a message for each chunk. Those of one kind in a row are one run,
with how many pieces it came in and the longest silence between two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.agents.letta.light_messages import MessageStreamStatus
from harness.apis.chat.deltas import DeltaReader
from harness.core.parts import CallPart, Reasoning, Refusal, Text
from harness.engine.emission import data_of
from harness.engine.transcript import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine.transcript import Emission

_TEXTS = {"internal_monologue": "text", "assistant_message": "message"}


@dataclass(slots=True)
class Run:
    """Emissions of one kind, one after the other."""

    exchange: int
    kind: str
    """`text`, `message`, `call`, `result`, `status`, or a third party's kind."""
    text: str = ""
    first: int | None = None
    """The chunk that caused the first one; None for the step loop."""
    last: int | None = None
    start: float | None = None
    """Seconds from the request."""
    end: float | None = None
    pieces: int = 0
    gap: float = 0.0
    """The longest time between two of them."""
    call: str = ""
    """The id of the call that it is about; empty elsewhere."""


def runs(emissions: list[Emission]) -> list[Run]:
    """Join emissions of one kind that follow one another.

    Args:
        emissions: In order.

    Returns:
        The runs, in order; the statuses of an exchange are one run at its end.
    """
    found: list[Run] = []
    texts: list[list[str]] = []
    statuses: dict[int, Run] = {}
    reader = DeltaReader()
    for emission in emissions:
        message = emission.emitted
        if isinstance(message, MessageStreamStatus):
            run = statuses.setdefault(
                emission.exchange, Run(emission.exchange, "status")
            )
            run.text = f"{run.text} {message.value}".strip()
            _extend(run, emission)
            continue
        for kind, text, call in _read(message, reader):
            run = found[-1] if found else Run(-1, "")
            is_like = (run.exchange, run.kind) == (emission.exchange, kind)
            is_text = kind in {"text", "message", "call", "reasoning"}
            if not is_like or not is_text or (call and call != run.call):
                run = Run(emission.exchange, kind, call=call)
                found.append(run)
                texts.append([])
            texts[-1].append(text)
            _extend(run, emission)
    for run, pieces in zip(found, texts, strict=True):
        run.text = "".join(pieces)
        if run.kind == "call" and "(" in run.text and not run.text.endswith(")"):
            run.text += ")"
    for exchange, run in statuses.items():
        after = [n for n, other in enumerate(found) if other.exchange <= exchange]
        found.insert(after[-1] + 1 if after else 0, run)
    return found


def _extend(run: Run, emission: Emission) -> None:
    if run.pieces == 0:
        run.first, run.start = emission.chunk, emission.at
    elif run.end is not None and emission.at is not None:
        run.gap = max(run.gap, emission.at - run.end)
    run.last, run.end = emission.chunk, emission.at
    run.pieces += 1


def _read(message: object, reader: DeltaReader) -> Iterator[tuple[str, str, str]]:
    """Yield what a message holds: kind, fragment, the id where a call starts."""
    data = data_of(message)
    if isinstance(data, str):
        yield "text", data, ""
    elif isinstance(data, dict) and isinstance(data.get("choices"), list):
        for part in reader.read(data):
            if isinstance(part, CallPart):
                opened = f"{part.call.name}(" if part.is_new else ""
                yield (
                    "call",
                    opened + part.arguments,
                    f"call {part.call.position}" if part.is_new else "",
                )
            elif isinstance(part, Text | Refusal | Reasoning):
                kind = "reasoning" if isinstance(part, Reasoning) else "text"
                yield kind, part.text, ""
    elif isinstance(data, dict) and isinstance(data.get("function_call"), dict):
        call = data["function_call"]
        name, arguments = call.get("name"), call.get("arguments")
        opened = f"{name}(" if name else ""
        call_id = str(call.get("function_call_id") or opened)
        yield "call", f"{opened}{arguments or ''}", call_id if opened else ""
    elif isinstance(data, dict) and isinstance(data.get("function_call"), str):
        yield "call", data["function_call"], data["function_call"]
    elif isinstance(data, dict) and "function_return" in data:
        status = f"  ({data['status']})" if data.get("status") != "success" else ""
        yield "result", f"{data['function_return']}{status}", ""
    else:
        fields = data if isinstance(data, dict) else {}
        known = next((k for k in _TEXTS if isinstance(fields.get(k), str)), None)
        if known is not None:
            yield _TEXTS[known], fields[known], ""
        else:
            yield (*describe(message), "")
