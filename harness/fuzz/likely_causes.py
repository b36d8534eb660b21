"""The likely cause of a difference, read off what arrived and what was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.debug.outcomes import Call, Outcome
    from harness.fuzz.fuzz_inputs import Truth


def cause(truth: Truth, got: Outcome, expected: Outcome) -> str:
    """Name the likely cause of a difference; empty if there is no pattern to it."""
    for kind in sorted({*got.texts, *expected.texts}):
        shown, wanted = got.texts.get(kind, ""), expected.texts.get(kind, "")
        if shown != wanted:
            return _of_text(truth, shown, wanted)
    if got.calls != expected.calls:
        return _of_calls(list(got.calls), list(expected.calls))
    return ""


def _of_text(truth: Truth, shown: str, wanted: str) -> str:
    for held, what in ((truth.reasoning, "reasoning"), (truth.refusal, "refusal")):
        if held and held in shown and held not in wanted:
            return f"the {what} is shown as the answer's text"
    times = len(shown) // max(1, len(wanted))
    inks = "".join(shown.split()), "".join(wanted.split())
    rules = {
        "it is lost": not shown,
        "bytes are decoded before the characters in them are whole, or half a pair of "
        "escapes by itself": ("\ufffd" in shown and "\ufffd" not in wanted),
        "the text is shown more than once": bool(shown) and shown == wanted * times,
        "blanks or line ends are added or lost where pieces meet": inks[0] == inks[1],
        "there is more in it than the text of this answer": (
            bool(wanted) and wanted in shown
        ),
        "its beginning is lost": bool(shown) and wanted.endswith(shown),
        "its end is lost": bool(shown) and wanted.startswith(shown),
    }
    return next((why for why, holds in rules.items() if holds), "")


def _of_calls(shown: list[Call], wanted: list[Call]) -> str:
    names = [call.name for call in wanted]
    if len(shown) > len(wanted):
        if any(call.name and call.name not in names for call in shown):
            return "what the model did not call, such as a server's tool, is a call"
        return "one call is shown as several"
    if len(shown) < len(wanted):
        return "several calls are merged, or one is lost"
    for one, other in zip(shown, wanted, strict=True):
        if one.name != other.name:
            return _of_name(one.name, other.name)
        if one.arguments != other.arguments:
            if one.arguments in {c.arguments for c in wanted} and one.arguments != "{}":
                return "the arguments of another call are shown"
            is_lost = one.arguments == "{}"
            return "its arguments are lost" if is_lost else "its arguments are changed"
    return ""


def _of_name(shown: str, wanted: str) -> str:
    if not shown:
        return "the name is lost, as if an empty one replaced it"
    if wanted and shown.replace(wanted, "") == "":
        return "the name is added again each time that it is sent"
    return "only a piece of the name is left" if shown in wanted else ""
