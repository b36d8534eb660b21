"""The contests: our code and its peers at the same work."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from harness.agents.letta.streaming import StreamingServerInterface
from harness.apis.chat.chunks import parse_payload
from harness.apis.detect import API_NAMES
from harness.apis.style import RESTATED
from harness.apis.varied import vary
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Cassette, Exchange, Request, Response
from harness.core.json_arguments import FunctionArgumentsStreamHandler
from harness.core.sse import SSEDecoder
from harness.engine.replay import replay
from harness.engine.restated import restated_bytes
from harness.fuzz.cuts import StreamCuts, random_cuts
from harness.fuzz.example_runner import HandlerConsumer, OwnInterface
from tests.benchmarks.measuring import Run, cpu
from tests.benchmarks.peers import (
    NoOp,
    TokenMatcher,
    jiter_on,
    plain_script,
    rust_parser,
    sdk_over,
    vcrpy_with_sdk,
)
from tests.benchmarks.starting import showing, starting
from tests.benchmarks.workloads import (
    api_stream,
    arguments,
    event_stream,
    fragments,
    payloads,
    write_cassette,
    write_corpus,
    write_recorded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.apis.varied import Variation
    from tests.benchmarks.measuring import Contest

KB = 1000


def _machine(pieces: list[str]) -> None:
    feed = FunctionArgumentsStreamHandler().process_json_chunk
    for piece in pieces:
        feed(piece)


@contextmanager
def plain_fragment() -> Iterator[Mapping[str, Run]]:
    """Fragments of plain text inside the message, nothing else."""
    pieces = [" and", " so", " it", " goes"] * 5000
    ours = FunctionArgumentsStreamHandler()
    ours.process_json_chunk('{"message": "')
    seed = TokenMatcher()
    for piece in ("{", '"message"', ":", '"'):
        seed.process_json_chunk(piece)
    assert ours.process_json_chunk(" so") == seed.process_json_chunk(" so") == " so"
    yield {
        "ours": _feeding(ours.process_json_chunk, pieces),
        "seed": _feeding(seed.process_json_chunk, pieces),
    }


def _feeding(feed: Callable[[str], object], pieces: list[str]) -> Run:
    def run() -> None:
        for piece in pieces:
            feed(piece)

    return lambda: cpu(run, times=5, units=len(pieces))


@contextmanager
def mixed_fragments() -> Iterator[Mapping[str, Run]]:
    """Fragments of whole arguments, 20 KB of them and the same a hundred times.

    Two megabytes of new fragments would measure how many distinct strings a cache
    holds, which no model's vocabulary of tokens does.
    """
    short = fragments(arguments(20 * KB))
    long = [*short[:8], *short[8:-4] * 100, *short[-4:]]
    assert json.loads("".join(long))["message"]
    yield {
        "ours": lambda: cpu(lambda: _machine(short), times=100, units=len(short)),
        "no-op": _feeding(NoOp().process_json_chunk, short * 5),
        "long": lambda: cpu(lambda: _machine(long), units=len(long)),
    }


def against_jiter(length: int) -> Contest:
    """Parsing the text so far again at each fragment, as SDK users do.

    jiter's share is measured at evenly spread lengths: all of them would take hours.
    """

    @contextmanager
    def contest() -> Iterator[Mapping[str, Run]]:
        text = arguments(length)
        pieces = fragments(text)
        count = min(250, length // 8)
        step = length / count
        ends = [max(13, int(step * (number + 1))) for number in range(count)]
        again = jiter_on([text[:end].encode() for end in ends])
        times = max(1, 50_000 // len(pieces))
        yield {
            "ours": lambda: cpu(
                lambda: _machine(pieces), times=times, units=len(pieces)
            ),
            "jiter": lambda: cpu(again, times=max(1, 40_000 // length), units=count),
        }

    return contest


def against_rust(length: int) -> Contest:
    """The incremental parser in Rust, from a new parser to the end."""

    @contextmanager
    def contest() -> Iterator[Mapping[str, Run]]:
        text = arguments(length)
        pieces = fragments(text)
        assert rust_parser(pieces) == json.loads(text)["message"]
        times = max(1, 20_000 // len(pieces))
        yield {
            "ours": lambda: cpu(lambda: _machine(pieces), times=times),
            "rust": lambda: cpu(lambda: rust_parser(pieces), times=times),
        }

    return contest


@contextmanager
def one_fragment() -> Iterator[Mapping[str, Run]]:
    """200 KB at once."""
    text = arguments(200 * KB)
    yield {
        "ours": lambda: cpu(lambda: _machine([text]), times=30),
        "json.loads": lambda: cpu(lambda: json.loads(text), times=30),
    }


@contextmanager
def bytes_to_chunks() -> Iterator[Mapping[str, Run]]:
    """The bytes of 2 000 chunks, read in pieces of 64 KiB."""
    count = 2000
    body = event_stream(count)

    def decode() -> int:
        decoder = SSEDecoder()
        read = 0
        for start in range(0, len(body), 65536):
            for event in decoder.feed(body[start : start + 65536]):
                if event.raw != b"[DONE]":
                    parse_payload(event.raw)
                    read += 1
        return read

    assert decode() == count
    sdk = sdk_over(body)
    yield {
        "ours": lambda: cpu(decode, times=5, units=count),
        "sdk": lambda: cpu(sdk, units=count),
    }


@contextmanager
def whole_replay() -> Iterator[Mapping[str, Run]]:
    """From the file of a cassette to typed messages, and to the SDK's chunks."""
    with tempfile.TemporaryDirectory() as folder:
        runs: dict[str, Run] = {}
        # The batches of one size of ours take about as long as those of another.
        for count, our_times, peer_times in (
            (200, 50, 10),
            (2000, 10, 1),
            (20000, 1, 1),
        ):
            path = Path(folder, f"{count}.yaml")
            write_cassette(path, count)
            runs[f"ours {count}"] = _replaying(path, count, our_times)
            runs[f"peer {count}"] = _playing(path, count, peer_times)
            runs[f"again {count}"] = _again(load_cassette(path), count, our_times)
        script = Path(folder, "2000.yaml")
        assert len(plain_script(script)) > 2000 * 3
        recorded = Path(folder, "recorded.yaml")
        write_cassette(recorded, 2000)
        write_recorded(recorded, 2000)
        runs["recorded"] = _replaying(recorded, 2000, 10)
        runs["script"] = lambda: cpu(lambda: plain_script(script), times=10, units=2000)
        yield runs


