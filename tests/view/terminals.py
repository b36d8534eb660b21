"""Terminals: what is on the screen, and Solarized's contrasts, dark and light."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.color import Color
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.style import Style
    from textual.app import App

__all__ = ["DARK", "LIGHT", "contrast", "poor", "screen_of", "used"]

_NORMAL = "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5"
_BRIGHT = "002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3"

RGB = tuple[int, int, int]  # or rich's triplet, which is one


def _rgb(text: str) -> RGB:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


def _theme(back: str, fore: str) -> TerminalTheme:
    colours = (list(map(_rgb, names.split())) for names in (_NORMAL, _BRIGHT))
    return TerminalTheme(_rgb(back), _rgb(fore), *colours)


DARK = _theme("002b36", "839496")
LIGHT = _theme("fdf6e3", "657b83")


def contrast(a: RGB, b: RGB) -> float:
    """Return the contrast of two colours, from 1 to 21.

    Source: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
    """

    def luminance(colour: RGB) -> float:
        parts = (part / 255 for part in colour)
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def poor(style: Style) -> list[str]:
    """Return what is wrong with a style on the two backgrounds; empty if nothing.

    The terminal's own text on its own background, turned round or not, is its user's
    choice; any colour that is set reaches 4.5:1, and nothing is dimmed.
    """
    fore, back = style.color or Color.default(), style.bgcolor or Color.default()
    if style.dim:
        return [f"{style}: dim, whose colour nobody knows"]
    if fore.is_default and back.is_default:
        return []
    found = []
    for name, theme in (("dark", DARK), ("light", LIGHT)):
        text = fore.get_truecolor(theme, foreground=True)
        behind = back.get_truecolor(theme, foreground=False)
        ratio = contrast(text, behind)
        if ratio < 4.5:
            found.append(f"{style}: {ratio:.2f} on {name}")
    return found


def used(printed: str) -> Iterator[Style]:
    """Yield the style of each piece of text that a terminal was written."""
    for line in printed.splitlines():
        for span in Text.from_ansi(re.sub(r"\x1b\[K", "", line)).spans:
            if not isinstance(span.style, str):
                yield span.style


def screen_of(app: App[None]) -> str:
    """Return what is on the screen of an app of textual's, with its escapes."""
    console = Console(force_terminal=True, color_system="256", file=io.StringIO())
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.render(console) for strip in strips)
