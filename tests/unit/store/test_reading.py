"""Every accepted input, in every form a recorder has written it."""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.classify import Kind, classify
from harness.cassettes.encode import save_cassette
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Cassette, Ending, WireChunk
from harness.cassettes.yaml_text import load_yaml
from harness.errors import CassetteCorruptError, StateError
from tests.unit.store.recordings import (
    CHUNK,
    LAST,
    STREAM,
    WHOLE,
    as_yaml,
    document,
    interaction,
    load,
    save,
    sse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTES = STREAM.encode()


def test_load_yaml_cassette_gives_the_exchange_as_written(tmp_path: Any) -> None:
    """A cassette of stock vcrpy comes out with all its parts, bytes exact."""
    path = save(tmp_path, document())
    cassette = load_cassette(path)
    assert cassette.path == str(path)
    [exchange] = cassette.exchanges
    assert exchange.index == 0
    assert exchange.request.method == "POST"
    assert exchange.request.uri == "http://localhost/v1/chat/completions"
    assert exchange.request.body == b'{"stream": true}'
    assert exchange.request.headers == {"accept": ["*/*"]}
    assert (exchange.response.status, exchange.response.reason) == (200, "OK")
    assert exchange.response.headers == {"content-type": ["text/event-stream"]}
    assert exchange.response.body == BYTES
    assert exchange.response.wire is None
    assert exchange.response.ended is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"string": STREAM}, BYTES, id="text"),
        pytest.param({"string": BYTES}, BYTES, id="binary"),
        pytest.param({"string": b"\xff\x00"}, b"\xff\x00", id="no-utf8"),
        pytest.param({"string": None}, b"", id="null-string"),
        pytest.param({"string": ""}, b"", id="empty"),
        pytest.param(
            {"base64_string": base64.b64encode(BYTES).decode()}, BYTES, id="base64"
        ),
        pytest.param(
            {"base64_string": base64.encodebytes(BYTES), "encoding": "UTF-8"},
            BYTES,
            id="base64-in-lines",
        ),
        pytest.param(STREAM, BYTES, id="plain-text"),
        pytest.param(BYTES, BYTES, id="plain-binary"),
        pytest.param(None, b"", id="null"),
        pytest.param({}, b"", id="empty-mapping"),
        pytest.param(
            {"string": "a\r\nb\u2028\x85\x07"},
            b"a\r\nb\xe2\x80\xa8\xc2\x85\x07",
            id="odd-characters",
        ),
    ],
)
def test_response_body_in_every_form_gives_the_same_bytes(
    tmp_path: Any, body: Any, expected: bytes
) -> None:
    """However a recorder stored a body, its exact bytes come out."""
    cassette = load(
        tmp_path,
        document(
            interaction() | {"response": interaction()["response"] | {"body": body}}
        ),
    )
    assert cassette.exchanges[0].response.body == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, None),
        ("text é", "text é".encode()),
        (b"\xff", b"\xff"),
        ({"model": "m", "messages": []}, b'{"model": "m", "messages": []}'),
        ({"string": "wrapped"}, b"wrapped"),
        (["a", b"b"], b"ab"),
    ],
)
def test_request_body_in_every_form_is_read(
    tmp_path: Any, body: Any, expected: bytes | None
) -> None:
    """Request bodies were stored as null, text, bytes, objects and lists."""
    cassette = load(tmp_path, document(interaction(request={"body": body})))
    request = cassette.exchanges[0].request
    assert request.body == expected
    if isinstance(body, dict) and "model" in body:
        assert request.json() == body


@pytest.mark.parametrize(
    "headers",
    [
        {"A": ["1", "2"], "B": ["3"]},
        {"A": ("1", "2"), "B": "3"},
        {"A": [b"1", 2], "B": b"3"},
        [["A", "1"], ["A", "2"], ["B", 3]],
    ],
)
def test_headers_in_every_form_become_lists_of_text(
    tmp_path: Any, headers: Any
) -> None:
    """Header values were stored as lists, single values, bytes and pairs."""
    cassette = load(tmp_path, document(interaction(headers=headers)))
    assert cassette.exchanges[0].response.headers == {"A": ["1", "2"], "B": ["3"]}


