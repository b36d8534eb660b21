r"""The JSON argument state machine: fragments of a JSON object in, one string out.

A model sends the arguments of a tool call as the text of one JSON object, cut
anywhere. `FunctionArgumentsStreamHandler` reads the pieces as they come and
returns the text of the string under one top-level key while it is still being
written. It promises what `harness docs argument-machine` lists: split-invariant, exact,
as early as possible, prefix-safe, linear, never silent. This page explains how.

The rules of this file
======================

1. All that a fragment leaves behind is in five attributes: the *state* (one name
   from the list below), the *stack* (one byte for each container that is open),
   the *offset* (how many code points came so far), the *held* text (see 3) and,
   inside a top-level key, how many characters of `json_key` it has matched.
   Nothing grows with the message; nothing recurses with the nesting.

2. Outside of strings the machine reads one character at a time by the table
   `MOVES`: state -> character -> next state. It is a complete description of
   RFC 8259 except for strings; a character that has no entry is an error, save
   for whitespace between tokens and for whatever follows a number (a number is
   the one token that ends without a character of its own). Three kinds of entry
   do more than change the state:

       {  [    push the container, so that its end is known
       }  ]    pop it; the container around it decides what may come next (CLOSED)
       "       begin a string; which of the four string states, see 4

3. Inside of strings whole runs are read at once. What is not yet decided is
   *held*: the source text (not the value) of an unfinished escape, and of a high
   surrogate whose low half may still come. It is at most 11 characters long, as
   in ``\ud83d\ude0``. The next fragment is read as `held + fragment`, so a cut
   within an escape needs no states of its own, and all cuts mean the same.

   A high surrogate waits only as long as a low half is possible. ``\ud83d\u``
   may go on with ``de00``, ``\ud83d\u0`` may not: then U+FFFD is decided, and
   returned, although the second escape is still open.

4. There are four string states, by what the string is for:

       IN_KEY      a key of the top-level object: decoded, compared with `json_key`
       IN_MESSAGE  the value under the first such key: decoded and returned
       IN_OTHER_KEY, IN_OTHER_VALUE
                   everything else: its end is looked for, its escapes are checked

   A top-level key that can no longer be `json_key` becomes IN_OTHER_KEY at once.
   A nested object has only IN_OTHER_KEY keys, which is why the same key deeper
   down is not the key. A repeated top-level key is counted, its value passed over.

5. An error stops the machine for good. Its offset is that of the first character
   with which no JSON object can go on (json.loads often points at the beginning
   of the token instead), so it does not depend on the cuts either. What the
   characters before it had decided is returned; the error decides nothing more: an
   escape or a high surrogate held at that moment is dropped.

Surrogates: a high one directly before a low one is one character, whichever of
the two was an escape and whichever was sent raw (providers that cut UTF-16 send
raw halves in two fragments). Any other surrogate in the value becomes U+FFFD. In
keys lone surrogates stay, so that they equal only themselves.

Deviations from RFC 8259: raw control characters inside strings are accepted,
because models send them; the top level must be an object. NaN, Infinity and
-Infinity, which Python's json accepts, are refused. Deviations from json.loads
that follow from linear cost: integers of any length and any depth of nesting are
accepted.

Four shortcuts stand before the machine and change no result: a fragment of plain
text, one with plain escapes, one inside another string, and a whole object. Each
notes at its place what it is worth. Without them only the benchmarks would notice.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple, NoReturn

from harness.core.json_states import (
    AFTER_ITEM,
    AFTER_MEMBER,
    CLOSED,
    COLON,
    DECODED,
    END,
    ESCAPED,
    EXPECTED,
    HEX_DIGIT,
    IN_KEY,
    IN_MESSAGE,
    IN_OTHER_KEY,
    IN_OTHER_VALUE,
    MOVES,
    NUMBER_MAY_END,
    OBJECT,
    SPACE_ALLOWED,
    STRINGS,
    TYPE_NAMES,
    VALUE,
    VALUE_BEGINS,
    WHITESPACE,
)
from harness.core.json_strings import (
    decode_token,
    end_of,
    join_surrogates,
    read_content,
)
from harness.errors import ArgumentsError

_TYPE_NAMES_OF_PARSED: Final[dict[type, str]] = {
    tuple: "object",  # see _DECODER
    list: "array",
    bool: "boolean",
    type(None): "null",
    int: "number",
    float: "number",
}

_LONGEST_TOKEN: Final = 64  # what is remembered of longer ones would be much text
_MOST_TOKENS: Final = 4096  # no more than 0.5 MB
_PLAIN_TOKENS: Final[set[str]] = set()
_SPACES: Final = re.compile(f"[{WHITESPACE}]*")
_OBJECT_BYTE: Final = ord("{")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# Objects become tuples of pairs, so that repeated keys are seen and arrays stay arrays.
_DECODER: Final = json.JSONDecoder(
    strict=False, object_pairs_hook=tuple, parse_constant=_refuse_constant
)


class _MalformedError(Exception):
    """Carries a place in the text at hand from where it is found to `_advance`."""

    def __init__(self, position: int, expected: str) -> None:
        self.position = position
        self.expected = expected
        super().__init__()


class MachineState(NamedTuple):
    """Where the machine stands, for a debugger; rule 1 of the module's docstring."""

    state: str
    """A name of `harness.core.json_states`; `stopped` after an error."""
    depth: int
    """How many containers are open."""
    offset: int
    """How many code points have come."""
    held: str
    """Source text that is not decided yet; at most 11 characters."""
    key_matched: int
    """How many characters of the key the top-level key at hand has matched."""


