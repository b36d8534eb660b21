"""`harness import`: recordings of other tools to one cassette."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, say
from harness.cli.jobs import each, named, readable, refuse_input
from harness.errors import UsageError, counted

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange


@click.command("import", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="CASSETTE",
    help="The cassette to write; a name ending in .json gets JSON.",
)
@click.option(
    "--force", is_flag=True, help="Replace the cassette if there is one already."
)
def command(paths: tuple[str, ...], output: str, *, force: bool) -> int:
    """Write recordings of other tools as one cassette, without their secrets.

    FILE is anything that `harness replay` reads: HAR, cassettes of other recorders,
    what curl printed, logs, event stream text; or a folder of cassettes. Nothing is
    written if one of them cannot be read. What a file holds besides is listed and makes
    the exit code 1. The files themselves are left as they are.

    \b
    Examples:
      harness import browser.har -o browser.yaml
      harness import curl.txt server.log -o both.yaml
    """
    from harness.cassettes.encode import save_cassette
    from harness.cassettes.model import Cassette
    from harness.core.diagnostics import DiagnosticKind
    from harness.redaction.redact import redact_exchange

    target = Path(output)
    if target.is_dir():
        raise UsageError(f"{output}: is a folder; name the file to write")
    refuse_input(output, paths)
    if target.exists() and not force:
        raise UsageError(
            f"{output}: there is such a file already and it is left as it is; name "
            "another one, or replace it with --force"
        )
    exchanges: list[Exchange] = []
    left_out = False
    unreadable: list[str] = []
    for name, found in readable(each(_held, named(paths)), unreadable):
        say(f"{name}: {_summary(found)}")
        for index, note in [(e.index, note) for e in found for note in e.notes]:
            say(f"{name}: exchange {index}: {note.kind}: {note.text}")
            left_out = left_out or note.kind is DiagnosticKind.NOT_READ
        exchanges += found
    if unreadable:
        complain(f"nothing was written to {output}")
        return Exit.UNUSABLE
    for index, exchange in enumerate(exchanges):
        exchange.index = index
    redacted = [redact_exchange(exchange) for exchange in exchanges]
    removed = sum(
        (old.request, old.response) != (new.request, new.response)
        for old, new in zip(exchanges, redacted, strict=True)
    )
    save_cassette(Cassette(output, redacted))
    count = counted(len(redacted), "exchange")
    say(f"{output}: {count} written, redacted in {removed} of them")
    return Exit.FINDINGS if left_out else Exit.DONE


def _held(path: str) -> list[Exchange]:
    """Read exchanges, each body whole, as a cassette holds it."""
    from harness.cassettes.load import load_cassette

    exchanges = load_cassette(path).exchanges
    for response in (exchange.response for exchange in exchanges):
        if response.source is not None:
            response.body = b"".join(piece for _, piece in response.iter_wire())
            response.source, response.beginning = None, b""
    return exchanges


def _summary(exchanges: list[Exchange]) -> str:
    """Return how many exchanges there are of which kind."""
    from harness.cassettes.classify import Kind, classify

    kinds: Counter[str] = Counter()
    for exchange in exchanges:
        found = classify(exchange)
        if found.kind is Kind.OTHER:
            kinds[f"not to be replayed ({found.reason})"] += 1
        else:
            name = "streamed" if found.kind is Kind.STREAM else "whole"
            kinds[f"{name} ({found.api})"] += 1
    parts = "; ".join(f"{number} {kind}" for kind, number in kinds.items())
    return f"{counted(len(exchanges), 'exchange')}: {parts}"
