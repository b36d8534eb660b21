"""Whole messages in a stream: beside its deltas, or behind them once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.deltas import DeltaReader
from harness.apis.json_values import as_json, canonical, dict_of, joined, text_of
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Part, Problem, Text
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.core.parts import ToolCall


def repeated(choice: object, streamed: str, calls: list[ToolCall]) -> list[Part] | None:
    """Read a whole message that comes after deltas.

    Args:
        choice: An entry of `choices`; any shape.
        streamed: The text so far.
        calls: The calls so far.

    Returns:
        What is reported of it and what it has more; None where it repeats nothing.

    Source: MiniMax ends a stream with the whole completion (GoModel#1068).
    """
    if type(choice) is not dict or type(choice.get("delta")) is dict:
        return None
    message = dict_of(choice.get("message"))
    content, text = text_of(message.get("content")), joined(streamed)
    if not content and not _same_calls(message, calls):
        return None
    if content and not text:
        return None
    if not content.startswith(text if content else ""):
        held = f"a `message` after the deltas holds {shorten(content)} instead of them"
        return [Problem(DiagnosticKind.DONE_DIFFERS, held)]
    what = "the whole answer came again as a `message` after its deltas"
    parts: list[Part] = [Problem(DiagnosticKind.REPEATED_ANSWER, what)]
    if calls and message.get("tool_calls") and not _same_calls(message, calls):
        held = shorten(as_json(message["tool_calls"]))
        other = f"the `message` after the deltas holds other calls: {held}"
        parts.append(Problem(DiagnosticKind.DONE_DIFFERS, other))
    return [*parts, Text(content[len(text) :])] if len(content) > len(text) else parts


def _same_calls(message: dict[str, Any], calls: list[ToolCall]) -> bool:
    reader = DeltaReader()
    reader.read_delta({"tool_calls": message.get("tool_calls")}, None)
    return bool(calls) and _shown(reader.calls) == _shown(calls)


def _shown(calls: list[ToolCall]) -> list[tuple[str, str]]:
    return [(call.name, canonical(call.arguments)) for call in calls]


def beside(content: str, streamed: str) -> list[Part]:
    """Report a message beside the last delta that is not what was streamed.

    Source: Perplexity sends the text so far, or none, beside each delta.
    """
    if joined(streamed).startswith(content):
        return []
    text = f"the `message` beside the last delta holds {shorten(content)} instead"
    return [Problem(DiagnosticKind.DONE_DIFFERS, text)]
