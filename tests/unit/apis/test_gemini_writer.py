"""What is written is read back as the same parts, in every dialect of Gemini."""

from __future__ import annotations

import json
import pickle
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.apis.base import Event
from harness.apis.gemini.api import API
from harness.apis.gemini.dialects import DIALECTS
from harness.apis.gemini.reader import Reader, whole
from harness.apis.gemini.rules import Checker
from harness.apis.gemini.writer import Writer, body
from harness.apis.tables import not_carried
from harness.core.diagnostics import DiagnosticKind
from harness.core.json_stream import JSONStreamDecoder
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from harness.core.sse import SSEDecoder
from tests.gemini_streams import answer, merged, problems, read, read_each, recordings

if TYPE_CHECKING:
    from harness.apis.base import Payload, WrittenEvent
    from harness.apis.dialects import Dialect
    from tests.gemini_streams import Recording


def write(
    groups: list[list[Part]], dialect: Dialect = DIALECTS["gemini-sse"]
) -> tuple[list[WrittenEvent], dict[str, int]]:
    """Write the parts of each event; return events and what was left out."""
    writer = dialect.writer()
    events = [event for parts in groups for event in writer.feed(parts)]
    return events + writer.close(), writer.left_out


def payloads_of(
    groups: list[list[Part]], dialect: Dialect = DIALECTS["gemini-sse"]
) -> list[Payload]:
    """Return the written objects, through JSON."""
    events, _ = write(groups, dialect)
    return [json.loads(json.dumps(event.payload)) for event in events]


def broken(payloads: list[Payload]) -> set[str]:
    """Return the names of the rules that a stream breaks."""
    events = [Event(index, "", payload) for index, payload in enumerate(payloads)]
    return {violation.rule.name for violation in API.check(events)}


def _key_sets(value: Any) -> Any:
    """Return the shape of an event: names, but neither values nor counts."""
    if isinstance(value, dict):
        return {
            key: "counts" if key == "usageMetadata" else _key_sets(inner)
            for key, inner in value.items()
            if key != "args"
        }
    return [_key_sets(item) for item in value] if isinstance(value, list) else None


def test_recorded_streams_are_written_back() -> None:
    """All 33: nothing left out, the same parts, no rule broken that was not before."""
    for stream in recordings():
        groups = read_each(stream.payloads)
        events, left_out = write(groups)
        assert left_out == {}, stream.name
        payloads = [event.payload for event in events]
        assert merged(read(*payloads)) == merged(read(*stream.payloads)), stream.name
        assert broken(payloads) == broken(stream.payloads), stream.name


def test_recorded_events_have_the_same_names_when_written_back() -> None:
    """Event by event, in the server's dialect, but for streamed calls and fixtures."""
    compared = 0
    for stream in recordings():
        sent = stream.payloads
        if b"partialArgs" in stream.body or "responseId" not in sent[0]:
            continue
        has_index = any("index" in c for p in sent for c in p.get("candidates", ()))
        dialect = DIALECTS["gemini-sse" if has_index else "vertex"]
        written = payloads_of(read_each(sent), dialect)
        assert len(written) == len(sent), stream.name
        assert [_key_sets(p) for p in written] == [_key_sets(p) for p in sent], (
            stream.name
        )
        compared += len(sent)
    assert compared > 50


