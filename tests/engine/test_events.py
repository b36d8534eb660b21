"""Interfaces that take each API's own events: dicts, or the vendor SDK's objects."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness import UsageError, replay
from harness.cassettes.model import Cassette, Exchange, Request, Response
from tests.engine.made import cassette, finish, sse, text

if TYPE_CHECKING:
    from anthropic.types import RawMessageStreamEvent
    from openai.types.responses import ResponseStreamEvent

ANTHROPIC: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "m", "role": "assistant"}},
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hi"},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]
RESPONSES: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "r", "output": []}},
    {
        "type": "response.output_text.delta",
        "item_id": "i",
        "output_index": 0,
        "content_index": 0,
        "delta": "Hi",
    },
]


def made(events: list[dict[str, Any]]) -> Cassette:
    """Return a cassette with one stream of these events."""
    body = "".join(
        f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events
    ).encode()
    return Cassette(
        "made", [Exchange(0, Request("POST", ""), Response(200, body=body))]
    )


class Events:
    """Keeps what it is given, and emits it when it is asked."""

    def __init__(self) -> None:
        self.given: list[Any] = []
        self.calls: list[str] = []

    def process_event(self, event: Any) -> None:
        """Take one event."""
        self.given.append(event)

    def stream_start(self) -> None:
        """A response begins."""
        self.calls.append("start")

    def stream_end(self) -> None:
        """A response ended."""
        self.calls.append("end")

    def to_list(self) -> list[Any]:
        """Return nothing: this interface is only looked at."""
        return []


class TypedAnthropic(Events):
    """Takes the objects of Anthropic's SDK."""

    def process_event(self, event: RawMessageStreamEvent) -> None:
        """Take one event."""
        self.given.append(event)


class TypedResponses(Events):
    """Takes the objects of OpenAI's SDK."""

    def process_event(self, event: ResponseStreamEvent) -> None:
        """Take one event."""
        self.given.append(event)


@pytest.mark.parametrize(
    "events", [ANTHROPIC, RESPONSES], ids=["anthropic", "responses"]
)
def test_events_arrive_as_they_were_sent(events: list[dict[str, Any]]) -> None:
    """Every event once, in order, as its JSON object."""
    interface = Events()
    replay(made(events), interface)
    assert interface.given == events
    assert interface.calls == ["start", "end"]


def test_chat_chunks_are_events_too() -> None:
    """An interface that takes events is given chunks where the recording is chat."""
    interface = Events()
    replay(cassette(sse(text("a"), finish())), interface)
    assert [one["object"] for one in interface.given] == ["chat.completion.chunk"] * 2


def test_varied_streams_are_given_as_chat_chunks() -> None:
    """A split is made of chat chunks, whatever the recording's API."""
    interface = Events()
    replay(made(ANTHROPIC), interface, split="chars")
    texts = [one["choices"][0]["delta"].get("content") for one in interface.given]
    assert texts[:2] == ["H", "i"]


def test_annotation_asks_for_the_sdks_objects() -> None:
    """A parameter of an SDK's type gets that SDK's objects."""
    interface = TypedResponses()
    replay(made(RESPONSES), interface)
    assert interface.given[1].delta == "Hi"
    assert type(interface.given[1]).__name__ == "ResponseTextDeltaEvent"


@pytest.mark.slow
def test_annotation_asks_for_anthropics_objects() -> None:
    """As above, with the SDK that is no part of the quick tests' installation."""
    pytest.importorskip("anthropic", reason="needs the anthropic SDK, extra `sdks`")
    interface = TypedAnthropic()
    replay(made(ANTHROPIC), interface)
    assert [one.type for one in interface.given] == [one["type"] for one in ANTHROPIC]
    assert interface.given[2].delta.text == "Hi"


def test_objects_of_an_sdk_that_is_not_there_name_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What to install is one line of the error."""
    from harness.apis import sdk_objects

    monkeypatch.setitem(sys.modules, "anthropic._models", None)
    sdk_objects._maker.cache_clear()
    with pytest.raises(UsageError, match="pip install anthropic"):
        replay(made(ANTHROPIC), TypedAnthropic())
    sdk_objects._maker.cache_clear()
