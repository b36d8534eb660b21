"""What is handed between processes and compared: it pickles, and is equal after."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, cast

from harness import load_cassette, replay
from harness.apis.chat.dialects.registry import DIALECTS, parse_dialect
from harness.apis.chat.faults import FAULTS, parse_fault
from harness.apis.detect import api_named
from harness.apis.style import RESTATED
from harness.apis.varied import vary
from harness.cassettes.library import find_cassettes
from harness.core.splits import parse_split
from harness.engine.check import check
from harness.fuzz.checking import judge_of
from harness.fuzz.consumers import Wanted
from harness.redaction.scan import scan
from tests.docs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.apis.base import WritingApi

SPLITS = ("recorded", "whole", "chars", "3", "random:7", "at:2,5", "tokens", "chars+3")
CASSETTES = [str(path) for path in find_cassettes(str(ROOT / "cassettes"))]


def _values() -> Iterator[tuple[str, object]]:
    for text in SPLITS:
        yield text, parse_split(text)
        yield f"Variation {text}", vary(text)
    for name in ("chat", *RESTATED):
        dialects, faults = _registered(name)
        for kind, values in (("dialect", dialects), ("fault", faults)):
            for one, value in values.items():
                yield f"{name} {kind} {one}", value
                yield f"{name} Variation {one}", vary(**{kind: one}, api=name)


def _registered(name: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    if name == "chat":
        faults = {str(one): one for one in map(parse_fault, FAULTS)}
        return {one: parse_dialect(one) for one in DIALECTS}, faults
    api = cast("WritingApi", api_named(name))
    return api.dialects, api.faults


def _twin(value: object) -> object:
    return pickle.loads(pickle.dumps(value))


def test_every_split_dialect_fault_and_variation_is_a_value() -> None:
    """All that are registered, of every API, and a Variation of each."""
    values = dict(_values())
    assert len(values) > 200
    for value in values.values():
        assert _twin(value) == value


def test_cassettes_transcripts_and_findings_are_values(tmp_path: Path) -> None:
    """Every cassette of this repository, what it emits, and what is found in one."""
    for path in CASSETTES:
        cassette = load_cassette(path)
        assert _twin(cassette) == cassette
    transcript = replay(ROOT / "cassettes/stock-vcrpy/two-turns.yaml")
    assert _twin(transcript) == transcript
    broken = tmp_path / "broken.sse"
    broken.write_text('data: {"error": {"message": "sk-proj-' + "a1B2" * 12 + '"}}\n\n')
    for found in (check(str(broken)), scan(str(broken))):
        assert found
        assert _twin(found) == found


def test_failure_of_the_fuzzer_is_a_value() -> None:
    """Workers hand it to the process that prints it."""
    judge = judge_of(_shouts, Wanted())
    chunks = ({"choices": [{"index": 0, "delta": {"content": "a"}}]},) * 2
    failure = judge.judge("split-invariance", chunks)
    assert failure is not None
    assert _twin(failure) == failure


def _shouts(chunks: list[dict[str, object]]) -> str:
    return f"{len(list(chunks))} chunks"
