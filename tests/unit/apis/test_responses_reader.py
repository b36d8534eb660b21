"""The Responses reader: what servers do otherwise than the reference, case by case."""

from __future__ import annotations

import json

import pytest

from harness.core.parts import Block, Head, Item, Opaque
from harness.core.sse import encode_event
from tests.responses_payloads import (
    F,
    Payload,
    added,
    answer,
    arguments,
    created,
    done,
    ended,
    event,
    message,
    text,
)
from tests.responses_streams import (
    answer_of,
    events_of,
    made,
    problems,
    read,
)

# -- Texts and items ----------------------------------------------------------------

_MESSAGE = message("Hello")
_SAME = {
    "by deltas": [text("Hel"), text("lo")],
    "deltas and all done events": [
        added(0, type="message", id="m", content=[]),
        event(
            "content_part.added",
            item_id="m",
            output_index=0,
            content_index=0,
            part={"type": "output_text", "text": "", "annotations": []},
        ),
        text("Hel"),
        text("lo"),
        event("output_text.done", output_index=0, content_index=0, text="Hello"),
        event(
            "content_part.done",
            output_index=0,
            content_index=0,
            part={"type": "output_text", "text": "Hello"},
        ),
        done(0, **_MESSAGE),
        ended(output=[_MESSAGE]),
    ],
    "done event only (LM Studio)": [done(0, **_MESSAGE)],
    "terminal event only": [ended(output=[_MESSAGE])],
    "the end of it in the done event": [text("Hel"), done(0, **_MESSAGE)],
    "the end of it in text.done": [
        text("Hel"),
        event("output_text.done", output_index=0, text="Hello"),
    ],
    "the end of it in the terminal event": [text("Hel"), ended(output=[_MESSAGE])],
    "other id in every event (Copilot)": [
        added(0, type="message", id="a", content=[]),
        text("Hel", item_id="b"),
        text("lo", item_id="c"),
        done(0, **message("Hello", id="d")),
        ended(output=[message("Hello", id="e")]),
    ],
    "two parts streamed as one": [
        text("Hello"),
        done(
            0,
            type="message",
            content=[
                {"type": "output_text", "text": "Hel"},
                {"type": "output_text", "text": "lo"},
            ],
        ),
    ],
    "one message, two in the terminal event": [
        text("Hello"),
        ended(output=[message("Hel", id="x"), message("lo", id="y")]),
    ],
    "announced when added, nothing else": [added(0, **_MESSAGE)],
    "announced as a part, nothing else": [
        event(
            "content_part.added",
            output_index=0,
            content_index=0,
            part={"type": "output_text", "text": "Hello"},
        )
    ],
    "announced when added, then streamed": [
        added(0, **_MESSAGE),
        text("Hel"),
        text("lo"),
        done(0, **_MESSAGE),
    ],
    "no output_index": [
        event("output_text.delta", item_id="m", delta="Hel"),
        event("output_text.delta", item_id="m", delta="lo"),
        {"type": "response.output_item.done", "item": _MESSAGE},
    ],
    "neither output_index nor item_id": [
        event("output_text.delta", delta="Hel"),
        event("output_text.delta", delta="lo"),
        {"type": "response.output_item.done", "item": _MESSAGE},
    ],
    "in progress and then completed": [
        event("in_progress", response={"output": [message("Hel")]}),
        ended(output=[_MESSAGE]),
    ],
    "indices of any size": [text("Hel", 10**30), text("lo", 10**30)],
    "a null item before": [
        event("output_item.added", output_index=0, item=None),
        text("Hel", 1),
        text("lo", 1),
        done(1, **_MESSAGE),
    ],
    "empty deltas": [text(""), text("Hel"), text(""), text("lo")],
    "obfuscated": [text("Hello", obfuscation="xyz")],
    "created again before anything": [created(), created(), text("Hello")],
    "steps of a response": [
        event("queued", response={"id": "r1"}),
        created(),
        text("Hello"),
    ],
}


@pytest.mark.parametrize("payloads", _SAME.values(), ids=_SAME)
def test_text_is_read_once(payloads: list[Payload]) -> None:
    """However its events repeat it, the text comes once, and nothing is reported."""
    parts = read(made(*payloads))
    assert answer_of(parts).text == "Hello"
    assert {kind for kind, _ in problems(parts)} <= {"missing-finish"}


def test_type_from_event_line() -> None:
    """Where the object has no type, the `event:` line names the event."""
    line = encode_event(
        '{"delta": "Hi", "output_index": 0}', event="response.output_text.delta"
    )
    assert answer_of(read(events_of(line))).text == "Hi"


