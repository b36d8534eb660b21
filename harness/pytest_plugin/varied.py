"""A recording as it could have arrived otherwise, for a client to play.

Owns which exchanges can be varied, and the copy of a cassette in which every one of
them is written, cut and broken as a variation asks; everything else stays as recorded.
A cassette in which nothing would change is refused: a test would pass and have seen
nothing.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Cassette, Ending, Exchange
from harness.errors import CassetteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.apis.varied import Variation
    from harness.pytest_plugin.cases import Case


def can_vary(
    exchange: Exchange, variation: Variation, *, is_played: bool = True
) -> bool:
    """Return whether a variation changes how an exchange arrives.

    Args:
        exchange: Any exchange.
        variation: How it is to arrive; a dialect or a fault is one of an API.
        is_played: It is played to the test's own client, which asked for what was
            recorded; else it is written anew, and a whole answer can become a stream.
    """
    kind, _, api = classify(exchange)
    if not is_played:
        return kind is not Kind.OTHER
    if kind is not Kind.STREAM:
        return False
    if variation.style is not None:
        return variation.style.api == api
    is_of_chat = variation.dialect is not None or variation.fault is not None
    return api == "chat" or not is_of_chat


def check_cases(cases: Iterable[Case], *, is_played: bool) -> None:
    """Do what `check_can_vary` does for the named cassettes of a test's cases."""
    for case in cases:
        if case.cassette is not None:
            check_can_vary(case.cassette, case.variation, is_played=is_played)


def check_can_vary(path: str, variation: Variation, *, is_played: bool) -> None:
    """Refuse a variation of a cassette in which it would change nothing.

    Args:
        path: The cassette; one that cannot be read is left to who loads it.
        variation: How the test's streams are to arrive.
        is_played: As `can_vary` takes it.

    Raises:
        UsageError: No exchange of it can be varied.
    """
    if variation.is_recorded or not Path(path).exists():
        return
    reasons = _reasons(path, variation, is_played=is_played)
    if reasons:
        raise UsageError(
            f"{path}: nothing in it can arrive by {str(variation).replace('--', '')}: "
            f"{reasons}; only streams are varied, and by dialects and faults of their "
            "own API: leave splits, dialects and faults out here (splits='recorded' "
            "where they come from the command line or an ini file), or name another "
            "cassette"
        )


@functools.cache  # a test of ten splits would read its cassette ten times
def _reasons(path: str, variation: Variation, *, is_played: bool) -> str:
    """Describe what each exchange is if none can be varied; empty if one can."""
    from harness.cassettes.load import load_cassette

    try:
        exchanges = load_cassette(path).exchanges
    except CassetteError:
        return ""
    if any(can_vary(one, variation, is_played=is_played) for one in exchanges):
        return ""
    named = [_named(exchange) for exchange in exchanges]
    shown = "; ".join(named[:_SHOWN])
    more = len(named) - _SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown or "it is empty"


_SHOWN = 3


def _named(exchange: Exchange) -> str:
    kind, reason, api = classify(exchange)
    if not reason:
        streamed = "a stream" if kind is Kind.STREAM else "an answer, not streamed,"
        reason = f"{streamed} of {api}"
    return f"exchange {exchange.index} is {reason}"


def varied_cassette(cassette: Cassette, variation: Variation) -> Cassette:
    """Return a copy of a cassette whose streams arrive otherwise.

    Args:
        cassette: What was recorded; it is not changed.
        variation: How its streams arrive, faults of bytes included.

    Returns:
        A cassette of the same exchanges. One event or less is one network read; the
        times are spread evenly between the first and the last recorded one.
    """
    return Cassette(
        cassette.path,
        [
            _varied(exchange, variation) if can_vary(exchange, variation) else exchange
            for exchange in cassette.exchanges
        ],
    )


def _varied(exchange: Exchange, variation: Variation) -> Exchange:
    from harness.apis.style import ApiStyle
    from harness.engine.restated import restated_bytes, spread

    response = exchange.response
    api = classify(exchange).api or "chat"
    if api != "chat" and variation.style is None:
        # The test's client asked in this API, and gets nothing else.
        variation = replace(variation, style=ApiStyle(api))
    pieces = [piece for piece in restated_bytes(exchange, variation, api) if piece]
    ended = response.ended
    if variation.fault is not None and variation.fault.ends_early:
        ended = Ending("complete")  # the server closed, as a lost connection looks
    headers = {
        name: values
        for name, values in response.headers.items()
        if name.lower() not in {"content-length", "content-encoding"}
    }
    return replace(
        exchange,
        response=replace(
            response,
            headers=headers,
            body=b"".join(pieces),
            wire=spread(pieces, response, 6),
            ended=ended,
        ),
    )
