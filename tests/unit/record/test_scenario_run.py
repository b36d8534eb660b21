"""The agent loop of a scenario, over answers that are made up here."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness.record.scenario_answer import Answer, AnswerBrokenError
from harness.record.scenario_reading import parse_scenario
from harness.record.scenario_run import ScenarioRun, run_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.record.scenario import Scenario

Pieces = list[bytes | Exception]


def sse(*chunks: dict[str, Any], done: bool = True) -> bytes:
    """Return the text of a stream with these chunks."""
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return (text + ("data: [DONE]\n\n" if done else "")).encode()


def text_chunk(text: str, finish: str | None = None, index: int = 0) -> dict[str, Any]:
    """Return a chunk with visible text."""
    choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
    return {"choices": [choice]}


def call_chunk(name: str, arguments: str, call_id: str = "c1") -> dict[str, Any]:
    """Return a chunk with a whole call and its finish."""
    function = {"name": name, "arguments": arguments}
    call = {"index": 0, "id": call_id, "type": "function", "function": function}
    delta = {"content": None, "tool_calls": [call]}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]}


class FakeServer:
    """Answers requests in turn and keeps what was sent."""

    def __init__(self, *answers: tuple[int, Pieces]) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []
        self.read: list[int] = []

    def __call__(self, body: str) -> AbstractContextManager[Answer]:
        """Send a request, as `Send` says."""
        self.bodies.append(json.loads(body))
        return self._answer(*self.answers[len(self.bodies) - 1])

    @contextmanager
    def _answer(self, status: int, pieces: Pieces) -> Iterator[Answer]:
        read = self.read
        read.append(0)

        def sent() -> Iterator[bytes]:
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                read[-1] += 1
                yield piece

        yield Answer(status, sent())


def scenario(text: str) -> Scenario:
    """Return a scenario with one question and these other keys."""
    start = "model: m\nmessages: [{role: user, content: Hi.}]\n"
    return parse_scenario(start + text, path="s.yaml")


def run(
    text: str, *answers: tuple[int, Pieces]
) -> tuple[Scenario, ScenarioRun, FakeServer]:
    """Run a scenario against made-up answers."""
    server = FakeServer(*answers)
    described = scenario(text)
    return described, run_scenario(described, server), server


def test_plain_answer_ends_the_run() -> None:
    """Text without calls is one turn, whole, with the options as they were given."""
    stream = sse(text_chunk("Hel"), text_chunk("lo", "stop"))
    described, came, server = run("options: {temperature: 0}\n", (200, [stream]))
    assert [turn.message.content for turn in came.turns] == ["Hello"]
    assert (came.ending, came.chunks) == ("complete", 2)
    assert came.unmet(described) == []
    assert server.bodies == [
        {
            "model": "m",
            "stream": True,
            "messages": [{"role": "user", "content": "Hi."}],
            "temperature": 0,
        }
    ]


def test_calls_are_answered_from_the_scenario_until_text_comes() -> None:
    """A call's canned result goes into the next request, with the call before it."""
    described, came, server = run(
        "tools: {look: {returns: {sky: blue}}}\noptions: {tool_choice: required}\n"
        "turns: [{}, {tools: []}]\nexpect: {calls: [look], finish: stop}\n",
        (200, [sse(call_chunk("look", '{"at": "sky"}'))]),
        (200, [sse(text_chunk("Blue.", "stop"))]),
    )
    assert came.unmet(described) == []
    first, second = server.bodies
    assert [tool["function"]["name"] for tool in first["tools"]] == ["look"]
    assert first["tool_choice"] == "required"
    assert "tools" not in second
    assert "tool_choice" not in second
    assert second["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"at": "sky"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"sky": "blue"}'},
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("look", "{}", "the sky fell down"),
        ("other", "{}", "there is no tool called other"),
        ("look", '{"a": ', "the arguments are no JSON object"),
        ("look", "[]", "the arguments are no JSON object"),
    ],
)
def test_failures_are_told_to_the_model_in_the_form_replay_reads(
    name: str, arguments: str, message: str
) -> None:
    """A failing tool, an unknown tool and unreadable arguments are `Failed` results."""
    _, _, server = run(
        "tools: {look: {fails: the sky fell down}}\nmax_steps: 2\n",
        (200, [sse(call_chunk(name, arguments))]),
        (200, [sse(text_chunk("Oh."))]),
    )
    result = json.loads(server.bodies[1]["messages"][-1]["content"])
    assert result == {"status": "Failed", "message": message}


