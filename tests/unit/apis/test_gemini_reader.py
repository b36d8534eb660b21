"""What the Gemini reader makes of shapes that the recordings lack, and of odd ones."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.apis.base import Event
from harness.apis.gemini.partial_args import ArgumentsText, json_path, parse_path
from harness.apis.gemini.reader import Reader, whole
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Reasoning,
    Text,
    Usage,
)
from tests.gemini_streams import answer, call, event, problems, read, read_each

_STOP = event(finish="STOP")


class Case(NamedTuple):
    """A stream, its parts but for calls and problems, and what the problems mention."""

    id: str
    payloads: list[dict[str, Any]]
    expected: list[Part]
    problems: list[str]


def _of(*payloads: dict[str, Any]) -> list[dict[str, Any]]:
    return list(payloads)


_GROUNDING = {"webSearchQueries": ["x"]}
_CODE = {
    "executableCode": {"language": "PYTHON", "code": "1"},
    "thoughtSignature": "AA",
}
_BLOCKED = {"blockReason": "SAFETY", "safetyRatings": [{"category": "C"}]}

CASES = [
    Case(
        "text-and-thoughts",
        _of(
            event({"text": "hm", "thought": True}),
            event({"text": "a"}, {"text": ""}, {"text": "b"}, finish="STOP"),
        ),
        [Reasoning("hm"), Text("a"), Text("b"), Finish("STOP", "stop")],
        [],
    ),
    Case(
        "head-once",
        _of(
            event(
                responseId="r", modelVersion="m", createTime="1970-01-01T00:00:01.5Z"
            ),
            event(
                responseId="r", modelVersion="m", createTime="1970-01-01T00:00:01.5Z"
            ),
            _STOP,
        ),
        [Head("r", "m", 1.5), Finish("STOP", "stop")],
        [],
    ),
    Case(
        "usage-when-it-changes",
        _of(
            event({"text": "a"}, usageMetadata={"totalTokenCount": 1}),
            event({"text": "b"}, usageMetadata={"totalTokenCount": 1}),
            {"usageMetadata": {"totalTokenCount": 2}, **_STOP},
        ),
        [
            *(Text("a"), Usage({"totalTokenCount": 1}), Text("b")),
            *(Finish("STOP", "stop"), Usage({"totalTokenCount": 2})),
        ],
        [],
    ),
    Case(
        "signature-on-text-thought-and-empty-text",
        _of(
            event({"text": "a"}, {"text": "b", "thoughtSignature": "QQ=="}),
            event({"text": "c", "thought": True, "thoughtSignature": "Qg=="}),
            event({"text": "", "thoughtSignature": "Qw=="}, finish="STOP"),
        ),
        [
            *(Text("a"), Block("text"), Text("b"), Opaque("signature", "QQ==")),
            *(Block("reasoning"), Reasoning("c"), Opaque("signature", "Qg==")),
            *(Block("text"), Opaque("signature", "Qw=="), Finish("STOP", "stop")),
        ],
        [],
    ),
    Case(
        "server-tools-and-citations",
        _of(
            event(_CODE, {"codeExecutionResult": {"output": "1"}}),
            {"candidates": [{"groundingMetadata": _GROUNDING, "finishReason": "STOP"}]},
        ),
        [
            Item("executableCode", _CODE),
            Item("codeExecutionResult", {"codeExecutionResult": {"output": "1"}}),
            Item("groundingMetadata", _GROUNDING),
            Finish("STOP", "stop"),
        ],
        [],
    ),
    Case(
        "image-beside-text-in-one-part",
        _of(event({"text": "a", "inlineData": {"data": "x"}}, finish="STOP")),
        [
            Item("inlineData", {"inlineData": {"data": "x"}}),
            Text("a"),
            Finish("STOP", "stop"),
        ],
        [],
    ),
    Case(
        "blocked-prompt",
        _of({"promptFeedback": _BLOCKED, "usageMetadata": {"totalTokenCount": 1}}),
        [
            Item("promptFeedback", _BLOCKED),
            Finish("SAFETY", "content_filter"),
            Usage({"totalTokenCount": 1}),
        ],
        [],
    ),
    Case(
        "error-in-the-stream",
        _of(
            event({"text": "a"}),
            {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}},
        ),
        [Text("a")],
        ["error-event: overloaded"],
    ),
    Case("error-as-text", _of({"error": "no"}), [], ["error-event: no"]),
    Case(
        "error-without-message",
        _of({"error": {"code": 1}}),
        [],
        ['error-event: {"code": 1}'],
    ),
    Case(
        "cut-by-length",
        _of(event({"text": "a"}), {"candidates": [{"finishReason": "MAX_TOKENS"}]}),
        [Text("a"), Finish("MAX_TOKENS", "length")],
        [],
    ),
    Case(
        "recitation-and-message",
        _of({"candidates": [{"finishReason": "RECITATION", "finishMessage": "why"}]}),
        [Item("finishMessage", "why"), Finish("RECITATION", "content_filter")],
        [],
    ),
    Case(
        "unknown-finish",
        _of(event(finish="NEW_REASON")),
        [Finish("NEW_REASON", "")],
        [],
    ),
    Case("nothing", [], [], ["missing-finish: "]),
    Case("no-finish", _of(event({"text": "a"})), [Text("a")], ["missing-finish: "]),
    Case(
        "finish-repeated-without-content",
        _of(event({"text": "a"}, finish="STOP"), _STOP),
        [Text("a"), Finish("STOP", "stop")],
        [],
    ),
    Case(
        "stop-on-every-event",
        _of(*(event({"text": c}, finish="STOP") for c in "abc")),
        [
            *(Text("a"), Finish("STOP", "stop"), Text("b"), Finish("STOP", "stop")),
            *(Text("c"), Finish("STOP", "stop")),
        ],
        [],
    ),
    Case(
        "second-response",
        _of(event({"text": "a"}, responseId="r"), event(responseId="s", finish="STOP")),
        [Head("r"), Text("a"), Head("s"), Finish("STOP", "stop")],
        [],
    ),
    Case(
        "other-candidates",
        _of(
            {
                "candidates": [
                    {"index": 1, "content": {"parts": [{"text": "b"}]}},
                    {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"},
                ]
            },
            {"candidates": [{"index": 1, "finishReason": "SAFETY"}]},
        ),
        [
            *(OtherChoice(1, Text("b")), Text("a"), Finish("STOP", "stop")),
            OtherChoice(1, Finish("SAFETY", "content_filter")),
        ],
        [],
    ),
    Case(
        "plain-text-of-another-candidate-and-of-an-odd-role",
        _of(
            event({"text": "a"}),
            {"candidates": [{"index": 1, "content": {"parts": [{"text": "b"}]}}]},
            {"candidates": [{"content": {"role": 5, "parts": [{"text": "c"}]}}]},
            _STOP,
        ),
        [Text("a"), OtherChoice(1, Text("b")), Text("c"), Finish("STOP", "stop")],
        ["unread-text: candidates[].content.role is no known field"],
    ),
    Case(
        "finish-again-after-plain-text",
        _of(event({"text": "a"}, finish="STOP"), event({"text": "b"}), _STOP),
        [Text("a"), Finish("STOP", "stop"), Text("b"), Finish("STOP", "stop")],
        [],
    ),
    Case(
        "empty-fields-beside-the-content",
        _of({"candidates": [{"groundingMetadata": {}, "finishReason": "STOP"}]}),
        [Finish("STOP", "stop")],
        [],
    ),
    Case(
        "field-in-both-spellings",
        _of({"candidates": [{"finishReason": "STOP", "finish_reason": "OTHER"}]}),
        [Finish("STOP", "stop")],
        ["unread: candidates[].finish_reason is no known field"],
    ),
    Case(
        "snake-case",
        _of(
            {
                "candidates": [
                    {
                        "content": {
                            "parts": [{"text": "a", "thought_signature": "QQ=="}]
                        },
                        "finish_reason": "STOP",
                    }
                ],
                "usage_metadata": {"total_token_count": 1},
                "model_version": "m",
            }
        ),
        [
            *(Head("", "m"), Block("text"), Text("a"), Opaque("signature", "QQ==")),
            *(Finish("STOP", "stop"), Usage({"totalTokenCount": 1})),
        ],
        [],
    ),
    Case(
        "wrapped-by-code-assist",
        _of(
            {"response": event({"text": "a"}, finish="STOP"), "traceId": "t", "new": 1}
        ),
        [Text("a"), Finish("STOP", "stop")],
        ["unread: new is no known field"],
    ),
    Case(
        "unknown-fields-and-types",
        _of(
            event({"text": 5, "novel": "x"}, {"text": "a", "thought": "yes"}),
            event({"functionCall": "f"}, finish="STOP", odd={"deep": ["y"]}),
            {"candidates": ["text"], "usageMetadata": "none", "modelVersion": 3},
        ),
        [Text("a"), Finish("STOP", "stop"), Item("usageMetadata", "none")],
        [
            "unread-text: candidates[].content.parts[].text is no known field",
            "unread-text: candidates[].content.parts[].novel is no known field",
            "unread-text: candidates[].content.parts[].thought is no known field",
            "unread-text: candidates[].content.parts[].functionCall is no known field",
            "unread: odd.deep[] is no known field",
            "unread: candidates[] is no known field",
            "unread-text: modelVersion is no known field",
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_stream_gives_its_parts_and_problems(case: Case) -> None:
    """Everything but calls, which have a table of their own."""
    parts = read(*case.payloads)
    found = problems(parts)
    assert [p for p in parts if type(p).__name__ != "Problem"] == case.expected
    assert len(found) == len(case.problems), found
    for (kind, text), wanted in zip(found, case.problems, strict=True):
        assert f"{kind}: {text}".startswith(wanted)


# -- Calls ---------------------------------------------------------------------------

_TEXT = {"stringValue": "x"}
_OPEN = {"stringValue": "x", "willContinue": True}
_ENDED = {"stringValue": ""}
_SEVEN = {"numberValue": 7}
_LOST = {"stringValue": "lost"}

CALLS: list[tuple[str, list[dict[str, Any]], list[tuple[str, str]], list[str]]] = [
    ("whole", [event(call("f", args={"a": 1}))], [("f", '{"a": 1}')], []),
    ("no-args", [event(call("f"))], [("f", "{}")], []),
    ("null-args", [event(call("f", args=None))], [("f", "{}")], []),
    (
        "two-alike-in-one-event",
        [event(call("f", args={}), call("f", args={}))],
        [("f", "{}"), ("f", "{}")],
        [],
    ),
    (
        "two-alike-one-an-event",
        [event(call("f", args={"a": 1})), event(call("f", args={"a": 2}))],
        [("f", '{"a": 1}'), ("f", '{"a": 2}')],
        [],
    ),
    (
        "streamed-text-in-pieces",
        [
            event(call("f", goes_on=True)),
            event(call(None, ("$.a", _OPEN), goes_on=True)),
            event(call(None, goes_on=True)),
            event(call(None, ("$.a", {"stringValue": 'y"'}), goes_on=True)),
            event(call()),
        ],
        [("f", '{"a": "xy\\""}')],
        [],
    ),
    (
        "streamed-closed-with-the-last-value",
        [event(call("f", ("$.a", {"numberValue": 0.5})))],
        [("f", '{"a": 0.5}')],
        [],
    ),
    (
        "streamed-every-type-and-nesting",
        [
            event(
                call(
                    "f",
                    ("$.n", {"nullValue": "NULL_VALUE"}),
                    ("$.b", {"boolValue": True}),
                    ("$.l[0].t", _OPEN),
                    ("$.l[0].t", _ENDED),
                    ("$.l[1][0]", _TEXT),
                    ("$['o p'].o", {"numberValue": 1}),
                )
            )
        ],
        [("f", '{"n": null, "b": true, "l": [{"t": "x"}, ["x"]], "o p": {"o": 1}}')],
        [],
    ),
    (
        "streamed-text-ended-without-a-value",
        [event(call("f", ("$.a", _OPEN), ("$.a", {})))],
        [("f", '{"a": "x"}')],
        [],
    ),
    (
        "never-closed-before-the-next",
        [event(call("f", ("$.a", _TEXT), goes_on=True)), event(call("g"))],
        [("f", '{"a": "x"}'), ("g", "{}")],
        ["call 0 ('f') was still open when the next call began"],
    ),
    (
        "never-closed-before-stop",
        [event(call("f", ("$.a", _TEXT), goes_on=True))],
        [("f", '{"a": "x"}')],
        ["call 0 ('f') was still open when the candidate finished"],
    ),
    (
        "never-closed-inside-a-text",
        [event(call("f", ("$.a", _OPEN), goes_on=True))],
        [("f", '{"a": "x')],
        ["call 0 ('f') was still open when the candidate finished"],
    ),
    (
        "closed-inside-a-text",
        [event(call("f", ("$.a", _OPEN)))],
        [("f", '{"a": "x')],
        ["call 0 ('f') was closed inside a text"],
    ),
    (
        "no-name-with-pieces",
        [event(call(None, ("$.a", _TEXT)))],
        [("", '{"a": "x"}')],
        ["a function call began without a name"],
    ),
    (
        "no-name-with-args",
        [event(call(None, args={"a": 1}))],
        [("", '{"a": 1}')],
        ["a function call began without a name"],
    ),
    (
        "closed-without-a-beginning",
        [event(call())],
        [],
        ["a function call was closed that had not begun"],
    ),
    (
        "text-not-ended-before-the-next-path",
        [event(call("f", ("$.a", _OPEN), ("$.b", _TEXT)))],
        [("f", '{"a": "x", "b": "x"}')],
        ["arguments of call 0 ('f'): the text before $.b was not ended"],
    ),
    (
        "path-that-comes-too-late",
        [event(call("f", ("$.a.b", _TEXT), ("$.c", _TEXT), ("$.a.d", _LOST)))],
        [("f", '{"a": {"b": "x"}, "c": "x"}')],
        ["arguments of call 0 ('f'): $.a.d comes too late or too early, 'lost'"],
    ),
    (
        "index-that-skips-one",
        [event(call("f", ("$.a[1]", _LOST)))],
        [("f", "{}")],
        ["arguments of call 0 ('f'): $.a[1] comes too late or too early, 'lost'"],
    ),
    (
        "no-path",
        [event(call("f", ("a b", _LOST), ("$", _TEXT)))],
        [("f", "{}")],
        [
            "arguments of call 0 ('f'): 'a b' is no path into the arguments, 'lost'",
            "arguments of call 0 ('f'): '$' is no path into the arguments, 'x'",
        ],
    ),
    (
        "number-inside-a-text",
        [event(call("f", ("$.a", _OPEN), ("$.a", _SEVEN), ("$.a", _ENDED)))],
        [("f", '{"a": "x"}')],
        ["arguments of call 0 ('f'): $.a is text, got 7"],
    ),
    (
        "id-alone",
        [event(call(id="c1"))],
        [("", "{}")],
        ["a function call began without a name"],
    ),
    (
        "id-repeated",
        [event(call("f", id="c1", goes_on=True)), event(call(id="c1"))],
        [("f", "{}")],
        [],
    ),
    (
        "id-changed",
        [event(call("f", id="c1", goes_on=True)), event(call(id="c2"))],
        [("f", "{}")],
        ["the id of call 0 ('f') changed from 'c1' to 'c2'"],
    ),
    (
        "args-as-text",
        [event(call("f", args='{"a":1}'))],
        [("f", '{"a":1}')],
        [],
    ),
    (
        "args-at-the-end-that-agree",
        [event(call("f", ("$.a", _TEXT), goes_on=True)), event(call(args={"a": "x"}))],
        [("f", '{"a": "x"}')],
        [],
    ),
    (
        "args-at-the-end-that-differ",
        [event(call("f", ("$.a", _TEXT), goes_on=True)), event(call(args={"a": "y"}))],
        [("f", '{"a": "x"}')],
        ["`args` of call 0 ('f') differ from its `partialArgs`: '{\"a\": \"y\"}'"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("payloads", "calls", "wanted"),
    [case[1:] for case in CALLS],
    ids=[case[0] for case in CALLS],
)
def test_calls_are_what_was_sent(
    payloads: list[dict[str, Any]], calls: list[tuple[str, str]], wanted: list[str]
) -> None:
    """Names and arguments, and a problem for each thing that is wrong."""
    parts = read(*payloads, _STOP)
    assert [(name, text) for name, _, text in answer(parts).calls] == calls
    found = [text for _, text in problems(parts)]
    assert len(found) == len(wanted), found
    for text, start in zip(found, wanted, strict=True):
        assert text.startswith(start)


def test_arguments_are_emitted_as_they_come() -> None:
    """Each event's piece is in its own part; nothing waits for the end of the call."""
    found = read_each(
        [
            event(call("f", goes_on=True)),
            event(call(None, ("$.a[0]", _OPEN), goes_on=True)),
            event(call(None, ("$.a[0]", _ENDED), goes_on=True)),
            event(call(None, ("$.b", {"numberValue": 1}), goes_on=True)),
            event(call()),
        ]
    )
    pieces = [[p.arguments for p in parts if type(p) is CallPart] for parts in found]
    assert pieces == [[""], ['{"a": ["x'], ['"'], ['], "b": 1'], ["}"], []]


