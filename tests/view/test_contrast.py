"""No colour that is used on a terminal is hard to read, on Solarized dark or light."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from rich.color import Color
from rich.style import Style

from tests.cli.running import ROOT, harness
from tests.docs.pictures import TERMINALS
from tests.view.terminals import DARK, LIGHT, contrast, poor, screen_of, used
from tests.view.test_step import BROKEN, STEPS, _steps

if TYPE_CHECKING:
    from pathlib import Path

DIES = "cassettes/llama-cpp-python/server-dies.yaml"
COMMANDS = {
    "replay": ["replay", DIES, STEPS, "--rows", "run"],
    "replay by chunk": ["replay", DIES, "--rows", "chunk"],
    "replay --around": ["replay", BROKEN, "--around", "1", "--interface", "both"],
    "replay --until": ["replay", BROKEN, "--until", "1"],
    "diff": ["diff", DIES, STEPS],
    "diff --said": ["diff", DIES, STEPS, "--said"],
    "ls": ["ls", "cassettes/llama-server"],
    "show": ["show", STEPS],
    "check": ["check", DIES, STEPS],
    "scan": ["scan", STEPS],
    "docs": ["docs", "broken-stream"],
}
COLOURED = {"replay", "diff", "diff --said"}
STYLED = {"FORCE_COLOR": "1", "NO_COLOR": ""}


def test_no_colour_of_the_palette_reads_well_on_both() -> None:
    """Why text has the terminal's own colour: of sixteen none reaches 4.5:1 twice."""
    good = [
        number for number in range(16) if not poor(Style(color=Color.from_ansi(number)))
    ]
    assert good == []
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert DARK.background_color != LIGHT.background_color
    assert poor(Style(dim=True))
    assert not poor(Style(bold=True, reverse=True))


@pytest.mark.parametrize("name", COMMANDS)
def test_colours_of_a_command_reach_the_contrast(name: str) -> None:
    """Every style that it prints with, on both backgrounds."""
    result = harness(*COMMANDS[name], environment=STYLED)
    styles = list(used(result.out + result.err))
    assert [problem for style in styles for problem in poor(style)] == []
    assert name not in COLOURED or any(style.bgcolor for style in styles)


def test_colours_of_a_drift_reach_the_contrast(tmp_path: Path) -> None:
    """What was stored and what is read now, side by side."""
    copy = tmp_path / "one.yaml"
    place = ["--no-sdk", "--store", str(tmp_path / "store")]
    copy.write_bytes((ROOT / STEPS).read_bytes())
    harness("drift", str(copy), *place, "--update")
    copy.write_bytes((ROOT / STEPS).read_bytes().replace(b"Rome", b"Oslo"))
    result = harness("drift", str(copy), *place, environment=STYLED)
    styles = list(used(result.out))
    assert any(style.bgcolor for style in styles)
    assert [problem for style in styles for problem in poor(style)] == []


@pytest.mark.slow
def test_colours_of_the_stepper_reach_the_contrast() -> None:
    """At a finding, with the help and with the line for input open."""
    pytest.importorskip("textual", reason="needs the extra `step`")
    from harness.debug.stepper import Stepper

    spans = TERMINALS["views-step.svg"][0]().spans  # at a finding
    found = [span.style for span in spans if isinstance(span.style, Style)]
    assert any(style.bgcolor for style in found)

    async def run() -> None:
        app = Stepper(_steps(), lambda _: "")
        async with app.run_test(size=(80, 24)) as pilot:
            for keys in (["e"], ["question_mark"], ["escape", "s", "c", "h"]):
                await pilot.press(*keys)
                found.extend(used(screen_of(app)))

    asyncio.run(run())
    assert any(style.reverse for style in found)
    assert [problem for style in found for problem in poor(style)] == []
