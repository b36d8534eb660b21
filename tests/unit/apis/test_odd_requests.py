"""Requests whose fields hold values of other types: whose they are, and no error."""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.detect import api_of_request

ODD: list[Any] = [None, True, 0, 1.5, "", "x", [], [[]], [{}], {}, {"type": {}}]
FIELDS = ["role", "content", "tool_calls", "type", "parts", "id", "name", "function"]
PATHS = ["/v1/messages", "/v1/responses", "/v1/chat/completions", "/api/chat", "/x"]
PATHS += ["/v1beta/models/m:generateContent"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("top", ["messages", "input", "contents", "tools"])
def test_no_value_of_a_field_raises(path: str, top: str) -> None:
    """Each field of an entry, and of an entry of its content, has each odd value."""
    for field in FIELDS:
        for value in ODD:
            entry = {"role": "user", "content": "Hi", field: value}
            for one in (entry, {"role": "user", "content": [{field: value}]}):
                for body in ({top: [one]}, {"messages": [], top: [one]}, {top: one}):
                    api = api_of_request(f"http://h{path}", body)
                    if api is not None:
                        api.request(f"http://h{path}", body)
