"""Dialects: each against a recording of its provider, and each habit by example."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from harness.apis.chat.chunks import Chunk
from harness.apis.chat.deltas import DeltaReader
from harness.apis.chat.dialects.registry import DIALECTS, encode_stream, parse_dialect
from harness.apis.framing import Framing, encode_payload
from harness.core.argument_text import compact, escaped, pretty, reordered
from harness.errors import UsageError
from tests.checked_dialects import CHECKED_AGAINST
from tests.chunk_streams import Recording, recording, to_chunks
from tests.shared import needs_shared

CHECKED = list(CHECKED_AGAINST)
PROVIDERS = CHECKED[: CHECKED.index("perplexity") + 1]
OPENAI_TOOLS = (
    "traceloop__openllmetry/s__traces__cassettes__test_functions__"
    "test_open_ai_function_calls_tools_streaming_parallel.yaml"
)

# A second recording where the first has no calls.
TOOLS = {
    "mistral": "olimorris__codecompanion.nvim/tests__adapters__http__stubs__"
    "mistral_tools_streaming.yaml",
}

# What a recording has and our dialect has not, or the other way round, and why.
EXPLAINED: dict[str, set[str]] = {
    # This recording announces calls with a null content, others text with an empty
    # one and a null refusal; which of them cannot be known at the start.
    "openai": {
        ".choices[].delta.content:null",
        ".choices[].delta.content:empty",
        ".choices[].delta.refusal:null",
        ".obfuscation:str",  # padding of a random length; here none
        ".obfuscation:empty",
    },
    "azure": {".obfuscation:str", ".obfuscation:empty"},
    # An empty text before the calls says nothing, so it is not told on.
    "gpustack": {".choices[].delta.content:empty"},
    "gemini": {".choices[].delta.reasoning_opaque:str"},  # Copilot's own
    # An empty thinking part announces the reasoning; it says nothing.
    "mistral": {".choices[].delta.content[].thinking:[]"},
    # A signature by the provider behind it, which cannot be made up.
    "openrouter": {".choices[].delta.reasoning_details[].signature:str"},
    # Search results are the source provider's; the first delta may be empty.
    "perplexity": {
        ".choices[].delta.content:empty",
        ".choices[].message.content:empty",
        ".search_results",
        ".citations",
    },
}
_OPAQUE = {"usage", "x_groq", "logprobs", "content_filter_results"}


def recorded(name: str) -> Recording:
    """Return the recording that a dialect was checked against."""
    file, _, interaction = CHECKED_AGAINST[name].partition("#")
    return recording(file, int(interaction))


def convert(name: str, chunks: list[Chunk]) -> list[dict[str, Any]]:
    """Return the payloads of a stream in a dialect."""
    return [chunk.payload for chunk in parse_dialect(name).apply(chunks)]


def paths(payloads: list[dict[str, Any]]) -> set[str]:
    """Return the fields that a stream has, each with the kinds of its values."""
    found = set()

    def walk(path: str, value: Any) -> None:
        field = path.rpartition(".")[2]
        if field in _OPAQUE and value:
            found.add(f"{path}:filled")
        elif isinstance(value, dict) and value:
            for key, inner in value.items():
                walk(f"{path}.{key}", inner)
        elif isinstance(value, list) and value and field != "search_results":
            for inner in value:
                walk(f"{path}[]", inner)
        elif value is None:
            found.add(f"{path}:null")
        elif value == "":
            found.add(f"{path}:empty")
        elif isinstance(value, list | dict):
            found.add(path if value else f"{path}:{json.dumps(value)}")
        elif isinstance(value, str):
            found.add(f"{path}:str".replace(".citations[]:str", ".citations"))
        else:
            found.add(f"{path}:number")

    for payload in payloads:
        walk("", payload)
    return found


def entries(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all entries of `tool_calls` of a stream in order."""
    return [
        entry
        for payload in payloads
        for choice in payload.get("choices") or []
        for entry in (choice.get("delta") or {}).get("tool_calls") or []
    ]


