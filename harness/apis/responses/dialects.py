"""How servers send what OpenAI sends otherwise: habits as values.

A dialect is an option of the writer, a change of written events, and a framing. It
names the rules of its API that it breaks; habits that break none are traps all the
same.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.dialects import read_dialects
from harness.apis.framing import Framing
from harness.apis.responses.habits import EDITS
from harness.apis.responses.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.apis.edits import Change, Events, Stream

_FRAMINGS = {
    "openrouter": Framing(is_compact=False, opening="PROCESSING"),
    "openrouter-reasoning": Framing(is_compact=False),
    "with-done": Framing(is_compact=False),
}
_USUAL = Framing(is_compact=False, has_done=False)


def _numbered(
    events: Events, edit: Change | None, sequence: str, *, has_names: bool
) -> Stream:
    """Edit events and number what is sent: `counting`, `constant` or `none`."""
    for number, (kind, payload) in enumerate(edit(events) if edit else events):
        fields = {k: v for k, v in payload.items() if k != "sequence_number"}
        if sequence != "none":
            sent = number if sequence == "counting" else 1
            fields = {"type": kind, "sequence_number": sent, **fields}
        yield WrittenEvent(kind if has_names else "", fields)


def _rest(name: str, cells: Mapping[str, str]) -> dict[str, Any]:
    return {
        "writer": partial(Writer, reasoning=cells.get("reasoning", "summary_text")),
        "edit": partial(
            _numbered,
            edit=EDITS.get(name),
            sequence=cells.get("sequence", "counting"),
            has_names="lines" not in cells,
        ),
        "framing": _FRAMINGS.get(name, _USUAL),
    }


DIALECTS = read_dialects("responses", _rest)
"""All dialects by name; the first is the standard."""
