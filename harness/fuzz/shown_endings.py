"""How an answer ended, what it took and what was signed: shown, and shown right.

What a consumer calls them is learnt from plain streams; what it does not show there is
never asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.fuzz.api_inputs import SIGNED, api_payloads
from harness.fuzz.finding_cassettes import event_bytes
from harness.fuzz.fuzz_inputs import FuzzInput, Truth, truth_of
from harness.fuzz.relations import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.debug.outcomes import Outcome
    from harness.fuzz.judge import Judge


_COUNTS = {
    "input": frozenset(("input", "prompt", "in")),
    "output": frozenset(("output", "completion", "candidates", "out")),
    "total": frozenset(("total",)),
}
_NO_PART_OF_NAMES = ("tokens", "token", "count", "usage", "num", "_", ".")


@dataclass(frozen=True, slots=True)
class Endings:
    """What a consumer shows beside texts and calls, of plain streams."""

    by_meaning: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """How it shows that an answer ended, by why it did, in chat's words."""
    counts: Mapping[str, str] = field(default_factory=dict)
    """Its fields that are numbers of tokens, and which."""
    leaks_refusal: bool = False
    """Whether a refusal looks like an answer, though there is more than a text."""
    refusal: str | None = None
    """The kind of its texts that is a refusal alone; None if it shows none apart."""
    keeps: frozenset[str] = frozenset()
    """The kinds of `Truth.kept` that it shows."""
    has_logprobs: bool = False
    """Whether it shows the log probabilities of tokens."""
    has_ids: bool = False
    """Whether it shows the ids that calls were sent with."""

    def claims(self, shown: Mapping[str, str]) -> dict[str, str]:
        """Return what of the endings is the consumer's own word for a whole answer.

        A reason that is passed on differs between an answer and calls for tools.
        """
        stop, calls = (self.by_meaning.get(m, {}) for m in ("stop", "tool_calls"))
        return {k: v for k, v in shown.items() if stop.get(k) == calls.get(k) == v}


def learn_endings(outcomes: Mapping[str, tuple[Truth, Outcome]]) -> Endings:
    """Learn it from what was made of the plain streams, by name."""
    by_meaning: dict[str, Mapping[str, str]] = {}
    counts: dict[str, str] = {}
    for name, (truth, got) in outcomes.items():
        if got.raised is not None:
            continue
        if name in {"content", "calls", "length"}:
            by_meaning[truth.meaning] = got.endings
        for shown, count in got.counts.items():
            kind = _kind_of_count(shown, count, truth)
            if truth.counts and kind is not None:
                counts[shown] = kind
    content = outcomes["content"][1]
    refused, refusal = outcomes.get("refusal", (None, None))
    leaks = (
        refusal is not None
        and bool(content.endings)
        and (refusal, refusal.endings) == (content, content.endings)
    )
    apart = None
    if refused is not None and refusal is not None:
        kind = kind_of(refusal.texts, refused.refusal)
        apart = kind if kind not in content.texts else None
    return Endings(
        by_meaning,
        counts,
        leaks,
        apart,
        keeps=frozenset(
            kind
            for truth, got in outcomes.values()
            for kind, kept in truth.kept
            if _shows(got, kept)
        ),
        has_logprobs=any({*t.logprobs} & {*o.logprobs} for t, o in outcomes.values()),
        has_ids=any(  # also those of calls' items, which no result may name
            {i for i in got.ids if i.startswith("fc_")} | ({*truth.ids} & {*got.ids})
            for truth, got in outcomes.values()
        ),
    )


def _shows(got: Outcome, kept: str) -> bool:
    return any(kept in one for one in (*(got.signatures or ()), *got.texts.values()))


def _in_order(truth: Truth, got: Outcome) -> bool:
    """Return whether all log probabilities are shown; some are shown once more."""
    left = iter(got.logprobs)
    return all(number in left for number in truth.logprobs)