@cache
def _recorded() -> list[tuple[Recording, list[list[Part]], Any]]:
    """Return each recording with its parts and what it says, read for all dialects."""
    return [
        (stream, read_each(stream.payloads), answer(read(*stream.payloads)))
        for stream in recordings()
    ]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_says_the_same_and_breaks_the_rules_it_declares(name: str) -> None:
    """Over the recordings: answer, framing, exactly the declared rules."""
    dialect = DIALECTS[name]
    all_broken: set[str] = set()
    for stream, groups, said in _recorded():
        events, left_out = write(groups, dialect)
        assert bool(left_out) <= bool(dialect.cannot), stream.name
        wire = b"".join(dialect.encode(events))
        payloads = _decoded(wire, is_array=dialect.framing.is_array)
        before, after = said, answer(read(*payloads))
        if name == "no-thoughts":
            before = before._replace(reasoning="")
        if not before.stop:  # a fixture that was cut
            before, after = before._replace(stop=""), after._replace(stop="")
        ids = [call[1] for call in after.calls]
        assert all(ids) or name != "ids"
        assert not any(ids) or name != "no-ids"
        if name in {"ids", "no-ids"}:
            before, after = _without_ids(before), _without_ids(after)
        assert _parsed(after) == _parsed(before), stream.name
        if stream.expected["stop"]:
            all_broken |= broken(payloads)
    assert all_broken == {f"gemini/{rule}" for rule in dialect.breaks}


def _decoded(wire: bytes, *, is_array: bool) -> list[Payload]:
    decoder = JSONStreamDecoder() if is_array else SSEDecoder()
    events = decoder.feed(wire)
    assert decoder.close() == []
    return [json.loads(event.data) for event in events if event.data != "[DONE]"]


def _without_ids(found: Any) -> Any:
    return found._replace(calls=[(name, "", args) for name, _, args in found.calls])


def _parsed(found: Any) -> Any:
    calls = [(name, id_, json.loads(args)) for name, id_, args in found.calls]
    return found._replace(calls=calls)


def test_dialects_are_values() -> None:
    """Frozen, comparable and picklable; rules by names that exist; a source each."""
    assert len(DIALECTS) >= 8
    for name, dialect in DIALECTS.items():
        assert pickle.loads(pickle.dumps(dialect)) == dialect
        assert hash(dialect) == hash(pickle.loads(pickle.dumps(dialect)))
        assert dialect.name == name
        assert dialect.summary
        assert dialect.source
        assert dialect.breaks <= Checker.rules.keys()
    assert len(set(DIALECTS.values())) == len(DIALECTS)


# -- What a dialect looks like --------------------------------------------------------


def _call_parts(
    position: int, name: str, arguments: str, call_id: str = ""
) -> CallPart:
    call = ToolCall(position, None, call_id)
    call.name = name
    call.add_arguments(arguments)
    return CallPart(call, name, arguments, is_new=True, id=call_id)


def _written(groups: list[list[Part]], name: str) -> list[Any]:
    """Return the parts (or the whole event without candidates) of each event."""
    return [
        [entry.get("content", {}).get("parts") for entry in payload["candidates"]]
        if "candidates" in payload
        else payload
        for payload in payloads_of(groups, DIALECTS[name])
    ]


def test_dialects_of_calls() -> None:
    """Two calls of one event, written as each dialect does."""
    first, second = _call_parts(0, "f", '{"a": "x"}'), _call_parts(1, "f", '{"n": 1}')
    end: list[Part] = [Finish("STOP", "tool_calls"), Usage({"totalTokenCount": 1})]
    groups: list[list[Part]] = [[first, second], end]
    f = {"functionCall": {"name": "f", "args": {"a": "x"}}}
    g = {"functionCall": {"name": "f", "args": {"n": 1}}}
    empty = [[{"text": ""}]]
    assert _written(groups, "gemini-sse") == [[[f, g]], empty]
    assert _written(groups, "one-call-an-event") == [[[f]], [[g]], empty]
    assert _written(groups, "all-calls-one-event") == [[[f, g]]]
    ids = _written(groups, "ids")[0][0]
    assert [part["functionCall"]["id"] for part in ids] == ["call-0-0", "call-0-1"]
    opening = {"functionCall": {"name": "f", "willContinue": True}}
    closing: Any = [[{"functionCall": {}}]]

    def piece(path: str, **value: Any) -> Any:
        entry = {"jsonPath": path, **value}
        return [[{"functionCall": {"partialArgs": [entry], "willContinue": True}}]]

    assert _written(groups, "partial-args") == [
        [[opening]],
        piece("$.a", stringValue="x", willContinue=True),
        piece("$.a", stringValue=""),
        closing,
        [[opening]],
        piece("$.n", numberValue=1),
        closing,
        empty,
    ]