def opening(number: int, name: str, arguments: str = "") -> dict[str, Any]:
    """Return an entry that opens a call as OpenAI writes it."""
    return {
        "index": number,
        "id": f"id{number}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def more(number: int, arguments: str) -> dict[str, Any]:
    """Return an entry with a later fragment as OpenAI writes it."""
    return {"index": number, "function": {"arguments": arguments}}


def stream(*deltas: dict[str, Any]) -> list[Chunk]:
    """Return a stream with these deltas, finished, with token counts at the end."""
    head = {"id": "c", "created": 7, "model": "m"}
    finish = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return to_chunks(
        [
            *({**head, "choices": [{"index": 0, "delta": delta}]} for delta in deltas),
            {**head, "choices": [finish]},
            {**head, "choices": [], "usage": {"total_tokens": 3}},
        ]
    )


def calls(*entries: dict[str, Any]) -> list[Chunk]:
    """Return a stream with one of these entries a chunk."""
    return stream(*({"tool_calls": [entry]} for entry in entries))


@needs_shared
@pytest.mark.parametrize("name", CHECKED)
def test_a_recording_has_the_habits_its_dialect_claims(name: str) -> None:
    """A recording said in its own dialect keeps exactly its fields and their kinds."""
    real = recorded(name)
    before = paths([chunk.payload for chunk in real.chunks])
    after = paths(convert(name, real.chunks))
    assert before ^ after <= EXPLAINED.get(name, set())


@needs_shared
@pytest.mark.parametrize("name", PROVIDERS)
def test_an_openai_recording_takes_the_fields_of_the_provider(name: str) -> None:
    """OpenAI's calls in a dialect have the fields that its recording has for calls."""
    real = recorded(name)
    source = recording(OPENAI_TOOLS)
    converted = convert(name, source.chunks)
    chunks = real.chunks + (recording(TOOLS[name]).chunks if name in TOOLS else [])
    known = paths([chunk.payload for chunk in chunks]) | EXPLAINED.get(name, set())
    # Without token counts and reasoning in the source there is nothing to compare.
    new = {path for path in paths(converted) if path not in known}
    unrecorded = {"vllm", "azure", "perplexity"}  # their recordings have no calls
    if name in unrecorded:
        new = {path for path in new if ".tool_calls" not in path}
    if name == "openrouter":  # it passes the reason on as the provider calls it
        new -= {".choices[].native_finish_reason:str"}
    assert new == set()
    assert len({entry["id"] for entry in entries(converted) if entry.get("id")}) == 2


@needs_shared
@pytest.mark.parametrize(
    ("name", "count", "has_index"),
    [
        ("openai", 13, True),
        ("ollama", 2, True),
        ("gpustack", 2, False),
        ("gemini", 2, True),
        ("mistral", 2, True),
        ("groq", 2, True),
        ("deepseek", 13, True),
    ],
)
def test_calls_come_as_the_provider_sends_them(
    name: str, count: int, *, has_index: bool
) -> None:
    """Fragments or whole calls, with or without an index."""
    sent = entries(convert(name, recording(OPENAI_TOOLS).chunks))
    assert len(sent) == count
    assert all(("index" in entry) is has_index for entry in sent)


@needs_shared
@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("openrouter", rb"\A(: OPENROUTER PROCESSING\n\n)+data: \{"),
        ("perplexity", rb"\Adata: \{[^\n]*\}\r\n\r\n"),
        ("openai", rb"\Adata: \{[^\r]*data: \[DONE\]\n\n\Z"),
    ],
)
def test_framing_is_that_of_the_recording(name: str, pattern: bytes) -> None:
    """Comments, line ends and the end stand in the recording and in ours."""
    real = recorded(name)
    ours = b"".join(encode_stream(real.chunks, parse_dialect(name)))
    assert re.search(pattern, real.body.encode(), re.DOTALL)
    assert re.search(pattern, ours, re.DOTALL)
    assert (b"[DONE]" in ours) is ("[DONE]" in real.body)


def test_openai_writes_a_stream_anew() -> None:
    """Role, text, finish and token counts, each in a chunk of its own."""
    payloads = convert("openai", stream({"content": "a"}))
    head = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "service_tier": "default",
        "system_fingerprint": "fp_0",
        "usage": None,
        "obfuscation": "",
    }

    def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}

    assert payloads == [
        {
            **head,
            "choices": [choice({"role": "assistant", "content": "", "refusal": None})],
        },
        {**head, "choices": [choice({"content": "a"})]},
        {**head, "choices": [choice({}, "stop")]},
        {**head, "choices": [], "usage": {"total_tokens": 3}},
    ]


