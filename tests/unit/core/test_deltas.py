"""Every rule about how providers frame a delta, each with the input that needs it.

The cases are chunks in and parts and calls out. Those named after an issue are the
rows of the project's list of real streaming bugs; "design" is the chunk side of the
design's section on the interfaces.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.chat.deltas import DeltaReader, choice_index
from harness.core.parts import CallPart, Finish, Part, Reasoning, Refusal, Text
from tests.delta_payloads import (
    ABSENT,
    Payload,
    calls,
    chunk,
    entry,
    named,
    read,
    summary,
)

# -- What a chunk may lack, and what it may say ----------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({}, id="no-choices"),
        pytest.param({"choices": None}, id="choices-null"),
        pytest.param({"choices": {}}, id="choices-no-list"),
        pytest.param({"choices": [], "usage": {"total_tokens": 3}}, id="usage-only"),
        pytest.param(
            {"id": "", "choices": [], "prompt_filter_results": [{}]},
            id="azure-first-chunk",
        ),
        pytest.param({"choices": [None]}, id="choice-null"),
        pytest.param({"choices": [{}]}, id="choice-empty"),
        pytest.param(
            {"choices": [{"index": 0, "content_filter_results": {}}]},
            id="azure-filter-no-delta",
        ),
        pytest.param(chunk(None), id="delta-null"),
        pytest.param(chunk([]), id="delta-no-object"),
        pytest.param(chunk({}), id="letta-1915-empty-delta"),
        pytest.param(chunk({"role": "assistant"}), id="role-only"),
        pytest.param(chunk({"role": "assistant", "content": ""}), id="content-empty"),
        pytest.param(chunk({"content": None}), id="content-null"),
        pytest.param(chunk({"content": []}), id="content-no-parts"),
        pytest.param(chunk({"content": [{"type": "image_url"}, None]}), id="no-text"),
        pytest.param(chunk({"content": 5}), id="content-number"),
        pytest.param(chunk({"refusal": None, "reasoning": None}), id="nulls"),
        pytest.param(chunk({"refusal": "", "reasoning_content": ""}), id="empties"),
        pytest.param(chunk({"refusal": {}, "reasoning": ["x"]}), id="odd-types"),
        pytest.param(chunk({"tool_calls": None}), id="tool-calls-null"),
        pytest.param(chunk({"tool_calls": []}), id="tool-calls-empty"),
        pytest.param(chunk({"tool_calls": "f"}), id="tool-calls-text"),
        pytest.param(chunk({"tool_calls": [None, 1, "f"]}), id="entries-no-objects"),
        pytest.param(calls({}), id="entry-empty"),
        pytest.param(calls(entry(0)), id="entry-with-nothing-but-an-index"),
        pytest.param(calls(entry(0, None, None, "")), id="entry-of-nulls"),
        pytest.param(chunk({"function_call": None}), id="legacy-null"),
        pytest.param(chunk({"function_call": "auto"}), id="legacy-text"),
        pytest.param(chunk({}, finish_reason=None), id="finish-null"),
        pytest.param(chunk({}, finish_reason=""), id="finish-empty"),
        pytest.param(chunk({}, finish_reason=1), id="finish-number"),
        pytest.param(
            {"error": {"message": "overloaded"}}, id="openai-python-2796-error"
        ),
    ],
)
def test_a_chunk_that_says_nothing_gives_no_parts(payload: Payload) -> None:
    """Design: none of these raises and none emits anything."""
    reader, parts = read([payload])
    assert parts == [[]]
    assert reader.calls == []


@pytest.mark.parametrize(
    ("delta", "parts"),
    [
        ({"content": "Hi"}, [Text("Hi")]),
        ({"content": " "}, [Text(" ")]),
        ({"reasoning_content": "hm"}, [Reasoning("hm")]),
        ({"reasoning": "hm"}, [Reasoning("hm")]),
        ({"reasoning_text": "hm"}, [Reasoning("hm")]),
        ({"reasoning_content": "hm", "reasoning": "hm"}, [Reasoning("hm")]),
        ({"reasoning_content": None, "reasoning": "hm"}, [Reasoning("hm")]),
        ({"reasoning_content": {"text": "hm", "signature": "x"}}, [Reasoning("hm")]),
        (
            {"reasoning_details": [{"text": "h"}, {"summary": "m"}, {"data": "x"}]},
            [Reasoning("hm")],
        ),
        (
            {"reasoning": "hm", "reasoning_details": [{"text": "hm"}]},
            [Reasoning("hm")],
        ),
        ({"refusal": "no"}, [Refusal("no")]),
        (
            {"content": "Hi", "reasoning": "hm", "refusal": "no", "role": "assistant"},
            [Reasoning("hm"), Text("Hi"), Refusal("no")],
        ),
        ({"content": ["a", {"type": "text", "text": "b"}]}, [Text("a"), Text("b")]),
        ({"content": {"type": "text", "text": "b"}}, [Text("b")]),
        ({"content": ["", {"text": ""}, {"text": None}, {"text": 1}]}, []),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "Hi"},
                ]
            },
            [Reasoning("hm"), Text("Hi")],
        ),
        ({"content": [{"type": "thinking", "thinking": "hm"}]}, [Reasoning("hm")]),
        (
            {"content": [{"thinking": [{"thinking": "a"}, "b", ["c"]], "text": "d"}]},
            [Reasoning("a"), Reasoning("b"), Reasoning("c"), Text("d")],
        ),
    ],
)
def test_text_of_every_kind_is_read(delta: Payload, parts: list[Part]) -> None:
    """Content as text or as Mistral's list, reasoning fields (once), refusals."""
    assert named(read([chunk(delta)])[1][0]) == named(parts)