def test_a_signature_belongs_to_its_call_and_an_id_may_come_late() -> None:
    """`Opaque` follows the call's part and names the call; the id is reported once."""
    parts = read(
        event({**call("f", goes_on=True), "thoughtSignature": "QQ=="}),
        event(call(id="c1")),
        event(call("g", id="c2"), finish="STOP"),
    )
    calls = [p for p in parts if type(p) is CallPart]
    assert [(p.id, p.is_new) for p in calls] == [
        ("", True),
        ("c1", False),
        ("c2", True),
    ]
    [opaque] = [p for p in parts if type(p) is Opaque]
    assert opaque == Opaque("signature", "QQ==", calls[0].call)
    assert [(p.call.id, p.call.position) for p in calls] == [
        ("c1", 0),
        ("c1", 0),
        ("c2", 1),
    ]
    assert Finish("STOP", "tool_calls") in parts
    cut = read(event(call("f"), finish="MAX_TOKENS"))
    assert Finish("MAX_TOKENS", "length") in cut


def test_a_text_that_was_cut_by_the_end_is_reported() -> None:
    """An open call at the end of the stream is not whole."""
    parts = read(event(call("f", ("$.a", _OPEN), goes_on=True)))
    kinds = [kind for kind, _ in problems(parts)]
    assert kinds == ["illegal-event", "missing-finish"]
    assert answer(parts).calls == [("f", "", '{"a": "x')]


