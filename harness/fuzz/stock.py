r"""Streams and argument texts that every consumer is tried on when none are given.

Small, made in code, one for each shape that has broken a real consumer (the threads
are named beside them). All hold something that a consumer can be held to: faults are
put to them by the campaign. None is longer than a dozen chunks, so that every cut of
every one of them is tried in seconds.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["broken_texts", "stock_streams", "stock_texts"]

_Delta = dict[str, Any]
_Stream = tuple[dict[str, Any], ...]


def _chunk(delta: _Delta | None, finish: str | None = None, **more: Any) -> _Delta:
    choice: _Delta = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "model",
        "choices": [choice],
        **more,
    }


def _stream(*deltas: _Delta, finish: str = "stop") -> _Stream:
    role = _chunk({"role": "assistant", "content": None})
    return (role, *map(_chunk, deltas), _chunk({}, finish))


def _calls(*deltas: _Delta) -> _Stream:
    return _stream(*deltas, finish="tool_calls")


def _text(*pieces: str) -> list[_Delta]:
    return [{"content": piece} for piece in pieces]


def _entry(
    arguments: str | None = None,
    *,
    name: str | None = None,
    call_id: str | None = None,
    index: int | None = 0,
) -> _Delta:
    entry: _Delta = {} if index is None else {"index": index}
    if call_id is not None:
        entry |= {"id": call_id, "type": "function"}
    function: _Delta = {} if name is None else {"name": name}
    if arguments is not None:
        function["arguments"] = arguments
    return entry | {"function": function}


def _open(name: str, number: int, arguments: str = "", index: int = 0) -> _Delta:
    return _entry(arguments, name=name, call_id=f"call_{number}", index=index)


def _delta(*entries: _Delta) -> _Delta:
    return {"tool_calls": list(entries)}


def _fragments(*pieces: str, index: int = 0) -> list[_Delta]:
    return [_delta(_entry(piece, index=index)) for piece in pieces]


def stock_streams() -> dict[str, _Stream]:
    """Return the streams by name, simple ones first."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    filters: _Delta = {"prompt_index": 0, "content_filter_results": {}}
    plain = _stream(*_text("Hel", "lo", " there"))
    call = _calls(
        _delta(_open("get_weather", 1)), *_fragments('{"ci', 'ty": "Pa', 'ris"}')
    )
    parallel = _calls(
        _delta(_open("first", 1)),
        *_fragments('{"a": ', "1}"),
        _delta(_open("second", 2, index=1)),
        *_fragments('{"b": ', "2}", index=1),
    )
    return {
        "text": plain,
        "call": call,
        "text in one chunk": _stream(*_text("Hello there")),
        "text beyond ASCII": _stream(*_text("Grü", "ße, 你", "好 👋🏽", "‍🚀 e\u0301")),
        "text with every line end": _stream(
            *_text("a\r", "\nb\n\n", "c\u2028d ", "\te")
        ),
        # cita-777/metapi#336, crabwise-ai/crabwalk#8: taken for the text so far
        "text that repeats itself": _stream(*_text("ha", "ha", "haha", "!")),
        "text that looks escaped": _stream(*_text("a &lt;", " b &am", "p; c %20 \\n.")),
        # pydantic-ai#164, llama_index#7640, simonw/llm#294
        "first chunk without choices": (
            {**_chunk({}), "id": "", "choices": [], "prompt_filter_results": [filters]},
            *plain,
        ),
        # litellm#35785, llmeter#34, autogen#4875
        "usage in a last chunk without choices": (
            *plain,
            {**_chunk({}), "choices": [], "usage": usage},
        ),
        # autogen#6465, openai-python#1677
        "choice without delta": (
            *plain[:3],
            {
                **_chunk({}),
                "choices": [
                    {"index": 0, "finish_reason": None, "content_filter_results": {}}
                ],
            },
            *plain[3:],
        ),
        # openai-python#2313
        "null delta": (*plain[:3], _chunk(None), *plain[3:]),
        # letta#1915
        "empty deltas": (plain[0], _chunk({}), *plain[1:3], _chunk({}), *plain[3:]),
        "empty content": _stream({"content": ""}, *_text("Hello", "", " there", "")),
        "finish beside the last text": (
            *plain[:3],
            _chunk({"content": " there"}, "stop"),
        ),
        "content as a list of parts": _stream(
            {"content": [{"type": "text", "text": "Hel"}]},
            {"content": [{"type": "text", "text": "l"}, {"type": "text", "text": "o"}]},
        ),
        "reasoning before text": _stream(
            {"reasoning_content": "Let me", "content": None},
            {"reasoning_content": " see.", "content": None},
            *_text("It is", " seven."),
        ),
        "refusal": _stream({"refusal": "I can"}, {"refusal": "not do that."}),
        "whole call in one chunk": _calls(
            _delta(_open("get_weather", 1, '{"city": "Paris"}'))
        ),
        "text and a call": _calls(
            *_text("One ", "moment."),
            _delta(_open("look", 1)),
            *_fragments('{"x"', ":1}"),
        ),
        "text beside a call": _calls(
            {"content": "One ", **_delta(_open("look", 1))},
            {"content": "moment.", **_delta(_entry('{"x":1}'))},
        ),
        # pydantic-ai#8208
        "text after a call": _calls(
            _delta(_open("look", 1)),
            *_fragments('{"x"', ":1}"),
            *_text("Looked", " it up."),
        ),
        "arguments with escapes": _calls(
            _delta(_open("say", 1)),
            *_fragments('{"message": "a', '\\"b', "\\n\\u00", 'e9\\\\"}'),
        ),
        "arguments with a pair": _calls(
            _delta(_open("say", 1)), *_fragments('{"message": "\\ud83d', '\\ude00 ok"}')
        ),
        "arguments beyond ASCII": _calls(
            _delta(_open("say", 1)), *_fragments('{"message": "Grüße', ' 👋🏽"}')
        ),
        # pydantic-ai#1654, vllm#9693
        "call without arguments": _calls(_delta(_entry(name="now", call_id="call_1"))),
        "call with null arguments": _calls(
            _delta(
                {
                    **_entry(call_id="call_1"),
                    "function": {"name": "now", "arguments": None},
                }
            )
        ),
        "null arguments before others": _calls(
            _delta(
                {
                    **_entry(call_id="call_1"),
                    "function": {"name": "look", "arguments": None},
                }
            ),
            *_fragments('{"x": 1}'),
        ),
        "parallel calls": parallel,
        "parallel calls in turns": _calls(
            _delta(_open("first", 1), _open("second", 2, index=1)),
            *_fragments('{"a": '),
            *_fragments('{"b": ', index=1),
            *_fragments("1}"),
            *_fragments("2}", index=1),
        ),
        # litellm#7621
        "parallel calls whole": _calls(
            _delta(_open("first", 1, '{"a":1}')),
            _delta(_open("second", 2, '{"b":2}', index=1)),
            _delta(_open("first", 3, '{"a":3}', index=2)),
        ),
        "parallel calls in one delta": _calls(
            _delta(_open("first", 1, '{"a":1}'), _open("second", 2, '{"b":2}', index=1))
        ),
        "the same call twice": _calls(
            _delta(_open("look", 1, '{"a":1}')),
            _delta(_open("look", 2, '{"a":1}', index=1)),
        ),
        # litellm#33678, hermes-agent#3468, langchain#35281
        "parallel calls at index 0": _calls(
            _delta(_open("first", 1, '{"a":1}')), _delta(_open("second", 2, '{"b":2}'))
        ),
        # openai-python#2806, mistral.rs#1507
        "calls without index": _calls(
            _delta(_entry('{"a":', name="first", call_id="call_1", index=None)),
            _delta(_entry("1}", call_id="call_1", index=None)),
        ),
        # free-claude-code#633
        "null index": _calls(
            _delta({**_entry('{"a":', name="first", call_id="call_1"), "index": None}),
            _delta({**_entry("1}", call_id="call_1"), "index": None}),
        ),
        # litellm#5025, #5231
        "first index is 1": _calls(
            _delta(_open("look", 1, index=1)), *_fragments('{"x"', ":1}", index=1)
        ),
        # langchain#36627
        "two fragments in one delta": _calls(
            _delta(_open("look", 1), _entry('{"x"')), _delta(_entry(":"), _entry("1}"))
        ),
        # hermes-agent#8259, continue#5849
        "name sent again": _calls(
            _delta(_open("look", 1, '{"x"')), _delta(_open("look", 1, ":1}"))
        ),
        "name in pieces": _calls(
            _delta(_open("get_", 1)),
            _delta(_entry(name="weather")),
            *_fragments('{"x"', ":1}"),
        ),
        # pydantic-ai#8208
        "null id and name later": _calls(
            _delta(_open("look", 1)),
            _delta(
                {
                    "index": 0,
                    "id": None,
                    "type": None,
                    "function": {"name": None, "arguments": '{"x":1}'},
                }
            ),
        ),
        "usage beside every chunk": tuple({**chunk, "usage": usage} for chunk in plain),
        "the same key deeper": _calls(
            _delta(_open("say", 1)),
            *_fragments(
                '{"o": {"message": "no"}, ', '"message": "yes", "a": "message"}'
            ),
        ),
        "finish beside the last call": (
            *call[:-2],
            {
                **call[-2],
                "choices": [{**call[-2]["choices"][0], "finish_reason": "tool_calls"}],
            },
        ),
    }


