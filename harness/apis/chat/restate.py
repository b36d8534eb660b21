"""Parts of any API restated as chat chunks, for consumers that take nothing else.

One event gives no chunk, one, or several with its number: a chat delta is read in a
fixed order (reasoning, content, refusal, calls, finish), so parts that came in another
order get a chunk each. Nothing is held back, so that a chunk has the time of the event
that caused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import Chunk, Payload
from harness.apis.counts import other_counts
from harness.apis.json_values import dicts_of
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


_ERROR = DiagnosticKind.ERROR_EVENT
_RANKS: dict[type, int] = {Reasoning: 0, Text: 1, Refusal: 2, CallPart: 3, Finish: 4}
_FIELDS: dict[type, str] = {
    Reasoning: "reasoning_content",
    Text: "content",
    Refusal: "refusal",
}


def delta_payload(head: dict[str, Any], part: Part) -> Payload:
    """Return the chunk that one delta of choice 0 makes, after the first.

    Args:
        head: As `Restater.head`.
        part: The delta: text, reasoning, a refusal, or a call's.
    """
    if isinstance(part, CallPart):
        return _payload(head, 0, {"tool_calls": [_entry(part)]}, None)
    assert isinstance(part, Text | Reasoning | Refusal)
    return _payload(head, 0, {_FIELDS[type(part)]: part.text}, None)


class Restater:
    """Restates the parts of one response.

    What chat chunks cannot carry (`Block`, `Opaque`, `Item`) stays in `Chunk.parts` of
    the next chunk, or in `left` where none follows. An error is a chunk of its own.
    """

    def __init__(self) -> None:
        self.left: list[Part] = []
        """Parts that no chunk has taken along yet."""
        self.left_out: dict[str, int] = {}
        """What the JSON of the chunks does not carry, and how often it came."""
        self.head: dict[str, Any] = {
            "id": "",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "",
        }
        """What all chunks have beside their choices; never changed in place."""
        self._started: set[int] = set()
        self._usage: dict[str, Any] | None = None
        self._is_finished = False

    @property
    def is_ready(self) -> bool:
        """Whether one delta of choice 0 would make one chunk, `delta_payload`."""
        return 0 in self._started and not self.left

    def chunks(
        self, index: int, at: float | None, parts: list[Part]
    ) -> Iterator[Chunk]:
        """Restate the parts of one event.

        Args:
            index: The event's number.
            at: Its time.
            parts: What its reader returned, without problems.

        Yields:
            Chunks with that number and time, each with the parts that it restates.
        """
        choice, rank = 0, -1
        delta: dict[str, Any] = {}
        reason: str | None = None
        seen: set[int] = set()
        has_usage = False

        def close() -> Chunk:
            nonlocal delta, reason, rank
            chunk = self._chunk(index, at, choice, delta, reason)
            delta, reason, rank = {}, None, -1
            seen.clear()
            return chunk

        for part in parts:
            number, inner = (
                (part.choice, part.part) if type(part) is OtherChoice else (0, part)
            )
            its_rank = _RANKS.get(type(inner))
            if its_rank is None:
                if type(inner) is Problem and inner.kind is _ERROR:
                    if rank >= 0:
                        yield close()
                    yield Chunk(index, at, {"error": {"message": inner.text}}, [inner])
                    continue
                self._note(inner)
                has_usage = has_usage or type(inner) is Usage
                self.left.append(part)
                continue
            is_taken = its_rank < rank or (
                its_rank == rank
                and (type(inner) is not CallPart or inner.call.position in seen)
            )
            if rank >= 0 and (is_taken or number != choice):
                yield close()
            choice, rank = number, its_rank
            self.left.append(part)
            if isinstance(inner, Text | Reasoning | Refusal):
                delta[_FIELDS[type(inner)]] = inner.text
            elif type(inner) is CallPart:
                seen.add(inner.call.position)
                delta.setdefault("tool_calls", []).append(_entry(inner))
            elif type(inner) is Finish:
                reason = inner.meaning or inner.reason
                self._is_finished = True
        if rank >= 0:
            yield close()
        elif has_usage and self._is_finished:
            yield self._end(index, at)

    def close(self) -> None:
        """The answer is over: count what waited for a finish that never came."""
        if self._usage is not None and not self._is_finished:
            self.left_out["token count"] = self.left_out.get("token count", 0) + 1

    def _chunk(
        self,
        index: int,
        at: float | None,
        choice: int,
        delta: dict[str, Any],
        reason: str | None,
    ) -> Chunk:
        if choice not in self._started:
            self._started.add(choice)
            delta = {"role": "assistant", **delta}
        payload = _payload(self.head, choice, delta, reason)
        if reason is not None and self._usage is not None:
            payload["usage"] = self._usage
        parts, self.left = self.left, []
        return Chunk(index, at, payload, parts)

    def _end(self, index: int, at: float | None) -> Chunk:
        """Return the chunk for token counts that came behind the finish."""
        parts, self.left = self.left, []
        payload = {**self.head, "choices": [], "usage": self._usage}
        return Chunk(index, at, payload, parts)

    def _note(self, part: Part) -> None:
        """Keep what stands beside the choices; count what chunks cannot carry."""
        what = ""
        if type(part) is Head:
            new = {"id": part.id, "model": part.model, "created": int(part.created)}
            self.head = {**self.head, **{k: v for k, v in new.items() if v}}
        elif type(part) is Usage:
            self._read_usage(part)
            what = "token count" if other_counts(part) else ""
        elif type(part) is Opaque or (type(part) is Item and part.is_done):
            what = part.kind
        if what:
            self.left_out[what] = self.left_out.get(what, 0) + 1

    def _read_usage(self, usage: Usage) -> None:
        known = self._usage or {}
        self._usage, total = dict(known), 0
        for name, count, kind, part in (
            ("prompt", usage.input_tokens, "cached", usage.cached_tokens),
            ("completion", usage.output_tokens, "reasoning", usage.reasoning_tokens),
        ):
            key = f"{name}_tokens"
            self._usage[key] = known.get(key, 0) if count is None else count
            total += self._usage[key]
            if part is not None:
                self._usage[f"{key}_details"] = {f"{kind}_tokens": part}
        self._usage["total_tokens"] = total


def _payload(
    head: dict[str, Any], choice: int, delta: dict[str, Any], reason: str | None
) -> dict[str, Any]:
    entry = {"index": choice, "delta": delta, "finish_reason": reason}
    return {**head, "choices": [entry]}


def _entry(part: CallPart) -> dict[str, Any]:
    """Return the entry of `tool_calls` for a part of a call."""
    call = part.call
    is_custom = call.type == "custom"
    inner: dict[str, Any] = {}
    if part.name or part.is_new:
        inner["name"] = part.name
    inner["input" if is_custom else "arguments"] = part.arguments
    entry: dict[str, Any] = {"index": call.position}
    if part.id:
        entry["id"] = part.id
    if part.is_new:
        entry["type"] = call.type
    entry["custom" if is_custom else "function"] = inner
    return entry


def restated_whole(parts: list[Part]) -> Chunk:
    """Restate a whole answer as one chunk, its texts joined in reading order."""
    delta: dict[str, Any] = {"role": "assistant"}
    payload: dict[str, Any] = {}
    for chunk in Restater().chunks(0, None, parts):
        payload = chunk.payload
        for choice in payload["choices"]:
            if choice["index"] == 0:
                _join(delta, choice)
    choice = {"index": 0, "delta": delta, "finish_reason": delta.pop("finish", None)}
    return Chunk(0, None, {**payload, "choices": [choice]}, parts)


def _join(delta: dict[str, Any], choice: dict[str, Any]) -> None:
    for field, value in choice["delta"].items():
        if field == "tool_calls":
            delta.setdefault(field, []).extend(value)
        elif field != "role":
            delta[field] = delta.get(field, "") + value
    if choice["finish_reason"] is not None:
        delta["finish"] = choice["finish_reason"]


def as_chunk(completion: dict[str, Any]) -> dict[str, Any]:
    """Return a whole chat completion as the payload of one chunk."""
    return {
        **completion,
        "object": "chat.completion.chunk",
        "choices": [
            {
                **{key: value for key, value in choice.items() if key != "message"},
                "delta": choice.get("message"),
            }
            for choice in dicts_of(completion.get("choices"))
        ],
    }


def without_empty_deltas(completion: dict[str, Any]) -> dict[str, Any]:
    """Return a whole completion without the empty deltas beside its messages.

    Source: Perplexity sends one; a message beside deltas would be of a stream.
    """
    choices = completion.get("choices")
    if not isinstance(choices, list):
        return completion
    kept = [
        {k: v for k, v in choice.items() if k != "delta" or not _is_empty(v)}
        if isinstance(choice, dict) and isinstance(choice.get("message"), dict)
        else choice
        for choice in choices
    ]
    return {**completion, "choices": kept}


def _is_empty(delta: object) -> bool:
    return not isinstance(delta, dict) or not any(
        value for key, value in delta.items() if key != "role"
    )
