"""What importers do not read is named; what is there is never replaced unasked."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from harness import load_cassette, replay
from harness.cassettes.classify import Kind, classify
from harness.errors import CassetteError
from tests.cli.running import harness
from tests.odd_inputs.made_recordings import MADE, aws_message, har
from tests.odd_inputs.test_importers import DESTRUCTIVE, saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OTHERS: dict[str, tuple[bytes, str]] = {
    "converse": (
        aws_message({"delta": {"text": "Hi"}}, event_type="contentBlockDelta"),
        "Bedrock's Converse API",
    ),
    "realtime": (
        b'data: {"type": "response.created", "event_id": "e", "response": {}}\n\n',
        "OpenAI's Realtime API",
    ),
    "live": (b'{"setupComplete":{}}\n{"serverContent":{}}\n', "Gemini's Live API"),
    "claude-code": (
        b'{"type":"system","subtype":"init","session_id":"s"}\n{"type":"result"}\n',
        "Claude Code's command line",
    ),
    "agent-lines": (
        b'{"jsonrpc":"2.0","id":1,"result":{}}\n{"jsonrpc":"2.0","id":2}\n',
        "JSON-RPC (MCP, A2A)",
    ),
    "exception": (
        aws_message(
            {"message": "Too many"},
            message_type="exception",
            exception_type="throttlingException",
        ),
        "Too many",
    ),
    "mitmproxy": (b"4321:9:websocket;0:~8:response;", "hardump=FILE.har"),
    "packets": (b"\xd4\xc3\xb2\xa1\x02\0\4\0", "a capture of packets"),
    "zlib": (b"x\x9c\xcb", "zlib data; unpack it first"),
    "vercel": (b'0:"Hi"\n0:" you"\n', "the Vercel AI SDK, version 4"),
    "prose": (
        b"Nothing here: data: {not json\nat all: [",
        "line 1 begins an event stream",
    ),
    "vllm-log": (
        b"INFO [logger.py:71] Generated response c (streaming delta): output: 'Hi'\n",
        "line 1 holds '(streaming delta)', of an object as a program prints it",
    ),
    "langchain": (
        b"content='Hi' additional_kwargs={} response_metadata={} id='run-1'\n" * 2,
        "line 1 holds 'additional_kwargs=', of an object as a program prints it",
    ),
    "openai-deltas": (
        b"ChoiceDelta(content='Hi', role='assistant', tool_calls=None)\n" * 2,
        "line 1 holds 'ChoiceDelta', of an object as a program prints it",
    ),
    "javascript": (
        b"{\n  id: 'c',\n  object: 'chat.completion.chunk',\n"
        b"  choices: [ { index: 0, delta: [Object] } ]\n}\n" * 2,
        "other: line 3 holds 'chat.completion', of an object as a program prints it",
    ),
    "devtools-console": (
        b"a.js:1 {id: 'c', object: 'chat.completion.chunk', choices: Array(1)}\n" * 2,
        "line 1 holds 'chat.completion', of an object as a program prints it",
    ),
    "commands": (
        b"curl 'http://x/v1' -H 'a: b' --data-raw '{\"a\": 1}' ;\n" * 2,
        "line 1 is a request that no answer follows; run it, and save what comes",
    ),
    "fetch": (
        b'await fetch("http://x/v1", {\n  "method": "POST"\n});\n',
        "line 1 is a request that no answer follows",
    ),
    "java": (
        b"ChatCompletionChunk{id=c, choices=[Choice{delta=Delta{content=Hi}}]}\n",
        "print it as JSON, or save the response (`curl -N`)",
    ),
    "go": (
        b"{ID:c Choices:[{Delta:{Content:Hi} FinishReason:stop}]}\n",
        "line 1 holds 'FinishReason', of an object as a program prints it",
    ),
    "yaml-of-others": (
        b"answer:\n  finish_reason: stop\n",
        ": no cassette: expected `interactions`, got 'answer'",
    ),
    "no-stream": (b"a: b\n\tc", "the YAML does not parse"),
    "compose": (b"x:\n  data: {a: b}\n", "expected `interactions`"),
    "ruby-empty": (b'{"http_interactions": []}', "without `http_interactions`"),
    "notebook-without": (b'{"nbformat": 4, "cells": []}', "got 'nbformat', 'cells'"),
    "table-without": (b'a,b\n1,"say ""hi"""\n', "with `interactions`, got text"),
    "har-empty": (b'{"log": {"entries": []}}', "a HAR file without entries"),
    "har-no-status": (
        har({"request": {"method": "GET", "url": "x"}, "response": {}}),
        "exchange 0: response: expected a number",
    ),
    "cassetter-odd": (
        (
            b"version: 1\ninteractions:\n- request: {method: GET, uri: x}\n"
            b"  response: {status: 200, body: {type: binary, content: zz}}\n"
        ),
        "exchange 0: a body does not fit its type",
    ),
    "utf16-cut": (("data: x\n\n" * 9).encode("utf-16")[:-1], "begins as UTF-16"),
}
"""Files that cannot be read, and what they are named."""


