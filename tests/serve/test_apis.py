"""One recording of any API, served to clients of every API."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from harness.apis.detect import api_named
from harness.apis.style import ApiStyle
from harness.apis.varied import vary
from harness.cassettes.model import Cassette, Exchange, Request, Response
from harness.core.accumulate import Accumulator
from harness.core.diagnostics import DiagnosticKind
from harness.core.framing import decoder_for
from harness.core.parts import CallPart, Finish, Head, Part, Problem, Text, ToolCall
from harness.engine.restated import restated_bytes
from harness.serve import serve
from tests.serve.sockets import Seen, ask

if TYPE_CHECKING:
    from harness.apis.base import WritingApi

# One for all requests, for making one takes 60 ms; servers come and go.
HTTP = httpx.Client(verify=False, limits=httpx.Limits(max_keepalive_connections=0))
APIS = ("chat", "responses", "anthropic", "gemini")
PATHS = {
    "chat": "/chat/completions",
    "responses": "/responses",
    "anthropic": "/messages",
    "gemini": "/models/m:streamGenerateContent?alt=sse",
}
QUESTION = "Weather in Rome?"
ASKED: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": [{"role": "user", "content": QUESTION}]},
    "responses": {"model": "m", "input": QUESTION},
    "anthropic": {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": QUESTION}],
    },
    "gemini": {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]},
}


def answer() -> list[list[Part]]:
    """Return the parts of a text and two calls."""
    found: list[list[Part]] = [
        [Head("resp_1", "m", 1)],
        [Text("Let me ")],
        [Text("look.")],
    ]
    for number, city in enumerate(("Rome", "Oslo")):
        call = ToolCall(number, number, f"call_{number}")
        call.name = "weather"
        arguments = json.dumps({"city": city})
        call.add_arguments(arguments)
        found.append([CallPart(call, "weather", "", is_new=True, id=call.id)])
        found.append([CallPart(call, "", arguments, is_new=False)])
    return [*found, [Finish("tool_calls", "tool_calls")]]


def chat_body() -> bytes:
    """Return the answer as a chat stream."""
    head = {
        "id": "resp_1",
        "object": "chat.completion.chunk",
        "model": "m",
        "created": 1,
    }
    calls = [
        {
            "index": n,
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": "weather", "arguments": json.dumps({"city": city})},
        }
        for n, city in enumerate(("Rome", "Oslo"))
    ]
    deltas = [{"content": "Let me "}, {"content": "look."}, {"tool_calls": calls}, {}]
    chunks = [
        head
        | {
            "choices": [
                {"index": 0, "delta": d, "finish_reason": None if d else "tool_calls"}
            ]
        }
        for d in deltas
    ]
    lines = [*map(json.dumps, chunks), "[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def recording(api: str) -> Cassette:
    """Return a cassette of that API with the answer."""
    if api == "chat":
        body = chat_body()
    else:
        style = ApiStyle(api)
        body = b"".join(style.encode(style.write(answer())[0]))
    asked = ASKED[api] | ({} if api == "gemini" else {"stream": True})
    request = Request(
        "POST",
        f"http://localhost/v1{PATHS[api]}",
        {"content-type": ["application/json"]},
        json.dumps(asked).encode(),
    )
    return Cassette("made", [Exchange(0, request, Response(200, body=body))])


def summary(parts: list[Part]) -> tuple[str, list[tuple[str, Any]]]:
    """Return text and calls."""
    accumulator = Accumulator()
    accumulator.add(parts)
    message = accumulator.message()
    return message.content, [(c.name, json.loads(c.arguments)) for c in message.calls]


def read(api: str, body: bytes) -> tuple[str, list[tuple[str, Any]]]:
    """Read a stream of an API."""
    from harness.apis.base import Event

    reader = api_named(api).reader()
    decoder = decoder_for(body)
    parts: list[Part] = []
    events = [*decoder.feed(body), *decoder.close()]
    for number, event in enumerate(e for e in events if e.data not in {"", "[DONE]"}):
        parts += reader.feed(Event(number, event.event, json.loads(event.data)))
    return summary([*parts, *reader.close()])


SPLITS = ("recorded", "whole", "chars", "random:7", "at:2,9")
WANTED = (
    "Let me look.",
    [("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})],
)


@pytest.mark.parametrize("asked", APIS)
@pytest.mark.parametrize("recorded", APIS)
def test_answer_is_the_same_in_every_api(recorded: str, asked: str) -> None:
    """The same question in another API finds the recording; streamed and whole."""
    with serve(recording(recorded)) as server:
        body = ASKED[asked] | ({} if asked == "gemini" else {"stream": True})
        streamed = HTTP.post(f"{server.base_url}{PATHS[asked]}", json=body)
        assert streamed.status_code == 200, streamed.text
        assert read(asked, streamed.content) == WANTED
        path = PATHS[asked].replace("streamGenerateContent?alt=sse", "generateContent")
        whole = HTTP.post(f"{server.base_url}{path}", json=ASKED[asked])
        assert whole.status_code == 200, whole.text
        assert summary(api_named(asked).whole(whole.json())) == WANTED


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_a_recording_of_ollama_plays_as_recorded_or_in_another_api(path: str) -> None:
    """Its API is not written; it streams unless asked not to."""
    chat, is_chat = ASKED["chat"], path == "/api/chat"
    body = "".join(
        json.dumps({"model": "m", "done": text == "!"} | answered) + "\n"
        for text in ("Hi", "!")
        for answered in [
            {"message": {"content": text}} if is_chat else {"response": text}
        ]
    )
    document = json.dumps(chat if is_chat else {"prompt": QUESTION}).encode()
    asked = Request("POST", f"http://localhost:11434{path}", {}, document)
    head = {"content-type": ["application/x-ndjson"]}
    response = Response(200, "", head, body.encode())
    with serve(Cassette("made", [Exchange(0, asked, response)])) as server:
        url = server.base_url.removesuffix("/v1") + path
        answered = HTTP.post(url, content=document)
        assert (answered.status_code, answered.text) == (200, body)
        assert answered.headers["content-type"] == "application/x-ndjson"
        whole = json.loads(document) | {"stream": False}
        refused = [HTTP.post(url, json=whole)]
        server.configure(split="chars")
        refused.append(HTTP.post(url, content=document))
        url = f"{server.base_url}{PATHS['chat']}"
        streamed = HTTP.post(url, json=chat | {"stream": True})
    for answered in refused:
        assert answered.status_code == 501
        assert "as they were recorded" in answered.json()["error"]["message"]
    if is_chat:
        assert read("chat", streamed.content) == ("Hi!", [])
    else:
        assert streamed.status_code == 404


@pytest.mark.parametrize("recorded", APIS)
def test_gemini_without_sse_is_an_array(recorded: str) -> None:
    """As Google frames it without `alt=sse`, whatever was recorded, in any dialect."""
    path, sse = PATHS["gemini"].split("?")
    queries = (("?alt=json", True), (f"?key=k&{sse}", False))
    dialects = (None, "vertex", "gemini-array")
    with serve(recording(recorded)) as server:
        for dialect, (query, is_array) in product(dialects, queries):
            server.configure(api="gemini", dialect=dialect)
            url = f"{server.base_url}{path}{query}"
            answered = HTTP.post(url, json=ASKED["gemini"])
            is_json = is_array or dialect == "gemini-array"
            kind = "application/json" if is_json else "text/event-stream"
            assert answered.headers["content-type"].startswith(kind)
            assert (answered.text[0] == "[") == is_json
            assert read("gemini", answered.content) == WANTED


def test_an_array_that_was_recorded_is_served_as_events() -> None:
    """The query decides, not the recording."""
    cassette = recording("gemini")
    one = cassette.exchanges[0]
    style = ApiStyle("gemini", "gemini-array")
    body = b"".join(style.encode(style.write(answer())[0]))
    cassette.exchanges[0] = replace(one, response=replace(one.response, body=body))
    with serve(cassette) as server:
        url = f"{server.base_url}{PATHS['gemini']}"
        answered = HTTP.post(url, json=ASKED["gemini"])
        assert answered.text.startswith("data: ")
        assert read("gemini", answered.content) == WANTED


def test_another_question_is_a_miss_that_names_the_field() -> None:
    """What differs is the text of a turn, whatever the API."""
    other = {"model": "m", "input": "Weather in Oslo?"}
    with serve(recording("anthropic")) as server:
        answered = HTTP.post(f"{server.base_url}/responses", json=other)
    assert answered.status_code == 404
    message = answered.json()["error"]["message"]
    assert "turn 0: text" in message
    assert "Rome" in message


def test_a_miss_names_the_turns_that_there_are_too_many_of() -> None:
    """Those before and behind it are the same; what is not there is nothing."""
    other = ASKED["responses"] | {"instructions": "Be brief."}
    with serve(recording("anthropic")) as server:
        answered = HTTP.post(f"{server.base_url}/responses", json=other)
    message = answered.json()["error"]["message"]
    assert "turn 0: role: recorded nothing, sent 'system'" in message
    assert "turn 0: text: recorded nothing, sent 'Be brief.'" in message
    assert QUESTION not in message


def several(*recordings: Cassette) -> Cassette:
    """Return a cassette of the exchanges of several."""
    exchanges = [one for cassette in recordings for one in cassette.exchanges]
    return Cassette("many", [replace(one, index=n) for n, one in enumerate(exchanges)])


def test_order_serves_any_question_in_any_api() -> None:
    """With match order the recordings answer in turn, whichever API asks."""
    with serve(several(*map(recording, APIS)), match="order") as server:
        for asked in ("gemini", "responses", "anthropic", "responses"):
            body = {"model": "m", "input": "?", "contents": [], "stream": True}
            answered = HTTP.post(f"{server.base_url}{PATHS[asked]}", json=body)
            assert read(asked, answered.content) == WANTED
        again = HTTP.post(f"{server.base_url}/chat/completions", json={"model": "m"})
        assert again.status_code == 404


def test_a_question_is_found_among_recordings_of_other_apis() -> None:
    """Though others were recorded in the API that asks; its own come first."""
    chat = recording("chat")
    one = chat.exchanges[0]
    other = ASKED["chat"] | {"messages": [{"role": "user", "content": "Who?"}]}
    asked = replace(one.request, body=json.dumps(other).encode())
    chat.exchanges[0] = replace(one, request=asked)
    with serve(several(chat, recording("anthropic"))) as server:
        for body, name in ((ASKED["chat"], "many#1"), (other, "many#0")):
            url = f"{server.base_url}/chat/completions"
            answered = HTTP.post(url, json=body | {"stream": True})
            assert read("chat", answered.content) == WANTED
            assert server.requests[-1]["source"] == name


@pytest.mark.parametrize("recorded", APIS)
def test_event_stream_text_answers_in_every_api(recorded: str) -> None:
    """Of which no request is known."""
    cassette = recording(recorded)
    one = cassette.exchanges[0]
    cassette.exchanges[0] = replace(one, request=Request("", "", {}, None))
    with serve(cassette) as server:
        for asked in APIS:
            body = ASKED[asked] | {"stream": True}
            answered = HTTP.post(f"{server.base_url}{PATHS[asked]}", json=body)
            assert read(asked, answered.content) == WANTED


def test_a_response_is_resumed_after_a_number() -> None:
    """`GET .../responses/ID?stream=true&starting_after=N` sends what came later."""
    with serve(recording("responses")) as server:
        url = f"{server.base_url}/responses/resp_1?stream=true"
        every = HTTP.get(url).text.split("\n\n")[:-1]
        rest = HTTP.get(f"{url}&starting_after=3").text.split("\n\n")[:-1]
        assert rest == every[4:]
        whole = HTTP.get(f"{server.base_url}/responses/resp_1").json()
        assert whole["id"] == "resp_1"
        missing = HTTP.get(f"{server.base_url}/responses/resp_2")
        assert missing.status_code == 404


def test_a_response_without_id_is_resumed_under_the_one_it_was_given() -> None:
    """Gemini need not send one."""
    cassette = recording("gemini")
    one = cassette.exchanges[0]
    body = one.response.body.replace(b'"responseId":"resp_1",', b"")
    assert body != one.response.body
    cassette.exchanges[0] = replace(one, response=replace(one.response, body=body))
    with serve(cassette) as server:
        asked = ASKED["responses"]
        given = HTTP.post(f"{server.base_url}/responses", json=asked).json()["id"]
        url = f"{server.base_url}/responses/{given}?stream=true&starting_after=3"
        assert HTTP.get(url).status_code == 200


def test_dialect_of_an_api_is_served_to_its_clients() -> None:
    """`api` and `dialect` of another API than chat."""
    with serve(recording("chat"), api="responses", dialect="with-done") as server:
        body = ASKED["responses"] | {"stream": True}
        answered = HTTP.post(f"{server.base_url}/responses", json=body)
        assert answered.text.endswith("data: [DONE]\n\n")
        chat = ASKED["chat"] | {"stream": True}
        plain = HTTP.post(f"{server.base_url}/chat/completions", json=chat)
        assert plain.content == chat_body()


def _seen(server: Any, api: str, **settings: Any) -> Seen:
    server.configure(api=api, **settings)
    body = ASKED[api] | ({} if api == "gemini" else {"stream": True})
    return ask(f"{server.base_url}{PATHS[api]}", body, timeout_s=1)


@pytest.mark.parametrize("api", APIS[1:])
def test_every_split_and_fault_is_served_as_replay_has_it(api: str) -> None:
    """Bytes and their order, and how the connection ends."""
    exchange = recording("chat").exchanges[0]
    faults = cast("WritingApi", api_named(api)).faults
    ways: list[dict[str, str]] = [{"split": split} for split in SPLITS]
    ways += [{"fault": name, "split": SPLITS[n % 5]} for n, name in enumerate(faults)]
    with serve(recording("chat")) as server:
        for way in ways:
            seen = _seen(server, api, **way)
            variation = vary(way["split"], None, way.get("fault"), api)
            fault = faults.get(way.get("fault", ""))
            if fault is not None and fault.body is not None:
                assert (seen.status, json.loads(seen.body)) == (
                    fault.status,
                    fault.body,
                )
                continue
            wanted = b"".join(restated_bytes(exchange, variation, "chat"))
            is_silent = fault is not None and fault.is_silent
            assert seen.body == wanted, way
            assert seen.ended == ("silent" if is_silent else "complete"), way


@pytest.mark.parametrize("api", APIS[1:])
def test_a_connection_breaks_after_so_many_bytes_in_every_api(api: str) -> None:
    """`reset:K` and `close:K` with writes of a byte, joined to a fault of the API."""
    fault = {"responses": "failed", "anthropic": "no-start", "gemini": "no-finish"}
    with serve(recording("chat")) as server:
        whole = _seen(server, api, fault=fault[api]).body
        for name, ended in (("reset", "reset"), ("close", "closed")):
            both = f"{fault[api]}+{name}:700"
            seen = _seen(server, api, fault=both, writes="chars")
            assert (len(seen.body), seen.ended) == (700, ended)
            assert whole.startswith(seen.body)
        for more, ended in ((0, "reset"), (1, "complete")):
            size = len(whole) + more
            seen = _seen(server, api, fault=f"{fault[api]}+reset:{size}", writes="3")
            assert (seen.body, seen.ended) == (whole, ended)


@pytest.mark.parametrize("asked", APIS)
@pytest.mark.parametrize("recorded", APIS[1:])
def test_an_error_of_the_recording_is_an_error_in_every_api(
    recorded: str, asked: str
) -> None:
    """What came before it comes, then the error in the form of the API."""
    error = Problem(DiagnosticKind.ERROR_EVENT, "overloaded_error: Overloaded")
    style = ApiStyle(recorded)
    broken: list[list[Part]] = [*answer()[:3], [error]]
    cassette = recording(recorded)
    body = b"".join(style.encode(style.write(broken)[0]))
    cassette.exchanges[0] = replace(
        cassette.exchanges[0], response=Response(200, body=body)
    )
    with serve(cassette) as server:
        asked_for = ASKED[asked] | ({} if asked == "gemini" else {"stream": True})
        body = HTTP.post(f"{server.base_url}{PATHS[asked]}", json=asked_for).content
        path = PATHS[asked].replace("streamGenerateContent?alt=sse", "generateContent")
        whole = HTTP.post(f"{server.base_url}{path}", json=ASKED[asked])
    assert read(asked, body)[0] == "Let me look."
    assert b"Overloaded" in body
    assert whole.status_code == 500
    assert "Overloaded" in whole.json()["error"]["message"]
    assert set(whole.json()) == (
        {"type", "error"} if asked == "anthropic" else {"error"}
    )