def test_call_without_a_result_ends_the_run() -> None:
    """A tool that returns nothing, such as send_message, is the last word."""
    _, came, server = run(
        "tools: {send_message: {}}\n",
        (200, [sse(call_chunk("send_message", '{"message": "Hi"}'))]),
    )
    assert [call.name for call in came.calls] == ["send_message"]
    assert len(server.bodies) == 1


def test_call_without_id_gets_one_from_its_place() -> None:
    """A server that sends no ids still gets its results back with one each."""
    _, _, server = run(
        "tools: {look: {returns: x}}\nmax_steps: 2\n",
        (200, [sse(call_chunk("look", "", call_id=""))]),
        (200, [sse(text_chunk("Oh."))]),
    )
    call, result = server.bodies[1]["messages"][1:]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"] == "call_0_0"
    assert call["tool_calls"][0]["function"]["arguments"] == "{}"


def test_max_steps_ends_a_loop() -> None:
    """A model that never stops calling is stopped."""
    whole: Pieces = [sse(call_chunk("look", "{}"))]
    answers = [(200, whole)] * 3
    _, came, server = run("tools: {look: {returns: x}}\nmax_steps: 3\n", *answers)
    assert len(came.turns) == len(server.bodies) == 3


def test_turn_may_go_on_with_a_new_question_and_its_own_options() -> None:
    """A later turn's messages are sent after the answer, its options laid over."""
    _, _, server = run(
        "options: {temperature: 0, max_tokens: 9}\n"
        "turns: [{}, {messages: [{role: user, content: And?}],"
        " options: {max_tokens: 3}}]\n",
        (200, [sse(text_chunk("One."))]),
        (200, [sse(text_chunk("Two."))]),
    )
    assert [m["content"] for m in server.bodies[1]["messages"]] == [
        "Hi.",
        "One.",
        "And?",
    ]
    assert (server.bodies[1]["temperature"], server.bodies[1]["max_tokens"]) == (0, 3)


def test_length_cut_ends_the_run_without_running_half_a_call() -> None:
    """Arguments that the limit cut are not answered."""
    chunk = call_chunk("look", '{"a": "b')
    chunk["choices"][0]["finish_reason"] = "length"
    _, came, server = run("tools: {look: {returns: x}}\n", (200, [sse(chunk)]))
    assert len(server.bodies) == 1
    assert came.turns[0].message.finish_reason == "length"


def test_client_that_stops_reading_takes_no_more_chunks_and_no_more_bytes() -> None:
    """After k chunks nothing else is read, also of the piece that held the k-th."""
    pieces: Pieces = [
        sse(text_chunk("a"), done=False),
        sse(text_chunk("b"), text_chunk("c"), done=False),
        sse(text_chunk("d")),
    ]
    described, came, server = run("stop_reading_after: 2\n", (200, pieces))
    assert came.ending == "closed"
    assert came.turns[0].message.content == "ab"
    assert server.read == [2]
    assert came.unmet(described) == []


def test_one_turn_may_stop_reading_earlier_than_the_others() -> None:
    """A turn's own number of chunks counts before the scenario's, and is expected."""
    stream = sse(*[text_chunk("a")] * 5)
    described, came, _ = run(
        "stop_reading_after: 4\nturns: [{stop_reading_after: 2}]\n", (200, [stream])
    )
    assert came.turns[0].message.content == "aa"
    assert came.unmet(described) == []


def test_stream_that_ends_before_the_client_stops_is_not_what_was_asked() -> None:
    """A cassette of a client that stops must hold one that did."""
    described, came, _ = run("stop_reading_after: 9\n", (200, [sse(text_chunk("a"))]))
    assert came.unmet(described) == ["expected a closed answer, got a complete one"]


