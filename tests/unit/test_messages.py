"""The emitted models, their JSON and their text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from harness.agents.letta import messages
from harness.agents.letta.light_messages import (
    CallFields,
    CallOfRecord,
    FunctionOfRecord,
    LightMessage,
    MessageStreamStatus,
    Record,
    render_json,
    render_sse,
)
from harness.agents.letta.messages import (
    AssistantMessage,
    FunctionCall,
    FunctionCallDelta,
    FunctionCallMessage,
    FunctionReturn,
    InternalMonologue,
    LegacyFunctionCallMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolCallFunction,
    UserMessage,
)
from harness.agents.letta.surrogates import encodable
from harness.engine.emission import describe

_DATE = datetime(2024, 10, 19, 21, 47, 48, 999999, tzinfo=UTC)
_HEAD: dict[str, Any] = {"id": "message-1", "date": _DATE}
_TEXT = '{"id":"message-1","date":"2024-10-19T21:47:48+00:00",'

_CASES: list[tuple[BaseModel, str]] = [
    (
        InternalMonologue(**_HEAD, internal_monologue="hm"),
        '"message_type":"internal_monologue","internal_monologue":"hm"}',
    ),
    (
        AssistantMessage(**_HEAD, assistant_message=""),
        '"message_type":"assistant_message","assistant_message":""}',
    ),
    (
        FunctionCallMessage(
            **_HEAD,
            function_call=FunctionCall(name="f", arguments="{}", function_call_id="c"),
        ),
        (
            '"message_type":"function_call","function_call":'
            '{"name":"f","arguments":"{}","function_call_id":"c"}}'
        ),
    ),
    (
        FunctionCallMessage(**_HEAD, function_call=FunctionCallDelta(arguments="{")),
        '"message_type":"function_call","function_call":{"arguments":"{"}}',
    ),
    (
        FunctionCallMessage(
            **_HEAD, function_call=FunctionCallDelta(name="f", function_call_id="c")
        ),
        (
            '"message_type":"function_call","function_call":'
            '{"name":"f","function_call_id":"c"}}'
        ),
    ),
    (
        FunctionReturn(
            **_HEAD, function_return="3", status="error", function_call_id="c"
        ),
        (
            '"message_type":"function_return","function_return":"3","status":"error",'
            '"function_call_id":"c"}'
        ),
    ),
    (
        LegacyFunctionCallMessage(**_HEAD, function_call="f({})"),
        '"function_call":"f({})"}',
    ),
    (
        SystemMessage(**_HEAD, message="s"),
        '"message_type":"system_message","message":"s"}',
    ),
    (UserMessage(**_HEAD, message="u"), '"message_type":"user_message","message":"u"}'),
]


@pytest.mark.parametrize(("message", "rest"), _CASES, ids=lambda case: str(case)[:40])
def test_json_has_the_seeds_fields_in_their_order(message: Any, rest: str) -> None:
    """Every model renders as one compact line: id, date, type, content."""
    assert render_json(message) == _TEXT + rest
    assert message.model_dump_json() == _TEXT + rest
    assert render_sse(message) == f"data: {_TEXT}{rest}\n\n"


@pytest.mark.parametrize(("message", "_rest"), _CASES, ids=lambda case: str(case)[:40])
def test_json_reads_back_as_the_same_json(message: Any, _rest: str) -> None:
    """What a client stores can be validated again and renders the same."""
    again = type(message).model_validate_json(render_json(message))
    assert render_json(again) == render_json(message)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02T03:04:05+00:00"),
        (
            datetime(2024, 1, 2, 0, 30, tzinfo=timezone(timedelta(hours=2))),
            "2024-01-01T22:30:00+00:00",
        ),
        (datetime(2024, 1, 2, 3, 4, 5, 6), "2024-01-02T03:04:05+00:00"),  # noqa: DTZ001
    ],
)
def test_dates_are_utc_to_the_second(date: datetime, expected: str) -> None:
    """Other zones are converted and a naive date is UTC, on every machine."""
    message = InternalMonologue(id="m", date=date, internal_monologue="")
    assert json.loads(render_json(message))["date"] == expected
    assert message.model_dump()["date"] == expected


def test_statuses_are_the_seeds() -> None:
    """Three marks; bare in SSE text, a string in JSON."""
    assert [str(status) for status in MessageStreamStatus] == [
        "[DONE_GEN]",
        "[DONE_STEP]",
        "[DONE]",
    ]
    assert render_sse(MessageStreamStatus.done_generation) == "data: [DONE_GEN]\n\n"
    assert render_json(MessageStreamStatus.done) == '"[DONE]"'


@pytest.mark.parametrize(
    "item",
    [
        InternalMonologue(**_HEAD, internal_monologue="é\u2028😀"),
        {"choices": [{"delta": {"content": "é\u2028😀"}}]},
        "STOP",
    ],
    ids=["message", "chunk", "stop"],
)
def test_rendered_text_is_one_ascii_line(item: Any) -> None:
    """No character of the content can end the line or need an encoding."""
    text = render_json(item)
    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert len(render_sse(item).splitlines()) == 2
    if item != "STOP":
        assert "é\u2028😀" in json.dumps(json.loads(text), ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é😀", "plain é😀"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83db", "a\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd😀"),
    ],
)
def test_encodable_joins_halves_and_replaces_lone_ones(
    text: str, expected: str
) -> None:
    """What comes back can be encoded, and only surrogates have changed."""
    assert encodable(text) == expected
    encodable(text).encode()


def test_record_keeps_its_date_as_utc() -> None:
    """An aware date of any zone becomes UTC with its microseconds."""
    message = Message(
        id="message-1",
        role="assistant",
        tool_calls=[
            ToolCall(id="c", function=ToolCallFunction(name="f", arguments=""))
        ],
        created_at="2024-10-19T23:47:48.123456+02:00",
    )
    assert message.created_at.isoformat() == "2024-10-19T21:47:48.123456+00:00"
    assert message.tool_calls is not None
    assert message.tool_calls[0].type == "function"
    assert (message.text, message.tool_call_id, message.name) == (None, None, None)


def test_record_refuses_a_naive_date() -> None:
    """A record's date must say what time it is."""
    with pytest.raises(ValidationError, match="created_at"):
        Message(id="m", role="user", created_at=datetime(2024, 1, 1))  # noqa: DTZ001


