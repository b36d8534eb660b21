"""Our own readers hold what the fuzzer asks of everybody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.fuzz.campaign import Campaign
from harness.fuzz.checking import judge_of, offered
from harness.fuzz.consumers import Wanted
from harness.fuzz.example_runner import Level
from harness.fuzz.findings import Plan
from tests.fuzz import own_readers

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.slow
@pytest.mark.parametrize(
    "examples",
    [600, pytest.param(20_000, marks=pytest.mark.campaign)],  # two minutes each
)
@pytest.mark.parametrize(
    "reader",
    [
        own_readers.chat,
        own_readers.responses,
        own_readers.anthropic,
        own_readers.gemini,
    ],
)
def test_our_reader_is_not_reported(reader: Callable[..., Any], examples: int) -> None:
    """What is put together of each API is what was sent, however it was cut."""
    judge = judge_of(reader, Wanted(Level.BYTES, apis=(reader.__name__,)))
    campaign = Campaign(judge, Plan(offered(judge), max_examples=examples))
    assert campaign.run() == []
    assert campaign.tried.is_complete
