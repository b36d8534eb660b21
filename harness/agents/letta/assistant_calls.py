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

from harness.agents.letta.messages import encodable
from harness.core.json_arguments import FunctionArgumentsStreamHandler

if TYPE_CHECKING:
    from harness.core.parts import CallPart, ToolCall

__all__ = [
    "AssistantText",
    "CallDelta",
    "CallRouter",
    "Routed",
    "WholeCall",
    "call_id_of",
]


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


Routed = AssistantText | CallDelta | WholeCall


class _State(Enum):
    HELD = auto()  # the name may still become the assistant function's
    SPOKEN = auto()  # it is, and the arguments become text
    PASSED = auto()  # it is not, or it could not be shown as text


class _Track:
    """What is known of one call."""

    __slots__ = ("call", "has_spoken", "machine", "name", "state")

    def __init__(self, call: ToolCall, state: _State) -> None:
        self.call = call
        # What was routed of the name: one delta may hold several pieces of it, and
        # then the call, read ahead of us, has them all.
        self.name = ""
        self.state = state
        self.machine: FunctionArgumentsStreamHandler | None = None
        self.has_spoken = False


class CallRouter:
    """Routes the tool calls of one response.

    O(length of the fragment) a part, plus at a change of calls the number of spoken
    calls whose objects are still open.

    Args:
        function_name: The assistant function; None passes every call on.
        argument: The key of its text.
    """

    __slots__ = (
        "_argument",
        "_current",
        "_function_name",
        "_last",
        "_tracks",
        "_unsettled",
        "has_calls",
        "has_passed",
    )

    def __init__(self, function_name: str | None, argument: str) -> None:
        self._function_name = function_name
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
            if part.name or part.arguments or is_announced:
                routed.append(CallDelta(call, part.name, part.arguments, is_announced))
        elif part.arguments:
            if track.name == self._function_name:
                track.state = _State.SPOKEN
                track.machine = FunctionArgumentsStreamHandler(self._argument)
                self._speak(track, part.arguments, routed)
            else:
                self._pass_on(track, part.arguments, routed)
        elif not self._is_beginning(track.name):
            self._pass_on(track, "", routed)
        return routed

    def finish(self) -> list[Routed]:
        """Settle every call: the provider says it is finished, or the stream ends.

        Parts may follow all the same, and `finish` may be called again.

        Returns:
            What was held back, in order of the calls.
        """
        routed: list[Routed] = []
        for track in sorted(self._unsettled.values(), key=_position):
            if track.state is _State.SPOKEN:
                self._settle(track, routed)
            elif track.name == self._function_name:
                self._pass_whole(track, routed)  # it lacks its argument
            else:
                self._pass_on(track, "", routed)
        self._current = None
        return routed

    def _change_to(self, call: ToolCall, routed: list[Routed]) -> _Track:
        """Make a call the current one; settle what another call decides."""
        for track in [*self._unsettled.values()]:
            if track.call is call:
                continue
            if track.state is _State.HELD:
                if track.name != self._function_name:
                    self._pass_on(track, "", routed)
            elif track.machine is not None and (
                track.machine.error is not None or track.machine.is_complete
            ):
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
        if track.machine is not None and fragment:
            text = track.machine.process_json_chunk(fragment)
            if text:
                track.has_spoken = True
                routed.append(AssistantText(text))

    def _settle(self, track: _Track, routed: list[Routed]) -> None:
        machine = track.machine
        if machine is None:
            return
        self._unsettled.pop(track.call, None)
        if machine.close() is not None or not machine.has_value:
            self._pass_whole(track, routed)
        elif not track.has_spoken:
            track.has_spoken = True
            routed.append(AssistantText(""))

    def _pass_on(self, track: _Track, arguments: str, routed: list[Routed]) -> None:
        track.state = _State.PASSED
        self.has_passed = True
        self._unsettled.pop(track.call, None)
        routed.append(CallDelta(track.call, track.name, arguments, is_announced=True))

    def _pass_whole(self, track: _Track, routed: list[Routed]) -> None:
        track.state = _State.PASSED
        self.has_passed = True
        self._unsettled.pop(track.call, None)
        routed.append(WholeCall(track.call))


def _position(track: _Track) -> int:
    return track.call.position


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
