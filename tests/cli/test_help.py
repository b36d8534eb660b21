"""`--help` of every command: examples, and that they are what the command takes."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress

import click
import pytest

from harness.cli import cli
from tests.cli.running import harness

ROOT_CONTEXT = click.Context(cli, info_name="harness", **cli.context_settings)
COMMANDS = cli.list_commands(ROOT_CONTEXT)
_EXAMPLE = re.compile(r"harness ([^|>\n]*)")


def _help_of(name: str) -> tuple[click.Command, str]:
    command = cli.get_command(ROOT_CONTEXT, name)
    assert command is not None
    return command, command.get_help(click.Context(command, ROOT_CONTEXT, name))


def _examples(text: str) -> list[str]:
    block = re.search(r"Examples:\n((?:    .*\n)+)", text)
    assert block is not None, text
    return block[1].splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_the_command_takes(name: str) -> None:
    """Each example names this command first, and its options and values parse."""
    command, text = _help_of(name)
    found = [match[1] for match in map(_EXAMPLE.search, _examples(text)) if match]
    assert found
    for example in found:
        first, *arguments = shlex.split(example)
        assert first == name
        with suppress(click.exceptions.Exit):  # an option that prints and ends
            command.make_context(name, arguments, parent=ROOT_CONTEXT)


def test_help_of_the_program_has_examples_of_its_commands() -> None:
    """The first page shows three commands as they are typed, which parse too."""
    for example in _examples(cli.get_help(ROOT_CONTEXT)):
        _, name, *arguments = shlex.split(example)
        command = cli.get_command(ROOT_CONTEXT, name)
        assert command is not None
        command.make_context(name, arguments, parent=ROOT_CONTEXT)


@pytest.mark.parametrize("group", [[], ["corpus"]], ids=["harness", "corpus"])
def test_no_line_of_a_list_of_commands_is_cut(group: list[str]) -> None:
    """What a command does is said in what 80 columns have room for."""
    result = harness(*group, "--help", environment={"COLUMNS": "80"})
    commands = result.out.partition("Commands:\n")[2].splitlines()
    assert commands
    assert not [line for line in commands if line.endswith("...")]


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_asked_for_in_both_ways(asked: str) -> None:
    """`-h` and `--help` print the same page and end with 0."""
    result = harness("drift", asked)
    assert (result.code, result.err) == (0, "")
    assert "harness drift cassettes --update" in result.out
