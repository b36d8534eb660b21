"""An agent that repeats a redacted answer in its next request plays back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from harness.cassettes.load import load_cassette
from harness.errors import CassetteMismatchError
from harness.record import use_cassette
from harness.record.scenario_record import record_scenario
from harness.redaction.scan import scan
from tests.record.servers import DONE, Connection, ScriptedServer, event
from tests.record.test_proxy import proxied
from tests.unit.store.secrets_planted import CORE, KEYS
from tests.unit.store.stream_forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = KEYS["openai"]
ANSWER = f"The key: {KEY}. Keep it \\ safe, é."
SHORT = f'Log in with {{"password": "pass-{CORE[:4]}"}} or ?sig=abc&x'
NOWHERE = "http://nowhere.invalid/v1"


def pieces_of(text: str, size: int, first: int = 0) -> list[str]:
    """Return a text in pieces of a size; the first may have another."""
    starts = [0, *range(first or size, len(text), size)]
    return [text[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


def streaming(pieces: list[str]) -> Callable[[Connection], None]:
    """Answer with these pieces, and the second time with a word."""

    def script(connection: Connection) -> None:
        connection.begin()
        repeats = len(connection.json()["messages"]) > 1
        for piece in ["Good."] if repeats else pieces:
            connection.chunk(event(piece))
        connection.chunk(DONE)
        connection.end()

    return script


REPEATS: dict[str, Callable[[list[str]], Any]] = {
    "whole": "".join,
    "as parts": lambda pieces: [{"type": "text", "text": piece} for piece in pieces],
    "cut otherwise": lambda pieces: [
        {"type": "text", "text": piece} for piece in pieces_of("".join(pieces), 7)
    ],
    "quoted in a sentence": lambda pieces: f"You wrote {''.join(pieces)!r}; go on",
    "as JSON in JSON": lambda pieces: json.dumps({"answer": "".join(pieces)}),
    "its beginning": lambda pieces: "".join(pieces)[:40] + "...",
    "inside the key": lambda pieces: "".join(pieces)[:12] + "...",
    "its end": lambda pieces: "".join(pieces)[-15:],
}


def talk(base: str, repeat: Callable[[list[str]], Any]) -> list[str]:
    """Ask, repeat what was answered, and ask again."""
    with openai.OpenAI(
        api_key="none",
        base_url=base,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(verify=False),  # reads no 50 ms of CAs
    ) as client:
        messages: list[Any] = [{"role": "user", "content": "What is my key?"}]
        answers = []
        for _ in range(2):
            stream = client.chat.completions.create(
                model="m", messages=messages, stream=True
            )
            got = [chunk.choices[0].delta.content or "" for chunk in stream]
            answers.append("".join(got))
            messages += [
                {"role": "assistant", "content": repeat(got)},
                {"role": "user", "content": "Again."},
            ]
    return answers


@pytest.mark.parametrize("repeat", REPEATS)
@pytest.mark.parametrize(
    ("text", "size"),
    [
        (ANSWER, 4),
        *[
            pytest.param(text, size, marks=pytest.mark.slow)
            for text, size in [(SHORT, 4), (ANSWER, 1), (SHORT, 1), (ANSWER, 1000)]
        ],
    ],
    ids=["key", "password", "key by letters", "password by letters", "key at once"],
)
def test_agent_that_repeats_a_secret_plays_back(
    tmp_path: Path, repeat: str, text: str, size: int
) -> None:
    """Live it repeats the secret, played the mark: both are the same request."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(streaming(pieces_of(text, size))) as server:
        with use_cassette(path, "once"):
            live = talk(f"{server.url}/v1", REPEATS[repeat])
        assert live == [text, "Good."]
    with use_cassette(path) as session:
        played = talk(NOWHERE, REPEATS[repeat])
    assert session.unplayed == []
    assert [len(answer) for answer in played] == [len(answer) for answer in live]
    assert scan(path) == []