def test_the_reader_is_finished_by_a_finish_a_refused_prompt_or_an_error() -> None:
    """Nothing else ends a response."""
    for payload, is_finished in (
        (event({"text": "a"}), False),
        (_STOP, True),
        ({"promptFeedback": _BLOCKED}, True),
        ({"promptFeedback": {"safetyRatings": []}}, False),
        ({"error": {"message": "x"}}, True),
    ):
        reader = Reader()
        reader.feed(Event(0, "", payload))
        assert reader.is_finished is is_finished


def test_a_whole_answer_is_read_like_one_event() -> None:
    """All candidates of it; a list of events, or of one error, as well."""
    document = {"candidates": [event({"text": "a"}, finish="STOP")["candidates"][0]]}
    assert whole(document) == [Text("a"), Finish("STOP", "stop")]
    assert whole([event({"text": "a"}), _STOP]) == whole(document)
    [(kind, text)] = problems(whole([{"error": {"code": 400, "message": "bad"}}]))
    assert (kind, text) == ("error-event", "bad")
    assert problems(whole("nothing"))[0][0] == "missing-finish"


# -- Paths and arguments, for any object ----------------------------------------------

_NAMES = st.text(st.sampled_from("ab. '\"\\[]$é🙂\n0_"), max_size=5)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(_NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(_NAMES | st.integers(0, 999), max_size=4))
@settings(max_examples=100, deadline=None)
def test_paths_are_read_back(steps: list[str | int]) -> None:
    """Whatever the names hold."""
    assert parse_path(json_path(steps)) == steps


