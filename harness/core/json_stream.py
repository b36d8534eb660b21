"""Bytes to JSON values: arrays of objects, JSON lines, pretty-printed objects in a row.

For streams that are not Server-Sent Events: Gemini without `alt=sse` sends one JSON
array, Ollama a line of JSON for each event, `jq` prints object after object. All are
values with white space, commas or the brackets of one array between them, so one
decoder reads them, and any mixture. It finds where values begin and end and parses
none: `SSEEvent.raw` is a value as sent, for `harness.apis.chat.chunks.parse_payload`.

Damage stays where it is, as the parser's complaint about one value:

- A line break inside a string (JSON has none) ends the string.
- A closing bracket closes what it fits; what was open inside was never closed.
- A `{` that begins a line, no further in than its value did, where JSON allows no
  object, begins another value: the one before it was cut.
- What is neither object nor array is a value up to the end of its line (in an array,
  its item): numbers and texts, but also a line of plain text in between.

Line breaks are LF (with or without CR); RS is white space (RFC 7464).
"""

from __future__ import annotations

from harness.core.byte_decoder import ByteDecoder
from harness.core.patterns import late
from harness.core.sse import SSEEvent

_BETWEEN = late(rb"[ \t\r\n,\x1e]*+")
_WHITE = b" \t\r\n"
_STRING = rb'(?:[^"\\\n]++|\\[^\n])*+'
_IN_STRING = late(_STRING)
# As far as no bracket opens or closes: one step of the machine for many bytes.
_PLAIN = late(rb'(?:[^"{}\[\]]++|"' + _STRING + rb'")*+')
_ITEM = late(rb'(?:[^"{\[\],\n]++|"' + _STRING + rb'")*+')
_QUOTE, _BACKSLASH, _NEWLINE = b'"\\\n'
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = b"{}[]"


