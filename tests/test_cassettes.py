"""The cassettes of this repository hold what their scenarios and the README say.

They are read here with PyYAML and `json` alone, so that a fault in our own reading
cannot hide one in a recording.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
import vcr
import yaml

from harness.record.scenario import Expectation, Scenario, Tool, TurnOverrides
from harness.record.scenario_reading import load_scenario, parse_scenario
from harness.record.scenario_record import cassette_path
from harness.record.scenario_run import run_scenario
from harness.record.scenario_sending import http_send
from harness.record.use_cassette import use_cassette

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent / "cassettes"
SCENARIOS = sorted(ROOT.glob("*/*.scenario.yaml"))
BY_SDKS = {"llama-server-anthropic", "llama-server-responses"}  # test_sdk_cassettes.py
CASSETTES = sorted(
    path
    for path in set(ROOT.glob("*/*.yaml")) - set(SCENARIOS)
    if path.parent.name not in BY_SDKS
)


def name_of(path: Path) -> str:
    """Return the folder and name of a cassette, without its ending."""
    return f"{path.parent.name}/{path.name.removesuffix('.yaml')}"


@dataclass
class Answer:
    """One response, read without harness."""

    status: int
    ended: str
    """As recorded: complete, closed, error; empty where that was not recorded."""
    reads: list[list[float]]
    """Seconds and bytes of each network read."""
    body: str
    is_done: bool
    """Whether `[DONE]` came."""
    chunks: list[dict[str, Any]] = field(default_factory=list)
    """Of a stream."""
    whole: dict[str, Any] = field(default_factory=dict)
    """Of an answer that is no stream."""

    @property
    def deltas(self) -> list[dict[str, Any]]:
        """The deltas of choice 0, or the message of a whole answer."""
        if self.whole.get("choices"):
            return [self.whole["choices"][0]["message"]]
        return [
            choice["delta"]
            for chunk in self.chunks
            for choice in chunk["choices"]
            if choice["index"] == 0
        ]

    @property
    def text(self) -> str:
        """The visible text of choice 0."""
        return "".join(delta.get("content") or "" for delta in self.deltas)

    @property
    def fragments(self) -> list[dict[str, Any]]:
        """The entries of `tool_calls`, in order."""
        return [c for delta in self.deltas for c in delta.get("tool_calls") or []]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Name and arguments of each call; both servers number them by `index`."""
        names: dict[int, str] = {}
        arguments: dict[int, str] = {}
        for entry in self.fragments:
            index = entry.get("index", 0)
            names.setdefault(index, entry["function"].get("name", ""))
            piece = entry["function"].get("arguments") or ""
            arguments[index] = arguments.get(index, "") + piece
        return [(names[index], arguments[index]) for index in sorted(names)]

    @property
    def finish(self) -> str | None:
        """The finish reason of choice 0."""
        for chunk in [*self.chunks, self.whole]:
            for choice in chunk.get("choices") or []:
                if choice["index"] == 0 and choice.get("finish_reason"):
                    return str(choice["finish_reason"])
        return None

    @property
    def pauses(self) -> list[float]:
        """Seconds between one read and the next."""
        times = [seconds for seconds, _ in self.reads]
        return [b - a for a, b in itertools.pairwise(times)]


