"""`harness ls`: one line a cassette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, printable

if TYPE_CHECKING:
    from harness.engine.summary import CassetteSummary

_HEAD = (
    "cassette",
    "model",
    "exchanges",
    "chunks",
    "tools",
    "tokens",
    "ended",
    "seconds",
)
_RIGHT = {2, 3, 5, 7}  # columns of numbers


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
    from harness.cassettes.library import find_cassettes
    from harness.cassettes.load import load_cassette
    from harness.engine.summary import summarise
    from harness.errors import CassetteError

    rows: list[tuple[str, ...]] = []
    code = Exit.DONE
    for path in paths:
        try:
            for name in find_cassettes(path):
                try:
                    rows.append(_row(summarise(load_cassette(name))))
                except CassetteError as error:
                    complain(str(error))
                    code = Exit.UNUSABLE
        except CassetteError as error:
            complain(str(error))
            code = Exit.UNUSABLE
    if rows:
        table = [_HEAD, *rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(_HEAD))]
        for row in table:
            cells = (
                cell.rjust(width) if i in _RIGHT else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            click.echo("  ".join(cells).rstrip())
    return code


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
