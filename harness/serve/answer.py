"""What goes back to a client: a head, timed pieces, and how it ends. Pure values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")

Pieces: TypeAlias = Iterable[tuple[float | None, bytes]]
"""Bytes of a body, each piece one write, with the seconds since the request when it
is due; None for at once. It may raise `BrokenOffError` instead of ending."""


class Ending(Enum):
    """How an answer stops before it is complete."""

    CLOSED = "closed"
    """The connection is closed, so that what came is never taken for complete."""
    RESET = "reset"
    """The connection is reset."""
    STALLED = "stalled"
    """Nothing more comes, and the connection stays open."""


class BrokenOffError(Exception):
    """Comes out of an answer's pieces where it stops before it is complete."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        super().__init__(ending.value)


def broken_off(pieces: Iterable[_T], ending: Ending) -> Iterator[_T]:
    """Yield pieces, then stop before the answer is complete."""
    yield from pieces
    raise BrokenOffError(ending)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response."""

    status: int
    headers: list[tuple[str, str]]
    """Without content-length, transfer-encoding and connection."""
    pieces: Pieces
    """The body; read once."""
    length: int | None = None
    """The content-length to declare, true or not; None sends HTTP chunks."""
    reason: str = ""
    """The reason phrase; the usual one if empty."""
    source: str = ""
    """What it is, for a log: a recording such as ``chat.yaml#0``, or empty."""

    @classmethod
    def whole(cls, status: int, body: bytes, headers: list[tuple[str, str]]) -> Answer:
        """Return an answer that is one piece, at once."""
        return cls(status, headers, [(None, body)], len(body))

    @classmethod
    def json(cls, document: object, status: int = 200) -> Answer:
        """Return a JSON document as an answer."""
        body = json.dumps(document, ensure_ascii=False, indent=1).encode(
            "utf-8", "backslashreplace"
        )
        return cls.whole(status, body + b"\n", [("content-type", "application/json")])

    @classmethod
    def error(cls, status: int, problem: str) -> Answer:
        """Return an error in the shape that OpenAI's SDKs show.

        Args:
            status: The HTTP status.
            problem: One line: what is wrong and what to do.
        """
        kinds = {404: "not_found_error", 500: "server_error"}
        error = {
            "message": f"harness serve: {problem}",
            "type": kinds.get(status, "invalid_request_error"),
            "param": None,
            "code": None,
        }
        return cls.json({"error": error}, status)
