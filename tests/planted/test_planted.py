"""Every planted bug is found in seconds from the stock, and shrunk to a few lines.

The time is counted as CPU time of this process, so that a busy machine fails nothing.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from harness.fuzz.campaign import Campaign
from harness.fuzz.checking import check, judge_of, offered
from harness.fuzz.consumers import Wanted
from harness.fuzz.example_runner import Level
from harness.fuzz.findings import Plan, _LateError, shrunk
from harness.fuzz.odd_values import odd_streams
from harness.fuzz.reporting import pytest_of
from harness.fuzz.shrinking import shrink
from harness.fuzz.stock_streams import stock_streams
from tests.planted import (
    api_bugs,
    carried,
    emitted,
    events,
    guesses,
    handlers,
    reported,
    returned,
    right_attributes,
    right_styles,
    shapes,
    shown,
    streams,
    unseen,
)

if TYPE_CHECKING:
    from harness.fuzz.relations import Failure

_SECONDS = 10.0
_MOST_FRAGMENTS = 6
_MOST_CHUNKS = 4
_SLOW_EXAMPLES = 300  # a minute at five examples a second
_SLOW_TRIES = 75  # in the quarter of a minute that shrinking is given
_APIS = ("responses", "anthropic", "gemini")
_LONG = {"SortsItemsAsText", "TruncatesLate", "line_of_1m"}
"""Those that take a second each; `SortsAsText`, `Truncates` and `line_of_64k` are as
they are, only smaller."""


@dataclass(frozen=True)
class Planted:
    """A consumer, and what the finding must be about."""

    target: object
    shows: str
    """A word of the kind of failure."""
    arrived: str = ""
    """What the shrunk input must still have in it; empty if anything does."""

    @property
    def id(self) -> str:
        """Its name."""
        return str(getattr(self.target, "__name__", self.target))


HANDLERS = [
    Planted(handlers.SplitEscape, "text", "\\"),
    Planted(handlers.LostSurrogate, "text", "\\u"),
    Planted(handlers.HalfPairs, "text", "\\u"),
    Planted(handlers.RawEscapes, "text", "\\"),
    Planted(handlers.KeyBeginsWith, "text", "message"),
    Planted(handlers.KeyInside, "text", "message"),
    Planted(handlers.KeyInText, "text", "message"),
    Planted(handlers.TrimsFragments, "text", " "),
    Planted(handlers.CrashesOnBroken, "raises json.decoder.JSONDecodeError"),
]
STREAMS = [
    Planted(streams.GluesCalls, "calls", "tool_calls"),
    Planted(streams.GluesAtOneIndex, "calls", "tool_calls"),
    Planted(streams.FirstEntryOnly, "calls", "tool_calls"),
    Planted(streams.FirstChoice, "raises IndexError", "'choices': []"),
    Planted(streams.UsageCrash, "raises IndexError", "usage"),
    Planted(streams.DoublesNames, "names of calls", "tool_calls"),
    Planted(streams.LastNamePiece, "names of calls", "tool_calls"),
    Planted(streams.DropsContent, "'content'", "tool_calls"),
    Planted(streams.NullArguments, "raises TypeError", "'arguments': None"),
    Planted(streams.NullIndex, "raises", "tool_calls"),
    Planted(streams.IndexIsPosition, "", "tool_calls"),
    Planted(streams.NullDelta, "raises AttributeError", "'delta': None"),
    Planted(streams.FinishDropsTail, "", "finish_reason"),
    Planted(streams.StripsPieces, "'content'", " "),
    Planted(streams.ArgumentsPerFragment, "raises json", "tool_calls"),
    Planted(streams.TextListCrash, "raises TypeError", "'type': 'text'"),
]
BYTES = [
    Planted(streams.decodes_each_read, "'content'"),
    Planted(streams.event_per_read, ""),
    Planted(streams.comment_is_json, "raises json"),
    Planted(streams.needs_done, ""),
    Planted(shown.line_is_event, "'text'"),
    Planted(shown.last_line_lost, "'text'"),
]
RIGHT = [
    handlers.Reparsing,
    handlers._Scanner,
    streams.Reader,
    streams.right,
    streams.right_async,
    streams.right_events,
    streams.right_bytes,
]


def _rows(*rows: tuple[object, Any]) -> list[Any]:
    """Return the rows of a table of targets, those that take long as slow tests."""
    names = [str(getattr(target, "__name__", "")) for target, _ in rows]
    return [
        pytest.param(*row, marks=[pytest.mark.slow] * (name in _LONG))
        for name, row in zip(names, rows, strict=True)
    ]


def _fuzz(
    target: object,
    *,
    examples: int | None = None,
    seed: int = 0,
    apis: tuple[str, ...] = (),
) -> Campaign:
    wanted = Wanted(Level.CHUNKS, apis=apis) if apis else Wanted()
    judge = judge_of(target, wanted)
    time_s = None if examples else 5 * _SECONDS
    plan = Plan(offered(judge), seed=seed, max_examples=examples, time_s=time_s)
    campaign = Campaign(judge, plan)
    campaign.run()
    return campaign


def _found(planted: Planted) -> Failure:
    start = time.process_time()
    campaign = _fuzz(planted.target)
    seconds = time.process_time() - start
    assert seconds < _SECONDS
    assert all(not name.startswith("made") for name in campaign.tried.streams)
    (failure,) = campaign.failures
    assert planted.shows in failure.kind
    assert planted.arrived in repr(failure.arrived)
    return failure


@pytest.mark.parametrize("planted", HANDLERS, ids=lambda p: p.id)
def test_handler_bug_is_found_and_shrunk(planted: Planted) -> None:
    """A bug in an argument handler comes down to at most six fragments."""
    failure = _found(planted)
    assert len(failure.arrived) <= _MOST_FRAGMENTS
    assert len("".join(failure.arrived)) <= 40
    with pytest.raises(AssertionError, match=failure.relation):
        check(planted.target, failure.arrived, relation=failure.relation)


@pytest.mark.parametrize("planted", STREAMS, ids=lambda p: p.id)
def test_stream_bug_is_found_and_shrunk(planted: Planted) -> None:
    """A bug in a consumer of chunks comes down to at most four chunks."""
    failure = _found(planted)
    assert len(failure.arrived) <= _MOST_CHUNKS
    arrived = failure.arrived if failure.base is None else failure.base
    with pytest.raises(AssertionError, match=failure.relation):
        check(
            planted.target,
            arrived,
            relation=failure.relation,
            fault=failure.fault or None,
        )


@pytest.mark.parametrize("planted", BYTES, ids=lambda p: p.id)
def test_bytes_bug_is_found_and_shrunk(planted: Planted) -> None:
    """A bug in a consumer of bytes comes down to at most four reads."""
    failure = _found(planted)
    assert len(failure.arrived) <= _MOST_CHUNKS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "apis"),
    _rows(
        *((target, ()) for target in (*shapes.SHAPES, *shown.CHAT)),
        *((target, ()) for target in (*unseen.CHUNKS, *reported.CHUNKS)),
        *((target, ()) for target in (*carried.CHUNKS, *returned.CHUNKS)),
        *((target, ()) for target in emitted.CHUNKS),
        *((target, (api,)) for target, api in (*shown.OF_APIS, *unseen.OF_APIS)),
        *((target, (api,)) for target, api in (*carried.OF_APIS, *emitted.OF_APIS)),
        *((target, (api,)) for target, api in returned.OF_APIS),
        *((target, (api,)) for target, api in reported.OF_APIS),
        *guesses.GUESSES,
        *((target, ("responses",)) for target in api_bugs.RESPONSES),
        *((target, ("anthropic",)) for target in api_bugs.ANTHROPIC),
        *((target, ("gemini",)) for target in api_bugs.GEMINI),
        *((target, _APIS) for target in api_bugs.TRANSLATING),
    ),
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bug_is_found_within_the_examples_of_a_slow_consumer(
    target: object, apis: tuple[str, ...]
) -> None:
    """At five examples a second a minute is enough, and four events show it."""
    campaign = _fuzz(target, examples=_SLOW_EXAMPLES, apis=apis)
    (failure,) = campaign.failures
    assert len(failure.arrived) <= _MOST_CHUNKS
    arrived = failure.arrived if failure.base is None else failure.base
    with pytest.raises(AssertionError, match=failure.relation):
        check(
            target,
            arrived,
            relation=failure.relation,
            level="chunks",
            api=",".join(apis) or None,
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "apis"),
    [
        (shapes.TagsInOnePiece, ()),
        (unseen.SortsAsText, ()),
        (api_bugs.LosesTextBesideCalls, _APIS),
        (api_bugs.ReversesCalls, _APIS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bug_of_a_slow_consumer_is_small_in_time(
    target: object, apis: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes the most tries has four events after those that a slow one gets."""
    monkeypatch.setattr(
        "harness.fuzz.campaign.shrunk", lambda _, failure, *__, **___: failure
    )
    judge = judge_of(target, Wanted(Level.CHUNKS, apis=apis))
    campaign = Campaign(judge, Plan(offered(judge), max_examples=_SLOW_EXAMPLES))
    (failure,) = campaign.run()
    run, runs = judge.consumer.run, count(1)

    def until_it_is_late(*args: Any, **named: Any) -> Any:
        if next(runs) == _SLOW_TRIES:
            raise _LateError
        return run(*args, **named)

    monkeypatch.setattr(judge.consumer, "run", until_it_is_late)
    monkeypatch.setattr(judge, "with_uncut", lambda failure: failure)
    assert len(shrunk(judge, failure).arrived) <= _MOST_CHUNKS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "api"),
    _rows(*((target, "chat") for target in unseen.BYTES), *reported.BYTES),
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bug_of_bytes_is_found_within_the_examples_of_a_slow_consumer(
    target: object, api: str
) -> None:
    """What a line may hold, and how long it may be."""
    judge = judge_of(target, Wanted(Level.BYTES, apis=(api,)))
    campaign = Campaign(judge, Plan(offered(judge), max_examples=_SLOW_EXAMPLES))
    (failure,) = campaign.run()
    assert len(failure.arrived) <= _MOST_CHUNKS


