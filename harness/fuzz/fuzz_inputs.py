"""The forms in which something arrives, and what is known of each.

An input is a tuple: fragments of one call's arguments (`str`), payloads of a stream
(`dict`), or pieces of its bytes. Everything a relation compares with is derived from
the input alone, so a finding is one input and can be shrunk by itself:

- `whole`: the same without cuts;
- `plain`: the same, written as OpenAI writes it, without cuts;
- `truth`: what it carries, put together by `json` and `harness.core.accumulate`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import (
    DONE,
    Chunk,
    has_choices,
    parse_payload,
    payload_error,
)
from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.deltas import choice_index
from harness.apis.chat.dialects.registry import parse_dialect
from harness.apis.chat.reader import ResponseAccumulator
from harness.apis.json_values import is_json
from harness.cassettes.classify import Kind, classify
from harness.core.argument_text import compact
from harness.core.json_strings import join_surrogates
from harness.core.splits import parse_split
from harness.core.sse import SSEDecoder
from harness.debug.outcomes import Call
from harness.debug.shown_fields import logprobs_of
from harness.engine.stream import StreamReader
from harness.errors import ChunkError
from harness.fuzz.finding_cassettes import event_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.apis.chat.faults import Fault
    from harness.cassettes.model import Cassette

FuzzInput = tuple[Any, ...]
"""Fragments, payloads or pieces of bytes."""

_WHOLE = parse_split("whole")
_PLAIN = parse_dialect("openai")
_sound = partial(join_surrogates, errors="replace")


@dataclass(frozen=True, slots=True)
class Truth:
    """What an input carries, whoever reads it."""

    text: str = ""
    """The content, or the wanted string of an arguments object."""
    reasoning: str = ""
    """Reasoning, if it has any."""
    refusal: str = ""
    """A refusal, if it has any."""
    calls: tuple[Call, ...] = ()
    """The calls in order."""
    is_sound: bool = True
    """Whether nothing is wrong with it: it is finished, no error came, the arguments
    are JSON objects."""
    has_text: bool = True
    """Whether there is a text to compare; of arguments, a string under the key."""
    is_ended: bool = True
    """Whether the event came that ends an answer."""
    finish: str = ""
    """Why it finished, as sent; empty if that was not sent."""
    meaning: str = ""
    """The same in chat's words, where it has a counterpart among them."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Numbers of tokens, as sent last: `input`, `output` and `total`."""
    kept: tuple[tuple[str, str], ...] = ()
    """What stays whole, by kind: signatures, which a client must return, and the
    addresses of what is cited."""
    logprobs: tuple[float, ...] = ()
    """The log probabilities of its tokens."""
    ids: tuple[str, ...] = ()
    """The ids of its calls; empty where one was sent with several, or two with one."""
    late_ids: frozenset[str] = frozenset()
    """Those that came after their call had begun, so that it may have another."""


def chunks_of(payloads: Iterable[dict[str, Any]]) -> list[Chunk]:
    """Number payloads as the chunks of a stream."""
    return [Chunk(number, None, payload) for number, payload in enumerate(payloads)]


def payloads_of(chunks: Iterable[Chunk]) -> FuzzInput:
    """Return the payloads of chunks."""
    return tuple(chunk.payload for chunk in chunks)


def recorded_payloads(chunks: Iterable[Chunk]) -> FuzzInput:
    """Return the payloads of a recording to fuzz with: a provider's error is none."""
    payloads = payloads_of(chunks)
    return tuple(p for p in payloads if has_choices(p) or payload_error(p) is None)


def recorded_streams(cassette: Cassette) -> dict[str, FuzzInput]:
    """Return each stream that holds something, by the cassette and its number."""
    return {
        f"{cassette.path}#{exchange.index}": payloads
        for exchange in cassette.exchanges
        if classify(exchange).kind is Kind.STREAM
        and (payloads := recorded_payloads(StreamReader(exchange, None)))
    }


