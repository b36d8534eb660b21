"""`harness check`: is a recording fit to be kept?"""

from __future__ import annotations

import click

from harness.cli.console import Exit, say
from harness.cli.jobs import each, named, readable
from harness.cli.options import JOBS, Options, option, takes
from harness.errors import counted, printable


def _list_rules() -> None:
    """Print one line a rule: name, what it requires, its source."""
    from harness.apis.detect import API_NAMES, api_named

    for api in map(api_named, API_NAMES):
        for rule in api.rules:
            click.echo(f"{rule.name}: {rule.summary} [{rule.source}]")


class CheckOptions(Options):
    """The options of `harness check`, as they were given."""

    rules: bool = option("List the rules that streams are held against.")
    quiet: bool = option("Print problems only, no notes, no summary.")
    jobs: int = JOBS


@click.command("check", no_args_is_help=True)
@click.argument("paths", nargs=-1, metavar="PATH...")
@takes(CheckOptions)
def command(paths: tuple[str, ...], options: CheckOptions) -> int:
    """Check recordings: format, byte counts, complete streams, secrets.

    PATH is a recording or a folder of cassettes. Problems go to standard output,
    one a line, and make the exit code 1; notes do not. A journal that a recording
    left in the folder is a problem: its exchanges are in no cassette.

    \b
    Examples:
      harness check cassettes
      harness check new.yaml --quiet
      harness check --rules
    """
    from harness.engine.check import check
    from harness.redaction.config import redacted_url

    if options.rules:
        if paths:
            raise click.UsageError("--rules checks nothing; leave PATH or --rules out")
        _list_rules()
        return Exit.DONE
    if not paths:
        raise click.UsageError("name a recording or a folder")
    files = problems = notes = 0
    unreadable: list[str] = []
    results = each(check, named(paths, with_journals=True), options.jobs)
    for _, found in readable(results, unreadable):
        files += 1
        problems += sum(not one.is_note for one in found)
        notes += sum(one.is_note for one in found)
        for one in found:
            if not (one.is_note and options.quiet):
                click.echo(printable(redacted_url(str(one))))
    if not options.quiet:
        found_here = counted(problems, "problem"), counted(notes, "note")
        say(f"{files} checked, {', '.join(found_here)}")
    if unreadable:
        return Exit.UNUSABLE
    return Exit.FINDINGS if problems else Exit.DONE
