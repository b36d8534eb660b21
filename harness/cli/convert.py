"""`harness convert`: a recording as another API would have sent it."""

from __future__ import annotations

import click

from harness.cli.console import Exit, complain, say
from harness.cli.jobs import refuse_input
from harness.cli.options import API, Options, option, takes


class ConvertOptions(Options):
    """The options of `harness convert`, as they were given."""

    output: str = option(
        "The cassette to write.", "-o", "--output", required=True, metavar="FILE"
    )
    api: str = option("The API to restate it in.", required=True, of=API)
    dialect: str | None = option("A dialect of that API.", metavar="NAME")
    force: bool = option("Replace FILE if it is there.")


@click.command("convert", no_args_is_help=True)
@click.argument("path", metavar="PATH")
@takes(ConvertOptions)
def command(path: str, options: ConvertOptions) -> int:
    """Write a recording as another API would have sent it.

    Streams are restated event by event, with the same text, reasoning and calls, and
    requests ask the same. What the API cannot carry is listed, and makes the exit
    code 1. PATH is left as it is.

    \b
    Examples:
      harness convert cassettes/llama-server/plain-text.yaml -o r.yaml --api responses
    """
    from pathlib import Path

    from harness.cassettes.encode import save_cassette
    from harness.cassettes.load import load_cassette
    from harness.engine.converted import converted
    from harness.errors import HarnessError
    from harness.redaction.redact import redact_cassette

    lines: list[str] = []
    output = options.output
    try:
        refuse_input(output, [path])
        if Path(output).exists() and not options.force:
            raise click.UsageError(f"{output} is there; --force replaces it")
        made = converted(
            load_cassette(path),
            options.api,
            dialect=options.dialect,
            report=lambda exchange, text: lines.append(f"exchange {exchange}: {text}"),
        )
        save_cassette(redact_cassette(made), output)
    except HarnessError as error:
        complain(str(error))
        return Exit.UNUSABLE
    for line in lines:
        say(f"{path}: {line}")
    say(f"{len(made.exchanges)} exchanges written to {output}")
    return Exit.FINDINGS if any("cannot carry" in line for line in lines) else Exit.DONE
