"""What a consumer made of a stream, as it is compared: texts by kind and calls.

How it is made of what a consumer emits and returns is in `harness.debug.folding`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

_HALVES = re.compile("[\ufffd\ud800-\udfff]+$")


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as a consumer shows it."""

    name: str
    """Empty if it shows none."""
    arguments: str
    """The arguments' text; ``{}`` where none were shown."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that came out of a consumer."""

    kind: str
    """The class's name, with its module unless that is `builtins`."""
    text: str
    """Its message, in one line."""
    place: str
    """File and line of the innermost frame."""
    is_accident: bool
    """Whether no consumer can mean it: see `harness.fuzz.raised_places`."""

    def __str__(self) -> str:
        text = f": {self.text}" if self.text else ""
        return f"{self.kind}{text} (at {self.place})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was shown: texts by kind, and calls in order."""

    texts: Mapping[str, str] = field(default_factory=dict)
    """By kind; none of them empty."""
    calls: tuple[Call, ...] = ()
    """In the order in which they appeared."""
    raised: Raised | None = None
    """What ended it, if that was an exception; texts and calls came before it."""
    endings: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What it shows of how the answer ended, by field: a finish reason, a status, a
    flag. No part of what is compared, for it may come in other words."""
    counts: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Numbers of tokens that it shows, by field."""
    signatures: tuple[str, ...] | None = field(default=None, compare=False)
    """The signatures that it shows; None where it has no place for them."""
    logprobs: tuple[float, ...] = field(default=(), compare=False)
    """The log probabilities of tokens that it shows."""
    has_arguments: bool = field(default=False, compare=False)
    """Whether a call that it shows has a place for arguments, be it empty."""
    ids: tuple[str, ...] = field(default=(), compare=False)
    """The ids of calls that it shows, which a client must return with the results."""
    ids_again: tuple[str, ...] = field(default=(), compare=False)
    """Those that it shows of two calls that differ."""

    def as_json(self) -> Outcome:
        """Return it with every JSON text in it written one way.

        The arguments' JSON may be written differently and mean the same.
        """
        return replace(
            self,
            texts={kind: _canonical_text(text) for kind, text in self.texts.items()},
            calls=tuple(
                Call(call.name, canonical(call.arguments)) for call in self.calls
            ),
        )

    def begins(self, whole: Outcome) -> bool:
        """Return whether the other outcome can still become of this one."""
        if len(self.calls) > len(whole.calls):
            return False
        return all(
            _begins(text, whole.texts.get(kind, ""))
            for kind, text in self.texts.items()
        ) and all(
            full.name.startswith(call.name)
            and (call.arguments == "{}" or _begins(call.arguments, full.arguments))
            for call, full in zip(self.calls, whole.calls, strict=False)
        )

    def lines(self) -> list[str]:
        """Return it as lines for people, one a text and one a call."""
        lines = [f"{kind}: {text!r}" for kind, text in sorted(self.texts.items())]
        lines += [
            f"call {number}: {call.name}({call.arguments})"
            for number, call in enumerate(self.calls)
        ]
        if self.raised is not None:
            lines.append(f"raised {self.raised}")
        return lines or ["nothing"]


def _canonical_text(text: str) -> str:
    return canonical(text) if text[:1] in {"{", "["} else text


def _begins(part: str, whole: str) -> bool:
    if whole.startswith(part) or part == "{}":  # what a call without arguments has
        return True
    # The half of a pair at the end of a prefix is shown as U+FFFD until it is whole.
    if whole.startswith(_HALVES.sub("", part)):
        return True
    try:  # a consumer that parses what has come shows a smaller object
        return is_smaller(json.loads(part), json.loads(whole))
    except (ValueError, RecursionError):
        return False


def is_smaller(part: Any, whole: Any) -> bool:
    """Return whether a JSON value can still become another as more of it comes."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            # A key may be unfinished, and has no value yet.
            (key in whole and is_smaller(value, whole[key]))
            or (value in {None, ""} and any(other.startswith(key) for other in whole))
            for key, value in part.items()
            if not isinstance(value, dict | list) or key in whole
        )
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(part) <= len(whole)
            and all(is_smaller(a, b) for a, b in zip(part, whole, strict=False))
        )
    if isinstance(part, str):
        # Half a pair at the end is not yet the character that it will be.
        return isinstance(whole, str) and whole.startswith(_HALVES.sub("", part))
    if part is None:
        return True
    if isinstance(part, bool) or isinstance(whole, bool):
        return part is whole
    return json.dumps(whole).startswith(json.dumps(part).removesuffix(".0"))
