"""An exchange as it would have arrived otherwise: in another API, or gone wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, tee
from typing import TYPE_CHECKING

from harness.cassettes.model import Exchange, WireChunk
from harness.engine.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.varied import Variation
    from harness.cassettes.model import Response


def restated_bytes(
    exchange: Exchange,
    variation: Variation,
    api: str,
    report: Callable[[dict[str, int]], None] = lambda _left_out: None,
    unseen: Callable[[], None] | None = None,
) -> Iterator[bytes]:
    """Write a stream as a variation has it.

    Args:
        exchange: The recorded exchange; its response is a stream.
        variation: With a style or a fault; without, a dialect or split of chat.
        api: Whose events the recording holds.
        report: Called at the end with what the API could not carry, if anything.
        unseen: Called at the end if the fault changed no event; None where there is
            no fault.

    Yields:
        The bytes, an event or less a piece.
    """
    recorded = StreamReader(exchange, None, api=api)
    whole = variation.without_fault()
    if variation.style is None:
        chunks, again = tee(recorded)
        cuts = variation.fault is not None and variation.fault.ends_early
        yield from _watched(
            variation.encode(chunks), whole.encode(again), unseen, cuts=cuts
        )
        if recorded.left_out:
            report(recorded.left_out)
        return
    answer, once_more = tee((at, parts) for _, at, parts in recorded.parts())
    pieces, left_out = variation.restate(answer)
    yield from _watched(pieces, whole.restate(once_more)[0], unseen)
    if left_out:
        report(left_out)


def _watched(
    pieces: Iterator[bytes],
    whole: Iterator[bytes],
    unseen: Callable[[], None] | None,
    *,
    cuts: bool = False,
) -> Iterator[bytes]:
    """Yield a stream that was to be broken; report it if it is whole all the same."""
    rest = b""  # of the whole stream, what the other one has not had yet
    is_same = unseen is not None
    for piece in pieces:
        yield piece
        while is_same and len(rest) < len(piece) and (more := next(whole, b"")):
            rest += more
        is_same = is_same and rest.startswith(piece)
        rest = rest[len(piece) :]
    if unseen is not None and is_same:
        rest += b"".join(islice(whole, 2))
        # A fault that only cuts left the terminator out, though it cut nothing.
        if not rest or (cuts and rest.strip() == b"data: [DONE]"):
            unseen()
            yield rest


def restated_exchange(
    exchange: Exchange, pieces: Callable[[], Iterable[bytes]]
) -> Exchange:
    """Return an exchange with another stream, read when it is asked for.

    Args:
        exchange: The exchange; unchanged.
        pieces: Makes the bytes of the stream.
    """
    response = replace(
        exchange.response, body=b"", wire=None, ended=None, source=pieces
    )
    return Exchange(exchange.index, exchange.request, response)


def spread(pieces: list[bytes], recorded: Response, digits: int) -> list[WireChunk]:
    """Return the reads of a restated stream, evenly over the time of the recorded."""
    wire = recorded.wire
    first, last = (wire[0].seconds, wire[-1].seconds) if wire else (0.0, 0.0)
    step = (last - first) / max(1, len(pieces) - 1)
    return [
        WireChunk(round(first + number * step, digits), len(piece))
        for number, piece in enumerate(pieces)
    ]