def test_finding_of_messages_keeps_the_start_of_its_block() -> None:
    """Shrunk to a delta without one, it would be another finding."""
    (failure,) = _fuzz(carried.LastCitation, apis=("anthropic",)).failures
    assert failure.kind == "loses a citation"
    kinds = [payload["type"] for payload in failure.arrived]
    assert kinds.index("content_block_start") < kinds.index("content_block_delta")


@pytest.mark.slow
def test_limit_of_events_is_found_in_few_tries() -> None:
    """It cannot come down to fewer events than the limit, and does not try long."""
    (failure,) = _fuzz(unseen.SmallQueue, examples=_SLOW_EXAMPLES).failures
    assert "queue.Full" in failure.kind
    assert 1000 < len(failure.arrived) < 1100
    assert f"it takes about {len(failure.arrived)} events" in failure.note


def test_what_shows_the_first_of_two_calls_only_is_not_silent() -> None:
    """It is a finding, and no target that cannot be fuzzed."""
    judge = judge_of(unseen.CallOnNext, Wanted(Level.CHUNKS, apis=("responses",)))
    assert judge.learn().calls
    assert not judge.learn().is_silent


def test_long_text_is_short_in_a_test_to_paste() -> None:
    """As the expression that makes the same text."""
    (failure,) = _fuzz(unseen.Truncates, examples=_SLOW_EXAMPLES).failures
    source = pytest_of(failure, "chunks", "tests.planted.unseen:Truncates")
    assert len(source.splitlines()) < 40
    held: dict[str, object] = {}
    exec(source, held)
    assert held["ARRIVED"] == [*failure.arrived]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # of the SDKs, about odd fields
