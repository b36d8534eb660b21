"""Ways for a connection to go wrong: what only the transport underneath can do.

`harness.apis.chat.faults` breaks what is sent; these break how it is delivered. Both
are named in one option: ``reset:100+no-done``. A position beyond the end does nothing.
Pure: what an answer becomes; doing it is the business of `harness.serve.connection`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from harness.apis.chat.faults import Fault, parse_fault
from harness.apis.varied import faults_of
from harness.errors import UsageError, did_you_mean, shorten
from harness.serve.answer import Answer, BrokenOffError, Ending, Pieces, broken_off

WIRE_FAULTS = {
    "reset": (100, "the connection is reset after K bytes of the body"),
    "close": (100, "the connection is closed after K bytes, without an end"),
    "stall": (100, "nothing more comes after K bytes; the connection stays open"),
    "trickle": (1000, "byte by byte, K bytes a second"),
    "length-over": (1, "a content-length of K bytes more than come"),
    "length-under": (1, "a content-length of K bytes less than come"),
}
"""Faults of the connection: their default K and what they do."""

_REFUSAL = re.compile(r"http-([45][0-9]{2})")
_NUMBER = re.compile(r"[0-9]{1,12}")
_ENDINGS = {"reset": Ending.RESET, "close": Ending.CLOSED, "stall": Ending.STALLED}


class WireFault(NamedTuple):
    """One fault of the connection, at its position."""

    name: str
    """A name of `WIRE_FAULTS`, or ``http-CODE``."""
    number: int
    """Its K: bytes, bytes a second, or how many requests are refused."""

    def __str__(self) -> str:
        return f"{self.name}:{self.number}"

    @property
    def status(self) -> int:
        """The status of ``http-CODE``; 0 for every other."""
        match = _REFUSAL.fullmatch(self.name)
        return int(match[1]) if match else 0

    def apply(self, answer: Answer) -> Answer:
        """Return the answer as this fault delivers it."""
        if self.name in _ENDINGS:
            ending = _ENDINGS[self.name]
            return replace(answer, pieces=_cut(answer.pieces, self.number, ending))
        if self.name == "trickle":
            pieces = _trickle(answer.pieces, self.number)
            return replace(answer, pieces=pieces)
        if self.name.startswith("length"):
            return self._with_wrong_length(answer)
        return answer

    def _with_wrong_length(self, answer: Answer) -> Answer:
        held, ending = _held(answer.pieces)
        over = self.number if self.name == "length-over" else -self.number
        length = max(0, sum(len(piece) for _, piece in held) + over)
        return replace(
            answer, pieces=broken_off(held, ending or Ending.CLOSED), length=length
        )


@dataclass(frozen=True, slots=True)
class ServedFault:
    """What goes wrong with an answer; `str()` of it parses back."""

    said: Fault | None = None
    """What is stated wrongly."""
    wire: tuple[WireFault, ...] = ()
    """What goes wrong with the connection, in the order it was named."""

    def __str__(self) -> str:
        said = [str(self.said)] if self.said else []
        return "+".join([*said, *map(str, self.wire)])

    def refusal(self, number: int) -> Answer | None:
        """Return the error that a request gets instead of an answer.

        Args:
            number: How many of the session's requests were answered before it.
        """
        first = 0
        for fault in self.wire:
            if fault.status:
                if first <= number < first + fault.number:
                    return _refused(fault.status)
                first += fault.number
        return None

    def deliver(self, answer: Answer) -> Answer:
        """Return an answer as the faults of the connection deliver it."""
        for fault in self.wire:
            answer = fault.apply(answer)
        return answer


NO_FAULT = ServedFault()
"""Nothing goes wrong."""


def wire_and_other(text: str) -> tuple[str, str]:
    """Divide faults joined by ``+`` into those of the connection and the others."""
    wire: list[str] = []
    other: list[str] = []
    for part in text.split("+"):
        name = part.partition(":")[0]
        is_wire = name in WIRE_FAULTS or _REFUSAL.fullmatch(name)
        (wire if is_wire else other).append(part)
    return "+".join(wire), "+".join(other)


def parse_served_fault(text: str) -> ServedFault:
    """Read a fault of either kind, or several joined by ``+``.

    Args:
        text: Names of faults of chat and of `WIRE_FAULTS`, each with ``:K``
            where it takes a number, and ``http-CODE:N``: the first N requests
            of a session get that status (N is 1 if left out).

    Returns:
        The fault.

    Raises:
        UsageError: A name is unknown, or its number is none; it lists what there is.
    """
    said: list[str] = []
    wire: list[WireFault] = []
    for part in text.strip().split("+"):
        name, colon, tail = part.partition(":")
        default = 1 if _REFUSAL.fullmatch(name) else WIRE_FAULTS.get(name, (None,))[0]
        if default is not None and (not colon or _NUMBER.fullmatch(tail)):
            if colon and not int(tail) and name not in _ENDINGS:
                raise UsageError(
                    f"fault {shorten(part)}: expected a number from 1, got 0, with "
                    "which nothing would go wrong"
                )
            wire.append(WireFault(name, int(tail) if colon else default))
        elif name in faults_of("chat"):
            said.append(part)
        else:
            forms = [f"{name}:K" for name in WIRE_FAULTS]
            forms += [
                kind.name if kind.default is None else f"{kind.name}:K"
                for kind in faults_of("chat").values()
            ]
            hint = did_you_mean(name, [*WIRE_FAULTS, *faults_of("chat")])
            raise UsageError(
                f"fault {shorten(text)}: {hint and f'{hint} '}expected one of "
                "http-CODE:N, "
                f"{', '.join(forms)} (K and N numbers), or several joined by +; "
                f"got {shorten(part)}"
            )
    return ServedFault(parse_fault("+".join(said)) if said else None, tuple(wire))


def _cut(pieces: Pieces, count: int, ending: Ending) -> Pieces:
    """Break off after `count` bytes, if there are so many; all of them are sent."""
    left = count
    for at, piece in pieces:
        if len(piece) > left:
            if left:
                yield at, piece[:left]
            raise BrokenOffError(ending)
        left -= len(piece)
        yield at, piece
    if not left:
        raise BrokenOffError(ending)


def _trickle(pieces: Pieces, rate: int) -> Pieces:
    """Give every byte a time of its own, none before it was due anyway."""
    due = 0.0
    for at, piece in pieces:
        due = max(due, at or 0.0)
        for start in range(len(piece)):
            yield due, piece[start : start + 1]
            due += 1 / rate


def _held(pieces: Pieces) -> tuple[list[tuple[float | None, bytes]], Ending | None]:
    held: list[tuple[float | None, bytes]] = []
    try:
        held.extend(pieces)
    except BrokenOffError as broken:
        # `extend` keeps what came before an exception.
        return held, broken.ending
    return held, None


def _refused(status: int) -> Answer:
    kinds = {429: "rate_limit_exceeded", 500: "server_error"}
    error = {
        "message": f"HTTP {status} as asked for by a fault of harness serve",
        "type": kinds.get(status, "server_error" if status >= 500 else "api_error"),
        "param": None,
        "code": None,
    }
    body = json.dumps({"error": error}).encode()
    headers = [("content-type", "application/json")]
    if status in {429, 503}:
        # One millisecond: both of OpenAI's SDKs wait for as long as they are asked.
        headers += [("retry-after-ms", "1"), ("retry-after", "1")]
    return Answer.whole(status, body, headers)