@dataclass
class Recording:
    """One cassette, read without harness."""

    requests: list[dict[str, Any]]
    answers: list[Answer]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The calls of all answers."""
        return [call for answer in self.answers for call in answer.calls]

    @property
    def names(self) -> list[str]:
        """The names of all calls."""
        return [name for name, _ in self.calls]

    @property
    def message(self) -> str:
        """The `message` argument of the first call."""
        return str(json.loads(self.calls[0][1])["message"])


@cache
def read(name: str) -> Recording:
    """Read a cassette of `cassettes/`."""
    text = (ROOT / f"{name}.yaml").read_text(encoding="utf-8")
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    interactions = document["interactions"]
    return Recording(
        [json.loads(each["request"]["body"]) for each in interactions],
        [_answer(each["response"]) for each in interactions],
    )


def _answer(response: dict[str, Any]) -> Answer:
    body = response["body"]["string"]
    stream = response.get("stream", {})
    lines = body.replace("\r\n", "\n").split("\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return Answer(
        status=response["status"]["code"],
        ended=stream.get("ended", ""),
        reads=stream.get("chunks", []),
        body=body,
        is_done=data[-1:] == ["[DONE]"],
        chunks=[json.loads(line) for line in data if line != "[DONE]"],
        whole=json.loads(body) if body.startswith("{") else {},
    )


def plain_text(it: Recording) -> None:
    """Text in many chunks and no call."""
    [answer] = it.answers
    assert len(answer.chunks) > 40
    assert answer.text
    assert not it.calls


def unicode_text(it: Recording) -> None:
    """Letters and emoji beyond Latin-1."""
    assert "👋🏽" in it.answers[0].text
    assert "🇳🇴" in it.answers[0].text


def send_message(it: Recording) -> None:
    """One call of send_message with readable arguments."""
    assert it.names == ["send_message"]
    assert it.message
    assert it.answers[0].finish == "tool_calls"


def awkward_arguments(it: Recording) -> None:
    """A quote, a newline and a backslash in a decoded argument."""
    assert {'"', "\n", "\\"} <= set(it.message)


def unicode_arguments(it: Recording) -> None:
    """An emoji and letters beyond Latin-1 in a decoded argument."""
    assert "🎉" in it.message
    assert "日本" in it.message


def auto_with_call(it: Recording) -> None:
    """A call of the model's own will, then text from its result."""
    assert it.requests[0]["tool_choice"] == "auto"
    assert it.names == ["get_weather"]
    assert "21" in it.answers[1].text


def auto_without_call(it: Recording) -> None:
    """Text although a tool was offered."""
    assert it.requests[0]["tools"]
    assert it.requests[0]["tool_choice"] == "auto"
    assert not it.calls
    assert it.answers[0].text


def parallel_calls(it: Recording) -> None:
    """Two calls in one answer, told apart by index, both results in the request."""
    assert [name for name, _ in it.answers[0].calls] == ["get_weather"] * 2
    assert {entry["index"] for entry in it.answers[0].fragments} == {0, 1}
    assert [m["role"] for m in it.requests[1]["messages"][-2:]] == ["tool", "tool"]
    assert it.answers[1].text


def three_steps(it: Recording) -> None:
    """get_weather, send_message, text; each request carries the result before it."""
    assert it.names == ["get_weather", "send_message"]
    assert [answer.finish for answer in it.answers] == [
        "tool_calls",
        "tool_calls",
        "stop",
    ]
    assert it.answers[2].text
    for request in it.requests[1:]:
        assert request["messages"][-1]["role"] == "tool"


def failing_tool(it: Recording) -> None:
    """The result of the call is a failure, and the model goes on."""
    result = json.loads(it.requests[1]["messages"][-1]["content"])
    assert result["status"] == "Failed"
    assert it.answers[1].text


def two_choices(it: Recording) -> None:
    """Chunks of choice 0 and of choice 1, interleaved."""
    order = [c["index"] for chunk in it.answers[0].chunks for c in chunk["choices"]]
    assert set(order) == {0, 1}
    assert order != sorted(order)
    assert order != sorted(order, reverse=True)


def usage(it: Recording) -> None:
    """The last chunk has no choices and the counts; no other has any."""
    *others, last = it.answers[0].chunks
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] > 0
    assert not any(chunk.get("usage") for chunk in others)


def length_text(it: Recording) -> None:
    """Text that says it was cut."""
    assert it.answers[0].finish == "length"
    assert not it.calls


def length_arguments(it: Recording) -> None:
    """Arguments that are the beginning of a JSON object and no whole one."""
    [(name, arguments)] = it.calls
    assert name == "send_message"
    assert arguments.startswith("{")
    with pytest.raises(ValueError, match="Unterminated string"):
        json.loads(arguments)


def length_arguments_said(it: Recording) -> None:
    """The server says that the length limit cut them."""
    length_arguments(it)
    assert it.answers[0].finish == "length"


def length_arguments_hidden(it: Recording) -> None:
    """The server says `tool_calls`, as if the call were whole."""
    length_arguments(it)
    assert it.answers[0].finish == "tool_calls"


def stop_sequence(it: Recording) -> None:
    """The text ends before the word that was to stop it."""
    assert it.requests[0]["stop"] == ["blue"]
    assert it.answers[0].finish == "stop"
    assert "green" in it.answers[0].text
    assert "blue" not in it.answers[0].text


def json_schema(it: Recording) -> None:
    """The text is JSON of the asked shape."""
    assert it.requests[0]["response_format"]
    described = json.loads(it.answers[0].text)
    assert isinstance(described["is_capital"], bool)
    assert isinstance(described["name"], str)


