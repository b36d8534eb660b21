"""The agent loop: what an interface is told, in which order, with which records."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.agents.letta.queuing import QueuingInterface
from harness.apis.varied import Variation
from harness.engine.adapters import ListAdapter
from harness.engine.agent import AgentLoop
from harness.engine.agent_options import AgentOptions
from harness.engine.replay import replay
from harness.errors import NothingToReplayError
from tests.engine.made import (
    DATE,
    Spy,
    asked,
    call,
    cassette,
    chunk,
    exchange,
    finish,
    result,
    sse,
    text,
    user,
    whole,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette
    from harness.engine.transcript import Diagnostic, Transcript

WEATHER = ("c1", "weather", '{"city": "Rome"}')
ASK = [user("hi")]


def told(made: Cassette, **options: Any) -> tuple[list[str], Transcript]:
    """Return what an interface was told, and the transcript."""
    spy = Spy()
    transcript = replay(made, spy, **options)
    assert transcript.messages == spy.notes
    return spy.notes, transcript


def steps(notes: list[str]) -> list[str]:
    """Return the notes without those of the chunks."""
    return [n for n in notes if n not in {"start", "chunk", "end"}]


def kinds(transcript: Transcript) -> list[str]:
    """Return the kinds of the diagnostics."""
    return [str(d.kind) for d in transcript.diagnostics]


def with_calls(
    *calls: tuple[str, str, str], results: list[dict[str, Any]] | None = None
) -> Cassette:
    """Return one response with calls, and the answer to a request with results."""
    fragments = [
        call(arguments, index=n, call_id=i, name=name)
        for n, (i, name, arguments) in enumerate(calls)
    ]
    first = exchange(sse(*fragments, finish("tool_calls")), ASK)
    if results is None:
        return cassette(first)
    second = exchange(sse(text("ok"), finish()), [*ASK, asked(*calls), *results])
    return cassette(first, second)


def test_one_step_comes_in_the_order_of_an_agent() -> None:
    """Chunks, thoughts, the call with its result, the end of the step, the end."""
    made = cassette(
        exchange(
            sse(
                text("Let me "),
                text("look."),
                call("", call_id="c1", name="weather"),
                call('{"city": "Rome"}'),
                finish("tool_calls"),
            ),
            ASK,
        ),
        exchange(
            sse(text("Sunny."), finish()), [*ASK, asked(WEATHER), result("c1", "21°")]
        ),
    )
    notes, transcript = told(made)
    assert notes == [
        "start",
        *["chunk"] * 5,
        "end",
        "thought Let me look.",
        "Running weather({'city': 'Rome'})",
        "Ran weather({'city': 'Rome'})",
        "Success: 21°",
        "step",
        "start",
        *["chunk"] * 2,
        "end",
        "thought Sunny.",
        "step",
        "yield",
    ]
    assert transcript.diagnostics == []


def test_answer_function_speaks_between_running_and_ran() -> None:
    """The assistant function's text is said; it succeeds without a recorded result."""
    notes, transcript = told(
        with_calls(("a", "send_message", '{"message": "Hi \\u2603"}'))
    )
    assert steps(notes) == [
        "Running send_message({'message': 'Hi ☃'})",
        "says Hi ☃",
        "Ran send_message({'message': 'Hi ☃'})",
        "Success: None",
        "step",
        "yield",
    ]
    assert transcript.diagnostics == []


def test_answer_function_with_a_recorded_result_shows_it() -> None:
    """What the recording holds goes before what an agent would have returned."""
    answer = ("a", "send_message", '{"message": "Hi"}')
    notes, _ = told(with_calls(answer, results=[result("a", "delivered")]))
    assert "Success: delivered" in notes
    assert "Success: None" not in notes


def test_answer_function_without_its_argument_says_nothing() -> None:
    """A call that lacks the argument is still shown, and nothing is said."""
    notes, _ = told(with_calls(("a", "send_message", '{"text": "Hi", "message": 3}')))
    assert steps(notes)[:2] == [
        "Running send_message({'text': 'Hi', 'message': 3})",
        "Ran send_message({'text': 'Hi', 'message': 3})",
    ]


