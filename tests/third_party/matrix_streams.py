"""The streams of the matrix, and what is right of them.

What a library returned of a stream is held against what the API's own reader reads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.chat.dialects.registry import DIALECTS, parse_dialect
from harness.apis.chat.faults import FAULTS, parse_fault
from harness.apis.json_values import canonical
from harness.apis.varied import dialects_of, faults_of
from harness.fuzz.api_inputs import (
    answer_of,
    stock_answers,
    written,
    written_bytes,
)
from harness.fuzz.chat_trials import ChatTrials
from harness.fuzz.finding_cassettes import event_bytes
from harness.fuzz.fuzz_inputs import Truth, break_input, chunks_of, truth_of
from harness.fuzz.odd_bytes import ODD_BYTES, ODD_BYTES_OF_CHAT, odd_bytes
from harness.fuzz.odd_values import only_cuts, stock
from harness.fuzz.stream_trials import StreamTrials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.fuzz.fuzz_inputs import FuzzInput

__all__ = ["EACH_S", "VERDICTS", "Asked", "Input", "inputs", "verdict"]

_ELSEWHERE = {"gemini-array", "code-assist", "array-not-closed", "bedrock-invoke"}
"""Shapes that only another endpoint sends than the one that a client asks."""
_TELLING = "text and parallel calls"
EACH_S = 15.0

VERDICTS = {
    "right": "the content and the calls that came; of an answer that did not come to "
    "its end, an exception of its own, or an ending that shows it",
    "exception": "an exception of its own for an answer that is complete",
    "crash": "an exception of the language, such as `KeyError` or `TypeError`",
    "loss": "content or calls are missing or altered, and nothing shows it",
    "partial": "an answer without its end, or with an error in it, is returned as "
    "complete",
    "hangs": f"no answer within {EACH_S:g} s, twice",
}
_NORMAL = {
    *("stop", "tool_calls", "function_call", "end_turn", "tool_use", "completed"),
    *("stop_sequence", "tool-calls"),
}


class Input(NamedTuple):
    """A stream that is served."""

    name: str
    pieces: FuzzInput
    truth: Truth


class Asked(NamedTuple):
    """What a library did with it."""

    verdict: str
    detail: str = ""


def inputs(api: str) -> dict[str, Input]:
    """Return the stock of an API as bytes: odd shapes, dialects, faults."""
    made = _chat() if api == "chat" else _of_api(api)
    return {one.name: one for one in made if any(one.pieces)}


def _input(api: str, name: str, pieces: FuzzInput, truth: Truth | None = None) -> Input:
    return Input(name, pieces, truth or truth_of(pieces, "", api))


def _chat() -> Iterator[Input]:
    streams = stock()
    for name, stream in streams.items():
        if name not in only_cuts():  # may be read in several ways
            yield _input("chat", name, tuple(event_bytes(stream)))
    telling = streams[_TELLING]
    pieces = tuple(event_bytes(telling))
    for odd in ODD_BYTES_OF_CHAT:
        told = streams[ChatTrials.shown_by.get(odd, _TELLING)]
        yield _input("chat", odd, odd_bytes(odd, told))
    for name in DIALECTS:
        dialect = parse_dialect(name)
        encoded = tuple(dialect.framing.encode(dialect.apply(chunks_of(telling))))
        truth = replace(truth_of(telling, ""), is_sound=True)
        yield _input("chat", f"dialect {name}", encoded, truth)
    for name, kind in FAULTS.items():
        text = name if kind.default is None else f"{name}:{kind.default}"
        broken = break_input(pieces, parse_fault(text))
        truth = truth_of(broken, "")
        if kind.leaves != "prefix":
            truth = replace(truth, is_sound=kind.leaves == "same")
        yield _input("chat", f"fault {text}", broken, truth)


def _of_api(api: str) -> Iterator[Input]:
    answers = stock_answers(api)
    for name, answer in answers.items():
        yield _input(api, name, written_bytes(api, answer))
    telling = answers[_TELLING]
    for odd in ODD_BYTES:
        told = answers[StreamTrials.shown_by.get(odd, _TELLING)]
        yield _input(api, odd, odd_bytes(odd, written(api, told), api))
    for name in dialects_of(api):
        if name not in _ELSEWHERE:
            pieces = written_bytes(api, telling, dialect=name)
            yield _input(api, f"dialect {name}", pieces)
    for name in faults_of(api):
        if name not in _ELSEWHERE:
            pieces = written_bytes(api, telling, fault=name)
            truth = replace(truth_of(pieces, "", api), is_sound=False)
            yield _input(api, f"fault {name}", pieces, truth)


def _has_error(api: str, pieces: FuzzInput) -> bool:
    from harness.core.parts import Problem

    if api == "chat":
        return any(b'"error": {' in p or b'"error":{' in p for p in pieces)
    parts = [part for event in answer_of(api, pieces) for part in event]
    kinds = {str(part.kind) for part in parts if isinstance(part, Problem)}
    return any("error" in kind or "failed" in kind for kind in kinds)


def verdict(api: str, one: Input, found: dict[str, Any] | None) -> Asked:
    """Hold what a library returned against what came.

    Args:
        api: In which it was asked.
        one: What was served.
        found: What the library returned, as `libraries.py` shows it; None if nothing.
    """
    truth = one.truth
    finish = truth.finish.lower()
    is_whole = truth.is_ended and not _has_error(api, one.pieces)
    is_complete = is_whole and (not finish or finish in _NORMAL)
    if found is None:
        return Asked("hangs")
    if "error" in found:
        if found["is_crash"]:
            return Asked("crash", found["error"])
        word = "exception" if is_complete and truth.is_sound else "right"
        return Asked(word, found["error"])
    if not is_complete:
        shown = str(found["finish"] or "").lower()
        is_shown = shown not in _NORMAL
        return Asked("right" if is_shown else "partial", f"finish {shown!r}")
    if not truth.is_sound:
        return Asked("right", "may be read in several ways")
    calls = [(call.name, canonical(call.arguments)) for call in truth.calls]
    got = [
        (call["name"], canonical(call["arguments"].strip() or "{}"))
        for call in found["calls"]
    ]
    texts = {truth.text, truth.text or truth.refusal, truth.text + truth.refusal}
    if calls == got and found["content"] in texts:
        return Asked("right")
    if calls != got:
        return Asked("loss", f"calls {got}, expected {calls}")
    return Asked("loss", f"content {found['content']!r}, expected {truth.text!r}")
