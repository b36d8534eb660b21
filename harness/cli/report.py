"""`harness report`: recordings as one HTML page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.console import Exit, complain, complain_of, say
from harness.cli.jobs import each, named, readable, refuse_input
from harness.cli.options import JOBS, REASONING, Options, option, takes
from harness.cli.output import apart, imports_own_code
from harness.errors import UsageError, counted

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette
    from harness.debug.report import Drawn


class ReportOptions(Options):
    """The options of `harness report`, as they were given."""

    output: str = option(
        "The page to write.",
        "-o",
        "--output",
        type=click.Path(dir_okay=False, writable=True),
        default="report.html",
        metavar="FILE",
    )
    interfaces: tuple[str, ...] = option(
        "A consumer, several times for several side by side.  [default: both of ours]",
        "--interface",
        metavar="streaming|queuing|MODULE:NAME",
    )
    split: str | None = option("Cut the text otherwise.", metavar="SPLIT")
    dialect: str | None = option("Write the streams as this provider.", metavar="NAME")
    fault: str | None = option("Break the streams at K.", metavar="NAME[:K]")
    diff: bool = option("Compare the two recordings named.")
    reasoning: bool = REASONING
    jobs: int = JOBS


@click.command("report", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@takes(ReportOptions)
def command(paths: tuple[str, ...], options: ReportOptions) -> int:
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
    from harness.cassettes.library import is_cassette
    from harness.debug.report import report_page

    paths, own = apart(paths)
    interfaces = (*options.interfaces, *own) or ("streaming", "queuing")
    if own == interfaces:
        interfaces = ("streaming", *own)  # the user's own beside ours
    if any(":" in name for name in interfaces):
        imports_own_code()
    variation = vary(options.split, options.dialect, options.fault)
    names, diff = named(paths), options.diff
    refuse_input(options.output, paths)
    if Path(options.output).is_file() and is_cassette(options.output):
        raise UsageError(
            f"{options.output}: is a cassette, and stays as it is; name another file "
            "for the page"
        )
    if diff and (len(paths), len(names)) != (2, 2):
        raise click.UsageError("--diff compares two recordings: name two files")
    recordings: list[Drawn] = []
    failed: list[str] = []
    raised = 0
    kept: dict[str, Cassette] | None = {} if diff else None
    here = partial(
        _drawn,
        kept=kept,
        interfaces=interfaces,
        variation=variation,
        reasoning=options.reasoning,
    )
    found = each(here, names, 1 if diff else options.jobs)
    for name, made in readable(found, failed):
        recordings.append(made)
        for failure in made.failures:
            complain_of(failure, f"{name}: {failure}")
            raised += 1
    count = sum(len(each.entries) for each in recordings)
    if not count:
        complain("there is no exchange in what was named")
        return Exit.UNUSABLE
    sides = None
    if kept is not None and not failed:
        from harness.debug.sides import replayed_side

        a, b = (
            replayed_side(
                kept[name], interfaces[0], variation, reasoning=options.reasoning
            )
            for name in paths
        )
        sides = a, b
    page = report_page(recordings, sides=sides)
    write_atomically(options.output, page.encode("utf-8", "replace"))
    shown = counted(count, "exchange"), counted(len(recordings), "recording")
    say(f"{options.output}: {' of '.join(shown)}")
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