def kind_of(texts: Mapping[str, str], wanted: str) -> str | None:
    """Return the kind of a text, also if it comes twice, which is a defect."""
    held = texts.items()
    return next(
        (k for k, t in held if t and t == wanted * (len(t) // len(wanted))), None
    )


def _kind_of_count(shown: str, count: int, truth: Truth) -> str | None:
    name = shown.rpartition(".")[2].lower()
    for word in _NO_PART_OF_NAMES:
        name = name.replace(word, "")
    named = [kind for kind, names in _COUNTS.items() if name in names]
    equal = [kind for kind, value in truth.counts.items() if value == count]
    # A wrong number has the right name all the same.
    kinds = named or (equal if len(equal) == 1 else [])
    return kinds[0] if kinds else None


def differing(
    endings: Endings, truth: Truth, got: Outcome, fed: FuzzInput
) -> tuple[str, dict[str, str], dict[str, str]] | None:
    """Compare what is shown beside texts and calls with what arrived.

    Returns:
        What differs, what should have been shown and what was, by field; None if
        nothing does.
    """
    for shown, expected in _expected_endings(endings, truth).items():
        if got.endings.get(shown) != expected:
            return (
                f"differs in how it ended, {shown!r}",
                {shown: expected},
                {shown: got.endings.get(shown, "nothing")},
            )
    for shown, kind in endings.counts.items():
        number, count = truth.counts.get(kind), got.counts.get(shown)
        if truth.is_sound and number is not None and number != count:
            return (
                f"differs in the number of tokens, {shown!r}",
                {shown: f"{number}, as sent last"},
                {shown: "nothing" if count is None else str(count)},
            )
    for kind, kept in truth.kept if truth.is_ended else ():
        is_place = got.signatures is not None or endings.keeps & SIGNED
        is_signed = kind in SIGNED and is_place
        if (is_signed or kind in endings.keeps) and not _shows(got, kept):
            what = "signature" if kind in SIGNED else "citation"
            return f"loses a {what}", {f"({what})": kept}, {f"({what})": "nothing"}
    if endings.has_logprobs and truth.is_sound and not _in_order(truth, got):
        shown, expected = str(list(got.logprobs)), str(list(truth.logprobs))
        return "loses logprobs", {"logprobs": expected}, {"logprobs": shown}
    what = "(id of a call)"
    sent = str(api_payloads(fed)) if got.ids_again else ""
    if truth.is_sound and any(f"id': {i!r}" not in sent for i in got.ids_again):
        return "shows one id of two calls", {what: "another"}, {what: got.ids_again[0]}
    others = [one for one in got.ids if one not in truth.ids]
    late = truth.late_ids if others else ()
    lost = [one for one in truth.ids if one not in got.ids and one not in late]
    if endings.has_ids and truth.is_sound and lost:
        shown = others[0] if others else "nothing"
        return "loses the id of a call", {what: lost[0]}, {what: shown}
    return None


def _expected_endings(endings: Endings, truth: Truth) -> Mapping[str, str]:
    if truth.refusal or not (truth.text or truth.calls):
        return {}
    if truth.meaning == "length":
        shown = endings.by_meaning.get("length", {})
        # That it looks like a complete one is another relation's matter.
        return {} if shown == endings.by_meaning.get("stop") else shown
    is_clear = truth.is_sound and (truth.meaning == "tool_calls") == bool(truth.calls)
    return endings.by_meaning.get(truth.meaning, {}) if is_clear else {}


def truncation(judge: Judge, fed: FuzzInput) -> Failure | None:
    """End an answer otherwise, and look whether the consumer shows that it did."""
    expected = judge.run(fed)
    if expected.raised is not None or not expected.endings:
        return None
    for kind, note, broken in broken_ends(fed, judge.api):
        if broken == fed or not broken:
            continue
        got = judge.run(broken)
        shown = got.endings
        if kind == _UNPROVEN:
            expected_claims = judge.beside().claims(expected.endings)
            shown = {k: v for k, v in expected_claims.items() if shown.get(k) == v}
            is_same = bool(shown) and shown == expected_claims
        else:
            is_same = _is_the_same_end(kind, got, expected)
        if got.raised is not None or not is_same:
            continue  # it shows none, or shows that this one is missing
        return Failure(
            "truncation",
            kind,
            broken,
            replace(got, texts={**got.texts, **shown}),
            replace(got, texts={**got.texts, **dict.fromkeys(shown, _OTHER)}),
            reference=fed,
            base=fed,
            note=note,
        )
    return None


_OTHER = "anything else, or an exception"
_CUT_OFF = "shows an answer that was cut off as complete"
_FILTERED = "shows an answer that was filtered as complete"
_UNPROVEN = "is shown as complete without message_stop"


def _is_the_same_end(kind: str, got: Outcome, expected: Outcome) -> bool:
    if kind in {_CUT_OFF, _FILTERED}:
        # That the stream is over, as a flag shows, is right of this one, too.
        flags = {"True", "False", "shown"}
        words = {k: v for k, v in expected.endings.items() if v not in flags}
        return bool(words) and all(got.endings.get(k) == v for k, v in words.items())
    is_more_shown = bool(got.texts.keys() - expected.texts.keys())
    return got.endings == expected.endings and not is_more_shown


def broken_ends(fed: FuzzInput, api: str) -> Iterator[tuple[str, str, FuzzInput]]:
    """Yield what to call it if it is not noticed, why, and the input, if any."""
    if not fed or isinstance(fed[0], str):
        return
    note = "the event that ends the answer never came"
    yield "is shown as complete", note, without_end(fed, api)
    for errored in _errored(fed, api):
        note = "the server reported an error and ended the stream"
        yield "shows an error as complete", note, errored
    note = "the model was cut off: the answer ended for want of tokens"
    yield _CUT_OFF, note, _ended_as(fed, api, _CUT_ENDS)
    if api == "responses":  # as some servers do, without a reason
        yield _CUT_OFF, note, _ended_as(fed, api, _CUT_ENDS._replace(responses=""))
    note = "a filter ended the answer"
    yield _FILTERED, note, _ended_as(fed, api, _FILTERED_ENDS)
    if api == "anthropic":
        # The reason came and may be passed on, as the vendor's SDK does; that the
        # answer is complete is proven by the last event alone.
        note = "message_stop, which proves that an answer is complete, never came"
        yield _UNPROVEN, note, _unproven(fed)


def like(fed: FuzzInput, payloads: FuzzInput, api: str) -> FuzzInput:
    """Return payloads in the form of an input of an API."""
    is_bytes = bool(fed) and isinstance(fed[0], bytes)
    return tuple(event_bytes(payloads, api)) if is_bytes else payloads


def _failed(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the terminal event of a Responses answer as one that failed."""
    error = {"code": "server_error", "message": _OVERLOADED}
    response = {**payload.get("response", {}), "status": "failed", "error": error}
    return {**payload, "type": "response.failed", "response": response}


_OVERLOADED = "The server is overloaded."
_ERRORS: dict[str, dict[str, Any]] = {
    "chat": {"error": {"message": _OVERLOADED, "type": "server_error", "code": 503}},
    "responses": {"type": "error", "code": "server_error", "message": _OVERLOADED},
    "anthropic": {
        "type": "error",
        "error": {"type": "overloaded_error", "message": _OVERLOADED},
    },
    "gemini": {"error": {"code": 503, "message": _OVERLOADED, "status": "UNAVAILABLE"}},
}


def _errored(fed: FuzzInput, api: str) -> Iterator[FuzzInput]:
    payloads = api_payloads(fed)
    begun = without_end(payloads, api)
    yield like(fed, (*begun, _ERRORS[api]), api)
    if api == "chat":  # as OpenRouter sends it
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
        yield like(fed, (*begun, {**_ERRORS[api], "choices": [choice]}), api)
    if api == "responses" and len(begun) < len(payloads):
        yield like(fed, (*begun, _failed(payloads[len(begun)])), api)


class _Ends(NamedTuple):
    """The reasons of an answer that ended in some way, by API."""

    chat: str
    gemini: str
    anthropic: str
    responses: str


_CUT_ENDS = _Ends("length", "MAX_TOKENS", "max_tokens", "max_output_tokens")
_FILTERED_ENDS = _Ends("content_filter", "SAFETY", "refusal", "content_filter")


def _ended_as(fed: FuzzInput, api: str, ends: _Ends) -> FuzzInput:
    if not truth_of(fed, "", api).text:
        return ()
    payloads = (_payload_ended_as(one, ends) for one in api_payloads(fed))
    return like(fed, tuple(payloads), api)


def _payload_ended_as(payload: dict[str, Any], ends: _Ends) -> dict[str, Any]:
    changed = dict(payload)
    for among, key, reason in (
        ("choices", "finish_reason", ends.chat),
        ("candidates", "finishReason", ends.gemini),
    ):
        if isinstance(choices := payload.get(among), list):
            changed[among] = [
                {**choice, key: reason} if choice.get(key) else choice
                for choice in choices
            ]
    if payload.get("type") == "message_delta":
        changed["delta"] = {**payload["delta"], "stop_reason": ends.anthropic}
    if payload.get("type") == "response.completed":
        details = {"reason": ends.responses} if ends.responses else None
        ended = {"status": "incomplete", "incomplete_details": details}
        changed["type"] = "response.incomplete"
        changed["response"] = {**payload.get("response", {}), **ended}
    return changed


def _unproven(fed: FuzzInput) -> FuzzInput:
    payloads = api_payloads(fed)
    kept = tuple(p for p in payloads if p.get("type") != "message_stop")
    return like(fed, kept, "anthropic") if len(kept) < len(payloads) else ()


def without_end(fed: FuzzInput, api: str) -> FuzzInput:
    """Return an input without what tells why it ended, and all after that."""
    if not fed or isinstance(fed[0], str):
        return fed
    for length in range(len(fed) - 1, -1, -1):
        truth = truth_of(fed[:length], "", api)
        if not (truth.is_ended or truth.finish):
            return fed[:length]
    return ()
