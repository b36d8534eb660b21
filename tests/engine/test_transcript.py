"""The printed forms of a transcript, byte for byte, and comparing two."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import httpx_sse
import pytest
from pydantic import BaseModel

from harness.agents.letta.light_messages import LightMessage, MessageStreamStatus
from harness.agents.letta.messages import (
    AssistantMessage,
    FunctionCall,
    FunctionCallDelta,
    FunctionCallMessage,
    FunctionReturn,
    InternalMonologue,
    LegacyFunctionCallMessage,
)
from harness.apis.chat.models import to_model
from harness.engine.replay import replay
from harness.engine.transcript import (
    Diagnostic,
    DiagnosticKind,
    Emission,
    Transcript,
    describe,
    emission_line,
    message_json,
    sse_end,
    sse_text,
)
from tests.engine.made import call, cassette, exchange, finish, sse, text

WHEN = {"id": "message-1", "date": datetime(2023, 11, 14, 22, 13, 20, 5, tzinfo=UTC)}
SHOWN = '"id":"message-1","date":"2023-11-14T22:13:20Z"'.replace("Z", "+00:00")


def of(*messages: Any, **names: str) -> Transcript:
    """Return a transcript of these messages, all of one chunk."""
    emissions = [Emission(0, 1, None, message) for message in messages]
    return Transcript(
        names.get("path", "a.yaml"), names.get("interface", "streaming"), emissions
    )


OURS = [
    (
        InternalMonologue(**WHEN, internal_monologue="é\n"),
        f'{{{SHOWN},"message_type":"internal_monologue","internal_monologue":"\\u00e9\\n"}}',
    ),
    (
        AssistantMessage(**WHEN, assistant_message="😊"),
        (
            f'{{{SHOWN},"message_type":"assistant_message",'
            '"assistant_message":"\\ud83d\\ude0a"}'
        ),
    ),
    (
        FunctionCallMessage(
            **WHEN,
            function_call=FunctionCall(name="f", arguments="{}", function_call_id="c"),
        ),
        (
            f'{{{SHOWN},"message_type":"function_call",'
            '"function_call":{"name":"f","arguments":"{}","function_call_id":"c"}}'
        ),
    ),
    (
        FunctionCallMessage(**WHEN, function_call=FunctionCallDelta(arguments="{")),
        f'{{{SHOWN},"message_type":"function_call","function_call":{{"arguments":"{{"}}}}',
    ),
    (
        FunctionReturn(
            **WHEN, function_return="ok", status="success", function_call_id="c"
        ),
        (
            f'{{{SHOWN},"message_type":"function_return","function_return":"ok",'
            '"status":"success","function_call_id":"c"}'
        ),
    ),
    (
        LegacyFunctionCallMessage(**WHEN, function_call="f({})"),
        f'{{{SHOWN},"function_call":"f({{}})"}}',
    ),
    (MessageStreamStatus.done_generation, '"[DONE_GEN]"'),
    ({"internal_error": "x", "n": None}, '{"internal_error":"x","n":null}'),
]


@pytest.mark.parametrize(("message", "expected"), OURS)
def test_json_line_is_exactly_as_documented(message: Any, expected: str) -> None:
    """Six keys in order, compact, ASCII, null where chunk or time are unknown."""
    line = emission_line("ä b.yaml", "streaming", Emission(2, 7, 0.153, message))
    assert line == (
        '{"cassette":"\\u00e4 b.yaml","interface":"streaming","exchange":2,'
        f'"chunk":7,"at":0.153,"message":{expected}}}'
    )
    line = emission_line("-", "m:N", Emission(0, None, None, message))
    assert line == (
        '{"cassette":"-","interface":"m:N","exchange":0,"chunk":null,"at":null,'
        f'"message":{expected}}}'
    )
    assert line.isascii()
    assert "\n" not in line


@pytest.mark.parametrize(("message", "expected"), OURS)
def test_sse_event_is_what_a_server_sends(message: Any, expected: str) -> None:
    """`data: <compact JSON>`, a status without quotes, and a blank line."""
    bare = expected.strip('"') if isinstance(message, str) else expected
    assert sse_text(Emission(0, 1, None, message)) == f"data: {bare}\n\n"


def test_whole_transcript_prints_as_its_lines_and_events() -> None:
    """JSON lines end each with a line feed; the events end with `[DONE]`."""
    transcript = of(*[message for message, _ in OURS])
    assert transcript.to_jsonl() == "".join(
        emission_line("a.yaml", "streaming", e) + "\n" for e in transcript.emissions
    )
    assert transcript.to_sse() == "".join(map(sse_text, transcript.emissions)) + (
        "data: [DONE]\n\n"
    )
    assert sse_end() == "data: [DONE]\n\n"
    assert of().to_jsonl() == ""
    assert of().to_sse() == "data: [DONE]\n\n"


def _events(content: str) -> list[str]:
    response = httpx.Response(
        200,
        headers={"content-type": "text/event-stream"},
        stream=httpx.ByteStream(content.encode()),
    )
    return [event.data for event in httpx_sse.EventSource(response).iter_sse()]


@pytest.mark.parametrize(
    "message", ["two\nlines", "three\r\nof\rthem", "", " led by a space", "data: x"]
)
def test_text_of_several_lines_survives_the_event_stream(message: str) -> None:
    """A client that decodes the stream gets all lines of a foreign text message."""
    first, done = _events(of(message).to_sse())
    assert first == message.replace("\r\n", "\n").replace("\r", "\n")
    assert done == "[DONE]"


def test_messages_are_the_emissions_without_provenance() -> None:
    """`messages` gives what was emitted, in order."""
    assert of("a", {"b": 1}).messages == ["a", {"b": 1}]


def test_emission_as_a_dict_is_the_documented_form() -> None:
    """`to_dict` holds the JSON values of the line, without cassette and interface."""
    message, expected = OURS[0]
    assert Emission(1, None, 0.5, message).to_dict() == {
        "exchange": 1,
        "chunk": None,
        "at": 0.5,
        "message": json.loads(expected),
    }


def test_equality_is_of_emissions_only() -> None:
    """Path, interface and diagnostics do not count; message, place and time do."""
    found = Diagnostic(DiagnosticKind.MISSING_DONE, 0, "x")
    one, same = of("a"), of("a", path="b.json", interface="mine:X")
    same.diagnostics.append(found)
    assert one == same
    assert one != of("b")
    assert one != of("a", "a")
    for changed in (
        Emission(1, 1, None, "a"),
        Emission(0, 2, None, "a"),
        Emission(0, 1, 0.5, "a"),
    ):
        assert one != Transcript("a.yaml", "streaming", [changed])
    assert one != "a"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_difference_shows_the_first_lines_that_differ() -> None:
    """A unified diff, named by interface and cassette; empty for equal ones."""
    one, other = of("a", "b"), of("a", "ć", path="new.yaml")
    assert one.difference(of("a", "b")) == ""
    assert one.difference(other).splitlines() == [
        "--- expected (streaming, a.yaml)",
        "+++ got (streaming, new.yaml)",
        "@@ -1,2 +1,2 @@",
        ' {"exchange": 0, "chunk": 1, "at": null, "message": "a"}',
        '-{"exchange": 0, "chunk": 1, "at": null, "message": "b"}',
        '+{"exchange": 0, "chunk": 1, "at": null, "message": "ć"}',
    ]


def test_table_shows_place_time_and_content() -> None:
    """Columns are aligned; statuses, calls and returns read at a glance."""
    transcript = Transcript(
        "a",
        "streaming",
        [
            Emission(0, 12, 0.15349, OURS[1][0]),
            Emission(0, 13, 1.0, OURS[3][0]),
            Emission(10, None, None, OURS[4][0]),
            Emission(10, None, None, OURS[5][0]),
            Emission(10, None, None, OURS[6][0]),
        ],
    )
    assert str(transcript).splitlines() == [
        "exchange  chunk  at     message            content",
        '0         12     0.153  assistant_message  "😊"',
        '0         13     1.000  function_call      {"arguments": "{"}',
        '10        -      -      function_return    "ok" (success)',
        '10        -      -      function_call      "f({})"',
        "10        -      -      status             [DONE_GEN]",
    ]


class Colour(enum.Enum):
    """A value that JSON has no form for."""

    RED = "red"


@dataclass
class Point:
    """A foreign dataclass."""

    x: int
    inner: list[Any] = field(default_factory=list)


class Model(BaseModel):
    """A foreign pydantic model."""

    name: str
    when: datetime | None = None
    extra: Any = None


class Plain:
    """A foreign object that prints as its address."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Slotted:
    """A foreign object without anything."""

    __slots__ = ()