def test_configured_answer_function_is_the_one_that_speaks() -> None:
    """The function's and the argument's names are the options'."""
    options = AgentOptions(assistant_function="weather", assistant_argument="city")
    notes, transcript = told(with_calls(WEATHER), options=options)
    assert "says Rome" in notes
    assert "Success: None" in notes
    assert transcript.diagnostics == []


def test_several_calls_run_in_order_with_their_own_results() -> None:
    """Results are found by id, wherever they stand."""
    calls = [("x", "f", '{"n": 1}'), ("y", "f", '{"n": 2}'), ("z", "g", "{}")]
    results = [result("z", "Z"), result("x", "X"), result("y", "Y")]
    notes, transcript = told(with_calls(*calls, results=results))
    assert steps(notes)[:10] == [
        "Running f({'n': 1})",
        "Ran f({'n': 1})",
        "Success: X",
        "Running f({'n': 2})",
        "Ran f({'n': 2})",
        "Success: Y",
        "Running g({})",
        "Ran g({})",
        "Success: Z",
        "step",
    ]
    assert transcript.diagnostics == []


def test_missing_result_is_an_error_return_and_a_diagnostic() -> None:
    """A call whose result was not recorded says so, in the stream and beside it."""
    notes, transcript = told(with_calls(WEATHER))
    problem = "the result of weather (c1) was not recorded"
    assert steps(notes) == [
        "Running weather({'city': 'Rome'})",
        "Ran weather({'city': 'Rome'})",
        f"Error: {problem}",
        "step",
        "yield",
    ]
    assert [(d.kind.value, d.exchange, d.text) for d in transcript.diagnostics] == [
        ("unrecorded-result", 0, problem)
    ]


@pytest.mark.parametrize(
    "content",
    ['{"status": "Failed", "message": "x"}', '{"error": "boom"}', ' {"error": {}}'],
)
def test_recorded_error_takes_the_error_path_verbatim(content: str) -> None:
    """A failed status or an error marker in the result's JSON is an error."""
    notes, _ = told(with_calls(WEATHER, results=[result("c1", content)]))
    assert f"Error: {content}" in notes


MALFORMED = [
    pytest.param(
        ['{"city": ', '"Ro', 'me" x}'], 3, 16, "expected ',' or '}'", id="junk"
    ),
    pytest.param(['{"city": ', '"Ro'], 2, 12, "got the end", id="cut off"),
    pytest.param(['["Rome"]'], 1, 0, "expected '{'", id="a list"),
    pytest.param(["{}", " ", "{}"], 3, 3, "expected", id="a second object"),
]


@pytest.mark.parametrize(("pieces", "where", "offset", "said"), MALFORMED)
def test_malformed_arguments_are_shown_then_an_error(
    pieces: list[str], where: int, offset: int, said: str
) -> None:
    """The call stays visible with its raw text; the diagnostic names the place."""
    fragments = [call("", call_id="c1", name="weather"), *map(call, pieces)]
    notes, transcript = told(cassette(sse(*fragments, finish("tool_calls"))))
    assert steps(notes) == [
        f"Running weather({''.join(pieces)})",
        "Error: the arguments are not a JSON object",
        "step",
        "yield",
    ]
    (found,) = transcript.diagnostics
    assert (found.kind.value, found.exchange, found.chunk, found.char_offset) == (
        "malformed-arguments",
        0,
        where,
        offset,
    )
    assert said in found.text
    assert "call 0 to 'weather'" in found.text


def test_malformed_arguments_of_one_call_leave_the_others_alone() -> None:
    """Interleaved calls are followed each by itself."""
    made = cassette(
        sse(
            call('{"a": ', index=0, call_id="x", name="f"),
            call('{"b": ', index=1, call_id="y", name="g"),
            call("1}", index=0),
            call("oops", index=1),
            call(" more", index=1),
            finish("tool_calls"),
        )
    )
    notes, transcript = told(made)
    assert "Running f({'a': 1})" in notes
    assert 'Running g({"b": oops more)' in notes
    found = [d for d in transcript.diagnostics if d.char_offset is not None]
    assert [(d.chunk, d.char_offset) for d in found] == [(3, 6)]
    assert "call 1 to 'g'" in found[0].text


