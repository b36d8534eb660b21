"""Events of a generateContent stream to parts.

An event is a whole `GenerateContentResponse`; text parts append in order. There are
no indices, so what goes on is known by its place alone, and there is no event that
ends a response: the finish reason is the last word.

- A part with a signature stays one: a `Block` before it, `Opaque` behind it.
- A function call comes whole or, with `partialArgs`, in pieces, one call at a time.
  Its arguments are written as they come (`harness.apis.gemini.partial_args`).
- Everything else that a part can be is an `Item`, the whole part as sent, and so is
  what stands beside the content: citations, grounding, pages read.
- Keys in snake case (some proxies) and the wrapper of Code Assist are read alike.

Source: Gemini API reference, `GenerateContentResponse`; recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.accounting import UnreadFields
from harness.apis.base import Event
from harness.apis.gemini.calls import CallReader
from harness.apis.gemini.known_fields import FIELDS
from harness.apis.gemini.values import error_message, in_camel_case, unix_seconds
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Text,
    Usage,
)
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.apis.base import Payload

__all__ = ["BESIDE_CONTENT", "MEANINGS", "PART_ITEMS", "Reader", "whole"]

PART_ITEMS = frozenset({
    "audioTranscription", "codeExecutionResult", "executableCode", "fileData",
    "functionResponse", "inlineData", "toolCall", "toolResponse",
})  # fmt: skip
"""What a part can be besides text and a function call."""

BESIDE_CONTENT = frozenset({
    "citationMetadata", "finishMessage", "groundingMetadata", "urlContextMetadata",
})  # fmt: skip
"""Fields of a candidate that become items."""

MEANINGS = {
    "STOP": "stop",  # `tool_calls` where a function was called
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "LANGUAGE": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
"""Finish reasons in chat's words; others have no counterpart there."""


_READ_APART = frozenset({"functionCall", "text", "thought", "thoughtSignature"})


class _Candidate:
    """One candidate, as far as it has come."""

    __slots__ = ("calls", "finish", "goes_on")

    def __init__(self) -> None:
        self.calls = CallReader()
        self.finish = ""
        self.goes_on = False  # content has come after the finish reason


def whole(document: Any) -> list[Part]:
    """Read an answer that was not streamed, all candidates of it.

    Args:
        document: The object; or a list of them, as a stream without `alt=sse` and some
            errors are.

    Returns:
        Its parts, problems last.
    """
    reader = Reader()
    parts: list[Part] = []
    for index, entry in enumerate(document if type(document) is list else [document]):
        if type(entry) is dict:
            parts += reader.feed(Event(index, "", entry))
    return parts + reader.close()