@pytest.mark.parametrize("name", PROVIDERS)
def test_citations_and_images_are_kept(name: str) -> None:
    """In one delta, which the OpenAI SDK can add up; of OpenRouter as they come."""
    cited = [{"type": "url_citation", "url_citation": {"url": u}} for u in ("a", "b")]
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    deltas: list[dict[str, Any]] = [{"annotations": [cited[0]]}, {"content": "hi"}]
    payloads = convert(
        name, stream(*deltas, {"annotations": [cited[1]], "images": [image]})
    )
    choices = [choice for payload in payloads for choice in payload["choices"]]
    found = [c["delta"]["annotations"] for c in choices if "annotations" in c["delta"]]
    assert found == ([[cited[0]], [cited[1]]] if name == "openrouter" else [cited])
    assert [c["delta"]["images"] for c in choices if "images" in c["delta"]] == [
        [image]
    ]


def test_a_piece_keeps_the_place_of_what_said_it() -> None:
    """Number and time are those of the source chunk; the last one's at the end."""
    chunks = parse_dialect("ollama").apply(
        stream({"content": "a"}, {"tool_calls": [opening(0, "f", "{}")]})
    )
    assert [(chunk.index, chunk.at) for chunk in chunks] == [
        (0, 0.0),
        (3, 0.3),
        (3, 0.3),
        (3, 0.3),
    ]


def test_whole_calls_that_interleave_come_one_after_the_other() -> None:
    """Nothing of an interleaved call is lost or glued to the other."""
    chunks = calls(
        opening(0, "f"), opening(1, "g"), more(0, "{"), more(1, "[]"), more(0, "}")
    )
    assert entries(convert("groq", chunks)) == [
        {
            "id": "id0",
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
            "index": 0,
        },
        {
            "id": "id1",
            "type": "function",
            "function": {"name": "g", "arguments": "[]"},
            "index": 1,
        },
    ]


def test_whole_calls_stay_before_the_text_behind_them() -> None:
    """A complete call is not held back until the end of the stream."""
    chunks = stream({"tool_calls": [opening(0, "f", "{}")]}, {"content": "a"})
    deltas = [
        payload["choices"][0]["delta"] for payload in convert("ollama", chunks)[:2]
    ]
    assert [delta["content"] for delta in deltas] == ["", "a"]
    assert "tool_calls" in deltas[0]


def test_a_call_is_told_before_the_text_behind_it() -> None:
    """Also one without arguments, whose name could have gone on until then."""
    chunks = stream({"tool_calls": [opening(0, "f")]}, {"content": "a"})
    deltas = [p["choices"][0]["delta"] for p in convert("openai", chunks)[1:3]]
    assert [list(delta) for delta in deltas] == [["tool_calls"], ["content"]]


def test_a_whole_call_waits_for_its_end_behind_a_text() -> None:
    """Text in the middle of the arguments does not tear them apart."""
    chunks = stream(
        {"tool_calls": [opening(0, "f", "{")]},
        {"content": "a"},
        {"tool_calls": [more(0, "}")]},
    )
    sent = entries(convert("ollama", chunks))
    assert [entry["function"]["arguments"] for entry in sent] == ["{}"]


def test_what_comes_behind_a_whole_call_is_told_all_the_same() -> None:
    """A fragment after the call was sent is sent as a fragment."""
    chunks = stream(
        {"tool_calls": [opening(0, "f", "{}")]},
        {"content": "a"},
        {"tool_calls": [more(0, " ")]},
    )
    assert entries(convert("ollama", chunks))[1:] == [more(0, " ")]


def test_an_empty_fragment_belongs_to_its_index() -> None:
    """It says nothing new, but an id put to it must be that of its call."""
    chunks = calls(opening(0, "f"), opening(1, "g"), more(0, ""), more(1, "{}"))
    sent = entries(convert("index-zero", chunks))
    assert [entry.get("id") for entry in sent] == ["id0", "id1", "id0", "id1"]