@contextmanager
def corpus_shaped() -> Iterator[Mapping[str, Run]]:
    """Cassettes as long as recordings are, in four APIs, from file to messages."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write_corpus(Path(folder))
        for path in paths:
            assert replay(path, _interface(), mode="tokens").diagnostics == []

        def run() -> None:
            for path in paths:
                replay(path, _interface(), mode="tokens")

        yield {"ours": lambda: cpu(run, times=2, units=len(paths))}


def _interface() -> StreamingServerInterface:
    return StreamingServerInterface(use_assistant_message=True)


def _replaying(path: Path, count: int, times: int) -> Run:
    transcript = replay(path, _interface(), mode="tokens")
    assert len(transcript.emissions) > count * 0.9, "the stream was not replayed"
    assert transcript.diagnostics == []
    return lambda: cpu(
        lambda: replay(path, _interface(), mode="tokens"), times=times, units=count
    )


def _playing(path: Path, count: int, times: int) -> Run:
    play = vcrpy_with_sdk(path)
    assert play() > count * 2, "the cassette was not played"
    return lambda: cpu(play, times=times, units=count)


@contextmanager
def apis() -> Iterator[Mapping[str, Run]]:
    """Streams of text of each API, 5 000 events, from bytes to typed messages."""
    count = 5000
    runs: dict[str, Run] = {}
    for api in API_NAMES:
        response = Response(200, body=api_stream(api, count))
        made = Cassette("made", [Exchange(0, Request("POST", ""), response)])
        transcript = replay(made, _interface(), mode="tokens")
        assert len(transcript.emissions) > count * 0.9, "the stream was not replayed"
        assert transcript.diagnostics == []
        runs[api] = _again(made, count, 3)
    yield runs


@contextmanager
def restated() -> Iterator[Mapping[str, Run]]:
    """Chunks of text and of calls, 5 000 of them, written in each API as bytes."""
    count = 5000
    body = event_stream(count)

    def run(variation: Variation) -> Run:
        def write() -> int:
            exchange = Exchange(0, Request("POST", ""), Response(200, body=body))
            return sum(map(len, restated_bytes(exchange, variation, "chat")))

        assert write() > count * 10, "the stream was not restated"
        return lambda: cpu(write, times=1, units=count)

    variations = {api: vary(api=api) for api in RESTATED}
    yield {
        api: run(variation)
        for api, variation in {"chat": vary(dialect="openai"), **variations}.items()
    }


def _again(made: Cassette, count: int, times: int) -> Run:
    return lambda: cpu(
        lambda: replay(made, _interface(), mode="tokens"), times=times, units=count
    )


@contextmanager
def loading() -> Iterator[Mapping[str, Run]]:
    """A cassette of 20 000 chunks, from its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cassette.yaml")
        write_cassette(path, 20_000)
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        yield {
            "ours": lambda: cpu(lambda: load_cassette(path)),
            "yaml": lambda: cpu(lambda: yaml.load(path.read_bytes(), Loader=loader)),
        }


@contextmanager
def fuzzing() -> Iterator[Mapping[str, Run]]:
    """Cut, feed and compare, as the fuzzer's loops do."""
    text = arguments(180)
    assert 190 <= len(text) <= 215
    handler = HandlerConsumer(FunctionArgumentsStreamHandler, "ours")
    expected = handler.text_of((text,))

    def texts() -> None:
        for cut in random_cuts(text, seed=1, examples=2000):
            assert handler.text_of(cut) == expected

    stream = tuple(payloads(50))
    cuts = StreamCuts(stream)
    interface = OwnInterface(_interface, "ours")
    said = interface.run(stream)

    def streams() -> None:
        for cut in cuts.random(seed=1, examples=200):
            assert interface.run(cut) == said

    yield {
        "texts": lambda: cpu(texts, units=2000),
        "streams": lambda: cpu(streams, units=200),
    }


CONTESTS: Mapping[str, Contest] = {
    "plain": plain_fragment,
    "mixed": mixed_fragments,
    **{f"jiter-{kb}k": against_jiter(kb * KB) for kb in (2, 20, 200)},
    "rust-200": against_rust(200),
    **{f"rust-{kb}k": against_rust(kb * KB) for kb in (2, 20, 200)},
    "one": one_fragment,
    "chunks": bytes_to_chunks,
    "replay": whole_replay,
    "apis": apis,
    "restated": restated,
    "corpus": corpus_shaped,
    "loading": loading,
    "fuzzing": fuzzing,
    "starting": starting,
    "showing": showing,
}
"""By the name that rows have."""
