r"""Inner thoughts inside the arguments: Letta's later mode, in our own interface.

Two recordings of that mode are among the cassettes; the other streams here are written
by hand in its shapes. The rows of `UPSTREAM` are what the extractor of letta 0.16.8
(`JSONInnerThoughtsExtractor`, then `FunctionArgumentsStreamHandler`) makes of the same
arguments; ours must not.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness import replay
from harness.agents.letta.messages import (
    AssistantMessage,
    FunctionCallDelta,
    FunctionCallMessage,
    InternalMonologue,
)
from harness.engine.agent_options import AgentOptions
from tests.cli.running import ROOT, harness
from tests.engine.made import call, cassette, exchange, finish, sse, text, user
from tests.json_feeding import cut_at

OPTIONS = AgentOptions(use_assistant_message=True, inner_thoughts=True)


def _replayed(name: str, fragments: list[str], **how: Any) -> list[Any]:
    opening = call("", call_id="c1", name=name)
    body = sse(opening, *map(call, fragments), finish("tool_calls"))
    made = cassette(exchange(body, [user("x")]))
    return replay(made, "streaming", options=OPTIONS, **how).messages


def _said(messages: list[Any]) -> tuple[str, str, str]:
    """Return the thoughts, the answer, and the arguments of a call that is shown."""
    thoughts = answer = arguments = ""
    for one in messages:
        if isinstance(one, InternalMonologue):
            thoughts += one.internal_monologue
        elif isinstance(one, AssistantMessage):
            answer += one.assistant_message
        elif isinstance(one, FunctionCallMessage):
            arguments += one.function_call.arguments or ""
    return thoughts, answer, arguments


UPSTREAM = [
    # arguments, thoughts, answer; what letta 0.16.8 gives
    (r'{"inner_thoughts": "a\/b", "message": "c\/d"}', "a/b", "c/d"),  # ` a\/b`, `c\/d`
    (r'{"inner_thoughts":"\u00e9\ud83d\ude00","message":"\u00e9"}', "é😀", "é"),  # raw
    ('{"inner_thoughts": "", "message": ""}', "", ""),  # thoughts ' '
    ('{"inner_thoughts":"t, \\"q\\"","message":"m"}', 't, "q"', "m"),  # `t, \"q\"`
    ('{"message":"m","inner_thoughts":"t"}', "t", "m"),  # the message is lost
    ('{"inner_thoughts":"t","n":1e3,"message":"m"}', "t", "m"),  # 1e3 cut raises
    ('{"inner_thoughts":"t","o":{"a":[1,2]},"message":"m"}', "t", "m"),  # `{"a",}`
]


@pytest.mark.parametrize("split", [None, "chars", "whole", "random:1", "random:2"])
@pytest.mark.parametrize("name", ["inner-thoughts", "inner-thoughts-tools"])
def test_recordings_are_exact_however_they_are_cut(name: str, split: str) -> None:
    """What json.loads gives of each recorded call is what is emitted of it."""
    path = ROOT / "cassettes" / "llama-server" / f"{name}.yaml"
    made = replay(path, "streaming", options=OPTIONS, split=split)
    for response in made.responses:
        (recorded,) = response.choices[0].calls
        values = json.loads(recorded.arguments)
        messages = [
            one.message for one in made.emissions if one.exchange == response.exchange
        ]
        thoughts, answer, shown = _said(messages)
        assert thoughts == values.pop("inner_thoughts")
        if recorded.name == "send_message":
            assert (answer, shown) == (values["message"], "")
        else:
            assert (answer, json.loads(shown)) == ("", values)


@pytest.mark.parametrize(("arguments", "thoughts", "answer"), UPSTREAM)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_defects_of_the_extractor_upstream_are_not_here(
    arguments: str, thoughts: str, answer: str, size: int
) -> None:
    """Both texts are exact, however the arguments were cut, in any order of keys."""
    cuts = [arguments[n : n + size] for n in range(0, len(arguments), size)]
    messages = _replayed("send_message", cuts)
    assert _said(messages) == (thoughts, answer, "")


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (
            '{"inner_thoughts":"t","o":{"a":[1,2]},"n":1e3}',
            {"o": {"a": [1, 2]}, "n": 1e3},
        ),
        ('{"inner_thoughts": "t" , "q": "w"}', {"q": "w"}),
        ('{"q": "w", "inner_thoughts": "t"}', {"q": "w"}),
        ('{"inner_thoughts": "t"}', {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_other_functions_are_shown_without_the_thoughts(
    arguments: str, left: dict[str, Any], size: int
) -> None:
    """The thoughts come as such, the call with the object that is left."""
    cuts = [arguments[n : n + size] for n in range(0, len(arguments), size)]
    thoughts, answer, shown = _said(_replayed("search", cuts))
    assert (thoughts, answer) == ("t", "")
    assert json.loads(shown) == left


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    thoughts=_TEXT,
    answer=_TEXT,
    is_ascii=st.booleans(),
    is_first=st.booleans(),
    positions=st.lists(st.integers(0, 100), max_size=8),
)
@example(thoughts="\\u", answer='"', is_ascii=True, is_first=True, positions=[19, 20])
def test_both_texts_are_exact_however_they_are_cut(
    thoughts: str,
    answer: str,
    *,
    is_ascii: bool,
    is_first: bool,
    positions: list[int],
) -> None:
    """What json.loads gives under each key is what is emitted, in both orders."""
    members = [("inner_thoughts", thoughts), ("message", answer)]
    arguments = json.dumps(
        dict(members if is_first else reversed(members)), ensure_ascii=is_ascii
    )
    cuts = cut_at(arguments, (p % (len(arguments) + 1) for p in positions))
    assert _said(_replayed("send_message", cuts)) == (thoughts, answer, "")


def test_text_comes_with_the_fragment_that_decides_it() -> None:
    """As early as possible: thoughts and answer fragment by fragment."""
    cuts = ['{"inner_th', 'oughts":"He', "re\\", 'n", "mess', 'age": "Hi', '!"}']
    opening = call("", call_id="c1", name="send_message")
    body = sse(opening, *map(call, cuts), finish("tool_calls"))
    transcript = replay(
        cassette(exchange(body, [user("x")])), "streaming", options=OPTIONS
    )
    seen = [
        (e.chunk, *(_said([e.message])[:2]))
        for e in transcript.emissions
        if isinstance(e.message, InternalMonologue | AssistantMessage)
    ]
    assert seen == [
        (2, "He", ""),
        (3, "re", ""),
        (4, "\n", ""),
        (5, "", "Hi"),
        (6, "", "!"),
    ]


@pytest.mark.parametrize(
    "arguments",
    ['{"inner_thoughts":"t","q":', '{"inner_thoughts":"t" "q":1}', '{"in', "no object"],
)
def test_arguments_that_cannot_be_read_are_shown_raw(arguments: str) -> None:
    """What is malformed or cut stays in the call: nothing vanishes."""
    thoughts, _, shown = _said(_replayed("search", [arguments[:5], arguments[5:]]))
    assert len(thoughts) + len(shown) > 0
    for piece in ('"q":', "in", "no object"):
        if piece in arguments and piece != "in":
            assert piece in shown
    messages = _replayed("send_message", [arguments])
    assert any(isinstance(m, FunctionCallMessage) for m in messages)  # whole, as it is


def test_content_is_thoughts_as_before_and_others_are_unchanged() -> None:
    """Without the mode the argument stays in the call; with it content still counts."""
    arguments = '{"inner_thoughts":"t","message":"m"}'
    body = sse(text("c"), call(arguments, call_id="c", name="search"), finish())
    made = cassette(exchange(body, [user("x")]))
    assert _said(replay(made, "streaming").messages) == ("c", "", arguments)
    told = replay(made, "streaming", options=OPTIONS).messages
    assert _said(told) == ("ct", "", '{"message":"m"}')
    assert all(
        isinstance(m.function_call, FunctionCallDelta)
        for m in told
        if isinstance(m, FunctionCallMessage)
    )


def test_steps_mode_shows_the_same() -> None:
    """Whole messages: thoughts, then the call without them."""
    arguments = '{"inner_thoughts":"t","q":1}'
    messages = _replayed("search", [arguments], mode="steps")
    assert _said(messages) == ("t", "", '{"q":1}')


def test_command_line_has_the_mode(tmp_path: Any) -> None:
    """`--inner-thoughts` of `harness replay`."""
    arguments = '{"inner_thoughts":"why","message":"hello"}'
    body = sse(call(arguments, call_id="c", name="send_message"), finish("tool_calls"))
    (tmp_path / "made.sse").write_text(body, "utf-8")
    result = harness(
        "replay", "made.sse", "--inner-thoughts", "--assistant-message", cwd=tmp_path
    )
    rows = [line.split() for line in result.out.splitlines()]
    assert ["internal_monologue", '"why"'] in [row[3:] for row in rows]
    assert ["assistant_message", '"hello"'] in [row[3:] for row in rows]