@pytest.mark.parametrize("arguments", ["", None])
def test_empty_and_null_arguments_mean_an_empty_object(arguments: str | None) -> None:
    """A call without arguments runs with `{}` and is nothing to report."""
    made = cassette(
        exchange(
            sse(call(arguments, call_id="c1", name="now"), finish("tool_calls")), ASK
        ),
        exchange(
            sse(text("ok"), finish()),
            [*ASK, asked(("c1", "now", "")), result("c1", "12:00")],
        ),
    )
    spy = Spy()
    transcript = replay(made, spy)
    assert steps(spy.notes)[:3] == ["Running now({})", "Ran now({})", "Success: 12:00"]
    assert spy.records[0].tool_calls[0].function.arguments == "{}"
    assert transcript.diagnostics == []


def test_another_conversation_begins_after_a_yield() -> None:
    """A request that does not continue the one before it is another conversation."""
    one = exchange(sse(text("1"), finish()), [user("a")])
    two = exchange(sse(text("2"), finish()), [user("b")])
    three = exchange(sse(text("3"), finish()), [user("b"), asked(), user("c")])
    notes, _ = told(cassette(one, two, three))
    assert [n for n in notes if n != "chunk"] == [
        "start",
        "end",
        "thought 1",
        "step",
        "yield",
        "start",
        "end",
        "thought 2",
        "step",
        "start",
        "end",
        "thought 3",
        "step",
        "yield",
    ]


def test_failed_request_between_keeps_its_number_and_the_conversation() -> None:
    """A 500 and its retry: reported as not replayed, results still found in both."""
    turns = [*ASK, asked(WEATHER), result("c1", "21")]
    made = cassette(
        exchange(sse(call(WEATHER[2], call_id="c1", name="weather"), finish()), ASK),
        exchange('{"error": {"message": "overloaded"}}', turns, status=500),
        exchange(sse(text("Sunny."), finish()), turns),
    )
    notes, transcript = told(made)
    assert steps(notes) == [
        "Running weather({'city': 'Rome'})",
        "Ran weather({'city': 'Rome'})",
        "Success: 21",
        "step",
        "thought Sunny.",
        "step",
        "yield",
    ]
    assert {e.exchange for e in transcript.emissions} == {0, 2}
    (found,) = transcript.diagnostics
    assert (found.kind.value, found.exchange) == ("not-replayed", 1)
    assert "HTTP 500" in found.text
    assert "overloaded" in found.text


def test_whole_completion_goes_through_the_loop_without_chunks() -> None:
    """A response that was not streamed is one step; stream calls come only once."""
    message = {
        "role": "assistant",
        "content": "Look.",
        "tool_calls": asked(WEATHER)["tool_calls"],
    }
    made = cassette(
        exchange(whole(message), ASK),
        exchange(
            sse(text("Sunny."), finish()), [*ASK, asked(WEATHER), result("c1", "21")]
        ),
    )
    notes, transcript = told(made)
    assert notes == [
        "start",  # the conversation's
        "thought Look.",
        "Running weather({'city': 'Rome'})",
        "Ran weather({'city': 'Rome'})",
        "Success: 21",
        "step",
        "start",  # the streamed response's
        "chunk",
        "chunk",
        "end",
        "thought Sunny.",
        "step",
        "yield",
    ]
    assert transcript.diagnostics == []
    assert transcript.responses[0].chunks == 0
    assert transcript.responses[0].choices[0].content == "Look."


def test_damaged_whole_completion_is_not_replayed() -> None:
    """A completion that breaks off is reported, and opens no conversation."""
    good = exchange(sse(text("1"), finish()), [user("a")])
    broken = exchange(whole({"role": "assistant", "content": "hi"})[:-20], [user("b")])
    notes, transcript = told(cassette(good, broken))
    assert notes.count("yield") == 1
    assert notes.count("start") == 1
    assert kinds(transcript) == ["not-replayed"]
    with pytest.raises(NothingToReplayError, match="exchange 0: "):
        replay(cassette(exchange(broken.response.body)), Spy())


