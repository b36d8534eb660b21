"""The pictures of the README and the home page, recorded from the real program.

A terminal is drawn by rich from what a command prints; the report by a Chromium.
"""

from __future__ import annotations

import html
import io
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.cli.running import harness
from tests.docs import PAGES, README, ROOT
from tests.docs.blocks import blocks_of

__all__ = ["FUZZ", "draw_fuzz", "draw_report", "fuzzed", "shown_in"]

FUZZ = PAGES / "img" / "fuzz.svg"
REPORT = PAGES / "img" / "report.png"
_RECORDING = "cassettes/llama-server/three-steps.yaml"
_COMMAND = "harness fuzz reader:read --quiet"
_COLUMNS = 88


def draw_fuzz() -> None:
    """Draw the terminal in which the README's reader is fuzzed, where it changed."""
    if FUZZ.exists() and "".join("".join(fuzzed()).split()) in shown_in(FUZZ):
        return
    console = Console(
        record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True
    )
    console.print(Text.assemble(("$ ", "bold green"), (_COMMAND, "bold")))
    for line in fuzzed():
        style = "bold red" if "raise" in line else ""
        console.print(Text(line, style=style, overflow="fold"))
    svg = console.export_svg(title="harness", theme=MONOKAI, unique_id="harness")
    # The file loads nothing from another host: the viewer's own fonts will do.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    FUZZ.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), "utf-8")


def fuzzed() -> list[str]:
    """Return the first lines that the README's command prints."""
    (reader,) = (one for one in blocks_of(README) if one.title == "reader.py")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, reader.title).write_text(reader.text, "utf-8")
        result = harness(*_COMMAND.split()[1:], cwd=Path(folder))
    lines = result.out.splitlines()
    return lines[: lines.index("test:") - 1]


def shown_in(picture: Path) -> str:
    """Return the text of a terminal's picture, without its blanks."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text("utf-8"))
    return "".join(html.unescape("".join(texts)).split())


def draw_report() -> None:
    """Draw the report of a recording."""
    browser = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), ""
    )
    assert browser, "the picture of the report needs a Chromium"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        harness("report", _RECORDING, "-o", str(page), cwd=ROOT)
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--hide-scrollbars",
             "--window-size=1100,1000", "--virtual-time-budget=4000",
             f"--screenshot={REPORT}", page.as_uri()],
            check=True,
            capture_output=True,
        )  # fmt: skip
