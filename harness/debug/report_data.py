"""What the page of `harness report` shows of each exchange, as plain data.

Every exchange is here, whatever came: a stream with its chunks, a whole answer and
an HTTP error without any. The page's script is the only reader.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from harness.cassettes.classify import Kind
from harness.core.diagnostics import Severity
from harness.debug.explain import explain
from harness.debug.exports import as_curl, as_test
from harness.debug.panes import machine_lines
from harness.debug.trace import trace
from harness.engine.conversation import question_of
from harness.engine.replay import Replay
from harness.engine.summary import summarise_exchange
from harness.engine.transcript import describe
from harness.errors import InterfaceError, NothingToReplayError
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.apis.varied import Variation
    from harness.cassettes.model import Cassette, Exchange
    from harness.debug.trace import Trace
    from harness.engine.summary import ExchangeSummary
    from harness.engine.transcript import Diagnostic, Emission

_SHORTEST_S = 1e-6  # a clock's step: no rate is given of less
_SHOWN_BODY = 200_000  # characters: a request can hold megabytes of images


def traced(
    cassette: Cassette,
    number: int,
    *,
    interfaces: Sequence[object],
    variation: Variation,
    reasoning: bool,
) -> tuple[ExchangeSummary, Trace | None]:
    """Read one exchange.

    Args:
        cassette: Its cassette.
        number: Its number.
        interfaces: What is fed, side by side.
        variation: How the stream is written, cut and broken.
        reasoning: Pass reasoning fields on as content.

    Returns:
        The summary, and for a stream its trace.
    """
    summary = summarise_exchange(cassette.exchanges[number])
    if summary.kind is not Kind.STREAM:
        return summary, None
    made = trace(
        cassette,
        number,
        interfaces=interfaces,
        variation=variation,
        reasoning=reasoning,
    )
    return summary, made


def entry_data(
    cassette: Cassette,
    summary: ExchangeSummary,
    made: Trace | None,
    *,
    interfaces: Sequence[object],
) -> dict[str, Any]:
    """Return what the page needs to know of one exchange.

    Args:
        cassette: Its cassette.
        summary: The exchange, read to its end.
        made: The trace of a stream; None for what is none.
        interfaces: What was fed.

    Returns:
        Plain data.
    """
    exchange = summary.exchange
    message = made.message if made is not None else summary.choices.get(0)
    text = message.content if message else ""
    calls = message.calls if message else []
    common: dict[str, Any] = {
        "name": f"{cassette.path} exchange {exchange.index}",
        "file": cassette.path,
        "exchange": exchange.index,
        "kind": summary.kind.value,
        "api": summary.api,
        "model": summary.model,
        "ended": summary.reason or summary.ended,
        "question": question_of(exchange.request, summary.api),
        "request": _request(exchange),
        "usage": summary.usage,
        "calls": [
            {"name": c.name, "id": c.id, "arguments": c.arguments} for c in calls
        ],
        "curl": as_curl(exchange),
        "test": "",
        # What only streams have, and what only others have.
        **dict.fromkeys(("first", "rate", "gap"), None),
        "variation": "",
        "moments": [],
        "whole": [],
        "failures": [],
    }
    if made is not None:
        more, found = _stream(made, cassette), made.diagnostics
    else:
        more, found = _whole(cassette, summary, interfaces)
    named = [one for one in interfaces if isinstance(one, str)]
    if summary.kind is not Kind.OTHER:  # an HTTP error has nothing to replay
        more["test"] = as_test(
            repr(cassette.path),
            name=f"{PurePath(cassette.path).stem}_exchange_{exchange.index}",
            text=text,
            calls=[call.name for call in calls],
            kinds=[str(one.kind) for one in found],
            exchange=exchange.index,
            interface=named[0] if named else "streaming",
            variation=made.variation if made is not None else None,
        )
    return common | more


def _request(exchange: Exchange) -> str:
    request = exchange.request
    head = f"{request.method} {redacted_url(request.uri)}".strip()
    body = (request.body or b"").decode("utf-8", "replace")
    parsed = request.json()
    if parsed is not None:
        body = json.dumps(parsed, indent=2, ensure_ascii=False)
    left = len(body) - _SHOWN_BODY
    cut = f"\n… {left} characters more: harness show has them" if left > 0 else ""
    return f"{head}\n\n{body[:_SHOWN_BODY]}{cut}".strip() or "(not recorded)"


def _stream(made: Trace, cassette: Cassette) -> dict[str, Any]:
    times = [m.event.at for m in made.moments if m.event.at is not None]
    waits = gaps(made)
    first = next((m for m in made.moments if m.carries), None)
    seconds = times[-1] if times else None
    sizes = (len(m.event.raw.encode("utf-8", "replace")) for m in made.moments)
    return {
        "variation": str(made.variation),
        "bytes": sum(sizes),
        "seconds": seconds,
        "first": None if first is None else first.event.at,
        "rate": len(times) / seconds if seconds and seconds > _SHORTEST_S else None,
        "gap": max(waits) if waits else None,
        "interfaces": made.interfaces,
        "moments": [_moment(made, number) for number in range(len(made.moments))],
        "after": [_lines(made.after.get(name, [])) for name in made.interfaces],
        "state": _state(made.diagnostics, is_broken=bool(made.failures)),
        "found": [
            *(
                {"text": str(failure.error), "chunk": failure.chunk}
                for failure in made.failures.values()
            ),
            *(_found(found, cassette, made) for found in made.diagnostics),
        ],
    }


def _moment(made: Trace, number: int) -> dict[str, Any]:
    moment = made.moments[number]
    event = moment.event
    return {
        "chunk": event.chunk,
        "at": event.at,
        "piece": event.piece,
        "byte": event.byte_offset,
        "raw": event.raw,
        "said": moment.carries,
        "parts": moment.pieces,
        "machine": machine_lines(made, moment),
        "out": [_lines(moment.emissions.get(name, [])) for name in made.interfaces],
        "unfed": [not made.was_fed(name, number) for name in made.interfaces],
        "found": [
            *(str(found) for found in moment.diagnostics),
            *(
                f"raised: {failure.error}"
                for name in made.interfaces
                if (failure := made.failure_at(name, number))
            ),
        ],
    }


def _whole(
    cassette: Cassette, summary: ExchangeSummary, interfaces: Sequence[object]
) -> tuple[dict[str, Any], list[Diagnostic]]:
    """Return the data of what has no chunks, and what was found in it."""
    response = summary.exchange.response
    message = summary.choices.get(0)
    after: list[list[str]] = []
    names: list[str] = []
    found: list[Diagnostic] = []
    failures: list[str] = []
    for interface in interfaces if summary.kind is Kind.WHOLE else ():
        running = Replay(cassette, interface, exchange=summary.exchange.index)
        lines: list[str] = []
        try:
            lines += (line for one in running for line in _lines([one]))
        except (InterfaceError, NothingToReplayError) as error:
            failures.append(str(error))
        names.append(running.interface)
        after.append(lines)
        found = found or list(running.diagnostics)
    parts: list[tuple[str, str]] = []
    if message is None:
        parts.append(("text", response.peek(_SHOWN_BODY).decode("utf-8", "replace")))
    else:
        said = ("reasoning", message.reasoning), ("text", message.content)
        parts += [part for part in (*said, ("refusal", message.refusal)) if part[1]]
        parts += [(f"call {call.position}", call.arguments) for call in message.calls]
    is_error = summary.kind is Kind.OTHER
    data = {
        "bytes": len(response.body),
        "seconds": summary.duration_s,
        "interfaces": names,
        "whole": parts,
        "after": after,
        "failures": failures,
        "state": "failing"
        if is_error and response.status >= 400
        else _state(found, is_broken=bool(failures)),
        "found": [{"text": summary.reason, "chunk": None}] * is_error
        + [_found(one, cassette, None) for one in found],
    }
    return data, found


def _state(found: list[Diagnostic], *, is_broken: bool) -> str:
    """Return `failing`, `note` or nothing: what the page sorts by first."""
    if is_broken or any(one.kind.severity is not Severity.NOTE for one in found):
        return "failing"
    return "note" if found else ""


def _found(found: Diagnostic, cassette: Cassette, made: Trace | None) -> dict[str, Any]:
    variation = made.variation if made is not None else None
    lines = [str(found), *explain(found, cassette, variation)]
    return {"text": "\n".join(lines), "chunk": found.nearest}


def _lines(emissions: list[Emission]) -> list[str]:
    return ["  ".join(describe(emission.emitted)) for emission in emissions]


def gaps(made: Trace) -> list[float]:
    """Return the seconds between one chunk and the next; empty without times.

    None is below 0, also where a cassette's times go back: they were edited.
    """
    times = [m.event.at for m in made.moments if m.event.at is not None]
    return [max(0.0, b - a) for a, b in pairwise(times)]
