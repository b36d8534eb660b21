"""What the fuzzer found in other people's readers, each with its shrunk input.

The list with its reasons is in `README.md` beside this file. A row that no longer
fails has been repaired upstream: take it out here and there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from harness.apis.examples import example_parts
from harness.apis.style import ApiStyle
from harness.core.sse import encode_event
from harness.fuzz import check
from harness.fuzz.campaign import Campaign
from harness.fuzz.checking import judge_of
from harness.fuzz.consumers import Wanted
from harness.fuzz.findings import Plan
from tests.third_party import consumers, libraries


def _chunk(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "model",
        "choices": [choice],
        **more,
    }


def _calls(*entries: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return _chunk({"tool_calls": list(entries)}, finish)


def _entry(arguments: str | None, **fields: Any) -> dict[str, Any]:
    name = {"name": fields.pop("name")} if "name" in fields else {}
    return {**fields, "function": {**name, "arguments": arguments}}


def _opening(
    number: int, name: str, arguments: str = "", **place: Any
) -> dict[str, Any]:
    return _entry(arguments, **place, id=f"call_{number}", type="function", name=name)


_END = "tool_calls"
_NO_DELTA = {**_chunk(), "choices": [{"index": 0, "finish_reason": "stop"}]}
_SENT_AGAIN = [
    _calls(_opening(1, "get_weather", index=0)),
    _calls(_opening(1, "get_weather", index=0), finish=_END),
]
_AT_INDEX_0 = [
    _calls(_opening(1, "t", index=0)),
    _calls(_opening(2, "d", index=0), finish=_END),
]


@dataclass(frozen=True)
class Finding:
    """One defect: who has it, what shows it, and how it shows."""

    name: str
    """As in the README."""
    target: Any
    """The reader."""
    relation: str
    """What does not hold."""
    arrived: list[Any]
    """The shrunk input."""
    shows: str
    """A part of what the report says."""
    fault: str | None = None
    """How the input is broken first."""


_OPENAI = consumers.openai_stream_helper
_LANGCHAIN = consumers.langchain_merging
FINDINGS = [
    Finding(
        "openai-1",
        _OPENAI,
        "agreement",
        [_chunk({}), _NO_DELTA],
        "AttributeError",
    ),
    Finding(
        "openai-2",
        _OPENAI,
        "agreement",
        [_calls(_entry("", id="call_1", type="function", name="r"), finish=_END)],
        "raises TypeError",
    ),
    Finding(
        "openai-3",
        _OPENAI,
        "agreement",
        [_calls(_opening(1, "r", index=None), finish=_END)],
        "raises TypeError",
    ),
    Finding(
        "openai-4",
        _OPENAI,
        "agreement",
        [_chunk({}), _calls(_opening(1, "k", index=1), finish=_END)],
        "raises IndexError",
    ),
    Finding("openai-5", _OPENAI, "dialect-invariance", _AT_INDEX_0, "td({})"),
    Finding(
        "openai-6",
        _OPENAI,
        "dialect-invariance",
        _SENT_AGAIN,
        "get_weatherget_weather",
    ),
    Finding(
        "openai-7",
        _OPENAI,
        "agreement",
        [
            _calls(_opening(1, "k", index=0)),
            _calls(_entry("", index=0, id=None, type=None, name=None), finish=_END),
        ],
        "raises AssertionError",
    ),
    Finding(
        "openai-8",
        _OPENAI,
        "split-invariance",
        [
            _chunk({"content": [{"type": "text", "text": "lo"}]}),
            _chunk({"content": [{"type": "text", "text": " there"}]}, "stop"),
        ],
        "raises RuntimeError",
    ),
    Finding(
        "openai-9",
        _OPENAI,
        "faults",
        [_chunk({}), _chunk({}, "stop")],
        "raises TypeError",
        fault="error-event:1",
    ),
    Finding(
        "langchain-1",
        _LANGCHAIN,
        "split-invariance",
        [
            _calls(_entry("{", id="call_1", type="function", name="r")),
            _calls(_entry("}", id="call_1"), finish=_END),
        ],
        "call 1: (})",
    ),
    Finding(
        "langchain-2",
        _LANGCHAIN,
        "dialect-invariance",
        _SENT_AGAIN,
        "get_weatherget_weather",
    ),
    Finding(
        "partial-json-parser-1",
        consumers.PartialJsonParser,
        "split-invariance",
        ['{"message":"\\ud83d\\ude0', '0"}'],
        "differs in the text",
    ),
    Finding(
        "partial-json-parser-2",
        consumers.PartialJsonParser,
        "faults",
        ["}"],
        "raises IndexError",
    ),
    Finding(
        "partial-json-parser-3",
        consumers.PartialJsonParser,
        "faults",
        ["[}"],
        "raises AssertionError",
    ),
    Finding(
        "json-repair-1",
        consumers.JsonRepair,
        "split-invariance",
        ['{"message":"\\f"', "}"],
        "differs in the text",
    ),
]


def _start(**fields: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "model",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 5},
    }
    return {"type": "message_start", "message": message | fields}


def _end(**fields: Any) -> dict[str, Any]:
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, **fields}


_BLOCK = {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}
_TEXT = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}
_STOP = {"type": "message_stop"}
_ANTHROPIC = consumers.anthropic_stream_helper
FINDINGS += [
    Finding(
        "anthropic-1",
        _ANTHROPIC,
        "agreement",
        [_start(usage=None), _end(usage=None), _STOP],
        "AttributeError: 'NoneType' object has no attribute 'output_tokens'",
    ),
    Finding(
        "anthropic-2",
        _ANTHROPIC,
        "agreement",
        [_start(content=None), {**_BLOCK, "index": 0}, _STOP],
        "AttributeError: 'NoneType' object has no attribute 'append'",
    ),
    Finding(
        "anthropic-3",
        _ANTHROPIC,
        "agreement",
        [_start(), {**_BLOCK, "index": 1}, {**_TEXT, "index": 1}, _STOP],
        "IndexError: list index out of range",
    ),
]


_APART = {_ANTHROPIC: "anthropic", _LANGCHAIN: "langchain_core"}
"""The module of each reader that only the extra `sdk-test` installs."""


def _row(target: Any, value: Any, name: str) -> Any:
    """Return a parameter, slow where the quick installation lacks the reader."""
    slow = [pytest.mark.slow] if target in _APART else []
    return pytest.param(value, id=name, marks=slow)


def _need(target: Any) -> None:
    if module := _APART.get(target):
        pytest.importorskip(module, reason=f"needs {module}, extra `sdk-test`")


@pytest.mark.filterwarnings("ignore")  # what a library warns of is its own business
@pytest.mark.parametrize("finding", [_row(f.target, f, f.name) for f in FINDINGS])
def test_finding_is_still_there(finding: Finding) -> None:
    """The shrunk input fails as the README says."""
    _need(finding.target)
    with pytest.raises(AssertionError) as failed:
        check(
            finding.target,
            finding.arrived,
            relation=finding.relation,
            fault=finding.fault,
        )
    assert finding.shows in str(failed.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_missing_message_stop_is_not_noticed() -> None:
    """anthropic-4: the fuzzer takes an answer whose reason came for ended."""
    _need(_ANTHROPIC)
    judge = judge_of(_ANTHROPIC, Wanted())
    cut = (_start(), _end(usage={"output_tokens": 5}))
    shown = judge.run(cut)
    assert shown.endings == {"stop_reason": "end_turn"}
    assert shown == judge.run((*cut, _STOP))


def _completed() -> dict[str, Any]:
    part = {"type": "output_text", "text": "Hello there", "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant"}
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "model",
        "status": "completed",
        "parallel_tool_calls": True,
        "tools": [],
        "output": [{**message, "status": "completed", "content": [part]}],
    }
    return {"type": "response.completed", "sequence_number": 0, "response": response}


def _sent(*events: dict[str, Any], names: bool = False) -> bytes:
    return b"".join(
        encode_event(json.dumps(event), event=event["type"] if names else "")
        for event in events
    )


_MARK = b"\xef\xbb\xbf"  # before an event stream, clients skip it (WHATWG HTML, 9.2.6)
_HELLO = _sent(_chunk({"role": "assistant", "content": "Hello"}, "stop"))
_MESSAGE = _sent(
    *(_start(), {**_BLOCK, "index": 0}, {**_TEXT, "index": 0}),
    *({"type": "content_block_stop", "index": 0}, _end(usage={"output_tokens": 5})),
    _STOP,
    names=True,
)
_CANDIDATE = _sent(
    {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "Hello"}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ]
    }
)


def _responses(dialect: str = "", fault: str = "", shape: str = "text") -> bytes:
    """Return an answer as a server of a dialect sends it; a row names no more of it."""
    style = ApiStyle("responses", dialect, fault)
    parts = [[part] for part in example_parts("responses", shape)]
    return b"".join(style.encode(style.write(parts)[0]))


_BYTES = [
    *(
        (f"openai-responses-{number}", libraries.openai_responses, "responses", *row)
        for number, row in enumerate(
            [
                (_responses("copilot"), "identity changed"),
                (_responses("vllm", shape="call"), "identity changed"),
                (_responses("litellm"), "IndexError"),
                (_responses("litellm-old"), "Error"),
                (_responses(fault="swap"), "IndexError"),
            ],
            1,
        )
    ),
    (
        "openai-responses-6",
        libraries.openai_responses,
        "responses",
        _sent(_completed()),
        "received `response.created` before",
    ),
    ("openai-10", libraries.openai_chat, "chat", _MARK + _HELLO, "agreement"),
    (
        "openai-11",
        libraries.openai_chat,
        "chat",
        _sent(_chunk({"content": "a"}, "stop")).removeprefix(b"data: "),
        "agreement",
    ),
    (
        "anthropic-5",
        libraries.anthropic_messages,
        "anthropic",
        _MARK + _MESSAGE,
        "AssertionError",
    ),
    (
        "genai-1",
        libraries.genai,
        "gemini",
        b"id: 1\n" + _CANDIDATE,
        "UnknownApiResponseError",
    ),
    (
        "genai-2",
        libraries.genai,
        "gemini",
        _MARK + _CANDIDATE,
        "UnknownApiResponseError",
    ),
    (
        "genai-3",
        libraries.genai,
        "gemini",
        b": ping\n\n" + _CANDIDATE,
        "UnknownApiResponseError",
    ),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
@pytest.mark.parametrize(
    ("target", "api", "sent", "shows"),
    [pytest.param(*row, id=name) for name, *row in _BYTES],
)
def test_finding_in_bytes_is_still_there(
    target: Any, api: str, sent: bytes, shows: str
) -> None:
    """Over HTTP, through the whole client."""
    with pytest.raises(AssertionError, match=shows):
        check(target, [sent], relation="agreement", level="url", api=api)


@pytest.mark.filterwarnings("ignore")  # as above
@pytest.mark.parametrize(
    "target",
    [
        _row(target, target, target.__name__)
        for target in (
            _OPENAI,
            _ANTHROPIC,
            _LANGCHAIN,
            consumers.PartialJsonParser,
            consumers.JsonRepair,
        )
    ],
)
def test_fuzzer_finds_something_by_itself(target: Any) -> None:
    """The stock alone leads to a finding of at most six fragments or four chunks."""
    _need(target)
    judge = judge_of(target, Wanted())
    campaign = Campaign(
        judge,
        Plan(
            ("split-invariance", "dialect-invariance", "agreement"), max_examples=9000
        ),
    )
    (failure,) = campaign.run()
    assert len(failure.arrived) <= (6 if isinstance(failure.arrived[0], str) else 4)
    assert all(not name.startswith("made") for name in campaign.tried.streams)
