"""The stepper: one exchange in a terminal, event by event, forward and back.

Needs the extra `step` (textual). It only shows: the moves are those of
`harness.debug.walk`, the panes those of `harness.debug.panes`. What takes long runs in
a thread, so that keys are answered meanwhile and Escape ends it.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from harness.debug.panes import one_line, panes, title
from harness.errors import HarnessError, printable

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from harness.apis.varied import Variation
    from harness.debug.trace import Trace
    from harness.debug.walk import Walk

__all__ = ["KEYS", "Stepper"]

_ASKED = {
    "goto": "chunk number",
    "search": "text to find",
    "split": "recorded|whole|chars|N|random:SEED",
    "dialect": "a dialect; empty: as recorded",
    "fault": "a fault; empty: none",
}

_HELD = 3  # findings at the top; `d` goes through all of them
_FINDING = "bold #ffffff on #d70000"  # brings its own background: any palette

KEYS = (
    ("→ ← l h j k ↓ ↑", "one event on, back"),
    ("PgDn PgUp", "a screen of events on, back"),
    ("Home End", "the first event, the last"),
    ("c C", "the next chunk, the one before"),
    ("w W", "the next network read, the one before"),
    ("e E", "the next emission, the one before"),
    ("d D", "the next finding, the one before"),
    ("] [", "the next exchange, the one before"),
    ("g", "go to a chunk by its number"),
    ("/ n N", "search a phrase, on, back"),
    ("s t f", "another split, dialect, fault"),
    ("y", "copy the raw text of the event"),
    ("Esc", "close the line, or end what takes long"),
    ("? q", "this help, quit"),
)
"""What the help lists: keys and what they do."""

_FOOTER = (
    "←→ move  d finding  [ ] exchange  / search  s t f vary  y copy  ? keys  q quit"
)


class _CancelledError(Exception):
    """The user wants no more of it."""


class _Task:
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
            raise _CancelledError

    def __str__(self) -> str:
        seconds = time.monotonic() - self.start
        return f"{self.what}: {self.ticks} steps, {seconds:.1f} s (Esc ends it)"


class _Help(ModalScreen[None]):
    """The keys."""

    CSS = "_Help { align: center middle; } #help { width: auto; height: auto; \
border: solid $primary; background: $surface; padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,question_mark,q", "app.pop_screen", "close")
    ]

    def compose(self) -> ComposeResult:
        text = Text()
        for keys, what in KEYS:
            text.append(f"{keys:<17}", "bold")
            text.append(f" {what}\n")
        text.append("Esc closes this")
        yield Static(text, id="help")


class _Events(Static):
    """The list of events; a click goes to one, the wheel moves."""

    def on_click(self, event: events.Click) -> None:
        self.app.action_pick(event.y)  # type: ignore[attr-defined]  # ours

    def on_mouse_scroll_down(self) -> None:
        self.app.action_move("event", 3)  # type: ignore[attr-defined]  # ours

    def on_mouse_scroll_up(self) -> None:
        self.app.action_move("event", -3)  # type: ignore[attr-defined]  # ours


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
    #top { height: auto; }
    #list { width: 40%; height: 100%; border-right: solid $primary;
            text-wrap: nowrap; text-overflow: ellipsis; }
    #panes { width: 60%; padding: 0 1; }
    #status { height: 1; color: $warning; }
    #keys { height: 1; background: $surface; }
    #ask { display: none; }
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
        ("y", "copy", "copy"),
        ("question_mark", "help", "keys"),
        ("q", "quit", "quit"),
    ]

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self.walk = walk
        self._asked = ""
        self._first = 0  # the event on the first line of the list
        self._making: _Task | None = None

    def compose(self) -> ComposeResult:
        """Lay out the head, the list of events, the panes and the line for input.

        Yields:
            The widgets.
        """
        yield Static(id="where")
        yield Static(id="top")
        with Horizontal():
            yield _Events(id="list")
            with VerticalScroll(id="panes"):
                yield Static(id="text")
        yield Static(id="status")
        yield Input(id="ask")
        yield Static(_FOOTER, id="keys", markup=False)

    def on_mount(self) -> None:
        """Show the first event."""
        self.set_interval(0.1, self._progress)
        self._show()

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
            self.copy_to_clipboard(moment.arrival.raw)
            self.walk.status = f"copied the raw text of chunk {moment.arrival.chunk}"
        self._show()

    async def action_help(self) -> None:
        """Show the keys."""
        await self.push_screen(_Help())

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
        """Make a trace in a thread; the screen tells how far it is."""
        if self._making is not None:
            self._making.is_cancelled = True
        self._making = task = _Task(what)
        self._progress()
        make = partial(self._make, task, variation, exchange)
        self.run_worker(make, thread=True, exclusive=True)

    def _make(self, task: _Task, variation: Variation, exchange: int) -> None:
        try:
            made = self.walk.follow(variation, exchange=exchange, tick=task.tick)
        except _CancelledError:
            return
        except HarnessError as error:
            self.call_from_thread(self._made, task, None, str(error))
        else:
            self.call_from_thread(self._made, task, made, "")

    def _made(self, task: _Task, made: Trace | None, problem: str) -> None:
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
        self.query_one("#ask", Input).remove_class("open")
        self.set_focus(None)

    def _show(self) -> None:
        walk = self.walk
        is_empty = walk.moment is None
        head = "no events" if is_empty else title(walk.trace, walk.position)
        how = str(walk.trace.variation) or "as recorded"
        place = f" ({walk.place})" if walk.place else ""
        self.query_one("#where", Static).update(Text(f"{head}{place} | {how}"))
        self.query_one("#top", Static).update(self._top())
        self.query_one("#list", Static).update(self._list())
        self.query_one("#text", Static).update(Text() if is_empty else self._panes())
        self.query_one("#status", Static).update(Text(walk.status))

    def _top(self) -> Text:
        """Return the question and the findings of the exchange, a line each."""
        trace = self.walk.trace
        asked = " ".join(self.walk.questions.get(trace.exchange, "").split())
        width = max(20, self.size.width - 2)
        lines = [Text(f'"{printable(asked)}"'[:width])] if asked else []
        kinds = Counter(one.kind for one in trace.diagnostics)
        for kind, times in list(kinds.items())[:_HELD]:
            first = next(one for one in trace.diagnostics if one.kind is kind)
            where = "" if first.chunk is None else f" chunk {first.chunk}"
            more = f" (and {times - 1} more)" if times > 1 else ""
            line = Text(f" {kind} ", _FINDING)
            line.append(
                f"{where}{more}  {printable(first.text)}", "not bold default on default"
            )
            line.truncate(width, overflow="ellipsis")
            lines.append(line)
        if len(kinds) > _HELD:
            lines.append(Text(f"and {len(kinds) - _HELD} other kinds: d goes through"))
        return Text("\n").join(lines)

    @property
    def _room(self) -> int:
        """How many lines of the list there is room for."""
        top = self._top().plain
        return max(3, self.size.height - 3 - (top.count("\n") + 1 if top else 0))

    def _list(self) -> Text:
        """Return the lines around the position: as many as there is room for."""
        walk = self.walk
        room = self._room
        start = max(0, min(walk.position - room // 2, len(walk.trace.moments) - room))
        self._first = start
        text = Text()
        for number in range(start, min(start + room, len(walk.trace.moments))):
            here = number == walk.position
            found = walk.trace.moments[number].diagnostics
            style = "reverse" if here else "bold" if found else ""
            text.append(one_line(walk.trace, number) + "\n", style)
        return text

    def _panes(self) -> Text:
        text = Text()
        for name, lines in panes(self.walk.trace, self.walk.position).items():
            if name == "found" and not lines:
                continue
            text.append(f"{name}\n", _FINDING if name == "found" else "bold")
            for line in lines or ["-"]:
                text.append(f"  {line}\n")
        return text
