"""One candidate of a generateContent stream to parts."""

from __future__ import annotations

from typing import Any

from harness.apis.gemini.calls import CallReader
from harness.apis.json_values import dicts_of, text_of
from harness.core.parts import Block, Finish, Item, Opaque, Part, Reasoning, Text

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
_PLAIN_CANDIDATE = frozenset({"content", "index"})
_PLAIN_CONTENT = frozenset({"parts", "role"})


class CandidateReader:
    """Reads the entries of one candidate."""

    def __init__(self) -> None:
        self._calls = CallReader()
        self.finish = ""
        """The last finish reason; empty while none has come."""
        self.goes_on = False
        """Whether content has come after it."""
        self.is_empty = False
        """Whether a finish reason was empty text."""

    def feed(self, entry: dict[str, Any], parts: list[Part]) -> None:
        """Read one entry of `candidates`; add its parts."""
        before = len(parts)
        content = entry.get("content")
        if type(content) is dict:
            for piece in dicts_of(content.get("parts")):
                self._read_piece(piece, parts)
        if len(parts) > before:
            self.goes_on = True
        parts += [
            Item(kind, value)
            for kind, value in entry.items()
            if kind in BESIDE_CONTENT and value
        ]
        reason = entry.get("finishReason")
        if reason and type(reason) is str:
            self._read_finish(reason, parts)
        elif reason == "":
            self.is_empty = True

    def end(self, parts: list[Part]) -> None:
        """Report a call that is open when the stream ends."""
        self._calls.end(parts)

    def _read_finish(self, reason: str, parts: list[Part]) -> None:
        if reason == self.finish and not self.goes_on:
            return  # repeated
        if reason == "STOP":
            self._calls.settle(parts, "when the candidate finished")
        self.finish = reason
        self.goes_on = False
        meaning = MEANINGS.get(reason, "")
        if reason == "STOP" and self._calls.count:
            meaning = "tool_calls"
        parts.append(Finish(reason, meaning))

    def _read_piece(self, piece: dict[str, Any], parts: list[Part]) -> None:
        """Read one entry of a content's `parts`."""
        text = text_of(piece.get("text"))
        if len(piece) == 1 and text:
            parts.append(Text(text))
            return
        is_thought = str(piece.get("thought")).lower() == "true"  # the SDK takes text
        signature = text_of(piece.get("thoughtSignature"))
        call = piece.get("functionCall")
        if type(call) is not dict:
            call = None
        kind = next((key for key in piece if key in PART_ITEMS and piece[key]), "")
        if kind:
            if call is None and not text:
                parts.append(Item(kind, piece))
                return
            rest = {key: piece[key] for key in piece if key not in _READ_APART}
            parts.append(Item(kind, rest))
        if signature and call is None:
            parts.append(Block("reasoning" if is_thought else "text"))
        if text:
            parts.append(Reasoning(text) if is_thought else Text(text))
        if call is not None:
            self._calls.feed(call, signature, parts)
        elif signature:
            parts.append(Opaque("signature", signature))


def plain_text(candidates: object, *, is_thought: bool = False) -> str | None:
    """Return the text of `candidates` that hold one piece of it and nothing else.

    Nearly every event is like that. None where there is more, or another candidate.

    Args:
        candidates: As sent; any shape.
        is_thought: Whether it must be marked as a thought; else it must not be.
    """
    entry = _only(candidates)
    if entry is None or not entry.keys() <= _PLAIN_CANDIDATE or entry.get("index", 0):
        return None
    content = entry.get("content")
    if type(content) is not dict or not content.keys() <= _PLAIN_CONTENT:
        return None
    piece = _only(content.get("parts"))
    if piece is None or len(piece) != 1 + is_thought:
        return None
    if content.get("role", "model") != "model" or (
        is_thought and piece.get("thought") is not True
    ):
        return None
    text = piece.get("text")
    return text if type(text) is str else None


def _only(items: object) -> dict[str, Any] | None:
    if type(items) is list and len(items) == 1 and type(items[0]) is dict:
        return items[0]
    return None
