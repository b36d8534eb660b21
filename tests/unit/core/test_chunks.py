"""Payloads parse leniently and exactly, and models keep all that was sent."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk as OpenAIChunk

from harness.apis.chat.chunks import (
    DONE,
    Chunk,
    parse_json,
    parse_payload,
    payload_error,
    payload_of,
)
from harness.apis.chat.models import ChatCompletionChunk, to_model
from harness.errors import ChunkError
from tests.chunk_streams import recordings


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        ("{}", {}),
        (b"{}", {}),
        (' {"a": [1, 2.5, null, true, "é"]} ', {"a": [1, 2.5, None, True, "é"]}),
        ('{"a": "é🙂"}'.encode(), {"a": "é🙂"}),
        (r'{"a": "\u00e9\ud83d\ude42\n\/"}', {"a": "é🙂\n/"}),
        (r'{"a": "\ud83d", "b": "\ude42"}', {"a": "\ud83d", "b": "\ude42"}),
        (rb'{"a": "\ud83d"}', {"a": "\ud83d"}),
        ('{"a": "\ud83d"}', {"a": "\ud83d"}),
        (b'{"a": "\xff\xe2\x82"}', {"a": "\ufffd\ufffd"}),
        ('{"a": "tab\tnew\nline\0"}', {"a": "tab\tnew\nline\0"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        (r'{"a": "\ud83d", "a": 2}', {"a": 2}),
        ('{"a": 1e999, "b": -0.0}', {"a": float("inf"), "b": -0.0}),
        ('{"a": 12345678901234567890123}', {"a": 12345678901234567890123}),
    ],
)
def test_parse_payload_reads_what_providers_send(
    data: str | bytes, payload: dict[str, Any]
) -> None:
    """Text or bytes, lone surrogates, bad UTF-8, raw control characters, duplicates."""
    assert parse_payload(data) == payload


def test_parse_payload_reads_deep_nesting() -> None:
    """A depth that one parser refuses the other one reads."""
    payload: Any = parse_payload('{"a":' * 300 + "1" + "}" * 300)
    for _ in range(300):
        payload = payload["a"]
    assert payload == 1


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "no JSON (Expecting value"),
        (DONE, "no JSON (Expecting value"),
        (b"{", "no JSON (Expecting property name"),
        ('{"a": 1', "no JSON (Expecting ',' delimiter"),
        ("{} {}", "no JSON (Extra data"),
        (": ping", "no JSON (Expecting value"),
        (b"\xff", "no JSON (Expecting value"),
        ("null", "JSON, but no object"),
        ("[]", "JSON, but no object"),
        ("3", "JSON, but no object"),
        (b'"\xc3\xa9"', "JSON, but no object"),
        ('{"a":' * 200_000, "nested too deeply"),
    ],
)
def test_parse_payload_refuses_anything_but_an_object(
    data: str | bytes, problem: str
) -> None:
    """The error says why, keeps the whole payload and shows its beginning."""
    with pytest.raises(ChunkError) as caught:
        parse_payload(data)
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    assert caught.value.problem.startswith(problem)
    assert caught.value.payload == text
    assert str(caught.value).startswith(f"unreadable chunk: {problem}")
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20) | st.binary(max_size=20))
def test_parse_payload_raises_nothing_but_chunk_errors(data: str | bytes) -> None:
    """Any text or bytes give what `json.loads` gives, or a `ChunkError`."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    try:
        expected = json.loads(text, strict=False)
    except ValueError:
        expected = None
    if isinstance(expected, dict):
        assert parse_payload(data) == expected
    else:
        with pytest.raises(ChunkError):
            parse_payload(data)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({}, None),
        ({"choices": []}, None),
        ({"error": None, "choices": []}, None),
        ({"error": {}}, None),
        ({"error": ""}, None),
        ({"error": {"message": "too fast", "code": 429}}, "too fast"),
        ({"error": {"code": 429, "text": "é"}}, '{"code": 429, "text": "é"}'),
        ({"error": {"message": None}}, '{"message": null}'),
        ({"error": "overloaded"}, "overloaded"),
        ({"error": ["a"]}, '["a"]'),
        ({"object": "error", "message": "no model"}, "no model"),
        ({"object": "error", "code": 1}, '{"object": "error", "code": 1}'),
        ({"object": "chat.completion.chunk", "message": "x"}, None),
    ],
)
def test_payload_error_gives_the_message(
    payload: dict[str, Any], message: str | None
) -> None:
    """Every form of an error in the stream is told by its message, else as JSON."""
    assert payload_error(payload) == message