def test_dialects_of_signatures() -> None:
    """On its text, or on an empty text behind it."""
    groups: list[list[Part]] = [
        [Text("a"), Block("text"), Text("b"), Opaque("signature", "QQ==")],
        [Block("reasoning"), Opaque("signature", "Qg==")],
        [_call_parts(0, "f", "{}")],
    ]
    groups[2].append(Opaque("signature", "Qw==", groups[2][0].call))  # type: ignore[union-attr]
    thought = {"text": "", "thought": True, "thoughtSignature": "Qg=="}
    call = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "Qw=="}
    assert _written(groups, "gemini-sse") == [
        [[{"text": "a"}, {"text": "b", "thoughtSignature": "QQ=="}]],
        [[thought]],
        [[call]],
    ]
    assert _written(groups, "signature-on-empty-text")[0] == [
        [{"text": "a"}, {"text": "b"}, {"text": "", "thoughtSignature": "QQ=="}]
    ]


def test_dialects_of_events() -> None:
    """Names, wrapper, counts, ids, finish reasons."""
    counts = {"totalTokenCount": 1}
    head = Head("r", "m", 1.5)
    groups: list[list[Part]] = [
        [head, Text("a"), Usage(counts)],
        [Text("b"), Finish("STOP", "stop")],
    ]
    time = "1970-01-01T00:00:01.500000Z"
    ends = {"modelVersion": "m", "createTime": time}
    parts = {"content": {"parts": [{"text": "a"}], "role": "model"}, "index": 0}
    full = {"candidates": [parts], "usageMetadata": counts, "responseId": "r", **ends}

    def first(name: str) -> Payload:
        return payloads_of(groups, DIALECTS[name])[0]

    assert first("gemini-sse") == full
    without = [{k: v for k, v in parts.items() if k != "index"}]
    assert first("vertex") == {**full, "candidates": without}
    assert "usageMetadata" not in first("usage-last-only")
    assert (
        payloads_of(groups, DIALECTS["usage-last-only"])[1]["usageMetadata"] == counts
    )
    assert "responseId" not in first("no-response-id")
    assert first("code-assist")["response"] == full
    assert first("snake-case")["usage_metadata"] == {"total_token_count": 1}
    assert first("stop-everywhere")["candidates"][0]["finishReason"] == "STOP"


def test_framings() -> None:
    """CRLF and no `[DONE]` as Google sends; an array; what proxies make of it."""
    counts = Usage({"totalTokenCount": 1})
    events, _ = write([[Text("a")], [Text("b"), Finish("STOP", "stop"), counts]])

    def wire(name: str) -> bytes:
        return b"".join(DIALECTS[name].encode(events))

    assert wire("gemini-sse").startswith(b'data: {"candidates":[{"content":{"parts":')
    assert wire("gemini-sse").endswith(b"}\r\n\r\n")
    assert b"\r" not in wire("lf")
    assert wire("with-done").endswith(b"\n\ndata: [DONE]\n\n")
    assert wire("keep-alive").count(b": keep-alive\r\n\r\n") == 2
    array = wire("gemini-array")
    assert array.startswith(b'[{\n  "candidates"')
    assert b"}\n,\r\n{".replace(b"\n,", b",") in array
    assert len(json.loads(array)) == 2
    assert b"".join(DIALECTS["gemini-array"].encode([])) == b"[]\n"


# -- What cannot be carried -----------------------------------------------------------


def _custom(text: str) -> CallPart:
    part = _call_parts(0, "f", text)
    part.call.type = "custom"
    return part


