"""What hostile recordings and answers cost at their peak, by the operating system.

The bound is six times the limit that is documented (`harness.limits`), and ten seconds
of processor time: for one event of 64 MB, and for a few kilobytes that unpack to a
gigabyte, by each content encoding, in many exchanges and by aliases.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from harness.limits import BODY, CASSETTE
from tests.cli.running import ROOT

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs getrusage, a Unix call"),
]

EVENT_BYTES = 64_000_000
MEBIBYTES = 1024  # what each bomb unpacks to
FACTOR = 6
SECONDS = 10

# Small, because a process begins with the peak of the one that it was forked from.
LAUNCH = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_maxrss, used.ru_utime + used.ru_stime]))
"""


class Cost(NamedTuple):
    """What a command took."""

    code: int
    peak: int
    """In bytes."""
    seconds: float
    """Of processor time."""
    err: str


def cost_of(*command: str, environment: dict[str, str] | None = None) -> Cost:
    """Run Python with these arguments and return what it took."""
    result = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCH, sys.executable, *command],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=True,
    )
    code, peak, seconds = json.loads(result.stdout)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(code, peak * unit, seconds, result.stderr.decode())


def long_event() -> str:
    """Return a stream whose one event is far beyond the limit."""
    chunk = {"choices": [{"index": 0, "delta": {"content": "@"}}]}
    before, after = json.dumps(chunk).split("@")
    return f"data: {before}{'word ' * (EVENT_BYTES // 5)}{after}\n\ndata: [DONE]\n\n"


@cache
def packed(coding: str, mebibytes: int = MEBIBYTES) -> bytes:
    """Return zeros under a content encoding."""
    zeros = bytes(1 << 20)
    if coding == "br":
        import brotli  # type: ignore[import-untyped]

        brotlied = brotli.Compressor(quality=5, lgwin=24)
        pieces = [brotlied.process(zeros) for _ in range(mebibytes)]
        return b"".join([*pieces, brotlied.finish()])
    if coding == "zstd":
        compressor = zstd.ZstdCompressor()
        pieces = [compressor.compress(zeros) for _ in range(mebibytes)]
        return b"".join([*pieces, compressor.flush()])
    deflated = zlib.compressobj(6, zlib.DEFLATED, 15 if coding == "deflate" else 31)
    # After a full flush the same bytes stand for the same zeros again.
    pieces = [
        deflated.compress(zeros) + deflated.flush(zlib.Z_FULL_FLUSH) for _ in "ab"
    ]
    return b"".join([*pieces, pieces[1] * (mebibytes - 2), deflated.flush()])


def document(stored: Any, coding: str = "", exchanges: int = 1) -> str:
    """Return a cassette in JSON."""
    headers = {"content-type": ["text/event-stream"]}
    if coding:
        headers["content-encoding"] = [coding]
    uri = "http://localhost/v1/chat/completions"
    status = {"code": 200, "message": "OK"}
    one = {
        "request": {"method": "POST", "uri": uri, "headers": {}, "body": "{}"},
        "response": {"status": status, "headers": headers, "body": stored},
    }
    return json.dumps({"version": 1, "interactions": [one] * exchanges})


def bomb(coding: str, mebibytes: int = MEBIBYTES, exchanges: int = 1) -> str:
    """Return a cassette whose bodies unpack to much more than it holds."""
    stored = base64.b64encode(packed(coding, mebibytes)).decode()
    return document({"base64_string": stored}, coding, exchanges)


def aliases() -> str:
    """Return a cassette of a megabyte whose one body is ten gigabytes of aliases."""
    head = (
        "version: 1\ninteractions:\n- request:\n    method: POST\n    uri: http://h/\n"
    )
    text, alias = "x" * 100_000, "    - *a\n" * 100_000
    answer = "  response: {status: {code: 200}, headers: {}, body: {string: a}}\n"
    return f'{head}    body:\n    - &a "{text}"\n{alias}{answer}'


INPUTS: dict[str, tuple[Callable[[], str], int]] = {
    "event in a cassette": (lambda: document({"string": long_event()}), EVENT_BYTES),
    "event as text": (long_event, EVENT_BYTES),
    **{
        coding: (lambda coding=coding: bomb(coding), BODY.default)  # type: ignore[misc]  # default binds it
        for coding in ("gzip", "deflate", "br", "zstd")
    },
    "zeros": (lambda: bomb("br", 120), BODY.default),
    "many": (lambda: bomb("br", 100, 64), CASSETTE.default),
    "aliases": (aliases, BODY.default),
}


@pytest.mark.parametrize("name", INPUTS)
def test_no_recording_takes_more_than_its_limits_allow(
    name: str, tmp_path: Path
) -> None:
    """Every command that reads a recording ends in time, at a bounded peak."""
    make, limit = INPUTS[name]
    path = tmp_path / "hostile"
    path.write_text(make(), encoding="utf-8")
    for command in ("ls", "check", "scan", "replay", "report"):
        more = ["-o", str(tmp_path / "out.html")] if command == "report" else []
        cost = cost_of("-m", "harness", command, str(path), *more)
        shown = f"{command} of {name}: {cost.peak / 1e6:.0f} MB, {cost.seconds:.1f} s"
        sys.stderr.write(f"{shown}\n")
        assert cost.code in {0, 1, 2}, cost.err
        assert cost.peak <= FACTOR * limit, shown
        assert cost.seconds <= SECONDS, shown
        assert "Traceback" not in cost.err
        if command == "ls" and "event" not in name and name != "zeros":
            assert "HARNESS_MAX_" in cost.err


RECORD = """
import sys, httpx
from harness.record import use_cassette
with use_cassette(sys.argv[2], record="all"), httpx.Client() as client:
    with client.stream("POST", sys.argv[1], json={}) as response:
        for _ in response.iter_raw(65536):
            pass
"""


def answering(raw: socket.socket, coding: str, body: bytes) -> None:
    """Answer one request with a body, and wait until the client has all of it."""
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n"
    if coding:
        head += f"content-encoding: {coding}\r\n"
    with raw:
        raw.recv(65536)
        raw.sendall(f"{head}content-type: text/event-stream\r\n\r\n".encode() + body)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass


@pytest.mark.parametrize(
    ("coding", "mebibytes"),
    [("", 0), ("gzip", MEBIBYTES), ("br", MEBIBYTES), ("zstd", MEBIBYTES), ("br", 120)],
)
def test_no_answer_takes_more_while_it_is_recorded(
    coding: str, mebibytes: int, tmp_path: Path
) -> None:
    """One event of 64 MB, and each bomb: recorded, or recorded as too large."""
    body = packed(coding, mebibytes) if coding else long_event().encode()
    path = tmp_path / "recorded.yaml"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(
            target=lambda: answering(listener.accept()[0], coding, body)
        )
        thread.start()
        allowed = {"HARNESS_ALLOW_CI_RECORDING": "1"}
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        cost = cost_of("-c", RECORD, url, str(path), environment=allowed)
        thread.join(60)
    shown = f"recording of {coding or 'an event'}: {cost.peak / 1e6:.0f} MB, "
    shown += f"{cost.seconds:.1f} s"
    sys.stderr.write(f"{shown}\n")
    assert cost.code == 0, cost.err
    assert cost.peak <= FACTOR * (BODY.default if coding else EVENT_BYTES), shown
    # What is just within the limit is redacted, at some 60 ns a byte.
    assert cost.seconds <= SECONDS * (2 if mebibytes == 120 else 1), shown
    assert path.stat().st_size > 0
    assert cost_of("-m", "harness", "ls", str(path)).code == 0