def inner_thoughts(it: Recording) -> None:
    """The first argument of every call is the thoughts."""
    assert it.names[-1] == "send_message"
    for _, arguments in it.calls:
        first, *others = json.loads(arguments)
        assert (first, len(others)) == ("inner_thoughts", 1)


def logprobs(it: Recording) -> None:
    """Chunks with text carry the logarithm of their probability and alternatives."""
    told = [
        token
        for chunk in it.answers[0].chunks
        for token in (chunk["choices"][0].get("logprobs") or {}).get("content", [])
    ]
    assert len(told) >= 10
    assert all(token["logprob"] <= 0 for token in told)
    assert all(len(token["top_logprobs"]) == 2 for token in told)


def refused(status: int) -> Callable[[Recording], None]:
    """Return the check that the server refused with a status and a reason."""

    def check(it: Recording) -> None:
        assert it.answers[-1].status == status
        assert it.answers[-1].whole["error"]["message"]

    return check


def client_stops(it: Recording) -> None:
    """Eight chunks, no finish, and the word that the client went away."""
    [answer] = it.answers
    assert answer.ended == "closed"
    assert len(answer.chunks) == 8
    assert answer.finish is None
    assert not answer.is_done


def server_dies(it: Recording) -> None:
    """A stream that broke: what came is there, no finish, no [DONE]."""
    [answer] = it.answers
    assert answer.ended == "error"
    assert len(answer.chunks) >= 5
    assert answer.finish is None
    assert not answer.is_done


def slow_stream(it: Recording) -> None:
    """Silences of seconds in a stream that then ends well."""
    [answer] = it.answers
    assert sum(pause > 1 for pause in answer.pauses) >= 2
    assert answer.ended == "complete"
    assert answer.is_done


def whole_answers(it: Recording) -> None:
    """No stream: a call, then text, each as one JSON object."""
    assert [request["stream"] for request in it.requests] == [False, False]
    assert it.names == ["get_weather"]
    assert it.answers[1].text
    assert not any(answer.chunks for answer in it.answers)


def no_arguments(it: Recording) -> None:
    """A call whose arguments are an empty object."""
    assert it.names == ["get_time"]
    assert json.loads(it.calls[0][1]) == {}


def nested_arguments(it: Recording) -> None:
    """Every JSON type in the arguments, some of them deep."""
    arguments = json.loads(it.calls[0][1])
    assert isinstance(arguments["customer"]["is_member"], bool)
    assert isinstance(arguments["items"][1]["count"], int)
    assert arguments["note"] is None
    assert isinstance(arguments["message"], str)


def follow_up(it: Recording) -> None:
    """The second request goes on from the first answer with another question."""
    first, second = it.requests
    added = second["messages"][len(first["messages"]) :]
    assert [message["role"] for message in added] == ["assistant", "user"]
    assert added[0]["content"] == it.answers[0].text


def empty_body(it: Recording) -> None:
    """Status 200, an event stream, and nothing in it but a comment."""
    [answer] = it.answers
    assert answer.status == 200
    assert not answer.chunks
    assert not answer.is_done


def usage_ignored(it: Recording) -> None:
    """Counts were asked for and never come."""
    assert it.requests[0]["stream_options"] == {"include_usage": True}
    assert not any(chunk.get("usage") for chunk in it.answers[0].chunks)


def choices_ignored(it: Recording) -> None:
    """Two choices were asked for and one comes."""
    assert it.requests[0]["n"] == 2
    assert {c["index"] for k in it.answers[0].chunks for c in k["choices"]} == {0}


def two_turns(it: Recording) -> None:
    """A call, its result in the next request, text."""
    assert it.names == ["get_weather"]
    assert it.requests[1]["messages"][-1]["role"] == "tool"
    assert it.answers[1].text


