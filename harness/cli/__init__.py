"""The command line: `harness`.

Commands are loaded when they are named, and everything heavy inside them when they
run, so that `harness --help` answers at once.
"""

from __future__ import annotations

import os
from importlib import import_module

import click

from harness import __version__
from harness.cli.console import COMPLETION, Debug, run
from harness.errors import did_you_mean

__all__ = ["cli", "main"]

_COMMANDS = {  # in the order of work: begin, record, look, compare, check, use
    "init": "harness.cli.init",
    "record": "harness.cli.record",
    "import": "harness.cli.importing",
    "convert": "harness.cli.convert",
    "ls": "harness.cli.ls",
    "show": "harness.cli.show",
    "replay": "harness.cli.replay",
    "report": "harness.cli.report",
    "diff": "harness.cli.diff",
    "check": "harness.cli.check",
    "scan": "harness.cli.scan",
    "fuzz": "harness.cli.fuzz",
    "corpus": "harness.cli.corpus",
    "sweep": "harness.cli.sweep",
    "serve": "harness.cli.serve",
    "rerecord": "harness.cli.rerecord",
    "drift": "harness.cli.drift",
    "docs": "harness.cli.docs",
}


def _note_debug(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    debug = context.find_object(Debug)
    if value and debug is not None:
        debug.is_on = True


def _debug_option() -> click.Option:
    """Return the option that the program and every command of it have."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        callback=_note_debug,
        help="Show the whole traceback of an error.",
    )


class _Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(_COMMANDS)

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
        if all(one.name != "debug" for one in command.params):
            command.params.append(_debug_option())
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


cli.params.append(_debug_option())


def main() -> None:
    """Run the command line and exit; the entry point."""
    run(cli)
