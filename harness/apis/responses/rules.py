"""What a legal Responses stream obeys: who writes a server can hold it against this.

The table is `rules` of `tables.txt`; `harness.apis.responses.checking` holds a stream
against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.tables import read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import Event, Violation

RULES_BY_NAME = read_rules("responses")
RULES = tuple(RULES_BY_NAME.values())


def check(events: Iterable[Event]) -> Iterator[Violation]:
    """Hold a stream against the rules.

    Args:
        events: The events of one response, in order.

    Returns:
        What breaks a rule, as it comes; lazily, one pass.
    """
    from harness.apis.responses.checking import Checker

    return Checker().check(events)
