"""The content, apart from how it was cut: texts and calls of each exchange.

Two transcripts may differ in every emission and still mean the same. What `harness
fuzz` takes for one answer is one here: `harness.debug.folding` joins the emissions of
an exchange, whoever's messages they are. Results of functions are listed besides, each
for itself, and arguments are compared as JSON.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.agents.letta.light_messages import MessageStreamStatus
from harness.debug.folding import fold
from harness.debug.shown_fields import is_volatile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.debug.sides import Row

_KINDS = {
    "internal_monologue": "thought",
    "assistant_message": "answer",
    "content": "answer",
}
_SHOWN_CALL = re.compile(r"(\w[\w.-]*)\((.*)\)", re.DOTALL)  # a queue's, the seed's
_STATUSES = frozenset(status.value for status in MessageStreamStatus)


@dataclass(frozen=True, slots=True)
class ContentItem:
    """One thing that was emitted, whole."""

    exchange: int
    """Number of the exchange, from 0."""
    kind: str
    """`thought`, `answer`, `call NAME`, `return (STATUS)`, or the path to a text in a
    third party's message."""
    text: str
    """The text; the arguments of a call as JSON where they are."""


def content_of(rows: Iterable[Row]) -> list[ContentItem]:
    """Join the content of a transcript's emissions.

    Args:
        rows: The emissions in order.

    Returns:
        The content of each exchange: texts in order of first appearance, then calls,
        then the results of functions.
    """
    messages: dict[int, list[Any]] = {}
    for row in rows:
        messages.setdefault(row.exchange, []).append(row.message)
    return [
        ContentItem(exchange, kind, text)
        for exchange, emitted in messages.items()
        for kind, text in _content(emitted)
    ]


def _content(messages: list[Any]) -> Iterator[tuple[str, str]]:
    items: list[Any] = []
    returned: list[tuple[str, str]] = []
    for message in messages:
        result = message.get("function_return") if isinstance(message, dict) else None
        if isinstance(result, str):
            returned.append((f"return ({message.get('status')})", result))
        elif not (isinstance(message, str) and message in _STATUSES):
            items.append(_as_emitted(message))
    outcome = fold(items)
    for kind, text in outcome.texts.items():
        yield _KINDS.get(kind, kind), text
    for field, text in outcome.endings.items():
        if not is_volatile(field) and text not in {"True", "False", "shown"}:
            yield field, text  # a word of its own for how it ended
    for call in outcome.calls:
        yield f"call {call.name}", _arguments(call.arguments)
    yield from returned


def _as_emitted(message: Any) -> Any:
    """Return a message as it was emitted, as far as JSON can show.

    A call that is shown as text is taken apart; a list that begins with a word was a
    tuple that names its kind.
    """
    if isinstance(message, list) and len(message) > 1 and _is_word(message[0]):
        return tuple(message)
    shown = message.get("function_call") if isinstance(message, dict) else None
    found = _SHOWN_CALL.fullmatch(shown) if isinstance(shown, str) else None
    if found is None:
        return message
    return {**message, "function_call": {"name": found[1], "arguments": found[2]}}


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _arguments(text: str) -> str:
    """Return arguments in one spelling: JSON without blanks where they are JSON."""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text)  # a queue shows the repr of an object
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:  # `{1, 2}` is Python too, but no object
        return text
