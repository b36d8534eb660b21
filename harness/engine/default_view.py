"""The default view of a transcript: one row for each run of like emissions.

It answers what was asked, what was answered, when, and what broke.
"""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from harness.core.parts import Item
from harness.engine.emission_runs import Run, runs
from harness.errors import counted, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from harness.core.accumulate import AccumulatedMessage
    from harness.engine.transcript import Diagnostic, ReplayedResponse, Transcript

_NARROWEST = 40  # columns; below that nothing can be laid out
_WIDEST = 160  # longer lines are hard to read
_QUESTION = 60  # characters of a question in a heading
_ORDINARY = ("[DONE_GEN] [DONE_STEP]", "[DONE_GEN] [DONE_STEP] [DONE]")
# The statuses of every exchange that went as it should; others get a row.


class Line(NamedTuple):
    """One line of the view."""

    text: str
    """Nothing in it can run a terminal's escapes."""
    style: str = ""
    """`heading`, `finding`, or nothing for text."""


def counts(transcript: Transcript) -> str:
    """Return how much there is, in words: `1 exchange, 12 chunks, no findings`."""
    chunks = sum(response.chunks for response in transcript.responses)
    found = len(transcript.diagnostics)
    return ", ".join(
        (
            counted(len(transcript.responses), "exchange"),
            counted(chunks, "chunk"),
            counted(len(transcript.emissions), "emission"),
            counted(found, "finding") if found else "no findings",
        )
    )


def view(transcript: Transcript, *, width: int | None = None) -> str:
    """Return the default view as plain text.

    Args:
        transcript: What to show.
        width: Columns to use; None asks the terminal.

    Returns:
        Lines joined by line ends.
    """
    return "\n".join(line.text for line in view_lines(transcript, width=width))


def view_lines(
    transcript: Transcript,
    *,
    width: int | None = None,
    variation: str = "",
    shows_reasoning: bool = False,
    explain: Callable[[Diagnostic], list[str]] | None = None,
    known: Collection[str] = (),
) -> Iterator[Line]:
    """Yield the default view.

    Args:
        transcript: What to show.
        width: Columns to use; None asks the terminal.
        variation: How the streams were written, cut and broken, for the header.
        shows_reasoning: Whether reasoning was passed on, so that no row counts it.
        explain: Returns lines about the place and the usual cause of a diagnostic.
        known: Diagnostics that were shown before, as text: these are only counted.

    Yields:
        A header, and for each exchange a heading, its rows and its diagnostics.
    """
    columns = width or shutil.get_terminal_size((80, 24)).columns
    columns = max(_NARROWEST, min(_WIDEST, columns))
    responses = {response.exchange: response for response in transcript.responses}
    models = dict.fromkeys(r.model for r in transcript.responses if r.model)
    facts = [printable(transcript.cassette), transcript.interface, *models]
    facts += [variation] if variation else []
    found = [run for run in runs(transcript.emissions) if run.text not in _ORDINARY]
    ends = {one.exchange: one.at for one in transcript.emissions if one.at is not None}
    longest = max((_place(run)[0] for run in found), key=len, default="")
    times = max((_place(run)[1] for run in found), key=len, default="")
    yield from _joined([*facts, counts(transcript)], "   ", columns)
    numbers = [run.exchange for run in found]
    numbers += [*responses, *(one.exchange for one in transcript.diagnostics)]
    for number in sorted(set(numbers)):
        mine = [run for run in found if run.exchange == number]
        response = responses.get(number)
        yield from _heading(number, response, ends.get(number), columns)
        message = response.choices.get(0) if response else None
        if message and message.reasoning and not shows_reasoning:
            size = f"{len(message.reasoning):,}".replace(",", " ")
            yield Line(f"   {size} characters of reasoning: --reasoning")
        if message is not None:
            yield from _not_emitted(message, mine, columns)
        for run in mine:
            places = _place(run)
            left = f"   {places[0]:<{len(longest)}}  {places[1]:<{len(times)}}  "
            yield from _row(run, left, columns)
        here = [one for one in transcript.diagnostics if one.exchange == number]
        fresh = [one for one in here if str(one) not in known]
        yield from _findings(fresh, columns, explain)
        if len(fresh) < len(here):
            yield Line(f"   x {counted(len(here) - len(fresh), 'finding')} as above")


def _not_emitted(
    message: AccumulatedMessage, emitted: list[Run], columns: int
) -> Iterator[Line]:
    """Yield what of an answer no message carries: a refusal, and items by kind."""
    if message.refusal and not any(message.refusal in run.text for run in emitted):
        yield from _row(Run(-1, "refusal", message.refusal), "   ", columns)
    kinds = Counter(
        item.kind for item in message.items if isinstance(item, Item) and item.is_done
    )
    if kinds:
        named = [f"{kind} x{n}" if n > 1 else kind for kind, n in kinds.items()]
        text = f"besides: {', '.join(named)}; see harness show"
        for line in _cut(printable(text), columns - 3):
            yield Line(f"   {line}")


