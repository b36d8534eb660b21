"""What the stepper draws: head, time line, list of events, panes, help; no widgets.

No colour carries text, because none reads well on every palette (Solarized's has none
that reaches 4.5:1 on both of its backgrounds): weight and inversion do, and a finding
brings its own background.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from harness.debug.panes import one_line, panes, title
from harness.errors import printable

if TYPE_CHECKING:
    from harness.debug.navigation import Walk
    from harness.debug.trace import Trace

_HELD = 3  # findings at the top; `d` goes through all of them
FINDING = "bold #ffffff on #d70000"
"""White on red brings its own background: readable on any palette."""

_JSON_TEXT = re.compile(r'(?P<bold>"(?:[^"\\]|\\.)*")(?=:)|"(?:[^"\\]|\\.)*"')
# Keys are in the group that is named as rich names its style.

KEYS = (
    ("→ ← l h j k ↓ ↑", "one event on, back"),
    ("PgDn PgUp", "a screen of events on, back"),
    ("Home End", "the first event, the last"),
    ("c C", "the next chunk, the one before"),
    ("w W", "the next network read, the one before"),
    ("e E", "the next emission, the one before"),
    ("d D", "the next finding, the one before"),
    ("] [", "the next exchange, the one before"),
    ("g", "go to a chunk by its number"),
    ("/ n N", "search a phrase, on, back"),
    ("s t f", "another split, dialect, fault (Tab completes)"),
    ("J K", "scroll what the event holds"),
    ("y", "copy the raw text of the event"),
    ("T", "write a test and a cassette of the exchange"),
    ("Esc", "close the line, or end what takes long"),
    ("? q", "this help, quit"),
)
"""What the help lists: keys and what they do."""

FOOTER = (
    " ←→ move d finding [ ] exchange / search s t f vary y copy T test ? keys q quit"
)
"""The line at the bottom."""


def help_text() -> Text:
    """Return the keys, a line each."""
    text = Text()
    for keys, what in KEYS:
        text.append(f"{keys:<17}", "bold")
        text.append(f" {what}\n")
    return text.append("Esc closes this")


def head(walk: Walk, width: int) -> Text:
    """Return where one stands, and in which variation."""
    where = "no events" if walk.moment is None else title(walk.trace, walk.position)
    place = f" ({walk.place})" if walk.place else ""
    how = str(walk.trace.variation)
    line = f"{how} | {where}{place}" if how else f"{where}{place} | as recorded"
    return Text(line.ljust(width))


def top(walk: Walk, width: int, time_line: TimeLine) -> list[Text]:
    """Return the question, the findings and the time line, a line each."""
    trace = walk.trace
    asked = " ".join(walk.questions.get(trace.exchange, "").split())
    lines = [Text(f'"{printable(asked)}"'[:width])] if asked else []
    kinds = Counter(one.kind for one in trace.diagnostics)
    for kind, times in list(kinds.items())[:_HELD]:
        first = next(one for one in trace.diagnostics if one.kind is kind)
        where = "" if first.chunk is None else f" chunk {first.chunk}"
        more = f" (and {times - 1} more)" if times > 1 else ""
        lines.append(_finding(str(kind), f"{where}{more}  {first.text}", width))
    if len(kinds) > _HELD:
        lines.append(Text(f"and {len(kinds) - _HELD} other kinds: d goes through"))
    for name, failure in trace.failures.items():
        where = (
            "after the stream" if failure.chunk is None else f"chunk {failure.chunk}"
        )
        lines.append(_finding(f"{name} raised", f" {where}  {failure.error}", width))
    return lines + time_line.at(walk.position)


def _finding(name: str, text: str, width: int) -> Text:
    line = Text.assemble((f" {name} ", FINDING), printable(text))
    line.truncate(width, overflow="ellipsis")
    return line


class TimeLine:
    """A line of marks, an event or more each; empty without recorded times.

    Args:
        trace: What it is of.
        width: Columns that it may take.
    """

    def __init__(self, trace: Trace, width: int) -> None:
        self._trace, self._width = trace, width
        self._places: list[int] = []
        self._text = ""
        times = [m.event.at for m in trace.moments if m.event.at is not None]
        if len(times) < 2 or len(times) < len(trace.moments) or times[-1] <= 0:
            return
        end = f"│ {times[-1]:.2f} s"
        room = max(10, width - len(end) - 1)
        places = [
            min(room - 1, max(0, int(time / times[-1] * (room - 1)))) for time in times
        ]
        gap = max(range(1, len(times)), key=lambda one: times[one] - times[one - 1])
        left, right = places[gap - 1] + 1, places[gap]
        cells = ["·"] * room
        label = f"longest gap {times[gap] - times[gap - 1]:.2f} s"
        if len(label) + 2 <= right - left:
            cells[left:right] = f" {label} ".center(right - left, "─")
        for place in places:
            cells[place] = "│"
        for place, moment in zip(places, trace.moments, strict=True):
            if moment.diagnostics:
                cells[place] = "!"
        self._places, self._text = places, f"│{''.join(cells)}{end}"

    def is_of(self, trace: Trace, width: int) -> bool:
        """Return whether it is of this trace and fits this width."""
        return self._trace is trace and self._width == width

    def at(self, position: int) -> list[Text]:
        """Return the line with a position marked; nothing where there is none."""
        if not self._places:
            return []
        text = Text(self._text)
        place = self._places[position] + 1
        text.stylize("reverse", place, place + 1)
        return [text]


def events(walk: Walk, first: int, room: int, width: int) -> Text:
    """Return the list of events from the first that is shown on."""
    text = Text()
    for number in range(first, min(first + room, len(walk.trace.moments))):
        here = number == walk.position
        found = walk.trace.moments[number].diagnostics
        style = "reverse" if here else "bold" if found else ""
        text.append(one_line(walk.trace, number).ljust(width) + "\n", style)
    return text


def shown(walk: Walk, width: int) -> Text:
    """Return the panes of the event: findings first, its raw data laid out last."""
    moment = walk.moment
    text = Text()
    if moment is None:
        return text
    named = panes(walk.trace, walk.position)
    raw, found = named.pop("raw"), named.pop("found")
    for name, lines in [("found", found), *named.items()]:
        if name == "found" and not lines:
            continue
        text.append(f"{name}\n", FINDING if name == "found" else "bold")
        for line in lines or ["-"]:
            text.append(f"  {line}\n")
    text.append("raw\n", "bold")
    payload = moment.event.payload
    lines = raw if payload is None else _laid_out(payload, width).split("\n")
    data = Text("\n".join(map(printable, lines)))
    data.highlight_regex(_JSON_TEXT)
    return text.append_text(data)


def _laid_out(value: object, width: int, indent: int = 0) -> str:
    """Return JSON in lines that fit, if its texts do."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or indent + len(flat) <= width:
        return flat
    inside = " " * (indent + 2)
    if isinstance(value, dict):
        begin, end, keys = "{", "}", [f"{json.dumps(key)}: " for key in value]
        values = list(value.values())
    else:
        begin, end, keys, values = "[", "]", [""] * len(value), value
    lines = (
        f"{inside}{key}{_laid_out(one, width, indent + 2)}"
        for key, one in zip(keys, values, strict=True)
    )
    return f"{begin}\n{f',{chr(10)}'.join(lines)}\n{' ' * indent}{end}"
