"""Unmodified clients of Python, and curl, under every split and every harmless dialect.

What each recording says was worked out without this project (`EXPECTED` below is read
from the recorded bytes by `json` alone). A client that reads something else from a
stream that conforms is listed in `DEVIATIONS` with the input; the list is exact: an
entry that no longer holds fails as well.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import openai
import pytest
from openai import (
    APIError,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    OpenAI,
)

from harness import load_cassette
from harness.apis.chat.dialects.registry import DIALECTS
from harness.serve import serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.serve import RunningServer, RunningSession

CASSETTES = Path(__file__).resolve().parent.parent.parent / "cassettes"
TEXT = "llama-cpp-python/unicode-text"
CALL = "llama-server/unicode-arguments"
PARALLEL = "llama-server/parallel-calls"
RECORDINGS = (TEXT, CALL, PARALLEL)

SPLITS = ("recorded", "whole", "chars", "3", "random:7", "at:2,9", "tokens")
WRITES = ("whole", "chars", "2", "5", "random:7", "at:1,30,31,32,33")
CUTS: tuple[dict[str, str], ...] = (
    {},
    {"split": "chars"},
    {"split": "random:3", "writes": "3"},
)
HARMLESS = tuple(name for name, part in DIALECTS.items() if part.is_harmless)
SHARES = [
    pytest.param(3, id="a third"),
    pytest.param(1, id="all", marks=pytest.mark.slow),
]
"""Each how many ways of serving a client is asked in, for `parametrize`.

Every recording begins at another way, so that the quick run too has each way with some
recording, and each recording in every dialect. The clients cost what these tests take.
"""
TWELFTHS = [pytest.param(12, id="a twelfth"), SHARES[1]]
"""The same for clients that cost more: half the ways with one recording and client,
each dialect with one or two."""

Said = tuple[str, list[tuple[str, Any]]]
"""Text, and each call's name and parsed arguments."""


def request_of(name: str) -> dict[str, Any]:
    """Return what the recording was asked, without `stream`."""
    request = load_cassette(CASSETTES / f"{name}.yaml").exchanges[0].request
    asked: dict[str, Any] = json.loads(request.body or b"")
    del asked["stream"]
    return asked


def expected_of(name: str) -> Said:
    """Return what the recording says, read by `json` alone."""
    body = load_cassette(CASSETTES / f"{name}.yaml").exchanges[0].response.body
    text = ""
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for line in body.decode().splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                text += choice["delta"].get("content") or ""
                for call in choice["delta"].get("tool_calls") or ():
                    place = call["index"]
                    function = call["function"]
                    names[place] = names.get(place, "") + (function.get("name") or "")
                    arguments[place] = arguments.get(place, "") + function["arguments"]
    calls = [(names[place], json.loads(arguments[place])) for place in sorted(names)]
    return text, calls


EXPECTED = {name: expected_of(name) for name in RECORDINGS}


def of_message(message: Any) -> Said:
    """Return what a client's whole message says."""
    calls = [
        (call.function.name, json.loads(call.function.arguments))
        for call in message.tool_calls or ()
    ]
    return message.content or "", calls


def sdk(base_url: str, **more: Any) -> OpenAI:
    """Return the SDK's client, which reads no certificates here: 40 ms of each."""
    http = DefaultHttpxClient(verify=False)
    return OpenAI(base_url=base_url, api_key="unused", http_client=http, **more)


def ask_all(
    session: RunningSession, asked: dict[str, Any], ways: Iterable[dict[str, Any]]
) -> list[Any]:
    """Ask once a way of serving with the SDK's own accumulator, by one client."""
    said: list[Any] = []
    with sdk(session.base_url, max_retries=0) as client:
        for way in ways:
            session.configure(**way)
            try:
                with client.chat.completions.stream(**asked) as stream:
                    completion = stream.get_final_completion()
                said.append(of_message(completion.choices[0].message))
            except Exception as error:  # noqa: BLE001 - the client's own are the result
                said.append(f"{type(error).__name__}: {error}"[:60])
    return said


