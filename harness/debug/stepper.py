"""The stepper: one exchange in a terminal, event by event, forward and back.

Needs the extra `step` (textual). It only shows: the moves are those of
`harness.debug.walk`, the panes those of `harness.debug.panes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Footer, Input, Static

from harness.debug.panes import one_line, panes, title

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from harness.debug.walk import Walk

__all__ = ["Stepper"]

_ASKED = {
    "goto": "chunk number",
    "search": "text to find",
    "split": "recorded|whole|chars|N|random:SEED",
    "dialect": "a dialect; empty: as recorded",
    "fault": "a fault; empty: none",
}


class Stepper(App[None]):
    """Shows where a walk stands.

    Args:
        walk: The walk; every key is a move of it.
    """

    TITLE = "harness"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None  # or the line for input would take every key
    CSS = """
    #where { background: $primary; color: $text; height: 1; }
    #list { width: 40%; height: 100%; border-right: solid $primary;
            text-wrap: nowrap; text-overflow: ellipsis; }
    #panes { width: 60%; padding: 0 1; }
    #status { height: 1; color: $warning; }
    #ask { display: none; }
    #ask.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("right,l,space", "move('event', 1)", "event"),
        ("left,h", "move('event', -1)", "back"),
        ("c", "move('chunk', 1)", "chunk"),
        ("C", "move('chunk', -1)", ""),
        ("w", "move('piece', 1)", "read"),
        ("W", "move('piece', -1)", ""),
        ("e", "move('emission', 1)", "emission"),
        ("E", "move('emission', -1)", ""),
        ("d", "move('diagnostic', 1)", "diagnostic"),
        ("D", "move('diagnostic', -1)", ""),
        ("home", "move('event', -10000000)", ""),
        ("end", "move('event', 10000000)", ""),
        ("g", "ask('goto')", "go to"),
        ("slash", "ask('search')", "search"),
        ("n", "again(1)", "again"),
        ("N", "again(-1)", ""),
        ("s", "ask('split')", "split"),
        ("t", "ask('dialect')", "dialect"),
        ("f", "ask('fault')", "fault"),
        ("q", "quit", "quit"),
    ]

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self.walk = walk
        self._asked = ""

    def compose(self) -> ComposeResult:
        """Lay out the head, the list of events, the panes and the line for input.

        Yields:
            The widgets.
        """
        yield Static(id="where")
        with Horizontal():
            yield Static(id="list")
            with VerticalScroll(id="panes"):
                yield Static(id="text")
        yield Static(id="status")
        yield Input(id="ask")
        yield Footer()

    def on_mount(self) -> None:
        """Show the first event."""
        self._show()

    def on_resize(self) -> None:
        """Show as much of the list as fits now."""
        self._show()

    def action_move(self, name: str, step: int) -> None:
        """Do one of the walk's moves."""
        getattr(self.walk, name)(step)
        self._show()

    def action_again(self, step: int) -> None:
        """Search the same text on, or back."""
        self.walk.search(step=step)
        self._show()

    def action_ask(self, name: str) -> None:
        """Open the line for input."""
        self._asked = name
        line = self.query_one("#ask", Input)
        line.value = ""
        line.placeholder = f"{name}: {_ASKED[name]}"
        line.add_class("open")
        line.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what was asked for."""
        self._close_input()
        if self._asked in {"goto", "search"}:
            getattr(self.walk, self._asked)(event.value)
        else:
            self.walk.change(self._asked, event.value)
        self._show()

    def key_escape(self) -> None:
        """Close the line for input."""
        self._close_input()

    def _close_input(self) -> None:
        self.query_one("#ask", Input).remove_class("open")
        self.set_focus(None)

    def _show(self) -> None:
        walk = self.walk
        is_empty = walk.moment is None
        head = "no events" if is_empty else title(walk.trace, walk.position)
        how = str(walk.trace.variation) or "as recorded"
        self.query_one("#where", Static).update(Text(f"{head} | {how}"))
        self.query_one("#list", Static).update(self._list())
        self.query_one("#text", Static).update(Text() if is_empty else self._panes())
        self.query_one("#status", Static).update(Text(walk.status))

    def _list(self) -> Text:
        """Return the lines around the position: as many as there is room for."""
        walk = self.walk
        room = max(3, self.size.height - 4)
        start = max(0, min(walk.position - room // 2, len(walk.trace.moments) - room))
        text = Text()
        for number in range(start, min(start + room, len(walk.trace.moments))):
            here = number == walk.position
            found = walk.trace.moments[number].diagnostics
            style = "reverse" if here else "red" if found else ""
            text.append(one_line(walk.trace, number) + "\n", style)
        return text

    def _panes(self) -> Text:
        text = Text()
        for name, lines in panes(self.walk.trace, self.walk.position).items():
            if name == "found" and not lines:
                continue
            text.append(f"{name}\n", "bold red" if name == "found" else "bold cyan")
            for line in lines or ["-"]:
                text.append(f"  {line}\n")
        return text