@pytest.mark.parametrize(
    "path", ["", "a", "$a", "$.", "$..a", "$[-1]", "$[1", "$['a]", "$.a[*]", "$['\\x']"]
)
def test_what_is_no_path_is_none(path: str) -> None:
    """Wildcards and damage: only names and indices lead to one place."""
    assert parse_path(path) is None


def leaves(value: Any, steps: list[str | int]) -> list[tuple[list[str | int], Any]]:
    """Return every scalar of a value with its path, in the order of the document."""
    if isinstance(value, dict):
        return [f for k, v in value.items() for f in leaves(v, [*steps, k])]
    if isinstance(value, list):
        return [f for i, v in enumerate(value) for f in leaves(v, [*steps, i])]
    return [(steps, value)]


@given(st.dictionaries(_NAMES, _VALUES, max_size=3), st.data())
@settings(max_examples=50, deadline=None)
def test_arguments_written_from_paths_are_the_object(
    value: dict[str, Any], data: st.DataObject
) -> None:
    """In the order of the document, texts cut anywhere; what came is a prefix."""
    text, written = ArgumentsText(), ""
    for steps, leaf in leaves(value, []):
        pieces: list[dict[str, Any]]
        if isinstance(leaf, str):
            cut = data.draw(st.integers(0, len(leaf)))
            pieces = [{"stringValue": p} for p in (leaf[:cut], leaf[cut:])]
            pieces[0]["willContinue"] = True
        elif isinstance(leaf, bool):
            pieces = [{"boolValue": leaf}]
        elif leaf is None:
            pieces = [{"nullValue": "NULL_VALUE"}]
        else:
            pieces = [{"numberValue": leaf}]
        for piece in pieces:
            added, problem = text.feed({"jsonPath": json_path(steps), **piece})
            assert not problem
            written += added
    written += text.close()
    assert json.loads(written) == value
    assert written == json.dumps(value, ensure_ascii=False)