def test_status_of_a_return_is_one_of_two() -> None:
    """A misspelt status is an error, not a message."""
    with pytest.raises(ValidationError, match="status"):
        FunctionReturn(
            **_HEAD,
            function_return="",
            status="failed",
            function_call_id="c",
        )


def test_every_field_says_what_it_is() -> None:
    """Each field of each public model has a docstring in the source."""
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(messages))
    for cls in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        body = [n for n in cls.body if not isinstance(n, ast.FunctionDef)]
        for node, following in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign):
                assert isinstance(following, ast.Expr), (
                    f"{cls.name}: {ast.unparse(node)}"
                )


_WORDS = st.text(st.characters(exclude_categories=["Cs"]) | st.just("\x7f"), max_size=8)
_NAMES = ("name", "arguments", "function_call_id")  # in the order of the JSON
_DELTAS = st.sets(st.sampled_from(_NAMES)).flatmap(
    lambda names: st.tuples(*[_WORDS] * len(names)).map(
        lambda words: dict(zip((n for n in _NAMES if n in names), words, strict=True))
    )
)
_CALLS = st.builds(CallFields, name=_WORDS, arguments=_WORDS, function_call_id=_WORDS)
_RETURNS = {"status": st.sampled_from(["success", "error"]), "function_call_id": _WORDS}
_FIELDS: dict[type[BaseModel], dict[str, st.SearchStrategy[Any]]] = {
    InternalMonologue: {"internal_monologue": _WORDS},
    AssistantMessage: {"assistant_message": _WORDS},
    FunctionCallMessage: {"function_call": _DELTAS | _CALLS},
    FunctionReturn: {"function_return": _WORDS, **_RETURNS},
    LegacyFunctionCallMessage: {"function_call": _WORDS},
}


@given(
    st.sampled_from(list(_FIELDS)).flatmap(
        lambda kind: st.tuples(
            st.just(kind), _WORDS, st.fixed_dictionaries(_FIELDS[kind])
        )
    )
)
def test_a_light_message_is_what_its_model_is(
    made: tuple[type[BaseModel], str, Any],
) -> None:
    """Its JSON, its row and its model, for any text; DEL is escaped by both."""
    kind, name, given_fields = made
    fields = {field: given_fields[field] for field in _FIELDS[kind]}
    light = LightMessage(kind.__name__, name, _DATE, fields)
    model = light.to_model()
    assert type(model) is kind
    assert light.to_json() == render_json(model)
    assert json.loads(light.to_json()) == model.model_dump()
    assert describe(light) == describe(model)
    call = fields.get("function_call")
    if not isinstance(call, str | None):
        expected = FunctionCall if type(call) is CallFields else FunctionCallDelta
        assert type(model.function_call) is expected  # type: ignore[attr-defined]


def test_a_record_becomes_the_message_that_it_stands_for() -> None:
    """Whatever an interface of ours reads of it is there under the same name."""
    call = CallOfRecord("c", FunctionOfRecord("f", "{}"))
    record = Record("message-1", "assistant", _DATE, "hm", [call], name="n")
    model = record.to_model()
    assert model.tool_calls == [
        ToolCall(id="c", function=ToolCallFunction(name="f", arguments="{}"))
    ]
    for field in ("id", "role", "created_at", "text", "tool_call_id", "name"):
        assert getattr(model, field) == getattr(record, field)
