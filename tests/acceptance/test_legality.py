"""What dialects and faults break, over recordings of every API: what they name.

The examples of each API have what every habit and fault is about; recordings have what
nobody thought of.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.apis.detect import api_named
from harness.apis.style import RESTATED, ApiStyle
from harness.core.parts import Problem
from harness.fuzz.api_inputs import stock_answers
from tests.crossing import APIS, arrived, broken, facts, read, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import WritingApi
    from tests.crossing import Answer

_ENDLESS: dict[str, set[str]] = {
    "responses": {"terminal"},
    "anthropic": {"block-stopped", "delta-once", "stop-last"},
    "gemini": {"finish-present"},
}
"""The rules that a source without an end breaks in each API: what was cut stays cut."""

each_share = pytest.mark.parametrize(
    "every",
    [
        pytest.param(300, marks=pytest.mark.slow, id="some"),
        pytest.param(12, marks=pytest.mark.campaign, id="a twelfth"),
    ],
)


@cache
def recordings(every: int) -> list[tuple[str, Answer, Any]]:
    """Return the name, the parts and the facts of recorded streams."""
    found = [
        (name, read(source, events))
        for source in APIS
        for name, events in recorded(source, every)
    ]
    return [(name, answer, facts(answer)) for name, answer in found]


def answers(api: str, every: int) -> list[tuple[str, Answer, Any]]:
    """Return recorded streams, and the API's examples; in a campaign all examples."""
    made = [
        (f"example {name}", answer, facts(answer))
        for source in (RESTATED if every < 100 else (api,))
        for name, answer in stock_answers(source).items()
    ]
    return [*recordings(every), *made]


@each_share
@pytest.mark.parametrize("api", RESTATED)
def test_a_dialect_breaks_exactly_the_rules_that_it_names(api: str, every: int) -> None:
    """None but those in any stream, and all of them in some; the standard none at all.

    Budget of the campaign: a minute of the processor for each API.
    """
    streams = answers(api, every)
    for name, dialect in cast("WritingApi", api_named(api)).dialects.items():
        declared = set(cast("Any", dialect).breaks)
        seen: set[str] = set()
        for stream, answer, known in streams:
            found = broken(api, arrived(ApiStyle(api, name), answer))
            if not (known["finish"] or known["error"]):
                found -= _ENDLESS[api]
            assert found <= declared, (name, stream)
            seen |= found
        assert seen == declared, name


_NEEDS: dict[str, Callable[[Any], bool]] = {
    "same-id": lambda known: len(_calls(known)) > 1,
    "call-unnamed": lambda known: all(entry[4] for entry in _calls(known)),
    "no-block-start": lambda known: len(known["content"]) > 1,
    "no-block-stop": lambda known: len(known["content"]) > 1,
    **dict.fromkeys(
        ("done-differs", "never-done", "bad-json", "trailing-junk"),
        lambda known: known["finish"].isdisjoint({"length", "content_filter"}),
    ),
    **dict.fromkeys(
        ("late-text", "blocked"),
        lambda known: "PROHIBITED_CONTENT" not in known["finish"],
    ),
    "other-response": lambda known: len(known["content"]) > 1,
}
"""What a stream must have besides for a fault to break all the rules it names: a second
call, an end that is not cut, a prompt that was not refused, a second event."""
_PARSED = "malformed-arguments"  # reported by who parses the arguments


def _calls(known: Any) -> list[Any]:
    return [entry for entry in known["content"] if entry[0] == "call"]


@each_share
@pytest.mark.parametrize("api", RESTATED)
def test_a_fault_breaks_the_rules_that_it_names(api: str, every: int) -> None:
    """In each stream that it changes, and it is reported as it says.

    Budget of the campaign: a minute of the processor for each API.
    """
    streams = answers(api, every)
    for name, fault in cast("WritingApi", api_named(api)).faults.items():
        named, dialect = set(fault.breaks), fault.dialect
        shown: set[str] = set()
        changed = 0
        for stream, answer, known in streams:
            plain = arrived(ApiStyle(api, dialect), answer)
            events = arrived(ApiStyle(api, dialect, name), answer)
            is_changed = [e.payload for e in events] != [e.payload for e in plain]
            if not known["finish"] or known["error"] or not is_changed:
                continue
            changed += 1
            found = broken(api, events)
            if _NEEDS.get(name, bool)(known):
                assert named <= found, (name, stream)
            shown |= found
            shown |= {
                str(part.kind)
                for parts in read(api, events)
                for part in parts
                if isinstance(part, Problem)
            }
        if not (fault.body or fault.data):  # no stream; a fault of bytes
            assert changed, name
            assert named <= shown, name
            assert fault.reported in {"", _PARSED, *shown}, name
