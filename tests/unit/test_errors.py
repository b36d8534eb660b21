"""Errors keep their fields, say one line, and say whose fault it is."""

from __future__ import annotations

import inspect

import pytest

from harness import errors
from harness.errors import (
    ArgumentsError,
    CassetteCorruptError,
    CassetteError,
    CassetteMismatchError,
    CassetteMissingError,
    ChunkError,
    HarnessError,
    InterfaceError,
    NothingToReplayError,
    ProtocolError,
    RecordingRefusedError,
    ScenarioError,
    SSEError,
    StateError,
    StreamInactiveError,
    StreamTimeoutError,
    UsageError,
    shorten,
)

_CLASSES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if value.__module__ == errors.__name__
]


def test_all_names_every_public_class_and_is_sorted() -> None:
    """`__all__` is the classes and what shows texts, in order."""
    shown = [
        "counted",
        "did_you_mean",
        "printable",
        "raised_text",
        "shorten",
        "text_of",
    ]
    assert errors.__all__ == sorted([c.__name__ for c in _CLASSES] + shown)


@pytest.mark.parametrize("error", _CLASSES)
def test_every_error_is_a_documented_harness_error(error: type[Exception]) -> None:
    """One `except HarnessError` catches them all, and each class says its meaning."""
    assert issubclass(error, HarnessError)
    assert error.__doc__


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (SSEError, ProtocolError),
        (ChunkError, ProtocolError),
        (ArgumentsError, ProtocolError),
        (CassetteMissingError, CassetteError),
        (CassetteCorruptError, CassetteError),
        (NothingToReplayError, CassetteError),
        (RecordingRefusedError, CassetteError),
        (StreamInactiveError, StateError),
        (ScenarioError, UsageError),
    ],
)
def test_an_error_is_of_the_family_whose_fault_it_is(
    error: type[Exception], parent: type[Exception]
) -> None:
    """The stream, the file, the caller and the command line are told apart."""
    assert issubclass(error, parent)
    families = {ProtocolError, CassetteError, StateError, UsageError}
    assert [f for f in families if issubclass(error, f)] == [parent]


def test_sse_error_gives_the_byte() -> None:
    """The offset is a field and in the message."""
    error = SSEError("too long", byte_offset=12)
    assert error.byte_offset == 12
    assert str(error) == "event stream at byte 12: too long"


def test_chunk_error_shows_a_shortened_payload() -> None:
    """The payload is kept whole as a field and cut in the message."""
    error = ChunkError("no JSON", payload="x" * 100)
    assert (error.problem, error.payload) == ("no JSON", "x" * 100)
    assert str(error) == (
        f"unreadable chunk: no JSON; got '{'x' * 80}'... (100 characters)"
    )


@pytest.mark.parametrize(
    ("got", "shown"), [("}", "got '}'"), ("", "got the end of the arguments")]
)
def test_arguments_error_gives_place_expected_and_got(got: str, shown: str) -> None:
    """The end of the text is said in words, anything else is quoted."""
    error = ArgumentsError(char_offset=3, expected="a key", got=got)
    assert (error.char_offset, error.expected, error.got) == (3, "a key", got)
    assert str(error) == f"malformed arguments at character 3: expected a key, {shown}"


@pytest.mark.parametrize("kind", [CassetteCorruptError, ScenarioError])
def test_file_errors_name_file_and_place(
    kind: type[CassetteCorruptError | ScenarioError],
) -> None:
    """The place stands between path and problem, and is left out where unknown."""
    error = kind("a.yaml", "no mapping", place="line 3")
    assert (error.path, error.place, error.problem) == (
        "a.yaml",
        "line 3",
        "no mapping",
    )
    assert str(error) == "a.yaml: line 3: no mapping"
    assert str(kind("a.yaml", "no mapping")) == "a.yaml: no mapping"


def test_mismatch_error_keeps_what_was_nearest() -> None:
    """Reason, nearest recording and differences are fields, none by default."""
    error = CassetteMismatchError(
        "a.yaml",
        "no answer",
        place="exchange 1",
        reason="already played",
        exchange=1,
        differences=("method: GET, not POST",),
    )
    assert (error.reason, error.exchange) == ("already played", 1)
    assert error.differences == ("method: GET, not POST",)
    assert str(error) == "a.yaml: exchange 1: no answer"
    bare = CassetteMismatchError("a.yaml", "no answer")
    assert (bare.reason, bare.exchange, bare.differences) == ("", None, ())


def test_timeout_error_says_how_long_and_what_to_do() -> None:
    """Seconds are shown without needless zeros, and the ways out are named."""
    error = StreamTimeoutError(timeout_s=30.0)
    assert error.timeout_s == 30.0
    assert str(error).startswith("nothing was pushed for 30 s ")
    assert "step_yield()" in str(error)
    assert "`timeout`" in str(error)


def test_interface_error_says_where_in_the_replay() -> None:
    """The place in the replay leads the message where it is known."""
    error = InterfaceError("KeyError: 'x'", where="exchange 0, chunk 3")
    assert error.where == "exchange 0, chunk 3"
    assert str(error) == "exchange 0, chunk 3: KeyError: 'x'"
    assert str(InterfaceError("no to_list")) == "no to_list"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("short", "'short'"),
        ("x" * 80, repr("x" * 80)),
        ("x" * 81, repr("x" * 80) + "... (81 characters)"),
        (b"x" * 80, repr(b"x" * 80)),
        (b"x" * 81, repr(b"x" * 80) + "... (81 bytes)"),
        (bytearray(b"x" * 81), repr(b"x" * 80) + "... (81 bytes)"),
        (None, "None"),
        ("two\nlines", r"'two\nlines'"),
    ],
)
def test_shorten_cuts_long_text_and_tells_its_length(value: object, shown: str) -> None:
    """Up to 80 units are shown whole; more are cut and counted; no line breaks."""
    assert shorten(value) == shown


def test_shorten_takes_another_limit() -> None:
    """The limit is the caller's to set."""
    assert shorten("abcdef", limit=3) == "'abc'... (6 characters)"


@pytest.mark.parametrize(
    "error",
    [
        ChunkError("no JSON", payload="a\nb\r\nc"),
        ArgumentsError(char_offset=0, expected="{", got="\n\n"),
    ],
)
def test_a_message_is_one_line_whatever_came(error: Exception) -> None:
    """Line breaks in what came are escaped, so a log line stays one."""
    assert len(str(error).splitlines()) == 1