def test_a_finish_is_a_part_and_comes_last() -> None:
    """The reason is passed on as sent, after what the same choice says."""
    _, parts = read([chunk({"content": "Hi"}, finish_reason="length")])
    assert named(parts[0]) == named([Text("Hi"), Finish("length")])


@pytest.mark.parametrize("delta", [ABSENT, None, []])
def test_a_message_is_read_where_the_delta_is_missing(delta: object) -> None:
    """Proxies that stream `message`, and whole completions, say what they say."""
    message = {"content": "Hi", "tool_calls": [entry(ABSENT, "a", "f", "{}")]}
    choice = {"index": 0, "message": message, "delta": delta}
    if delta is ABSENT:
        del choice["delta"]
    reader, [parts] = read([{"choices": [choice]}])
    assert named(parts[:1]) == named([Text("Hi")])
    assert summary(reader) == [("a", "f", "{}")]


def test_a_delta_wins_over_a_message_beside_it() -> None:
    """Providers that send the whole message again at the end say nothing new."""
    payload = {"choices": [{"delta": {"content": "a"}, "message": {"content": "b"}}]}
    assert named(read([payload])[1][0]) == named([Text("a")])


def test_content_and_calls_in_one_delta_are_both_read() -> None:
    """Design: nothing visible is lost; content comes first."""
    reader, [parts] = read([calls(entry(0, "a", "f", "{}"), content="Hi")])
    assert named(parts) == named(
        [
            Text("Hi"),
            CallPart(reader.calls[0], "f", "{}", True, "a"),
        ]
    )


def test_content_after_a_call_is_read() -> None:
    """pydantic-ai#8208: text follows a call, continuations carry null id and name."""
    reader, parts = read(
        [
            calls(entry(0, "a", "f", "")),
            calls(entry(0, None, None, "{}")),
            chunk({"content": "done"}),
        ]
    )
    assert named(parts[2]) == named([Text("done")])
    assert summary(reader) == [("a", "f", "{}")]


# -- Choices ---------------------------------------------------------------------------


def test_only_the_reader_s_choice_is_read() -> None:
    """Entries of other choices are left out, wherever they stand, and order is kept."""
    payload = {
        "choices": [
            {"index": 1, "delta": {"content": "b"}},
            {"index": 0, "delta": {"content": "a"}},
            None,
            {"index": 0, "delta": {"content": "A"}},
        ]
    }
    assert named(DeltaReader().read(payload)) == named([Text("a"), Text("A")])
    assert DeltaReader(choice=1).read(payload) == [Text("b")]
    assert DeltaReader(choice=2).read(payload) == []
    alone = {"choices": payload["choices"][:1]}
    assert DeltaReader().read(alone) == []
    assert DeltaReader(choice=1).read(alone) == [Text("b")]


@pytest.mark.parametrize(
    ("choice", "index"),
    [
        ({}, 0),
        ({"index": None}, 0),
        ({"index": 0}, 0),
        ({"index": 2}, 2),
        ({"index": 2.0}, 2),
        ({"index": 2.5}, 0),
        ({"index": float("nan")}, 0),
        ({"index": float("inf")}, 0),
        ({"index": True}, 0),
        ({"index": "1"}, 1),
        ({"index": "one"}, 0),
        ({"index": [1]}, 0),
    ],
)
def test_an_index_that_is_no_whole_number_means_choice_0(
    choice: Payload, index: int
) -> None:
    """A quirk about the index loses no text: the choice is the first one."""
    assert choice_index(choice) == index
    payload = {"choices": [{**choice, "delta": {"content": "x"}}]}
    assert DeltaReader(choice=index).read(payload) == [Text("x")]


