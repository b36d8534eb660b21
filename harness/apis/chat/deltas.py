"""Chunk to parts: what the deltas of one choice carry, whoever sent them.

This file owns every rule about how providers frame a delta: which fields carry
text, which tool call a fragment belongs to, when a name is a piece and when it is
the same name sent again. The interfaces and the accumulator read streams through
it, so that a rule exists once. It never raises on a shape it does not know, and
it never looks inside the arguments' text but for one recovery (`_starts_another`).

Which call a fragment belongs to (`harness docs call-identity`):

1. `index` is a number: the call at that index. But where a name comes with an id
   that the call at this index does not have, it is another call (Ollama and others
   send every call at index 0).
2. `index` is missing or null: the call with that `id`; an unknown id opens a call.
3. Neither: the call last touched.

What a name means: pieces add up until the first non-empty `arguments`. A name
equal to the whole name so far, with a repeated id or a type beside it, and any
name after arguments have begun, is the same name sent again; a call without any takes
a late one.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from harness.apis.chat.texts import content_parts, detailed_reasoning, reasoning_of
from harness.apis.counts import index_of
from harness.apis.json_values import as_json, canonical, is_object
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    CallPart,
    Finish,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload


def choice_index(choice: dict[str, Any]) -> int:
    """Return which of the `n` choices an entry of `choices` continues.

    Args:
        choice: The entry; any shape.

    Returns:
        Its `index` where that is a whole number; 0 where it is missing or anything
        else, so that a provider's quirk loses nothing.
    """
    return index_of(choice.get("index")) or 0


def delta_of(choice: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry of `choices` adds.

    Args:
        choice: The entry; any shape.

    Returns:
        Its `delta`; where that is no object its `message`, as in whole completions and
        some proxies' streams; else an empty object.
    """
    delta = choice.get("delta")
    if type(delta) is dict:
        return delta
    message = choice.get("message")
    return message if type(message) is dict else {}