class FunctionArgumentsStreamHandler:
    r"""Reads one string out of the arguments of a tool call while they arrive.

    Feed it the fragments of one JSON object in order; each call returns the text of
    the string under the top-level key `json_key` that has become readable. The
    concatenation equals ``json.loads(text)[json_key]`` and does not depend on how
    the text was cut; of a repeated key the first value counts.

    Cost is O(length of the fragment), whatever came before. Held between two
    fragments are at most 11 characters and one byte for each open container.

    Examples:
        >>> handler = FunctionArgumentsStreamHandler()
        >>> [handler.process_json_chunk(f) for f in ('{"mess', 'age":"h\\', "n", '"}')]
        [None, 'h', '\n', None]

    Args:
        json_key: The key whose string is wanted; compared after decoding escapes.
        strict: Raise malformed input as an `ArgumentsError` instead of only keeping
            it in `error`.

    Attributes:
        json_key: As given. A change takes effect with the next `reset`.
        strict: As given.
        error: What is malformed, or None. Once set, the machine has stopped.
        has_value: A string value of the key has begun; ``""`` is one, too.
        value_type: The JSON type (``"number"``, ``"object"``, ``"array"``,
            ``"boolean"``, ``"null"``) of the key's value when that is no string; None
            when it is one, or none came yet.
        duplicates: How often the key came again; those values are not returned.
        undelivered: Strict mode: the text that the fragment had made readable before
            its error, which the raising call could not return; else None.

    Source: RFC 8259 and `harness docs argument-machine`; deviations in the module's
    docstring.
    """

    def __init__(self, json_key: str = "message", *, strict: bool = False) -> None:
        self.json_key = json_key
        self.strict = strict
        self.reset()

    def reset(self) -> None:
        """Forget everything but the options, ready for the next object."""
        self.error: ArgumentsError | None = None
        self.has_value = False
        self.value_type: str | None = None
        self.duplicates = 0
        self.undelivered: str | None = None
        self._key = join_surrogates(self.json_key, "surrogatepass")
        self._state: str = OBJECT
        self._stack = bytearray()
        self._offset = 0
        self._held = ""
        self._key_matched = 0
        self._is_wanted = False  # the value that comes next is the key's first
        self._is_in_message = False  # and not stopped
        self._is_plain = False  # that, and nothing held
        self._new_text = ""  # of the fragment at hand

    @property
    def is_complete(self) -> bool:
        """The object has been closed; `error` may still report text after it."""
        return self._state == END

    def inspect(self) -> MachineState:
        """Return where the machine stands; it changes nothing."""
        has_stopped = self.error is not None and not self.is_complete
        return MachineState(
            "stopped" if has_stopped else self._state,
            len(self._stack),
            self._offset,
            self._held,
            self._key_matched,
        )

    def process_json_chunk(self, chunk: str | None) -> str | None:
        """Read the next fragment.

        Args:
            chunk: Any piece of the text; empty and None change nothing.

        Returns:
            The text that this fragment has decided, never empty; None if there is
            none, and always after an error.

        Raises:
            ArgumentsError: Strict mode only: the text is malformed. `undelivered`
                has what was readable before; later calls return None.
        """
        # Nine fragments out of ten are plain text of the message, and tokens come again
        # and again: a known one costs half of the seed's branches and 3 no-op calls
        # (CPython 3.11), a third of that for the offset. A generator's `send` is no
        # faster unless the caller keeps the bound method, and cannot be copied.
        if self._is_plain and chunk:
            if chunk in _PLAIN_TOKENS:
                self._offset += len(chunk)
                return chunk
            if (
                '"' not in chunk
                and "\\" not in chunk
                and (chunk.isascii() or chunk.isprintable())  # no surrogate is
            ):
                if len(chunk) <= _LONGEST_TOKEN:
                    if len(_PLAIN_TOKENS) >= _MOST_TOKENS:
                        _PLAIN_TOKENS.clear()
                    _PLAIN_TOKENS.add(chunk)
                self._offset += len(chunk)
                return chunk
        # One in ten has an escape or a part of one: here a quarter of `_read`'s time.
        if self._is_in_message and chunk:
            text = self._held + chunk
            decoded = decode_token(text) if len(text) <= _LONGEST_TOKEN else None
            if decoded is not None:
                self._offset += len(chunk)
                piece, self._held = decoded
                self._is_plain = not self._held
                return piece or None
        return self._advance(chunk)

    def close(self) -> ArgumentsError | None:
        """Note that no more fragments come.

        Text that was still held (half an escape, a high surrogate) belongs to a string
        without end and is dropped. Closing twice changes nothing.

        Returns:
            None when the object was complete and well-formed, else `error`, which is
            now set: for truncated text with the offset of its end and an empty `got`.

        Raises:
            ArgumentsError: Strict mode only: the text is truncated. The machine has
                stopped; an error that was raised before is returned, not raised again.
        """
        if self.error is None and not self.is_complete:
            state = self._state
            if state in NUMBER_MAY_END:
                state = self._after_value()
            error = self._stop(self._offset, EXPECTED[state], got="")
            if self.strict:
                raise error
        return self.error

    def _advance(self, chunk: str | None) -> str | None:
        """Read a fragment that is not plain text of the message."""
        if not chunk or self.error is not None:
            return None
        if self._state == IN_OTHER_VALUE and '"' not in chunk and "\\" not in chunk:
            if not self._held:  # a third of the time of what is below
                self._offset += len(chunk)
                return None
        elif not self._offset and self._read_whole(chunk):
            return self._take_new_text()
        return self._read(chunk)

    def _read(self, chunk: str) -> str | None:
        """Read any fragment, token by token."""
        text = self._held + chunk
        start = self._offset - len(self._held)
        self._offset += len(chunk)
        self._held = ""
        position, end = 0, len(text)
        try:
            while position < end:
                if self._state in STRINGS:
                    position = self._read_string(text, position)
                else:
                    position = self._read_structure(text, position)
        except _MalformedError as malformed:
            at = malformed.position
            error = self._stop(start + at, malformed.expected, got=text[at])
            if self.strict:
                self.undelivered = self._take_new_text()
                raise error from None
        else:
            self._is_in_message = self._state == IN_MESSAGE
            self._is_plain = self._is_in_message and not self._held
        return self._take_new_text()

    def _take_new_text(self) -> str | None:
        new_text, self._new_text = self._new_text, ""
        return new_text or None

    def _stop(self, offset: int, expected: str, *, got: str) -> ArgumentsError:
        error = ArgumentsError(char_offset=offset, expected=expected, got=got)
        self.error = error
        self._is_in_message = self._is_plain = False
        self._held = ""
        self._stack.clear()
        return error

    def _read_structure(self, text: str, position: int) -> int:
        """Follow `MOVES` up to the beginning of a string or the end of the text.

        Returns:
            The position of the first character that was not read.

        Raises:
            _MalformedError: A character has no entry in the table.
        """
        state = self._state
        end = len(text)
        while position < end:
            char = text[position]
            following = MOVES[state].get(char)
            if following is None:
                if state in NUMBER_MAY_END:
                    state = self._after_value()
                    continue  # with the same character
                if char in WHITESPACE and state in SPACE_ALLOWED:
                    position = end_of(_SPACES, text, position)
                    continue
                self._state = state
                raise _MalformedError(position, EXPECTED[state])
            position += 1
            if following == CLOSED:
                if char in "}]":
                    self._stack.pop()
                state = self._after_value()
                continue
            if state == VALUE and self._is_wanted:
                following = self._begin_wanted_value(char)
            if char in "{[":
                self._stack.append(ord(char))
            state = following
            if state in STRINGS:
                if state == IN_KEY and len(self._stack) > 1:
                    state = IN_OTHER_KEY
                self._key_matched = 0
                break
        self._state = state
        return position

    def _begin_wanted_value(self, char: str) -> str:
        """Note what the value under the key is; return the state it begins."""
        self._is_wanted = False
        if char == '"':
            self.has_value = True
            return IN_MESSAGE
        self.value_type = TYPE_NAMES.get(char, "number")
        return VALUE_BEGINS[char]

    def _after_value(self) -> str:
        """Return the state after a value, which the container around it decides."""
        if not self._stack:
            return END
        return AFTER_MEMBER if self._stack[-1] == _OBJECT_BYTE else AFTER_ITEM

    def _read_string(self, text: str, position: int) -> int:
        """Read the content of a string up to its end, or hold what is undecided.

        Returns:
            The position after the closing quote, or the end of the text.

        Raises:
            _MalformedError: An escape is none of JSON's. What came before is read.
        """
        piece, is_closed, stop, begun = read_content(text, position)
        if piece and self._state in DECODED:
            self._use(piece)
        if is_closed:
            self._end_string()
            return stop + 1
        end = len(text)
        if begun < end:
            is_hex = text[begun - 1] != "\\"
            raise _MalformedError(begun, HEX_DIGIT if is_hex else ESCAPED)
        self._held = text[stop:]
        return end

    def _use(self, piece: str) -> None:
        """Take decoded text of the message or of a top-level key."""
        if self._state == IN_MESSAGE:
            self._new_text = join_surrogates(piece, "replace")
            return
        piece = join_surrogates(piece, "surrogatepass")
        if self._key.startswith(piece, self._key_matched):
            self._key_matched += len(piece)
        else:
            self._state = IN_OTHER_KEY

    def _end_string(self) -> None:
        """Go on after a closing quote."""
        if self._state == IN_KEY and self._key_matched == len(self._key):
            if self.has_value or self.value_type is not None:
                self.duplicates += 1
            else:
                self._is_wanted = True
        is_key = self._state in {IN_KEY, IN_OTHER_KEY}
        self._state = COLON if is_key else self._after_value()

    def _read_whole(self, chunk: str) -> bool:
        """Read a first fragment that is a whole object, as many providers send it.

        At the speed of json.loads, where the machine needs 2 to 15 times as long.

        Returns:
            False, with nothing changed, when the machine must look: the object is
            unfinished, malformed, too deep for recursion, or followed by more.
        """
        text = chunk.strip(WHITESPACE)
        if not (text.startswith("{") and text.endswith("}")):
            return False
        try:
            members, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            return False
        if end != len(text):
            return False
        for key, value in members:
            if join_surrogates(key, "surrogatepass") != self._key:
                continue
            if self.has_value or self.value_type is not None:
                self.duplicates += 1
            elif isinstance(value, str):
                self.has_value = True
                self._new_text = join_surrogates(value, "replace")
            else:
                self.value_type = _TYPE_NAMES_OF_PARSED[type(value)]
        self._state = END
        self._offset = len(chunk)
        return True
