"""`harness scan`: has a secret slipped into a recording?"""

from __future__ import annotations

import click

from harness.cli.console import Exit, complain, printable, say


@click.command("scan", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--quiet", is_flag=True, help="Print findings only, no summary.")
def command(paths: tuple[str, ...], *, quiet: bool) -> int:
    """Look for secrets in recordings: keys, tokens, cookies, credentials.

    PATH is a recording or a folder of cassettes and of journals that recordings left.
    Findings go to standard output, one a line, masked, and make the exit code 1.

    \b
    Examples:
      harness scan cassettes
      harness scan new.yaml || echo "do not commit this"
    """
    from harness.errors import CassetteError
    from harness.store.library import find_cassettes
    from harness.store.scanning import scan

    files = findings = 0
    is_unreadable = False
    for path in paths:
        try:
            for name in find_cassettes(path, with_journals=True):
                found = scan(name)
                files += 1
                findings += len(found)
                for one in found:
                    click.echo(printable(str(one)))
        except CassetteError as error:
            complain(str(error))
            is_unreadable = True
    if not quiet:
        say(f"{files} scanned, {findings} secrets found")
    if is_unreadable:
        return Exit.UNUSABLE
    return Exit.FINDINGS if findings else Exit.DONE
