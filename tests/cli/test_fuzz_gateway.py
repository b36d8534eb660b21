"""`harness fuzz --gateway`: a process between a client and our server."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import Result, harness

if TYPE_CHECKING:
    from pathlib import Path

_GATEWAY = '''
"""Relays chat completions; with `lossy` it drops every second entry of a call."""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, upstream, kind = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        asked = urllib.request.Request(upstream + "/v1/chat/completions", b"{}")
        with urllib.request.build_opener(
            urllib.request.ProxyHandler({})
        ).open(asked) as answer:
            body = answer.read()
        if kind == "silent":
            body = b"data: [DONE]\\n\\n"
        if kind == "refusing":
            body = b'data: {"error": {"message": "litellm.APIError: a KeyError"}}\\n\\n'
        if kind == "lossy":
            body = b"\\n\\n".join(map(lossy, body.split(b"\\n\\n")))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def lossy(event):
    if b"tool_calls" not in event or not event.startswith(b"data: {"):
        return event
    chunk = json.loads(event[6:])
    for choice in chunk["choices"]:
        entries = (choice.get("delta") or {}).get("tool_calls") or []
        choice["delta"]["tool_calls"] = [
            entry for entry in entries if entry.get("index") in {0, None, "0"}
        ]
    return b"data: " + json.dumps(chunk).encode()


if kind == "broken":
    sys.exit("cannot start")
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the gateway."""
    (tmp_path / "gateway.py").write_text(_GATEWAY, encoding="utf-8")
    return tmp_path


def _fuzz(folder: Path, kind: str, *arguments: str) -> Result:
    program = shlex.quote(sys.executable)
    command = f"{program} gateway.py {{port}} {{upstream}} {kind}"
    (folder / "gateway.py").write_text(_GATEWAY, encoding="utf-8")
    command = command.replace("gateway.py", shlex.quote(str(folder / "gateway.py")))
    return harness("fuzz", "--gateway", command, "--quiet", *arguments, cwd=folder)


def test_lossy_gateway_is_found_out(folder: Path) -> None:
    """The lost call is shown, shrunk, with cassette and test."""
    result = _fuzz(folder, "lossy")
    assert result.code == 1, result.err
    assert "calls" in result.out
    assert "from harness.fuzz.gateway import GatewayConsumer" in result.out
    assert len(list(folder.glob("*.yaml"))) == 1


@pytest.mark.slow
def test_faithful_gateway_passes(folder: Path) -> None:
    """A relay that changes nothing survives every stream as it is."""
    result = _fuzz(folder, "faithful", "--max-examples", "150")
    assert result.code == 0, result.out


def test_gateway_that_does_not_start_is_one_line(folder: Path) -> None:
    """Exit 2 with its exit code."""
    result = _fuzz(folder, "broken")
    assert result.code == 2
    assert "ended with exit code 1 before it listened" in result.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("silent", "gives nothing of any plain stream"),
        ("refusing", "the gateway, an error event, KeyError"),
    ],
)
def test_gateway_that_gives_nothing_is_no_result(
    folder: Path, kind: str, shown: str
) -> None:
    """Exit 2 where all plain streams are lost, or end in an error event."""
    result = _fuzz(folder, kind, "--max-examples", "150")
    assert result.code == 2
    assert shown in result.err
