"""`harness report`: recordings as one HTML page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from harness.cli.console import Exit, complain, complain_of, say
from harness.cli.jobs import each, jobs_option, named
from harness.cli.options import REASONING
from harness.cli.output import apart, imports_own_code

if TYPE_CHECKING:
    from harness.apis.varied import Variation
    from harness.cassettes.model import Cassette
    from harness.debug.report import Drawn
    from harness.debug.sides import Side


@click.command(
    "report",
    no_args_is_help=True,
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
@jobs_option
def command(  # noqa: PLR0913 - options of one call, keyword-only
    paths: tuple[str, ...],
    *,
    output: str,
    interfaces: tuple[str, ...],
    split: str | None,
    dialect: str | None,
    fault: str | None,
    diff: bool,
    reasoning: bool,
    jobs: int,
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
    from harness.debug.report import report_page
    from harness.errors import CassetteError

    paths, own = apart(paths)
    interfaces = (*interfaces, *own) or ("streaming", "queuing")
    if own == interfaces:
        interfaces = ("streaming", *own)  # the user's own beside ours
    if any(":" in name for name in interfaces):
        imports_own_code()
    variation = vary(split, dialect, fault)
    names = named(paths)
    if diff and (len(paths), len(names)) != (2, 2):
        raise click.UsageError("--diff compares two recordings: name two files")
    recordings: list[Drawn] = []
    failed = raised = 0
    kept: dict[str, Cassette] | None = {} if diff else None
    here = partial(
        _drawn,
        kept=kept,
        interfaces=interfaces,
        variation=variation,
        reasoning=reasoning,
    )
    for name, result in each(here, names, 1 if diff else jobs):
        try:
            recordings.append(result())
        except CassetteError as error:
            complain_of(error)
            failed += 1
            continue
        for failure in recordings[-1].failures:
            complain_of(failure, f"{name}: {failure}")
            raised += 1
    count = sum(len(each.entries) for each in recordings)
    if not count:
        complain("there is no exchange in what was named")
        return Exit.UNUSABLE
    sides = None
    if kept is not None and not failed:
        a, b = (
            _side(kept[name], interfaces[0], variation, reasoning=reasoning)
            for name in paths
        )
        sides = a, b
    page = report_page(recordings, sides=sides)
    write_atomically(output, page.encode("utf-8", "replace"))
    say(f"{output}: {count} exchanges of {len(recordings)} recordings")
    if failed:
        return Exit.UNUSABLE
    return Exit.FINDINGS if raised else Exit.DONE


def _drawn(name: str, *, kept: dict[str, Cassette] | None, **options: Any) -> Drawn:
    from harness.cassettes.load import load_cassette
    from harness.debug.report import drawn

    if any(":" in each for each in options["interfaces"]):
        imports_own_code()  # in a process of --jobs, too
    cassette = load_cassette(name)
    if kept is not None:
        kept[name] = cassette
    return drawn(cassette, **options)


def _side(
    cassette: Cassette, interface: str, variation: Variation, *, reasoning: bool
) -> Side:
    from harness.debug.sides import side_of
    from harness.engine.replay import replay

    made = replay(
        cassette,
        interface,
        split=variation.split,
        dialect=variation.dialect,
        fault=variation.fault,
        reasoning=reasoning,
    )
    return side_of(made, str(variation))
