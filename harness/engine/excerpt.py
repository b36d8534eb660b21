"""The text around a place in a recording: what a diagnostic points at.

An excerpt is cut when the diagnostic is made, because a stream is never held: of a
pipe there would be nothing left to look at. It keeps a window, not the text.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.core.json_arguments import FunctionArgumentsStreamHandler

_BEFORE = 56  # with what follows one line of a terminal, as an error's text
_AFTER = 40


class Excerpt(NamedTuple):
    """A window of text with one place in it."""

    source: str
    """What the text is: `data of the event`, `arguments of call 0`."""
    before: str
    """At most 56 code points directly before the place."""
    after: str
    """At most 40 code points from the place on; empty at the end of the text."""
    offset: int
    """The place, in code points from the start of the whole text."""
    length: int
    """Of the whole text as far as it had come, in code points."""
    note: str
    """What is wrong there, in a few words."""
    chunk: int | None = None
    """The chunk that holds the place; None where there is none."""
    byte_offset: int | None = None
    """Where the event of that chunk starts in the body; None where it is unknown."""

    @property
    def is_cut_before(self) -> bool:
        """Whether there is text before the window."""
        return self.offset > len(self.before)

    @property
    def is_cut_after(self) -> bool:
        """Whether there is text after the window."""
        return self.offset + len(self.after) < self.length


def excerpt_of(
    text: str,
    *,
    at: int,
    source: str,
    note: str,
    chunk: int | None = None,
    byte_offset: int | None = None,
) -> Excerpt:
    """Cut an excerpt from a text; O(length of the window).

    Args:
        text: The whole text.
        at: The place in it, in code points; its length is the end.
        source: What the text is.
        note: What is wrong there.
        chunk: The chunk that holds the place.
        byte_offset: Where the event of that chunk starts.

    Returns:
        The excerpt.
    """
    before = text[max(0, at - _BEFORE) : at]
    after = text[at : at + _AFTER]
    return Excerpt(source, before, after, at, len(text), note, chunk, byte_offset)


def json_excerpt(
    text: str, *, chunk: int | None = None, byte_offset: int | None = None
) -> Excerpt:
    """Cut an excerpt at the first character with which no JSON object can go on.

    Args:
        text: The data of an event that is no JSON object.
        chunk: Its number.
        byte_offset: Where it starts in the body.

    Returns:
        The excerpt; json.loads often points at the start of a token instead.
    """
    machine = FunctionArgumentsStreamHandler()
    machine.process_json_chunk(text)
    error = machine.close()
    at, note = 0, "no JSON object"
    if error is not None:
        got = f", got {error.got!r}" if error.got else ", got the end"
        at, note = error.char_offset, f"expected {error.expected}{got}"
    return excerpt_of(
        text,
        at=at,
        source="data of the event",
        note=note,
        chunk=chunk,
        byte_offset=byte_offset,
    )