@pytest.mark.parametrize("repeat", REPEATS)
def test_agent_that_repeats_a_secret_with_unseen_characters_plays_back(
    tmp_path: Path, repeat: str
) -> None:
    """Characters without width within a key have bytes of the mark, or none."""
    path = tmp_path / "c.yaml"
    unseen = "\u200b".join(pieces_of(KEY, 5))
    pieces = pieces_of(ANSWER.replace(KEY, unseen), 4)
    with ScriptedServer(streaming(pieces)) as server, use_cassette(path, "once"):
        talk(f"{server.url}/v1", REPEATS[repeat])
    with use_cassette(path) as session:
        talk(NOWHERE, REPEATS[repeat])
    assert session.unplayed == []
    assert scan(path) == []
    seen = re.sub(r"\\u200b|\u200b", "", path.read_text(encoding="utf-8"))
    assert CORE[4:12] not in seen


def test_agent_that_got_its_first_piece_as_a_key_plays_back(tmp_path: Path) -> None:
    """A first piece that is a key by itself does not stop the search."""
    path = tmp_path / "c.yaml"
    pieces = ["The key: ", *pieces_of(KEY, 9, first=30), "."]
    with ScriptedServer(streaming(pieces)) as server, use_cassette(path, "once"):
        talk(f"{server.url}/v1", REPEATS["as parts"])
    with use_cassette(path) as session:
        played = talk(NOWHERE, REPEATS["as parts"])
    assert session.unplayed == []
    assert played[0] == f"The key: *REDACTED*{'*' * (len(KEY) - 10)}."
    assert CORE[-9:] not in path.read_text()


def test_other_request_still_differs(tmp_path: Path) -> None:
    """Marks stand for secrets only: a change beside them is a difference."""
    path = tmp_path / "c.yaml"
    script = streaming(pieces_of(ANSWER, 4))
    with ScriptedServer(script) as server, use_cassette(path, "once"):
        talk(f"{server.url}/v1", "".join)
    with (
        pytest.raises(CassetteMismatchError, match=r"messages\[1\].*Keep.*Give"),
        use_cassette(path),
    ):
        talk(NOWHERE, lambda pieces: "".join(pieces).replace("Keep", "Give"))


@pytest.mark.parametrize(
    "form",
    [
        form if number % 8 == 0 else pytest.param(form, marks=pytest.mark.slow)
        for number, form in enumerate(FORMS)
    ],
)
def test_stream_of_any_api_is_recorded_without_the_secret(
    tmp_path: Path, form: str
) -> None:
    """Through the file and back: chunks keep their sizes, no piece is on the disk."""
    path = tmp_path / "c.yaml"
    body = FORMS[form](["Sure: ", *pieces_of(KEY, 9, first=30), " it is."])
    cuts = [body[i : i + 50] for i in range(0, len(body), 50)]

    def script(connection: Connection) -> None:
        connection.begin()
        for piece in cuts:
            connection.chunk(piece)
        connection.end()

    def post(base: str) -> list[bytes]:
        with (
            httpx.Client(verify=False) as client,
            client.stream("POST", base, json={"stream": True}) as response,
        ):
            return list(response.iter_raw())

    with ScriptedServer(script) as server, use_cassette(path, "once"):
        live = post(f"{server.url}/v1")
    assert b"".join(live) == body
    with use_cassette(path):
        played = post(NOWHERE)
    assert [len(piece) for piece in played] == [len(piece) for piece in live]
    text = path.read_text()
    assert not any(CORE[i : i + 8] in text for i in range(len(CORE) - 7))
    assert scan(path) == []


def called(text: str) -> dict[str, Any]:
    """Return the arguments of a call that came as text, and its result."""
    arguments = json.loads(text)
    return {"input": arguments, "result": f"did {arguments['command']}"}


APIS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "responses output_text": ("delta", lambda text: {"output_text": text}),
    "responses arguments": ("delta", lambda text: {"arguments": text, **called(text)}),
    "anthropic text": ("text", lambda text: {"type": "text", "text": text}),
    "anthropic partial_json": ("partial_json", called),
    "gemini": ("text", lambda text: {"parts": [{"text": text}]}),
    "ollama lines": ("content", lambda text: {"role": "assistant", "content": text}),
}
"""The field that holds the pieces of a form, and what a client makes of them."""
SECRETS = (
    f"The key: {KEY}. Keep it \\ safe, é.",
    f"mongosh -u me -p {CORE} host; db.host:5432:app:me:{CORE}",
    f'Set("X-Api-Key", "{CORE}"), and DB_PASSWORD=83920174 too',
)


