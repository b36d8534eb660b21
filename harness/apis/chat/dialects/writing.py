"""The skeleton of a provider: when its chunks come, whatever is in them.

A `Writer` writes a stream anew in one provider's shape. What differs between
providers is declared in the subclasses of `harness.apis.chat.dialects.providers`:
how calls come (in fragments, whole, all together), where the finish reason and
the token counts stand, and the fields of each kind of chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from harness.apis.chat.dialects.parts import (
    Attached,
    Call,
    Carried,
    Fragment,
    Open,
    Start,
    carried,
    restated,
)
from harness.apis.json_values import is_json
from harness.core.parts import Finish, Reasoning, Refusal, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.chat.chunks import Chunk, Payload

Delta = dict[str, Any]


class Meta(NamedTuple):
    """What names the completion a chunk belongs to, as the source had it."""

    id: str = "chatcmpl-0"
    created: int = 0
    model: str = "model"


class _Whole:
    """A call whose arguments are collected."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.texts: list[str] = []
        self.is_written = False

    @property
    def arguments(self) -> str:
        return "".join(self.texts)

    @property
    def is_complete(self) -> bool:
        return self.call.is_custom or is_json(self.arguments or "{}")


class Writer:
    """Writes one stream; made for each stream anew."""

    calls: ClassVar[Literal["fragments", "whole", "together"]] = "fragments"
    """One chunk a fragment, one a call, or one for all calls."""
    finish: ClassVar[Literal["own", "rides"]] = "own"
    """Whether the finish reason has a chunk of its own or rides on the last one."""
    usage: ClassVar[Literal["chunk", "finish"]] = "chunk"
    """Whether the token counts have a chunk without choices or come with the finish."""
    starts: ClassVar[bool] = True
    """Whether a choice starts with a chunk that only has the role."""
    attaches_at_once: ClassVar[bool] = False
    """Whether citations come as they are found; else all in one delta in the end, for
    the SDK of OpenAI refuses a second list whose entries have no index."""
    payload: ClassVar[Payload] = {
        "id": "",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "",
        "choices": [],
    }
    """The fields of a chunk in order; what the source had takes their places."""
    choice_fields: ClassVar[tuple[str, ...]] = ("index", "delta", "finish_reason")
    """The fields of a choice in order."""
    last_choice_fields: ClassVar[tuple[str, ...]] = ()
    """Those of a choice that has a finish reason; empty if they are the same."""
    start: ClassVar[Delta] = {"role": "assistant", "content": ""}
    """The delta that announces the role."""
    text: ClassVar[Delta] = {"content": ""}
    """A delta with visible text."""
    reasoning: ClassVar[Delta] = {"reasoning_content": ""}
    """A delta with reasoning."""
    refusal: ClassVar[Delta] = {"refusal": ""}
    """A delta with the text of a refusal."""
    tools: ClassVar[Delta] = {"tool_calls": []}
    """A delta with calls."""
    end: ClassVar[Delta] = {}
    """The delta beside the finish reason."""
    entry_fields: ClassVar[tuple[str, ...]] = ("index", "id", "type", "function")
    """The fields of what opens a call in order."""
    function_fields: ClassVar[tuple[str, ...]] = ("name", "arguments")
    """The fields of its function in order."""

    def __init__(self) -> None:
        self.meta = Meta()
        self._whole: dict[int, dict[int, _Whole]] = {}
        self._held: dict[int, Chunk] = {}
        self._attached: dict[int, dict[str, list[Any]]] = {}

    # What a provider may do in a way of its own.

    def head(self) -> Payload:
        """Return a payload's fields in order, `choices` empty."""
        return {**self.payload, **self.meta._asdict(), "choices": []}

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """Return an entry of `choices`."""
        values = {
            "index": index,
            "delta": delta,
            "finish_reason": reason,
            "native_finish_reason": reason,
        }
        fields = self.choice_fields
        if reason is not None:
            fields = self.last_choice_fields or fields
        return {field: values.get(field) for field in fields}

    def first(self) -> list[Payload]:
        """Return what comes before everything else."""
        return []

    def text_delta(self, text: str) -> Delta:
        """Return a delta with visible text."""
        return {**self.text, "content": text}

    def reasoning_delta(self, text: str) -> Delta:
        """Return a delta with reasoning."""
        field = next(name for name in self.reasoning if name.startswith("reasoning"))
        return {**self.reasoning, field: text}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """Return the entry that opens a call, with all or none of its arguments."""
        given = {"name": call.name, "arguments": arguments}
        values = {
            "index": call.position,
            "id": call.id,
            "type": "function",
            "function": {field: given[field] for field in self.function_fields},
        }
        return {field: values[field] for field in self.entry_fields}

    def more(self, call: Call, arguments: str) -> dict[str, Any]:
        """Return the entry of a later fragment."""
        return {"index": call.position, "function": {"arguments": arguments}}

    def finished(self, payload: Payload, usage: dict[str, Any] | None) -> Payload:
        """Return a payload with a finish reason, with the token counts if any."""
        return payload if usage is None else {**payload, "usage": usage}

    def usage_payload(self, usage: dict[str, Any]) -> Payload:
        """Return the payload that only has the token counts."""
        return {**self.head(), "usage": usage}

    # When it comes.

    def write(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Write a stream in this shape.

        Args:
            chunks: The stream in any shape.

        Yields:
            The chunks of this provider, with the number and time of the chunk that
            carried the same. Calls that come whole are held back until they are.
        """
        source = self._with_meta(chunks)
        finishes: list[tuple[int, Finish]] = []
        usage: dict[str, Any] | None = None
        last: Chunk | None = None
        for item in carried(source):
            if last is None:
                for payload in self.first():
                    yield restated(item.chunk, payload)
            last = item.chunk
            if item.error is not None:
                yield from self._release()
                yield item.chunk
            elif item.usage is not None:
                usage = item.usage
            elif isinstance(item.part, Finish):
                finishes.append((item.choice, item.part))
            else:
                yield from self._write_part(item)
        if last is not None:
            yield from self._write_end(last, finishes, usage)

    def _with_meta(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        found: dict[str, Any] = {}
        for chunk in chunks:
            if len(found) < 3:
                for field in ("id", "created", "model"):
                    value = chunk.payload.get(field)
                    if value and field not in found:
                        found[field] = value
                        self.meta = self.meta._replace(**{field: value})
            yield chunk

    def _write_part(self, item: Carried) -> Iterator[Chunk]:
        chunk, index, part = item.chunk, item.choice, item.part
        if isinstance(part, Start):
            if self.starts:
                yield from self._write(chunk, index, dict(self.start))
        elif isinstance(part, Open | Fragment):
            yield from self._write_call(chunk, index, part)
        else:
            whole = self._whole.get(index, {})
            if all(held.is_complete for held in whole.values()):
                # Complete calls stay before what comes after them; others may go on
                # behind it (interleaving), and cannot be sent whole before the end.
                yield from self._write_whole(chunk, index)
            if isinstance(part, Text):
                yield from self._write(chunk, index, self.text_delta(part.text))
            elif isinstance(part, Reasoning):
                yield from self._write(chunk, index, self.reasoning_delta(part.text))
            elif isinstance(part, Refusal):
                yield from self._write(
                    chunk, index, {**self.refusal, "refusal": part.text}
                )
            elif isinstance(part, Attached):
                attached = self._attached.setdefault(index, {})
                for field, entries in part.fields.items():
                    attached.setdefault(field, []).extend(entries)
                if self.attaches_at_once:
                    yield from self._write_attached(chunk)

    def _entry(self, call: Call, arguments: str) -> dict[str, Any]:
        if not call.is_custom:
            return self.entry(call, arguments)
        # Only OpenAI has custom tools, so every dialect writes them as it does.
        custom = {"name": call.name, "input": arguments}
        place = {"index": call.position, "id": call.id}
        return {**place, "type": "custom", "custom": custom}

    def _more(self, call: Call, arguments: str) -> dict[str, Any]:
        if not call.is_custom:
            return self.more(call, arguments)
        return {"index": call.position, "custom": {"input": arguments}}

    def _write_call(
        self, chunk: Chunk, index: int, part: Open | Fragment
    ) -> Iterator[Chunk]:
        call = part.call
        if self.calls == "fragments":
            entry = (
                self._entry(call, "")
                if isinstance(part, Open)
                else self._more(call, part.text)
            )
            yield from self._write_calls(chunk, index, [entry])
            return
        whole = self._whole.setdefault(index, {})
        held = whole.setdefault(call.position, _Whole(call))
        if isinstance(part, Fragment) and held.is_written:
            yield from self._write_calls(chunk, index, [self._more(call, part.text)])
        elif isinstance(part, Fragment):
            held.texts.append(part.text)

    def _write_whole(self, chunk: Chunk, index: int) -> Iterator[Chunk]:
        entries = []
        for held in self._whole.get(index, {}).values():
            if not held.is_written:
                held.is_written = True
                entries.append(self._entry(held.call, held.arguments))
        if self.calls == "together" and entries:
            yield from self._write_calls(chunk, index, entries)
        else:
            for entry in entries:
                yield from self._write_calls(chunk, index, [entry])

    def _write_calls(
        self, chunk: Chunk, index: int, entries: list[dict[str, Any]]
    ) -> Iterator[Chunk]:
        return self._write(chunk, index, {**self.tools, "tool_calls": entries})

    def _write_attached(self, chunk: Chunk) -> Iterator[Chunk]:
        for index, fields in self._attached.items():
            yield from self._write(chunk, index, {**self.text_delta(""), **fields})
        self._attached.clear()

    def _write(self, chunk: Chunk, index: int, delta: Delta) -> Iterator[Chunk]:
        payload = {**self.head(), "choices": [self.choice(index, delta, None)]}
        item = restated(chunk, payload)
        if self.finish == "rides":
            before = self._held.get(index)
            self._held[index] = item
            if before is not None:
                yield before
        else:
            yield item

    def _release(self) -> Iterator[Chunk]:
        yield from self._held.values()
        self._held.clear()

    def _write_end(
        self,
        last: Chunk,
        finishes: list[tuple[int, Finish]],
        usage: dict[str, Any] | None,
    ) -> Iterator[Chunk]:
        for index in list(self._whole):
            yield from self._write_whole(last, index)
        yield from self._write_attached(last)
        in_finish = usage if self.usage == "finish" else None
        for number, (index, finish) in enumerate(finishes):
            delta = dict(self.end)
            held = self._held.pop(index, None)
            if held is not None:
                delta = held.payload["choices"][0]["delta"]
            choice = self.choice(index, delta, finish.reason)
            payload = {**self.head(), "choices": [choice]}
            counts = in_finish if number == len(finishes) - 1 else None
            yield restated(last, self.finished(payload, counts))
        yield from self._release()
        if usage is not None and (in_finish is None or not finishes):
            yield restated(last, self.usage_payload(usage))