class JSONStreamDecoder(ByteDecoder):
    """Decodes a stream of JSON values that arrives in pieces.

    The interface of `harness.core.sse.SSEDecoder`: the events, and the error, are the
    same for every way to cut the same bytes, cost is linear in the bytes fed, and what
    is held is the unfinished value. A value is an event without name and id. An event
    is out with the byte that decides it: an object with its last bracket.

    Args:
        max_event_bytes: The most bytes that a value may hold; None is what
            `harness.limits.EVENT` allows.
    """

    def __init__(self, *, max_event_bytes: int | None = None) -> None:
        super().__init__(max_event_bytes)  # `stray` stays empty: all is a value
        self.is_array_open = False
        """Whether values are items of an array that has not been closed."""
        self._pieces: list[bytes] = []  # of the unfinished value
        self._column = 0  # how far in its line
        self._open = bytearray()  # its brackets that are open, outermost first
        self._arrays = 0  # how many of them are `[`
        self._in_item = False  # the unfinished value is neither object nor array
        self._in_string = False
        self._in_escape = False  # the last piece ended after a backslash
        # Where the current line starts; -1 where it has more than white space, commas
        # and the bracket of the array.
        self._line = 0
        self._last = 0  # the last byte outside strings that is no white space

    def feed(self, data: bytes) -> list[SSEEvent]:
        """Decode the next piece of the stream.

        Args:
            data: Bytes as received, cut anywhere; empty bytes change nothing.

        Returns:
            The values that this piece completed, oldest first; empty if none.

        Raises:
            SSEError: A value is longer than `max_event_bytes`. The decoder is closed.
                Values that the same piece completed before it are returned first, and
                the next call (`feed` or `close`) raises.
            StateError: The decoder was closed before.
        """
        self._check_open()
        events: list[SSEEvent] = []
        if self._head is not None:
            data = self._strip_bom(data)
            self._line = self._start
        self._decode(data, events)
        if not events:
            self._raise_failure()
        return events

    def close(self) -> list[SSEEvent]:
        """End the stream; the decoder cannot be used after it.

        Returns:
            The value that was cut by the end, `is_complete` false; a text or number
            that no line end follows is one. Closing twice returns nothing.

        Raises:
            SSEError: The last piece completed values before one that is too long.
        """
        if self._is_closed:
            self._raise_failure()
            return []
        events: list[SSEEvent] = []
        if self._head:
            head, self._head = self._head, None
            self._decode(head, events)
        self._is_closed = True
        if self._pieces:
            self._finish(b"", 0, events, is_complete=False)
        return events

    def _decode(self, data: bytes, events: list[SSEEvent]) -> None:
        position = 0
        while position < len(data) and self._failure is None:
            if self._open:
                position = self._read_container(data, position, events)
            elif self._in_item:
                position = self._read_item(data, position, events)
            else:
                position = self._read_between(data, position)
        self._consumed += len(data)
        if (self._open or self._in_item) and not self._is_too_long(self._consumed):
            begin = self._start + len(data) - self._consumed
            self._pieces.append(data[begin:] if begin > 0 else data)

    def _read_between(self, data: bytes, position: int) -> int:
        """Read to where a value begins."""
        end = _BETWEEN.match(data, position).end()  # type: ignore[union-attr]  # `*`
        newline = data.rfind(b"\n", position, end)
        if newline >= 0:
            self._line = self._consumed + newline + 1
        if end == len(data):
            return end
        byte = data[end]
        if byte == _OPEN_ARRAY and not self.is_array_open:
            self.is_array_open = True
            return end + 1
        if byte == _CLOSE_ARRAY and self.is_array_open:
            self.is_array_open = False
            return end + 1
        self._start = self._consumed + end
        self._column = self._start - self._line if self._line >= 0 else 0
        self._line = -1
        if byte not in {_OPEN_OBJECT, _OPEN_ARRAY}:
            self._in_item = True
            return end
        self._last = byte
        self._open.append(byte)
        self._arrays = int(byte == _OPEN_ARRAY)
        return end + 1

    def _read_item(self, data: bytes, position: int, events: list[SSEEvent]) -> int:
        """Read on in a value that is neither object nor array."""
        while not self.is_array_open or not self._in_string:
            end = data.find(b"\n", position)
            if self.is_array_open:
                end = _ITEM.match(data, position).end()  # type: ignore[union-attr]
            if end < 0 or end == len(data):
                return len(data)
            if data[end] != _QUOTE or not self.is_array_open:
                return self._finish(data, end, events)
            self._in_string = True
            position = end + 1
        return self._read_string(data, position)

    def _read_string(self, data: bytes, position: int) -> int:
        """Read on in a string, to behind its end if that has come."""
        if self._in_escape and position < len(data):
            self._in_escape = False
            position += data[position] != _NEWLINE
        end = _IN_STRING.match(data, position).end()  # type: ignore[union-attr]
        if end == len(data):
            return end
        if data[end] == _BACKSLASH:  # the last byte, or a line break follows
            self._in_escape = True
            return end + 1
        self._in_string = False
        self._last = _QUOTE
        return end + (data[end] == _QUOTE)

    def _read_container(
        self, data: bytes, position: int, events: list[SSEEvent]
    ) -> int:
        """Read on in an object or array, to its end if that has come."""
        opened = self._open
        while position < len(data):
            if self._in_string:
                position = self._read_string(data, position)
                continue
            end = _PLAIN.match(data, position).end()  # type: ignore[union-attr]
            if end == len(data):
                self._note(data[position:end], position)
                return end
            byte = data[end]
            if byte == _OPEN_OBJECT:
                self._note(data[position:end], position)
                if self._was_cut(end):
                    return self._finish(data, end, events)
            self._line = -1
            self._last = byte
            position = end + 1
            if byte == _QUOTE:
                self._in_string = True
            elif byte in {_OPEN_OBJECT, _OPEN_ARRAY}:
                opened.append(byte)
                self._arrays += byte == _OPEN_ARRAY
            elif self._ends_framing(byte):
                return self._finish(data, end, events)
            else:
                self._close(byte)
                if not opened:
                    return self._finish(data, position, events)
        return position

    def _note(self, plain: bytes, position: int) -> None:
        """Keep what matters of bytes outside strings, should a `{` come next."""
        newline = plain.rfind(b"\n")
        if newline >= 0:
            self._line = self._consumed + position + newline + 1
        if plain[newline + 1 :].strip(_WHITE) not in {b"", b","}:
            self._line = -1
        plain = plain.rstrip(_WHITE)
        if plain:
            self._last = plain[-1]

    def _was_cut(self, position: int) -> bool:
        """Return whether a `{` that begins a line can only begin another value."""
        if self._consumed + position - self._line > self._column:
            return False  # as where `_line` is -1: no column is that large
        in_array = self._open[-1] == _OPEN_ARRAY
        return self._last not in (b":[," if in_array else b":")

    def _ends_framing(self, byte: int) -> bool:
        """Return whether a bracket can only close the array around the values."""
        return byte == _CLOSE_ARRAY and not self._arrays and self.is_array_open

    def _close(self, byte: int) -> None:
        """Close what a bracket fits, and what is open inside; nothing if none fits."""
        fitting = _OPEN_ARRAY if byte == _CLOSE_ARRAY else _OPEN_OBJECT
        arrays = self._arrays
        if (arrays if fitting == _OPEN_ARRAY else len(self._open) - arrays) == 0:
            return
        closed = 0
        while closed != fitting:
            closed = self._open.pop()
            self._arrays -= closed == _OPEN_ARRAY

    def _finish(
        self, data: bytes, end: int, events: list[SSEEvent], *, is_complete: bool = True
    ) -> int:
        """Emit the value that ends here; return where to read on."""
        if not self._is_too_long(self._consumed + end):
            begin = max(0, self._start - self._consumed)
            raw = data[begin:end]
            if self._pieces:
                raw = b"".join([*self._pieces, raw])
            # Only a value that was cut, or one without brackets, has any to strip.
            raw = raw.rstrip(_WHITE)
            events.append(SSEEvent(raw, self._start, is_complete=is_complete))
        self._forget()
        return end

    def _is_too_long(self, end: int) -> bool:
        """Check the unfinished value, and fail if it is too long."""
        if end - self._start <= self._max_event_bytes:
            return False
        self._fail("a value", "a stream of JSON values")
        self._forget()
        return True

    def _forget(self) -> None:
        self._pieces.clear()
        self._open.clear()
        self._in_item = self._in_string = self._in_escape = False
