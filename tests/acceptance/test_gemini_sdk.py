"""The Gemini reader against Google's own SDK, over its real HTTP path.

Where google-genai 3.6 fails itself: it hands `partialArgs` on in pieces and assembles
no call (4 of 33 recordings); those calls are compared by name and number alone.
"""

from __future__ import annotations

import json
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.examples import example_events, example_names
from harness.apis.gemini.dialects import DIALECTS
from tests.gemini_streams import Answer, answer, read, read_each, recordings
from tests.shared import needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

_NOT_READ = {"gemini-array", "with-done", "keep-alive", "snake-case", "code-assist"}
# The SDK refuses `[DONE]`, comments and an array, and overlooks the others' fields.


@cache
def _genai() -> Any:
    """Return the SDK, which takes a second to load that every collection would pay."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies, on import
        return pytest.importorskip("google.genai", reason="needs the SDK google-genai")


@cache
def _client() -> tuple[Any, list[bytes]]:
    """Return a client of the SDK, and the list whose last item it is answered with."""
    import httpx

    bodies: list[bytes] = []

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, headers={"content-type": "text/event-stream"}, content=bodies[-1]
        )

    client = httpx.Client(transport=httpx.MockTransport(respond))
    options = _genai().types.HttpOptions(httpx_client=client)
    return _genai().Client(api_key="none", http_options=options), bodies


def sdk_chunks(body: bytes) -> Iterator[Any]:
    """Yield what the SDK makes of a streamed response."""
    client, bodies = _client()
    bodies.append(body)
    yield from client.models.generate_content_stream(model="gemini", contents="x")


def sdk_answer(body: bytes) -> tuple[Answer, list[Any]]:
    """Return the answer as the SDK's objects have it, and the signatures."""
    text, thoughts, stop = "", "", None
    calls: list[tuple[str, str, str]] = []
    signatures = []
    for chunk in sdk_chunks(body):
        for candidate in chunk.candidates or []:
            if candidate.index:
                continue
            for part in (candidate.content and candidate.content.parts) or []:
                if part.thought_signature:
                    signatures.append(part.thought_signature)
                if part.text and part.thought:
                    thoughts += part.text
                elif part.text:
                    text += part.text
                call = part.function_call
                if call is not None and call.name:
                    args = json.dumps(call.args or {}, ensure_ascii=False)
                    calls.append((call.name, call.id or "", args))
            if candidate.finish_reason:
                stop = candidate.finish_reason.value
    return Answer(text, thoughts, calls, stop), signatures


@needs_shared
def test_recorded_streams_are_the_sdks_answers() -> None:
    """Text, thoughts, calls, stop and the number of signatures of all 33."""
    assembled = 0
    for stream in recordings():
        parts = read(*stream.payloads)
        ours = answer(parts)
        theirs, signatures = sdk_answer(stream.body)
        opaque = [part for part in parts if type(part).__name__ == "Opaque"]
        assert len(opaque) == len(signatures), stream.name
        if b"partialArgs" in stream.body or b"willContinue" in stream.body:
            assert [c[:2] for c in ours.calls] == [c[:2] for c in theirs.calls]
            ours, theirs = ours._replace(calls=[]), theirs._replace(calls=[])
            assembled += 1
        assert ours == theirs, stream.name
    assert assembled == 4


def test_written_examples_are_the_sdks_answers_but_where_it_fails() -> None:
    """Each example in each dialect; what the SDK cannot read is listed."""
    failed = set()
    for name in example_names("gemini"):
        payloads = [event.payload for event in example_events("gemini", name)]
        groups = read_each(payloads)
        for dialect in DIALECTS.values():
            writer = dialect.writer()
            events = [event for parts in groups for event in writer.feed(parts)]
            events += writer.close()
            ours = answer(read(*(event.payload for event in events)))
            body = b"".join(dialect.encode(events))
            try:
                theirs, _ = sdk_answer(body)
            except _genai().errors.APIError:
                assert name == "error"
                continue
            except _genai().errors.UnknownApiResponseError:
                failed.add(dialect.name)
                continue
            if dialect.name == "partial-args":
                ours, theirs = ours._replace(calls=[]), theirs._replace(calls=[])
            if name == "blocked-prompt":
                ours = ours._replace(stop=None)  # the SDK has it in prompt_feedback
            if ours != theirs:
                failed.add(dialect.name)
    assert failed == _NOT_READ