def ask_all_async(
    session: RunningSession, asked: dict[str, Any], ways: Iterable[dict[str, Any]]
) -> list[Any]:
    """The same with the SDK's async client."""

    async def ask() -> list[Any]:
        said: list[Any] = []
        async with AsyncOpenAI(
            base_url=session.base_url,
            api_key="unused",
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(verify=False),
        ) as client:
            for way in ways:
                session.configure(**way)
                try:
                    async with client.chat.completions.stream(**asked) as stream:
                        completion = await stream.get_final_completion()
                    said.append(of_message(completion.choices[0].message))
                except Exception as error:  # noqa: BLE001 - the client's own
                    said.append(f"{type(error).__name__}: {error}"[:60])
        return said

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """Serves the recordings."""
    with serve(*(CASSETTES / f"{name}.yaml" for name in RECORDINGS)) as running:
        yield running


CLIENTS = {"sync": ask_all, "async": ask_all_async}

# What the accumulator of OpenAI's SDK 3.54 (`client.chat.completions.stream`) says
# instead, sync and async alike, at every split: (recording, dialect) to a part of it.
_INDEX = "TypeError: list indices must be integers or slices, not None"
_NULL_INDEX = "TypeError: Unexpected, list delta entry `index` value is not"
_DELTA = "AttributeError: 'NoneType' object has no attribute 'to_dict'"
DEVIATIONS = {
    # Its chunks have no `object`, and the accumulator passes over such.
    **{(name, "gemini"): "AssertionError" for name in RECORDINGS},
    **{(name, "retry"): "JSONDecodeError: Expecting value" for name in RECORDINGS},
    (TEXT, "azure-async"): _DELTA,
    (TEXT, "azure-null-delta"): _DELTA,
    (TEXT, "list-content"): "RuntimeError: Expected list delta entry to have an",
    (CALL, "no-index"): _INDEX,
    (PARALLEL, "no-index"): _INDEX,
    (CALL, "index-null"): _NULL_INDEX,
    (PARALLEL, "index-null"): _NULL_INDEX,
    (PARALLEL, "index-zero"): "JSONDecodeError: Extra data",  # both glued into one
    (CALL, "name-resent"): "send_messagesend_message",
    (PARALLEL, "name-resent"): "get_weatherget_weather",
    (CALL, "null-continuation"): "AssertionError",  # wants `type` on every fragment
    (PARALLEL, "null-continuation"): "AssertionError",
}
IS_LISTED_VERSION = openai.__version__.startswith("3.54.")


def cut_ways(first: int, every: int) -> list[dict[str, str]]:
    """Return ways of cutting text, bytes and both, from one on each so many."""
    ways: list[dict[str, str]] = [{"split": split} for split in SPLITS]
    ways += [{"writes": writes} for writes in WRITES]
    ways += [{"split": "chars", "writes": writes} for writes in WRITES]
    return ways[first % every :: every]


def _first_of(name: str, client: str) -> int:
    """Return the way at which a recording and client begin: every second of twelve."""
    return 4 * RECORDINGS.index(name) + 2 * (client == "async")


