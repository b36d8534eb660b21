"""Made answers of every shape, written as Anthropic sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.apis.anthropic.writer import Writer
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import WrittenEvent

__all__ = ["EXAMPLES", "example"]

_Groups: TypeAlias = list[list[Part]]

_SEARCH = {
    "type": "server_tool_use",
    "id": "srvtoolu_0",
    "name": "web_search",
    "input": {"query": "weather Paris"},
}
_FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_0",
    "content": [
        {
            "type": "web_search_result",
            "title": "Weather",
            "url": "https://example.com/weather",
            "encrypted_content": "RW5jcnlwdGVk",
            "page_age": None,
        }
    ],
}
_CITATION = {
    "type": "web_search_result_location",
    "cited_text": "Sunny, 21 °C.",
    "title": "Weather",
    "url": "https://example.com/weather",
    "encrypted_index": "SW5kZXg=",
}


def _call(position: int, name: str, *pieces: str) -> Iterator[list[Part]]:
    call = ToolCall(position, None, f"toolu_{position:02}")
    call.name = name
    yield [CallPart(call, name, "", is_new=True, id=call.id)]
    for piece in pieces:
        call.add_arguments(piece)
        yield [CallPart(call, "", piece, is_new=False)]


def _text(*pieces: str) -> _Groups:
    parts: list[Part] = [Block("text"), *map(Text, pieces)]
    return [[part] for part in parts]


def _thought(*pieces: str, signed: str = "RXhhbXBsZSBzaWduYXR1cmU=") -> _Groups:
    signature = Opaque("signature", signed)
    parts: list[Part] = [Block("reasoning"), *map(Reasoning, pieces), signature]
    return [[part] for part in parts]


def _answers() -> dict[str, tuple[_Groups, str]]:
    """Return the content and the stop reason of each example."""
    weather = ('{"city": "Par', 'is", "days": [1, 2]', ', "note": "\\ud83d\\ude00"}')
    return {
        "text": (_text("The capital", " of France", " is Paris. 🙂"), "end_turn"),
        "thinking": (
            [*_thought("The user asks", " for Paris."), *_text("Paris.")],
            "end_turn",
        ),
        "thinking-again": (
            [
                *_thought("The user asks", " for Paris."),
                *_text("Paris"),
                *_thought(" Or Rome?", signed="QW5vdGhlciBvbmU="),
                *_text(" it is."),
            ],
            "end_turn",
        ),
        "call": ([*_text("Let me look."), *_call(0, "weather", *weather)], "tool_use"),
        "call-without-input": ([*_call(0, "now")], "tool_use"),
        "parallel-calls": (
            [
                *_thought("Two cities."),
                [Opaque("redacted_reasoning", "UmVkYWN0ZWQ=")],
                *_text("Both at once."),
                *_call(0, "weather", *weather),
                *_call(1, "weather", '{"city": "Oslo"', ', "days": [3]}'),
                *_text("Wait", " for both."),
            ],
            "tool_use",
        ),
        "server-tool": (
            [
                [Item("server_tool_use", _SEARCH)],
                [Item("web_search_tool_result", _FOUND)],
                [Block("text")],
                [Item("citation", _CITATION)],
                [Text("It is sunny.")],
            ],
            "end_turn",
        ),
        "cut-by-length": (
            [*_text("Let me write"), *_call(0, "write", '{"path": "/tmp/scra')],
            "max_tokens",
        ),
        "refusal": (
            [
                [
                    Item(
                        "stop_details",
                        {
                            "type": "refusal",
                            "category": "cyber",
                            "explanation": "The request was declined.",
                        },
                    )
                ]
            ],
            "refusal",
        ),
        "paused": ([[Item("server_tool_use", _SEARCH)]], "pause_turn"),
        "empty": ([], "end_turn"),
    }


EXAMPLES: tuple[str, ...] = tuple(_answers())
"""The names of the examples."""


def example(name: str) -> list[WrittenEvent]:
    """Return the events of an example.

    Args:
        name: One of `EXAMPLES`.
    """
    content, reason = _answers()[name]
    writer = Writer()
    usage = {"input_tokens": 25, "cache_read_input_tokens": 5, "output_tokens": 1}
    head: list[Part] = [Head(f"msg_{name}", "claude-example"), Usage(usage)]
    end: list[Part] = [Usage({"output_tokens": 40}), Finish(reason)]
    return [
        *(event for group in [head, *content, end] for event in writer.feed(group)),
        *writer.close(),
    ]
