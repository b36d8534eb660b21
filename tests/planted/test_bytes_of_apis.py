"""Bugs of consumers of other APIs' bytes: found as soon, and shrunk as far."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.fuzz.campaign import Campaign
from harness.fuzz.checking import judge_of, offered
from harness.fuzz.consumers import Wanted
from harness.fuzz.example_runner import Level
from harness.fuzz.findings import Plan
from tests.planted.api_bugs import OneBlock
from tests.planted.events import AnthropicReader, GeminiReader, ResponsesReader
from tests.planted.streams import _lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Object = dict[str, Any]


def _events(text: str, most: int = 1 << 30) -> Iterator[_Object]:
    data: list[str] = []
    for line in [*_lines(text), ""]:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:"))
        elif not line:
            joined = "\n".join(data).strip()
            data.clear()
            if joined.startswith("{") and joined.endswith("}") and len(joined) <= most:
                yield json.loads(joined)


def _text(pieces: Iterable[bytes]) -> str:
    return b"".join(pieces).decode("utf-8", "replace")


def last_event_lost(pieces: Iterator[bytes]) -> _Object:
    """Leaves an event unread that no blank line ends."""
    whole = _text(pieces).replace("\r\n", "\n")
    return GeminiReader()(_events(whole[: whole.rfind("\n\n") + 2]))


def event_of_64k(pieces: Iterator[bytes]) -> _Object:
    """Drops larger events."""
    return ResponsesReader()(_events(_text(pieces), most=1 << 16))


def last_block_only(pieces: Iterator[bytes]) -> _Object:
    """Puts every fragment into the call that came last."""
    return OneBlock()(_events(_text(pieces)))


def decodes_each(pieces: Iterator[bytes]) -> _Object:
    """Decodes each read by itself."""
    text = "".join(piece.decode("utf-8", "replace") for piece in pieces)
    return AnthropicReader()(_events(text))


@pytest.mark.parametrize(
    ("target", "api"),
    [
        (last_event_lost, "gemini"),
        (last_block_only, "anthropic"),
        (decodes_each, "anthropic"),
        pytest.param(
            *(event_of_64k, "responses"),
            marks=[pytest.mark.slow, pytest.mark.campaign],  # six seconds
        ),
    ],
)
def test_bug_is_found_and_shrunk(
    target: Callable[[Iterator[bytes]], _Object], api: str
) -> None:
    """Within the examples of a slow consumer, to four events in two reads."""
    judge = judge_of(target, Wanted(Level.BYTES, apis=(api,)))
    (failure,) = Campaign(judge, Plan(offered(judge), max_examples=300)).run()
    assert len(failure.arrived) <= 2
    assert len([*_events(_text(failure.arrived))]) <= 4
