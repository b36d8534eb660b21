"""The generated parts of the README: tables of options, dialects, faults and names.

`python -m tests.readme_tables` writes them; `tests/packaging/test_readme.py` checks
that they are as written, so that no option or name goes undocumented.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

import harness
from harness.apis.chat.dialects.registry import DIALECTS
from harness.apis.chat.faults import FAULTS
from harness.cli import cli
from harness.limits import LIMITS
from tests.plugin_tables import with_plugin_tables

README = Path(__file__).resolve().parent.parent / "README.md"

_OPTIONS = re.compile(r"(<!-- options: (\S+) -->\n).*?(<!-- /options -->)", re.DOTALL)
_DIALECTS = re.compile(r"(<!-- dialects -->\n).*?(<!-- /dialects -->)", re.DOTALL)
_FAULTS = re.compile(r"(<!-- faults -->\n).*?(<!-- /faults -->)", re.DOTALL)
_LIMITS = re.compile(r"(<!-- limits -->\n).*?(<!-- /limits -->)", re.DOTALL)
_HELP = re.compile(r"(<!-- help -->\n).*?(<!-- /help -->)", re.DOTALL)
_NAMES = re.compile(r"(<!-- names -->\n).*?(<!-- /names -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """Return the README with its generated parts as they should be."""
    text = with_plugin_tables(text)
    text = _OPTIONS.sub(lambda m: f"{m[1]}{options_table(m[2])}{m[3]}", text)
    text = _DIALECTS.sub(lambda m: f"{m[1]}{dialects_table()}{m[2]}", text)
    text = _FAULTS.sub(lambda m: f"{m[1]}{faults_table()}{m[2]}", text)
    text = _LIMITS.sub(lambda m: f"{m[1]}{limits_table()}{m[2]}", text)
    tabled = {found[2] for found in _OPTIONS.finditer(text)}
    text = _HELP.sub(lambda m: f"{m[1]}{help_page(tabled)}{m[2]}", text)
    return _NAMES.sub(lambda m: f"{m[1]}{names_table()}{m[2]}", text)


def limits_table() -> str:
    """Return the table of limits."""
    lines = ["| variable | default | what it bounds |", "|---|---|---|"]
    for limit in LIMITS:
        default = f"{limit.default:_} {limit.unit}"
        lines.append(f"| `{limit.variable}` | {default} | {limit.bounds} |")
    return "\n".join(lines) + "\n"


def options_table(name: str) -> str:
    """Return the table of a command's options."""
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None, f"there is no command {name}"
    lines = ["| option | default | what |", "|---|---|---|"]
    lines.extend(
        _row(parameter, click.Context(command))
        for parameter in command.params
        if isinstance(parameter, click.Option)
    )
    return "\n".join(lines) + "\n"


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    names, text = record
    text, _, extra = text.partition("  [")
    default = re.search(r"default: ([^\];]+)", extra)
    shown = f"`{default[1]}`" if default else "off" if option.is_flag else ""
    names = re.sub(r"\[([a-z|-]+)\]$", r"\1", names).replace("|", "\\|")
    return f"| `{names}` | {shown} | {text} |"


def help_page(tabled: set[str]) -> str:
    """Return what `--help` says of every command, as one page.

    Args:
        tabled: Commands whose options stand in a table of their own.
    """
    root = click.Context(
        cli, info_name="harness", terminal_width=88, **cli.context_settings
    )
    parts = [cli.get_help(root).replace("\nCommands:\n", "\nCOMMANDS\n")]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        assert command is not None, f"there is no command {name}"
        context = click.Context(command, root, name, terminal_width=88)
        text, _, options = command.get_help(context).partition("\n\nOptions:\n")
        if name not in tabled:
            text += f"\n\n  Options:\n{_indented(options)}"
        parts.append(f"{name.upper()}\n{text.replace('Usage: ', '  ', 1)}")
    return "\n".join(["```text", "\n\n".join(parts), "```", ""])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def dialects_table() -> str:
    """Return the table of dialects."""
    rows = ["| dialect | the stream |", "|---|---|"]
    rows += [f"| `{part.name}` | {part.summary} |" for part in DIALECTS.values()]
    return "\n".join(rows) + "\n"


def faults_table() -> str:
    """Return the table of faults."""
    rows = ["| fault | what happens | the answer after it |", "|---|---|---|"]
    left = {"same": "the same", "prefix": "a beginning of it", "anything": "any"}
    rows += [
        f"| `{kind.name}{'' if kind.default is None else ':K'}` | {kind.summary} "
        f"| {left[kind.leaves]} |"
        for kind in FAULTS.values()
    ]
    return "\n".join(rows) + "\n"


def names_table() -> str:
    """Return the table of public names."""
    rows = ["| name | what |", "|---|---|"]
    for name in harness.__all__:
        summary = (getattr(harness, name).__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{name}` | {summary} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