@pytest.mark.parametrize("form", APIS)
def test_agent_of_any_api_that_repeats_a_secret_plays_back(
    tmp_path: Path, form: str
) -> None:
    """A text in pieces goes back whole, arguments as the object that they were."""
    field, repeated = APIS[form]
    streams = [FORMS[form](pieces_of(text, 5)) for text in SECRETS]
    waiting = iter(streams)

    def script(connection: Connection) -> None:
        connection.begin()
        connection.chunk(next(waiting))
        connection.end()

    def post(base: str) -> list[bytes]:
        history: list[Any] = [{"role": "user", "content": "go"}]
        answers = []
        with httpx.Client(verify=False) as client:
            for _ in SECRETS:
                sent = {"stream": True, "messages": history}
                answers.append(client.post(f"{base}/chat", json=sent).content)
                texts = rf'"{field}": ("(?:[^"\\]|\\.)*")'
                found = map(json.loads, re.findall(texts, answers[-1].decode()))
                heard = (one for one in found if not re.fullmatch(r"\d+\. ", one))
                history = [*history, repeated("".join(heard))]
        return answers

    path = tmp_path / "c.yaml"
    with ScriptedServer(script) as server, use_cassette(path, "once"):
        assert post(f"{server.url}/v1") == streams
    with use_cassette(path) as session:
        post(NOWHERE)
    assert session.unplayed == []
    assert not any(CORE[i : i + 8] in path.read_text() for i in range(len(CORE) - 7))
    assert scan(path) == []


def test_proxy_records_no_piece_and_plays_the_repetition(tmp_path: Path) -> None:
    """The same through the proxy: recorded there, played in process."""
    path = tmp_path / "c.yaml"
    pieces = pieces_of(ANSWER, 5, first=38)
    with (
        ScriptedServer(streaming(pieces)) as server,
        proxied(path, server.url) as proxy,
    ):
        assert talk(f"{proxy.url}/v1", "".join) == [ANSWER, "Good."]
        proxy.wait_for_reports(2)
    assert scan(path) == []
    assert CORE[-8:] not in path.read_text()
    with use_cassette(path) as session:
        talk(NOWHERE, "".join)
    assert session.unplayed == []


SCENARIO = """
model: m
messages: [{role: user, content: Log in.}]
tools:
  login:
    description: Log in.
    parameters: {type: object, properties: {key: {type: string}}}
    returns: OK
turns: [{tools: [login]}, {tools: []}]
"""


def test_scenario_that_sends_a_call_back_holds_no_piece(tmp_path: Path) -> None:
    """The arguments of a call come in pieces and go back whole: both are marked."""
    path = tmp_path / "chat.scenario.yaml"
    path.write_text(SCENARIO)
    arguments = pieces_of(json.dumps({"key": KEY}), 6, first=31)

    def script(connection: Connection) -> None:
        connection.begin()
        if len(connection.json()["messages"]) == 1:
            call: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function"}
            call["function"] = {"name": "login", "arguments": ""}
            for piece in arguments:
                call["function"]["arguments"] = piece
                choice = {"index": 0, "delta": {"tool_calls": [call]}}
                connection.chunk(event("", choices=[choice]))
                call = {"index": 0, "function": {}}
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        connection.chunk(event("", choices=[last]))
        connection.chunk(DONE)
        connection.end()

    with ScriptedServer(script) as server:
        record_scenario(path, f"{server.url}/v1")
    recorded = tmp_path / "chat.yaml"
    assert scan(recorded) == []
    text = recorded.read_text()
    assert not any(CORE[i : i + 8] in text for i in range(len(CORE) - 7))
    first, second = load_cassette(recorded).exchanges
    called = second.request.json()["messages"][1]["tool_calls"][0]["function"]
    mark = json.loads(called["arguments"])["key"]
    assert mark == f"*REDACTED*{'*' * (len(KEY) - 10)}"
    assert first.response.body.count(b"*") == mark.count("*")
