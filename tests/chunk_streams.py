"""Chunk streams for tests: those of the corpus, and hypothesis-made ones.

Read without the package's own store and decoder, so that a test compares its code
with something else.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import strategies as st

from harness.apis.chat.chunks import Chunk
from tests.shared import HAS_CORPUS, SHARED, corpus_files

_CORPUS = SHARED / "corpus"

SHARES = [
    pytest.param(30, id="a thirtieth"),
    pytest.param(3, id="a third", marks=pytest.mark.slow),
    pytest.param(1, id="all", marks=pytest.mark.campaign),  # some minutes each
]
"""Each how many recordings a test over the whole corpus takes, for `parametrize`.

Every way of changing a stream begins at another recording, so that the quick run
and the slow run too have each recording in several ways; a campaign has all in all.
"""


class Recording(NamedTuple):
    """One recorded stream of the corpus."""

    file: str
    interaction: int
    uri: str
    body: str
    chunks: list[Chunk]

    @property
    def name(self) -> str:
        """File and number, as a failure should show it."""
        return f"{self.file}#{self.interaction}"


@cache
def recordings() -> tuple[Recording, ...]:
    """Return every stream that `expected.jsonl` names, in its order.

    Where the corpus is absent: every stream of the recordings made in its place.
    """
    if not HAS_CORPUS:
        return tuple(one for path in corpus_files() for one in _read(str(path)))
    expected = (_CORPUS / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    wanted: dict[str, list[int]] = {}
    for line in expected:
        row = json.loads(line)
        wanted.setdefault(row["file"], []).append(row["interaction"])
    found = []
    for path in corpus_files():
        file = path.relative_to(_CORPUS).as_posix()
        if file in wanted:
            found += _read(file, wanted[file])
    return tuple(found)


def recording(file: str, interaction: int = 0) -> Recording:
    """Return one stream of the corpus; only its file is read."""
    return _read(file, [interaction])[0]


def _read(file: str, interactions: list[int] | None = None) -> list[Recording]:
    text = (_CORPUS / file).read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(text, loader)
    read = []
    for interaction, exchange in enumerate(document["interactions"]):
        if interactions is not None and interaction not in interactions:
            continue
        body = exchange["response"]["body"]["string"]
        if isinstance(body, bytes):
            body = body.decode("utf-8", "replace")
        chunks = to_chunks(parse_body(body))
        if interactions is None and not chunks:
            continue
        uri = exchange["request"]["uri"]
        read.append(Recording(file, interaction, uri, body, chunks))
    return read


def parse_body(body: str) -> list[dict[str, Any]]:
    """Read the payloads of an event stream of one-line events, naively."""
    payloads = []
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            try:
                payload = json.loads(line[5:])
            except ValueError:
                continue
            if isinstance(payload, dict):
                payloads.append(payload)
    return payloads


def to_chunks(payloads: list[dict[str, Any]]) -> list[Chunk]:
    """Number payloads from 0, a tenth of a second apart."""
    return [Chunk(i, i / 10, payload) for i, payload in enumerate(payloads)]


_WORDS = (
    "He",
    "llo",
    " wörld",
    "\U0001f600",
    '\\u00e9"',
    "\n\n",
    " ",
    "}",
    "日本",
    "x",
)
_TEXT = st.lists(st.sampled_from(_WORDS), max_size=4).map("".join)


def _tool_entries(ids: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Entries of `tool_calls` for up to three calls told apart by index."""

    def build(number: int, opens: bool, text: str, extra: bool) -> dict[str, Any]:
        entry: dict[str, Any] = {"index": number, "function": {"arguments": text}}
        if opens:
            entry["function"]["name"] = f"tool_{number}"
            entry["type"] = "function"
            if ids:
                entry["id"] = f"call_{number}"
        if extra:
            entry["id"] = f"call_{number}"
        return entry

    return st.builds(build, st.integers(0, 2), st.booleans(), _TEXT, st.booleans())


def _deltas() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.fixed_dictionaries(
        {},
        optional={
            "role": st.just("assistant"),
            "content": st.one_of(st.none(), _TEXT),
            "reasoning_content": _TEXT,
            "refusal": st.one_of(st.none(), _TEXT),
        },
    )
    calls = st.fixed_dictionaries(
        {"tool_calls": st.lists(_tool_entries(ids=True), max_size=3)},
        optional={"content": st.one_of(st.none(), _TEXT)},
    )
    parts = st.builds(
        lambda kind, text: {
            "content": [
                {"type": "text", "text": text}
                if kind
                else {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
            ]
        },
        st.booleans(),
        _TEXT,
    )
    return st.one_of(plain, calls, parts)


def _choices() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"index": st.integers(0, 1), "delta": st.one_of(_deltas(), st.none())},
        optional={
            "finish_reason": st.sampled_from([None, None, None, "stop"]),
            "logprobs": st.sampled_from(
                [
                    None,
                    {"content": [{"token": "a", "logprob": -1.0}], "refusal": None},
                ]
            ),
        },
    )


def chunk_streams() -> st.SearchStrategy[list[Chunk]]:
    """Streams of any mixture of deltas; shrink to fewer chunks with less in them."""
    payloads = st.fixed_dictionaries(
        {"id": st.just("c1"), "choices": st.lists(_choices(), max_size=2)},
        optional={
            "usage": st.sampled_from([None, {"total_tokens": 3}]),
            "x_extra": st.just({"seen": 1}),
            "error": st.none(),
        },
    )
    return st.lists(payloads, max_size=6).map(to_chunks)


_ARGUMENTS = st.dictionaries(
    st.sampled_from(["message", "a", "b\u00e9"]),
    st.one_of(_TEXT, st.integers(), st.none(), st.lists(_TEXT, max_size=2)),
    max_size=3,
)


@st.composite
def call_streams(draw: st.DrawFn) -> list[Chunk]:
    """Streams of up to three parallel calls whose fragments interleave.

    Shrink to one call with few fragments.
    """
    waiting: list[list[dict[str, Any]]] = []
    for number in range(draw(st.integers(1, 3))):
        text = json.dumps(draw(_ARGUMENTS), indent=draw(st.sampled_from([None, 1])))
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=4)))
        pieces = [
            text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)
        ]
        # Two calls may be of one tool, and no name may be taken for a piece.
        name = draw(st.sampled_from(["send_message", "aaa", "f"]))
        opening = {
            "index": number,
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": ""},
        }
        rest = [{"index": number, "function": {"arguments": piece}} for piece in pieces]
        waiting.append([opening, *rest])
    payloads: list[dict[str, Any]] = []
    order = draw(st.booleans())
    while waiting:
        at = draw(st.integers(0, len(waiting) - 1)) if order else 0
        entry = waiting[at].pop(0)
        if not waiting[at]:
            del waiting[at]
        payloads.append({"choices": [{"index": 0, "delta": {"tool_calls": [entry]}}]})
    finish = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    payloads.append({"choices": [finish], "usage": {"total_tokens": 1}})
    return to_chunks(payloads)
