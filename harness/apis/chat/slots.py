"""The units of a delta: each text in it that may be cut, and how to put one back.

The counterpart of `harness.apis.chat.deltas` for those who rewrite streams instead of
reading them: same fields, same reading order, but every unit knows its place, so
that its text can be replaced without touching anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.chat.texts import REASONING_FIELDS
from harness.apis.json_values import text_of

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload


class Unit(NamedTuple):
    """One text of one delta, with its place."""

    kind: str
    """`reasoning`, `content`, `refusal`, `call` or `legacy` (`function_call`)."""
    field: str
    """The delta's field that holds it."""
    text: str
    """The text; empty for a call that is only announced, or an opaque unit."""
    position: int = 0
    """For a call: which entry of `tool_calls`."""
    call_index: object = None
    """For a call: its index as sent."""
    call_id: str = ""
    """For a call: the id beside it, if any."""
    name: str = ""
    """For a call: the name or piece of a name beside it, if any."""
    keeps_id: bool = False
    """Whether the id has come before, so that every piece repeats it."""
    mirrors: tuple[str, ...] = ()
    """Other reasoning fields with the same text, cut alike."""
    shape: str = ""
    """For content that is a list with one part: `text` or `thinking`."""
    is_opaque: bool = False
    """Whether it has text that cannot be cut, only moved."""
    text_fields: tuple[str, ...] = ()
    """All fields of this delta that are a unit or mirror one."""

    def is_like(self, other: Unit) -> bool:
        """Return whether the other text can stand where this one does."""
        return (
            self.field == other.field
            and self.shape == other.shape
            and self.mirrors == other.mirrors
            and not other.name
        )

    @property
    def may_wait(self) -> bool:
        """Whether text may be merged behind it: a bare name without id may not."""
        return bool(self.text) or bool(self.call_id) or self.kind == "legacy"

    def continuation(
        self, delta: dict[str, Any], text: str
    ) -> tuple[dict[str, Any], Unit]:
        """Return a later piece of this unit, with only what names where it belongs.

        Args:
            delta: The delta this unit is in.
            text: The piece's text.

        Returns:
            The piece's delta and its unit.
        """
        rest = self._replace(
            text=text, name="", call_id=self.call_id if self.keeps_id else ""
        )
        if self.kind == "call":
            entry = delta["tool_calls"][self.position]
            kept = ("index", "id") if self.keeps_id else ("index",)
            bare = {field: entry[field] for field in kept if field in entry}
            bare["function"] = {"arguments": text}
            return {"tool_calls": [bare]}, rest._replace(position=0)
        if self.kind == "legacy":
            return {"function_call": {"arguments": text}}, rest
        bare_delta = dict.fromkeys((self.field, *self.mirrors), delta[self.field])
        return _put_in_delta(bare_delta, self, text), rest


def units_of(choice: dict[str, Any], ids: set[str]) -> list[Unit]:
    """Return the units of one choice's delta in reading order.

    Args:
        choice: An entry of `choices`; any shape.
        ids: The ids of this choice's calls so far; those of this delta are added.

    Returns:
        The units; none where there is no text and no call. A delta whose order
        cannot be kept when it is taken apart gives one opaque unit.
    """
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        whole = choice.get("message")
        return [Unit("content", "message", "", is_opaque=True)] if whole else []
    units: list[Unit] = []
    for field in REASONING_FIELDS:
        text = delta.get(field)
        if text and isinstance(text, str):
            others = [f for f in REASONING_FIELDS if f != field and delta.get(f)]
            mirrors = tuple(other for other in others if delta[other] == text)
            is_opaque = len(mirrors) < len(others)  # their order could not be kept
            shown = "" if is_opaque else text
            units.append(
                Unit("reasoning", field, shown, mirrors=mirrors, is_opaque=is_opaque)
            )
            break
    content = delta.get("content")
    if content:
        units.append(_content_unit(content))
    refusal = delta.get("refusal")
    if refusal and isinstance(refusal, str):
        units.append(Unit("refusal", "refusal", refusal))
    entries = delta.get("tool_calls")
    if entries and delta.get("function_call"):
        units.append(Unit("call", "tool_calls", "", is_opaque=True))
    elif entries:
        units += _call_units(entries, ids)
    elif isinstance(delta.get("function_call"), dict):
        function = delta["function_call"]
        units.append(_with_function(Unit("legacy", "function_call", ""), function))
    if len(units) > 1:
        if any(unit.is_opaque for unit in units):
            return [Unit("content", "content", "", is_opaque=True)]
        fields = {field for unit in units for field in (unit.field, *unit.mirrors)}
        text_fields = tuple(sorted(fields))
        units = [unit._replace(text_fields=text_fields) for unit in units]
    return units


def continues(run: Unit, unit: Unit) -> bool:
    """Return whether a unit belongs to the same kind and call as the run before it."""
    if run.kind != unit.kind or unit.is_opaque or run.is_opaque:
        return False
    if unit.kind != "call":
        return True
    if run.call_index != unit.call_index or type(run.call_index) is not type(
        unit.call_index
    ):
        return False
    if unit.call_id:
        return unit.call_id == run.call_id
    return not unit.name