@pytest.mark.parametrize(
    "examples",
    [200, pytest.param(5000, marks=pytest.mark.campaign)],  # two minutes each
)
@pytest.mark.parametrize(
    ("target", "level", "form", "apis"),
    [*right_styles.STYLES, *right_attributes.STYLES],
)
def test_right_consumer_in_another_style_is_not_reported(
    target: object, level: str, form: str | None, apis: tuple[str, ...], examples: int
) -> None:
    """Whatever it is fed with and however it shows what came."""
    judge = judge_of(target, Wanted(Level(level), form, apis=apis))
    assert Campaign(judge, Plan(offered(judge), max_examples=examples)).run() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "api"),
    [
        *((target, "chat") for target in (*shown.RIGHT, *reported.RIGHT)),
        *((target, "chat") for target in emitted.RIGHT),
        *(*carried.RIGHT, *returned.RIGHT),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_consumer_shows_besides_is_left_alone(target: object, api: str) -> None:
    """Ends, counters, errors of its own and marked arguments are no differences."""
    campaign = _fuzz(target, examples=400, apis=() if api == "chat" else (api,))
    assert campaign.failures == []
    assert campaign.tried.is_complete


def test_what_a_dialect_cannot_carry_is_not_compared() -> None:
    """OpenAI's has no log probabilities: what they come to may well differ."""
    arrived = stock_streams()["cited"]
    check(carried.Confidence, arrived, relation="dialect-invariance")
    with pytest.raises(AssertionError, match="loses logprobs"):
        check(carried.LastLogprobs, arrived, relation="agreement")


def test_fields_of_one_provider_are_passed_on() -> None:
    """OpenAI's form of the same has none of them."""
    detail = {"type": "reasoning.text", "text": "Hm.", "format": "unknown", "index": 0}
    delta = {"reasoning": "Hm.", "reasoning_details": [detail]}
    choice = {"index": 0, "delta": delta, "finish_reason": "stop"}
    arrived = [{"id": "1", "object": "chat.completion.chunk", "choices": [choice]}]
    check(returned.Completion, arrived, relation="dialect-invariance")


def test_calls_of_a_message_need_no_ids() -> None:
    """Each is whole where it is returned, also if it has no arguments."""
    calls = [
        {"index": n, "id": f"call_{n}", "function": {"name": name, "arguments": ""}}
        for n, name in enumerate("td")
    ]
    choice = {"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}
    arrived = [{"id": "1", "object": "chat.completion.chunk", "choices": [choice]}]
    check(returned.Bare, arrived, relation="agreement")


def test_id_that_comes_late_opens_no_call_of_ours() -> None:
    """Our interface names the call before, and adds the id when it has come."""
    arrived = odd_streams()["id comes late and is empty then"]
    check("streaming", arrived, relation="agreement")


def test_beginning_of_a_tag_is_text_where_nothing_follows() -> None:
    """What returns a value at the end cannot know that more would have come."""
    arrived = odd_streams()["think tags in pieces"]
    check(returned.Thoughts, arrived, relation="prefix-safety")


def test_ids_that_a_consumer_makes_up_are_not_compared() -> None:
    """They look like those of many servers, but not like those of the plain streams."""
    arrived = json.loads(json.dumps(stock_streams()["call"]).replace("call_1", "one"))
    check(returned.OwnIds, arrived, relation="agreement")
    with pytest.raises(AssertionError, match="loses the id of a call"):
        check(returned.NoIds, arrived, relation="agreement")


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        (shown.RefusalIsText, "the refusal is shown as the answer's text"),
        (shown.ReasoningIsText, "the reasoning is shown as the answer's text"),
        (shown.BrokenIsEmpty, "its arguments are lost"),
        (returned.NoArguments, "its arguments are lost"),
        (shown.CalledTwice, "one call is shown as several"),
        (streams.decodes_each_read, "bytes are decoded before the characters"),
    ],
)
def test_likely_cause_is_named(target: object, cause: str) -> None:
    """What went wrong is in words beside what differs."""
    (failure,) = _fuzz(target, examples=_SLOW_EXAMPLES).failures
    assert failure.cause.startswith(cause)


