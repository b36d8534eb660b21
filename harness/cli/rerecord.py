"""`harness rerecord`: record again what `--harness-record=verify` found changed."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import click

from harness.cli.console import Exit, say
from harness.errors import UsageError, printable

_LIST = Path(".pytest_cache/v/harness/stale")


@click.command("rerecord", context_settings={"ignore_unknown_options": True})
@click.option("--dry-run", is_flag=True, help="Print the command, run nothing.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST]...")
def command(options: tuple[str, ...], *, dry_run: bool) -> int:
    """Record the tests again whose requests have changed.

    They are those that the last `pytest --harness-record=verify` found, here or in a
    folder above; the list is in pytest's cache. Each is run with
    `--harness-record=rewrite`: its cassette is replaced as a whole, and only if the
    test passes, which takes it off the list. PYTEST is given to pytest.

    \b
    Examples:
      pytest --harness-record=verify
      harness rerecord
      harness rerecord --dry-run
    """
    here = Path.cwd()
    folders = [folder for folder in (here, *here.parents) if (folder / _LIST).is_file()]
    try:
        found = json.loads((folders[0] / _LIST).read_text(encoding="utf-8"))
        tests = [one for one in found if isinstance(one, str)]
    except (IndexError, OSError, TypeError, ValueError):
        raise UsageError(
            f"{_LIST}: no list of tests is here or above; make one: "
            "pytest --harness-record=verify"
        ) from None
    if not tests:
        say("nothing has changed; there is nothing to record again")
        return Exit.DONE
    given = ["-m", "pytest", "--harness-record=rewrite", *options, *tests]
    click.echo(printable(shlex.join(["python", *given])))
    if dry_run:
        return Exit.DONE
    done = subprocess.run([sys.executable, *given], cwd=folders[0], check=False)  # noqa: S603 - pytest
    return Exit.FINDINGS if done.returncode else Exit.DONE