def test_missing_headers_are_none_at_all(tmp_path: Any) -> None:
    """`headers: null` and an empty value read as no headers and an empty one."""
    doc = document(interaction(headers=None, request={"headers": {"a": None}}))
    [exchange] = load(tmp_path, doc).exchanges
    assert exchange.response.headers == {}
    assert exchange.request.headers == {"a": [""]}


def test_httpx_recording_of_old_vcrpy_is_read(tmp_path: Any) -> None:
    """Up to version 5 vcrpy wrote `status_code` and `content` for httpx."""
    recorded = interaction()
    recorded["response"] = {
        "http_version": "HTTP/1.1",
        "status_code": 200,
        "headers": {"content-type": "text/event-stream"},
        "content": STREAM,
    }
    [exchange] = load(tmp_path, document(recorded)).exchanges
    assert exchange.response.status == 200
    assert exchange.response.body == BYTES


@pytest.mark.parametrize("by_harness", [True, False])
@pytest.mark.parametrize(
    ("times", "below_limit", "is_held"),
    [(1, 0, {True, False}), (1, 1, set()), (900, 0, {True}), (900, 1, set())],
)
def test_large_yaml_is_read_as_it_is_parsed(
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    below_limit: int,
    is_held: set[bool],
    *,
    by_harness: bool,
) -> None:
    """Only what can be taken out of a file is worth holding all of it."""
    path = save(tmp_path, document(interaction(STREAM * times)))
    expected = load_cassette(path).exchanges
    if by_harness:
        save_cassette(Cassette(str(path), expected), path)
    assert (path.stat().st_size > 1 << 16) == (times > 1)
    sources: list[object] = []

    def seen(source: Any, *given: Any) -> Any:
        sources.append(source)
        return load_yaml(source, *given)

    held = path.stat().st_size - below_limit
    monkeypatch.setattr("harness.cassettes.large_values._MOST", held)
    monkeypatch.setattr("harness.cassettes.load.load_yaml", seen)
    [loaded] = load_cassette(path).exchanges
    assert loaded.response.body == expected[0].response.body
    assert [isinstance(one, bytes) for one in sources] == [by_harness in is_held]


def test_yaml_tags_of_vcrpy_are_read(tmp_path: Any) -> None:
    """Bodies that were files or iterators have Python tags; none of them runs."""
    text = """
interactions:
- request:
    method: POST
    uri: http://x/
    body: !!python/object/new:_io.BytesIO
      state: !!python/tuple [!!binary aGk=, 0, null]
    headers: {}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: a}}
- request:
    method: POST
    uri: http://x/
    body: !!python/object/apply:builtins.iter
      args: [[a, b]]
    headers: {}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: a}}
version: 1
"""
    first, second = load(tmp_path, text).exchanges
    assert first.request.body == b"hi"
    assert second.request.body == b"ab"


@pytest.mark.parametrize("indent", [None, 2])
def test_json_cassette_equals_the_yaml_one(tmp_path: Any, indent: int | None) -> None:
    """The same document as JSON, compact or pretty, gives the same exchanges."""
    text = json.dumps(document(), indent=indent)
    assert (
        load(tmp_path, text, "c.json").exchanges == load(tmp_path, document()).exchanges
    )


def test_json_cassette_with_lone_surrogate_is_read(tmp_path: Any) -> None:
    """JSON can escape half a surrogate pair; its three bytes come out, no error."""
    doc = json.dumps(document(interaction("data: \ud83d\n\n")))
    cassette = load(tmp_path, doc, "c.json")
    assert cassette.exchanges[0].response.body == b"data: \xed\xa0\xbd\n\n"


@pytest.mark.parametrize("name", ["c.txt", "c.sse", "c.yaml", "noending"])
@pytest.mark.parametrize(
    "prefix",
    ["", "\ufeff", "\n", ": OPENROUTER PROCESSING\n\n", "event: x\n", "id: 7\r\n"],
)
def test_sse_text_is_one_exchange_with_its_exact_bytes(
    tmp_path: Any, name: str, prefix: str
) -> None:
    """Text that `curl -N` saved is told by its content, whatever its name."""
    text = prefix + STREAM
    [exchange] = load(tmp_path, text, name).exchanges
    assert exchange.request.method == "POST"
    assert exchange.request.body is None
    assert exchange.response.status == 200
    assert exchange.response.body == text.encode()
    assert classify(exchange).kind is Kind.STREAM