def test_a_stream_without_a_finish_keeps_its_last_words() -> None:
    """Where the finish rides on the last chunk, that chunk comes without it too."""
    chunks = to_chunks([{"choices": [{"index": 0, "delta": {"content": "a"}}]}])
    assert convert("vllm", chunks)[-1]["choices"][0]["delta"] == {"content": "a"}


def test_a_call_without_id_gets_one_of_its_position() -> None:
    """The same id every time, and never that of another call."""
    first = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
    second = {"index": 1, "function": {"name": "g", "arguments": "{}"}}
    sent = entries(convert("no-index", calls(first, second)))
    assert [entry["id"] for entry in sent] == ["call_1", "call_1_1"]


@pytest.mark.parametrize("name", ["openai", "ollama", "mistral", "name-in-pieces"])
def test_a_name_behind_its_arguments_is_kept(name: str) -> None:
    """They wait for it: a call begins with its name wherever it is written anew."""
    entries = [
        {"index": 0, "id": "call_1", "function": {"arguments": '{"a": '}},
        {"index": 0, "function": {"name": "look", "arguments": ""}},
        {"index": 0, "function": {"arguments": "1}"}},
    ]
    chunks = to_chunks(
        [
            {"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [entry]}}]}
            for entry in entries
        ]
    )
    reader = DeltaReader()
    for chunk in parse_dialect(name).apply(chunks):
        reader.read(chunk.payload)
    (call,) = reader.calls
    assert (call.name, json.loads(call.arguments)) == ("look", {"a": 1})


def test_an_error_event_comes_through() -> None:
    """A provider's error keeps its place and its payload in every provider dialect."""
    error = {"error": {"message": "m"}}
    chunks = stream({"content": "a"})
    chunks = [chunks[0], Chunk(1, 0.1, error)]
    for name in PROVIDERS:
        assert error in convert(name, chunks), name


FRAGMENTS = (opening(0, "send", '{"'), more(0, 'a":1}'))


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        (
            "no-index",
            [
                {
                    "id": "id0",
                    "type": "function",
                    "function": {"name": "send", "arguments": '{"'},
                },
                {"id": "id0", "function": {"arguments": 'a":1}'}},
            ],
        ),
        (
            "index-null",
            [
                {**opening(0, "send", '{"'), "index": None},
                {"index": None, "id": "id0", "function": {"arguments": 'a":1}'}},
            ],
        ),
        (
            "name-resent",
            [opening(0, "send", '{"'), opening(0, "send", 'a":1}')],
        ),
        (
            "name-in-pieces",
            [
                {
                    "index": 0,
                    "id": "id0",
                    "type": "function",
                    "function": {"name": "sen"},
                },
                {"index": 0, "function": {"name": "d", "arguments": '{"'}},
                more(0, 'a":1}'),
            ],
        ),
        (
            "null-continuation",
            [
                opening(0, "send", '{"'),
                {
                    "id": None,
                    "type": None,
                    "index": 0,
                    "function": {"name": None, "arguments": 'a":1}'},
                },
            ],
        ),
        ("arguments-pretty", [opening(0, "send", "{\n "), more(0, ' "a": 1\n}')]),
    ],
)
def test_a_habit_of_calls(name: str, sent: list[dict[str, Any]]) -> None:
    """Each habit changes what it is about and nothing else."""
    assert entries(convert(name, calls(*FRAGMENTS))) == sent


def test_a_name_in_pieces_never_looks_resent() -> None:
    """A piece that equals those before it has neither id nor type beside it."""
    entry = {"id": "x", "function": {"name": "aaaaaa", "arguments": "{}"}}
    assert entries(convert("name-in-pieces", calls(entry))) == [
        {"id": "x", "function": {"name": "aaa"}},
        {"function": {"name": "aaa", "arguments": "{}"}},
    ]


def test_a_name_is_resent_only_once_it_is_whole() -> None:
    """Pieces of a name stay pieces."""
    piece = {"index": 0, "function": {"name": "nd"}}
    sent = entries(
        convert("name-resent", calls(opening(0, "se"), piece, more(0, "{}")))
    )
    assert [entry["function"]["name"] for entry in sent] == ["se", "nd", "send"]


