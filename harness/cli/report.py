"""`harness report`: recordings as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, say

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette


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
@click.option("--reasoning", is_flag=True, help="Show reasoning as inner thoughts.")
def command(paths: tuple[str, ...], output: str, *, reasoning: bool) -> int:
    """Draw recordings: a time line of every stream, chunk by chunk.

    PATH is a recording or a folder of them. The page needs no network; it opens in any
    browser, dark or light, and works by keyboard.

    \b
    Examples:
      harness report cassettes -o report.html
      harness report broken.yaml
      harness report thinking.yaml --reasoning
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
            complain(str(error))
            failed += 1
    streams = sum(len(streams_of(cassette)) for cassette in loaded)
    if not streams:
        complain("there is no streamed chat completion in what was named")
        return Exit.UNUSABLE
    page = report_page(loaded, reasoning=reasoning)
    write_atomically(output, page.encode("utf-8", "replace"))
    say(f"{output}: {streams} streams of {len(loaded)} recordings")
    return Exit.UNUSABLE if failed else Exit.DONE
