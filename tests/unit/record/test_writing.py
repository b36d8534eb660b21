"""The text of a cassette file: readable, exact, and the same every time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from vcr.persisters.filesystem import FilesystemPersister
from vcr.serializers import jsonserializer, yamlserializer

from harness.cassettes.encode import document_texts, interaction_of, save_cassette
from harness.cassettes.load import load_cassette
from harness.cassettes.model import (
    Cassette,
    Ending,
    Exchange,
    Request,
    Response,
    WireChunk,
)
from harness.cassettes.yaml_scalars import text_scalar

if TYPE_CHECKING:
    from pathlib import Path

AWKWARD = " \n\t\r'\"\\:#-|>%&*!?{}[]a0=,\x85\u2028\ufeff\x00\x7f\xadé\U0001f600"

texts = st.text() | st.text(alphabet=AWKWARD, max_size=40)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
headers = st.dictionaries(names, st.lists(texts, min_size=1, max_size=2), max_size=3)
bodies = texts.map(str.encode) | st.binary()


def dump_document(document: dict[str, Any]) -> str:
    """Return the text of a cassette document."""
    return "".join(document_texts(document))


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """Return responses whose chunks add up, as recorded ones do."""
    body = draw(bodies)
    cuts = sorted(draw(st.sets(st.integers(0, len(body)), max_size=6)))
    edges = [0, *cuts, len(body)]
    seconds = draw(
        st.lists(
            st.integers(0, 10**6), min_size=len(edges) - 1, max_size=len(edges) - 1
        )
    )
    wire = [
        WireChunk(moment / 1000, end - start)
        for moment, start, end in zip(seconds, edges, edges[1:], strict=False)
    ]
    kind: Any = draw(st.sampled_from(["complete", "closed", "error"]))
    error = draw(texts) if kind == "error" else ""
    return Response(
        draw(st.integers(100, 599)),
        draw(texts),
        draw(headers.filter(lambda h: "content-encoding" not in map(str.lower, h))),
        body,
        draw(st.none() | st.just(wire)),
        draw(st.none() | st.just(Ending(kind, error, error and draw(texts)))),
    )


requests = st.builds(Request, names, texts, headers, st.none() | bodies)
cassettes = st.lists(
    st.builds(lambda a, b: (a, b), requests, responses()), min_size=1, max_size=3
).map(lambda pairs: [Exchange(i, a, b) for i, (a, b) in enumerate(pairs)])


@pytest.mark.slow
@given(exchanges=cassettes, suffix=st.sampled_from([".yaml", ".json"]))
def test_saving_what_was_loaded_gives_the_same_bytes(
    exchanges: list[Exchange], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """save(load(x)) == x for our files, and load gives back all that was saved."""
    folder = tmp_path_factory.mktemp("c")
    first, second = folder / f"a{suffix}", folder / f"b{suffix}"
    save_cassette(Cassette("-", exchanges), first)
    loaded = load_cassette(first)
    save_cassette(loaded, second)
    assert second.read_bytes() == first.read_bytes()
    assert loaded.exchanges == exchanges


@given(exchanges=cassettes)
def test_stock_vcrpy_reads_every_file_we_write(
    exchanges: list[Exchange], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its own persister gets methods, URIs, bodies and statuses back exactly."""
    path = tmp_path_factory.mktemp("c") / "a.yaml"
    save_cassette(Cassette("-", exchanges), path)
    requests, responses, *_ = FilesystemPersister.load_cassette(path, yamlserializer)
    assert [(r.method, r.uri, r.body) for r in requests] == [
        (e.request.method, e.request.uri, e.request.body) for e in exchanges
    ]
    assert [(r["status"]["code"], r["body"]["string"]) for r in responses] == [
        (e.response.status, e.response.body) for e in exchanges
    ]


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
documents = st.dictionaries(
    texts,
    st.recursive(
        leaves | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
        ),
        max_leaves=10,
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@given(document=documents)
@example(document={"a": "null", "b": "1e3", "c": "2024-01-01", "d": "=", "e": "~"})
@example(document={"a": 1e-05, "b": 1e100, "c": float("inf"), "d": float("-inf")})
@example(document={"stream": {"chunks": [[0.1, 1], "odd"], "x": "y"}})
def test_any_document_reads_back_as_itself_and_writes_the_same_text(
    loader: Any, document: dict[str, Any]
) -> None:
    """Both of PyYAML's readers, every value a foreign cassette may hold."""
    text = dump_document(document)
    back = yaml.load(text, Loader=loader)
    assert back == document
    assert dump_document(back) == text


def test_layout_is_for_people() -> None:
    """Event lines are lines, JSON is one line, only the chunks are wrapped."""
    body = 'data: {"a": "é"}\n\ndata: [DONE]\n\n'.encode()
    wire = [WireChunk(0.153, 17), WireChunk(0.1234, 1), *[WireChunk(0.2, 1)] * 6]
    exchange = Exchange(
        0,
        Request("POST", "http://h/v1", {"x-a": ["1", "b c"]}, b'{"say": "it\'s"}'),
        Response(200, "OK", {}, body, wire, Ending("error", "ReadError")),
    )
    assert dump_document({"interactions": [interaction_of(exchange)]}) == (
        "interactions:\n"
        "- request:\n"
        """    body: '{"say": "it''s"}'\n"""
        "    headers:\n"
        "      x-a:\n"
        "      - '1'\n"
        "      - b c\n"
        "    method: POST\n"
        "    uri: http://h/v1\n"
        "  response:\n"
        "    body:\n"
        "      string: |+\n"
        '        data: {"a": "é"}\n'
        "\n"
        "        data: [DONE]\n"
        "\n"
        "    headers: {}\n"
        "    status:\n"
        "      code: 200\n"
        "      message: OK\n"
        "    stream:\n"
        "      version: 1\n"
        "      chunks: [[0.153, 17], [0.1234, 1], [0.2, 1], [0.2, 1], [0.2, 1], "
        "[0.2, 1],\n"
        "        [0.2, 1], [0.2, 1]]\n"
        "      ended: error\n"
        "      error: ReadError\n"
    )


def test_text_that_editors_would_change_is_quoted_line_by_line() -> None:
    """Carriage returns and trailing blanks are escaped, so that no tool strips them."""
    text = dump_document({"a": "data: 1\r\n\r\n two \n", "b": 1})
    assert text == ('a: "data: 1\\r\\n\\\n  \\r\\n\\\n  \\x20two \\n"\nb: 1\n')
    text += dump_document({"a": "two \nlines\t\nand \n"})
    assert not any(line.endswith((" ", "\t")) for line in text.splitlines())


@pytest.mark.parametrize(
    "odd", [*"\x0b\x7f\x85\u2028\u2029\ufeff", *"\ud800\udfff\ufffe\uffff"]
)
def test_what_readers_take_for_something_else_is_escaped(odd: str) -> None:
    """In one line and in several, where all the rest stands as it is."""
    for text in (f"a {odd} b", f"a {odd} b\nc\n"):
        assert odd not in "".join(text_scalar(text, "  "))


def test_bytes_are_binary_only_where_they_are_no_text(tmp_path: Path) -> None:
    """YAML has a type for bytes; JSON gets base64, which stock vcrpy cannot write."""
    for body, is_text in [(b"\xff\xfe", False), ("é\x00".encode(), True)]:
        exchange = Exchange(0, Request("GET", "/"), Response(200, body=body))
        for name in ("a.yaml", "a.json"):
            path = tmp_path / name
            save_cassette(Cassette("-", [exchange]), path)
            text = path.read_text()
            assert ("!!binary" in text or "base64_string" in text) is not is_text
            assert load_cassette(path).exchanges == [exchange]
    assert json.loads((tmp_path / "a.json").read_text()) == jsonserializer.deserialize(
        (tmp_path / "a.json").read_text()
    )


def test_a_body_that_is_not_held_cannot_be_written(tmp_path: Path) -> None:
    """A stream read as pieces is refused, not stored as empty."""
    response = Response(200, source=lambda: [b"x"])
    cassette = Cassette("-", [Exchange(0, Request("GET", "/"), response)])
    with pytest.raises(ValueError, match="read as pieces"):
        save_cassette(cassette, tmp_path / "a.yaml")
    assert list(tmp_path.iterdir()) == []
