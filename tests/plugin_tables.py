"""The README's tables of the plugin: fixtures, hooks and settings, from the code.

`python -m tests.readme_tables` writes them with the others.
"""

from __future__ import annotations

import re

from harness.pytest_plugin import hookspecs, plugin
from harness.pytest_plugin.plugin_settings import (
    EARLY,
    FIXTURE_KEYS,
    MARKER_KEYS,
    SETTINGS,
)

_FIXTURES = re.compile(r"(<!-- fixtures -->\n).*?(<!-- /fixtures -->)", re.DOTALL)
_SETTINGS = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def with_plugin_tables(text: str) -> str:
    """Return the README with the tables of the plugin as they should be."""
    text = _FIXTURES.sub(lambda m: f"{m[1]}{fixtures_table()}{m[2]}", text)
    return _SETTINGS.sub(lambda m: f"{m[1]}{settings_table()}{m[2]}", text)


def fixtures_table() -> str:
    """Return the tables of fixtures and of hooks."""
    lines = ["| fixture | what |", "|---|---|"]
    for name, value in vars(plugin).items():
        if name.startswith("harness_"):
            lines.append(f"| `{name}` | {_summary(value.__wrapped__)} |")
    lines += ["", "| hook of a `conftest.py` | what |", "|---|---|"]
    for name in hookspecs.__all__:
        summary = _summary(getattr(hookspecs, name))
        lines.append(f"| `{name}(config, test_file)` | {summary} |")
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """Return the table of settings, in which who goes first stands left."""
    lines = [
        "| command line | marker | `harness_config` | hook | ini | default | what |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in SETTINGS:
        metavar, default, text = plugin._OPTIONS[name]
        cells = [
            f"`--harness-{name.replace('_', '-')}={metavar}`",
            f"`{name}`",
            "" if name in EARLY else f"`{name}`",
            f"`{name}`",
            f"`harness_{name}`",
            default,
            text,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for name, text in FIXTURE_KEYS.items():
        marker = f"`{name}`" if name in MARKER_KEYS else ""
        lines.append(f"|  | {marker} | `{name}` |  |  |  | {text} |")
    return "\n".join(lines) + "\n"


def _summary(function: object) -> str:
    return (function.__doc__ or "").strip().splitlines()[0].replace("``", "`")