@pytest.mark.parametrize(
    ("target", "api", "kind"),
    [
        (returned.EmptyIdWins, "chat", "loses the id of a call"),
        (returned.IdOfOpener, "chat", "loses the id of a call"),
        (returned.WithoutSignature, "chat", "loses a signature"),
        (returned.LegacyNull, "chat", "raises TypeError"),
        (returned.IdOfDeltas, "anthropic", "loses the id of a call"),
        (returned.NullWins, "anthropic", "in the number of tokens"),
        (returned.FinishWithParts, "gemini", "in how it ended, 'finishReason'"),
    ],
)
def test_what_the_next_request_must_return_is_named(
    target: object, api: str, kind: str
) -> None:
    """A client that lost it is refused by the server, one turn later."""
    apis = () if api == "chat" else (api,)
    (failure,) = _fuzz(target, examples=_SLOW_EXAMPLES, apis=apis).failures
    assert kind in failure.kind


def test_second_done_is_found() -> None:
    """What only bytes show is tried on consumers of bytes."""
    judge = judge_of(shapes.done_once, Wanted(Level.BYTES))
    campaign = Campaign(judge, Plan(offered(judge), max_examples=_SLOW_EXAMPLES))
    (failure,) = campaign.run()
    assert "KeyError" in failure.kind


