"""Recordings of Responses, Anthropic and Gemini for a clone that has no `../shared`.

The recordings of this repository, and its chat recordings and stock streams restated
in each API, saved as cassettes; beside them `expected.jsonl` in the form of the
third-party one: text, reasoning, refusal, calls and stop of each stream. It is added up
here from the bytes, by `json.loads` alone, so that no reader is its own judge.
"""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.encode import save_cassette
from harness.cassettes.load import load_cassette
from harness.engine.converted import converted
from tests.made_corpus import made_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Cassette

__all__ = ["made_folder"]

_ROOT = Path(__file__).resolve().parent.parent
_FOLDER = tempfile.TemporaryDirectory(prefix="harness-made-protocols-")
_STARTS = {"responses": "response.", "anthropic": "message_", "gemini": ""}
"""How the type of a stream's first event begins."""


@cache
def made_folder(api: str) -> Path:
    """Return the folder of an API's recordings; it is written once."""
    folder = Path(_FOLDER.name, api)
    folder.mkdir()
    rows = []
    for number, cassette in enumerate(_cassettes(api)):
        path = folder / f"{number}.yaml"
        save_cassette(cassette, path)
        for exchange in cassette.exchanges:
            events = _events(exchange.response.body)
            if events and str(events[0].get("type", "")).startswith(_STARTS[api]):
                row = {"file": path.name, "interaction": exchange.index}
                row |= {"events": len(events)} | _ADD_UP[api](events)
                rows.append(json.dumps(row))
    folder.joinpath("expected.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def _cassettes(api: str) -> Iterator[Cassette]:
    for path in sorted((_ROOT / "cassettes" / f"llama-server-{api}").glob("*.yaml")):
        yield load_cassette(path)
    for path in made_files():
        if path.parent.name == "llama-server" or path.name == "0.yaml":
            yield converted(load_cassette(path), api)


def _events(body: bytes) -> list[dict[str, Any]]:
    lines = body.decode("utf-8", "replace").splitlines()
    texts = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    try:
        return [json.loads(text) for text in texts if text != "[DONE]"]
    except ValueError:  # a body that breaks off inside an event has no sum
        return []


def _joined(events: list[dict[str, Any]], kind: str, *path: str) -> str:
    """Join a text of all events of a type."""
    found = []
    for event in events:
        value: Any = event
        if event["type"] == kind:
            for step in path:
                value = value.get(step, "")
            found.append(value)
    return "".join(found)


def _responses(events: list[dict[str, Any]]) -> dict[str, Any]:
    done = [e["item"] for e in events if e["type"] == "response.output_item.done"]
    calls = [item for item in done if item["type"] == "function_call"]
    last = events[-1].get("response", {})
    reasoning = "response.reasoning_text.delta", "response.reasoning_summary_text.delta"
    return {
        "text": _joined(events, "response.output_text.delta", "delta"),
        "reasoning": "".join(_joined(events, kind, "delta") for kind in reasoning),
        "refusal": _joined(events, "response.refusal.delta", "delta"),
        "calls": [[c["type"], c["name"], c["call_id"], c["arguments"]] for c in calls],
        "stop": last.get("status"),
    }


def _anthropic(events: list[dict[str, Any]]) -> dict[str, Any]:
    calls: dict[int, list[str]] = {}
    deltas = [e for e in events if e["type"] == "content_block_delta"]
    for event in events:
        block = event.get("content_block", {})
        if block.get("type") == "tool_use":
            calls[event["index"]] = [block["type"], block["name"], block["id"], ""]
    for event in deltas:
        if "partial_json" in event["delta"]:
            calls[event["index"]][3] += event["delta"]["partial_json"]
    stops = [e["delta"]["stop_reason"] for e in events if e["type"] == "message_delta"]
    return {
        "text": _joined(deltas, "content_block_delta", "delta", "text"),
        "reasoning": _joined(deltas, "content_block_delta", "delta", "thinking"),
        "refusal": "",
        "calls": list(calls.values()),
        "stop": stops[-1] if stops else None,
    }


def _gemini(events: list[dict[str, Any]]) -> dict[str, Any]:
    candidates = [c for e in events for c in e.get("candidates", ())]
    firsts = [c for c in candidates if not c.get("index")]
    parts = [p for c in firsts for p in c.get("content", {}).get("parts", ())]
    stops = [c["finishReason"] for c in firsts if "finishReason" in c]
    texts = [(bool(p.get("thought")), p["text"]) for p in parts if "text" in p]
    calls = [p["functionCall"] for p in parts if "functionCall" in p]
    return {
        "text": "".join(text for is_thought, text in texts if not is_thought),
        "reasoning": "".join(text for is_thought, text in texts if is_thought),
        "refusal": "",
        "calls": [
            [
                "functionCall",
                c["name"],
                c.get("id", ""),
                json.dumps(c.get("args", {}), ensure_ascii=False),
            ]
            for c in calls
        ],
        "stop": stops[-1] if stops else None,
    }


_ADD_UP = {"responses": _responses, "anthropic": _anthropic, "gemini": _gemini}