class DeltaReader:
    """Reads the deltas of one choice of one response.

    A reader never fails: what it cannot read it leaves out,
    and fragments after a finish are read like any others (providers send them).
    O(size of the delta) a call, whatever came before.

    Args:
        choice: Which of the `n` choices to read, by its `index`.
        ignored: Takes names that come after the arguments of a call named otherwise.

    Source: OpenAI API reference, chat completion chunks; the deviations are listed
    above and in `harness docs call-identity`.
    """

    def __init__(
        self, *, choice: int = 0, ignored: list[tuple[str, str]] | None = None
    ) -> None:
        self.choice = choice
        self.calls: list[ToolCall] = []
        """All calls so far, in order of appearance."""
        self._by_index: dict[int | float, ToolCall] = {}
        self._by_id: dict[str, ToolCall] = {}
        self._last: ToolCall | None = None
        self._legacy: ToolCall | None = None
        self._beside: ToolCall | None = None  # the legacy form beside the new one
        self._ignored = [] if ignored is None else ignored

    def read(self, payload: Payload) -> list[Part]:
        """Read one chunk.

        Args:
            payload: The chunk's JSON object; any shape.

        Returns:
            What it carries of this choice, in order; empty if nothing.
        """
        choices = payload.get("choices")
        parts: list[Part] = []
        for choice in choices if type(choices) is list else ():
            if type(choice) is not dict:
                continue
            index = choice.get("index")
            if (index if type(index) is int else index_of(index) or 0) != self.choice:
                continue
            delta = choice.get("delta")
            if type(delta) is not dict:
                delta = delta_of(choice)
            found = self.read_delta(delta, choice.get("finish_reason"))
            parts = parts + found if parts else found
        return parts

    def read_choice(self, choice: dict[str, Any]) -> list[Part]:
        """Read one entry of `choices` that is known to be this reader's.

        Args:
            choice: The entry; a `message` is taken for the `delta` it lacks, which
                is how a whole completion is read (and how some proxies stream).

        Returns:
            What it carries, in order: reasoning, content, refusal, calls, finish.
        """
        return self.read_delta(delta_of(choice), choice.get("finish_reason"))

    def read_delta(self, delta: dict[str, Any], reason: object) -> list[Part]:
        """Read the two fields of an entry of `choices` that carry something.

        Args:
            delta: What it adds (`delta_of`).
            reason: Its `finish_reason`; any shape.

        Returns:
            As `read_choice`.
        """
        parts: list[Part] = []
        if len(delta) == 1 and not reason:
            # Nearly every chunk is one piece of text, or of one call, and nothing else;
            # looking for all the other fields would take four times as long.
            content = delta.get("content")
            if type(content) is str:
                return [Text(content)] if content else parts
            entries = delta.get("tool_calls")
            if type(entries) is list:
                self._read_calls(entries, parts)
                return parts
        reasoning = reasoning_of(delta) or detailed_reasoning(delta)
        if reasoning:
            parts.append(Reasoning(reasoning))
        content = delta.get("content")
        if content:
            if type(content) is str:
                parts.append(Text(content))
            else:
                parts += content_parts(content)
        refusal = delta.get("refusal")
        if refusal and type(refusal) is str:
            parts.append(Refusal(refusal))
        entries = delta.get("tool_calls")
        if entries and type(entries) in {list, dict}:
            # One object where a list belongs: Hugging Face's TGI (#2794).
            self._read_calls(entries if type(entries) is list else [entries], parts)
        if delta.get("function_call"):
            self._read_legacy(delta["function_call"], parts)
        if reason and type(reason) is str:
            parts.append(Finish(reason))
        return parts

    def close(self) -> list[Part]:
        """Report a call in the legacy form that is not in the new form beside it."""
        call = self._beside
        sent = [(one.name, canonical(one.arguments)) for one in self.calls]
        if call is None or (call.name, canonical(call.arguments)) in sent:
            return []
        held = shorten(f"{call.name}({call.arguments})")
        text = f"`function_call` holds {held}, which `tool_calls` beside it does not"
        return [Problem(DiagnosticKind.UNREAD_TEXT, text)]

    def _read_calls(self, entries: list[Any], parts: list[Part]) -> None:
        for entry in entries:
            if type(entry) is dict:
                if self._legacy is not None:
                    # It stands beside the new form: the new one is the call.
                    self.calls.remove(self._legacy)
                    self._legacy.is_dropped = True
                    self._beside, self._legacy = self._legacy, None
                function = entry.get("function")
                if type(function) is not dict:
                    function = {}
                    custom = entry.get("custom")
                    if type(custom) is dict:  # its input is any text, not JSON
                        function = {
                            "name": custom.get("name"),
                            "arguments": custom.get("input"),
                        }
                        entry = {"type": "custom", **entry}  # noqa: PLW2901 - a copy
                self._read_call(entry, function, parts)

    def _read_legacy(self, function: object, parts: list[Part]) -> None:
        if type(function) is not dict:
            return
        if self.calls and self._legacy is None:
            self._beside = self._beside or ToolCall(-1, None, "")
            self._add(self._beside, {}, function, [], is_new=False)
            return
        is_new = self._legacy is None
        if self._legacy is None:
            self._legacy = self._open(None, "")
        self._add(self._legacy, {}, function, parts, is_new=is_new)

    def _read_call(
        self, entry: dict[str, Any], function: dict[str, Any], parts: list[Part]
    ) -> None:
        index = entry.get("index")
        if type(index) is not int and not (type(index) is float and isfinite(index)):
            index = index_of(index)  # NaN could not be found again
        call_id = entry.get("id")
        if type(call_id) is not str:
            call_id = ""
        call = self._find(index, call_id, function)
        is_new = call is None
        if call is None:
            if not (call_id or function.get("name") or function.get("arguments")):
                return  # it carries nothing: no call opens
            call = self._open(index, call_id)
        self._last = call
        self._add(call, entry, function, parts, is_new=is_new)

    def _find(
        self, index: float | None, call_id: str, function: dict[str, Any]
    ) -> ToolCall | None:
        """Return the call that an entry continues, or None if it opens one."""
        name = function.get("name")
        if type(name) is not str:
            name = ""
        if index is not None:
            call = self._by_index.get(index)
            if call is None or not call_id or call.id in {"", call_id}:
                found = call
            else:
                known = self._by_id.get(call_id)
                if known is not None and known.index == index:
                    found = self._by_index[index] = known
                else:  # an id that changes without a name is a provider's whim
                    found = None if name else call
        elif call_id:
            found = self._by_id.get(call_id)
            last = self._last
            if found is None and last is not None and not last.id and not name:
                found = last  # its id comes late
        else:
            found = self._last
        if found is not None and name and not call_id:
            return None if _starts_another(found, function) else found
        return found

    def _open(self, index: float | None, call_id: str) -> ToolCall:
        call = ToolCall(len(self.calls), index, call_id)
        self.calls.append(call)
        if index is not None:
            self._by_index[index] = call
        if call_id:
            self._by_id[call_id] = call
        return call

    def _add(
        self,
        call: ToolCall,
        entry: dict[str, Any],
        function: dict[str, Any],
        parts: list[Part],
        *,
        is_new: bool,
    ) -> None:
        new_id = call.id if is_new else ""
        sent_id = entry.get("id")
        sent_type = entry.get("type")
        repeats_itself = bool(sent_type) or (bool(sent_id) and not is_new)
        if not call.id and sent_id and type(sent_id) is str:
            call.id = new_id = sent_id
            self._by_id[sent_id] = call
            repeats_itself = bool(sent_type)
        if sent_type and type(sent_type) is str:
            call.type = sent_type
        name = function.get("name")
        if not name or type(name) is not str:
            name = ""
        elif call.name and call.has_arguments:
            if name != call.name:
                self._ignored.append((call.name, name))
            name = ""
        elif call.name == name and repeats_itself:
            name = ""  # the same name sent again
        else:
            call.name += name
        arguments = function.get("arguments")
        if not arguments:
            arguments = ""
        elif type(arguments) is not str:
            # An object where its text belongs (Ollama's own API).
            arguments = as_json(arguments)
        if arguments:
            call.add_arguments(arguments)
        if is_new or name or arguments or new_id:
            parts.append(CallPart(call, name, arguments, is_new, new_id))


def _starts_another(call: ToolCall, function: dict[str, Any]) -> bool:
    """Return whether a name without id can only be another call.

    A provider that sends whole calls without ids, at one index or at none, would
    have them glued into `{...}{...}`, which no tool can read. So a name that comes
    with the start of an object, after the call's own object is complete, opens
    another call. Source: ours; it never applies to arguments that are one object.
    """
    arguments = function.get("arguments")
    if type(arguments) is not str or not arguments.lstrip().startswith("{"):
        return False
    held = call.arguments
    # The first look spares a parse for each inner object.
    return held.rstrip().endswith("}") and is_object(held)
