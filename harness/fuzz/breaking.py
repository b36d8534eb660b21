"""A fault of chat done to an arrival of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fuzz.arrivals import Arrival, chunks_of, payloads_of, payloads_of_bytes
from harness.fuzz.writing import event_bytes

if TYPE_CHECKING:
    from harness.apis.chat.faults import Fault


def break_arrival(arrival: Arrival, fault: Fault) -> Arrival:
    """Do a fault to an arrival; one that it cannot have leaves it as it is."""
    if not arrival or isinstance(arrival[0], str):
        return arrival
    if not isinstance(arrival[0], bytes):
        return payloads_of(fault.apply(chunks_of(arrival)))
    if all(part.kind.level == "bytes" for part in fault.parts):
        return tuple(fault.apply_bytes(arrival))
    broken = payloads_of(fault.apply(chunks_of(payloads_of_bytes(arrival))))
    pieces = event_bytes(broken)
    return tuple(fault.apply_bytes(pieces[:-1] if fault.ends_early else pieces))
