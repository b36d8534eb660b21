"""The pictures of the README and the pages, recorded from the real program.

A terminal is drawn by rich from what is on it; a page by a Chromium.
"""

from __future__ import annotations

import asyncio
import html
import io
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import MONOKAI, TerminalTheme
from rich.text import Text

from tests.cli.running import harness
from tests.docs import PAGES, README, ROOT
from tests.docs.blocks import blocks_of
from tests.view.browser import BROWSER
from tests.view.terminals import DARK, LIGHT, screen_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TERMINALS", "draw_pages", "draw_terminals", "shown_in"]

_IMAGES = PAGES / "img"
_STEPS = "cassettes/llama-server/three-steps.yaml"
_DIES = "cassettes/llama-cpp-python/server-dies.yaml"
_BROKEN = "tests/data/broken-arguments.sse"
_FUZZ = "harness fuzz reader:read --quiet"
_STYLED = {"FORCE_COLOR": "1", "NO_COLOR": "", "COLUMNS": "100"}


def fuzzed() -> Text:
    """Return the first lines of the README's command that fuzzes its reader."""
    (reader,) = (one for one in blocks_of(README) if one.title == "reader.py")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, reader.title).write_text(reader.text, "utf-8")
        result = harness(*_FUZZ.split()[1:], cwd=Path(folder))
    lines = result.out.splitlines()
    text = Text.assemble(("$ ", "bold green"), (_FUZZ, "bold"))
    for line in lines[: lines.index("test:") - 1]:
        text.append(f"\n{line}", "bold red" if "raise" in line else "")
    return text


def replayed() -> Text:
    """Return the default view of a stream that broke and of a conversation."""
    command = f"harness replay {_DIES} {_STEPS}"
    result = harness(*command.split()[1:], "--rows", "run", environment=_STYLED)
    return Text.from_ansi(f"\x1b[1m$ {command}\x1b[0m\n{result.out.rstrip()}")


def stepped() -> Text:
    """Return the stepper at the broken chunk, as it is drawn."""
    from harness import load_cassette
    from harness.debug.navigation import Follow, Walk
    from harness.debug.stepper import Stepper
    from harness.debug.trace import trace

    made = load_cassette(ROOT / _BROKEN)
    follow: Follow = lambda variation, *, exchange=None, tick=None: trace(  # noqa: E731
        made, exchange, variation=variation, tick=tick
    )
    drawn: list[str] = []

    async def run() -> None:
        app = Stepper(Walk(follow, trace(made).variation), lambda _: "")
        async with app.run_test(size=(100, 34)) as pilot:
            await pilot.press("d")
            drawn.append(screen_of(app))

    asyncio.run(run())
    return Text.from_ansi("\n".join(drawn))


TERMINALS: dict[str, tuple[Callable[[], Text], int, TerminalTheme]] = {
    "fuzz.svg": (fuzzed, 88, MONOKAI),
    "views-replay.svg": (replayed, 100, DARK),
    "views-step.svg": (stepped, 100, LIGHT),
}
"""What draws each picture of a terminal, its columns and its colours."""


def draw_terminals() -> None:
    """Draw the pictures of terminals whose text has changed."""
    for name, (make, columns, theme) in TERMINALS.items():
        picture, text = _IMAGES / name, make()
        if picture.exists() and "".join(text.plain.split()) in shown_in(picture):
            continue
        console = Console(
            record=True, width=columns, file=io.StringIO(), force_terminal=True
        )
        text.overflow = "fold"
        console.print(text)
        svg = console.export_svg(title="harness", theme=theme, unique_id="harness")
        # The file loads nothing from another host: the viewer's own fonts will do.
        svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
        picture.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), "utf-8")


def shown_in(picture: Path) -> str:
    """Return the text of a terminal's picture, without its blanks."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text("utf-8"))
    return "".join(html.unescape("".join(texts)).split())


def draw_pages() -> None:
    """Draw the report: of a recording, of all, and of all on two phones."""
    assert BROWSER, "the pictures of the report need a Chromium"
    with tempfile.TemporaryDirectory() as folder:
        one, all_ = Path(folder, "one.html"), Path(folder, "all.html")
        harness("report", _STEPS, "-o", str(one))
        harness("report", "cassettes", _BROKEN, "-o", str(all_))
        photograph(f"{one.as_uri()}#{_STEPS}:0:6", _IMAGES / "report.png", 1024, 1200)
        photograph(
            f"{all_.as_uri()}#{_DIES}:0:11", _IMAGES / "views-report.png", 1440, 1250
        )
        images = []
        for place, scheme in ((f"{_DIES}:0:11", 1), (f"{_BROKEN}:0:1", 0)):
            framed, image = Path(folder, "phone.html"), Path(folder, f"{scheme}.png")
            framed.write_text(  # a window is never as narrow as a phone
                f'<body style="margin:0"><iframe src="{all_.name}#{place}" '
                'style="width:390px;height:1300px;border:0">',
                "utf-8",
            )
            photograph(
                *(framed.as_uri(), image, 600, 1300),
                f"--blink-settings=preferredColorScheme={scheme}",
            )
            images.append(
                f'<div style="background:url({image.name});width:390px;height:1300px">'
            )
        both = Path(folder, "both.html")
        both.write_text(
            '<body style="margin:0;background:#888;display:flex;gap:20px">'
            + "</div>".join(images),
            "utf-8",
        )
        photograph(both.as_uri(), _IMAGES / "views-report-phone.png", 800, 1300)


def photograph(
    address: str, picture: Path, width: int, height: int, *more: str
) -> None:
    """Let the browser load a page and write a picture of it."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu",
             "--hide-scrollbars", f"--window-size={width},{height}",
             "--virtual-time-budget=4000", f"--user-data-dir={profile}",
             *more, f"--screenshot={picture}", address],
            check=True,
            capture_output=True,
        )  # fmt: skip