@pytest.mark.parametrize(
    ("parts", "written", "what"),
    [
        ([Refusal("no")], [Text("no")], "refusal"),
        ([_call_parts(0, "f", '{"a": ')], [], "call without an object"),
        ([_call_parts(0, "f", "[1]")], [], "call without an object"),
        ([Opaque("encrypted_reasoning", "QQ==")], [], "encrypted_reasoning"),
        ([Opaque("redacted_reasoning", "QQ==")], [], "redacted_reasoning"),
        ([Opaque("signature", "no base64!")], [], "signature"),
        ([Item("web_search_call", {"id": "w"})], [], "web_search_call"),
        ([Item("web_search_call", {"id": "w"}, is_done=False)], [], ""),
        ([Finish("weird")], [Finish("OTHER", "")], "finish reason"),
        ([Finish("end_turn", "stop")], [Finish("STOP", "stop")], ""),
        ([Finish("max_tokens", "length")], [Finish("MAX_TOKENS", "length")], ""),
        ([Finish("length")], [Finish("MAX_TOKENS", "length")], ""),
        ([Finish("NEW_REASON")], [Finish("NEW_REASON")], ""),
        (
            [Finish("SAFETY", "content_filter"), Usage({"trafficType": "t"})],
            [Finish("SAFETY", "content_filter"), Usage({"trafficType": "t"})],
            "",
        ),
        ([Head("r", "m"), Head("s")], [Head("r", "m")], "another id or model"),
        ([Head("r", "m", 1e300)], [Head("r", "m")], "created"),
        (
            [Usage({"prompt_tokens": 3, "completion_tokens": 2, "x": 1}, 3, 2)],
            [
                Usage(
                    {
                        "promptTokenCount": 3,
                        "candidatesTokenCount": 2,
                        "totalTokenCount": 5,
                    },
                    3,
                    2,
                )
            ],
            "token count",
        ),
    ],
)
def test_what_is_not_carried_is_counted(
    parts: list[Part], written: list[Part], what: str
) -> None:
    """By a name that the table explains; an item by its own kind."""
    events, left_out = write([parts])
    found = [p for p in read(*(e.payload for e in events)) if type(p) is not Problem]
    assert found == written
    assert left_out == ({what: 1} if what else {})
    assert not what or what in not_carried("gemini") or what == "web_search_call"


def test_the_input_of_a_custom_call_is_an_argument() -> None:
    """It is counted all the same: it is another call than before."""
    events, left_out = write([[_custom("x = 1")], [Finish("tool_calls")]])
    assert answer(read(*(e.payload for e in events))).calls == [
        ("f", "", '{"input": "x = 1"}')
    ]
    assert left_out == {"custom call": 1}


def test_a_signature_that_comes_after_its_call_cannot_be_written() -> None:
    """The call is out as soon as it is whole."""
    part = _call_parts(0, "f", "{}")
    _, left_out = write([[part], [Opaque("signature", "QQ==", part.call)]])
    assert left_out == {"signature": 1}


def test_an_error_and_a_refused_prompt_are_events_of_their_own() -> None:
    """What came before is written first."""
    error = Problem(DiagnosticKind.ERROR_EVENT, "overloaded")
    groups: list[list[Part]] = [[Text("a")], [error]]
    assert payloads_of(groups)[1] == {
        "error": {"code": 500, "message": "overloaded", "status": "INTERNAL"}
    }
    assert problems(read(*payloads_of(groups))) == [("error-event", "overloaded")]
    events, left_out = write([[error], [error, Finish("failed")]])
    assert len(events) == 1
    assert left_out == {"what follows an error": 2}
    feedback = {"blockReason": "SAFETY"}
    blocked: list[Part] = [
        Item("promptFeedback", feedback),
        Finish("SAFETY", "content_filter"),
    ]
    assert payloads_of([blocked]) == [{"promptFeedback": feedback}]
    assert read(*payloads_of([blocked])) == blocked


# -- Made parts -----------------------------------------------------------------------

