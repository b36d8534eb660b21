"""The vendor's SDK as judge: its snapshot of a stream equals what our parts add up to.

Its beta helper fails on none of the recordings; the stable one leaves the input of
`mcp_tool_use` empty, so it cannot judge.
"""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

from harness.apis.anthropic.breaking import FAULTS
from harness.apis.anthropic.dialects import DIALECTS
from harness.core.parts import CallPart, Opaque
from tests.anthropic_streams import add_up, decode, example, read, recorded, rows
from tests.shared import needs_shared

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("anthropic") is None,
        reason="needs the anthropic SDK, an extra of its own",
    ),
]


def snapshot(
    body: bytes, status: int = 200, error: dict[str, Any] | None = None
) -> Any:
    """Return the message that the SDK's streaming helper makes of a response."""
    import httpx2
    from anthropic import Anthropic

    def respond(_request: httpx2.Request) -> httpx2.Response:
        if error is not None:
            return httpx2.Response(status, json=error)
        kind = {"content-type": "text/event-stream"}
        return httpx2.Response(status, headers=kind, content=body)

    transport = httpx2.MockTransport(respond)
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


@needs_shared
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
    opaque = [p for p in parts if isinstance(p, Opaque)]
    signatures = [p.data for p in opaque if p.kind == "signature"]
    assert signatures == [b.signature for b in thought]
    calls = [p.call for p in parts if isinstance(p, CallPart) and p.is_new]
    assert [(c.id, c.name, json.loads(c.arguments or "{}")) for c in calls] == [
        (b.id, b.name, b.input) for b in blocks if b.type == "tool_use"
    ]
    assert found.stop == [message.stop_reason]


SDK_BREAKS = {
    "kimi": "",  # read all the same
    "glm": "AssertionError",
    "no-event-lines": "AssertionError",
    "index-gap": "IndexError",
    "index-one": "IndexError",
    "usage-null": "AttributeError",
    "content-null": "AttributeError",
    "text-in-tool": "loses text",
    "spliced": "mixes the blocks up",
}
"""What the SDK's helper does with a dialect where it does not read the same answer."""


@pytest.mark.parametrize("name", [n for n in DIALECTS if n != "bedrock-invoke"])
def test_the_sdk_fails_on_the_dialects_that_are_known_for_it(name: str) -> None:
    """The dialects are what their sources report: they break this client, or not."""
    written = example("parallel-calls")
    body = b"".join(DIALECTS[name].encode(written))
    found = add_up(read(decode([body])))
    try:
        message = snapshot(body)
    except Exception as error:  # noqa: BLE001 - any of the SDK's
        outcome = type(error).__name__
    else:
        text = "".join(b.text for b in message.content if b.type == "text")
        calls = [(b.name, b.input) for b in message.content if b.type == "tool_use"]
        wanted = [(call, json.loads(sent)) for call, _, sent in found.calls]
        outcome = "" if text == found.text else "loses text"
        if name == "spliced":
            outcome = "mixes the blocks up" if outcome or calls != wanted else ""
        elif not outcome:
            assert calls == wanted
    assert outcome == SDK_BREAKS.get(name, "")


SDK_FAULTS = {
    "overloaded-error": "APIStatusError",
    "overloaded-before": "OverloadedError",
    "cut-events": "",
    "no-message-stop": "",
    "no-message-delta": "",
    "cut-in-input": "",
    "cut-after-name": "",
    "max-tokens": "",
    "bad-json": "ValueError",
    "trailing-junk": "",
    "unopened-delta": "IndexError",
    "reason-null": "",
}
"""What the SDK's helper raises; empty where the broken answer is a success to it."""


@pytest.mark.parametrize(("name", "raised"), SDK_FAULTS.items(), ids=SDK_FAULTS)
def test_what_the_sdk_makes_of_a_fault(name: str, raised: str) -> None:
    """Most cut answers are successes there, which is why they are worth a replay."""
    fault = FAULTS[name]
    body = b"".join(DIALECTS["anthropic"].encode(fault.apply(example("call"))))
    outcome = ""
    try:
        snapshot(body, status=fault.status, error=fault.body)
    except Exception as error:  # noqa: BLE001 - any of the SDK's
        outcome = type(error).__name__
    assert outcome == raised
