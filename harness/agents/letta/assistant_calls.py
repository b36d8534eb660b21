"""Which tool calls are the agent speaking, decided while they stream.

With an assistant function (the seed's `send_message`), a call to it is text for
the user and every other call is passed on. The decisions, all in this file:

- A call is *held* while its name equals the assistant function's or is a beginning
  of it. Its first arguments decide; a name that goes another way decides; another
  call or the end decides for what is only a beginning.
- A *spoken* call becomes the text of its argument, as early as it is decided.
- At the end of a spoken call whose arguments are malformed, or are an object
  without text under the key, the whole call is passed on with its raw arguments;
  text that was already shown stays. A call whose text is empty gives one empty
  text. So no call vanishes.
- A spoken call ends at the next call if its object is closed or malformed by then,
  else at the finish or the end of the stream: calls may interleave, so an open
  object may still go on after another call's fragment.
- Fragments that come after a call was passed on are passed on as well.

All of it depends only on the order of the calls' parts and on the text between
them, never on how that text was cut.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from harness.agents.letta.surrogates import encodable
from harness.core.json_arguments import FunctionArgumentsStreamHandler
from harness.core.json_texts import ArgumentTexts

if TYPE_CHECKING:
    from harness.core.parts import CallPart, ToolCall


class AssistantText(NamedTuple):
    """Text for the user, from the argument of the assistant function."""

    text: str
    """Empty only for a call whose whole text is empty."""


class CallDelta(NamedTuple):
    """The increment of a call that is passed on."""

    call: ToolCall
    """The call."""
    name: str
    """The name or a piece of it; empty if none."""
    arguments: str
    """A fragment; empty if none."""
    is_announced: bool
    """Whether the call's id belongs on it: its first delta, the delta that brought
    the id, and a delta of another call than the part before it."""


class WholeCall(NamedTuple):
    """A call to the assistant function that could not be shown as text."""

    call: ToolCall
    """The call, all its raw arguments so far in it."""


class InnerThought(NamedTuple):
    """Inner thoughts, from the argument of any function."""

    text: str
    """Never empty."""


Routed = AssistantText | CallDelta | InnerThought | WholeCall


class _State(Enum):
    HELD = auto()  # the name may still become the assistant function's
    SPOKEN = auto()  # it is, and the arguments become text
    PASSED = auto()  # it is not, or it could not be shown as text


class _Track:
    """What is known of one call."""

    def __init__(self, call: ToolCall, state: _State) -> None:
        self.call = call
        # What was routed of the name: one delta may hold several pieces of it, and
        # then the call, read ahead of us, has them all.
        self.name = ""
        self.state = state
        self.machine: FunctionArgumentsStreamHandler | None = None
        self.texts: ArgumentTexts | None = None  # in its place, for inner thoughts
        self.has_spoken = False
        self.is_whole = False  # it was passed on with its raw arguments

    def close(self, argument: str) -> bool:
        """Take the end of the arguments; return whether there was a text in them."""
        if self.texts is not None:
            return self.texts.close() is None and self.texts.has_come(argument)
        machine = self.machine
        return machine is None or (machine.close() is None and machine.has_value)

    @property
    def is_over(self) -> bool:
        """Whether its arguments are closed, or malformed."""
        machine = self.texts or self.machine
        return machine is not None and (
            machine.error is not None or machine.is_complete
        )


class CallRouter:
    """Routes the tool calls of one response.

    O(length of the fragment) a part, plus at a change of calls the number of spoken
    calls whose objects are still open.

    Args:
        function_name: The assistant function; None passes every call on.
        argument: The key of its text.
        thoughts: The key of the inner thoughts, which every function may have as its
            argument; they are routed as such, and a call that is passed on lacks them.
            None where the agent has no such argument.
    """

    def __init__(
        self, function_name: str | None, argument: str, *, thoughts: str | None = None
    ) -> None:
        self._function_name = function_name
        self._thoughts = thoughts
        self._argument = argument
        self._tracks: dict[ToolCall, _Track] = {}
        self._unsettled: dict[ToolCall, _Track] = {}
        self._current: _Track | None = None
        self._last: ToolCall | None = None
        self.has_calls = False
        """Whether any call has come."""
        self.has_passed = False
        """Whether any call was passed on, whole or as deltas."""

    def feed(self, part: CallPart) -> list[Routed]:
        """Take the next part of a call.

        Args:
            part: As `DeltaReader` gives it.

        Returns:
            What it leads to, in order; first what another call's part settles.
        """
        routed: list[Routed] = []
        call = part.call
        is_other = call is not self._last
        track = self._current
        if track is None or track.call is not call:
            track = self._change_to(call, routed)
            self._last = call
        track.name += part.name
        if track.state is _State.SPOKEN:
            self._speak(track, part.arguments, routed)
        elif track.state is _State.PASSED:
            is_announced = is_other or part.is_new or bool(part.id)
            arguments = part.arguments
            if self._thoughts is not None:
                arguments = self._without_thoughts(track, arguments, routed)
            if part.name or arguments or is_announced:
                routed.append(CallDelta(call, part.name, arguments, is_announced))
        elif part.arguments:
            if track.name == self._function_name:
                track.state = _State.SPOKEN
                if self._thoughts is None:
                    track.machine = FunctionArgumentsStreamHandler(self._argument)
                self._speak(track, part.arguments, routed)
            else:
                self._pass_on(track, part.arguments, routed)
        elif not self._is_beginning(track.name):
            self._pass_on(track, "", routed)
        return routed

    def finish(self) -> list[Routed]:
        """Settle every call: the provider has finished it, or the stream ends.

        Parts may follow all the same, and `finish` may be called again.

        Returns:
            What was held back, in order of the calls.
        """
        routed: list[Routed] = []
        held = self._unsettled.values()
        for track in sorted(held, key=lambda track: track.call.position):
            if track.state is _State.SPOKEN:
                self._settle(track, routed)
            elif track.name == self._function_name:
                self._pass_whole(track, routed)  # it lacks its argument
            else:
                self._pass_on(track, "", routed)
        if self._thoughts is not None:
            self._release(routed)
        self._current = None
        return routed

    def _release(self, routed: list[Routed]) -> None:
        """Pass on what was held of arguments that stopped before a key was decided."""
        for track in self._tracks.values():
            texts = track.texts
            if texts is None or track.state is not _State.PASSED or track.is_whole:
                continue
            texts.close()
            rest = texts.take_rest()
            if rest:
                routed.append(CallDelta(track.call, "", rest, is_announced=True))

    def _change_to(self, call: ToolCall, routed: list[Routed]) -> _Track:
        """Make a call the current one; settle what another call decides."""
        for track in [*self._unsettled.values()]:
            if track.call is call:
                continue
            if track.state is _State.HELD:
                if track.name != self._function_name:
                    self._pass_on(track, "", routed)
            elif track.is_over:
                self._settle(track, routed)
        found = self._tracks.get(call)
        if found is None:
            self.has_calls = True
            is_held = self._function_name is not None
            found = _Track(call, _State.HELD if is_held else _State.PASSED)
            self._tracks[call] = found
            self.has_passed = self.has_passed or not is_held
        if found.state is not _State.PASSED:
            self._unsettled[call] = found
        self._current = found
        return found

    def _is_beginning(self, name: str) -> bool:
        return self._function_name is not None and self._function_name.startswith(name)

    def _speak(self, track: _Track, fragment: str, routed: list[Routed]) -> None:
        if self._thoughts is not None:
            self._read_texts(track, fragment, routed)
        elif track.machine is not None and fragment:
            text = track.machine.process_json_chunk(fragment)
            if text:
                track.has_spoken = True
                routed.append(AssistantText(text))

    def _read_texts(self, track: _Track, fragment: str, routed: list[Routed]) -> None:
        """Route both texts of a spoken call, or the thoughts of one that is passed."""
        thoughts = self._thoughts or ""
        if track.texts is None:
            is_spoken = track.state is _State.SPOKEN
            paths = {thoughts: 1, **({self._argument: 1} if is_spoken else {})}
            track.texts = ArgumentTexts(paths, taken_out=thoughts)
        for piece in track.texts.feed(fragment):
            if piece.path == thoughts:
                if piece.text:
                    routed.append(InnerThought(piece.text))
            elif piece.text:
                track.has_spoken = True
                routed.append(AssistantText(piece.text))

    def _without_thoughts(
        self, track: _Track, fragment: str, routed: list[Routed]
    ) -> str:
        """Return what a fragment leaves of a call's arguments; route its thoughts."""
        if self._thoughts is None or track.call.type == "custom" or track.is_whole:
            return fragment
        self._read_texts(track, fragment, routed)
        return track.texts.take_rest() if track.texts is not None else fragment

    def _settle(self, track: _Track, routed: list[Routed]) -> None:
        self._unsettled.pop(track.call, None)
        if not track.close(self._argument):
            self._pass_whole(track, routed)
        elif not track.has_spoken:
            track.has_spoken = True
            routed.append(AssistantText(""))

    def _pass_on(self, track: _Track, arguments: str, routed: list[Routed]) -> None:
        track.state = _State.PASSED
        self.has_passed = True
        self._unsettled.pop(track.call, None)
        arguments = self._without_thoughts(track, arguments, routed)
        routed.append(CallDelta(track.call, track.name, arguments, is_announced=True))

    def _pass_whole(self, track: _Track, routed: list[Routed]) -> None:
        track.state = _State.PASSED
        self.has_passed = True
        self._unsettled.pop(track.call, None)
        track.is_whole = True
        routed.append(WholeCall(track.call))


def call_id_of(call: ToolCall, prefix: str | None) -> str:
    """Return the id that a call is shown with.

    Args:
        call: The call.
        prefix: What a call without id is named after, such as ``call_0``; None
            leaves it without.

    Returns:
        Its own id, else the prefix, ``_`` and its position; else an empty string.
    """
    if call.id or prefix is None:
        return encodable(call.id)
    return f"{prefix}_{call.position}"
