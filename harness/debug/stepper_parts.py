"""What the stepper is made of: its widgets, and a trace that is made in a thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.screen import ModalScreen
from textual.widgets import Input, Static

from harness.core.text import first_difference
from harness.debug.stepper_view import help_text

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType


class CancelledError(Exception):
    """The user wants no more of it."""


class Task:
    """One trace that is being made in a thread."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.start = time.monotonic()
        self.ticks = 0
        self.is_cancelled = False

    def tick(self) -> None:
        """Count; raise where it is to end."""
        self.ticks += 1
        if self.is_cancelled:
            raise CancelledError

    def __str__(self) -> str:
        seconds = time.monotonic() - self.start
        return f"{self.what}: {self.ticks} steps, {seconds:.1f} s (Esc ends it)"


class Help(ModalScreen[None]):
    """The keys."""

    CSS = """
    Help { align: center middle; background: transparent; }
    #help { width: auto; height: auto; border: solid ansi_default;
            background: ansi_default; color: ansi_default; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,question_mark,q", "app.pop_screen", "close")
    ]

    def compose(self) -> ComposeResult:
        """Show the text.

        Yields:
            The widget.
        """
        yield Static(help_text(), id="help")


class Line(Input):
    """The line for input; Tab completes as far as the choices agree."""

    BINDINGS: ClassVar[list[BindingType]] = [("tab", "complete", "complete")]
    choices: tuple[str, ...] = ()

    def action_complete(self) -> None:
        """Add what all choices that begin like this have in common."""
        fitting = self.fitting()
        if fitting:
            before, joint, _ = self.value.rpartition("+")
            first, last = min(fitting), max(fitting)
            common = first[: first_difference(first, last)]
            self.value = f"{before}{joint}{common}"
            self.cursor_position = len(self.value)

    def fitting(self) -> list[str]:
        """Return the choices that begin like the last of what is joined by `+`."""
        last = self.value.rpartition("+")[2]
        return [name for name in self.choices if name.startswith(last)]


class Events(Static):
    """The list of events; a click goes to one, the wheel moves."""

    def on_click(self, event: events.Click) -> None:
        """Go to the event of the line."""
        self.app.action_pick(event.y)  # type: ignore[attr-defined]  # ours

    def on_mouse_scroll_down(self) -> None:
        """Go some events on."""
        self.app.action_move("event", 3)  # type: ignore[attr-defined]  # ours

    def on_mouse_scroll_up(self) -> None:
        """Go some events back."""
        self.app.action_move("event", -3)  # type: ignore[attr-defined]  # ours
