"""The drawing of the architecture, from the import contracts in pyproject.toml."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Any

from tests.docs import ROOT

__all__ = ["contracts", "drawing", "rooms"]

_WIDTH = 62


def _contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def _layers() -> list[list[str]]:
    """Return the rooms, highest first; those of one layer import each other never."""
    (layers,) = (one["layers"] for one in _contracts() if one["type"] == "layers")
    return [
        [name.strip().strip("()") for name in re.split("[|:]", layer)]
        for layer in layers
    ]


def drawing() -> str:
    """Return a box a layer: a room imports only from the boxes below its own."""
    edge = f"+{'-' * _WIDTH}+"
    lines = [edge]
    for layer in _layers():
        lines += [f"|{'  |  '.join(layer).center(_WIDTH)}|", edge]
    return "\n".join(["```text", *lines, "```"])


def rooms() -> str:
    """Return the table of the rooms with the first line of each one's docstring."""
    rows = ["| room | what it is |", "|---|---|"]
    for layer in _layers():
        for name in layer:
            package = ROOT / "harness" / name / "__init__.py"
            path = package if package.exists() else package.parent.with_suffix(".py")
            shown = f"harness/{name}" + ("/" if path is package else ".py")
            document = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            rows.append(f"| `{shown}` | {' '.join(_first(document).split())} |")
    return "\n".join(rows)


def _first(document: str) -> str:
    return document.partition("\n\n")[0].replace("|", "\\|")


def contracts() -> str:
    """Return the list of the import contracts, which CI checks."""
    return "\n".join(
        f"- {contract['name']}"
        for contract in _contracts()
        if contract["name"] != "layers"
    )
