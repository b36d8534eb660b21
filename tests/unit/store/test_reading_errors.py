"""Every wrong input: one line that says what, where, and what to do."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.cassettes import interactions
from harness.cassettes.classify import classify
from harness.cassettes.load import load_cassette
from harness.errors import CassetteCorruptError, CassetteError, CassetteMissingError
from tests.unit.store.recordings import STREAM, document, interaction, load, save

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = len(STREAM.encode())


def _with(part: str, **keys: Any) -> dict[str, Any]:
    """Return a cassette of two interactions, the second one changed."""
    broken = interaction()
    broken[part] = broken[part] | keys
    return document(interaction(), broken)


def _without(part: str, key: str) -> dict[str, Any]:
    broken = interaction()
    del broken[part][key]
    return document(interaction(), broken)


FILES = [
    ("empty", b"", "is empty; record it again"),
    ("blank", b" \n\t\n", "nothing but white space"),
    ("bom-alone", b"\xef\xbb\xbf", "nothing but white space"),
    (
        "yaml-syntax",
        b"interactions:\n- request: [a\nversion: 1\n",
        "line 3, column 8: the YAML does not parse",
    ),
    (
        "conflict",
        b"interactions:\n<<<<<<< HEAD\n- a\n=======\n- b\n>>>>>>> other\n",
        "line 2: git left a merge conflict here ('<<<<<<< HEAD')",
    ),
    (
        "conflict-json",
        b'{"a": [\r\n<<<<<<< HEAD\r\n1\r\n=======\r\n2\r\n>>>>>>> other\r\n]}',
        "line 2: git left a merge conflict here ('<<<<<<< HEAD')",
    ),
    (
        "key-twice",
        b"interactions:\n- request: {uri: a}\n  request: {uri: b}\nversion: 1\n",
        "line 3, column 3: the key 'request' stands twice",
    ),
    (
        "json-key-twice",
        b'{"interactions": [{"request": {"uri": "a", "uri": "b"}}], "version": 1}',
        "beside 'uri': the key 'uri' stands twice",
    ),
    ("yaml-tab", b"a:\n\t- b", "line 2, column 1: the YAML does not parse"),
    ("json-deep", b"[" * 100_000, "the JSON does not parse"),
    ("json-utf8", b'{"a": "\xff"}', "byte 7: no UTF-8"),
    (
        "json-other",
        b'{"name": "package", "version": "1"}',
        "no cassette: expected `interactions`, got 'name', 'version'",
    ),
    ("json-list", b"[1, 2]", "expected a mapping with `interactions`, got a list"),
    (
        "yaml-other",
        b"services:\n  web: {}\n",
        "no cassette: expected `interactions`, got 'services'",
    ),
    (
        "yaml-scenario",
        b"messages: []\nexpect: {choices: 2}\n",
        "no cassette: expected `interactions`, got 'messages', 'expect'",
    ),
    (
        "json-form",
        b'{"questions": [{"name": "colour", "choices": ["red", "blue"]}]}',
        "no cassette: expected `interactions`, got 'questions'",
    ),
    ("yaml-text", b"hello", "got text"),
    ("yaml-null", b"# nothing\n", "got nothing"),
    ("none", b"interactions: []\nversion: 1\n", "has no interactions"),
    (
        "null",
        b"interactions:\nversion: 1\n",
        "expected a list of `interactions`, got nothing",
    ),
    (
        "version",
        b"interactions: [1]\nversion: 2\n",
        "expected cassette version 1, got 2",
    ),
    (
        "version-odd",
        b"interactions: [1]\nversion: [1]\n",
        "expected cassette version 1, got [1]",
    ),
    ("old", b"- request: {}\n  response: {}\n", "python -m vcr.migration"),
    ("ruby", b"http_interactions:\n- request: {}\n", "exchange 0: request: expected"),
    ("ruby-none", b"http_interactions: []\n", "Ruby's VCR or betamax without"),
    ("junk", bytes(range(256)) * 9, "binary data"),
    ("gzip", b"\x1f\x8b\x08\x00abc", "gzip data; unpack it first"),
    ("png", b"\x89PNG\r\n\x1a\n", "PNG image"),
    ("head-unended", b"HTTP/1.1 200 OK\r\na: b\r\n", "head does not end"),
    (
        "head-packed",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x09\x00damaged",
        "curl --compressed",
    ),
]


@pytest.mark.parametrize(
    ("content", "message"),
    [pytest.param(content, message, id=name) for name, content, message in FILES],
)
def test_wrong_file_is_one_line_that_helps(
    tmp_path: Path, content: bytes, message: str
) -> None:
    """A file that is no recording is named, with the place and the reason."""
    path = save(tmp_path, content)
    with pytest.raises(CassetteError, match=re.escape(message)) as caught:
        load_cassette(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert caught.value.path == str(path)
    assert path.read_bytes() == content


PARTS = [
    (
        document(interaction(), "x"),
        "expected a mapping with `request` and `response`, got text",
    ),
    (
        document(interaction(), {"request": {}}),
        "expected text as `method`, got nothing",
    ),
    (
        document(interaction(), {"response": {}}),
        "expected a mapping as `request`, got nothing",
    ),
    (
        document(interaction(), {"request": 1, "response": {}}),
        "as `request`, got a number",
    ),
    (_without("request", "method"), "request: expected text as `method`, got nothing"),
    (_without("request", "uri"), "request: expected text as `uri`, got nothing"),
    (_with("request", method=3), "request: expected text as `method`, got a number"),
    (
        _with("request", headers=3),
        "request: expected a mapping as `headers`, got a number",
    ),
    (_with("request", headers=[1]), "request: expected pairs as `headers`, got 1"),
    (
        _with("request", headers={"a": [{}]}),
        "expected text in `headers`, got a mapping",
    ),
    (_with("request", body=3), "`body` is neither text nor bytes, but int"),
    (_with("request", body=[3]), "`body` is neither text nor bytes, but list of int"),
    (_with("request", body={"a": b"x"}), "`body` is a mapping, but not JSON"),
    (
        _without("response", "status"),
        "expected a number as the status code, got nothing",
    ),
    (
        _with("response", status={"code": "x"}),
        "expected a number as the status code, got text",
    ),
    (_without("response", "body"), "response: `body` is missing"),
    (_with("response", body=3), "response: `body` is neither text nor bytes, but int"),
    (_with("response", body={"other": 1}), "neither `string` nor `base64_string`"),
    (_with("response", body={"base64_string": "!!"}), "`base64_string` is no base64"),
    (_with("response", body={"base64_string": 3}), "neither text nor bytes, but int"),
    (_with("response", stream=3), "stream: expected a mapping, got a number"),
    (_with("response", stream={"version": 2}), "stream: expected version 1, got 2"),
    (_with("response", stream={"chunks": 3}), "stream: expected a list as `chunks`"),
    (
        _with("response", stream={"chunks": [[0.1]]}),
        "[seconds, bytes] as chunk 0, got [0.1]",
    ),
    (_with("response", stream={"chunks": [[0.1, 1], [0.1, -1]]}), "as chunk 1"),
    (_with("response", stream={"chunks": [[True, 1]]}), "as chunk 0"),
    (_with("response", stream={"chunks": [[float("nan"), 1]]}), "as chunk 0"),
    (
        _with("response", stream={"chunks": [[0.1, 3]]}),
        f"add up to 3, the body has {LENGTH} bytes",
    ),
    (
        _with("response", stream={"chunks": []}),
        f"add up to 0, the body has {LENGTH} bytes",
    ),
    (
        _with("response", stream={"ended": "later"}),
        "expected complete, closed or error",
    ),
]


@pytest.mark.parametrize(("doc", "message"), PARTS, ids=[m for _, m in PARTS])
def test_wrong_part_names_its_exchange(
    tmp_path: Path, doc: dict[str, Any], message: str
) -> None:
    """What is wrong inside a cassette is said with the number of the exchange."""
    with pytest.raises(CassetteCorruptError, match=re.escape(message)) as caught:
        load(tmp_path, doc)
    assert caught.value.place == "exchange 1"
    assert "\n" not in str(caught.value)


def test_missing_file_folder_and_null_byte_are_told_apart(tmp_path: Path) -> None:
    """What is not there is missing; what is a folder or no name says so."""
    with pytest.raises(CassetteMissingError, match="no such file"):
        load_cassette(tmp_path / "nothing.yaml")
    with pytest.raises(CassetteError, match="is a folder"):
        load_cassette(tmp_path)
    with pytest.raises(CassetteError, match="cannot be read"):
        load_cassette("a\0b")


def test_request_body_of_endless_aliases_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aliases can make a tiny file's body gigabytes long; that is an error in time."""
    assert interactions._MOST_TOKENS <= 1_000_000  # a second, as it is
    monkeypatch.setattr(interactions, "_MOST_TOKENS", 20_000)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    text = (
        "interactions:\n- request:\n    method: POST\n    uri: x\n    body:\n"
        + "".join(f"      {line}\n" for line in lines)
        + "  response: {status: {code: 200}, body: {string: x}}\n"
    )
    with pytest.raises(CassetteCorruptError, match="without end"):
        load(tmp_path, text)