class Named:
    """A foreign object that prints itself."""

    def __str__(self) -> str:
        return "named"


NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
FOREIGN: list[tuple[Any, str | None]] = [
    (Point(1, [Point(2)]), '{"x":1,"inner":[{"x":2,"inner":[]}]}'),
    (
        Model(name="é", when=NOON),
        '{"name":"\\u00e9","when":"2024-01-02T12:00:00Z","extra":null}',
    ),
    ({"m": Model(name="a")}, '{"m":{"name":"a","when":null,"extra":null}}'),
    (Plain(a=1, b=Point(3)), '{"a":1,"b":{"x":3,"inner":[]}}'),
    (Slotted(), '"Slotted"'),
    ([Named(), NOON, Colour.RED], '["named","2024-01-02T12:00:00+00:00","Colour.RED"]'),
    ({"s": {"b", "a", "c"}, "f": frozenset({2, 1})}, '{"s":["a","b","c"],"f":[1,2]}'),
    (b"data: x", '"data: x"'),
    (b"\xff", '"\\ufffd"'),
    (None, "null"),
    (("a", 1), '["a",1]'),
    ({(1, 2): "odd key"}, "\"{(1, 2): 'odd key'}\""),
    ("half \ud83d", '"half \\ud83d"'),
    (Model(name="half \ud83d"), '{"name":"half \\ud83d","when":null,"extra":null}'),
    (to_model({"choices": [{"delta": {"content": 3}}]}), None),
]