def test_arguments_sent_as_an_object_are_not_rewritten() -> None:
    """Among fragments of text they have no share in a rewritten text."""
    first = {"index": 0, "function": {"name": "f", "arguments": {"a": 1}}}
    chunks = calls(first, more(0, " "))
    converted = convert("arguments-pretty", chunks)
    assert converted == [chunk.payload for chunk in chunks]


def test_index_zero_carries_an_id_where_it_is_needed() -> None:
    """A fragment of a call that another has followed says whose it is."""
    chunks = calls(opening(0, "f"), opening(1, "g"), more(0, "{}"), more(1, "{}"))
    chunks += [chunks[3]]
    sent = entries(convert("index-zero", chunks))
    assert {entry["index"] for entry in sent} == {0}
    assert [entry.get("id") for entry in sent] == ["id0", "id1", "id0", "id1", None]


def test_habits_of_content() -> None:
    """Empty content, content as a list, and filter results without a delta."""
    chunks = stream({"role": "assistant"}, {"content": "ab"})
    filled = convert("empty-content", chunks)
    assert filled[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert filled[1] == chunks[1].payload
    listed = convert("list-content", chunks)
    assert listed[1]["choices"][0]["delta"] == {
        "content": [{"type": "text", "text": "ab"}]
    }
    result = convert("azure-async", chunks)[2]
    assert result["choices"] == [
        {
            "index": 0,
            "finish_reason": None,
            "content_filter_results": {},
            "content_filter_offsets": {
                "check_offset": 0,
                "start_offset": 0,
                "end_offset": 2,
            },
        }
    ]
    nulled = convert("azure-null-delta", chunks)[2]
    assert nulled["choices"] == [{**result["choices"][0], "delta": None}]


def test_usage_chunk_moves_or_makes_the_token_counts() -> None:
    """They come last and alone, whatever chunk had them, or zeros if none had."""
    moved = to_chunks([{"choices": [{"delta": {"content": "a"}}], "usage": {"n": 1}}])
    assert convert("usage-chunk", moved) == [
        {"choices": [{"delta": {"content": "a"}}], "usage": None},
        {"choices": [], "usage": {"n": 1}},
    ]
    assert convert("usage-chunk", to_chunks([{"choices": [{"delta": {}}]}]))[-1] == {
        "choices": [],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


@pytest.mark.parametrize(
    ("rewrite", "text"),
    [
        (compact, r'{"b":[1.0,{"a":"x, \"y"},{}],"é":1E5,"c":[]}'),
        (
            pretty,
            (
                '{\n  "b": [\n    1.0,\n    {\n      "a": "x, \\"y"\n    },\n    {}\n'
                '  ],\n  "é": 1E5,\n  "c": []\n}'
            ),
        ),
        (reordered, r'{"c":[],"é":1E5,"b":[1.0,{"a":"x, \"y"},{}]}'),
        (
            escaped,
            (
                r'{"\u0062":[1.0,{"\u0061":"\u0078\u002c\u0020\u0022\u0079"},{}],'
                r'"\u00e9":1E5,"\u0063":[]}'
            ),
        ),
    ],
)
def test_argument_text_keeps_the_value(rewrite: Any, text: str) -> None:
    """Numbers keep their digits, and `json.loads` reads the same value."""
    source = r' {"b": [1.0, {"a" :"x, \"y"}, {} ],  "é":1E5, "c": [ ]} '
    assert rewrite(source) == text
    assert json.loads(text) == json.loads(source)


def test_argument_text_handles_what_has_no_other_form() -> None:
    """Text that is no JSON stays, as does the order of a key that comes twice."""
    for rewrite in (compact, pretty, escaped, reordered):
        assert rewrite('{"a": ') == '{"a": '
        assert rewrite("") == ""
        assert rewrite("[" * 100_000) == "[" * 100_000
    assert reordered('{"a": 1, "b": 2, "\\u0061": 3}') == '{"a":1,"b":2,"\\u0061":3}'
    assert escaped('"\U0001f600"') == r'"\ud83d\ude00"'
    assert escaped('"\ud83d"') == r'"\ud83d"'


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("recorded", b'data: {"a":"\xc3\xa9"}\n\ndata: [DONE]\n\n'),
        ("crlf", b'data: {"a":"\xc3\xa9"}\r\n\r\ndata: [DONE]\r\n\r\n'),
        ("cr", b'data: {"a":"\xc3\xa9"}\r\rdata: [DONE]\r\r'),
        ("no-space", b'data:{"a":"\xc3\xa9"}\n\ndata:[DONE]\n\n'),
        ("comments", b': keep-alive\n\ndata: {"a":"\xc3\xa9"}\n\ndata: [DONE]\n\n'),
        ("retry", b'retry: 3000\n\ndata: {"a":"\xc3\xa9"}\n\ndata: [DONE]\n\n'),
        ("no-done+crlf", b'data: {"a":"\xc3\xa9"}\r\n\r\n'),
    ],
)
def test_framing_by_example(name: str, wire: bytes) -> None:
    """Each wire habit, byte for byte."""
    chunks = to_chunks([{"a": "é"}])
    assert b"".join(encode_stream(chunks, parse_dialect(name))) == wire


