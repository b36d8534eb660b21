"""Ways in which servers other than Anthropic, or Anthropic at times, send Messages."""

from __future__ import annotations

from harness.apis.anthropic.habits import EDITS
from harness.apis.anthropic.writer import Writer
from harness.apis.dialects import read_dialects
from harness.apis.framing import Framing

_FRAMINGS = {
    "bedrock-invoke": Framing(has_done=False, is_binary=True),
    "no-event-lines": Framing(has_done=False, has_event_lines=False),
    "with-done": Framing(has_done=True),
    "ping-empty-data": Framing(has_done=False, has_ping_data=False),
    "no-space": Framing(has_done=False, has_space=False),
}
_USUAL = Framing(has_done=False)

DIALECTS = read_dialects(
    "anthropic",
    lambda name, _cells: {
        "writer": Writer,
        "edit": EDITS.get(name),
        "framing": _FRAMINGS.get(name, _USUAL),
    },
)
"""Every dialect, in the order of a help text."""
