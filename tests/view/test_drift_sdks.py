"""`harness drift` with the SDK of each vendor as reader of its own API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness import load_cassette
from harness.cassettes.model import Cassette, Exchange, Request, Response
from harness.debug.sdk import SDK_NAMES, Sdk, Sdks
from tests.cli.running import harness
from tests.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,  # the SDKs, an extra of their own, take seconds to import
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of their dependencies
]

ANTHROPIC: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    },
    {"type": "ping"},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hi"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'},
    },
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 9},
    },
    {"type": "message_stop"},
]
_ITEM = {"type": "message", "id": "i", "role": "assistant", "status": "in_progress"}
_PART = {"type": "output_text", "text": "", "annotations": []}
_PLACE = {"item_id": "i", "output_index": 0, "content_index": 0}
RESPONSES: list[dict[str, Any]] = [
    {
        "type": "response.created",
        "sequence_number": 0,
        "response": {"id": "r", "status": "in_progress", "output": []},
    },
    {
        "type": "response.output_item.added",
        "sequence_number": 1,
        "output_index": 0,
        "item": {**_ITEM, "content": []},
    },
    {
        "type": "response.content_part.added",
        "sequence_number": 2,
        **_PLACE,
        "part": _PART,
    },
    {
        "type": "response.output_text.delta",
        "sequence_number": 3,
        **_PLACE,
        "delta": "Hi",
        "logprobs": [],
    },
    {
        "type": "response.completed",
        "sequence_number": 4,
        "response": {
            "id": "r",
            "status": "completed",
            "output": [
                {**_ITEM, "status": "completed", "content": [{**_PART, "text": "Hi"}]}
            ],
        },
    },
]
GEMINI: list[dict[str, Any]] = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}}]},
    {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}],
                },
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 4},
    },
]
MADE = {"responses": RESPONSES, "anthropic": ANTHROPIC, "gemini": GEMINI}
SDK_OF = {api: name for name, apis in SDK_NAMES.items() for api in apis}
FAILS = {"anthropic": 0, "gemini": 4, "responses": 7}
"""Recordings that the SDK of the vendor reads otherwise than harness, or not at all;
which and why: `tests/acceptance/test_*_sdk.py`."""


def _sdk(api: str) -> Sdk:
    """Return the SDK that reads an API; skip where it is not installed."""
    name = SDK_OF[api]
    missing: list[str] = []
    found = Sdks(missing.append).of(_made(api))
    if missing:
        pytest.skip(f"needs {name}, extra `sdks`")
    return found[0]


def _made(api: str, events: list[dict[str, Any]] | None = None) -> Cassette:
    body = "".join(
        # Anthropic's SDK passes over events without a name; Gemini's have none.
        (f"event: {one['type']}\n" if "type" in one else "")
        + f"data: {json.dumps(one)}\n\n"
        for one in events or MADE[api]
    )
    response = Response(200, body=body.encode())
    return Cassette("made", [Exchange(0, Request("POST", ""), response)])


@pytest.mark.parametrize("api", MADE)
def test_reading_is_what_was_sent(api: str) -> None:
    """Answer, calls and stop in the SDK's words; it alters nothing and agrees."""
    (found,) = _sdk(api).read(_made(api))
    assert found["agrees"]
    assert (found["raised"], found["altered"]) == ([], None)
    assert found["chunks"] == len(MADE[api]) - (api == "anthropic")  # its ping
    if api == "anthropic":
        text, call = found["content"]
        assert (text["text"], call["input"]) == ("Hi", {"a": 1})
        assert found["stop_reason"] == "tool_use"
    elif api == "responses":
        assert found["output"][0]["content"] == [{**_PART, "text": "Hi"}]
        assert found["status"] == "completed"
    else:
        assert (found["text"], found["finish_reason"]) == ("Hi", "STOP")
        assert found["calls"] == [{"name": "f", "args": {"a": 1}}]


@pytest.mark.parametrize(
    ("api", "place", "error"),
    [
        ("responses", ("accumulating", 0), "RuntimeError: Expected to have received"),
        ("anthropic", ("completing", 8), "AssertionError"),
    ],
)
def test_sdk_that_raises_says_where(
    api: str, place: tuple[str, int], error: str
) -> None:
    """A stream without its first event: what the helper raises is kept."""
    (found,) = _sdk(api).read(_made(api, MADE[api][1:]))
    (raised,) = found["raised"]
    assert (raised["while"], raised["chunk"]) == place
    assert raised["error"].startswith(error)
    assert not found["agrees"]


@pytest.mark.parametrize("api", MADE)
def test_each_vendor_has_a_file_of_its_own(api: str, tmp_path: Path) -> None:
    """Stored under the SDK's name, as stored the next time, and blamed by name."""
    name = _sdk(api).name
    path = tmp_path / "one.sse"
    path.write_bytes(_made(api).exchanges[0].response.body)
    result = harness("drift", str(path), "--update")
    assert (result.code, result.out) == (
        0,
        f"{path}: stored: streaming, queuing, {name}\n",
    )
    assert harness("drift", str(path)).code == 0
    stored = tmp_path / "__drift__" / path.name / f"{name}.json"
    text = stored.read_text("utf-8")
    assert json.loads(text)["reader"] == name
    stored.write_text(text.replace('"Hi"', '"Ho"'), "utf-8")
    result = harness("drift", str(path))
    assert result.code == 1
    assert f"{path}: {name}: exchange 0: " in result.out
    assert f" SDK ({name} " in result.err


@needs_shared
@pytest.mark.parametrize("api", FAILS)
def test_sdks_read_the_recordings_as_harness_does(api: str) -> None:
    """All recorded streams, but those that the SDK itself fails on."""
    sdk = _sdk(api)
    unlike = 0
    for path in sorted((SHARED / "protocols" / api).rglob("*.yaml")):
        found = sdk.read(load_cassette(path))
        unlike += sum(not one["agrees"] for one in found)
    assert unlike == FAILS[api]
