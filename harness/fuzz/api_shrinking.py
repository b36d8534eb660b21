"""Shrinking the events of any API but chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.json_values import is_json
from harness.fuzz.api_arrivals import api_payloads, smaller_answers
from harness.fuzz.arrivals import truth_of
from harness.fuzz.descending import MANY, Tries, descend, fewer_of_many, shrink_pieces
from harness.fuzz.descending import shorter as without_some
from harness.fuzz.writing import event_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzz.arrivals import Arrival


def shrink_events(
    arrival: Arrival, fails: Callable[[Arrival], bool], api: str, tries: int
) -> Arrival:
    """Shrink what is carried first, as the API writes it; then leave events out.

    What ended stays ended, and its calls stay JSON: else it would be another input
    than a server sends.
    """
    truth = truth_of(arrival, "", api)
    twice = _begun_twice(api_payloads(arrival))

    def is_allowed(other: Arrival) -> bool:
        carried = truth_of(other, "", api)
        if truth.is_ended and not carried.is_ended:
            return False
        if _begun_twice(api_payloads(other)) > twice:
            return False  # two of one number may be read in several ways
        sound = all(is_json(call.arguments) for call in truth.calls)
        return not sound or all(
            call.name and is_json(call.arguments) for call in carried.calls
        )

    test = Tries(fails, is_allowed, tries)

    def fewer(stream: Arrival) -> Iterator[Arrival]:
        yield from smaller_answers(api, stream)

    def shorter(stream: Arrival) -> Iterator[Arrival]:
        yield from without_some(stream)
        if not isinstance(stream[0], bytes):
            yield from _joined_events(stream)
        elif len(payloads := api_payloads(stream)) == len(stream) <= MANY:
            for joined in _joined_events(payloads):
                yield tuple(event_bytes(joined, api))

    if isinstance(arrival[0], bytes):
        return shrink_pieces(arrival, fails, is_allowed, (fewer, shorter), tries)
    stream = fewer_of_many(arrival, test)
    if len(stream) > MANY:
        return stream
    stream = descend(stream, fewer, test)
    # What comes twice goes first: else it would stand in for what is left out.
    return descend(descend(stream, _said_once, test), shorter, test)


def _begun_twice(payloads: Arrival) -> int:
    """Count the blocks that begin under a number that another one has."""
    numbers = [
        (payload.get("index"), payload.get("output_index"))
        for payload in payloads
        if payload.get("type") in {"content_block_start", "response.output_item.added"}
    ]
    return len(numbers) - len(set(numbers))


def _said_once(stream: Arrival) -> Iterator[Arrival]:
    """Yield the stream without what Responses repeats when something is over."""
    rest = tuple(payload for payload in stream if not _is_over(payload))
    if len(rest) < len(stream):
        yield rest
    for number, payload in enumerate(stream):
        before, after = stream[:number], stream[number + 1 :]
        response = payload.get("response")
        if isinstance(response, dict) and response.get("output"):
            yield (*before, {**payload, "response": {**response, "output": []}}, *after)
        if _is_over(payload):
            yield (*before, *after)


def _is_over(payload: dict[str, Any]) -> bool:
    return str(payload.get("type")).endswith(".done")


def _joined_events(stream: Arrival) -> Iterator[Arrival]:
    """Join two events that differ in one text, as fragments of one thing do."""
    for second in range(1, len(stream)):
        for first in range(second):
            joined = _joined(stream[first], stream[second])
            if joined is not None:
                rest = (*stream[first + 1 : second], joined, *stream[second + 1 :])
                yield (*stream[:first], *rest)


def _joined(one: Any, two: Any) -> Any:
    """Join two JSON values that differ in one text; None if they differ otherwise."""
    if isinstance(one, str) and isinstance(two, str):
        return one + two
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        other = [k for k in one if one[k] != two[k] and k != "sequence_number"]
        if len(other) == 1:
            inner = _joined(one[other[0]], two[other[0]])
            return None if inner is None else {**two, other[0]: inner}
    return None
