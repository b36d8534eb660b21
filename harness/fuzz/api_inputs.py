"""What an input of another API than chat carries, and the same written otherwise.

The reader of the API is the judge of what arrived, its writer makes the other forms.
The neutral form between them is the parts of each event (`harness.core.parts`).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.apis.detect import api_named, api_of_event
from harness.apis.examples import example_events, example_names, numbered_events
from harness.apis.json_values import is_json
from harness.apis.style import ApiStyle, api_style
from harness.core.part_cuts import recut_parts
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
from harness.core.splits import parse_split
from harness.debug.outcomes import Call
from harness.fuzz.fuzz_inputs import (
    FuzzInput,
    Truth,
    ids_of,
    payloads_of_bytes,
    sources_of,
    token_counts,
)
from harness.fuzz.shrink_search import shorter, smaller_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.chat.chunks import Chunk

Answer = list[list[Part]]
"""The parts of each event, in order."""

_CITES = re.compile("citation|groundingMetadata")
_WHOLE = parse_split("whole")
SIGNED = frozenset(("signature", "redacted_reasoning"))
"""What is opaque and must be returned with the next request."""


def name_of_api(payloads: Iterable[dict[str, Any]], default: str) -> str:
    """Return which API some payloads are events of.

    Args:
        payloads: Of one stream.
        default: Where none of them can only be one API's.
    """
    for payload in payloads:
        found = api_of_event(str(payload.get("type") or ""), payload)
        if found is not None:
            return found.name
    return default


def api_payloads(fed: FuzzInput) -> FuzzInput:
    """Return the payloads of an input, read from its bytes where it is bytes."""
    if not fed or not isinstance(fed[0], bytes):
        return fed
    return payloads_of_bytes(fed)


def answer_of(api: str, fed: FuzzInput) -> Answer:
    """Read an input: the parts of each event, problems included, the end's last."""
    reader = api_named(api).reader()
    answer = [reader.feed(event) for event in numbered_events(api, api_payloads(fed))]
    return [*answer, reader.close()]


def api_truth(api: str, fed: FuzzInput) -> Truth:
    """Return what an input carries, as the API's reader reads it."""
    reader = api_named(api).reader()
    payloads = api_payloads(fed)
    parts = [part for e in numbered_events(api, payloads) for part in reader.feed(e)]
    is_ended = reader.is_finished
    parts += reader.close()
    texts: dict[type, str] = {Text: "", Reasoning: "", Refusal: ""}
    calls: dict[int, ToolCall] = {}
    counts: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, Text | Reasoning | Refusal):
            texts[type(part)] += part.text
        elif isinstance(part, CallPart):
            calls[id(part.call)] = part.call
        elif isinstance(part, Usage):
            counts |= {k: n for k, n in part.counts.items() if n is not None}
    found = tuple(
        Call(call.name, call.arguments.strip() or "{}") for call in calls.values()
    )
    finishes = [part for part in parts if isinstance(part, Finish)]
    return Truth(
        texts[Text],
        texts[Reasoning],
        texts[Refusal],
        found,
        is_sound=is_ended
        and not any(_is_stopped(finish) for finish in finishes)
        and not any(isinstance(part, Problem) for part in parts)
        and all(call.name and is_json(call.arguments) for call in found),
        is_ended=is_ended,
        finish=finishes[-1].reason if finishes else "",
        meaning=(finishes[-1].meaning or finishes[-1].reason) if finishes else "",
        counts=token_counts(counts),
        kept=tuple(kept for part in parts for kept in _kept(part)),
        ids=ids_of([call.id for call in calls.values()], ()),
    )


def _kept(part: Part) -> tuple[tuple[str, str], ...]:
    if isinstance(part, Opaque) and part.kind in SIGNED:
        return ((part.kind, part.data),)
    if isinstance(part, Item) and part.is_done and _CITES.search(part.kind):
        return sources_of(part.kind, part.value)
    return ()


def _is_stopped(finish: Finish) -> bool:
    """Return whether an answer was cut off or filtered, which may well be an error."""
    return (finish.meaning or finish.reason) in {"length", "content_filter", "error"}


def _without_problems(answer: Answer) -> Iterator[list[Part]]:
    for parts in answer:
        yield [part for part in parts if not isinstance(part, Problem)]


