"""What a consumer made of a stream, in a form that does not depend on the cuts.

Every message that a consumer emits, and every value that it returns, is folded into
texts by kind and calls in order. What is known is read as what it is:

- text: the kind `text`;
- chunks and completions of the OpenAI API (anything with `choices`), and messages
  with `tool_calls`: what they carry, read by `harness.core.accumulate`;
- our own messages, light or models: their text, and calls by `function_call_id`;
- anything with a `name` and `arguments`, or fields that are called alike: a call;
- events about a call, with its id or its place: pieces of it;
- texts that are whole events of a stream, or lines of JSON: what is in them.

Everything else is taken apart generically: an object is its fields, a text among
them is a text whose kind is the path to it, and texts of one kind are joined, also
those of the objects in a list, which are taken for messages. Fields that name a kind
(`type`, `role`, ...) become part of the path; ids, dates, counts and other volatile
fields carry nothing and are left out. How an answer ended and how many tokens it took
are kept apart: they are compared with what arrived, not with another form of it.
Of emitted messages only texts count; of a returned value numbers and booleans count
too. A consumer for which that is not right has a function `outcome(items)` that returns
any value instead.
"""

from __future__ import annotations

from enum import Enum
from itertools import count
from typing import TYPE_CHECKING, Any

from harness.agents.letta.light_messages import LightMessage, MessageStreamStatus
from harness.agents.letta.messages import FunctionCall, FunctionCallMessage
from harness.apis.chat.reader import ResponseAccumulator
from harness.debug import shown_fields as known
from harness.debug.growing_calls import GrowingCalls
from harness.debug.outcomes import Call, Outcome, Raised

if TYPE_CHECKING:
    from collections.abc import Iterable

_OF_A_CALL = {"name", "arguments", "type", "index", *known.CALL_IDS}
_CALLS = {"tool_calls", "function_call"}
_PARSED = {"tool_calls", "invalid_tool_calls"}


