"""`harness ls`: one line a cassette."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit
from harness.cli.jobs import each, named, readable
from harness.errors import printable

if TYPE_CHECKING:
    from harness.engine.summary import CassetteSummary

_HEAD = (
    *("cassette", "model", "exchanges", "chunks"),
    *("tools", "tokens", "ended", "seconds"),
)
_RIGHT = {2, 3, 5, 7}  # columns of numbers
_NARROWEST = {1: 5, 4: 5, 6: 5, 0: 12, 5: 6}
# Columns that give way on a narrow terminal, in this order, and how far.


@click.command("ls", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def command(paths: tuple[str, ...]) -> int:
    """List recordings, one line each.

    PATH is a recording or a folder of cassettes. Tokens are prompt+completion;
    seconds are known where timing was recorded.

    \b
    Examples:
      harness ls cassettes
      harness ls cassettes | sort -k4 -n
    """
    from harness.cassettes.load import load_cassette
    from harness.engine.summary import summarise

    unreadable: list[str] = []
    found = each(lambda name: summarise(load_cassette(name)), named(paths))
    rows = [_row(summary) for _, summary in readable(found, unreadable)]
    if rows:
        _print([_HEAD, *rows])
    return Exit.UNUSABLE if unreadable else Exit.DONE


def _print(table: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEAD))]
    columns = _columns()
    if columns is not None and not _fit(widths, columns):
        for path, *cells in table[1:]:
            named = zip(_HEAD[1:], cells, strict=True)
            text = ", ".join(f"{name} {cell}" for name, cell in named if cell != "-")
            click.echo(path)
            click.echo(textwrap.indent(textwrap.fill(text, max(20, columns - 2)), "  "))
        return
    for row in table:
        pairs = enumerate(zip(row, widths, strict=True))
        shown = (_cut(cell, width, i) for i, (cell, width) in pairs)
        click.echo("  ".join(shown).rstrip())


def _columns() -> int | None:
    """Return how wide the terminal is; None of a pipe, whose lines are whole."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None


def _row(summary: CassetteSummary) -> tuple[str, ...]:
    tools = ",".join(
        name if count == 1 else f"{name}*{count}"
        for name, count in summary.tools.items()
    )
    ended = ",".join(dict.fromkeys(e.ended for e in summary.exchanges))
    cells = (
        summary.path,
        ",".join(summary.models),
        str(len(summary.exchanges)),
        str(summary.chunks),
        tools,
        "+".join(map(str, summary.tokens)) if summary.tokens else "",
        ended,
        "" if summary.duration_s is None else f"{summary.duration_s:.2f}",
    )
    return tuple(printable(cell) or "-" for cell in cells)


def _fit(widths: list[int], columns: int) -> bool:
    """Make the table as narrow as the terminal, if it can be; numbers stay whole."""
    gaps = 2 * (len(widths) - 1)
    for index, least in _NARROWEST.items():
        over = sum(widths) + gaps - columns
        if over > 0:
            widths[index] = max(min(least, widths[index]), widths[index] - over)
    return sum(widths) + gaps <= columns


def _cut(cell: str, width: int, column: int) -> str:
    """Return a cell as wide as its column; a path loses its beginning."""
    if len(cell) > width:
        cell = f"…{cell[1 - width :]}" if column == 0 else f"{cell[: width - 1]}…"
    return cell.rjust(width) if column in _RIGHT else cell.ljust(width)