def _heading(
    number: int, response: ReplayedResponse | None, end: float | None, columns: int
) -> Iterator[Line]:
    asked = " ".join(response.question.split()) if response else ""
    short = asked[:_QUESTION] + ("…" if len(asked) > _QUESTION else "")
    facts = []
    if response is not None and response.first_at is not None:
        facts.append(f"first {response.first_at:.2f} s")
    if end is not None:
        facts.append(f"{end:.1f} s")
    message = response.choices.get(0) if response else None
    if response is not None:
        facts.append((message and message.finish_reason) or "no finish")
        if response.tokens is not None:
            facts.append("{}+{} tokens".format(*response.tokens))
    head = f'-- {number}  "{short}"' if asked else f"-- {number}"
    facts[:1] = ["   ".join([printable(head), *facts[:1]])]  # no facts: not replayed
    yield from _joined(facts, " - ", columns)


def _place(run: Run) -> tuple[str, str]:
    """Return the columns in front of a row: its chunks and its times."""
    chunks = "end" if run.first is None else str(run.first)
    if run.first is not None and run.last not in {None, run.first}:
        chunks = f"{run.first}-{run.last}"
    if run.start is None or run.end is None:
        return chunks, ""
    same = run.pieces == 1 or run.kind == "status"
    times = f"{run.end:.2f}" if same else f"{run.start:.2f} -> {run.end:.2f}"
    return chunks, times


def _row(run: Run, left: str, columns: int) -> Iterator[Line]:
    label = f"{run.kind:<7} "
    room = columns - (indent := cell_len(left + label))
    lines = [part for line in run.text.split("\n") for part in _cut(line, room)]
    if run.pieces > 1 and run.kind != "status":
        gap = f", longest gap {run.gap:.2f} s" if run.gap >= 0.005 else ""
        note = f"   {run.pieces} pieces{gap}"
        if cell_len(lines[-1] + note) <= room:
            lines[-1] += note
        else:
            lines += _cut(note.strip(), room)
    for position, line in enumerate(lines):
        yield Line((left + label if position == 0 else " " * indent) + line)


def _findings(
    found: list[Diagnostic],
    columns: int,
    explain: Callable[[Diagnostic], list[str]] | None,
) -> Iterator[Line]:
    """Yield the diagnostics: the first of each kind in full, the rest counted."""
    kinds = Counter(one.kind for one in found)
    for kind, times in kinds.items():
        one = next(one for one in found if one.kind is kind)
        where = "" if one.chunk is None else f"chunk {one.chunk}: "
        more = f" (and {times - 1} more of this kind)" if times > 1 else ""
        yield Line(f" x {kind} ", "finding")
        for line in _cut(f"{where}{one.text}{more}", columns - 6):
            yield Line(f"      {line}")
        for line in explain(one) if explain else []:
            yield from _explained(line, columns)


def _explained(line: str, columns: int) -> Iterator[Line]:
    """Yield a line of an explanation; an excerpt keeps its columns."""
    if line.startswith("    |"):
        yield Line(line)
        return
    indent = " " * 11 if line.startswith("  ") else " " * 4
    for position, part in enumerate(_cut(line.strip(), columns - len(indent))):
        yield Line((" " * 4 if position == 0 else indent) + part)


def _joined(facts: list[str], between: str, columns: int) -> Iterator[Line]:
    """Yield a heading; where it is too wide, it goes on in the next line, indented."""
    lines = facts[:1]
    for fact in facts[1:]:
        if cell_len(lines[-1] + between + fact) <= columns:
            lines[-1] += between + fact
        else:
            lines.append(" " * 5 + fact)
    yield from (Line(part, "heading") for one in lines for part in _cut(one, columns))


def _cut(text: str, columns: int) -> list[str]:
    """Cut a line to what fits, at blanks where there are any; nothing is lost."""
    columns = max(10, columns)
    left = printable(text)
    if len(left) <= columns and cell_len(left) <= columns:
        return [left]
    found: list[str] = []
    while left:
        end = width = 0
        while end < len(left) and width + cell_len(left[end]) <= columns:
            width += cell_len(left[end])
            end += 1
        if end < len(left):
            blank = left.rfind(" ", 0, end + 1)
            end = blank if blank > columns // 2 else max(1, end)
        found.append(left[:end].rstrip())
        left = left[end:].lstrip(" ")
    return found