@pytest.mark.parametrize("every", TWELFTHS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_sdk_reads_the_recorded_message_at_every_split(
    server: RunningServer, name: str, client: str, every: int
) -> None:
    """However text and bytes are cut, the SDK's final message is the recorded one."""
    ways = cut_ways(_first_of(name, client), every)
    answers = CLIENTS[client](server.session("cuts"), request_of(name), ways)
    for way, said in zip(ways, answers, strict=True):
        assert said == EXPECTED[name], way


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the SDK's own
@pytest.mark.parametrize("every", TWELFTHS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_sdk_reads_the_recorded_message_in_every_harmless_dialect(
    server: RunningServer, name: str, client: str, every: int
) -> None:
    """Whoever says it, the SDK's final message is the recorded one, or as listed."""
    first = _first_of(name, client)
    ways = [
        {"dialect": dialect, **cut}
        for place, dialect in enumerate(HARMLESS)
        for number, cut in enumerate(CUTS)
        if (first + place + number) % every == 0
    ]
    answers = CLIENTS[client](server.session("dialects"), request_of(name), ways)
    for way, said in zip(ways, answers, strict=True):
        deviation = DEVIATIONS.get((name, way["dialect"]))
        if deviation is None:
            assert said == EXPECTED[name], way
        elif IS_LISTED_VERSION:
            assert said != EXPECTED[name], way
            assert deviation in str(said), way


@pytest.mark.parametrize("name", RECORDINGS)
def test_sdk_reads_the_whole_completion_of_a_stream(
    server: RunningServer, name: str
) -> None:
    """A request that is not streamed gets the same message at once."""
    with sdk(server.base_url) as client:
        completion = client.chat.completions.create(**request_of(name))
    assert of_message(completion.choices[0].message) == EXPECTED[name]


def test_sdk_streams_a_whole_completion() -> None:
    """A streamed request for a completion that was not streamed gets its message."""
    path = CASSETTES / "llama-server" / "whole-answer.yaml"
    exchange = load_cassette(path).exchanges[0]
    asked = json.loads(exchange.request.body or b"")
    asked.pop("stream", None)
    recorded = json.loads(exchange.response.body)["choices"][0]["message"]
    calls = [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in recorded.get("tool_calls") or ()
    ]
    with serve(path) as server:
        (said,) = ask_all(server, asked, [{"split": "chars"}])
    assert said == (recorded["content"] or "", calls)


@pytest.mark.parametrize("fault", ["http-429:2", "http-500:1", "http-429+http-500"])
def test_sdk_retries_until_it_is_answered(
    server: RunningServer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors first and then success: the SDK's own retries get the message."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)  # else 0.5 s
    session = server.session("retries", fault=fault)
    with sdk(session.base_url, max_retries=2) as client:
        completion = client.chat.completions.create(**request_of(TEXT))
    assert of_message(completion.choices[0].message) == EXPECTED[TEXT]
    refused = [one["status"] for one in session.requests[:-1]]
    assert (
        refused
        == {
            "http-429:2": [429, 429],
            "http-500:1": [500],
            "http-429+http-500": [429, 500],
        }[fault]
    )


@pytest.mark.parametrize("fault", ["reset:600", "close:600"])
def test_sdk_is_told_that_the_connection_broke(
    server: RunningServer, fault: str
) -> None:
    """A connection that breaks in the middle is an error of the SDK, not an end."""
    session = server.session("broken", fault=fault)
    with sdk(session.base_url, max_retries=0) as client:
        stream = client.chat.completions.create(**request_of(TEXT), stream=True)
        with pytest.raises((APIError, httpx2.TransportError, httpx.TransportError)):
            list(stream)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("writes", [None, "1"])
def test_curl_saves_the_recorded_bytes(
    server: RunningServer, writes: str | None
) -> None:
    """What `curl -N` prints is the recorded body, byte for byte."""
    session = server.session("curl", writes=writes)
    exchange = load_cassette(CASSETTES / f"{TEXT}.yaml").exchanges[0]
    done = subprocess.run(
        [
            *("curl", "-sSN", "--fail", f"{session.base_url}/chat/completions"),
            *("-H", "content-type: application/json"),
            *("--data-binary", (exchange.request.body or b"").decode()),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == exchange.response.body


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(
    ("fault", "code"),
    [("reset:200", 56), ("close:200", 18), ("length-over:9", 18), ("http-500", 22)],
)
def test_curl_tells_how_the_connection_broke(
    server: RunningServer, fault: str, code: int
) -> None:
    """Curl's exit code names each fault: receive error, partial file, HTTP error."""
    session = server.session("curl", fault=fault)
    exchange = load_cassette(CASSETTES / f"{TEXT}.yaml").exchanges[0]
    done = subprocess.run(
        [
            *("curl", "-sSN", "--fail", f"{session.base_url}/chat/completions"),
            *("--data-binary", (exchange.request.body or b"").decode()),
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