def test_only_one_exchange_still_finds_its_results() -> None:
    """`exchange=N` replays one, and reads the next request for its results."""
    calls = with_calls(WEATHER, results=[result("c1", "21")])
    notes, transcript = told(calls, exchange=0)
    assert "Success: 21" in notes
    assert {e.exchange for e in transcript.emissions} == {0}
    notes, transcript = told(calls, exchange=1)
    assert steps(notes) == ["thought ok", "step", "yield"]
    assert {e.exchange for e in transcript.emissions} == {1}


def test_only_an_exchange_that_is_none_says_why() -> None:
    """Choosing an exchange that cannot be replayed is an input error."""
    made = cassette(sse(text("1"), finish()), exchange("", status=404))
    with pytest.raises(NothingToReplayError, match=re.escape("(exchange 1: HTTP 404")):
        replay(made, Spy(), exchange=1)


def test_nothing_to_replay_names_three_and_counts_the_rest() -> None:
    """The reasons fit one line however many exchanges there are."""
    spy = Spy()
    made = cassette(*[exchange("x", status=500) for _ in range(5)])
    with pytest.raises(NothingToReplayError) as caught:
        replay(made, spy)
    assert str(caught.value).startswith("made.yaml: nothing to replay")
    assert str(caught.value).count("HTTP 500") == 3
    assert "; and 2 more)" in str(caught.value)
    assert spy.notes == []


def test_single_step_ends_after_the_first_step() -> None:
    """With `multi_step=False` the second response is not replayed."""
    made = with_calls(WEATHER, results=[result("c1", "21")])
    notes, _ = told(made, options=AgentOptions(multi_step=False))
    assert steps(notes)[-3:] == ["Success: 21", "step", "yield"]
    assert "thought ok" not in notes


def test_single_step_counts_steps_and_not_failed_requests() -> None:
    """A request that failed, or whose answer is damaged, is no step."""
    made = cassette(
        exchange("x", ASK, status=500),
        exchange('{"object": "chat.completion", "choices": [', ASK),
        exchange(sse(text("hi"), finish()), ASK),
    )
    notes, _ = told(made, options=AgentOptions(multi_step=False))
    assert steps(notes) == ["thought hi", "step", "yield"]


def test_reasoning_is_heard_only_when_asked_for() -> None:
    """Reasoning stays in the response; with `reasoning=True` it is thoughts too."""
    made = cassette(
        sse(
            chunk({"reasoning_content": "Hm. "}),
            chunk({"reasoning": "So", "content": ": "}),
            text("Yes."),
            finish(),
        )
    )
    notes, transcript = told(made)
    assert "thought : Yes." in notes
    assert transcript.responses[0].choices[0].reasoning == "Hm. So"
    notes, _ = told(made, reasoning=True)
    assert "thought Hm. So: Yes." in notes


def test_reasoning_of_a_whole_completion_is_heard_when_asked_for() -> None:
    """`reasoning=True` means the same where nothing was streamed."""
    message = {"role": "assistant", "reasoning": "Hm. ", "content": "Yes."}
    notes, _ = told(cassette(whole(message)), reasoning=True)
    assert "thought Hm. Yes." in notes
    notes, _ = told(cassette(whole(message)))
    assert "thought Yes." in notes


def test_other_choices_stay_in_the_response_with_a_diagnostic() -> None:
    """An interface is told choice 0; the others are kept and named."""
    made = cassette(
        sse(text("a", choice=0), text("b", choice=1), text("c", choice=2), finish())
    )
    notes, transcript = told(made)
    assert "thought a" in notes
    choices = transcript.responses[0].choices
    assert {n: m.content for n, m in choices.items()} == {0: "a", 1: "b", 2: "c"}
    (found,) = transcript.diagnostics
    assert found.kind.value == "other-choices"
    assert found.text.startswith("choices 1, 2 were not passed on")