def test_body_that_holds_itself_is_refused(tmp_path: Path) -> None:
    """A mapping that contains itself is no JSON."""
    text = (
        "interactions:\n- request: {method: POST, uri: x, body: &b {a: *b}}\n"
        "  response: {status: {code: 200}, body: {string: x}}\n"
    )
    with pytest.raises(CassetteCorruptError, match="not JSON"):
        load(tmp_path, text)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.sampled_from(["gzip", "1", STREAM]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "request",
                    "response",
                    "string",
                    "base64_string",
                    "chunks",
                    "ended",
                    "error",
                    "version",
                    "code",
                    "content-encoding",
                    "a",
                ]
            )
            | st.integers(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [path, *(p for key, inner in items for p in _places(inner, (*path, key)))]


TEMPLATE = document(
    interaction(
        stream={
            "version": 1,
            "chunks": [[0.1, 5], [0.2, LENGTH - 5]],
            "ended": "complete",
        },
        headers={"content-encoding": ["gzip"], "a": ["b"]},
    )
)


@given(place=st.sampled_from(_places(TEMPLATE)), value=ODD)
def test_any_value_anywhere_gives_exchanges_or_a_cassette_error(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], value: Any
) -> None:
    """Replacing any part of a cassette by anything never lets another error out."""
    doc: Any = copy.deepcopy(TEMPLATE)
    if place:
        parent = doc
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = value
    else:
        doc = value
    path = tmp_path_factory.getbasetemp() / "odd.yaml"
    path.write_text(yaml.safe_dump(doc, allow_unicode=False), encoding="utf-8")
    _loads_or_refuses(path)


_WRITTEN = yaml.safe_dump(TEMPLATE).encode()


@given(data=st.binary(max_size=200), at=st.integers(0, 2000), cut=st.integers(0, 50))
def test_damaged_bytes_give_exchanges_or_a_cassette_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int, cut: int
) -> None:
    """Bytes put into, or taken out of, a cassette never let another error out."""
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes(_WRITTEN[:at] + data + _WRITTEN[at + cut :])
    _loads_or_refuses(path)


def _loads_or_refuses(path: Path) -> None:
    try:
        cassette = load_cassette(path)
    except CassetteError:
        return
    assert cassette.exchanges
    for exchange in cassette.exchanges:
        classify(exchange)
        body = b"".join(piece for _, piece in exchange.response.iter_wire())
        assert body == exchange.response.body or exchange.response.source is not None
