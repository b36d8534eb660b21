"""Every client of the table that is installed records, plays and is refused."""

from __future__ import annotations

import pytest

from tests.third_party.client_steps import CHANNELS, STEPS
from tests.third_party.clients import run_apart, versions_of
from tests.third_party.framework_rows import ROWS


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_client_records_plays_and_is_refused(name: str) -> None:
    """In process, in a marked test and through the proxy."""
    lacking = [package for package, found in versions_of(name).items() if not found]
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    expected = {f"{channel} {step}": "ok" for channel in CHANNELS for step in STEPS}
    found = run_apart(name)
    if "guarded" in found.values():  # it has sockets of its own
        assert set(found.values()) <= {"ok", "guarded", "not reached"}
    else:
        assert found == expected
