"""Whether all is shown, in whatever form a consumer has for it: calls above all."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import canonical, is_json, parsed
from harness.debug.outcomes import Call, Outcome
from harness.fuzz.api_inputs import api_payloads
from harness.fuzz.current_example import CURRENT
from harness.fuzz.fuzz_inputs import FuzzInput, Truth, truth_of

if TYPE_CHECKING:
    from harness.fuzz.probes import Shows

_NUMBERS = re.compile(r"((True|False|-?[\d.]+(e[-+]\d+)?) )+")  # as folding writes them
_STARTS = frozenset(("content_block_start", "response.output_item.added"))
_STOPS = frozenset(("content_block_stop", "response.output_item.done"))
_CALLS = frozenset(("tool_use", "function_call", "custom_tool_call"))


def lost(truth: Truth, got: Outcome, shows: Shows) -> str:
    """Name what is nowhere in what was shown; empty if nothing is."""
    is_text = shows.content is not None and truth.text != ""
    if is_text and not spells(got, truth.text) and not merges_sources(truth, got):
        return "loses content"
    return "loses a call" if _loses_calls(truth, got, shows) else ""


def _loses_calls(truth: Truth, got: Outcome, shows: Shows) -> bool:
    """Return whether a call is nowhere: neither as a call nor in a text.

    Nobody has to show one whose arguments are no JSON.
    """
    calls = [call for call in truth.calls if is_json(call.arguments)]
    shown = [canonical(call.arguments) for call in got.calls]
    texts = list(got.texts.values())
    arguments = [call.arguments for call in calls if canonical(call.arguments) != "{}"]
    if shows.spells_arguments and not all(is_spoken(one, texts) for one in arguments):
        return True
    if shows.spells_names:
        return not all(spells(got, call.name) for call in calls)
    return shows.calls and any(
        canonical(call.arguments) not in shown and not is_spoken(call.arguments, texts)
        for call in calls
    )


def merges_sources(truth: Truth, got: Outcome) -> bool:
    """Return whether what is cited is shown inside the text, which it then changes."""
    return any(
        source in text and source != text
        for _, source in truth.kept
        for text in got.texts.values()
    )


def calls_by_end(fed: FuzzInput, calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """Return calls in the order in which they end; what never ends comes last."""
    begun: list[object] = []
    ended: list[object] = []
    for payload in api_payloads(fed):
        place = payload.get("index", payload.get("output_index"))
        block = payload.get("content_block") or payload.get("item") or {}
        if payload.get("type") in _STARTS and block.get("type") in _CALLS:
            begun.append(place)
        elif payload.get("type") in _STOPS and place in begun:
            ended.append(place)
    if len(begun) != len(calls) or len({*ended}) != len(ended):
        return calls
    ended += [place for place in begun if place not in ended]
    return tuple(calls[begun.index(place)] for place in ended)


def spells(got: Outcome, name: str) -> bool:
    """Return whether a text is in what was shown."""
    return any(name in text for text in got.texts.values())


def is_spoken(arguments: str, texts: list[str]) -> bool:
    """Return whether a call is shown as text: all of it, or the strings in it."""
    if any(arguments in text for text in texts):
        return True
    value = parsed(arguments)
    if not isinstance(value, dict):
        return False
    if any(repr(value) in text for text in texts):
        return True
    strings = [v for v in value.values() if isinstance(v, str)]
    return any(
        not string or string in text for string in strings for text in [*texts, ""]
    )


def is_marked(truth: Truth, got: Outcome) -> bool:
    """Return whether calls with broken arguments are left out or shown as broken.

    Nobody has to show them; to repair or empty them in silence is wrong.
    """
    broken = [call for call in truth.calls if not is_json(call.arguments)]
    sound = [call for call in truth.calls if is_json(call.arguments)]
    shown = [canonical(call.arguments) for call in got.calls]
    if not broken or any(canonical(call.arguments) not in shown for call in sound):
        return False
    if any("error" in kind.lower() for kind in got.texts):
        return True  # an event of its own reports it
    others = [call.arguments for call in got.calls]
    for call in sound:
        others.remove(
            next(a for a in others if canonical(a) == canonical(call.arguments))
        )
    raw = [(call.arguments, json.dumps(call.arguments)[1:-1]) for call in broken]
    return all(
        any(r in other for pair in raw for r in pair)
        and not any(_is_repaired(*pair, other) for pair in raw)
        for other in others
    )


def _is_repaired(broken: str, quoted: str, shown: str) -> bool:
    """Return whether broken arguments are shown with what was missing at their end."""
    return (
        bool(broken)
        and shown.startswith(broken)
        and quoted not in shown[len(broken) :]
        and is_json(shown)
    )


def without_marks(
    truth: Truth, whole: Truth, got: Outcome, expected: Outcome, content: str | None
) -> Outcome:
    """Return what was made of a broken stream without what marks it as one.

    Args:
        truth: Of the broken stream.
        whole: Of the sound one.
        got: What was made of it.
        expected: What was made of the sound one.
        content: The kind of text that is the content.
    """
    kinds = {*expected.texts, content}
    if not CURRENT.emits:  # a tag that has only begun is text where nothing follows
        got = replace(got, texts={k: t.partition("<")[0] for k, t in got.texts.items()})
    texts = {
        kind: text
        for kind, text in got.texts.items()
        # Numbers grow, and an error has a text of its own kind.
        if kind in kinds
        and not _NUMBERS.fullmatch(text)
        and not (content is None and _is_framed(text, expected.texts.get(kind, "")))
    }
    is_broken = any(not is_json(call.arguments) for call in whole.calls)
    calls = () if is_broken or is_marked(truth, got) else got.calls
    return replace(got, texts=texts, calls=calls)


def without_foreign(
    got: Outcome, expected: Outcome, fed: FuzzInput, reference: FuzzInput
) -> Outcome:
    """Return an outcome without texts from fields that the reference cannot have.

    Args:
        got: What was made of the input.
        expected: What was made of the reference.
        fed: In a provider's own form, some of whose fields are passed on.
        reference: The same in OpenAI's form.
    """
    foreign = _keys(api_payloads(fed)) - _keys(api_payloads(reference))
    texts = {
        kind: text
        for kind, text in got.texts.items()
        if kind in expected.texts or foreign.isdisjoint(kind.split("."))
    }
    return replace(got, texts=texts)


def _keys(value: Any) -> set[str]:
    """Return the names of all fields in a value."""
    if isinstance(value, dict):
        return {*value}.union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list | tuple) else set()


def _is_framed(text: str, whole: str) -> bool:
    """Return whether a text is the beginning of another with the same words around."""
    return any(
        whole.startswith(text[:place]) and whole.endswith(text[place:])
        for place in range(len(text) + 1)
    )


def spoken(
    assistant: tuple[str, str], truth: Truth, got: Outcome, expected: Outcome
) -> Outcome:
    """Move the calls of the assistant function that are well-formed to its text."""
    function, argument = assistant
    calls, spoken = [], []
    for call in truth.calls:
        inner = truth_of((call.arguments,), argument)
        if call.name == function and inner.is_sound and inner.has_text:
            spoken.append(inner.text)
        elif call.name == function:
            # What of it came as text, and when the rest of it is shown, is the
            # interface's choice.
            return got
        else:
            calls.append(Call(call.name, canonical(call.arguments)))
    if len(spoken) > 1:
        return got  # they may take turns, and so do their texts
    texts = dict(expected.texts)
    texts.pop("assistant_message", None)
    if any(spoken):
        texts["assistant_message"] = "".join(spoken)
    return Outcome(texts, tuple(calls), expected.raised).as_json()
