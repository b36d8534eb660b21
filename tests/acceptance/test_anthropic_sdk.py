"""The vendor's SDK as judge: its snapshot of a stream equals what our parts add up to.

Its beta helper fails on none of the recordings; the stable one leaves the input of
`mcp_tool_use` empty, so it cannot judge.
"""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

from harness.core.parts import CallPart, Opaque
from tests.anthropic_streams import add_up, read, recorded, rows
from tests.shared import needs_shared

pytestmark = [
    needs_shared,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("anthropic") is None,
        reason="needs the anthropic SDK, an extra of its own",
    ),
]


def snapshot(body: bytes) -> Any:
    """Return the message that the SDK's streaming helper makes of a body."""
    import httpx2
    from anthropic import Anthropic

    transport = httpx2.MockTransport(
        lambda _request: httpx2.Response(
            200, headers={"content-type": "text/event-stream"}, content=body
        )
    )
    client = Anthropic(
        api_key="none",
        base_url="http://judge.invalid",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
    )
    with client.beta.messages.stream(
        model="m", max_tokens=1, messages=[{"role": "user", "content": "Hi"}]
    ) as stream:
        return stream.get_final_message()


@pytest.mark.parametrize("number", range(115))
def test_the_sdk_reads_the_same(number: int) -> None:
    """Text, reasoning, signatures, calls and stop."""
    stream = recorded(rows()[number])
    message = snapshot(stream.body)
    parts = read(stream.events)
    found = add_up(parts)
    blocks = message.content
    assert found.text == "".join(b.text for b in blocks if b.type == "text")
    thought = [b for b in blocks if b.type == "thinking"]
    assert found.reasoning == "".join(b.thinking for b in thought)
    assert [
        p.data for p in parts if isinstance(p, Opaque) and p.kind == "signature"
    ] == [b.signature for b in thought]
    calls = [p.call for p in parts if isinstance(p, CallPart) and p.is_new]
    assert [(c.id, c.name, json.loads(c.arguments or "{}")) for c in calls] == [
        (b.id, b.name, b.input) for b in blocks if b.type == "tool_use"
    ]
    assert found.stop == [message.stop_reason]
