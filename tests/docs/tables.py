"""The generated parts of the README and the pages: one block a kind, from the code.

A page holds `<!-- KIND ARGUMENT -->`, the block, `<!-- /KIND -->`. `python -m
tests.docs` writes the blocks; `test_current.py` checks that they are as written, so
that no option, name, setting, diagnostic or rule goes undocumented.
"""

from __future__ import annotations

import ast
import inspect
import re
from typing import TYPE_CHECKING, cast

import click

from harness.apis.chat.dialects.registry import DIALECTS
from harness.apis.chat.faults import FAULTS
from harness.apis.detect import API_NAMES, api_named
from harness.apis.style import RESTATED
from harness.apis.tables import not_carried as what_is_not_carried
from harness.cli import cli
from harness.core import diagnostics
from harness.core.diagnostics import DiagnosticKind
from harness.debug.causes import CAUSES
from harness.limits import LIMITS
from tests.checked_dialects import CHECKED_AGAINST
from tests.docs import PAGES, ROOT, architecture, plugin_tables, python_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.apis.base import WritingApi

__all__ = ["with_tables"]

_BLOCK = re.compile(r"(<!-- ([a-z-]+)(?: (\S+))? -->\n).*?(<!-- /\2 -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """Return a page with its generated blocks as they should be."""
    return _BLOCK.sub(_current, text)


def _current(block: re.Match[str]) -> str:
    begin, kind, argument, end = block.groups()
    if kind not in _KINDS:  # the benchmarks' table is measured, not derived
        return block[0]
    make = _KINDS[kind]
    lines = make(argument) if argument else make()
    return f"{begin}{lines.rstrip()}\n{end}"


def commands() -> str:
    """Return the page of the command line: help and options of every command."""
    root = click.Context(
        cli, info_name="harness", terminal_width=88, **cli.context_settings
    )
    parts = [f"```text\n{cli.get_help(root)}\n```"]
    parts += _sections(cli, root)
    return "\n\n".join(part for part in parts if part)


def _sections(group: click.Group, above: click.Context) -> Iterator[str]:
    """Yield title, help and options of each command, then of those below it."""
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None, f"there is no command {name}"
        context = click.Context(command, above, name, terminal_width=88)
        text, _, _ = command.get_help(context).partition("\n\nOptions:\n")
        yield f"## {context.command_path}"
        yield f"```text\n{text}\n```"
        yield _options(command)
        if isinstance(command, click.Group):
            yield from _sections(command, context)


def _options(command: click.Command) -> str:
    rows = [
        _row(parameter, click.Context(command))
        for parameter in command.params
        if isinstance(parameter, click.Option)
    ]
    if not rows:
        return ""
    return "\n".join(["| option | default | what |", "|---|---|---|", *rows])


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    names, text = record
    text, _, extra = text.partition("  [")
    default = re.search(r"default: ([^\];]+)", extra)
    shown = f"`{default[1]}`" if default else "off" if option.is_flag else ""
    names = re.sub(r"\[([a-z|-]+)\]$", r"\1", names).replace("|", "\\|")
    return f"| `{names}` | {shown} | {text} |"


def dialects() -> str:
    """Return the table of dialects."""
    rows = ["| dialect | the stream | checked against a recording |", "|---|---|---|"]
    rows += [
        f"| `{part.name}` | {part.summary} | {'yes' * (part.name in CHECKED_AGAINST)} |"
        for part in DIALECTS.values()
    ]
    return "\n".join(rows)


def faults() -> str:
    """Return the table of faults."""
    rows = ["| fault | what happens | the answer after it |", "|---|---|---|"]
    left = {"same": "the same", "prefix": "a beginning of it", "anything": "any"}
    rows += [
        f"| `{kind.name}{'' if kind.default is None else ':K'}` | {kind.summary} "
        f"| {left[kind.leaves]} |"
        for kind in FAULTS.values()
    ]
    return "\n".join(rows)


def diagnostic_sections() -> str:
    """Return one section a kind of diagnostic: what, severity, cause, what to do."""
    parts = []
    meanings = _meanings()
    for kind in DiagnosticKind:
        cause = CAUSES[kind]
        parts += [
            f"### {kind}",
            f"{meanings[kind.name]} Severity: **{kind.severity}**.",
            f"- Usual cause: {cause.usually}.\n- What to do: {cause.remedy}.",
        ]
        if cause.seen_in:
            parts[-1] += (
                f"\n- Seen in {', '.join(f'`{name}`' for name in cause.seen_in)}."
            )
    return "\n\n".join(parts)


def _meanings() -> dict[str, str]:
    """Return the documentation of each kind, which Python keeps in the source alone."""
    tree = ast.parse(inspect.getsource(diagnostics))
    (kinds,) = (
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == DiagnosticKind.__name__
    )
    meanings = {}
    for assigned, text in zip(kinds.body, kinds.body[1:], strict=False):
        if isinstance(assigned, ast.Assign) and isinstance(text, ast.Expr):
            name, value = assigned.targets[0], text.value
            assert isinstance(name, ast.Name)
            assert isinstance(value, ast.Constant)
            meanings[name.id] = str(value.value)
    return meanings


def rules() -> str:
    """Return the tables of what a legal stream of each API obeys."""
    parts = []
    for api in map(api_named, API_NAMES):
        if api.rules:
            parts += [
                f"## {api.title}",
                "\n".join(
                    [
                        "| rule | what is required | source |",
                        "|---|---|---|",
                        *(
                            f"| `{rule.name}` | {_cell(rule.summary)} "
                            f"| {_cell(rule.source)} |"
                            for rule in api.rules
                        ),
                    ]
                ),
            ]
    return "\n\n".join(parts)


def apis() -> str:
    """Return the table of the APIs that are read."""
    rows = ["| name | API | rules of `harness check` |", "|---|---|---|"]
    rows += [
        f"| `{api.name}` | {api.title} | {len(api.rules)} |"
        for api in map(api_named, API_NAMES)
    ]
    return "\n".join(rows)


def _writing() -> list[WritingApi]:
    apis = map(api_named, RESTATED)
    return [cast("WritingApi", api) for api in apis if hasattr(api, "dialects")]


def api_variations() -> str:
    """Return the dialects and faults of the APIs that answers can be restated in."""
    parts = []
    for api in _writing():
        for title, named in (("dialect", api.dialects), ("fault", api.faults)):
            rows = [f"| {title} of `--api {api.name}` | the stream |", "|---|---|"]
            rows += [f"| `{n}` | {_cell(one.summary)} |" for n, one in named.items()]
            parts.append("\n".join(rows))
    return "\n\n".join(parts)


def not_carried() -> str:
    """Return what each API cannot carry, and what becomes of it."""
    parts = []
    for api in (api_named("chat"), *_writing()):
        rows = ["| part | what becomes of it |", "|---|---|"]
        told = what_is_not_carried(api.name).items()
        rows += [f"| {_cell(a)} | {_cell(b)} |" for a, b in told]
        parts += [f"## {api.title}", "\n".join(rows)]
    return "\n\n".join(parts)


def clients() -> str:
    """Return the table of HTTP clients that were tried, from its record."""
    text = (ROOT / "tests" / "third_party" / "clients.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    taken = re.search(r"^\d{4}-.*$", text, re.MULTILINE)
    assert taken is not None
    return "\n".join([*rows, "", f"Tried {taken[0]}"])


def parity() -> str:
    """Return the table of differences from the seed, from where its tests are."""
    text = (ROOT / "tests" / "parity" / "README.md").read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def limits() -> str:
    """Return the table of limits."""
    lines = ["| variable | default | what it bounds |", "|---|---|---|"]
    for limit in LIMITS:
        default = f"{limit.default:_} {limit.unit}"
        lines.append(f"| `{limit.variable}` | {default} | {limit.bounds} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def figures() -> str:
    """Return three rows of the benchmarks' page, with its date and machine."""
    page = (PAGES / "benchmarks.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \| at .+ \| .* \|$", page, re.MULTILINE)
    lines = ["| what | measured |", "|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in rows if what in _SHOWN]
    assert len(lines) == 2 + len(_SHOWN), "a figure of the README is not measured"
    taken = re.search(
        r"^Medians of .*?, (\d{4}-\d\d-\d\d), (.*? cores)", page, re.MULTILINE
    )
    assert taken is not None
    return "\n".join([*lines, "", f"Measured {taken[1]} on {taken[2]}."])


_SHOWN = (
    "bytes to parsed chunks, against OpenAI SDK iteration",
    "file to typed messages, against vcrpy and the OpenAI SDK, 2 000 chunks",
    "~4-character fragments, against streaming-json-parser (Rust), 20 KB",
)
"""The rows of the benchmarks that the README shows."""

_KINDS: dict[str, Callable[..., str]] = {
    "api-variations": api_variations,
    "apis": apis,
    "clients": clients,
    "commands": commands,
    "contracts": architecture.contracts,
    "diagnostics": diagnostic_sections,
    "dialects": dialects,
    "docstrings": python_api.docstrings,
    "drawing": architecture.drawing,
    "faults": faults,
    "figures": figures,
    "fixtures": plugin_tables.fixtures_table,
    "limits": limits,
    "names": python_api.names,
    "not-carried": not_carried,
    "parity": parity,
    "rooms": architecture.rooms,
    "rules": rules,
    "settings": plugin_tables.settings_table,
}
