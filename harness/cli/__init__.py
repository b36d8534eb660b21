"""The command line: `harness`.

Commands are loaded when they are named, and everything heavy inside them when they
run, so that `harness --help` answers at once.
"""

from __future__ import annotations

import gc
import os
from importlib import import_module

import click

from harness import __version__
from harness.cli.console import COMPLETION, Debug, run
from harness.errors import did_you_mean

__all__ = ["cli", "main"]

_SUMMARIES = {  # in the order of work: begin, record, look, compare, check, use
    "init": "Write a minimal working example into FOLDER (tests).",
    "record": "Record real streams, with every cut, pause and ending.",
    "import": "Write recordings of other tools as one cassette.",
    "convert": "Write a recording as another API would have sent it.",
    "ls": "List recordings, one line each.",
    "show": "Show one recording in full: what was asked, what came.",
    "replay": "Replay recordings: what an agent's client would have seen.",
    "report": "Draw recordings as one page: answers, time lines, chunks.",
    "diff": "Compare what two replays emit; exit with 1 if they differ.",
    "check": "Check recordings: format, complete streams, secrets.",
    "scan": "Look for secrets in recordings: keys, tokens, cookies.",
    "fuzz": "Cut, reframe and break streams until a consumer differs.",
    "corpus": "Pack recordings into a data set; list, count, sample.",
    "sweep": "Check, scan, replay or vary every stream of a corpus.",
    "serve": "Serve recordings as a server of their API, until Ctrl-C.",
    "rerecord": "Record the tests again whose requests have changed.",
    "drift": "Read old recordings again and report what changed since.",
    "docs": "Show a page of the documentation; without TOPIC, list the pages.",
}
_COMMANDS = {  # a module cannot be called `import`
    name: f"harness.cli.{'importing' if name == 'import' else name}"
    for name in _SUMMARIES
}


def _note_debug(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    debug = context.find_object(Debug)
    if value and debug is not None:
        debug.is_on = True


_DEBUG = click.Option(
    ["--debug"],
    is_flag=True,
    expose_value=False,
    callback=_note_debug,
    help="Show the whole traceback of an error.",
)
"""The option that the program and every command of it have."""


class _Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(_COMMANDS)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], _COMMANDS)
            wrong = f"No such command {args[0]!r}."
            ctx.fail(f"{wrong} {hint[:1].upper()}{hint[1:]}".strip())
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        command.short_help = _SUMMARIES[cmd_name]  # completion shows it
        if _DEBUG not in command.params:
            command.params.append(_DEBUG)
        if COMPLETION in os.environ:
            from harness.cli.completion import attach

            attach(command)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="harness")
def cli() -> None:
    """Record, replay, snapshot and fuzz streamed LLM agents.

    \b
    Examples:
      harness replay broken.yaml
      harness replay broken.yaml --around 12 --interface both
      harness fuzz streaming cassettes --time 60

    Exit codes: 0 done, 1 findings, 2 wrong usage or unreadable input.
    """


cli.params.append(_DEBUG)


def main() -> None:
    """Run the command line and exit."""
    try:
        run(cli)
    finally:
        gc.freeze()  # the interpreter would look through them once more before it ends