_TEXTS = st.text(st.sampled_from('ab"\\ \né🙂\ud800'), min_size=1, max_size=5)
_NAMES = st.sampled_from(["f", "get_weather", "é"])
_ARGUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2)
    ),
    max_leaves=5,
)
_SIGNATURES = st.sampled_from(["QQ==", "QUI=", "QUJD", "-_-_"])


@st.composite
def made_groups(draw: st.DrawFn) -> list[list[Part]]:
    """Parts of a whole answer, by event: calls in pieces, parallel and interleaved."""
    groups: list[list[Part]] = [[Head("r", "m")]]
    open_calls: list[tuple[ToolCall, list[str]]] = []
    count = 0
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(
            st.sampled_from(["text", "thought", "signed", "call", "more", "item"])
        )
        group: list[Part] = []
        if kind == "text":
            group.append(Text(draw(_TEXTS)))
        elif kind == "thought":
            group.append(Reasoning(draw(_TEXTS)))
        elif kind == "signed":
            is_thought = draw(st.booleans())
            group.append(Block("reasoning" if is_thought else "text"))
            if draw(st.booleans()):
                text = draw(_TEXTS)
                group.append(Reasoning(text) if is_thought else Text(text))
            group.append(Opaque("signature", draw(_SIGNATURES)))
        elif kind == "call":
            call = ToolCall(count, None, draw(st.sampled_from(["", f"id{count}"])))
            count += 1
            value = draw(st.dictionaries(_TEXTS, _ARGUMENTS, max_size=2))
            text = json.dumps(value, ensure_ascii=False)
            cut = draw(st.integers(0, len(text)))
            call.name = draw(_NAMES)
            pieces = [text[:cut], text[cut:]]
            group.append(CallPart(call, call.name, pieces[0], is_new=True, id=call.id))
            call.add_arguments(pieces[0])
            if draw(st.booleans()):
                group.append(Opaque("signature", draw(_SIGNATURES), call))
            open_calls.append((call, [pieces[1]]))
        elif kind == "item":
            group.append(Item("executableCode", {"executableCode": {"code": "1"}}))
        if kind == "more" or draw(st.booleans()):
            for call, rest in open_calls:
                group += _rest(call, rest)
        if draw(st.booleans()) and groups:
            groups[-1] += group
        else:
            groups.append(group)
    last = [part for call, rest in open_calls for part in _rest(call, rest)]
    meaning = "tool_calls" if count else "stop"
    return [*groups, [*last, Finish("STOP", meaning), Usage({"totalTokenCount": 7})]]


def _rest(call: ToolCall, rest: list[str]) -> list[Part]:
    parts: list[Part] = []
    while rest:
        piece = rest.pop()
        if piece:
            call.add_arguments(piece)
            parts.append(CallPart(call, "", piece, is_new=False))
    return parts


def _comparable(parts: list[Part]) -> list[Any]:
    """Return merged parts; a signature of a call stands behind its call."""
    found = merged(parts)
    for entry in [e for e in found if isinstance(e, tuple) and e[1:2] == ("opaque",)]:
        if entry[4] is not None:
            found.remove(entry)
            places = [
                e[1:3] == ("call", entry[4]) for e in found if isinstance(e, tuple)
            ]
            found.insert(places.index(True) + 1, entry)
    return found


@pytest.mark.parametrize(
    "name", ["gemini-sse", "vertex", "partial-args", "one-call-an-event"]
)
@given(groups=made_groups())
@settings(max_examples=40, deadline=None)
def test_made_parts_are_read_back(name: str, groups: list[list[Part]]) -> None:
    """Text, thoughts, signatures, calls with ids and arguments, items, in order."""
    events, left_out = write(groups, DIALECTS[name])
    assert left_out == {}
    back = read(*(event.payload for event in events))
    assert problems(back) == []
    sent = [part for group in groups for part in group]
    assert _comparable(back) == _comparable(sent)
    assert broken([event.payload for event in events]) == set()


