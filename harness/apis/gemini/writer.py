"""Parts to events of a generateContent stream.

One event is written for the parts of one event, as the API cuts coarsely itself. A
function call is held back until its arguments are whole, and what follows it waits,
so that the order stays: the API sends whole calls (or, as `partial-args`, one after
another). A finish reason waits for the token counts, which the API sends with it, and
its event for the end: other servers send more behind it. What the API cannot carry is
counted in `left_out`; `not carried` in
`tables.txt` has what becomes of it.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.counts import other_counts
from harness.apis.gemini.candidates import BESIDE_CONTENT, PART_ITEMS
from harness.apis.gemini.pending import STANDARD, PendingCandidate, Style
from harness.apis.gemini.rules import FINISH_REASONS, IS_BASE64
from harness.apis.gemini.values import rfc3339
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
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
    from harness.apis.base import Payload


_CONTENT = (Text, Reasoning, Refusal, CallPart, Opaque, Item)
_SUMMED = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
_REASONS = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}


class Writer:
    """Writes the parts of one response; see `harness.apis.base.Writer`."""

    def __init__(self, style: Style = STANDARD) -> None:
        self.left_out: dict[str, int] = {}
        self._style = style
        self._candidates: dict[int, PendingCandidate] = {}
        self._head: dict[str, Any] = {}
        self._counts: dict[str, Any] = {}
        self._is_counted = True  # the counts have been written
        self._is_finished = False
        self._feedback: dict[str, Any] | None = None
        self._errors: list[str] = []
        self._has_written = False
        self._held: list[Payload] = []  # the event that ends, while more may follow
        self._has_failed = False
        self._ends = False  # finish reasons need not wait

    def feed(self, parts: list[Part]) -> list[WrittenEvent]:
        """Write the parts of one event; empty where all of it must wait."""
        self._ends = False
        if self._held and any(isinstance(part, _CONTENT) for part in parts):
            self._reopen()
        for part in parts:
            if type(part) is OtherChoice:
                self._take(part.part, part.choice)
            else:
                self._take(part, 0)
        payloads = self._held + self._write()
        last = payloads[-1].get("candidates", ()) if payloads else ()
        ends = any("finishReason" in entry for entry in last)
        self._held = payloads[-1:] if ends else []
        return [self._edited(one) for one in payloads[: -1 if ends else None]]

    def close(self) -> list[WrittenEvent]:
        """Write what was held back; calls that are not whole are left out."""
        for candidate in self._candidates.values():
            candidate.release()
        self._is_finished = self._ends = True
        payloads = self._held + self._write()
        if not self._has_failed and (
            not self._is_counted or (self._head and not self._has_written)
        ):
            payloads.append(self._payload([]))
        return [self._edited(payload) for payload in payloads]

    def _reopen(self) -> None:
        """Let the finish that waits be the last once more: the source goes on."""
        for entry in self._held[-1].get("candidates", ()):
            if "finishReason" in entry:
                number = entry.get("index", 0)
                self._candidates[number].reopen(entry.pop("finishReason"))

    def _leave_out(self, what: str) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + 1

    def _take(self, part: Part, number: int) -> None:
        """Queue one part."""
        if type(part) is Head:
            self._take_head(part)
        elif type(part) is Usage:
            self._take_usage(part)
        elif type(part) is Problem:
            if part.kind is DiagnosticKind.ERROR_EVENT:
                self._ends = True
                if self._has_failed or self._errors:
                    self._leave_out("what follows an error")
                else:
                    self._errors.append(part.text)
        else:
            candidate = self._candidates.get(number)
            if candidate is None:
                candidate = PendingCandidate(number, self._style, self._leave_out)
                self._candidates[number] = candidate
            self._take_content(part, candidate)

    def _take_content(self, part: Part, candidate: PendingCandidate) -> None:
        if type(part) is Text:
            candidate.add_text(part.text, "text")
        elif type(part) is Reasoning:
            if self._style.has_thoughts:
                candidate.add_text(part.text, "reasoning")
            else:
                self._leave_out("reasoning")
        elif type(part) is Refusal:
            self._leave_out("refusal")
            candidate.add_text(part.text, "text")
        elif type(part) is CallPart:
            candidate.add_call(part)
        elif type(part) is Block:
            candidate.begin(part.kind)
        elif type(part) is Opaque:
            self._take_opaque(part, candidate)
        elif type(part) is Item:
            self._take_item(part, candidate)
        elif type(part) is Finish:
            self._take_finish(part, candidate)

    def _take_head(self, head: Head) -> None:
        response_id = head.id if self._style.has_response_id else ""
        for key, value in (("responseId", response_id), ("modelVersion", head.model)):
            if value and self._head.setdefault(key, value) != value:
                self._leave_out("another id or model")
        if head.created:
            time = rfc3339(head.created)
            if time:
                self._head["createTime"] = time
            else:
                self._leave_out("created")

    def _take_usage(self, usage: Usage) -> None:
        counts = usage.counts
        if any(key.endswith("TokenCount") or key == "trafficType" for key in counts):
            self._counts = counts if self._is_counted else {**self._counts, **counts}
        else:
            answered, thought = usage.output_tokens, usage.reasoning_tokens
            found = {
                "promptTokenCount": usage.input_tokens,
                "cachedContentTokenCount": usage.cached_tokens,
                "candidatesTokenCount": None
                if answered is None
                else answered - (thought or 0),
                "thoughtsTokenCount": thought,
            }
            known = {key: n for key, n in found.items() if n is not None}
            self._counts = {**self._counts, **known}
            summed = [self._counts.get(key, 0) for key in _SUMMED]
            self._counts["totalTokenCount"] = sum(n for n in summed if type(n) is int)
            if other_counts(usage):
                self._leave_out("token count")
        self._is_counted = False
        self._ends = True

    def _take_opaque(self, part: Opaque, candidate: PendingCandidate) -> None:
        if part.kind != "signature":
            self._leave_out(part.kind)
            return
        if not part.data or not IS_BASE64.fullmatch(part.data):
            self._leave_out("signature")
        elif part.call is None:
            candidate.sign_text(part.data)
        else:
            candidate.sign_call(part)

    def _take_item(self, item: Item, candidate: PendingCandidate) -> None:
        if not item.is_done:
            return
        kind, value = item.kind, item.value
        if kind in PART_ITEMS and isinstance(value, dict) and kind in value:
            candidate.add(dict(value))
        elif kind in BESIDE_CONTENT:
            candidate.add((kind, value))
        elif kind == "promptFeedback" and isinstance(value, dict):
            self._feedback = value
        else:
            self._leave_out(kind)

    def _take_finish(self, finish: Finish, candidate: PendingCandidate) -> None:
        if self._has_failed:
            self._leave_out("what follows an error")
            return
        self._is_finished = True
        candidate.release()
        if self._feedback is not None:
            return  # the prompt was refused: no candidate shows it
        reason = finish.reason
        if reason not in FINISH_REASONS:
            reason = _REASONS.get(finish.meaning or reason, "")
        if not reason:
            # A new reason of this API is kept, a word of another is not.
            reason = finish.reason if finish.reason.isupper() else "OTHER"
            if reason == "OTHER":
                self._leave_out("finish reason")
        candidate.finish(reason)

    def _write(self) -> list[Payload]:
        """Return the objects of what no longer waits."""
        entries = [
            candidate.entries(ends=self._ends)
            for _, candidate in sorted(self._candidates.items())
        ]
        payloads = [
            self._payload([entry for entry in row if entry is not None])
            for row in zip_longest(*entries)
        ]
        if self._feedback is not None and "blockReason" in self._feedback:
            payloads.append(self._payload([], {"promptFeedback": self._feedback}))
            self._feedback = {}
        elif (
            self._is_finished
            and not (payloads or self._is_counted or self._has_failed)
            and not any(candidate.waits for candidate in self._candidates.values())
        ):
            payloads.append(self._payload([]))
        if self._errors and self._head and not self._has_written:
            self._leave_out("id or model of an error")
        for text in self._errors:
            error = {"code": 500, "message": text, "status": "INTERNAL"}
            payloads.append({"error": error})
            self._has_written = self._has_failed = True
        self._errors.clear()
        return payloads

    def _payload(
        self, candidates: list[dict[str, Any]], more: dict[str, Any] | None = None
    ) -> Payload:
        self._has_written = True
        payload: Payload = {}
        if candidates:
            payload["candidates"] = candidates
        payload |= more or {}
        if self._counts and (self._style.counts_every_event or self._is_finished):
            payload["usageMetadata"] = self._counts
            self._is_counted = True
        payload |= self._head
        return payload

    def _edited(self, payload: Payload) -> WrittenEvent:
        edit = self._style.edit
        return WrittenEvent("", payload if edit is None else edit(payload))


def body(parts: list[Part], style: Style = STANDARD) -> Payload:
    """Write the whole answer that is not streamed.

    Args:
        parts: All parts of the response.
        style: How to write it; `partialArgs` are only streamed.

    Returns:
        The document; an error in the stream stands beside what came before it.
    """
    writer = Writer(style)
    document: Payload = {}
    for event in [*writer.feed(parts), *writer.close()]:
        known = document.setdefault("candidates", [])
        document |= {k: v for k, v in event.payload.items() if k != "candidates"}
        for entry in event.payload.get("candidates", ()):
            same = [c for c in known if c.get("index") == entry.get("index")]
            if same:
                content = same[0].setdefault("content", {"parts": [], "role": "model"})
                content["parts"] += entry.pop("content", {"parts": []})["parts"]
                same[0] |= entry
            else:
                known.append(entry)
    return document