def payloads_of_bytes(pieces: Iterable[bytes]) -> FuzzInput:
    """Read the payloads of an event stream; what cannot be read is left out."""
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    payloads = []
    for event in [*events, *decoder.close()]:
        if event.data and event.data.strip() != DONE:
            try:
                payloads.append(parse_payload(event.raw))
            except ChunkError:
                continue
    return tuple(payloads)


def whole(fed: FuzzInput, api: str = "chat") -> FuzzInput:
    """Return the same input without cuts."""
    if not fed or api != "chat":
        return plain(fed, api)
    first = fed[0]
    if isinstance(first, str):
        return ("".join(fed),)
    if isinstance(first, bytes):
        return (b"".join(fed),)
    text = json.dumps(fed, ensure_ascii=False)
    if text.encode("utf-8", "ignore").decode() != text:
        return fed  # halves of a pair, which would meet in JSON that is written
    return payloads_of(cut_chunks(_WHOLE, chunks_of(fed)))


def plain(fed: FuzzInput, api: str = "chat") -> FuzzInput:
    """Return what the input carries, as OpenAI would write it, without cuts."""
    if not fed:
        return fed
    if api != "chat":
        from harness.fuzz.api_inputs import api_plain

        return api_plain(api, fed)
    first = fed[0]
    if isinstance(first, str):
        return (compact("".join(fed)),)
    if isinstance(first, bytes):
        payloads = plain(payloads_of_bytes(fed))
        return (b"".join(event_bytes(payloads)),)
    return payloads_of(cut_chunks(_WHOLE, _PLAIN.apply(chunks_of(fed))))


_LAST: list[tuple[FuzzInput, str, str, Truth]] = []


def truth_of(fed: FuzzInput, key: str, api: str = "chat") -> Truth:
    """Return what an input carries.

    One is asked about several times in a row, for each relation: it is read once.

    Args:
        fed: Of any kind.
        key: For fragments: the key whose string is wanted.
        api: Whose events it has.
    """
    for last, *asked, truth in _LAST:
        if last is fed and asked == [key, api]:
            return truth
    truth = _read(fed, key, api)
    _LAST[:] = [(fed, key, api, truth)]
    return truth


def _read(fed: FuzzInput, key: str, api: str) -> Truth:
    if api != "chat":
        from harness.fuzz.api_inputs import api_truth

        return api_truth(api, fed)
    if fed and isinstance(fed[0], str):
        return _truth_of_text("".join(fed), key)
    if fed and isinstance(fed[0], bytes):
        truth = _read(payloads_of_bytes(fed), key, api)
        is_done = b"[DONE]" in b"".join(fed)
        return truth if is_done else replace(truth, is_sound=False)
    accumulator = ResponseAccumulator()
    has_error = False
    counts: dict[str, Any] = {}
    choices: list[dict[str, Any]] = []
    for payload in fed:
        held = payload.get("choices") or ()
        choices += [c for c in held if isinstance(c, dict) and not choice_index(c)]
        has_error = has_error or payload_error(payload) is not None
        counts |= payload.get("usage") or {}
        accumulator.feed(payload)
    message = accumulator.message()
    deltas = [choice.get("delta") or {} for choice in choices]
    entries = [entry for delta in deltas for entry in delta.get("tool_calls") or ()]
    named = {e.get("id") for e in entries if (e.get("function") or {}).get("name")}
    calls = tuple(
        Call(_sound(call.name), _sound(call.arguments).strip() or "{}")
        for call in message.calls
    )
    return Truth(
        _sound(message.content),
        _sound(message.reasoning),
        _sound(message.refusal),
        calls,
        is_sound=not has_error
        and message.finish_reason is not None
        and set(accumulator.choices) <= {0}
        and all(call.name and is_json(call.arguments) for call in calls)
        and _ends_after_finish(fed),
        is_ended=message.finish_reason is not None,
        finish=message.finish_reason or "",
        meaning=message.finish_reason or "",
        counts=token_counts(counts),
        kept=_kept(deltas),
        logprobs=tuple(logprobs_of([choice.get("logprobs") for choice in choices])),
        ids=ids_of(
            [call.id for call in message.calls], [entry.get("id") for entry in entries]
        ),
        late_ids=frozenset(call.id for call in message.calls) - named,
    )