@given(groups=made_groups())
@settings(max_examples=40, deadline=None)
def test_a_whole_answer_is_read_back(groups: list[list[Part]]) -> None:
    """One document holds what the stream holds."""
    sent = [part for group in groups for part in group]
    document = body(sent)
    assert API.is_answer(document)
    assert _comparable(whole(json.loads(json.dumps(document)))) == _comparable(sent)


def test_other_candidates_are_written_with_their_index() -> None:
    """Each in its own entry of the same event."""
    groups: list[list[Part]] = [
        [Text("a"), OtherChoice(1, Text("b"))],
        [Finish("STOP", "stop"), OtherChoice(1, Finish("MAX_TOKENS", "length"))],
    ]
    payloads = payloads_of(groups)
    assert [len(payload["candidates"]) for payload in payloads] == [2, 2]
    assert merged(read(*payloads)) == merged([p for group in groups for p in group])
    assert broken(payloads) == set()


def test_a_finish_waits_for_the_counts_or_the_end() -> None:
    """Chat sends the counts behind it; text that comes late goes before it."""
    writer = Writer()
    counts = Usage({"totalTokenCount": 1})
    assert writer.feed([Finish("stop")]) == []
    [late] = writer.feed([Text("late")])
    assert "finishReason" not in late.payload["candidates"][0]
    assert writer.feed([counts]) == []  # more may come all the same
    assert writer.feed([Finish("length")]) == []
    [last] = writer.close()
    assert last.payload["candidates"][0]["finishReason"] == "STOP"
    assert last.payload["usageMetadata"] == {"totalTokenCount": 1}
    assert writer.left_out == {"second finish": 1}
    in_every_event = Writer()
    assert in_every_event.feed([Text("a"), Finish("stop"), counts]) == []
    [first] = in_every_event.feed([Text("b"), Finish("stop"), counts])
    assert "finishReason" not in first.payload["candidates"][0]
    [last] = in_every_event.close()
    assert last.payload["candidates"][0]["finishReason"] == "STOP"
    assert in_every_event.left_out == {}
    at_the_end = Writer()
    assert at_the_end.feed([Finish("stop")]) == []
    assert len(at_the_end.close()) == 1
    behind = Writer()
    late_call = _call_parts(0, "f", '{"a"')
    assert behind.feed([Finish("stop")]) == []
    assert behind.feed([late_call]) == []
    assert behind.feed([counts]) == []  # the call is not whole
    rest = CallPart(late_call.call, "", ": 1}", is_new=False)
    assert behind.feed([rest, counts]) == []
    [event] = behind.close()
    assert event.payload["candidates"][0]["finishReason"] == "STOP"


def test_counts_add_up_until_they_are_written() -> None:
    """Those that came before any content are not lost; after an error none follow."""
    first, second = Usage({"promptTokenCount": 1}), Usage({"candidatesTokenCount": 2})
    [payload] = payloads_of([[first], [second, Text("a")]])
    assert payload["usageMetadata"] == {**first.counts, **second.counts}
    error = Problem(DiagnosticKind.ERROR_EVENT, "x")
    assert len(payloads_of([[Finish("stop")], [error], [second]])) == 2


def test_nothing_and_a_head_alone() -> None:
    """No parts give no event; a head is not lost."""
    assert write([]) == ([], {})
    assert payloads_of([[Head("r")]]) == [{"responseId": "r"}]


def test_a_call_is_written_when_it_is_whole_and_texts_wait_for_it() -> None:
    """The order stays; at the end a broken call is left out and the rest is written."""
    writer = Writer()
    part = _call_parts(0, "f", '{"a"')
    assert writer.feed([part]) == []
    assert writer.feed([Text("b")]) == []
    [event] = writer.feed([CallPart(part.call, "", ": 1}", is_new=False)])
    [entry] = event.payload["candidates"]
    assert [next(iter(piece)) for piece in entry["content"]["parts"]] == [
        "functionCall",
        "text",
    ]
    reader = Reader()
    assert len(reader.feed(Event(0, "", event.payload))) == 2