def test_records_carry_derived_ids_and_the_recorded_date() -> None:
    """Each record has its own id but the first call's, which is the response's."""
    calls = [("x", "f", "{}"), ("y", "g", "{}")]
    spy = Spy()
    made = with_calls(*calls, results=[result("x", "1"), result("y", "2")])
    made.exchanges[0].response.body = sse(
        text("Well."),
        *[call(a, index=n, call_id=i, name=f) for n, (i, f, a) in enumerate(calls)],
        finish(),
    ).encode()
    replay(made, spy, exchange=0)
    thought, run_x, ran_x, got_x, run_y, ran_y, got_y = spy.records
    streamed = {(message_id, date.isoformat()) for _, message_id, date in spy.chunks}
    assert streamed == {(thought.id, DATE)}
    assert thought.id == run_x.id
    assert ran_x.id == got_x.id
    assert ran_y.id == got_y.id
    assert len({thought.id, ran_x.id, run_y.id, ran_y.id}) == 4
    assert {r.created_at.isoformat() for r in spy.records} == {DATE}
    assert [r.role for r in (thought, run_x, ran_x)] == [
        "assistant",
        "assistant",
        "tool",
    ]
    assert [len(r.tool_calls) for r in (run_x, run_y)] == [1, 1]
    assert (run_y.tool_calls[0].id, run_y.tool_calls[0].function.name) == ("y", "g")
    assert (got_y.tool_call_id, got_y.name, got_y.text) == ("y", "g", "2")
    assert (thought.text, run_x.text) == ("Well.", "Well.")


def test_first_usable_created_is_the_date() -> None:
    """Azure's first chunk has `created: 0`; the date is the first that is not."""
    first = chunk(created=0, choices=[], prompt_filter_results=[])
    spy = Spy()
    replay(cassette(sse(first, text("a"), text("b", created=1), finish())), spy)
    assert {date.isoformat() for _, _, date in spy.chunks} == {DATE}
    assert len(spy.chunks) == 4


@pytest.mark.parametrize("created", [0, None, "soon", True, -5, 1e300, float("inf")])
def test_no_usable_created_is_the_epoch(created: Any) -> None:
    """Without a date that a calendar holds, the date is fixed."""
    spy = Spy()
    body = sse(
        text("a", created=created),
        call("{}", call_id="c", name="send_message") | {"created": created},
        finish() | {"created": created},
    )
    replay(cassette(body), spy)
    expected = "1970-01-01T00:00:00+00:00"
    assert {date.isoformat() for _, _, date in spy.chunks} == {expected}
    assert {r.created_at.isoformat() for r in spy.records} == {expected}


def test_calls_without_id_get_one_that_call_and_return_share() -> None:
    """A missing id becomes `call_<exchange>_<n>`, in deltas, records and returns."""
    fragments = [call("{}", index=0, name="f"), call("{}", index=1, name="g")]
    spy = Spy()
    made = cassette(
        sse(text("hi"), finish()), exchange(sse(*fragments, finish()), [user("x")])
    )
    replay(made, spy)
    ids = [r.tool_calls[0].id for r in spy.records if r.tool_calls]
    assert ids == ["call_1_0", "call_1_1"]
    assert [r.tool_call_id for r in spy.records if r.tool_call_id] == [
        *["call_1_0"] * 2,
        *["call_1_1"] * 2,
    ]
    lines = [json.loads(x)["message"] for x in replay(made, "streaming").to_lines()]
    calls = [m for m in lines if isinstance(m, dict)]
    deltas = [m["function_call"] for m in calls if "function_call" in m]
    returns = [m["function_call_id"] for m in calls if "function_return" in m]
    assert [d["function_call_id"] for d in deltas] == ["call_1_0", "call_1_1"]
    assert returns == ["call_1_0", "call_1_1"]


