"""`harness diff`: two transcripts, first difference first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from harness.cli.console import Exit, say, write, write_change
from harness.cli.options import (
    AGENT,
    AS_JSON,
    MODE,
    REASONING,
    Options,
    exchange_option,
    given,
    mode_of,
    option,
    takes,
)
from harness.cli.output import imports_own_code, out
from harness.errors import counted, printable

if TYPE_CHECKING:
    from harness.debug.difference import Change, ContentChange, Difference
    from harness.debug.sides import Row, Side
    from harness.engine.agent_options import AgentOptions

_WINDOW = 60  # characters of a text before its first difference; then as many again


class _How(NamedTuple):
    """How one side is replayed; None is as the recording or the default has it."""

    interface: str | None = None
    mode: str | None = None
    split: str | None = None
    dialect: str | None = None
    fault: str | None = None

    def before(self, other: _How) -> _How:
        """Return this, and `other` where this names nothing."""
        return _How(*(a or b for a, b in zip(self, other, strict=True)))


class DiffOptions(Options):
    """The options of `harness diff`, as they were given; `..._b` are those of B."""

    interface: str | None = option(
        "The consumer of both.  [default: streaming, or the stored transcript's]",
        metavar="streaming|queuing|MODULE:NAME",
    )
    interface_b: str | None = option("The consumer of B.", metavar="NAME")
    mode: str | None = option("How it is used.", of=MODE)
    mode_b: str | None = option("The same for B.", of=MODE)
    split: str | None = option("Cut the text of both otherwise.", metavar="SPLIT")
    split_b: str | None = option("Cut the text of B otherwise.", metavar="SPLIT")
    dialect: str | None = option("Say both as this provider would.", metavar="NAME")
    dialect_b: str | None = option("Say B as this provider would.", metavar="NAME")
    fault: str | None = option("Break both streams.", metavar="NAME[:K]")
    fault_b: str | None = option("Break the stream of B.", metavar="NAME[:K]")
    agent: AgentOptions = AGENT
    exchange: int | None = exchange_option("Compare")
    reasoning: bool = REASONING
    said: bool = option("Compare texts and calls, not the cuts.")
    exact: bool = option("Compare ids, dates, chunk numbers and times too.")
    context: int = option("Emissions shown around a difference.", least=0, default=2)
    as_json: bool = AS_JSON

    def how(self, suffix: str = "") -> _How:
        """Return how both sides are replayed, or with a suffix what is other for B."""
        return _How(*(getattr(self, name + suffix) for name in _How._fields))


@click.command("diff", no_args_is_help=True)
@click.argument("a", metavar="A")
@click.argument("b", metavar="[B]", required=False)
@takes(DiffOptions)
def command(a: str, b: str | None, options: DiffOptions) -> int:
    """Compare what two replays emit; exit with 1 if they differ.

    A and B are recordings, or transcripts that `harness replay --format jsonl` or sse,
    a server of Letta or a snapshot test stored. Without B, A is compared with itself in
    another interface, mode, split, dialect or broken otherwise (the options that end
    in -b).

    \b
    Examples:
      harness diff monday.yaml tuesday.yaml --said
      harness diff broken.yaml --interface-b queuing
      harness diff broken.yaml --split-b chars
      harness diff stored.jsonl cassettes/stock-vcrpy/two-turns.yaml
    """
    from harness.debug.difference import compare

    if b is None and not any(options.how("_b")):
        raise click.UsageError(
            "there is nothing to compare A with: name a second file, or say what is "
            "other with --interface-b, --mode-b, --split-b, --dialect-b or --fault-b"
        )
    if b in {None, a} and (a == "-" or Path(a).is_fifo()):
        raise click.UsageError(
            f"{a}: a pipe can be read only once; save it to a file to compare it with "
            "itself"
        )
    difference = compare(
        *_sides(a, a if b is None else b, options), is_exact=options.exact
    )
    if options.as_json:
        text = json.dumps(difference.to_dict(), indent=2)
        out().write(f"{text}\n")
    else:
        _Printer(difference, options.context).print_all(content_only=options.said)
    is_same = not difference.said if options.said else difference.is_same
    if is_same:
        for side in (difference.a, difference.b):
            for note in side.unbroken:
                say(f"{side.name}: {note}")
    return Exit.DONE if is_same else Exit.FINDINGS


def _sides(a: str, b: str, options: DiffOptions) -> tuple[Side, Side]:
    """Load what is stored, replay the rest; an interface that is stored is kept."""
    from harness.debug.sides import load_stored

    stored = load_stored(a), load_stored(b)
    _refuse_for_stored(a, b, [side is not None for side in stored])
    known = next((side.interface for side in stored if side and side.interface), None)
    both = options.how().before(_How(interface=known))
    side_a = stored[0] or _replayed(a, options, both)
    side_b = stored[1] or _replayed(b, options, options.how("_b").before(both))
    if side_a.is_counted or side_b.is_counted:
        side_a, side_b = side_a.counted(), side_b.counted()
    only = options.exchange
    if only is None:
        return side_a, side_b
    return _only(side_a, only), _only(side_b, only)


def _refuse_for_stored(a: str, b: str, are_stored: list[bool]) -> None:
    """Refuse options that would have to change what is stored."""
    names = [f"{name}_b" for name in _How._fields]
    wrong = given(*names) if are_stored[1] else []
    if all(are_stored):
        agent = ("assistant_message", "assistant_function", "assistant_argument")
        wrong += given(*_How._fields, *agent, "reasoning")
    if wrong:
        both = a if a == b or not all(are_stored) else f"{a} and {b}"
        raise click.UsageError(
            f"{', '.join(wrong)}: {both if all(are_stored) else b} holds what was "
            "emitted, and cannot be replayed otherwise; name the recording"
        )


def _only(side: Side, exchange: int) -> Side:
    from dataclasses import replace

    return replace(side, rows=[row for row in side.rows if row.exchange == exchange])


def _replayed(path: str, options: DiffOptions, how: _How) -> Side:
    from harness.apis.varied import vary
    from harness.debug.sides import replayed_side

    interface = how.interface or "streaming"
    if ":" in interface:
        imports_own_code()
    return replayed_side(
        path,
        interface,
        vary(how.split, how.dialect, how.fault),
        mode=mode_of(interface, how.mode),
        options=options.agent,
        exchange=options.exchange,
        reasoning=options.reasoning,
    )


class _Printer:
    def __init__(self, difference: Difference, context: int) -> None:
        self._found = difference
        self._context = context

    def print_all(self, *, content_only: bool) -> None:
        """Print everything, the first difference first."""
        found = self._found
        write(f"--- {found.a.name}", bold=True)
        write(f"+++ {found.b.name}", bold=True)
        if content_only or found.said or found.is_same:
            self._print_content()
        else:
            write("said: the same texts and calls; only the emissions differ")
        if content_only:
            return
        first = found.first
        counts = f"{len(found.a.rows)} and {len(found.b.rows)} emissions"
        if first is None:
            write(f"emitted: the same, {counts}")
            return
        write(f"emitted: {counts}; first difference at {_place(first)}")
        for number, change in enumerate(found.changes):
            if change.is_same:
                self._print_context(change.a, number)
                continue
            for sign, rows in (("-", change.a), ("+", change.b)):
                for row in rows:
                    write_change(sign, _row(row))

    def _print_content(self) -> None:
        if not self._found.said:
            write("said: the same texts and calls")
            return
        write(f"said: {counted(len(self._found.said), 'difference')}", bold=True)
        for change in self._found.said:
            self._print_content_change(change)

    def _print_content_change(self, change: ContentChange) -> None:
        where = f"@@ exchange {change.one.exchange}, {change.one.kind}"
        if change.a and change.b:
            where += f", character {change.at}"
        write(where, bold=True)
        start = max(0, change.at - _WINDOW)
        for side, sign in ((change.a, "-"), (change.b, "+")):
            if side is None:
                write_change(sign, "(not said)")
                continue
            text = side.text[start : change.at + _WINDOW]
            begin = "…" if start else ""
            end = "…" if len(side.text) > change.at + _WINDOW else ""
            write_change(sign, f"{begin}{text}{end}")
        if change.a and change.b:
            from harness.debug.explain import columns

            common = printable(change.a.text[start : change.at])
            write(" " * (2 + bool(start) + columns(common)) + "^ from here on")

    def _print_context(self, rows: list[Row], number: int) -> None:
        n = self._context
        is_first, is_last = number == 0, number == len(self._found.changes) - 1
        head = [] if is_first else rows[:n]
        tail = [] if is_last else rows[max(0, len(rows) - n) :]
        if len(head) + len(tail) >= len(rows):
            head, tail = rows, []
        skipped = len(rows) - len(head) - len(tail)
        for row in head:
            write(f"  {_row(row)}")
        if skipped:
            write(f"  … {skipped} the same")
        for row in tail:
            write(f"  {_row(row)}")


def _row(row: Row) -> str:
    chunk = "-" if row.chunk is None else row.chunk
    return f"{row.exchange:>4} {chunk:>6}  {row}"


def _place(change: Change) -> str:
    parts = []
    for name, rows in (("A", change.a), ("B", change.b)):
        if rows:
            chunk = rows[0].chunk
            where = "after the stream" if chunk is None else f"chunk {chunk}"
            parts.append(f"exchange {rows[0].exchange}, {where} of {name}")
    return "; ".join(parts)