def test_payload_error_survives_an_error_nested_too_deeply() -> None:
    """What parsed but cannot be written as JSON again is still told to be an error."""
    error: dict[str, Any] = {}
    for _ in range(100_000):
        error = {"a": error}
    message = payload_error({"error": error})
    assert message is not None
    assert "nested too deeply" in message
    while error:  # unlinked by hand: a chain is freed by recursion
        error = error.pop("a")


# -- Models --------------------------------------------------------------------------

_FULL: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion.chunk",
    "created": 1_700_000_000,
    "model": "m",
    "x_extra": {"deep": [1]},
    "choices": [
        {
            "index": 0,
            "delta": {
                "role": "assistant",
                "content": "Hi",
                "reasoning_content": "hm",
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{", "x": 1},
                        "extra_content": {"google": 1},
                    }
                ],
            },
            "logprobs": None,
            "finish_reason": None,
        }
    ],
    "usage": {"total_tokens": 3},
}


def test_to_model_gives_attributes_down_to_the_function() -> None:
    """A consumer of the OpenAI SDK's chunks finds every attribute, extras too."""
    model = to_model(_FULL)
    assert type(model) is ChatCompletionChunk
    chunk: Any = model
    call = chunk.choices[0].delta.tool_calls[0]
    assert (chunk.id, chunk.model, chunk.created) == ("c1", "m", 1_700_000_000)
    assert chunk.x_extra == {"deep": [1]}
    assert chunk.usage == {"total_tokens": 3}
    assert chunk.choices[0].delta.content == "Hi"
    assert chunk.choices[0].delta.reasoning_content == "hm"
    assert (call.index, call.id, call.type) == (0, "call_1", "function")
    assert (call.function.name, call.function.arguments) == ("f", "{")
    assert call.extra_content == {"google": 1}


def test_to_model_fills_what_was_not_sent_with_none() -> None:
    """Reading an absent field gives None (or an empty list), never an exception."""
    chunk: Any = to_model({})
    assert (chunk.id, chunk.created, chunk.usage, chunk.choices) == (None,) * 3 + ([],)
    [choice] = to_model({"choices": [{}]}).choices
    assert (choice.index, choice.delta, choice.finish_reason) == (0, None, None)
    assert to_model({"choices": None}).choices == []
    assert to_model({"choices": [{"delta": None}]}).choices[0].delta is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 5),
        ("created", "1700000000"),
        ("model", None),
        ("model", {"name": "m"}),
        ("usage", "none"),
        ("cls", 1),
        ("_fields_set", 1),
        ("model_dump", "x"),
    ],
)
def test_an_odd_field_is_kept_and_spoils_no_other(field: str, value: object) -> None:
    """One field of another type leaves the rest of the chunk readable."""
    chunk: Any = to_model({**_FULL, field: value})
    assert payload_of(chunk)[field] == value
    assert chunk.choices[0].delta.content == "Hi"


def test_arguments_sent_as_an_object_are_kept_with_attributes_around() -> None:
    """Ollama's own form: the object is there, and so is every attribute above it."""
    entry = {"index": "0", "function": {"name": "f", "arguments": {"a": 1}, "x": 2}}
    payload = {"choices": [{"delta": {"content": 5, "tool_calls": [entry, None]}}]}
    chunk: Any = to_model(payload)
    delta = chunk.choices[0].delta
    assert delta is not None
    assert delta.content == 5
    call, nothing = delta.tool_calls
    assert call.index == "0"
    assert call.function.arguments == {"a": 1}
    assert call.function.x == 2
    assert call.id is None
    assert nothing is None
    assert payload_of(chunk) == payload


