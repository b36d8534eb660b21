"""Whether calls are shown, in whatever form a consumer has for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.apis.chat.dialects.parts import is_json
from harness.debug.outcomes import canonical

if TYPE_CHECKING:
    from harness.debug.outcomes import Outcome
    from harness.fuzz.arrivals import Truth

__all__ = ["is_marked", "lost_calls"]


def lost_calls(truth: Truth, got: Outcome) -> bool:
    """Tell whether a call is nowhere: neither as a call nor in a text.

    Nobody has to show one whose arguments are no JSON.
    """
    shown = [canonical(call.arguments) for call in got.calls]
    texts = list(got.texts.values())
    return any(
        is_json(call.arguments)
        and canonical(call.arguments) not in shown
        and not _is_spoken(call.arguments, texts)
        for call in truth.calls
    )


def _is_spoken(arguments: str, texts: list[str]) -> bool:
    """Tell whether a call is shown as text: all of it, or the strings in it."""
    if any(arguments in text for text in texts):
        return True
    try:
        value = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    if any(repr(value) in text for text in texts):
        return True
    strings = [v for v in value.values() if isinstance(v, str)]
    return any(
        not string or string in text for string in strings for text in [*texts, ""]
    )


def is_marked(truth: Truth, got: Outcome) -> bool:
    """Tell whether calls with broken arguments are left out or shown as broken.

    Nobody has to show them; to repair or empty them in silence is wrong.
    """
    broken = [call for call in truth.calls if not is_json(call.arguments)]
    sound = [call for call in truth.calls if is_json(call.arguments)]
    shown = [canonical(call.arguments) for call in got.calls]
    if not broken or any(canonical(call.arguments) not in shown for call in sound):
        return False
    others = [call.arguments for call in got.calls]
    for call in sound:
        others.remove(
            next(a for a in others if canonical(a) == canonical(call.arguments))
        )
    raw = [(call.arguments, json.dumps(call.arguments)[1:-1]) for call in broken]
    return all(any(r in other for pair in raw for r in pair) for other in others)