_VALUES = (
    "Hello there",
    "",
    'a "quoted" \\ word/',
    "tab\tline\nend\r\b\f",
    "C:\\users\\new",
    "é ü 你好 \u2028",
    "👋🏽 🚀",
    "\x00\x1f",
    '{"message": "not me"}',
)


def stock_texts(key: str) -> dict[str, str]:
    """Return argument objects as JSON text, by name.

    Args:
        key: The key under which the wanted string is.
    """
    name = json.dumps(key)
    texts: dict[str, str] = {}
    for value in _VALUES:
        texts[f"raw {value!r}"] = f"{{{name}: {json.dumps(value, ensure_ascii=False)}}}"
        texts[f"escaped {value!r}"] = f"{{{name}: {json.dumps(value)}}}"
    everything = "".join(
        f"\\u{unit:04x}" for unit in (0x61, 0xE9, 0x4F60, 0xD83D, 0xDE00)
    )
    texts |= {
        "only escapes": f'{{{name}: "{everything}"}}',
        "solidus and capitals": f'{{{name}: "\\/\\u00E9\\uD83D\\uDE00\\/"}}',
        "the same key deeper": f'{{"o": {{{name}: "no"}}, {name}: "yes"}}',
        "the key inside a string": f'{{"o": "\\"{key}\\": \\"no\\"", {name}: "yes"}}',
        "the key as a value": f'{{"o": {name}, {name}: "yes"}}',
        "the key inside an array": f'{{"o": [{name}, {{{name}: 1}}], {name}: "yes"}}',
        "a longer key first": f'{{"{key}s": "no", {name}: "yes"}}',
        "a shorter key first": f'{{"{key[:-1]}": "no", {name}: "yes"}}',
        "a key that ends so": f'{{"inner_{key}": "no", {name}: "yes"}}',
        "another key after": f'{{{name}: "yes", "o": "no"}}',
        "a key that begins so after": f'{{{name}: "yes", "{key}_id": "no"}}',
        "escaped key": "{"
        '"'
        + "".join(f"\\u{ord(c):04x}" for c in key if ord(c) < 0x10000)
        + '": "yes"}',
        "blanks everywhere": f' {{\n\t{name} \r\n:  "yes" ,\n "o" : [ 1 , 2 ] }} ',
        "no blanks": f'{{{name}:"yes","o":[1,2]}}',
        "values of every type first": (
            f'{{"a": -1.5e+3, "b": true, "c": null, "d": [], "e": {{}}, '
            f'"f": [[{{"g": "]}}"}}]], {name}: "yes"}}'
        ),
        "no such key": '{"other": "no"}',
        "empty object": "{}",
        "braces in the text": f'{{{name}: "}} {{ ] [ , : "}}',
    }
    return texts


def broken_texts(key: str) -> dict[str, str]:
    """Return argument texts that are no JSON object, by name.

    Args:
        key: The key under which the wanted string is.

    Source: openclaw#88226, assistant-ui#5524, sglang#31974, letta#2495.
    """
    name = json.dumps(key)
    return {
        "invalid escape": f'{{{name}: "C:\\users"}}',
        "unknown escape": f'{{{name}: "a\\q"}}',
        "unfinished number": f'{{"a": [-, {name}: "b"}}',
        "unfinished word": f'{{"a": nul, {name}: "b"}}',
        "unfinished string": f'{{{name}: "hel',
        "unfinished escape": f'{{{name}: "hel\\u00',
        "half a pair": f'{{{name}: "\\ud83d"}}',
        "junk behind": f'{{{name}: "yes"}}}} and more',
        "two objects": f'{{{name}: "yes"}}{{{name}: "no"}}',
        "no object": '"message"',
        "an array": f'[{{{name}: "no"}}]',
        "nothing": "",
        "missing colon": f'{{{name} "yes"}}',
        "missing comma": f'{{"a": 1 {name}: "yes"}}',
        "raw line end": f'{{{name}: "a\nb"}}',
    }
