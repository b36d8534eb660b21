"""The tables of the pytest plugin: fixtures, hooks and settings, from the code."""

from __future__ import annotations

from harness.pytest_plugin import hookspecs, plugin
from harness.pytest_plugin.plugin_settings import EARLY, FIXTURE_KEYS, SETTINGS

__all__ = ["fixtures_table", "settings_table"]


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
    return "\n".join(lines)


def settings_table() -> str:
    """Return the table of settings, in which who goes first stands left."""
    lines = [
        "| command line | marker | `harness_config` | hook | ini | default | what |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in SETTINGS:
        metavar, default, text = hookspecs.OPTIONS[name]
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
        lines.append(f"|  |  | `{name}` |  |  |  | {text} |")
    return "\n".join(lines)


def _summary(function: object) -> str:
    return (function.__doc__ or "").strip().splitlines()[0].replace("``", "`")