# -- What arguments may be -------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (ABSENT, ""),
        (None, ""),
        ("", ""),
        ({}, ""),
        ([], ""),
        (0, ""),
        ("{", "{"),
        (" ", " "),
        ({"a": "é", "b": [1]}, '{"a": "é", "b": [1]}'),
        ([1], "[1]"),
        (5, "5"),
    ],
)
def test_arguments_of_every_type_become_text(sent: object, held: str) -> None:
    """vllm#9693: a tool without arguments; Ollama: an object; a name in any case."""
    reader, [parts] = read([calls(entry(0, "a", "f", sent))])
    assert parts == [CallPart(reader.calls[0], "f", held, True, "a")]
    assert summary(reader) == [("a", "f", held)]
    assert reader.calls[0].has_arguments == bool(held)


def test_arguments_nested_too_deeply_are_left_out() -> None:
    """An object that cannot be written as text raises nothing."""
    arguments: dict[str, Any] = {}
    for _ in range(100_000):
        arguments = {"a": arguments}
    reader, _ = read([calls(entry(0, "a", "f", arguments))])
    assert summary(reader) == [("a", "f", "")]
    while arguments:  # unlinked by hand: a chain is freed by recursion
        arguments = arguments.pop("a")


def test_content_nested_deeply_is_read() -> None:
    """Thoughts inside thoughts, ten thousand deep, still come out."""
    content: object = "hm"
    top: list[Any] = []
    for _ in range(10_000):
        inner = {"thinking": content}
        top.append(inner)
        content = inner
    _, [parts] = read([chunk({"content": content})])
    assert named(parts) == named([Reasoning("hm")])
    while top:
        top.pop().clear()


def test_fragments_after_a_finish_are_read() -> None:
    """Some providers go on after `finish_reason`; nothing of it is lost."""
    reader, parts = read(
        [
            calls(entry(0, "a", "f", '{"a":')),
            chunk({}, finish_reason="tool_calls"),
            calls(entry(0, arguments="1}")),
            chunk({"content": "x"}, finish_reason="stop"),
        ]
    )
    assert summary(reader) == [("a", "f", '{"a":1}')]
    assert named(parts[1]) == named([Finish("tool_calls")])
    assert named(parts[3]) == named([Text("x"), Finish("stop")])


def test_parts_tell_what_is_new() -> None:
    """A part carries the new piece, the live call, and whether it opened the call."""
    reader = DeltaReader()
    [opened] = reader.read(calls(entry(0, "a", "f", None, "function")))
    assert opened == CallPart(reader.calls[0], "f", "", True, "a")
    [grown] = reader.read(calls(entry(0, arguments="{}")))
    assert grown == CallPart(reader.calls[0], "", "{}", False, "")
    assert reader.read(calls(entry(0, "a", "f", "", "function"))) == []
    [call] = reader.calls
    assert (call.position, call.index, call.type) == (0, 0, "function")
    assert repr(call) == "ToolCall(0, 'a', 'f', '{}')"


def test_a_late_id_is_a_part_of_its_own() -> None:
    """An id without anything else is news, for whoever matches results by it."""
    reader = DeltaReader()
    reader.read(calls(entry(0, name="f", arguments="{}")))
    assert reader.read(calls(entry(0, "a"))) == [
        CallPart(reader.calls[0], "", "", False, "a")
    ]
    assert reader.read(calls(entry(0, "a"))) == []


@pytest.mark.parametrize(
    ("kind", "held"), [("custom", "custom"), (None, "function"), (3, "function")]
)
def test_the_type_is_kept_as_sent(kind: object, held: str) -> None:
    """`function` where none was sent."""
    reader, _ = read([calls(entry(0, "a", "f", "", kind))])
    assert reader.calls[0].type == held


def test_the_index_is_kept_as_first_sent() -> None:
    """None where the provider sent none, even if one comes later."""
    reader, _ = read(
        [calls(entry(None, "a", "f", "{")), calls(entry(3, "b", "g", "{}"))]
    )
    assert [call.index for call in reader.calls] == [None, 3]


def test_details_of_reasoning_count_where_a_delta_has_it_nowhere_else() -> None:
    """Delta for delta, as OpenRouter's own client reads them."""
    details = {"reasoning_details": [{"text": "hm"}], "content": None}
    reader = DeltaReader()
    assert reader.read(chunk(details)) == [Reasoning("hm")]
    both = {"reasoning": "so", "content": "", **details}
    assert reader.read(chunk(both)) == [Reasoning("so")]
    assert reader.read(chunk(details)) == [Reasoning("hm")]