def written(
    api: str, answer: Answer, *, dialect: str = "", fault: str = ""
) -> FuzzInput:
    """Write an answer as the payloads of an API.

    Args:
        api: Which; chat has neither dialects nor faults here.
        answer: The parts of each event.
        dialect: A dialect of the API; empty for the standard one.
        fault: A fault of the API, as `--fault` takes it; empty for none.
    """
    if api == "chat":
        return _written_chat(answer)
    style = api_style(api, dialect, fault)
    events, _ = style.write(_without_problems(answer))
    return tuple(event.payload for event in events)


def _written_chat(answer: Answer) -> FuzzInput:
    from harness.apis.chat.restate import Restater

    restater = Restater()
    chunks: list[Chunk] = []
    for number, parts in enumerate(_without_problems(answer)):
        chunks += restater.chunks(number, None, parts)
    return tuple(chunk.payload for chunk in chunks)


def written_bytes(
    api: str, answer: Answer, *, dialect: str = "", fault: str = ""
) -> FuzzInput:
    """Write an answer as the bytes of an API, an event a piece."""
    if api == "chat":
        from harness.fuzz.finding_cassettes import event_bytes

        return tuple(event_bytes(_written_chat(answer)))
    style: ApiStyle = api_style(api, dialect, fault)
    events, _ = style.write(_without_problems(answer))
    return tuple(style.encode(events))


def cut_answer(answer: Answer, split: str) -> Answer:
    """Cut the texts of an answer by a rule, such as `chars`."""
    timed = ((None, parts) for parts in _without_problems(answer))
    return [parts for _, parts in recut_parts(timed, parse_split(split))]


def api_plain(api: str, fed: FuzzInput) -> FuzzInput:
    """Return what an input carries, as the API's standard dialect, without cuts."""
    write = written_bytes if isinstance(fed[0], bytes) else written
    return write(api, cut_answer(answer_of(api, fed), "whole"))


_REASONS = {
    "responses": ("completed", "completed"),
    "anthropic": ("end_turn", "tool_use"),
    "gemini": ("STOP", "STOP"),
    "chat": ("stop", "tool_calls"),
}
_LENGTH = {"responses": "incomplete", "anthropic": "max_tokens", "gemini": "MAX_TOKENS"}


def _complete(api: str, *content: list[Part], calls: bool = False) -> Answer:
    counts = {"input_tokens": 7, "output_tokens": 5}
    if api == "gemini":
        counts = {"promptTokenCount": 7, "candidatesTokenCount": 5}
        counts["totalTokenCount"] = 12
    finish = Finish(_REASONS[api][calls], "tool_calls" if calls else "stop")
    head: list[Part] = [Head("answer_1", "model", 1), Usage(counts, 7, 5)]
    return [head, *content, [Usage(counts, 7, 5), finish]]


def _call(position: int, name: str, *pieces: str) -> Answer:
    call = ToolCall(position, position, f"{MADE_ID}{position + 1}")
    call.name = name
    answer: Answer = [[CallPart(call, name, "", is_new=True, id=call.id)]]
    for piece in pieces:
        call.add_arguments(piece)
        answer.append([CallPart(call, "", piece, is_new=False)])
    return answer


def _text(*pieces: str) -> Answer:
    parts: list[Part] = [Block("text"), *map(Text, pieces)]
    return [[part] for part in parts]


MADE_ID = "call_9d"  # what nobody makes up who counts calls
_KEPT = ("cited", "thinking", "signed-text", "signed-calls")
"""The examples from which it is learnt what a consumer keeps."""


def api_probes(
    api: str, pieces: tuple[str, ...], reasoning: str, call: Call
) -> dict[str, Answer]:
    """Return plain answers from which it is learnt what a consumer shows."""
    text = "".join(pieces)
    one, two = (_call(number, call.name, call.arguments) for number in (0, 1))
    probes = {
        "content": _complete(api, *_text(text)),
        "calls": _complete(api, *one, calls=True),
        "several": _complete(api, *_text(*pieces), *one, *two, calls=True),
        "reasoning": _complete(
            api, [Block("reasoning")], [Reasoning(reasoning)], *_text(text)
        ),
        "length": [
            [Finish(_LENGTH[api], "length") if isinstance(p, Finish) else p for p in ps]
            for ps in _complete(api, *_text(text))
        ],
    }
    if api == "responses":
        probes["refusal"] = _complete(api, [Block("refusal")], [Refusal(text)])
    names = [name for name in _KEPT if name in example_names(api)]
    return probes | {name: _example(api, name) for name in names}