class Reader:
    """The state of one streamed response; see `harness.apis.base.Reader`."""

    __slots__ = (
        "_candidates",
        "_counts",
        "_has_error",
        "_head",
        "_in_snake_case",
        "_is_blocked",
        "_late",
        "_unread",
    )

    def __init__(self) -> None:
        self._unread = UnreadFields(FIELDS)
        self._candidates = {0: _Candidate()}
        self._head = Head()
        self._counts: object = None
        self._in_snake_case = False
        self._is_blocked = False
        self._has_error = False
        self._late = False  # content after a finish reason was reported

    @property
    def is_finished(self) -> bool:
        """Whether the last word has come: a finish reason, a refused prompt, an error.

        More may follow all the same: usage, and where every event has `STOP`, content.
        """
        return self._is_blocked or self._has_error or bool(self._candidates[0].finish)

    def feed(self, event: Event) -> list[Part]:
        """Read one event; return what is new, in order, empty if nothing."""
        payload = self._account(event)
        parts: list[Part] = []
        self._read_head(payload, parts)
        error = payload.get("error")
        if error:
            self._has_error = True
            parts.append(Problem(DiagnosticKind.ERROR_EVENT, error_message(error)))
        feedback = payload.get("promptFeedback")
        if type(feedback) is dict:
            reason = feedback.get("blockReason")
            if reason and type(reason) is str:
                self._is_blocked = True
                parts += [
                    Item("promptFeedback", feedback),
                    Finish(reason, "content_filter"),
                ]
        candidates = payload.get("candidates")
        if type(candidates) is list:
            for entry in candidates:
                if type(entry) is dict:
                    self._read_candidate(entry, parts)
        counts = payload.get("usageMetadata")
        if counts and type(counts) is dict and counts != self._counts:
            self._counts = counts
            parts.append(Usage(counts))
        return parts

    def close(self) -> list[Part]:
        """Return what is missing, and the unread fields."""
        parts: list[Part] = []
        for number, candidate in self._candidates.items():
            found: list[Part] = []
            candidate.calls.end(found)
            parts += _of(number, found)
        if not self.is_finished:
            parts.append(
                Problem(
                    DiagnosticKind.MISSING_FINISH,
                    "the stream ended without a finishReason for candidate 0: "
                    "it was probably cut off",
                )
            )
        return parts + self._unread.problems()

    def _account(self, event: Event) -> Payload:
        """Account for every leaf; return the event as the API would have sent it."""
        payload = event.payload
        inner = payload.get("response")
        if type(inner) is dict and "candidates" not in payload:
            outer = {key: value for key, value in payload.items() if key != "response"}
            self._unread.feed(event.index, outer)
            payload = inner
        if self._in_snake_case:
            payload = in_camel_case(payload)
        unread = list(FIELDS.unread(payload))  # empty, nearly always
        if unread and not self._in_snake_case:
            renamed = in_camel_case(payload)
            if len(list(FIELDS.unread(renamed))) < len(unread):
                self._in_snake_case = True
                payload = renamed
        if unread:
            self._unread.feed(event.index, payload)
        return payload

    def _read_head(self, payload: Payload, parts: list[Part]) -> None:
        known = self._head
        response_id = payload.get("responseId")
        if type(response_id) is not str:
            response_id = ""
        model = payload.get("modelVersion")
        if type(model) is not str:
            model = ""
        created = known.created
        if not created and "createTime" in payload:
            created = unix_seconds(payload["createTime"])
        if (
            (not response_id or response_id == known.id)
            and (not model or model == known.model)
            and created == known.created
        ):
            return
        if response_id and known.id and response_id != known.id:
            parts.append(
                Problem(
                    DiagnosticKind.ILLEGAL_EVENT,
                    f"responseId changed from {shorten(known.id)} to "
                    f"{shorten(response_id)}: a second response in one stream",
                )
            )
        parts.append(Head(response_id, model, created))
        self._head = Head(response_id or known.id, model or known.model, created)

    def _read_candidate(self, entry: dict[str, Any], parts: list[Part]) -> None:
        index = entry.get("index")
        number = index if type(index) is int else 0  # 0 is left out on the wire
        candidate = self._candidates.get(number)
        if candidate is None:
            candidate = self._candidates[number] = _Candidate()
        found: list[Part] = []
        content = entry.get("content")
        if type(content) is dict:
            pieces = content.get("parts")
            if type(pieces) is list:
                for piece in pieces:
                    if type(piece) is dict:
                        _read_piece(candidate, piece, found)
        if found and candidate.finish:
            self._note_late(candidate, found)
        found += [
            Item(kind, value) for kind, value in entry.items() if kind in BESIDE_CONTENT
        ]
        reason = entry.get("finishReason")
        if reason and type(reason) is str:
            _read_finish(candidate, reason, found)
        parts += _of(number, found)

    def _note_late(self, candidate: _Candidate, found: list[Part]) -> None:
        if not self._late:
            self._late = True
            found.append(
                Problem(
                    DiagnosticKind.ILLEGAL_EVENT,
                    f"content after finishReason {candidate.finish}: a client that "
                    "stops at the first one loses it",
                )
            )
        candidate.goes_on = True


def _of(number: int, parts: list[Part]) -> list[Part]:
    return [OtherChoice(number, part) for part in parts] if number else parts


def _read_finish(candidate: _Candidate, reason: str, parts: list[Part]) -> None:
    if reason == candidate.finish and not candidate.goes_on:
        return  # repeated
    if reason == "STOP":
        candidate.calls.settle(parts, "when the candidate finished")
    candidate.finish = reason
    candidate.goes_on = False
    called = reason == "STOP" and candidate.calls.count
    parts.append(Finish(reason, "tool_calls" if called else MEANINGS.get(reason, "")))


def _read_piece(
    candidate: _Candidate, piece: dict[str, Any], parts: list[Part]
) -> None:
    """Read one entry of a content's `parts`."""
    text = piece.get("text")
    if len(piece) == 1 and type(text) is str:  # nearly every one
        if text:
            parts.append(Text(text))
        return
    is_thought = piece.get("thought") is True
    signature = piece.get("thoughtSignature")
    if type(signature) is not str:
        signature = ""
    call = piece.get("functionCall")
    if type(call) is not dict:
        call = None
    kind = next((key for key in piece if key in PART_ITEMS and piece[key]), "")
    if kind:
        if call is None and not (text and type(text) is str):
            parts.append(Item(kind, piece))
            return
        rest = {key: value for key, value in piece.items() if key not in _READ_APART}
        parts.append(Item(kind, rest))
    if signature and call is None:
        parts.append(Block("reasoning" if is_thought else "text"))
    if text and type(text) is str:
        parts.append(Reasoning(text) if is_thought else Text(text))
    if call is not None:
        candidate.calls.feed(call, signature, parts)
    elif signature:
        parts.append(Opaque("signature", signature))