def test_a_lone_surrogate_is_escaped_on_the_wire() -> None:
    """UTF-8 has no lone surrogates, so JSON's escape carries it."""
    assert encode_payload({"a": "é\ud83d"}) == r'{"a": "\u00e9\ud83d"}'.replace(" ", "")
    assert Framing().frame(encode_payload({"a": "\ud83d"}), 0) == (
        b'data: {"a":"\\ud83d"}\n\n'
    )


def test_a_dialect_tells_what_it_is() -> None:
    """It says whether it is harmless and what it cannot say."""
    assert parse_dialect("azure+crlf").is_harmless
    assert not parse_dialect("openai+no-done").is_harmless
    assert "interleave" in parse_dialect("ollama+index-zero").cannot
    assert "without a name" in parse_dialect("ollama+index-zero").cannot
    assert parse_dialect("crlf").cannot == ""
    assert all(part.summary for part in DIALECTS.values())


def test_an_unknown_dialect_is_refused() -> None:
    """The message names what came and lists what there is, in one line."""
    with pytest.raises(
        UsageError, match=r"'azure\+x': expected one of recorded, "
    ) as e:
        parse_dialect("azure+x")
    assert str(e.value).endswith("joined by +; got 'x'")
    assert "\n" not in str(e.value)


def chunk_of(delta: dict[str, Any], reason: str | None = None, **beside: Any) -> Chunk:
    """Return a chunk of choice 0."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return Chunk(0, None, {"id": "c", "model": "m", "choices": [choice], **beside})


@pytest.mark.parametrize("name", [n for n in DIALECTS if "arguments-" not in n])
def test_a_custom_tool_stays_custom(name: str) -> None:
    """The input of a custom tool, which is no JSON, is nobody's function's."""
    custom = {"index": 0, "id": "a", "type": "custom"}
    pieces = [
        {**custom, "custom": {"name": "sql", "input": ""}},
        {"index": 0, "custom": {"input": 'SELECT "a'}},
        {"index": 0, "custom": {"input": '" {'}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "f"}},
        {"index": 1, "function": {"arguments": '{"x":1}'}},
    ]
    chunks = [chunk_of({"tool_calls": [piece]}) for piece in pieces]
    reader = DeltaReader()
    for chunk in parse_dialect(name).apply([*chunks, chunk_of({}, "tool_calls")]):
        reader.read(chunk.payload)
    calls = [(call.type, call.name, call.arguments) for call in reader.calls]
    assert calls == [("custom", "sql", 'SELECT "a" {'), ("function", "f", '{"x":1}')]


@pytest.mark.parametrize("place", ["beside", "in the choice"])
def test_an_error_with_the_last_choice_is_written_once(place: str) -> None:
    """Text and finish beside an error come once, and the error is not lost."""
    last = chunk_of({"content": "b"}, "error")
    holder = last.payload if place == "beside" else last.payload["choices"][0]
    holder["error"] = {"code": 502, "message": "upstream"}
    written = list(parse_dialect("openai").apply([chunk_of({"content": "a"}), last]))
    payloads = [chunk.payload for chunk in written]
    assert [p["error"] for p in payloads if "error" in p] == [holder["error"]]
    choices = [choice for p in payloads for choice in p.get("choices", [])]
    assert "".join(c["delta"].get("content") or "" for c in choices) == "ab"
    assert [c["finish_reason"] for c in choices if c["finish_reason"]] == ["error"]