def test_parallel_calls_do_not_collapse_in_a_list_of_records() -> None:
    """`to_list(style="obj")` keeps one record a call and one a return."""
    queue = QueuingInterface()

    class Kept(ListAdapter):
        def drain(self) -> list[Any]:
            return []

    made = with_calls(
        ("x", "f", "{}"),
        ("y", "f", "{}"),
        ("z", "f", "{}"),
        results=[result(i, i) for i in "xyz"],
    )
    found: list[Diagnostic] = []
    loop = AgentLoop(
        made,
        Kept(queue, "queuing", None),
        AgentOptions(),
        variation=Variation(),
        only=0,
        report=found.append,
        on_response=lambda _: None,
    )
    for _ in loop.run():
        pass
    records = queue.to_list("obj")
    assert [(r.role, r.tool_call_id or r.tool_calls[0].id) for r in records] == [
        (role, i) for i in "xyz" for role in ("assistant", "tool")
    ]
    assert found == []


def test_message_ids_depend_on_number_and_body_only() -> None:
    """Path, status and headers change no id; the body and the number do."""

    def first_id(made: Cassette, number: int = 0) -> str:
        spy = Spy()
        replay(made, spy, exchange=number)
        return spy.chunks[0][1]

    body = sse(text("a"), finish())
    one = first_id(cassette(exchange(body, ASK), path="one.yaml"))
    assert one == first_id(cassette(exchange(body, [user("z")]), path="two.json"))
    assert one != first_id(cassette(exchange(sse(text("b"), finish()), ASK)))
    assert one != first_id(cassette(exchange(body, ASK), exchange(body, ASK)), 1)
    assert re.fullmatch(r"message-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one)


@pytest.mark.parametrize(
    "body",
    [sse(chunk()), sse(chunk(choices=[])), sse(chunk({"content": ""}), done=False)],
)
def test_stream_that_says_nothing_is_an_empty_step(body: str) -> None:
    """An answer without content and calls is a step all the same."""
    notes, _ = told(cassette(body))
    assert steps(notes) == ["step", "yield"]


def test_whole_completion_with_an_empty_delta_beside_it_is_read() -> None:
    """Perplexity sends `delta: {}` beside the message of a whole completion."""
    body = json.loads(whole({"role": "assistant", "content": "hi"}))
    body["choices"][0]["delta"] = {"role": "assistant", "content": ""}
    notes, transcript = told(cassette(json.dumps(body)))
    assert steps(notes) == ["thought hi", "step", "yield"]
    assert transcript.responses[0].choices[0].content == "hi"


def test_legacy_function_call_is_a_call() -> None:
    """A `function_call` delta runs like a tool call, its result found by position."""
    made = cassette(
        exchange(
            sse(
                chunk({"function_call": {"name": "weather", "arguments": ""}}),
                chunk({"function_call": {"arguments": '{"city": "Rome"}'}}),
                finish("function_call"),
            ),
            ASK,
        ),
        exchange(
            sse(text("ok"), finish()),
            [*ASK, asked(), {"role": "function", "name": "weather", "content": "21"}],
        ),
    )
    notes, transcript = told(made)
    assert steps(notes)[:3] == [
        "Running weather({'city': 'Rome'})",
        "Ran weather({'city': 'Rome'})",
        "Success: 21",
    ]
    assert transcript.diagnostics == []


@pytest.mark.parametrize(
    ("api", "fault", "is_told"),
    [
        (None, "cut-chunks:9", True),
        (None, "cut-chunks:2", False),
        (None, "bad-escape", True),
        (None, "no-done", False),
        (None, "cut-bytes:9", False),
        (None, "no-finish+cut-chunks:9", False),
        (None, None, False),
        ("anthropic", "cut-events:99", True),
        ("anthropic", "cut-events:2", False),
        ("responses", None, False),
    ],
)
def test_a_fault_that_changes_no_event_is_told(
    api: str | None, fault: str | None, *, is_told: bool
) -> None:
    """Else what was meant to break is taken for sound."""
    made = cassette(sse(text("a"), text("b"), finish()))
    found = replay(made, "queuing", api=api, fault=fault).diagnostics
    told = [one.text for one in found if one.kind == "fault-unseen"]
    assert told == [f"the fault {fault} changed no event"] * is_told
    assert not is_told or "missing-done" not in {one.kind for one in found}
