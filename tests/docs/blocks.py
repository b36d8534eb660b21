"""The fenced blocks of the README and the pages, and what their commands print.

| info string | what a test does with it |
|---|---|
| `python` | runs it from the root of a checkout |
| `python title=...`, `text title=...` | a file of a tutorial |
| `py` | a fragment or a signature: it parses, or has a test of its own |
| `console` | runs each command; compares what it prints, `...` stands for anything |
| `sh` | each line is a command that parses, or has a test of its own |
| `yaml` | parses |
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cli.running import harness
from tests.docs import PAGES, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "Block",
    "Step",
    "blocks_of",
    "matches",
    "steps_of",
    "tutorials",
    "with_outputs",
]

_TOOK = re.compile(r"\bin \d+\.\d+ ?s\b")
_FENCE = re.compile(
    r'^```([a-z]+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL
)
_ELISION = "..."


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    page: str
    """Its page, below the root."""
    line: int
    language: str
    title: str
    """The file it is, in a tutorial; else empty."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a console block, and what it prints."""

    command: str
    output: str


def blocks_of(page: Path, text: str | None = None) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    text = page.read_text("utf-8") if text is None else text
    for found in _FENCE.finditer(text):
        language, title, inner = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        yield Block(str(page.relative_to(ROOT)), line, language, title or "", inner)


def steps_of(block: Block) -> Iterator[Step]:
    """Yield the commands of a console block."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield Step(command, output)


def matches(expected: str, got: str) -> bool:
    """Return whether an output is as shown; `...` stands for anything.

    How long something took is whatever it took.
    """
    expected, got = (_TOOK.sub("in N s", text) for text in (expected, got))
    pattern = ".*".join(map(re.escape, expected.split(_ELISION)))
    return re.fullmatch(pattern, got, re.DOTALL) is not None


def run(command: str, cwd: Path) -> str:
    """Run a command of a console block; return what it prints."""
    program, *arguments = shlex.split(command)
    if program == "harness":
        result = harness(*arguments, cwd=cwd)
        return result.out + result.err
    if program == "python":
        arguments = arguments[1:]
        program = arguments.pop(0)
    assert program == "pytest", f"{command}: what would run it?"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:asyncio", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def tutorials() -> list[Path]:
    """Return the pages whose blocks are typed one after the other, in a new folder."""
    return sorted((PAGES / "tutorials").glob("*.md"))


def with_outputs(page: Path, text: str, folder: Path) -> str:
    """Return a page whose console blocks show what their commands print now.

    Args:
        page: The page; commands of a tutorial run in a folder of their own.
        text: Its text.
        folder: An empty folder, for a tutorial.
    """
    where = folder if page in tutorials() else ROOT
    for block in blocks_of(page, text):
        if block.title and where == folder:
            target = where / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, "utf-8")
        if block.language != "console":
            continue
        shown = ""
        for step in steps_of(block):
            got = run(step.command, where)
            kept = step.output if matches(step.output, got) else got
            shown += f"$ {step.command}\n{kept}"
        text = text.replace(f"```console\n{block.text}```", f"```console\n{shown}```")
    return text
