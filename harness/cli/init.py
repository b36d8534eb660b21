"""`harness init`: a minimal working example in a project that is already there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, say
from harness.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cli.from_vcr import Rewriting

_TEMPLATES = Path(__file__).parent / "templates"
_FILES = {
    "test_harness_example.py.txt": "test_harness_example.py",
    "harness-example.yaml": "cassettes/harness-example.yaml",
}


@click.command("init")
@click.argument("folder", default="tests", metavar="[FOLDER]")
@click.option(
    "--from-vcr",
    is_flag=True,
    help="Rewrite the markers, fixtures and configuration of pytest-recording or "
    "pytest-vcr in FOLDER; shows what it would do. Cassettes are played where they "
    "lie, and not touched.",
)
@click.option("--write", is_flag=True, help="With --from-vcr: do it.")
def command(folder: str, *, from_vcr: bool, write: bool) -> int:
    """Write a minimal working example into FOLDER (tests).

    It is a recording, an interface and two tests.

    No file is ever overwritten: if one is there, nothing is written at all.

    \b
    Examples:
      harness init
      pytest tests/test_harness_example.py
      harness init --from-vcr
      harness init --from-vcr --write
    """
    if from_vcr:
        return _rewrite(Path(folder), is_written=write)
    if write:
        raise UsageError("--write goes with --from-vcr")

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


def _rewrite(folder: Path, *, is_written: bool) -> int:
    from harness.cassettes.atomic import write_atomically

    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name that of the tests")
    changed = left = 0
    for path, result in _rewritings(folder):
        for line, text in result.changed:
            click.echo(printable(f"{path}:{line}: {text}"))
        for line, text in result.left:
            click.echo(printable(f"{path}:{line}: left to you: {text}"))
        if is_written and result.changed:
            write_atomically(path, result.data)
        changed += len(result.changed)
        left += len(result.left)
    done = "made" if is_written else "to make (nothing was written: add --write)"
    say(f"{changed} changes {done}, {left} places left to you")
    if changed:
        say("then run pytest, and take pytest-recording or pytest-vcr out")
    return Exit.FINDINGS if left else Exit.DONE


def _rewritings(folder: Path) -> Iterator[tuple[Path, Rewriting]]:
    from harness.cli.from_vcr import CONFIGS, rewrite_config, rewrite_tests

    is_used = False
    for path in sorted(folder.rglob("*.py")):
        result = rewrite_tests(_read(path), path.name)
        is_used = is_used or bool(result.changed)
        if result.changed or result.left:
            yield path, result
    for name, section in CONFIGS.items():
        path = Path(name)
        data = _read(path) if is_used and path.is_file() else b""
        if any(line.strip() == section for line in data.splitlines()):
            yield path, rewrite_config(data, section)
            return
    if is_used:
        say(
            "no configuration of pytest is here; these keep vcrpy's ways: "
            "harness_match_on = vcrpy, harness_unplayed = ignore"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
