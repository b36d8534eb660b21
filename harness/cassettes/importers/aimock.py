"""Fixtures of aimock (formerly llmock): answers without their streams.

Source: aimock, src/types.ts. What is recorded is the answer and what a request must
contain to get it, so it is restated as a whole chat completion.
"""

from __future__ import annotations

import json
from itertools import starmap
from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import tool_call
from harness.apis.json_values import dict_of, dicts_of
from harness.cassettes.importers.base import Restated, exchanges_from, restored
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_LOST = (
    "aimock keeps an answer without its stream: read as a whole one; of the request it "
    "keeps what must match"
)
_JSON = {"content-type": ["application/json"]}


def sniff(document: Any) -> bool:
    """Recognise parsed fixtures."""
    fixtures = dict_of(document).get("fixtures")
    first = dict_of(fixtures[0]) if isinstance(fixtures, list) and fixtures else {}
    return {"match", "response"} <= first.keys()


def read(document: Any, path: str) -> list[Exchange]:
    """Read parsed fixtures."""
    return exchanges_from(
        [_restated(one, path, n) for n, one in enumerate(document["fixtures"])], path
    )


def _restated(fixture: Any, path: str, index: int) -> Restated:
    response = dict_of(fixture).get("response")
    if not isinstance(response, dict):
        raise CassetteCorruptError(
            path, "a fixture of aimock without `response`", place=f"exchange {index}"
        )
    answer, status = response, response.get("status", 200)
    if "error" in response:
        answer, status = {"error": response["error"]}, response.get("status", 500)
    elif "json" in response:
        answer = response["json"]
    elif response.keys() & {"content", "toolCalls", "blocks"}:
        answer = _completion(response, index)
    match = dict_of(dict_of(fixture).get("match"))
    asked = match.get("userMessage")
    body = {"messages": [{"role": "user", "content": asked}]}
    total = dict_of(dict_of(fixture).get("recordedTimings")).get("totalDurationMs")
    return Restated(
        request_body=json.dumps(body) if isinstance(asked, str) else None,
        status=status,
        headers=_JSON,
        body=json.dumps(answer, ensure_ascii=False),
        seconds=total / 1000 if isinstance(total, int | float) else None,
        notes=[restored(f"{_LOST} ({', '.join(match)})")],
    )


def _completion(response: dict[str, Any], index: int) -> dict[str, Any]:
    content, calls = response.get("content"), dicts_of(response.get("toolCalls"))
    if blocks := dicts_of(response.get("blocks")):
        texts = [str(b.get("text", "")) for b in blocks if b.get("type") == "text"]
        content = "".join(texts)
        calls = [b for b in blocks if b.get("type") == "toolCall"]
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if response.get("reasoning"):
        message["reasoning_content"] = response["reasoning"]
    if calls:
        named = ((call, f"call_{index}_{n}") for n, call in enumerate(calls))
        message["tool_calls"] = list(starmap(_call, named))
    reason = response.get("finishReason") or ("tool_calls" if calls else "stop")
    choice = {"index": 0, "message": message, "finish_reason": reason}
    completion = {
        "id": response.get("id") or f"chatcmpl-{index}",
        "object": "chat.completion",
        "created": response.get("created") or 0,
        "model": response.get("model") or "",
        "choices": [choice],
    }
    if response.get("usage"):
        completion["usage"] = response["usage"]
    return completion


def _call(call: dict[Any, Any], made_id: str) -> dict[str, Any]:
    arguments = call.get("arguments")
    if not isinstance(arguments, str):  # hand-written fixtures have objects
        arguments = json.dumps(arguments or {}, ensure_ascii=False)
    return tool_call(call.get("id") or made_id, call.get("name"), arguments)