CLAIMS: dict[str, Callable[[Recording], None]] = {
    "llama-server/plain-text": plain_text,
    "llama-server/unicode-text": unicode_text,
    "llama-server/forced-send-message": send_message,
    "llama-server/awkward-arguments": awkward_arguments,
    "llama-server/unicode-arguments": unicode_arguments,
    "llama-server/auto-with-call": auto_with_call,
    "llama-server/auto-without-call": auto_without_call,
    "llama-server/parallel-calls": parallel_calls,
    "llama-server/three-steps": three_steps,
    "llama-server/failing-tool": failing_tool,
    "llama-server/two-choices": two_choices,
    "llama-server/usage": usage,
    "llama-server/length-text": length_text,
    "llama-server/length-arguments": length_arguments_said,
    "llama-server/stop-sequence": stop_sequence,
    "llama-server/inner-thoughts": inner_thoughts,
    "llama-server/inner-thoughts-tools": inner_thoughts,
    "llama-server/json-schema": json_schema,
    "llama-server/logprobs": logprobs,
    "llama-server/http-400": refused(400),
    "llama-server/client-stops": client_stops,
    "llama-server/server-dies": server_dies,
    "llama-server/slow-stream": slow_stream,
    "llama-server/whole-answer": whole_answers,
    "llama-server/no-arguments": no_arguments,
    "llama-server/nested-arguments": nested_arguments,
    "llama-server/follow-up": follow_up,
    "llama-cpp-python/plain-text": plain_text,
    "llama-cpp-python/unicode-text": unicode_text,
    "llama-cpp-python/forced-send-message": send_message,
    "llama-cpp-python/unicode-arguments": unicode_arguments,
    "llama-cpp-python/three-steps": three_steps,
    "llama-cpp-python/failing-tool": failing_tool,
    "llama-cpp-python/length-text": length_text,
    "llama-cpp-python/length-arguments": length_arguments_hidden,
    "llama-cpp-python/stop-sequence": stop_sequence,
    "llama-cpp-python/json-schema": json_schema,
    "llama-cpp-python/logprobs": logprobs,
    "llama-cpp-python/usage-ignored": usage_ignored,
    "llama-cpp-python/choices-ignored": choices_ignored,
    "llama-cpp-python/empty-body": empty_body,
    "llama-cpp-python/refused": refused(500),
    "llama-cpp-python/client-stops": client_stops,
    "llama-cpp-python/server-dies": server_dies,
    "llama-cpp-python/whole-answer": whole_answers,
    "stock-vcrpy/text": plain_text,
    "stock-vcrpy/forced-call": send_message,
    "stock-vcrpy/two-turns": two_turns,
}
"""What each cassette is there for."""


def test_every_cassette_has_a_claim_and_every_claim_a_cassette() -> None:
    """Nothing lies in the folder that no test looks at, and nothing is missing."""
    assert sorted(name_of(path) for path in CASSETTES) == sorted(CLAIMS)


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_cassette_says_what_it_is_there_for(name: str) -> None:
    """Each recording shows what its scenario promises."""
    CLAIMS[name](read(name))


def test_every_cassette_of_ours_has_a_scenario() -> None:
    """All but those of stock vcrpy can be recorded again from a file beside them."""
    ours = [path for path in CASSETTES if path.parent.name != "stock-vcrpy"]
    assert [cassette_path(path) for path in SCENARIOS] == ours
    assert len(ours) >= 24


@pytest.mark.parametrize("path", SCENARIOS, ids=name_of)
def test_scenario_runs_against_its_own_cassette(path: Path) -> None:
    """A run that plays the cassette sends what was recorded and is as expected."""
    scenario, name = load_scenario(path), name_of(cassette_path(path))
    port = {"llama-server": 8101, "llama-cpp-python": 8102}[path.parent.name]
    with use_cassette(cassette_path(path), record="none"):
        run = run_scenario(scenario, http_send(f"http://127.0.0.1:{port}/v1"))
    assert run.unmet(scenario) == []
    assert len(run.turns) == len(read(name).answers)
    assert [turn.message.content for turn in run.turns] == [
        answer.text for answer in read(name).answers
    ]


NO_WHOLE_STREAM = {
    "http-400",
    "refused",
    "empty-body",
    "client-stops",
    "server-dies",
    "whole-answer",
}


@pytest.mark.parametrize(
    "path", [p for p in CASSETTES if p.stem not in NO_WHOLE_STREAM], ids=name_of
)
def test_stock_vcrpy_plays_every_whole_stream_to_the_openai_sdk(path: Path) -> None:
    """Ours are cassettes to anybody: the SDK gets each chunk as it was recorded."""
    it, request_keys = read(name_of(path)), {"match_on": ["method", "path", "body"]}
    with (
        vcr.use_cassette(str(path), record_mode="none", **request_keys),
        openai.OpenAI(
            base_url="http://127.0.0.1:1/v1",
            api_key="unused",
            max_retries=0,
            http_client=openai.DefaultHttpxClient(
                verify=False
            ),  # reads no 50 ms of CAs
        ) as client,
    ):
        for request, answer in zip(it.requests, it.answers, strict=True):
            chunks = list(client.chat.completions.create(**request))
            assert [chunk.id for chunk in chunks] == [k["id"] for k in answer.chunks]
            text = [c.delta.content for k in chunks for c in k.choices if not c.index]
            assert "".join(piece or "" for piece in text) == answer.text