@pytest.mark.parametrize(("message", "expected"), FOREIGN)
@pytest.mark.filterwarnings("error")
def test_foreign_messages_have_a_stable_form(
    message: Any, expected: str | None
) -> None:
    """Whatever an interface emits prints, compares, and shows no address."""
    shown = message_json(message)
    assert shown.isascii()
    if expected is not None:
        assert shown == expected
    kind, content = describe(message)
    assert kind
    for printed in (content, str(of(message)), of(message).difference(of("other"))):
        assert " at 0x" not in printed
        printed.encode()  # a file or a terminal takes it
    assert of(message) == of(message)
    assert sse_text(Emission(0, 0, None, message)).endswith("\n\n")
    assert json.loads(emission_line("a", "b", Emission(0, 0, None, message)))


def test_lines_tell_half_characters_apart() -> None:
    """What UTF-8 cannot carry is shown as the escape that it was, and compares."""
    (line,) = of("half \ud83d").to_lines()
    assert line.endswith('"message": "half \\ud83d"}')
    assert of("half \ud83d") != of("half \ud83e")
    assert json.loads(line)["message"] == "half \ud83d"


def test_message_that_holds_itself_is_printed() -> None:
    """A circle has no JSON; its repr stands for it."""
    circle: dict[str, Any] = {}
    circle["self"] = circle
    assert message_json(circle) == "\"{'self': {...}}\""


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"message_type": ["odd"], "x": 1}, "dict"),
        ({"message_type": "mine", "x": 1}, "mine"),
        ({"function_call": None}, "function_call"),
        ({"choices": []}, "chat.completion.chunk"),
        ({"function_message": "x"}, "dict"),
        (Point(1), "Point"),
        ("text", "str"),
        (3, "int"),
    ],
)
def test_kind_in_a_table_is_a_short_word(message: Any, kind: str) -> None:
    """A table names what it shows, also of foreign messages."""
    assert describe(message)[0] == kind
    assert kind in str(of(message))


def test_diagnostic_is_one_line_with_its_place() -> None:
    """Exchange, chunk and byte where they are known, then kind and text."""
    kind = DiagnosticKind.ERROR_EVENT
    assert str(Diagnostic(kind, 3, "it broke", 4, 512)) == (
        "exchange 3, chunk 4, byte 512: error-event: it broke"
    )
    assert str(Diagnostic(kind, 3, "it broke")) == "exchange 3: error-event: it broke"


@pytest.mark.parametrize("interface", ["streaming", "queuing"])
@pytest.mark.parametrize("mode", ["tokens", "steps", "legacy", "chat-completion"])
def test_half_a_surrogate_pair_prints_everywhere(interface: str, mode: str) -> None:
    """A provider that sends half a character breaks no output."""
    body = sse(
        text("half \ud83d"),
        call('{"message": "\\ud83d \ude00"}', call_id="c", name="send_message"),
        call('{"x": "\ud83d', index=1, call_id="\ud83d", name="\ude00"),
        finish(),
    )
    transcript = replay(cassette(exchange(body)), interface, mode=mode)
    assert transcript.emissions
    for printed in (transcript.to_jsonl(), transcript.to_sse(), str(transcript)):
        assert printed.encode()
    assert "half" in transcript.to_jsonl() or mode == "chat-completion"


@pytest.mark.parametrize("mode", ["tokens", "steps", "legacy", "chat-completion"])
def test_a_message_becomes_its_model_when_it_is_touched(mode: str) -> None:
    """And what is shown, compared and copied is the same before and after."""
    body = sse(text("é\x7f"), call('{"a": 1}', name="f"), finish("tool_calls"))
    made, other = (replay(cassette(exchange(body)), mode=mode) for _ in range(2))
    light = [one for one in made.emissions if isinstance(one.emitted, LightMessage)]
    assert bool(light) is (mode != "chat-completion")
    before = made.to_jsonl(), made.to_sse(), str(made), made.to_lines()
    assert not any(isinstance(message, LightMessage) for message in made.messages)
    assert all(one.message is one.message for one in light)
    assert (made.to_jsonl(), made.to_sse(), str(made), made.to_lines()) == before
    assert made.emissions == other.emissions
    assert repr(made.emissions) == repr(other.emissions)