def neutral_answers(api: str) -> dict[str, Answer]:
    """Return answers that every API can carry, the most common first."""
    weather = ('{"city": ', '"Paris"}')
    return {
        "text and parallel calls": _complete(
            api,
            *_text("Let me ", "look."),
            *_call(0, "get_weather", *weather),
            *_call(1, "get_time", '{"zone": "CET", ', '"days": [1, 2]}'),
            calls=True,
        ),
        "plain text": _complete(api, *_text("Hel", "lo", " there")),
        "one call": _complete(api, *_call(0, "get_weather", *weather), calls=True),
        "text beyond ASCII": _complete(api, *_text("Grü", "ße, 你", "好 👋🏽", "‍🚀")),
        "text with line ends": _complete(api, *_text("a\n", "\nb \t", " c\u2028d")),
        "text that repeats itself": _complete(api, *_text("ha", "ha", "haha", "!")),
        "a call without arguments": _complete(api, *_call(0, "now"), calls=True),
        "the same call twice": _complete(
            api,
            *_call(0, "get_weather", *weather),
            *_call(1, "get_weather", *weather),
            calls=True,
        ),
        "arguments with escapes": _complete(
            api,
            *_call(0, "note", '{"message": "a', '\\"b', "\\n\\u00", 'e9\\\\"}'),
            calls=True,
        ),
        **further_answers(api),
    }


def further_answers(api: str) -> dict[str, Answer]:
    """Return those of the neutral answers that chat has no example of."""
    odd = (
        '{"id": 9007199254740993, "ratio": 0.1, "path": "C:\\\\new\\\\table", ',
        '"none": null, "deep": {"list": [{"a": []}, "}{"]}, ',
        '"code": "```json\\n{}\\n```"}',
    )
    return {
        "text with blanks around": _complete(api, *_text(" \n a", "  b\n```", " \n\n")),
        "text that looks like events": _complete(
            api,
            *_text("data: [DONE]\n", "\nevent: error\n", "data: error: no\n\n: a"),
            *_text("0", "null", "false", " <"),
        ),
        "arguments of every kind": _complete(
            api, *_call(0, "mcp__notes__add-note", *odd), calls=True
        ),
    }


LARGE = ("a long text", "long arguments", "a text in many pieces", "a dozen calls")


def large_answers(api: str) -> dict[str, Answer]:
    """Return what is longer than common limits: of a line, a text, a queue, a stack."""
    arguments = json.dumps({"a": "word " * 40_000})
    dozen = [part for n in range(12) for part in _call(n, "note", f'{{"n": {n}}}')]
    return {
        "a long text": _complete(api, *_text("word ", "word" * 262_500)),
        "long arguments": _complete(
            api, *_call(0, "note", arguments[:99], arguments[99:]), calls=True
        ),
        "a text in many pieces": _complete(api, *_text(*["word "] * 2_500)),
        "a dozen calls": _complete(api, *dozen, calls=True),
    }


def stock_answers(api: str) -> dict[str, Answer]:
    """Return the answers that consumers of an API are tried on: all that it made."""
    answers = neutral_answers(api)
    return answers | {name: _example(api, name) for name in example_names(api)}


def _example(api: str, name: str) -> Answer:
    events = example_events(api, name)
    return answer_of(api, tuple(event.payload for event in events))


def smaller_answers(api: str, stream: FuzzInput) -> Iterator[FuzzInput]:
    """Yield smaller forms of a stream that are written as its API writes them."""
    answer = _without_problems(answer_of(api, stream))
    flat: Answer = [[part] for parts in answer for part in parts]
    yield from (written(api, [*some]) for some in shorter(tuple(flat)))
    yield written(api, cut_answer(flat, "whole"))
    for number, (part,) in enumerate(flat):
        if isinstance(part, Text | Reasoning | Refusal) and len(part.text) > 1:
            for text in smaller_texts(part.text):
                changed: Answer = [[type(part)(text)]]
                yield written(api, flat[:number] + changed + flat[number + 1 :])
