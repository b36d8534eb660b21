"""The panes of one chunk as text: what the stepper shows and `--around` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.engine.transcript import describe
from harness.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.debug.trace import CallState, Moment, Trace

_TAIL = 160  # characters of a growing text that are shown: its end is what matters


def panes(trace: Trace, number: int) -> dict[str, list[str]]:
    """Return everything about one event, by pane.

    Args:
        trace: The trace.
        number: The position of the event in it.

    Returns:
        Lines by title: `raw`, `carries`, `machine`, `calls`, `text`, one for each
        interface, and `found` for diagnostics; a pane may be empty. Nothing in them
        can run a terminal's escapes.
    """
    moment = trace.moments[number]
    found: dict[str, list[str]] = {
        "raw": [printable(moment.event.raw)],
        "carries": [printable(carries) for carries in moment.carries],
        "machine": machine_lines(trace, moment),
        "calls": [_call(trace, call) for call in moment.calls],
        "text": [_tail(trace.content(number))] if moment.content_length else [],
    }
    for name in trace.interfaces:
        lines = [_emission(e.emitted) for e in moment.emissions.get(name, [])]
        if not trace.was_fed(name, number):
            lines.append("not fed")
        if number == len(trace.moments) - 1:
            rest = trace.after.get(name, [])
            lines += [f"(after) {_emission(e.emitted)}" for e in rest]
        failure = trace.failure_at(name, number)
        if failure is not None:
            lines.append(f"raised: {failure.error}")
        found[name] = lines
    found["found"] = [printable(str(one)) for one in moment.diagnostics]
    return found


def title(trace: Trace, number: int) -> str:
    """Return where an event stands in its stream."""
    event = trace.moments[number].event
    place = f"exchange {trace.exchange}, chunk {event.chunk}"
    if event.chunk != event.number:
        place += f" (event {event.number})"
    at = "" if event.at is None else f", {event.at:.3f} s"
    last = len(trace.moments) - 1
    return f"{place} of 0-{last}: read {event.piece}, byte {event.byte_offset}{at}"


def around(trace: Trace, chunk: int) -> Iterator[str]:
    """Yield the panes of a chunk, of the one before it and of the one behind it.

    Args:
        trace: The trace.
        chunk: Its number, as a replay names it; all its pieces where it was cut.

    Yields:
        Lines, the wanted chunk marked with ``>``; none where there is no such chunk.
    """
    wanted = trace.numbers_of(chunk)
    if not wanted:
        return
    end = min(len(trace.moments), wanted[-1] + 2)
    for number in range(max(0, wanted[0] - 1), end):
        yield from _printed(trace, number, mark=">" if number in wanted else " ")


def until(trace: Trace, chunk: int) -> Iterator[str]:
    """Yield one line for each event up to a chunk, then the panes of that chunk.

    Args:
        trace: The trace.
        chunk: Its number, as a replay names it.

    Yields:
        Lines; none where there is no such chunk.
    """
    wanted = trace.numbers_of(chunk)
    if not wanted:
        return
    for number in range(wanted[-1]):
        yield one_line(trace, number)
    yield from _printed(trace, wanted[-1], mark=">")


def one_line(trace: Trace, number: int) -> str:
    """Return one event in one line: its number, what it carries, what it caused.

    Args:
        trace: The trace.
        number: The position of the event.

    Returns:
        The line; `!` marks a diagnostic or an exception and `*` an emission.
    """
    moment = trace.moments[number]
    raised = [name for name in trace.interfaces if trace.failure_at(name, number)]
    unfed = [name for name in trace.interfaces if not trace.was_fed(name, number)]
    is_bad = moment.diagnostics or raised
    mark = "!" if is_bad else "*" if moment.emissions else " "
    carries = printable("; ".join(moment.carries)) or _nothing(moment)
    notes = [f"{name} raised" for name in raised]
    notes += [f"not fed to {name}" for name in unfed]
    return f"{mark} {moment.event.chunk:>6}  {carries}" + "".join(
        f" ({one})" for one in notes
    )


def _nothing(moment: Moment) -> str:
    if moment.event.payload is None:
        return "(unreadable)"
    return "(usage)" if moment.event.payload.get("usage") else "(nothing)"


def _printed(trace: Trace, number: int, *, mark: str) -> Iterator[str]:
    yield f"{mark} {title(trace, number)}"
    for name, lines in panes(trace, number).items():
        if name == "found" and not lines:
            continue
        for position, line in enumerate(lines or ["-"]):
            yield f"    {name if position == 0 else '':<10} {line}"


def machine_lines(trace: Trace, moment: Moment) -> list[str]:
    """Return the state of every call's argument machine after an event, a line each."""
    return [_machine(call, trace.key) for call in moment.calls]


def _machine(call: CallState, key: str) -> str:
    machine = call.machine
    matched = f"{machine.key_matched}/{len(key)}"
    text = (
        f"call {call.position}: {machine.state}, depth {machine.depth}, offset "
        f"{machine.offset}, key {json.dumps(key)} {matched}, held "
        f"{json.dumps(machine.held)}"
    )
    return f"{text}; {printable(call.error)}" if call.error else text


def _call(trace: Trace, call: CallState) -> str:
    return f"{call.position}: {printable(call.name)}({_tail(trace.arguments(call))}"


def _tail(text: str) -> str:
    cut = f"… ({len(text)} characters) …" if len(text) > _TAIL else ""
    return cut + printable(text[-_TAIL:])


def _emission(message: object) -> str:
    kind, content = describe(message)
    return printable(f"{kind} {content}")
