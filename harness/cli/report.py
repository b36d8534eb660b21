"""`harness report`: recordings as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, complain_of, say
from harness.cli.output import imports_own_code

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette
    from harness.debug.trace import Trace


@click.command("report", no_args_is_help=True)
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
    default="both",
    show_default=True,
    metavar="streaming|queuing|both|MODULE:NAME",
    help="The consumer to draw: one of ours, both, or your own.",
)
@click.option("--reasoning", is_flag=True, help="Show reasoning as inner thoughts.")
def command(
    paths: tuple[str, ...], output: str, interface: str, *, reasoning: bool
) -> int:
    """Draw recordings: a time line of every stream, chunk by chunk.

    PATH is a recording or a folder of them. The page needs no network; it opens in any
    browser, dark or light, and works by keyboard.

    \b
    Examples:
      harness report cassettes -o report.html
      harness report broken.yaml
      harness report thinking.yaml --reasoning
      harness report broken.yaml --interface my.agent:Interface
    """
    from harness.cassettes.atomic import write_atomically
    from harness.cassettes.library import find_cassettes
    from harness.cassettes.load import load_cassette
    from harness.debug.report import report_page
    from harness.debug.trace import streams_of
    from harness.errors import CassetteError

    loaded: list[Cassette] = []
    failed = 0
    for path in paths:
        try:
            loaded += [load_cassette(name) for name in find_cassettes(path)]
        except CassetteError as error:
            complain_of(error)
            failed += 1
    streams = sum(len(streams_of(cassette)) for cassette in loaded)
    if not streams:
        complain("there is no streamed chat completion in what was named")
        return Exit.UNUSABLE
    if ":" in interface:
        imports_own_code()
    raised = 0

    def note(made: Trace) -> None:
        nonlocal raised
        for failure in made.failures.values():
            complain_of(failure.error, f"{made.cassette}: {failure.error}")
            raised += 1

    page = report_page(
        loaded,
        interfaces=("streaming", "queuing") if interface == "both" else (interface,),
        reasoning=reasoning,
        on_trace=note,
    )
    write_atomically(output, page.encode("utf-8", "replace"))
    say(f"{output}: {streams} streams of {len(loaded)} recordings")
    if failed:
        return Exit.UNUSABLE
    return Exit.FINDINGS if raised else Exit.DONE
