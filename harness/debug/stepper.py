"""The stepper: one exchange in a terminal, event by event, forward and back.

Needs the extra `step` (textual). It only shows: the moves are those of
`harness.debug.navigation`, the panes those of `harness.debug.panes`. What takes long
runs in a thread, so that keys are answered meanwhile and Escape ends it.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Static

from harness.debug.stepper_parts import CancelledError, Events, Help, Line, Task
from harness.debug.stepper_view import FOOTER, TimeLine, events, head, shown, top
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from harness.apis.varied import Variation
    from harness.debug.navigation import Walk
    from harness.debug.trace import Trace

_ASKED = {
    "goto": "chunk number",
    "search": "text to find",
    "split": "how to cut; empty: as recorded",
    "dialect": "a dialect; empty: as recorded",
    "fault": "a fault; empty: none",
}

_SWITCH_S = 0.0005  # a key that waits for the thread ten times is then not slow


class Stepper(App[None]):
    """Shows where a walk stands.

    Args:
        walk: The walk; every key is a move of it.
        save: Writes a test of a trace, and returns what was written.
    """

    TITLE = "harness"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None  # or the line for input would take every key
    CSS = """
    Screen, Static, #list, #panes { background: ansi_default; color: ansi_default; }
    #where { text-style: bold reverse; height: 1; }
    #top { height: auto; }
    #list { width: 40%; height: 100%; border-right: solid ansi_default;
            text-wrap: nowrap; text-overflow: ellipsis; }
    #panes { width: 60%; padding: 0 1; scrollbar-size-vertical: 0; }
    #status { height: 1; text-style: bold; }
    #keys { height: 1; text-style: reverse; }
    #ask { display: none; border: none; height: 1; padding: 0;
           background: ansi_default; color: ansi_default; }
    #ask > .input--placeholder { color: ansi_default; text-style: italic; }
    #ask > .input--cursor { color: ansi_default; background: ansi_default;
                            text-style: reverse; }
    #ask.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("right,l,space,j,down", "move('event', 1)", "event"),
        ("left,h,k,up", "move('event', -1)", "back"),
        ("pagedown", "page(1)", ""),
        ("pageup", "page(-1)", ""),
        ("c", "move('chunk', 1)", "chunk"),
        ("C", "move('chunk', -1)", ""),
        ("w", "move('piece', 1)", "read"),
        ("W", "move('piece', -1)", ""),
        ("e", "move('emission', 1)", "emission"),
        ("E", "move('emission', -1)", ""),
        ("d", "move('diagnostic', 1)", "diagnostic"),
        ("D", "move('diagnostic', -1)", ""),
        ("right_square_bracket", "exchange(1)", "exchange"),
        ("left_square_bracket", "exchange(-1)", ""),
        ("home", "move('event', -10000000)", ""),
        ("end", "move('event', 10000000)", ""),
        ("g", "ask('goto')", "go to"),
        ("slash", "ask('search')", "search"),
        ("n", "again(1)", "again"),
        ("N", "again(-1)", ""),
        ("s", "ask('split')", "split"),
        ("t", "ask('dialect')", "dialect"),
        ("f", "ask('fault')", "fault"),
        ("J", "scroll(1)", ""),
        ("K", "scroll(-1)", ""),
        ("y", "copy", "copy"),
        ("T", "write_test", "test"),
        ("question_mark", "help", "keys"),
        ("q", "quit", "quit"),
    ]

    def __init__(self, walk: Walk, save: Callable[[Trace], str]) -> None:
        super().__init__(ansi_color=True)  # the terminal's own palette
        self.walk = walk
        self._save = save
        self._asked = ""
        self._first = 0  # the event on the first line of the list
        self._room = 3  # lines of the list
        self._time_line = TimeLine(walk.trace, 0)
        self._making: Task | None = None

    def compose(self) -> ComposeResult:
        """Lay out the head, the list of events, the panes and the line for input.

        Yields:
            The widgets.
        """
        yield Static(id="where")
        yield Static(id="top")
        with Horizontal():
            yield Events(id="list")
            with VerticalScroll(id="panes"):
                yield Static(id="text")
        yield Static(id="status")
        yield Line(id="ask")
        yield Static(Text(FOOTER.ljust(500), no_wrap=True), id="keys")

    def on_mount(self) -> None:
        """Show the first event."""
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        self.set_interval(0.1, self._progress)
        self._show()

    def on_unmount(self) -> None:
        """Leave the interpreter as it was."""
        sys.setswitchinterval(self._switch_s)

    def on_resize(self) -> None:
        """Show as much of the list as fits now."""
        self._show()

    def action_move(self, name: str, step: int) -> None:
        """Do one of the walk's moves."""
        getattr(self.walk, name)(step)
        self._show()

    def action_page(self, step: int) -> None:
        """Move by as many events as the list shows."""
        self.action_move("event", step * self._room)

    def action_pick(self, line: int) -> None:
        """Go to the event on a line of the list."""
        self.action_move("event", self._first + line - self.walk.position)

    def action_exchange(self, step: int) -> None:
        """Go to another exchange, in a thread."""
        number = self.walk.other_exchange(step)
        if number is None:
            self._show()
        else:
            self._follow(f"exchange {number}", self.walk.trace.variation, number)

    def action_again(self, step: int) -> None:
        """Search the same text on, or back."""
        self.walk.search(step=step)
        self._show()

    def action_copy(self) -> None:
        """Put the event's raw text on the clipboard, as far as the terminal can."""
        moment = self.walk.moment
        if moment is not None:
            self.copy_to_clipboard(moment.event.raw)
            self.walk.status = f"copied the raw text of chunk {moment.event.chunk}"
        self._show()

    def action_scroll(self, step: int) -> None:
        """Move what the event holds by half a screen."""
        box = self.query_one("#panes", VerticalScroll)
        box.scroll_relative(y=step * box.size.height // 2, animate=False)

    def action_write_test(self) -> None:
        """Write a test and a cassette of the exchange, as it is now varied."""
        try:
            self.walk.status = self._save(self.walk.trace)
        except HarnessError as error:
            self.walk.status = str(error)
        self._show()

    async def action_help(self) -> None:
        """Show the keys."""
        await self.push_screen(Help())

    def action_ask(self, name: str) -> None:
        """Open the line for input."""
        self._asked = name
        line = self.query_one("#ask", Line)
        line.choices = self.walk.choices(name)
        line.value = ""
        line.placeholder = f"{name}: {_ASKED[name]}"
        line.add_class("open")
        line.focus()
        self._offer(line)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what it may become."""
        self._offer(cast("Line", event.input))

    def _offer(self, line: Line) -> None:
        if line.choices and self._making is None:
            offered = "  ".join(line.fitting()) or "no name begins so"
            self.query_one("#status", Static).update(Text(offered, overflow="ellipsis"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what was asked for."""
        self._close_input()
        if self._asked in {"goto", "search"}:
            getattr(self.walk, self._asked)(event.value)
            self._show()
            return
        variation = self.walk.wanted(self._asked, event.value)
        if variation is None:
            self._show()
        else:
            what = str(variation) or "as recorded"
            self._follow(what, variation, self.walk.trace.exchange)

    def key_escape(self) -> None:
        """Close the line for input; end what is being made."""
        self._close_input()
        if self._making is not None:
            self._making.is_cancelled = True
            self.walk.status = f"{self._making.what}: ended, nothing was changed"
            self._making = None
        self._show()

    def _follow(self, what: str, variation: Variation, exchange: int) -> None:
        """Make a trace in a thread; the screen shows how far it is."""
        if self._making is not None:
            self._making.is_cancelled = True
        self._making = task = Task(what)
        self._progress()
        make = partial(self._make, task, variation, exchange)
        # What it does is on the screen before it begins to do it.
        self.call_after_refresh(self.run_worker, make, thread=True, exclusive=True)

    def _make(self, task: Task, variation: Variation, exchange: int) -> None:
        try:
            made = self.walk.follow(variation, exchange=exchange, tick=task.tick)
        except CancelledError:
            return
        except HarnessError as error:
            self.call_from_thread(self._made, task, None, str(error))
        else:
            self.call_from_thread(self._made, task, made, "")

    def _made(self, task: Task, made: Trace | None, problem: str) -> None:
        if task is not self._making:
            return  # another was asked for meanwhile
        self._making = None
        if made is None:
            self.walk.status = problem
        else:
            self.walk.adopt(made)
        self._show()

    def _progress(self) -> None:
        if self._making is not None:
            self.query_one("#status", Static).update(Text(str(self._making)))

    def _close_input(self) -> None:
        self.query_one("#ask", Line).remove_class("open")
        self.set_focus(None)

    def _show(self) -> None:
        walk, columns = self.walk, self.size.width
        width = max(20, columns - 2)
        if not self._time_line.is_of(walk.trace, width):
            self._time_line = TimeLine(walk.trace, width)
        above = top(walk, width, self._time_line)
        self._room = max(3, self.size.height - 3 - len(above))
        last = len(walk.trace.moments) - self._room
        self._first = max(0, min(walk.position - self._room // 2, last))
        listed = events(walk, self._first, self._room, columns * 4 // 10 - 1)
        for name, text in (
            ("where", head(walk, columns)),
            ("top", Text("\n").join(above)),
            ("list", listed),
            ("text", shown(walk, columns * 6 // 10 - 4)),
            ("status", Text(walk.status)),
        ):
            self.query_one(f"#{name}", Static).update(text)