class _Folding:
    """Texts and calls that grow."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.calls = GrowingCalls()
        self._place: int | None = None
        self._chunks: ResponseAccumulator | None = None
        self.endings: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.signatures: list[str] | None = None
        self.logprobs: list[float] = []
        self.ids: dict[str, None] = {}
        self._own = count(1 << 20)  # indexes that no stream has

    def add(self, item: Any) -> None:
        """Add an emitted message."""
        self._place = None
        kind = type(item)
        if kind is LightMessage:  # of ours, whose model nobody has asked for
            if len(item.fields) == 1 and item.kind != "FunctionCallMessage":
                [(field, text)] = item.fields.items()
                self._text(field, text)
            else:
                self.add(item.to_model())
        elif kind is FunctionCallMessage:
            call = item.function_call
            if type(call) is FunctionCall:
                # A whole call behind its own text: never a continuation.
                self.calls.forget(call.function_call_id)
            key, piece = call.function_call_id, (call.name, call.arguments)
            # Ours name the call wherever it is another than the one before.
            if key is not None or not self.calls.continue_last(*piece):
                self.calls.add(key, *piece)
        elif kind is str:
            self._text("text", item)
        elif kind is not MessageStreamStatus and not self._add_like_ours(item):
            self._walk("", item, is_value=False)

    def _add_like_ours(self, item: Any) -> bool:
        """Add a message of another class with the fields of ours, if it is one."""
        if isinstance(item, str | int | float | bytes | list | tuple):
            return False
        call = known.field_of(item, "function_call")
        if call is not None and known.field_of(item, "choices") is None:
            name, arguments = (
                known.field_of(call, "name"),
                known.field_of(call, "arguments"),
            )
            if not (isinstance(name, str | None) and isinstance(arguments, str | None)):
                return False
            if arguments is None and not {*(known.fields_of(call) or ())} <= _OF_A_CALL:
                return False  # it has another word for them, as Gemini has
            key = known.field_of(call, "function_call_id")
            if key is None and not (name or arguments):
                return False
            if type(call).__name__ == "FunctionCall":  # a whole one
                self.calls.forget(key)
            self.calls.add(key, name, arguments)
            return True
        for kind in ("internal_monologue", "assistant_message"):
            text = known.field_of(item, kind)
            if isinstance(text, str):
                self._text(kind, text)
                return True
        return False

    def add_value(self, value: Any) -> None:
        """Add what a consumer returned."""
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            self._text("text", "".join(value))
        else:
            self._walk("", value, is_value=True)

    def outcome(self, raised: Raised | None) -> Outcome:
        """Return what has been shown."""
        calls = self.calls.calls()
        if self._chunks is not None:
            message = self._chunks.message()
            for kind, text in (
                ("content", message.content),
                ("reasoning", message.reasoning),
                ("refusal", message.refusal),
            ):
                self._text(kind, text)
            calls += [Call(call.name, call.arguments) for call in message.calls]
        return Outcome(
            {
                kind: text
                for kind, pieces in self.texts.items()
                if (text := known.sound("".join(pieces)))
            },
            tuple(
                Call(
                    known.sound(call.name), known.sound(call.arguments).strip() or "{}"
                )
                for call in calls
            ),
            raised,
            self.endings,
            self.counts,
            None if self.signatures is None else tuple(filter(None, self.signatures)),
            tuple(self.logprobs),
            has_arguments=self.calls.has_arguments,
            ids=tuple(self.ids),
            ids_again=tuple(self.calls.ids_again),
        )

    def _text(self, kind: str, text: str) -> None:
        self.texts.setdefault(kind, []).append(text)

    def _walk(self, path: str, value: Any, *, is_value: bool) -> None:
        if isinstance(value, Enum):
            return  # a name of something, not a text that came
        if isinstance(value, str):
            if is_value and path.endswith("]") and value in known.REASONS:
                self.endings[path] = value
            else:
                self._text(path or "text", str(value))
        elif value is None:
            return
        elif isinstance(value, bool | int | float):
            self._text(path or "value", f"{value!r} " if is_value else "")
        elif isinstance(value, bytes | bytearray):
            self._text(path or "bytes", value.decode("utf-8", "replace"))
        elif isinstance(value, list | tuple | set | frozenset):
            self._walk_items(path, value, is_value=is_value)
        else:
            fields = known.fields_of(value)
            if fields is not None:
                self._walk_fields(path, fields, is_value=is_value)

    def _walk_items(self, path: str, items: Iterable[Any], *, is_value: bool) -> None:
        if isinstance(items, set | frozenset):
            items = sorted(items, key=repr)
        elif isinstance(items, tuple) and items and isinstance(items[0], Enum):
            items = (items[0].value, *items[1:])
        if not is_value and known.is_tagged(items):
            self._end({items[0]: items[1]}, tag=items[0])
            if known.is_ending(items[0], items[1]):
                return
            path, items = known.joined(path, items[0]), items[1:]
        for number, item in enumerate(items):
            here = path
            if is_value and not isinstance(item, dict):
                here = f"{path}[{number}]"
            self._walk(here, item, is_value=is_value)

    def _walk_fields(
        self, path: str, fields: dict[str, Any], *, is_value: bool
    ) -> None:
        for key in known.USAGES & fields.keys():
            self._count(key, known.fields_of(fields[key]) or {})
        self._end(known.fields_of(fields.get("response_metadata")) or {})
        self.logprobs += known.logprobs_of(fields.get("logprobs"))
        if isinstance(fields.get("choices"), list):
            self._feed(fields)
            return
        if fields.get("tool_call_chunks"):  # LangChain's chunks, and what they come to
            fields = {k: v for k, v in fields.items() if k not in _PARSED}
        if known.is_message(fields):
            # Its texts are of the same kinds as those of a message without calls.
            delta = {key: fields.pop(key) for key in _CALLS & fields.keys()}
            if is_value:  # each call is whole, also without an id or an index
                calls = delta["tool_calls"]
                ids = [call["id"] for call in calls if call.get("id")]
                self.calls.ids_again += {i for i in ids if ids.count(i) > 1}
                delta["tool_calls"] = [{"index": next(self._own), **c} for c in calls]
            self._feed({"choices": [{"index": 0, "delta": delta}]})
        elif (name := known.name_key(fields)) is not None:
            self._walk_call(path, fields, fields[name], is_value=is_value)
            return
        elif not is_value and (found := known.piece_of_call(path, fields)) is not None:
            self._note_ids(fields)
            self.calls.add(*found, path + str(fields.get("type")))
        self._place = known.place_of(fields)
        values = [fields.get(tag) for tag in known.TAGS]
        values = [one.value if isinstance(one, Enum) else one for one in values]
        # Who answers is no kind of text: some messages name it, and some do not.
        names = [one for one in values if isinstance(one, str) and one != "assistant"]
        path = ".".join([*([path] if path else []), *names])
        for key, value in fields.items():
            if key in known.SIGNATURES:
                self.signatures = [*(self.signatures or []), known.signature_of(value)]
            elif type(value) is int and known.is_count(key):
                self._count("", {key: value})
            elif not (
                known.is_volatile(key)
                or key in known.TAGS
                or known.is_ending(key, value)
                or known.is_counter(key, value)
            ):
                self._walk(known.joined(path, key), value, is_value=is_value)
        # Last, for what is in it may have an end of its own.
        self._end(fields, tag=names[0] if names else "")

    def _end(self, fields: dict[str, Any], *, tag: str = "") -> None:
        if known.ENDS.fullmatch(tag.lower()):
            self.endings[f"({tag})"] = "shown"
        for key, value in fields.items():
            if known.is_ending(key, value):
                shown = value.value if isinstance(value, Enum) else value
                self.endings[key] = str(shown)

    def _count(self, path: str, fields: dict[str, Any]) -> None:
        for key, value in fields.items():
            if type(value) is int:
                self.counts[known.joined(path, key)] = value

    def _walk_call(
        self, path: str, fields: dict[str, Any], name: Any, *, is_value: bool
    ) -> None:
        for field in known.SIGNATURES & fields.keys():
            self.signatures = [
                *(self.signatures or []),
                known.signature_of(fields[field]),
            ]
        arguments: Any = next(fields[key] for key in known.ARGUMENTS if key in fields)
        self._note_ids(fields)
        ids = (fields.get(field) for field in known.CALL_IDS)
        key = next((found for found in ids if isinstance(found, str | int)), None)
        if is_value and isinstance(name, str):
            self.calls.add_whole(key, name, arguments)
            return
        name = name if isinstance(name, str) else None
        place = fields.get("index", self._place)
        self.calls.add(key, name, arguments, place, path + str(fields.get("type")))

    def _note_ids(self, call: dict[str, Any]) -> None:
        found = (call.get(name) for name in known.CALL_IDS)
        self.ids |= dict.fromkeys(i for i in found if i and isinstance(i, str))

    def _feed(self, payload: dict[str, Any]) -> None:
        for choice in payload["choices"]:
            if isinstance(choice, dict):
                self._end(choice)
                self.logprobs += known.logprobs_of(choice.get("logprobs"))
                delta = (
                    known.fields_of(choice.get("delta") or choice.get("message")) or {}
                )
                self._walk("annotations", delta.get("annotations"), is_value=False)
                for entry in filter(
                    None, map(known.fields_of, delta.get("tool_calls") or ())
                ):
                    self._note_ids(entry)
                    function = known.fields_of(entry.get("function")) or {}
                    has_place = function.get("arguments") is not None
                    self.calls.has_arguments |= has_place
        self._chunks = self._chunks or ResponseAccumulator()
        self._chunks.feed(payload)


def fold(
    items: Iterable[Any], value: Any = None, *, raised: Raised | None = None
) -> Outcome:
    """Fold what came out of a consumer.

    Args:
        items: The messages that it emitted, in order.
        value: What it returned.
        raised: The exception that ended it.

    Returns:
        What was shown.
    """
    folding = _Folding()
    for item in known.decoded([*items]):
        folding.add(item)
    if value is not None:
        folding.add_value(value)
    return folding.outcome(raised)
