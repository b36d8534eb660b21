"""`harness init`: a minimal working example in a project that is already there."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.console import Exit, printable, say

_TEMPLATES = Path(__file__).parent / "templates"
_FILES = {
    "test_harness_example.py.txt": "test_harness_example.py",
    "harness-example.yaml": "cassettes/harness-example.yaml",
}


@click.command("init")
@click.argument("folder", default="tests", metavar="[FOLDER]")
def command(folder: str) -> int:
    """Write a minimal working example into FOLDER (tests).

    It is a recording, an interface and two tests.

    No file is ever overwritten: if one is there, nothing is written at all.

    \b
    Examples:
      harness init
      pytest tests/test_harness_example.py
    """
    from harness.errors import UsageError

    texts = {
        Path(folder, target): (_TEMPLATES / source).read_bytes()
        for source, target in _FILES.items()
    }
    for path in texts:
        if path.exists() or path.is_symlink():
            raise UsageError(
                f"{path} is there already, and nothing was written; "
                "move it away, or name another folder: harness init FOLDER"
            )
    for path, data in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:  # never over a file that came meanwhile
                file.write(data)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror})") from None
        click.echo(printable(f"wrote {path}"))
    test = Path(folder) / "test_harness_example.py"
    say(f"now run: pytest {test}  (it needs 'agent-stream-harness[pytest]')")
    return Exit.DONE
