r"""Several strings of one JSON object, while it is being written.

`ArgumentTexts` follows any number of paths at once (``message``, ``a.b[0].c``), or
every string at the top level. It is the machine of `harness.core.json_arguments` with
a place for each open container: the same states, the same table `MOVES`, the same
rules for strings, surrogates, repeated keys and errors (its docstring has them). That
one stays beside it because it is three times as fast for one top-level key.

One member can be taken out of the source: an agent whose inner thoughts are an
argument of each call shows them as thoughts and the rest of the call as a call. What
is left is one JSON object again, character by character as it was written. A member
is taken out only if its value is a string; what may still be that member is held
until its key or value decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.core.json_paths import Node, steps_of
from harness.core.json_states import (
    AFTER_ITEM,
    AFTER_MEMBER,
    CLOSED,
    COLON,
    END,
    ESCAPED,
    EXPECTED,
    FIRST_ITEM,
    HEX_DIGIT,
    IN_KEY,
    IN_MESSAGE,
    IN_OTHER_KEY,
    MOVES,
    NUMBER_MAY_END,
    OBJECT,
    SPACE_ALLOWED,
    STRINGS,
    TYPE_NAMES,
    VALUE,
    WHITESPACE,
)
from harness.core.json_strings import join_surrogates, read_content
from harness.errors import ArgumentsError

if TYPE_CHECKING:
    from collections.abc import Iterable


class TextPiece(NamedTuple):
    """Text of one string that a fragment has decided."""

    path: str
    """Which string, as the caller named it."""
    text: str
    """Its next characters; empty only where the string ends without more."""
    is_end: bool
    """Whether the string ends here."""


class ArgumentTexts:
    r"""Reads strings out of the arguments of a tool call while they arrive.

    Cost is O(length of the fragment). Held are, besides what the one-key machine
    holds, a place for each open container on the way to a path and the beginning of a
    key that may still be one of them.

    Example:
        >>> texts = ArgumentTexts(["a", "b[1].c"])
        >>> texts.feed('{"a": "x')
        [TextPiece(path='a', text='x', is_end=False)]
        >>> [piece.text for piece in texts.feed('y", "b": [0, {"c": "\\n"}]}')]
        ['y', '\n']

    Args:
        paths: What to follow: keys joined by dots, indexes in brackets. None follows
            every string at the top level.
        taken_out: One of the paths, a top-level key, whose member `take_rest` leaves
            out. Without it there is no rest.

    Attributes:
        error: What is malformed, or None. Once set, the machine has stopped.
        value_types: The JSON type of what stood at a path and was no string.
        duplicates: How often a followed key came again; those values are passed over.

    Raises:
        UsageError: A path cannot be read.
    """

    def __init__(
        self, paths: Iterable[str] | None = None, *, taken_out: str | None = None
    ) -> None:
        self.error: ArgumentsError | None = None
        self.value_types: dict[str, str] = {}
        self.duplicates = 0
        self._is_any = paths is None
        self._root = Node("")
        for path in paths or ():
            self._add(path)
        self._taken_out = taken_out
        self._state: str = OBJECT
        self._stack = bytearray()
        self._places: list[tuple[Node, int]] = []  # of the followed open containers
        self._next: Node | None = None  # the place of the value that comes
        self._key = ""
        self._current = self._root  # the string that is being read
        self._has_text = False  # of it
        self._offset = 0
        self._held = ""
        self._pieces: list[TextPiece] = []
        self._rest: list[str] = []
        self._undecided = ""  # source that belongs to `rest` unless it is taken out
        self._is_undecided = False
        self._is_taking = False
        self._has_member = False  # in `rest`

    @property
    def is_complete(self) -> bool:
        """The object has been closed; `error` may still be about text after it."""
        return self._state == END

    def has_come(self, path: str) -> bool:
        """Return whether a string at a path has begun."""
        node = self._root
        for key in steps_of(path):
            found = node.children.get(key)
            if found is None:
                return False
            node = found
        return node.has_come and path not in self.value_types

    def feed(self, fragment: str | None) -> list[TextPiece]:
        """Read the next fragment.

        Args:
            fragment: Any piece of the text; empty and None change nothing.

        Returns:
            The text that it has decided, in order; empty if none, and after an error.
        """
        if not fragment:
            return []
        if self.error is not None:
            self._rest.append(fragment)  # nothing is lost of what cannot be read
            return []
        text = self._held + fragment
        start = self._offset - len(self._held)
        self._offset += len(fragment)
        self._held = ""
        position, end = 0, len(text)
        while position < end and self.error is None:
            is_string = self._state in STRINGS
            read = self._read_string if is_string else self._read_structure
            position = read(text, position, start)
        pieces, self._pieces = self._pieces, []
        return pieces

    def close(self) -> ArgumentsError | None:
        """Take the end: no more fragments come. Closing twice changes nothing.

        Returns:
            None when the object was complete and well-formed, else `error`.
        """
        if self.error is None and not self.is_complete:
            state = self._state
            if state in NUMBER_MAY_END:
                state = self._after_value()
            self._stop(self._offset, EXPECTED[state], "", "")
        return self.error

    def take_rest(self) -> str:
        """Return what of the source is decided to stay, and forget it."""
        rest = "".join(self._rest)
        self._rest.clear()
        return rest

    def _add(self, path: str) -> None:
        node = self._root
        for key in steps_of(path):
            node = node.children.setdefault(key, Node(path))
        node.path = path
        node.is_wanted = True

    def _stop(self, offset: int, expected: str, got: str, remaining: str) -> None:
        self.error = ArgumentsError(char_offset=offset, expected=expected, got=got)
        self._decide()
        # Of a text that is taken out nothing stays, but for what cannot be read.
        self._rest.append(remaining or ("" if self._is_taking else self._held))
        self._is_taking = False
        self._held = ""

    def _read_structure(self, text: str, position: int, start: int) -> int:
        """Follow `MOVES` to the beginning of a string or the end; return where."""
        state, end = self._state, len(text)
        while position < end:
            char = text[position]
            following = MOVES[state].get(char)
            if following is None:
                if state in NUMBER_MAY_END:
                    state = self._after_value()
                    continue  # with the same character
                if char not in WHITESPACE or state not in SPACE_ALLOWED:
                    self._state = state
                    rest = text[position:]
                    self._stop(start + position, EXPECTED[state], char, rest)
                    return end
                following = state
            elif following == CLOSED:
                if char in "}]":
                    self._pop()
                following = self._after_value()
            elif state in {OBJECT, VALUE, FIRST_ITEM}:
                following = self._begin_value(char, following, state)
            elif following == IN_KEY:
                is_followed = len(self._places) == len(self._stack)
                following = IN_KEY if is_followed else IN_OTHER_KEY
                self._key = ""
            if self._taken_out is not None:
                self._keep(char, state)
            position += 1
            state = following
            if state in STRINGS:
                if state == IN_OTHER_KEY and len(self._stack) == 1:
                    self._decide()
                break
        self._state = state
        return position

    def _begin_value(self, char: str, following: str, state: str) -> str:
        """Open what a value is; return the state it begins."""
        node = self._root if state == OBJECT else self._place_of_value()
        if char in "{[":
            self._stack.append(ord(char))
            has_inner = node is not None and (node.children or node is self._root)
            if node is not None and has_inner:
                self._places.append((node, -1))
        if node is None or not node.is_wanted:
            return following
        if char == '"':
            self._current, self._has_text = node, False
            return IN_MESSAGE
        self.value_types[node.path] = TYPE_NAMES.get(char, "number")
        return following

    def _place_of_value(self) -> Node | None:
        if self._stack[-1] == ord("{"):
            node, self._next = self._next, None
            return node
        if len(self._places) < len(self._stack):
            return None
        parent, index = self._places[-1]
        self._places[-1] = parent, index + 1
        node = parent.children.get(index + 1)
        if node is not None:
            node.has_come = True
        return node

    def _pop(self) -> None:
        if len(self._places) == len(self._stack):
            self._places.pop()
        self._stack.pop()

    def _after_value(self) -> str:
        if not self._stack:
            return END
        return AFTER_MEMBER if self._stack[-1] == ord("{") else AFTER_ITEM

    def _read_string(self, text: str, position: int, start: int) -> int:
        """Read a string to its end, or hold what is undecided; return where."""
        piece, is_closed, stop, begun = read_content(text, position)
        if piece and self._state == IN_MESSAGE:
            self._has_text = True
            piece = join_surrogates(piece, "replace")
            self._pieces.append(TextPiece(self._current.path, piece, is_closed))
        elif piece and self._state == IN_KEY:
            self._key += join_surrogates(piece, "surrogatepass")
            if not self._may_be_followed():
                self._state = IN_OTHER_KEY
        if self._taken_out is not None:
            self._keep(text[position : stop + is_closed], self._state)
        if self._state == IN_OTHER_KEY and len(self._stack) == 1:
            self._decide()
        if is_closed:
            self._end_string()
            return stop + 1
        if begun < len(text):
            is_hex = text[begun - 1] != "\\"
            expected = HEX_DIGIT if is_hex else ESCAPED
            self._stop(start + begun, expected, text[begun], text[stop:])
        self._held = text[stop:] if self.error is None else ""
        return len(text)

    def _may_be_followed(self) -> bool:
        node, _ = self._places[-1]
        if self._is_any and node is self._root:
            return True
        return any(
            isinstance(key, str)
            and join_surrogates(key, "surrogatepass").startswith(self._key)
            for key in node.children
        )

    def _end_string(self) -> None:
        """Go on after a closing quote."""
        if self._state == IN_KEY:
            self._next = self._place_of_key()
            if len(self._stack) == 1 and not self._may_take_out():
                self._decide()
        elif self._state == IN_MESSAGE:
            if not self._has_text or not (self._pieces and self._pieces[-1].is_end):
                self._pieces.append(TextPiece(self._current.path, "", is_end=True))
            self._is_taking = False
        is_key = self._state in {IN_KEY, IN_OTHER_KEY}
        self._state = COLON if is_key else self._after_value()

    def _place_of_key(self) -> Node | None:
        parent, _ = self._places[-1]
        node = parent.children.get(self._key)
        if node is None and self._is_any and parent is self._root:
            node = parent.children[self._key] = Node(self._key)
            node.is_wanted = True
        if node is None:
            return None
        if node.has_come:
            self.duplicates += 1
            return None
        node.has_come = True
        return node

    def _may_take_out(self) -> bool:
        return self._next is not None and self._key == self._taken_out

    # What of the source stays: see the module's docstring.

    def _keep(self, source: str, state: str) -> None:
        """Take source that was read in a state: to stay, undecided, or left out."""
        if self._is_taking:
            return
        depth = len(self._stack)
        if depth == 1 and source == "," and state == AFTER_MEMBER:
            self._is_undecided = True
        if not self._is_undecided:
            self._rest.append(source)
            if depth == 1 and state == OBJECT:
                self._is_undecided = True  # the first key comes
            return
        self._undecided += source
        if state == VALUE and source not in WHITESPACE:
            if source == '"':
                self._undecided, self._is_undecided = "", False
                self._is_taking = True
            else:
                self._decide()
        elif depth == 0:
            self._rest.append(self._undecided)  # the end of an object
            self._undecided, self._is_undecided = "", False

    def _decide(self) -> None:
        """Let what was undecided stay."""
        if not self._is_undecided:
            return
        kept = self._undecided
        if not self._has_member:
            kept = kept.replace(",", "", 1) if kept.startswith(",") else kept
            self._has_member = bool(kept.strip(WHITESPACE))
        self._rest.append(kept)
        self._undecided, self._is_undecided = "", False
