"""`--harness-max-age`: recordings that are older than a project wants them.

Owns when an exchange was recorded: what the server's `Date` header holds. A file's own
time is that of a checkout, and means nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cassettes.model import Exchange


_AGE = re.compile(r"(\d+)\s*([dwmy]?)", re.IGNORECASE)
_DAYS = {"": 1, "d": 1, "w": 7, "m": 30, "y": 365}


def read_age(given: Any) -> int:
    """Read an age: `90`, `90d`, `12w`, `6m`, `1y`; 0 for any.

    Returns:
        Days.

    Raises:
        ValueError: It is none.
    """
    found = _AGE.fullmatch(str(given).strip())
    if found is None:
        raise ValueError(f"expected an age such as 90d, 12w, 6m or 1y, got {given!r}")
    return int(found[1]) * _DAYS[found[2].lower()]


def expired(
    exchanges: Iterable[Exchange], days: int, now: datetime | None = None
) -> tuple[int, int] | None:
    """Return the oldest exchange that is too old.

    Args:
        exchanges: What was recorded.
        days: How old they may be; 0 for any age.
        now: The time to count from; the present if None.

    Returns:
        Its number and its age in days; None if there is none. One whose server sent no
        date has no age.
    """
    if not days:
        return None
    now = now or datetime.now(UTC)
    ages = []
    for exchange in exchanges:
        try:
            date = parsedate_to_datetime(exchange.response.header("date"))
        except ValueError:
            continue
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        age = now - date
        if age / timedelta(days=1) > days:  # however large that number is
            ages.append((age.days, exchange.index))
    if not ages:
        return None
    oldest, index = max(ages)
    return index, oldest
