"""What a legal generateContent stream obeys, for those who write a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.apis.gemini.candidates import PART_ITEMS
from harness.apis.gemini.partial_args import ArgumentsText
from harness.apis.gemini.values import in_camel_case
from harness.apis.json_values import dict_of, dicts_of
from harness.apis.rule_checker import RuleChecker
from harness.apis.tables import read_rules
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Event, Payload

FINISH_REASONS = frozenset({
    "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST",
    "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
    "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_OTHER", "IMAGE_RECITATION",
    "NO_IMAGE", "ESCALATION", "PUP_LIMITED_DISABLED", "CONTINUATION", "MODEL_ARMOR",
})  # fmt: skip
"""The documented ones."""

IS_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3}={0,2})?")
"""What a signature is made of; in either alphabet, padded or not."""


class _Call:
    """The streamed call that is open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ArgumentsText()


class Checker(RuleChecker):
    """Holds one stream against the rules."""

    rules = read_rules("gemini")

    def __init__(self) -> None:
        super().__init__()
        self._head: dict[str, str] = {}
        self._finished: dict[int, str] = {}
        self._calls: dict[int, _Call | None] = {}
        self._ids: set[str] = set()
        self._is_blocked = False
        self._has_error = False

    def feed(self, event: Event) -> None:
        """Report the rules that an event breaks."""
        if event.name:
            self.broken("no-event-name", "no `event:` line", event.name)
        if self._has_error:
            self.broken("error-last", "the end", event.payload)
        sent = event.payload
        inner = sent.get("response")
        if isinstance(inner, dict) and "candidates" not in sent:
            self.broken("bare", "`candidates`", "`response`")
            sent = inner
        payload: Payload = in_camel_case(sent)
        if payload != sent:
            renamed = set(_keys(sent)) - set(_keys(payload))
            self.broken("camel-case", "camel case", ", ".join(sorted(renamed)))
        self._has_error = self._has_error or bool(payload.get("error"))
        self._check_head(payload)
        feedback = payload.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            self._is_blocked = True
        candidates = payload.get("candidates")
        if not isinstance(candidates, list):
            return
        if candidates and self._is_blocked:
            self.broken("blocked-alone", "no candidates", candidates)
        seen: set[object] = set()
        for candidate in candidates:
            if isinstance(candidate, dict):
                self._check_candidate(candidate, seen)

    def close(self) -> None:
        """Report the rules that the stream as a whole breaks."""
        for call in self._calls.values():
            if call is not None:
                self.broken("call-closed", "`functionCall: {}`", call.name)
        if self._has_error or self._is_blocked:
            return
        for number in self._calls or {0: None}:
            if number not in self._finished:
                got = f"none for candidate {number}"
                self.broken("finish-present", "a finishReason", got)

    def shown(self, got: object) -> str:
        """Return how a message shows what came."""
        return (got if isinstance(got, str) else _excerpt(got)) or "nothing"

    def _check_head(self, payload: Payload) -> None:
        for rule, key in (
            ("same-response", "responseId"),
            ("same-model", "modelVersion"),
        ):
            value = payload.get(key)
            if isinstance(value, str) and value:
                first = self._head.setdefault(key, value)
                if value != first:
                    self.broken(rule, shorten(first), shorten(value))

    def _check_candidate(self, candidate: dict[str, Any], seen: set[object]) -> None:
        index = candidate.get("index", 0)
        number = index if type(index) is int else 0
        if type(index) is not int or index < 0 or index in seen:
            self.broken("candidate-index", "a number of its own", index)
        seen.add(number)
        self._calls.setdefault(number, None)
        content = dict_of(candidate.get("content"))
        if content.get("role", "model") != "model":
            self.broken("role", "model", _excerpt(content["role"]))
        parts = content.get("parts")
        parts = parts if isinstance(parts, list) else []
        reason = candidate.get("finishReason")
        if not parts and not reason:
            self.broken("candidate-empty", "parts or a finishReason", candidate)
        if parts and number in self._finished and parts != [{"text": ""}]:
            self.broken("finish-last", "no more content", parts)
        for part in parts:
            if isinstance(part, dict):
                self._check_part(number, part)
        if isinstance(reason, str) and reason:
            if reason not in FINISH_REASONS:
                self.broken("finish-known", "a documented one", shorten(reason))
            if number in self._finished:
                self.broken("finish-once", "no other", shorten(reason))
            self._finished[number] = reason

    def _check_part(self, number: int, part: dict[str, Any]) -> None:
        kinds = [k for k in part if k in PART_ITEMS or k in {"text", "functionCall"}]
        if len(kinds) != 1:
            self.broken("part-one-kind", "one of them", ", ".join(kinds) or "none")
        signature = part.get("thoughtSignature", "")
        if not isinstance(signature, str) or not IS_BASE64.fullmatch(signature):
            self.broken("signature", "base64", shorten(signature))
        call = part.get("functionCall")
        if isinstance(call, dict):
            self._check_call(number, call)

    def _check_call(self, number: int, sent: dict[str, Any]) -> None:
        opened = self._calls[number]
        name = sent.get("name")
        if name:
            if opened is not None:
                self.broken("call-closed", "`functionCall: {}`", shorten(name))
            opened = _Call(shorten(name))
        elif opened is None:
            self.broken("call-named", "a name", sent)
            opened = _Call("no name")
        call_id = sent.get("id")
        if name and isinstance(call_id, str) and call_id:
            if call_id in self._ids:
                self.broken("call-id", "another id", shorten(call_id))
            self._ids.add(call_id)
        if not isinstance(sent.get("args", {}), dict):
            self.broken("call-args", "an object", sent["args"])
        for piece in dicts_of(sent.get("partialArgs")):
            _, problem = opened.text.feed(piece)
            if problem:
                self.broken("partial-args", "the next value", problem)
        goes_on = sent.get("willContinue") is True
        if not goes_on and not opened.text.is_complete:
            self.broken("partial-args", "the end of the text", "the end of the call")
        self._calls[number] = opened if goes_on else None


def _keys(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _excerpt(value: object) -> str:
    try:
        text = repr(value)
        return text if len(text) <= 80 else f"{text[:80]}..."
    except (RecursionError, ValueError):
        return "something that is nested too deeply"