def test_saved_head_of_curl_is_read_and_taken_off(tmp_path: Any) -> None:
    """`curl -i` saves heads before the body: the last one counts."""
    text = (
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/2 429 Too Many\r\nretry-after: 3\r\n"
        "set-cookie: a\r\nset-cookie: b\r\n\r\n" + STREAM
    )
    response = load(tmp_path, text, "c.txt").exchanges[0].response
    assert (response.status, response.reason) == (429, "Too Many")
    assert response.headers == {"retry-after": ["3"], "set-cookie": ["a", "b"]}
    assert response.body == BYTES


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_json_lines_become_events(tmp_path: Any, newline: str, end: str) -> None:
    """One chunk a line is framed as events with [DONE] last."""
    text = newline.join(json.dumps(c, ensure_ascii=False) for c in (CHUNK, LAST)) + end
    [exchange] = load(tmp_path, text, "c.jsonl").exchanges
    assert exchange.response.body == BYTES
    assert exchange.response.header("Content-Type") == "text/event-stream"


def test_json_lines_keep_done_once_and_pass_on_what_is_no_json(tmp_path: Any) -> None:
    """A [DONE] line is not doubled; a damaged line is left for the replay to report."""
    text = json.dumps(CHUNK) + "\nnot json\n[DONE]\n"
    body = load(tmp_path, text, "c.jsonl").exchanges[0].response.body
    assert body.decode().count("[DONE]") == 1
    assert b"data: not json\n\n" in body


@pytest.mark.parametrize("indent", [None, 2])
def test_whole_completion_as_json_is_an_exchange(
    tmp_path: Any, indent: int | None
) -> None:
    """A saved chat completion that was not streamed is read as one."""
    [exchange] = load(tmp_path, json.dumps(WHOLE, indent=indent), "c.json").exchanges
    assert json.loads(exchange.response.body) == WHOLE
    assert classify(exchange).kind is Kind.WHOLE


def test_single_chunk_as_json_is_a_stream(tmp_path: Any) -> None:
    """One chunk alone, also spread over lines, is a stream of one event."""
    [exchange] = load(tmp_path, json.dumps(CHUNK, indent=1), "c.json").exchanges
    assert exchange.response.body == sse(json.dumps(CHUNK)).encode()
    assert classify(exchange).kind is Kind.STREAM


def _stream(**keys: Any) -> dict[str, Any]:
    return {"version": 1, "chunks": [[0.5, 10], [1, len(BYTES) - 10]]} | keys


@pytest.mark.parametrize(
    ("keys", "ending"),
    [
        ({}, None),
        ({"ended": "complete"}, Ending("complete")),
        ({"ended": "closed"}, Ending("closed")),
        (
            {"ended": "error", "error": "ReadError", "message": "reset"},
            Ending("error", "ReadError", "reset"),
        ),
        ({"ended": "error"}, Ending("error")),
        ({"ended": {"error": "ReadError"}}, Ending("error", "ReadError")),
    ],
)
def test_stream_key_gives_wire_chunks_and_ending(
    tmp_path: Any, keys: dict[str, Any], ending: Ending | None
) -> None:
    """Our own key tells when each piece came, how long it was and how it ended."""
    [exchange] = load(tmp_path, document(interaction(stream=_stream(**keys)))).exchanges
    assert exchange.response.wire == [
        WireChunk(0.5, 10),
        WireChunk(1.0, len(BYTES) - 10),
    ]
    assert exchange.response.ended == ending
    assert [piece for _, piece in exchange.response.iter_wire()] == [
        BYTES[:10],
        BYTES[10:],
    ]


def test_stream_without_chunks_tells_only_the_ending(tmp_path: Any) -> None:
    """An ending without recorded pieces is allowed; an empty stream has no pieces."""
    doc = document(
        interaction(stream={"version": 1, "ended": "closed"}),
        interaction("", stream={"version": 1, "chunks": [], "ended": "complete"}),
    )
    first, second = load(tmp_path, doc).exchanges
    assert (first.response.wire, first.response.ended) == (None, Ending("closed"))
    assert (second.response.wire, second.response.ended) == ([], Ending("complete"))


def test_aliases_of_one_response_are_read_each_time(tmp_path: Any) -> None:
    """YAML may share one response between interactions; each gets the whole body."""
    shared = interaction()["response"]
    doc = document(
        interaction() | {"response": shared}, interaction() | {"response": shared}
    )
    text = as_yaml(doc)
    assert b"*id" in text
    assert [e.response.body for e in load(tmp_path, text).exchanges] == [BYTES, BYTES]