@pytest.mark.parametrize("path", CASSETTES, ids=name_of)
def test_reads_of_a_cassette_add_up_to_its_body(path: Path) -> None:
    """The recorded byte counts are the body's, and time never runs backwards."""
    for answer in read(name_of(path)).answers:
        if path.parent.name == "stock-vcrpy":
            assert not answer.reads
            continue
        assert sum(size for _, size in answer.reads) == len(answer.body.encode())
        assert min(answer.pauses, default=0) >= 0
        assert answer.ended in {"complete", "closed", "error"}


def test_cassettes_are_small() -> None:
    """None is over 200 KB and all together stay under 2 MB."""
    sizes = [path.stat().st_size for path in ROOT.rglob("*") if path.is_file()]
    assert max(sizes) < 200_000
    assert sum(sizes) < 2_000_000


@pytest.mark.parametrize("path", CASSETTES, ids=name_of)
def test_cassette_names_no_machine_and_holds_no_secret(path: Path) -> None:
    """No path, user, other host or credential of whoever recorded it."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(tmp|home|root|Users|opt|usr|var)/|\.gguf", text)
    assert not re.search(r"(?i)authorization|bearer |set-cookie|stainless", text)
    hosts = set(re.findall(r"https?://([^/\s\"']+)", text))
    assert hosts <= {"127.0.0.1:8101", "127.0.0.1:8102"}


def test_readme_tells_what_each_cassette_is() -> None:
    """The tables name every cassette of each folder, in the scenario's words."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in sorted({path.parent for path in CASSETTES}):
        section = text.split(f"## `{folder.name}/`")[1].split("\n## ")[0]
        rows = dict(re.findall(r"^\| `([\w.-]+)` \| (.+) \|$", section, re.MULTILINE))
        assert sorted(rows) == [p.name for p in CASSETTES if p.parent == folder]
        for path in folder.glob("*.scenario.yaml"):
            assert rows[cassette_path(path).name] == load_scenario(path).about


def test_readme_explains_every_key_of_a_scenario() -> None:
    """The table has one row a key, and its example is a scenario."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## The scenario file")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE))
    assert sorted(rows) == sorted(Scenario.model_fields)
    for key, model in (
        ("tools", Tool),
        ("turns", TurnOverrides),
        ("expect", Expectation),
    ):
        assert set(re.findall(r"`(\w+)`", rows[key])) >= set(model.model_fields)
    example = re.findall(r"^    (.*)$", section, re.MULTILINE)
    assert parse_scenario("\n".join(example), path="README.md").tools


def test_llama_server_opens_a_call_once() -> None:
    """Its habit: id, type and name only in a call's first delta, with the brace."""
    first, *rest = read("llama-server/forced-send-message").answers[0].fragments
    assert first["id"]
    assert first["function"] == {"name": "send_message", "arguments": "{"}
    assert rest
    assert all(set(entry) == {"index", "function"} for entry in rest)
    assert all(set(entry["function"]) == {"arguments"} for entry in rest)


def test_llama_cpp_python_names_a_call_in_every_delta() -> None:
    """Its habit: id, type and name again and again, the legacy form beside them."""
    answer = read("llama-cpp-python/forced-send-message").answers[0]
    assert len(answer.fragments) > 3
    assert {entry["function"]["name"] for entry in answer.fragments} == {"send_message"}
    assert len({entry["id"] for entry in answer.fragments}) == 1
    for delta in answer.deltas:
        for entry in delta.get("tool_calls") or []:
            assert (
                delta["function_call"]["arguments"] == (entry["function"]["arguments"])
            )


def test_llama_cpp_python_sends_comments_while_it_thinks() -> None:
    """Its habit: a comment in the middle of a stream when nothing came for long."""
    body = read("llama-cpp-python/length-arguments").answers[0].body
    assert re.search(r"\n\r?\n: ping - [^\n]+\n\r?\ndata: ", body)
