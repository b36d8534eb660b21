"""Made streams of every shape of a Responses answer, as parts and as events.

Small and without secrets: stock for fuzzing and for the tests of dialects and faults.
"""

from __future__ import annotations

from harness.apis.base import Event
from harness.apis.responses.writer import Writer
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)

__all__ = ["EXAMPLES", "example_events", "example_parts"]

_HEAD = Head("resp_68a1", "gpt-5.1", 1750000000)
_COUNTS = {
    "input_tokens": 31,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 43,
}


def _usage() -> Usage:
    return Usage(dict(_COUNTS), 31, 12)


def _call(
    position: int, name: str, pieces: list[str], *, kind: str = "function"
) -> list[Part]:
    call = ToolCall(position, None, f"call_{position}a")
    call.type = kind
    call.name = name
    parts: list[Part] = [CallPart(call, name, "", is_new=True, id=call.id)]
    for piece in pieces:
        call.add_arguments(piece)
        parts.append(CallPart(call, "", piece, is_new=False))
    return parts


def _text() -> list[Part]:
    pieces = ["The sky", " is", " blue", " \U0001f535.", ""]
    return [Block("text", "msg_1"), *(Text(piece) for piece in pieces if piece)]


def _interleaved() -> list[Part]:
    first = _call(0, "get_weather", ['{"city"', ': "Paris"}'])
    second = _call(1, "get_time", ['{"zone"', ': "CET"}'])
    return [part for pair in zip(first, second, strict=True) for part in pair]


def _server_tool() -> list[Part]:
    search = {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "sky colour"},
    }
    cited = {
        "type": "url_citation",
        "start_index": 0,
        "end_index": 7,
        "url": "https://example.org/sky",
        "title": "Sky",
    }
    begun = {key: search[key] for key in ("id", "type", "status")}
    return [
        Item("web_search_call", begun, is_done=False),
        *(
            Item(
                f"response.web_search_call.{state}", {"item_id": "ws_1"}, is_done=False
            )
            for state in ("in_progress", "searching", "completed")
        ),
        Item("web_search_call", search),
        *_text(),
        Item("url_citation", cited),
    ]


def _tool_lists() -> list[Part]:
    lists = [
        {"id": f"mcpl_{n}", "type": "mcp_list_tools", "server_label": "s", "tools": []}
        for n in range(2)
    ]
    kind = "mcp_list_tools"
    return [Item(kind, one, is_done=d) for d in (False, True) for one in lists]


def _reasoning() -> list[Part]:
    return [
        Block("reasoning", "rs_1"),
        Reasoning("**Looking up**\n"),
        Reasoning("the sky"),
        Block("reasoning", "rs_1"),
        Reasoning("Blue, probably."),
        Opaque("encrypted_reasoning", "gAAAAABo_0"),
    ]


_ANSWERS: dict[str, list[Part]] = {
    "text": [*_text(), Finish("completed", "stop")],
    "two-texts": [
        *_text(),
        Block("text", "msg_1"),
        Text("And the sea."),
        Finish("completed", "stop"),
    ],
    "refusal": [
        Block("refusal", "msg_1"),
        Refusal("I can't help"),
        Refusal(" with that."),
        Finish("completed", "stop"),
    ],
    "reasoning": [*_reasoning(), *_text(), Finish("completed", "stop")],
    "call": [
        *_reasoning(),
        *_call(0, "get_weather", ['{"city":', ' "Par', 'is"}']),
        Finish("completed", "tool_calls"),
    ],
    "parallel-calls": [
        *_text(),
        *_call(0, "get_weather", ['{"city":', ' "Paris"}']),
        *_call(1, "get_weather", ['{"city":', ' "Rome"}']),
        *_call(2, "ping", []),
        Finish("completed", "tool_calls"),
    ],
    "interleaved-calls": [*_interleaved(), Finish("completed", "tool_calls")],
    "custom-call": [
        *_call(0, "run_code", ["print(", "1)\n"], kind="custom"),
        Finish("completed", "tool_calls"),
    ],
    "server-tool": [*_server_tool(), Finish("completed", "stop")],
    "tool-lists": [*_tool_lists(), *_text(), Finish("completed", "stop")],
    "incomplete": [*_text(), Finish("incomplete", "length")],
    "incomplete-call": [
        *_call(0, "get_weather", ['{"city":', ' "Par']),
        Finish("incomplete", "length"),
    ],
    "filtered": [*_text(), Finish("incomplete", "content_filter")],
    "failed": [
        *_text(),
        Problem(DiagnosticKind.ERROR_EVENT, "server_error: the model is overloaded"),
        Finish("failed"),
    ],
    "empty": [Finish("completed", "stop")],
}
EXAMPLES = tuple(_ANSWERS)
"""The names of the made answers."""


def example_parts(name: str) -> list[Part]:
    """Return the parts of a made answer.

    Args:
        name: One of `EXAMPLES`.

    Returns:
        Its parts; token counts come where the API sends them.
    """
    answer = _ANSWERS[name]
    counts = [] if name == "failed" else [_usage()]
    return [_HEAD, *answer[:-1], *counts, answer[-1]]


def example_events(name: str) -> list[Event]:
    """Return the events of a made answer, as OpenAI sends them."""
    writer = Writer()
    written = writer.feed(example_parts(name)) + writer.close()
    return [Event(n, event.name, event.payload) for n, event in enumerate(written)]
