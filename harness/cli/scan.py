"""`harness scan`: has a secret slipped into a recording?"""

from __future__ import annotations

from functools import partial

import click

from harness.cli.console import Exit, complain_of, say
from harness.cli.jobs import each
from harness.cli.options import JOBS, PERSONAL, Options, option, takes
from harness.errors import HarnessError, counted, printable


class ScanOptions(Options):
    """The options of `harness scan`, as they were given."""

    personal: tuple[str, ...] = option(
        "Look for personal data of this kind, too; may be given twice.", of=PERSONAL
    )
    quiet: bool = option("Print findings only, no summary.")
    jobs: int = JOBS


@click.command("scan", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@takes(ScanOptions)
def command(paths: tuple[str, ...], options: ScanOptions) -> int:
    """Look for secrets in recordings: keys, tokens, cookies, credentials.

    PATH is a recording in any format that `harness replay` reads, such files as .gz or
    .zst, a .zip or .tar of them, or a folder of all these and of journals that
    recordings left. Findings go to standard output,
    one a line, masked, and make the exit code 1. A file that cannot be read is named
    on standard error, the others are scanned all the same, and the exit code is 2.
    Personal data (names, addresses, e-mail, phone numbers) is not looked for unless
    --personal asks for it.

    \b
    Examples:
      harness scan cassettes
      harness scan new.yaml || echo "do not commit this"
    """
    from harness.cassettes.library import find_recordings
    from harness.redaction.config import Redaction, redacted_url
    from harness.redaction.scan import scan_file

    rules = Redaction(personal=frozenset(options.personal))
    files = findings = unreadable = passed_over = 0
    here = partial(scan_file, redaction=rules)
    names: list[tuple[str, HarnessError | None]] = []
    others: set[str] = set()
    for path in paths:
        try:
            there = find_recordings(path)
        except HarnessError as error:
            names.append((path, error))
            continue
        names += [(name, None) for name in sorted(there.cassettes + there.others)]
        others.update(there.others)
        passed_over += there.passed_over
    for name, result in each(here, names, options.jobs):
        try:
            found = result()
        except HarnessError as error:
            if name in others:
                passed_over += 1
                continue
            # It quotes the file: that may be the secret.
            complain_of(error, redacted_url(str(error), rules))
            unreadable += 1
            continue
        for problem in found.problems:
            complain_of(problem, redacted_url(str(problem), rules))
        unreadable += len(found.problems)
        files += found.searched
        passed_over += found.passed_over
        findings += len(found.findings)
        for one in found.findings:
            shown = one._replace(path=redacted_url(one.path, rules))
            click.echo(printable(str(shown)))
    if not options.quiet:
        left = f", {unreadable} could not be read" if unreadable else ""
        if passed_over:
            left += f", {counted(passed_over, 'other file')} passed over"
        say(f"{files} scanned, {counted(findings, 'secret')} found{left}")
    if unreadable:
        return Exit.UNUSABLE
    return Exit.FINDINGS if findings else Exit.DONE
