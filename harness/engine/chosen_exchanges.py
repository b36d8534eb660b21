"""Which exchanges of a cassette are replayed.

Decided without an interface and without pydantic, so that the command line can report
what it is at before it imports them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassettes.classify import Classification, Kind, classify
from harness.errors import ChunkError, NothingToReplayError, UsageError

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette, Exchange

_SHOWN_REASONS = 3  # enough to see what kind of file it is, and still one line


def check_exchange(cassette: Cassette, only: int | None) -> None:
    """Refuse the number of an exchange that is not there.

    Args:
        cassette: The cassette.
        only: The number that was asked for; None for all.

    Raises:
        UsageError: There is no such exchange.
    """
    if only is not None and not 0 <= only < len(cassette.exchanges):
        raise UsageError(
            f"{cassette.path}: there is no exchange {only}; "
            f"it has {len(cassette.exchanges)}, numbered from 0"
        )


def chosen_exchanges(
    cassette: Cassette, only: int | None
) -> list[tuple[Exchange, Classification]]:
    """Return which exchanges were asked for, and what each of them is.

    Args:
        cassette: The cassette; a body that is read as it comes is not used up.
        only: The number of the one exchange to replay; None for all.

    Returns:
        The exchanges, in order. Those of `Kind.OTHER` among them are not replayed.

    Raises:
        NothingToReplayError: None of them is an answer of a known API.
    """
    chosen = [
        (exchange, _classify(exchange))
        for exchange in cassette.exchanges
        if only is None or exchange.index == only
    ]
    if all(kind.kind is Kind.OTHER for _, kind in chosen):
        reasons = "; ".join(
            f"exchange {exchange.index}: {kind.reason}"
            for exchange, kind in chosen[:_SHOWN_REASONS]
        )
        if len(chosen) > _SHOWN_REASONS:
            reasons += f"; and {len(chosen) - _SHOWN_REASONS} more"
        raise NothingToReplayError(
            cassette.path, f"nothing to replay, no answer of a known API ({reasons})"
        )
    return chosen


def _classify(exchange: Exchange) -> Classification:
    """Return what an exchange is; a whole completion that is damaged is none."""
    kind = classify(exchange)
    if kind.kind is Kind.WHOLE:
        from harness.engine.whole_answers import read_whole  # imports pydantic

        try:
            read_whole(exchange, kind.api)
        except ChunkError as error:
            return Classification(Kind.OTHER, str(error))
    return kind
