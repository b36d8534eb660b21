"""What is taken out of a cassette's YAML, judged by PyYAML, which reads all of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.cassettes import large_values
from harness.cassettes.encode import save_cassette
from harness.cassettes.large_values import take_out
from harness.cassettes.model import Cassette, Exchange, Request, Response, WireChunk
from harness.cassettes.yaml_text import load_yaml
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from pathlib import Path

EVENT = 'data: {"choices": [{"delta": {"content": "naïve 😊"}}]}\n\n'


@pytest.fixture(scope="module", autouse=True)
def _no_text_is_small() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_values, "LEAST", 0)
        yield


def _same_as_pyyaml(text: str) -> None:
    """What PyYAML refuses is refused, and anything else is read as PyYAML reads it."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        expected = yaml.load(data, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        with pytest.raises(CassetteCorruptError):
            load_yaml(data, "made.yaml")
        return
    try:
        load_yaml(io.BytesIO(data), "made.yaml")
    except CassetteCorruptError as error:  # of two values PyYAML drops one
        with pytest.raises(CassetteCorruptError, match="stands twice") as raised:
            load_yaml(data, "made.yaml")
        found = str(raised.value), str(error)
    else:
        found = repr(load_yaml(data, "made.yaml")), repr(expected)  # 1 is not 1.0
    assert found[0] == found[1]


def _document(header: str, lines: str, chunks: str) -> str:
    return (
        f"interactions:\n- response:\n    body:\n      string: {header}\n{lines}"
        f"    harness:\n      chunks: {chunks}\n      version: 1\nversion: 1\n"
    )


LINES = st.lists(
    st.tuples(
        st.sampled_from([8, 8, 8, 9, 7, 6, 0]),
        st.sampled_from(
            [
                *("data: {}", "x", "", "", "# no comment", "- y", "string: |", "'"),
                *("\ta", "é\x85", "\u2028", "\x07", "\ufeff", "  z ", "..."),
                "chunks: [[1, 2]]",
            ]
        ),
    ),
    max_size=6,
)
NUMBERS = "01", "1_0", "1e5", ".5", "5.", "1.0.0", "-1", "1:30", "9" * 30
AROUND = ", ", ", ", ",\n        ", "[", "]", "[]", " ", "# no", "\n"
CHUNKS = st.lists(
    st.sampled_from(["[0.125, 71]", "[1, 2]", *NUMBERS, *AROUND]), max_size=7
)


@given(st.sampled_from(["|", "|", "|-", "|+", "|2", ">", "'", "| #"]), LINES, CHUNKS)
def test_what_is_taken_out_is_what_pyyaml_reads(
    header: str, lines: list[tuple[int, str]], chunks: list[str]
) -> None:
    """Whatever stands behind `|` and in the list, and wherever a line begins."""
    body = "".join(" " * indent + line + "\n" for indent, line in lines)
    _same_as_pyyaml(_document(header, body, f"[{''.join(chunks)}]"))


LINE = f"        {EVENT.strip()}\n"


@pytest.mark.parametrize(
    "text",
    [
        _document("|", LINE, "[[0.1, 2], [0.2, 3]]").replace("\n", "\r\n"),
        _document("|+", LINE + "\n\n", "[]"),
        *(_document(header, LINE + "        \n", "[]") for header in ("|", "|-", "|+")),
        _document("|", LINE + "      # a comment behind it\n", "[[1, 2]]"),
        _document("|", "        taken-out-0\n", "[[1, 2]]"),
        _document("|", "        taken-out-00\n", "[[1, 2]]") + "x: 'taken-out-0'\n",
        _document("|", LINE + "        string: |\n          x\n", "[[1, 2]]"),
        # A cassette within a text, whose values stand in no value of the outer one.
        f'x: "\n  string: |\n    {EVENT.strip()}\n  y: 1"\n',
        "x: >\n  chunks: [1, 2]\n  y: 1\nz: 1\n",
        "x: |\n  chunks: [1, 2]\n  y: 1\nz: 1\n",
        "x: y\n  chunks: [1, 2]\n  z: 1\n",
        "a: taken-out-0\nchunks: [1, 2]\n",
        # Behind a line of blanks the text goes on; behind a quoted one a comment would.
        _document("|", LINE + "    \n        # no comment\n", "[[1, 2]]"),
        _document("|", LINE + "        \x07\n", "[[1, 2]]"),
        _document("|", LINE + "        \x85\n", "[[1, 2]]"),
        "- chunks: [1, 2]\n  string: |\n    x\n",
        "- string: |\n  x\n",
        "string: |\n  x",
        "chunks: [[1, 2]] # a comment\nversion: 1\n",
        "chunks: [[1, 2]\nversion: 1\n",
        "chunks: [[1, 2]]\n  x: 1\n",
        "chunks: " + "[" * 3000 + "]" * 3000 + "\n",
        "? chunks: [1, 2]\n: 3\n",
        "a: 2001-01-01\nchunks: [1, 2]\n",
        "a: !!binary aGk=\nchunks: [1, 2]\n",
    ],
)
def test_hard_cases_are_what_pyyaml_reads(text: str) -> None:
    """Each case is one that only one check keeps from being read otherwise."""
    _same_as_pyyaml(text)


def test_an_error_behind_what_is_taken_out_has_its_line() -> None:
    """The file is read again as it is, so that the place is the file's."""
    text = _document("|", LINE * 50, "[[1, 2]]") + "x: ]\n"
    assert len(take_out(text.encode())[1]) == 2
    with pytest.raises(CassetteCorruptError, match=f"line {text.count(chr(10))}, col"):
        load_yaml(text.encode(), "made.yaml")


def test_what_harness_writes_is_taken_out(tmp_path: Path) -> None:
    """Body and chunks of a recording of its own: the mark is all that libyaml reads."""
    wire = [WireChunk(n / 8, len(EVENT.encode())) for n in range(40)]
    response = Response(200, body=EVENT.encode() * 40, wire=wire)
    path = tmp_path / "recorded.yaml"
    made = Cassette(str(path), [Exchange(0, Request("POST", "http://x/"), response)])
    save_cassette(made, path)
    short, taken = take_out(path.read_bytes())
    assert len(short) < 600
    assert list(taken.values()) == [EVENT * 40, [list(one) for one in wire]]
    _same_as_pyyaml(path.read_text("utf-8"))
