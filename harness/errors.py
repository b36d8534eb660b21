"""Every exception that harness raises on purpose, by whose fault it is.

The tree has one root, `HarnessError`. Below it: `ProtocolError` (the stream
is wrong: the provider's or the network's fault), `CassetteError` (the file is
wrong), `StateError` (the caller misused an object), `UsageError` (options,
names and arguments are wrong). Anything else that comes out of this package
is a bug in it.

Each class takes fields, builds its own message from them and keeps them, so
that a test can compare fields and a person can read the message. Messages are
one line: what happened, where, expected, got, what to do. They quote recordings, so
nothing in them can run a terminal's escapes (`printable`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ArgumentsError",
    "CassetteCorruptError",
    "CassetteError",
    "CassetteMismatchError",
    "CassetteMissingError",
    "ChunkError",
    "HarnessError",
    "InterfaceError",
    "NothingToReplayError",
    "ProtocolError",
    "RecordingRefusedError",
    "SSEError",
    "ScenarioError",
    "StateError",
    "StreamInactiveError",
    "StreamTimeoutError",
    "UnrecordedConnectionError",
    "UnusableInterfaceError",
    "UsageError",
    "counted",
    "did_you_mean",
    "printable",
    "raised_text",
    "shorten",
    "text_of",
]

_SHOWN_CHARACTERS = 80  # one terminal line; longer text is cut and its length named


def printable(text: str) -> str:
    """Return text as it may be shown: on one line, what does not print as escapes.

    Every text of a recording goes through this on its way to a terminal or a log.
    Escaped are control characters (C0, C1, ESC and with it every terminal sequence),
    marks that turn the direction of text, what has no width, and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def raised_text(error: BaseException) -> str:
    """Return an exception of a user's code on one line: `KeyError: 'delta'`."""
    text = printable(text_of(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """Return `str(error)`, or what that raised in its place."""
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - whatever a `__str__` of theirs does
        return f"(its __str__ raised {type(broken).__name__})"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 exchange`, `2 exchanges`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'openai'?`` for a name that is almost one of others.

    Args:
        name: What was written.
        known: What there is.

    Returns:
        The question about the closest one; empty where none is close.
    """
    from difflib import get_close_matches  # only where something is wrong

    close = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"did you mean {printable(close[0])!r}?" if close else ""


def shorten(text: object, *, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return `repr(text)`, cut where it is long, and never silently.

    Args:
        text: The value to show; a `str` or `bytes` is cut by its own length.
        limit: The most characters (or bytes) of a string that are shown.

    Returns:
        The repr, with ``... (N characters)`` after a string that was cut.
    """
    if isinstance(text, str) and len(text) > limit:
        return f"{text[:limit]!r}... ({len(text)} characters)"
    if isinstance(text, bytes | bytearray) and len(text) > limit:
        return f"{bytes(text[:limit])!r}... ({len(text)} bytes)"
    try:
        return repr(text)
    except (ValueError, RecursionError):  # an int of thousands of digits, deep nesting
        return f"a value of type {type(text).__name__} that is too large to show"


class HarnessError(Exception):
    """Root of all errors of this package; catch it to catch them all."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle it with its fields: they come from other processes, too."""
        return _again, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        return printable(super().__str__())


def _again(kind: type[HarnessError], arguments: tuple[object, ...]) -> HarnessError:
    error = kind.__new__(kind)
    error.args = arguments
    return error


class ProtocolError(HarnessError):
    """The stream is wrong: what was sent breaks its format."""


class SSEError(ProtocolError):
    """An event stream cannot be decoded.

    Attributes:
        problem: What is wrong, without the place.
        byte_offset: Where in the stream, in bytes from its start.
    """

    def __init__(self, problem: str, *, byte_offset: int) -> None:
        self.problem = problem
        self.byte_offset = byte_offset
        super().__init__(f"event stream at byte {byte_offset}: {problem}")


class ChunkError(ProtocolError):
    """The payload of an event is no chunk that can be read.

    Attributes:
        problem: What is wrong, without the payload.
        payload: The payload as it came.
    """

    def __init__(self, problem: str, *, payload: str) -> None:
        self.problem = problem
        self.payload = payload
        super().__init__(f"unreadable chunk: {problem}; got {shorten(payload)}")


class ArgumentsError(ProtocolError):
    """The arguments of a tool call are not one JSON object.

    Attributes:
        char_offset: Where in the arguments, in code points from their start.
        expected: What JSON allows there.
        got: What came, shortened; empty at the end of the text.
    """

    def __init__(self, *, char_offset: int, expected: str, got: str) -> None:
        self.char_offset = char_offset
        self.expected = expected
        self.got = got
        came = shorten(got) if got else "the end of the arguments"
        super().__init__(
            f"malformed arguments at character {char_offset}: "
            f"expected {expected}, got {came}"
        )


class CassetteError(HarnessError):
    """A file is not a cassette that can be used.

    Attributes:
        path: The file as the caller named it; ``-`` for standard input.
        place: Where in it (``line 3``, ``exchange 2``), or an empty string.
        problem: What is wrong there and what to do.
    """

    def __init__(self, path: str, problem: str, *, place: str = "") -> None:
        self.path = path
        self.place = place
        self.problem = problem
        super().__init__(
            f"{path}: {place}: {problem}" if place else f"{path}: {problem}"
        )


class CassetteMissingError(CassetteError):
    """There is no file or folder of that name."""


class CassetteCorruptError(CassetteError):
    """The file is there, but does not parse as a cassette; it is left untouched."""


class NothingToReplayError(CassetteError):
    """The cassette parses, but holds no chat completion."""


class CassetteMismatchError(CassetteError):
    """A request was made that the cassette does not answer.

    Attributes:
        reason: ``never recorded``, ``already played``, or empty for a client that
            reads on where the recorded one stopped.
        exchange: The nearest recording, or None.
        differences: The fields in which the request differs from it, one line each.
    """

    def __init__(
        self,
        path: str,
        problem: str,
        *,
        place: str = "",
        reason: str = "",
        exchange: int | None = None,
        differences: tuple[str, ...] = (),
    ) -> None:
        self.reason = reason
        self.exchange = exchange
        self.differences = differences
        super().__init__(path, problem, place=place)


class RecordingRefusedError(CassetteError):
    """Recording was asked for where it must not happen (CI, a broken file)."""


class UnrecordedConnectionError(CassetteError):
    """A client that is not intercepted was about to go past the cassette.

    Attributes:
        host: Where it was about to connect to.
        client: The library that was, as the stack shows it.
    """

    def __init__(self, path: str, host: str, client: str, why: str) -> None:
        self.host = host
        self.client = client
        super().__init__(
            path,
            f"{client} was about to connect to {host}, which {why}: harness does not "
            "intercept this client in process; point its base URL at a recording "
            "server (`harness record --proxy`), or let it through "
            f"(allow=[{host!r}])",
        )


class StateError(HarnessError):
    """An object was used in a state that does not allow it (our caller's fault)."""


class StreamInactiveError(StateError):
    """A generator was asked of a stream that has not started or is over."""


class StreamTimeoutError(HarnessError):
    """Nothing was pushed for longer than the interface's time-out.

    Attributes:
        timeout_s: How long was waited, in seconds.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        super().__init__(
            f"nothing was pushed for {timeout_s:g} s and the stream was not ended; "
            "call step_yield() when the agent is done, or raise `timeout`"
        )


class InterfaceError(HarnessError):
    """The interface under test raised, or lacks what a replay needs.

    Attributes:
        where: The place in the replay, such as ``exchange 0, chunk 3``.
        line: The line of the interface's code, such as ``mine.py, line 3, in feed``;
            empty where none of it raised.
        chunk: The number of the chunk that was being passed on; None for a call of
            the step loop.
    """

    def __init__(
        self, problem: str, *, where: str = "", line: str = "", chunk: int | None = None
    ) -> None:
        self.where = where
        self.chunk = chunk
        self.line = line
        text = f"{problem} ({line})" if line else problem
        super().__init__(f"{where}: {text}" if where else text)


class UsageError(HarnessError):
    """An option, a name or an argument is wrong; the message names what is allowed."""


class UnusableInterfaceError(InterfaceError, UsageError):
    """What was named as the interface can be none, whatever is replayed."""


class ScenarioError(UsageError):
    """A scenario file cannot be read, or holds what no scenario may hold.

    Attributes:
        path: The file as the caller named it.
        place: The key path or the line in it, or an empty string.
        problem: What is wrong there and what is allowed.
    """

    def __init__(self, path: str, problem: str, *, place: str = "") -> None:
        self.path = path
        self.place = place
        self.problem = problem
        super().__init__(
            f"{path}: {place}: {problem}" if place else f"{path}: {problem}"
        )
