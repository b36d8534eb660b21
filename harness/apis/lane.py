"""A short way for events that differ from the one before in nothing but one text.

Four of five events of real recordings are, byte for byte, the event before with another
text in one place (and another number or padding where no reader looks). Such an event
carries what that one did: its JSON need not be parsed, its fields need not be accounted
for, its parts need not be looked for. Any other byte that differs takes the full way,
so both ways lead to the same parts.

What such an event adds is its reader's to know (`harness.apis.base.Reader.goes_on`).
"""

from __future__ import annotations

import re
from functools import cache
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed
from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import Chunk, parse_payload
from harness.apis.chat.restate import delta_payload
from harness.core.parts import Block, Head

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import Event, Payload, Reader
    from harness.core.parts import CallPart, Part, Reasoning, Refusal, Text
    from harness.core.sse import SSEEvent

_TEXT = re.compile(rb'[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*(?=")')
_NUMBER = re.compile(rb"(?:0|[1-9][0-9]{0,14})(?![0-9.eE])")
_PADDING = re.compile(rb'"[ !#-\[\]-~]*"')
_KINDS: dict[type, re.Pattern[bytes]] = {int: _NUMBER, str: _PADDING}
_BLANKS = re.compile(rb" *")  # Anthropic's padding, before the last brace
_ONCE = {Block, Head}  # what a like event does not bring again
_PATIENCE = 8
# Events learned from in vain, after which only every eighth teaches: a stream of which
# no two events are alike must not pay for it.


class LaneEvent(Chunk):
    """An event whose object is made when it is asked for; also a chat chunk.

    Its number and its time are set by whoever counts.
    """

    __slots__ = ("_block", "byte_offset", "head")
    parts: list[Part]

    def __init__(self, block: bytes, byte_offset: int, parts: list[Part]) -> None:
        self._block = block
        self.byte_offset = byte_offset
        self.parts = parts
        self.head: dict[str, Any] | None = None
        """Of the chunks that restate it, where it is another API's: it is one then."""

    @property
    def created(self) -> Any:
        """When the response began; see `Chunk.created`."""
        return (self.payload if self.head is None else self.head).get("created")

    @property
    def raw(self) -> bytes:
        """Its data; see `SSEEvent.raw`."""
        _, _, data = (b"\n" + self._block).partition(b"\ndata: ")
        return data.replace(b"\ndata: ", b"\n")

    @property
    def payload(self) -> Payload:  # type: ignore[override]  # a slot of the base class
        """The parsed object, or what restates it."""
        if self.head is not None:
            return delta_payload(self.head, self.parts[0])
        return parse_payload(self.raw)


class Lane:
    """Remembers the last event of one stream, if it is a simple one.

    Args:
        reader: What reads the stream the full way. Between two events that it was fed,
            only parts that it described itself come out here.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._prefix: bytes | tuple[()] = ()  # what no block begins with
        self._suffix = b""
        self._at = self._rest = 0  # the lengths of both
        self._in_front: list[tuple[re.Pattern[bytes], bytes]] = []
        # Other holes than the text's: what may stand there, and the bytes behind it.
        self._behind: list[tuple[re.Pattern[bytes], bytes]] = []
        # The same behind the text, from the end, with the bytes in front.
        self._read: Callable[[str], Text | Reasoning | Refusal | CallPart]
        self._idle = 0
        self._before: Payload = {}  # of the event that came last the full way

    def take(self, block: bytes, byte_offset: int) -> LaneEvent | None:
        """Read an event that is like the one before.

        Args:
            block: See `SSEEvent.block`.
            byte_offset: Where it stands in the stream.

        Returns:
            The event with its part, added to the call where it continues one; None
            where the full way must be taken.
        """
        if not (block.startswith(self._prefix) and block.endswith(self._suffix)):
            return None
        at, end = self._at, len(block) - self._rest
        for hole, bytes_ in self._in_front:
            found = hole.match(block, at)
            if found is None or not block.startswith(bytes_, found.end()):
                return None
            at = found.end() + len(bytes_)
        for hole, bytes_ in self._behind:
            start = block.rfind(bytes_, at, end)
            if start < 0 or not hole.fullmatch(block, start + len(bytes_), end):
                return None
            end = start
        try:
            # Not `in` bytes: it raises and catches an error inside, 0.5 us each time.
            text = block[at:end].decode()
            if "\\" in text or '"' in text or not text.isprintable():
                length = len(text)
                text, end = scanstring(text + '"', 0)
                if end <= length:  # a bare quote
                    return None
        except ValueError:  # not UTF-8, or a bare line end
            return None
        if not text:
            return None
        self._idle = 0
        return LaneEvent(block, byte_offset, [self._read(text)])

    def forget(self) -> None:
        """Send the next event the full way, whatever it is."""
        self._prefix = ()

    def learn(self, event: Event, sent: SSEEvent, parts: list[Part]) -> None:
        """Remember an event that was read the full way, or nothing.

        Args:
            event: The event.
            sent: The same as it was sent.
            parts: What the reader has just returned for it.
        """
        self.forget()
        before, self._before = self._before, event.payload
        if not parts or not _ONCE.issuperset(map(type, parts[:-1])):
            return
        self._idle += 1
        if self._idle > _PATIENCE and self._idle % _PATIENCE:
            return
        like = self._reader.goes_on(event, parts[-1])
        if like is None:
            return
        raw = sent.block
        text = _hole(raw, like.field, _TEXT)
        if text is None:
            return
        holes, payload = [text], event.payload
        for field in like.ignored:
            kind = _KINDS.get(type(payload.get(field)))
            if kind is not None and before.get(field, payload[field]) != payload[field]:
                hole = _hole(raw, field, kind)
                if hole is not None:
                    holes.append(hole)
        if raw.endswith(b" }"):
            holes.append((len(raw[:-1].rstrip(b" ")), len(raw) - 1, _BLANKS))
        holes.sort()
        starts = [start for start, _, _ in holes]
        between = [
            raw[end:start]
            for (_, end, _), start in zip(holes, [*starts[1:], len(raw)], strict=True)
        ]
        around = b"".join([raw[: starts[0]], *between])
        if around.find(b"\\") >= 0 or around.find(b"NaN") >= 0:
            return  # a key may be written in two ways; NaN is another each time
        at = holes.index(text)
        kinds = [kind for _, _, kind in holes]
        self._in_front = list(zip(kinds[:at], between[:at], strict=True))
        self._behind = list(zip(kinds[:at:-1], between[-2::-1], strict=False))
        self._prefix, self._suffix = raw[: starts[0]], between[-1]
        self._at, self._rest = starts[0], len(between[-1])
        self._read = like.read


def _hole(
    raw: bytes, field: str, kind: re.Pattern[bytes]
) -> tuple[int, int, re.Pattern[bytes]] | None:
    """Return where the value of a field stands; None unless the field stands once."""
    places = [place.end() for place in _key(field).finditer(raw)]
    if len(places) != 1:
        return None
    [start] = places
    if kind is _TEXT:
        if raw[start : start + 1] != b'"':
            return None
        start += 1
    found = kind.match(raw, start)
    return None if found is None else (start, found.end(), kind)


@cache
def _key(field: str) -> re.Pattern[bytes]:
    return re.compile(rb'"%s"\s*:\s*' % field.encode())