def test_stream_that_breaks_off_keeps_what_came() -> None:
    """The text before the break is there, and the transport's word for it."""
    broken = AnswerBrokenError("ReadError", "reset by peer")
    described, came, _ = run("", (200, [sse(text_chunk("a"), done=False), broken]))
    assert came.turns[0].message.content == "a"
    assert came.unmet(described) == [
        "expected a complete answer, got a broken one (ReadError: reset by peer)"
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            sse(text_chunk("a"), {"error": {"message": "out of memory"}}, done=False),
            "the stream carries an error: out of memory",
        ),
        (b"", "the stream held no chunk"),
        (b": ping\n\n", "the stream held no chunk"),
        (b"data: {]\n\n", "unreadable chunk: no JSON"),
    ],
)
def test_stream_that_says_it_failed_is_broken(body: bytes, problem: str) -> None:
    """An error event, an empty body and junk never pass for a whole answer."""
    _, came, _ = run("", (200, [body]))
    assert came.ending == "broken"
    assert problem in came.turns[0].problem


def test_http_error_is_a_refusal_with_its_text() -> None:
    """A status of 400 and more ends the run; it is fine where it is expected."""
    described, came, _ = run(
        "expect: {ending: refused}\n", (400, [b'{"error": ', b'"no"}'])
    )
    assert came.unmet(described) == []
    assert came.turns[0].problem == 'HTTP 400: \'{"error": "no"}\''


def test_whole_answers_run_the_same_loop() -> None:
    """With `stream: false` the calls are read from the message, without chunks."""
    call = call_chunk("look", "{}")["choices"][0]
    whole = {"choices": [{"message": call["delta"], "finish_reason": "tool_calls"}]}
    text = {"choices": [{"message": {"content": "Done."}, "finish_reason": "stop"}]}
    described, came, server = run(
        "stream: false\ntools: {look: {returns: x}}\n"
        "options: {stream_options: {include_usage: true}}\n"
        "expect: {calls: [look], finish: stop, contains: [Done]}\n",
        (200, [json.dumps(whole).encode()]),
        (200, [json.dumps(text).encode()]),
    )
    assert came.unmet(described) == []
    assert came.chunks == 0
    assert server.bodies[0]["stream"] is False
    assert "stream_options" not in server.bodies[0]


@pytest.mark.parametrize(
    ("expect", "unmet"),
    [
        ("{calls: []}", "expected the calls [], got ['look']"),
        ("{finish: stop}", "expected the finish 'stop', got 'tool_calls'"),
        ("{choices: 2}", "expected 2 choices, got 1"),
        ('{contains: ["\\n"]}', "expected '\\n' in what was said, got "),
        ("{ending: refused}", "expected a refused answer, got a complete one"),
    ],
)
def test_every_expectation_can_fail(expect: str, unmet: str) -> None:
    """Each key of `expect` is compared with what came."""
    described, came, _ = run(
        f"tools: {{look: {{}}}}\nexpect: {expect}\n",
        (200, [sse(call_chunk("look", '{"a": "b", "c": [{"d": "e"}]}'))]),
    )
    [said] = came.unmet(described)
    assert said.startswith(unmet)


def test_strings_deep_in_the_arguments_count_as_said() -> None:
    """`contains` looks at decoded strings, at any depth of the arguments."""
    described, came, _ = run(
        'tools: {look: {}}\nexpect: {contains: ["say \\"x\\""]}\n',
        (200, [sse(call_chunk("look", '{"c": [{"d": "I say \\"x\\""}]}'))]),
    )
    assert came.unmet(described) == []


def test_progress_is_told_after_each_piece_with_chunks() -> None:
    """Whoever watches learns the turn and how many chunks have come."""
    seen: list[tuple[int, int]] = []
    pieces: Pieces = [b": ping\n\n", sse(text_chunk("a")), sse(text_chunk("b"))]
    run_scenario(
        scenario(""),
        FakeServer((200, pieces)),
        on_progress=lambda *now: seen.append(now),
    )
    assert seen == [(0, 1), (0, 2)]
