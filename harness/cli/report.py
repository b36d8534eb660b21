"""`harness report`: recordings as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, complain_of, say
from harness.cli.options import REASONING
from harness.cli.output import apart, imports_own_code

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette
    from harness.debug.trace import Trace


@click.command(
    "report",
    no_args_is_help=True,
    short_help="Draw recordings as one page: answers, time lines, chunks.",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True),
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="The page to write.",
)
@click.option(
    "--interface",
    "interfaces",
    multiple=True,
    metavar="streaming|queuing|MODULE:NAME",
    help="A consumer, several times for several side by side.  [default: both of ours]",
)
@click.option("--split", metavar="SPLIT", help="Cut the text otherwise.")
@click.option("--dialect", metavar="NAME", help="Write the streams as this provider.")
@click.option("--fault", metavar="NAME[:K]", help="Break the streams at K.")
@click.option("--diff", is_flag=True, help="Compare the two recordings named.")
@REASONING
def command(
    paths: tuple[str, ...],
    *,
    output: str,
    interfaces: tuple[str, ...],
    split: str | None,
    dialect: str | None,
    fault: str | None,
    diff: bool,
    reasoning: bool,
) -> int:
    """Draw recordings as one page: question, answer, time line, chunks.

    PATH is a recording or a folder of them; those that fail stand first. A
    MODULE:NAME beside them is your own interface. The page needs no network; it opens
    in any browser, dark or light, and works by keyboard.

    \b
    Examples:
      harness report cassettes -o report.html
      harness report broken.yaml
      harness report broken.yaml --interface my.agent:Interface --split chars
      harness report monday.yaml tuesday.yaml --diff
    """
    from harness.apis.varied import vary
    from harness.cassettes.atomic import write_atomically
    from harness.cassettes.library import find_cassettes
    from harness.cassettes.load import load_cassette
    from harness.debug.report import report_page
    from harness.debug.sides import side_of
    from harness.engine.replay import replay
    from harness.errors import CassetteError

    paths, own = apart(paths)
    if diff and len(paths) != 2:
        raise click.UsageError("--diff compares two recordings: name two files")
    interfaces = (*interfaces, *own) or ("streaming", "queuing")
    if own == interfaces:
        interfaces = ("streaming", *own)  # the user's own beside ours
    if any(":" in name for name in interfaces):
        imports_own_code()
    variation = vary(split, dialect, fault)
    loaded: list[Cassette] = []
    failed = 0
    for path in paths:
        try:
            loaded += [load_cassette(name) for name in find_cassettes(path)]
        except CassetteError as error:
            complain_of(error)
            failed += 1
    count = sum(len(cassette.exchanges) for cassette in loaded)
    if not count:
        complain("there is no exchange in what was named")
        return Exit.UNUSABLE
    sides = None
    if diff:
        if len(loaded) != 2:
            raise click.UsageError("--diff compares two recordings: name two files")
        a, b = (
            side_of(
                replay(
                    cassette,
                    interfaces[0],
                    split=variation.split,
                    dialect=variation.dialect,
                    fault=variation.fault,
                    reasoning=reasoning,
                ),
                str(variation),
            )
            for cassette in loaded
        )
        sides = a, b
    raised = 0

    def note(made: Trace) -> None:
        nonlocal raised
        for failure in made.failures.values():
            complain_of(failure.error, f"{made.cassette}: {failure.error}")
            raised += 1

    page = report_page(
        loaded,
        interfaces=interfaces,
        variation=variation,
        reasoning=reasoning,
        sides=sides,
        on_trace=note,
    )
    write_atomically(output, page.encode("utf-8", "replace"))
    say(f"{output}: {count} exchanges of {len(loaded)} recordings")
    if failed:
        return Exit.UNUSABLE
    return Exit.FINDINGS if raised else Exit.DONE
