"""Calls that come in pieces, each piece with whatever names its call."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from harness.apis.json_values import canonical, is_object, parsed
from harness.debug.outcomes import Call, is_smaller

NAMELESS = "nameless"
"""What our own interface has to name calls after that have no id, for the fold."""


@dataclass(slots=True, eq=False)
class _Growing:
    """One call."""

    name: str = ""
    pieces: list[str] = field(default_factory=list)
    kind: str = ""
    """Of the last message with arguments."""
    has_id: bool = False
    is_whole: bool = False
    """Whether all that had come was shown at once."""

    def add(self, arguments: Any, kind: str) -> None:
        """Add a piece, or all so far: as it grows, or once more after its pieces."""
        if arguments is None:
            return
        is_text = isinstance(arguments, str)
        text = arguments
        if not is_text:
            text = json.dumps(arguments, sort_keys=True, default=repr)
        # What has come is only joined where it may come again: fragments are many.
        if self.is_whole or (kind != self.kind and is_object(text)):
            held = "".join(self.pieces)
            if is_object(text) and canonical(held) == canonical(text):
                return
            if self.is_whole and is_smaller(parsed(held), arguments):
                self.pieces.clear()
        self.pieces.append(text)
        self.is_whole, self.kind = not is_text, kind


class GrowingCalls:
    """Names and arguments that grow, in the order in which they began."""

    def __init__(self) -> None:
        self.has_arguments = False
        """Whether any has a place for arguments."""
        self.ids_again: list[str] = []
        """What is shown as the id of two calls that differ."""
        self._calls: list[_Growing] = []
        self._known: dict[object, _Growing] = {}
        self._last: _Growing | None = None
        self._last_key = ""

    def add(
        self,
        key: object,
        name: str | None,
        args: Any,
        place: Any = None,
        kind: str = "",
    ) -> None:
        """Add a piece of a call.

        Args:
            key: Its id, if it is there.
            name: The name or a piece of it, if it is there.
            args: A text is a piece of its arguments, anything else all so far.
            place: Its number, where it has one.
            kind: Of the message that it is in.
        """
        at = ("at", place) if isinstance(place, str | int) else None
        keys = [one for one in (key, at) if one is not None]
        call = self._known.get(keys[0]) if keys else None
        if call is None and len(keys) > 1:
            held = self._known.get(at)  # its id comes late
            if held and not held.has_id and name in {None, "", held.name}:
                call = held
        is_of_last = not keys or self._last_key.startswith(NAMELESS)
        if call is None and not name and is_of_last:
            call = self._last
        if call is None:
            call = _Growing()
            self._calls.append(call)
        if name != call.name:  # which some send with every piece
            call.name += name or ""
        call.has_id |= key is not None
        self._known |= dict.fromkeys(keys, call)
        self._last, self._last_key = call, str(key)
        self.has_arguments |= args is not None
        call.add(args, kind)

    def add_whole(self, key: object, name: str, arguments: Any) -> None:
        """Add one that is never continued; some state it twice, with one id."""
        call = _Growing(name)
        call.add(arguments, "")
        self.has_arguments |= arguments is not None
        other = self._known.setdefault(key, call) if key else call
        if other is not call and other.name == name and other.pieces == call.pieces:
            return
        if other is not call:
            self.ids_again.append(str(key))
        self._calls.append(call)

    def continue_last(self, name: str | None, arguments: str | None) -> bool:
        """Add to the last piece's call; False if there is none."""
        if self._last is not None:
            self._last.name += name or ""
            self._last.pieces.append(arguments or "")
        return self._last is not None

    def forget(self, key: object) -> None:
        """Let the next piece with a key begin another call."""
        self._known.pop(key, None)

    def calls(self) -> list[Call]:
        """Return the calls as they are now."""
        return [Call(call.name, "".join(call.pieces)) for call in self._calls]
