"""The command line: `harness`.

Commands are loaded when they are named, and everything heavy inside them when they
run, so that `harness --help` answers at once.
"""

from __future__ import annotations

import os
from importlib import import_module

import click

from harness import __version__
from harness.cli.console import COMPLETION, run

__all__ = ["cli", "main"]

_COMMANDS = {
    "check": "harness.cli.check",
    "convert": "harness.cli.convert",
    "corpus": "harness.cli.corpus",
    "diff": "harness.cli.diff",
    "docs": "harness.cli.docs",
    "drift": "harness.cli.drift",
    "fuzz": "harness.cli.fuzz",
    "import": "harness.cli.importing",
    "init": "harness.cli.init",
    "ls": "harness.cli.ls",
    "record": "harness.cli.record",
    "replay": "harness.cli.replay",
    "report": "harness.cli.report",
    "rerecord": "harness.cli.rerecord",
    "scan": "harness.cli.scan",
    "serve": "harness.cli.serve",
    "show": "harness.cli.show",
    "sweep": "harness.cli.sweep",
}


class _Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        if COMPLETION in os.environ:
            from harness.cli.completion import attach

            attach(command)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="harness")
def cli(*, debug: bool) -> None:
    """Record, replay, snapshot and fuzz streamed LLM agents.

    \b
    Examples:
      harness replay broken.yaml
      harness replay broken.yaml --around 12 --interface both
      harness fuzz streaming cassettes --time 60

    Exit codes: 0 done, 1 findings, 2 wrong usage or unreadable input.
    """


def main() -> None:
    """Run the command line and exit; the entry point."""
    run(cli)