def _large() -> bytes:
    return BYTES * (2_000_000 // len(BYTES))


def test_large_sse_file_is_not_held_and_opens_again(tmp_path: Any) -> None:
    """Beyond 1 MiB the body is a source: the same bytes as often as wanted."""
    [exchange] = load(tmp_path, _large(), "c.sse").exchanges
    response = exchange.response
    assert response.body == b""
    assert response.source is not None
    assert classify(exchange).kind is Kind.STREAM
    for _ in range(2):
        assert b"".join(p for _, p in response.iter_wire()) == _large()
    assert max(len(p) for _, p in response.iter_wire()) <= 65536


def test_large_json_lines_file_is_not_held(tmp_path: Any) -> None:
    """Large JSON lines are framed as they are read, with the same result as small."""
    line = json.dumps(CHUNK, ensure_ascii=False)
    count = 2_000_000 // len(line)
    [exchange] = load(tmp_path, f"{line}\n" * count, "c.jsonl").exchanges
    assert exchange.response.body == b""
    assert b"".join(p for _, p in exchange.response.iter_wire()) == (
        sse(*[line] * count).encode()
    )


def test_large_saved_head_is_skipped_in_the_source(tmp_path: Any) -> None:
    """A large `curl -i` file streams without its head."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    [exchange] = load(tmp_path, head + _large(), "c.txt").exchanges
    assert b"".join(p for _, p in exchange.response.iter_wire()) == _large()
    assert exchange.response.peek(10) == BYTES[:10]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Put a pipe in place of standard input and give its other end."""
    read_end, write_end = os.pipe()
    with io.TextIOWrapper(os.fdopen(read_end, "rb"), encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield write_end


def _write(pipe: int, data: bytes) -> None:
    def write() -> None:
        with os.fdopen(pipe, "wb") as file:
            file.write(data)

    threading.Thread(target=write).start()


@pytest.mark.parametrize(
    "data",
    [BYTES, _large(), b":" + b"x" * 70000 + b"\n\n" + BYTES],
    ids=["small", "large", "long-comment-first"],
)
def test_sse_from_stdin_is_streamed_once(pipe: int, data: bytes) -> None:
    """A pipe gives its bytes once; asking again is the caller's error, in words."""
    _write(pipe, data)
    cassette = load_cassette("-")
    assert cassette.path == "-"
    response = cassette.exchanges[0].response
    assert b"".join(piece for _, piece in response.iter_wire()) == data
    if response.source is not None and len(data) > 65536:
        with pytest.raises(StateError, match="only once"):
            list(response.iter_wire())


@pytest.mark.parametrize("name", ["c.yaml", "c.json"])
def test_cassette_from_stdin_equals_the_file(
    tmp_path: Any, pipe: int, name: str
) -> None:
    """Any format may come through a pipe, also one longer than the first block."""
    doc = document(*[interaction(STREAM * 8) for _ in range(60)])
    path = save(tmp_path, doc, name)
    assert path.stat().st_size > 100_000
    _write(pipe, path.read_bytes())
    assert load_cassette("-").exchanges == load_cassette(path).exchanges


def test_live_pipe_is_read_no_further_than_needed(pipe: int) -> None:
    """A stream that is still running loads at once and comes on as it comes."""
    first, rest = BYTES[:-20], BYTES[-20:]
    os.write(pipe, first)
    response = load_cassette("-").exchanges[0].response  # hangs if it wants more
    pieces = response.iter_wire()
    assert next(pieces)[1] == first
    os.write(pipe, rest)
    assert next(pieces)[1] == rest
    os.close(pipe)
    assert list(pieces) == []


def test_missing_libyaml_is_warned_of(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without libyaml everything still loads, and the user is told why it is slow."""
    import yaml

    from harness.cassettes import yaml_text

    monkeypatch.delattr(yaml, "CSafeLoader")
    yaml_text._loader.cache_clear()
    with pytest.warns(yaml_text.SlowYamlWarning, match="60 times slower"):
        cassette = load(tmp_path, document())
    assert cassette.exchanges[0].response.body == BYTES
    with pytest.raises(CassetteCorruptError, match=r"line 2, column 1"):
        load(tmp_path, "a:\n\t- b")
    yaml_text._loader.cache_clear()