def test_blocks() -> None:
    """A block begins with each content part, and again where another came between."""
    parts = read(
        made(
            event(
                "reasoning_summary_text.delta",
                output_index=0,
                item_id="rs",
                summary_index=0,
                delta="a",
            ),
            event(
                "reasoning_summary_text.delta",
                output_index=0,
                item_id="rs",
                summary_index=1,
                delta="b",
            ),
            text("T", 1, item_id="m"),
            event(
                "reasoning_summary_text.delta",
                output_index=0,
                item_id="rs",
                summary_index=1,
                delta="c",
            ),
            event(
                "refusal.delta",
                output_index=1,
                item_id="m",
                content_index=1,
                delta="no",
            ),
        )
    )
    blocks = [(part.kind, part.id) for part in parts if isinstance(part, Block)]
    assert blocks == [
        ("reasoning", "rs"),
        ("reasoning", "rs"),
        ("text", "m"),
        ("reasoning", "rs"),
        ("refusal", "m"),
    ]
    assert answer_of(parts)[:3] == ("T", "abc", "no")


def test_block_begins_again_after_a_call() -> None:
    """Text that goes on behind a call begins its block again; so does another item."""
    parts = read(
        made(
            text("a", item_id="m"),
            added(1, **F),
            text("b", item_id="m"),
            arguments("{", 1),
            text("c", item_id="m"),
            added(0, type="message", id="m", content=[]),
            text("d", item_id="m"),
        )
    )
    kinds = "".join(type(p).__name__[0] for p in parts[:-1] if type(p) is not Item)
    assert kinds == "BT" + "CBT" * 2 + "BT"


def test_text_without_any_place_is_one_block() -> None:
    """Deltas that name neither item nor index go on with the last message."""
    delta = event("output_text.delta", delta="x")
    parts = read(made(delta, added(0, **F), delta, delta))
    items = {part.id for part in parts if isinstance(part, Block)}
    assert answer_of(parts).text == "xxx"
    assert items == {""}
    done_parts = read(made(delta, added(0, **F), delta, done(0, **message("xx"))))
    assert answer_of(done_parts).text == "xx"


def test_gateway_names_of_reasoning() -> None:
    """What OpenRouter and vLLM name otherwise is read like OpenAI's events."""
    assert (
        answer(
            event(
                "reasoning_part.added",
                output_index=0,
                item_id="r",
                part={"type": "reasoning_text", "text": ""},
            ),
            event("reasoning.delta", output_index=0, item_id="r", delta="think"),
            event("reasoning.done", output_index=0, item_id="r", text="thinking"),
        ).reasoning
        == "thinking"
    )


def test_encrypted_reasoning_is_kept_once() -> None:
    """The done event's encrypted content is emitted; the others are new ciphers."""
    parts = read(
        made(
            added(0, type="reasoning", id="rs", summary=[], encrypted_content="early"),
            done(
                0, type="reasoning", id="rs", summary=[], encrypted_content="x" * 5000
            ),
            ended(
                output=[{"type": "reasoning", "id": "rs", "encrypted_content": "late"}]
            ),
        )
    )
    assert [p.data for p in parts if isinstance(p, Opaque)] == ["x" * 5000]
    assert [p.id for p in parts if isinstance(p, Block)] == ["rs"]
    assert problems(parts) == []


def test_server_tools_are_kept_whole() -> None:
    """A server tool's item is announced, its events kept, and it comes whole once."""
    item = {"type": "code_interpreter_call", "id": "ci", "code": "1+1"}
    parts = read(
        made(
            added(0, type="code_interpreter_call", id="ci", code=""),
            event("code_interpreter_call_code.delta", output_index=0, delta="1+1"),
            event("code_interpreter_call.interpreting", output_index=0, item_id="ci"),
            done(0, **item),
            ended(output=[item]),
        )
    )
    items = [(p.kind, p.is_done) for p in parts if isinstance(p, Item)]
    assert items[:-1] == [
        ("code_interpreter_call", False),
        ("response.code_interpreter_call_code.delta", False),
        ("response.code_interpreter_call.interpreting", False),
        ("code_interpreter_call", True),
    ]
    assert problems(parts) == []


def test_annotations_come_once() -> None:
    """An annotation is emitted once, however many events repeat it; twice if it is."""
    cited = {"type": "url_citation", "url": "u", "title": "t"}
    part = {"type": "output_text", "text": "x", "annotations": [cited, cited]}
    whole_message = {"type": "message", "id": "m", "content": [part]}
    parts = read(
        made(
            text("x", item_id="m"),
            event("output_text.annotation.added", output_index=0, annotation=cited),
            event("content_part.done", output_index=0, content_index=0, part=part),
            done(0, **whole_message),
            ended(output=[whole_message]),
        )
    )
    done_items = [p for p in parts if isinstance(p, Item) and p.is_done]
    assert [p.kind for p in done_items] == ["url_citation"] * 2
    assert problems(parts) == []


@pytest.mark.parametrize("time", ["Infinity", "-Infinity", "NaN", "1e300", "9" * 400])
def test_time_that_no_calendar_holds_is_none(time: str) -> None:
    """JSON as Python writes it has such numbers."""
    parts = read(made(created(created_at=json.loads(time)), text("a"), ended()))
    assert [part.created for part in parts if isinstance(part, Head)] == [0]