def ids_of(calls: list[str], sent: Iterable[Any]) -> tuple[str, ...]:
    """Return the ids of calls, if all that were sent are of one call each.

    Args:
        calls: The id of each call; empty for one without.
        sent: All ids as they came.
    """
    ids = [*filter(None, calls)]
    is_clear = len(ids) == len({*ids}) and {*ids} >= {*filter(None, sent)}
    return tuple(ids) if is_clear else ()


_SIGNED = {"signature": "signature", "data": "redacted_reasoning"}


def _kept(deltas: Iterable[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return what stays whole in the deltas of chat."""
    found = list(sources_of("annotation", [d.get("annotations") for d in deltas]))
    for delta in deltas:
        for block in delta.get("reasoning_details") or ():
            for name, kind in _SIGNED.items():
                if isinstance(block, dict) and isinstance(block.get(name), str):
                    found.append((kind, block[name]))
    return tuple(found)


def sources_of(kind: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Return the addresses in a value, each with the kind of what cites them."""
    inner: Iterable[Any] = value if isinstance(value, list) else ()
    if isinstance(value, dict):
        found = [v for k in ("url", "uri") if isinstance(v := value.get(k), str)]
        if found:
            return ((kind, found[0]),)
        inner = value.values()
    return tuple(source for item in inner for source in sources_of(kind, item))


_COUNTS = {
    "input": ("prompt_tokens", "input_tokens", "promptTokenCount"),
    "output": ("completion_tokens", "output_tokens", "candidatesTokenCount"),
    "total": ("total_tokens", "totalTokenCount"),
}


def token_counts(counts: Mapping[str, Any]) -> dict[str, int]:
    """Return the token counts that every API has, of one API's as sent.

    Of a request that was partly cached there are several ways to count.
    """
    is_cached = any("cach" in key.lower() and value for key, value in counts.items())
    return {
        name: counts[key]
        for name, keys in _COUNTS.items()
        for key in keys
        if type(counts.get(key)) is int and not (is_cached and name != "output")
    }


def _ends_after_finish(fed: FuzzInput) -> bool:
    """Return whether nothing comes after the finish; some providers do."""
    is_finished = False
    for payload in fed:
        for choice in payload.get("choices") or []:
            if not isinstance(choice, dict) or choice_index(choice):
                continue
            delta = choice.get("delta")
            if is_finished and isinstance(delta, dict):
                fields = ("content", "tool_calls", "reasoning", "reasoning_content")
                if any(delta.get(field) for field in fields):
                    return False
            is_finished = is_finished or bool(choice.get("finish_reason"))
    return True


def _truth_of_text(text: str, key: str) -> Truth:
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found  # the outermost object is finished last
        return dict(found)

    try:
        value = json.loads(text, strict=False, object_pairs_hook=keep)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return Truth(is_sound=False, has_text=False)
    values = [value for name, value in pairs if name == key]
    # Of a repeated key, readers may take the first value or the last.
    if len(values) != 1 or not isinstance(values[0], str):
        return Truth(has_text=False, is_sound=len(values) < 2)
    return Truth(_sound(values[0]))


def break_input(fed: FuzzInput, fault: Fault) -> FuzzInput:
    """Do a fault to an input; one that it cannot have leaves it as it is."""
    if not fed or isinstance(fed[0], str):
        return fed
    if not isinstance(fed[0], bytes):
        return payloads_of(fault.apply(chunks_of(fed)))
    if all(part.kind.level == "bytes" for part in fault.parts):
        return tuple(fault.apply_bytes(fed))
    broken = payloads_of(fault.apply(chunks_of(payloads_of_bytes(fed))))
    pieces = event_bytes(broken)
    return tuple(fault.apply_bytes(pieces[:-1] if fault.ends_early else pieces))