def test_a_choice_without_index_or_delta_is_read_in_an_odd_chunk_too() -> None:
    """Defaults are there also where the chunk did not fit its types."""
    choice: Any
    [choice] = to_model({"id": 1, "choices": [{"index": None}]}).choices
    assert choice.index is None
    assert choice.delta is None


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "tool_calls",
                    "function",
                    "index",
                    "id",
                    "name",
                    "arguments",
                    "content",
                    "usage",
                    "created",
                    "x",
                    "cls",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
_chunks = st.dictionaries(
    st.sampled_from(["id", "created", "model", "usage", "object", "x", "self"]),
    _json,
    max_size=3,
)
_payloads = st.builds(
    lambda head, choices: {**head, "choices": choices},
    _chunks,
    _json
    | st.lists(
        st.fixed_dictionaries(
            {}, optional={"index": _json, "delta": _json, "finish_reason": _json}
        ),
        max_size=2,
    ),
)


@settings(max_examples=100, deadline=None)
@given(_payloads)
def test_any_payload_comes_back_from_its_model(payload: dict[str, Any]) -> None:
    """Nothing is lost, changed or added, whatever its shape; null choices aside."""
    expected = dict(payload)
    if expected["choices"] is None:
        expected["choices"] = []
    # As JSON text, for in Python 1 is equal to 1.0 and to True.
    ours = json.dumps(payload_of(to_model(payload)), sort_keys=True)
    assert ours == json.dumps(expected, sort_keys=True)


def test_payload_of_takes_each_form_of_a_chunk() -> None:
    """A dict, a `Chunk`, our model and the OpenAI SDK's give the same payload."""

    class Sub(dict[str, Any]):
        """A dict of another class."""

    assert payload_of(_FULL) is _FULL
    assert payload_of(Chunk(0, None, _FULL)) is _FULL
    assert payload_of(to_model(_FULL)) == _FULL
    assert payload_of(OpenAIChunk.construct(**_FULL)) == _FULL
    plain = payload_of(Sub(a=1))
    assert (plain, type(plain)) == ({"a": 1}, dict)


@pytest.mark.parametrize("chunk", [None, "{}", [("a", 1)], object()])
def test_payload_of_refuses_anything_else(chunk: object) -> None:
    """The message names the type that came."""
    with pytest.raises(TypeError, match=f"got {type(chunk).__name__}"):
        payload_of(chunk)


@pytest.mark.slow
def test_every_recorded_chunk_survives_parsing_and_its_model() -> None:
    """The first chunks of each recording come back unchanged from text and model."""
    for recording in recordings():
        for chunk in recording.chunks[:8] + recording.chunks[-2:]:
            text = json.dumps(chunk.payload)
            assert parse_payload(text) == chunk.payload, recording.name
            expected = chunk.payload
            if expected.get("choices", ()) is None:
                expected = {**expected, "choices": []}
            assert payload_of(to_model(chunk.payload)) == expected, recording.name


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_ODD = st.sampled_from(
    [
        *(b"", b" {} \n", b"\xef\xbb\xbf{}", b'{"a":"\\ud83d"}', b'"\xff"', b'"\x01"'),
        *(b"NaN", b"-Infinity", b"1e999", b"-0", b"01", b"1" * 5000, b"{}{}", b'{"a"'),
        *(b"[" * 150 + b"]" * 150, b"[" * 99999, b'{"a":1,"a":2}', b"\x0c{}", b"{}\0"),
    ]
)


def _parsed(data: str | bytes) -> str:
    try:
        return repr(parse_json(data))  # NaN is equal to nothing
    except (ValueError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"


@given(st.builds(json.dumps, _JSON, ensure_ascii=st.booleans()), st.integers(0), _ODD)
def test_json_is_the_same_with_and_without_pydantics_parser(
    text: str, cut: int, odd: bytes
) -> None:
    """Values and errors: whole texts, cut ones, odd ones, as text and as bytes."""
    short = text[: cut % (len(text) + 1)]
    raw = text.encode(errors="surrogatepass")
    texts: list[str | bytes] = [text, short, raw, short + "]", odd]
    fast = [_parsed(one) for one in texts]
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sys.modules, "pydantic_core", None)
        assert [_parsed(one) for one in texts] == fast