def put_text(payload: Payload, unit: Unit, text: str) -> Payload:
    """Return a copy of a payload with one choice whose unit has another text.

    Args:
        payload: The payload; shared below what changes, never changed itself.
        unit: Its only unit.
        text: The new text.

    Returns:
        The copy.
    """
    choice = payload["choices"][0]
    delta = _put_in_delta(dict(choice["delta"]), unit, text)
    return {**payload, "choices": [{**choice, "delta": delta}]}


_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _blend(
    old: dict[str, Any], new: dict[str, Any], skipped: tuple[str, ...]
) -> dict[str, Any] | None:
    """Add the fields of a later delta (or a part of one) to those of an earlier.

    Args:
        old: The earlier; unchanged.
        new: The later.
        skipped: Fields that the caller joins itself; those of `old` stay.

    Returns:
        The fields of both, lists joined; None if two contradict each other.
    """
    blended = dict(old)
    for field, value in new.items():
        if field in skipped:
            continue
        known = old.get(field)
        if value in _NOTHING or value == known:
            blended.setdefault(field, value)
        elif known in _NOTHING:
            blended[field] = value
        elif isinstance(known, list) and isinstance(value, list):
            blended[field] = known + value
        else:
            return None
    return blended


def blend_deltas(
    old: dict[str, Any], new: dict[str, Any], unit: Unit
) -> dict[str, Any] | None:
    """Add a later delta to an earlier one with a unit of the same run.

    Args:
        old: The earlier delta; unchanged. Its text stays and is stale afterwards.
        new: The later delta.
        unit: The unit of the later delta; that of the earlier is alike.

    Returns:
        The delta of both, or None if something in it contradicts.
    """
    blended = _blend(old, new, (unit.field, *unit.mirrors))
    if blended is None:
        return None
    if unit.kind == "legacy":
        function = _blend(old["function_call"], new["function_call"], ("arguments",))
        if function is None:
            return None
        blended["function_call"] = function
    elif unit.kind == "call":
        entry, new_entry = old["tool_calls"][0], new["tool_calls"][unit.position]
        together = _blend(entry, new_entry, ("function",))
        function = _blend(
            entry.get("function") or {}, new_entry["function"], ("arguments",)
        )
        if together is None or function is None:
            return None
        blended["tool_calls"] = [{**together, "function": function}]
    elif unit.shape:
        part = _blend(old["content"][0], new["content"][0], (unit.shape,))
        if part is None:
            return None
        blended["content"] = [part]
    return blended


def _put_in_delta(delta: dict[str, Any], unit: Unit, text: str) -> dict[str, Any]:
    value = delta[unit.field]
    if unit.kind == "call":
        entry = value[unit.position]
        function = {**entry.get("function", {}), "arguments": text}
        entries = list(value)
        entries[unit.position] = {**entry, "function": function}
        delta["tool_calls"] = entries
    elif unit.kind == "legacy":
        delta["function_call"] = {**value, "arguments": text}
    elif unit.shape == "text":
        delta["content"] = [{**value[0], "text": text}]
    elif unit.shape == "thinking":
        inner = value[0]["thinking"][0]
        delta["content"] = [{**value[0], "thinking": [{**inner, "text": text}]}]
    else:
        for field in (unit.field, *unit.mirrors):
            delta[field] = text
    return delta


def _content_unit(content: object) -> Unit:
    """Read content that is a text, or a list with one part (Mistral)."""
    if isinstance(content, str):
        return Unit("content", "content", content)
    if isinstance(content, list) and len(content) == 1:
        part = content[0]
        if isinstance(part, dict):
            if not part.get("thinking") and text_of(part.get("text")):
                return Unit("content", "content", part["text"], shape="text")
            inner = part.get("thinking")
            if isinstance(inner, list) and len(inner) == 1 and not part.get("text"):
                inner = inner[0]
                if isinstance(inner, dict) and text_of(inner.get("text")):
                    return Unit("reasoning", "content", inner["text"], shape="thinking")
    return Unit("content", "content", "", is_opaque=True)


def _call_units(entries: object, ids: set[str]) -> list[Unit]:
    opaque = [Unit("call", "tool_calls", "", is_opaque=True)]
    if not isinstance(entries, list):
        return opaque
    units = []
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            return opaque
        function = entry.get("function")
        call_id = text_of(entry.get("id"))
        unit = Unit(
            "call",
            "tool_calls",
            "",
            position=position,
            call_index=entry.get("index"),
            call_id=call_id,
            keeps_id=call_id in ids,
        )
        if call_id:
            ids.add(call_id)
        if function is not None and not isinstance(function, dict):
            return opaque
        unit = _with_function(unit, function or {})
        if unit.is_opaque:
            return opaque
        units.append(unit)
    return units


def _with_function(unit: Unit, function: dict[str, Any]) -> Unit:
    name, arguments = function.get("name"), function.get("arguments")
    if arguments and not isinstance(arguments, str):
        return unit._replace(is_opaque=True)
    return unit._replace(name=text_of(name), text=arguments or "")