@pytest.mark.parametrize(("content", "text"), OTHERS.values(), ids=OTHERS)
def test_other_is_named(tmp_path: Path, content: bytes, text: str) -> None:
    """What cannot be read is named with its place, in one line, by `replay`."""
    path = tmp_path / "other"
    path.write_bytes(content)
    result = harness("replay", str(path))
    shown = result.out + result.err
    assert text in shown
    assert not DESTRUCTIVE.search(shown)
    assert path.read_bytes() == content


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:-1] + b"!"])
def test_damage_of_a_binary_stream_is_named(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    """A message that is cut, and one whose checksum is wrong: it is no line of text."""
    path = tmp_path / "bedrock"
    events = [{"type": "message_start", "message": {}}, {"type": "message_stop"}]
    packed = [base64.b64encode(json.dumps(event).encode()) for event in events]
    frames = [aws_message({"bytes": p.decode()}, event_type="chunk") for p in packed]
    path.write_bytes(damage(b"".join(frames)))
    found = replay(load_cassette(path), "queuing").diagnostics
    text = next(one.text for one in found if one.kind == "stray-text")
    assert text.startswith("a message of the binary event stream is cut, or its")


def test_import_replaces_nothing_unasked(tmp_path: Path) -> None:
    """A file that is there stays, above all the one that is read."""
    path = saved(tmp_path, "har-firefox")
    target = tmp_path / "out.json"
    target.write_text("mine")
    assert harness("import", str(path), "-o", str(target)).code == 2
    assert harness("import", str(path), "-o", str(path), "--force").code == 2
    assert harness("import", str(path), str(tmp_path / "no"), "-o", "x.yaml").code == 2
    assert target.read_text() == "mine"
    assert path.read_bytes() == MADE["har-firefox"]
    result = harness("import", str(path), str(path), "-o", str(target), "--force")
    assert result.code == 0
    assert "2 exchanges written, redacted in 2 of them" in result.err
    assert len(json.loads(target.read_text())["interactions"]) == 2


def test_recording_of_another_tool_is_no_cassette_to_record_to(tmp_path: Path) -> None:
    """Recording into it would mix two formats: it is refused, and played as it is."""
    from harness.cassettes.vcr_bridge import MatchedCassette

    path = saved(tmp_path, "go-vcr-3")
    before = path.read_bytes()
    for mode in ("new_episodes", "all", "rewrite"):
        with pytest.raises(CassetteError, match="is a recording, but no cassette"):
            MatchedCassette(str(path), mode=mode)
    for mode in ("none", "once"):
        cassette = MatchedCassette(str(path), mode=mode)
        assert cassette.exchanges
        assert not cassette.can_record
        cassette.save()
        cassette.close(is_kept=True)
    assert path.read_bytes() == before


def test_recording_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Recording once began without a file, and another recorder wrote one."""
    from harness.cassettes.persister import Persister

    path = tmp_path / "c.yaml"
    persister = Persister(str, KeyError, replaces=False, writes=False)
    assert persister.read(str(path)) is None
    path.write_bytes(MADE["go-vcr-3"])
    with pytest.raises(CassetteError, match="is a recording, but no cassette"):
        persister.write(str(path), [])
    assert path.read_bytes() == MADE["go-vcr-3"]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_binary_events_do_not_depend_on_the_cuts(size: int) -> None:
    """Every way to cut the bytes gives the same events."""
    from harness.core.framing import decoder_for

    data = MADE["bedrock-body"]
    whole, cut = decoder_for(data), decoder_for(data)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    events: list[Any] = [event for piece in pieces for event in cut.feed(piece)]
    assert events == whole.feed(data)
    assert cut.close() == whole.close() == []
    assert len(events) == 3


def test_damaged_binary_stream_is_reported(tmp_path: Path) -> None:
    """A message that was cut, and bytes behind the last one, are stray."""
    path = tmp_path / "cut"
    path.write_bytes(MADE["bedrock-body"][:-9])
    assert classify(load_cassette(path).exchanges[0]).kind is Kind.STREAM
    kinds = [
        str(one.kind) for one in replay(load_cassette(path), "queuing").diagnostics
    ]
    assert "stray-text" in kinds