@pytest.mark.slow
@pytest.mark.parametrize(
    "examples",
    [2000, pytest.param(6000, marks=pytest.mark.campaign)],  # a minute each
)
@pytest.mark.parametrize(
    ("target", "apis"),
    [
        (events.ResponsesReader, ("responses",)),
        (events.AnthropicReader, ("anthropic",)),
        (guesses.Proven, ("anthropic",)),
        (reported.calls_at_their_end, ("responses",)),
        (events.GeminiReader, ("gemini",)),
        (api_bugs.Bridge, _APIS),
        (api_bugs.Bridge, ("gemini", "responses", "anthropic")),
    ],
)
def test_right_consumer_of_any_api_is_not_reported(
    target: object, apis: tuple[str, ...], examples: int
) -> None:
    """Written from the documents of an API, it reads all its dialects."""
    assert _fuzz(target, examples=examples, apis=apis).failures == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "times",
    [1, pytest.param(2, marks=pytest.mark.campaign)],  # half a minute each
)
@pytest.mark.parametrize("target", RIGHT, ids=lambda t: t.__name__)
def test_right_consumer_is_not_reported(target: object, times: int) -> None:
    """A consumer that is right, or only slow, survives whatever is tried.

    The stock has been tried once by the given number of examples.
    """
    is_handler = target in {handlers.Reparsing, handlers._Scanner}
    enough = 4_500 if is_handler else 700
    campaign = _fuzz(target, examples=enough if times == 1 else 9_000)
    assert campaign.failures == []
    assert campaign.tried.is_complete


def test_state_kept_between_runs_is_found() -> None:
    """A function that remembers the run before it does not say the same twice."""
    assert _fuzz(streams.keeps_state).failures


def test_same_seed_finds_the_same() -> None:
    """Two campaigns with one seed try and find the same, in the same order."""
    runs = [_fuzz(streams.GluesAtOneIndex, seed=7) for _ in range(2)]
    assert runs[0].failures == runs[1].failures
    assert runs[0].tried.examples == runs[1].tried.examples


def test_shrinking_stops_after_its_tries() -> None:
    """The number of inputs that shrinking tries is bounded."""
    tries = 0

    def fails(_arrival: tuple[str, ...]) -> bool:
        nonlocal tries
        tries += 1
        return tries % 2 == 0

    shrink(tuple('{"message": "' + "ab " * 200 + '"}'), fails, "message", tries=50)
    assert tries <= 50
