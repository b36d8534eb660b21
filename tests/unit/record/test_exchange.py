"""One exchange being recorded: what counts as its end."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from harness.cassettes.model import Ending, Response, WireChunk
from harness.record.exchange import ExchangeRecorder


def recorder(
    finished: list[Response], *seconds: float, **headers: str
) -> ExchangeRecorder:
    """Return a recorder whose clock gives the listed seconds, else 0."""
    times = iter(seconds)
    return ExchangeRecorder(
        Response(
            200,
            "OK",
            {name.replace("_", "-"): [value] for name, value in headers.items()},
        ),
        elapsed=lambda: next(times, 0.0),
        finished=finished.append,
    )


@pytest.mark.parametrize(
    ("pieces", "headers", "kind"),
    [
        ([b"data: 1\n\n", b"data: [DONE]\n\n"], {}, "complete"),
        ([b"data: 1\n\nda", b"ta:[DONE]", b"\r\n\r", b"\n"], {}, "complete"),
        ([b"data: [DONE]\n"], {}, "complete"),
        ([b"data: [DONE]"], {}, "closed"),
        ([b"data: [DONE]\n\n", b"data: 2\n\n"], {}, "closed"),
        ([b'data: "[DONE]"\n\n'], {}, "closed"),
        ([b"xdata: [DONE]\n\n"], {}, "closed"),
        ([], {}, "closed"),
        ([b"ab", b"c"], {"content_length": "3"}, "complete"),
        ([b"ab"], {"content_length": "3"}, "closed"),
        ([b"data: [DONE]\n\n"], {"content_length": "99"}, "closed"),
        (
            [gzip.compress(b"data: [DONE]\n\n")],
            {"content_encoding": "gzip"},
            "complete",
        ),
        ([gzip.compress(b"data: 1\n\n")], {"content_encoding": "gzip"}, "closed"),
        ([b"rubbish"], {"content_encoding": "gzip"}, "closed"),
    ],
)
def test_client_that_closes_has_read_it_all_or_not(
    pieces: list[bytes], headers: dict[str, str], kind: str
) -> None:
    """`[DONE]` and the content-length say whether there was anything left to read."""
    finished: list[Response] = []
    one = recorder(finished, **headers)
    for piece in pieces:
        one.piece(piece)
    one.closed()
    (response,) = finished
    assert response.ended == Ending(kind)  # type: ignore[arg-type]  # from the table


def test_the_first_ending_counts_and_nothing_comes_after_it() -> None:
    """Closing after the end, or a late piece, changes nothing."""
    finished: list[Response] = []
    one = recorder(finished, 0.12345, 0.9999)
    one.piece(b"ab")
    one.piece(b"")
    one.piece(b"c")
    one.broke("ReadError", "reset")
    one.piece(b"late")
    one.closed()
    one.complete()
    expected: Any = Response(
        200,
        "OK",
        {},
        b"abc",
        [WireChunk(0.123, 2), WireChunk(1.0, 1)],
        Ending("error", "ReadError", "reset"),
    )
    assert finished == [expected]


def test_decoded_body_keeps_its_cuts_and_a_true_length() -> None:
    """Each read has the size of what it brought, be it nothing."""
    packed = gzip.compress(b"data: [DONE]\n\n")
    finished: list[Response] = []
    one = recorder(
        finished,
        Content_Encoding="gzip",
        content_length=str(len(packed)),
        content_type="text/event-stream",
    )
    one.piece(packed[:5])
    one.piece(packed[5:])
    one.complete()
    (response,) = finished
    assert response.body == b"data: [DONE]\n\n"
    assert response.wire == [WireChunk(0.0, 0), WireChunk(0.0, 14)]
    assert response.headers == {
        "content-length": ["14"],
        "content-type": ["text/event-stream"],
    }
