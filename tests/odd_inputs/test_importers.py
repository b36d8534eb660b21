"""Recordings of other tools are read, or named for what they are."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from harness import load_cassette, replay
from harness.cassettes.classify import classify
from harness.cassettes.library import find_cassettes
from harness.cassettes.model import header_of
from harness.core.diagnostics import DiagnosticKind, Severity
from harness.errors import HarnessError
from tests.cli.running import harness
from tests.odd_inputs.made_recordings import MADE, TWICE, har, har_entry
from tests.odd_inputs.made_stream import ANSWER, DATA, KEY, SSE
from tests.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

ODD = SHARED / "odd-inputs"
WITH_NOTE = {"gzip-json", "har-gzip", "betamax-gzip"}  # compressed, without a header
WITH_NOTE |= {"zlib-without-header", "sizes-in-the-body"}
WITH_STRAY = {"nul-lines", "nul-first"}
DESTRUCTIVE = re.compile(r"\b(?:delete|remove|overwrite|discard)\b", re.IGNORECASE)


def said(path: str | Path) -> list[str]:
    """Return the texts that a recording's answers come to."""
    made = replay(load_cassette(path), "queuing")
    return [answer.choices[0].content for answer in made.responses]


def saved(folder: Path, name: str) -> Path:
    """Write one of the made recordings under a name that says nothing."""
    path = folder / "recording.txt"
    path.write_bytes(MADE[name])
    return path


READ = {
    "62-chrome.har": "Hi you",
    "61-ruby-vcr.yml": "Hi you",
    "64-curl-v.txt": "Hi you",
    "64-curl-prompt.txt": "Hi you",
    "49-chunk-list.json": "Hi you",
    "51b-jq.json": "Hi",
    "91-powershell-utf16.txt": "Hi you",
    "37-ollama-native.ndjson": "Hi",
    "60-gzip-noheader.yaml": "Hi you",
    "31-nul.sse": "Hi you",
}
"""The files that are rebuilt from public reports, and what their answers are."""


@needs_shared
@pytest.mark.parametrize(("name", "text"), READ.items(), ids=READ)
def test_reported_recording_is_read(name: str, text: str) -> None:
    """What people attach to reports replays as it is."""
    assert said(ODD / name) == [text]


@needs_shared
def test_reported_call_of_ollama_is_read() -> None:
    """Arguments that came as an object are the call's JSON."""
    answer = replay(load_cassette(ODD / "37-ollama-native.ndjson"), "queuing")
    call = answer.responses[0].choices[0].calls[0]
    assert (call.name, call.arguments) == ("go", '{"a": 1}')
    assert answer.responses[0].usage == {"prompt_eval_count": 1, "eval_count": 2}


@needs_shared
def test_reported_bedrock_stream_is_read_or_named() -> None:
    """Its events are Anthropic's: replayed where that API is read, named where not."""
    found = classify(load_cassette(ODD / "66-bedrock.yaml").exchanges[0])
    assert found.api == "anthropic" or "Bedrock" in found.reason


@needs_shared
def test_reported_error_in_sse_is_the_reason() -> None:
    """A server frames even the body of HTTP 400."""
    found = classify(load_cassette(ODD / "67-http400-sse.yaml").exchanges[0])
    assert found.reason.startswith("HTTP 400: prompt exceeds the context")


@needs_shared
@pytest.mark.parametrize(
    ("name", "kind"),
    [("31-nul.sse", "stray-text"), ("60-gzip-noheader.yaml", "missing-encoding")],
)
def test_reported_damage_is_a_problem_of_check(name: str, kind: str) -> None:
    """What a client would stumble over is reported, not only read."""
    result = harness("check", str(ODD / name))
    assert result.code == 1
    assert f": {kind}: " in result.out


@needs_shared
def test_secret_of_a_reported_har_is_found() -> None:
    """`scan` reads the headers."""
    result = harness("scan", str(ODD / "62-chrome.har"))
    assert result.code == 1
    assert "request header authorization" in result.out


@needs_shared
def test_messages_that_letta_sent_are_compared() -> None:
    """`diff` reads them; `replay` names the command that does."""
    name = str(ODD / "84-letta-out.sse")
    assert harness("diff", name, name).code == 0
    result = harness("diff", name, str(ODD / "49-chunk-list.json"), "--said")
    assert result.code == 1
    assert "- Chad" in result.out
    assert "harness diff" in harness("replay", name).err


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"{b'choices': [], 'id': 'c'}\n", id="python with bytes as keys"),
        pytest.param(b"{'choices': {1, 2}}\n", id="python with a set"),
        pytest.param(b"{'id': 1abc, 'choices': []}\n", id="python with odd numbers"),
        pytest.param(b"$ curl -d 'a\xce' http://a/v1\ndata: {}\n", id="no UTF-8"),
        pytest.param(
            b"<= Recv data, 9 bytes (0x9)\nfffffffffffffffff: data: {}\n", id="offset"
        ),
        pytest.param(
            b"99:99:99.9 <= Recv data, 9 bytes (0x9)\n0000: data: {}\n", id="clock"
        ),
    ],
)
@pytest.mark.filterwarnings("error")
def test_spoiled_recording_is_read_or_refused(tmp_path: Path, text: bytes) -> None:
    """No other error comes out, and no warning of Python's."""
    path = tmp_path / "spoiled.txt"
    path.write_bytes(text)
    with suppress(HarnessError):
        load_cassette(path)


@needs_shared
def test_no_answer_advises_to_destroy_a_recording() -> None:
    """Neither `check` nor `replay` nor `show` tells anybody to remove anything."""
    for path in sorted(ODD.iterdir()):
        for command in ("check", "replay", "show"):
            result = harness(command, str(path))
            assert not DESTRUCTIVE.search(result.out + result.err), (path, command)


@pytest.mark.parametrize("name", MADE)
def test_made_recording_is_read(tmp_path: Path, name: str) -> None:
    """Another version, field or place of the same kind is read as well."""
    path = saved(tmp_path, name)
    assert said(path) == ["Hi you"]
    hurting = {
        str(one.kind)
        for one in replay(load_cassette(path), "queuing").diagnostics
        if one.kind.severity is not Severity.NOTE
    }
    expected = {"missing-encoding"} if name in WITH_NOTE else set()
    assert hurting == (expected | ({"stray-text"} if name in WITH_STRAY else set()))


@pytest.mark.parametrize("name", MADE)
def test_import_and_replay_give_the_same_transcript(tmp_path: Path, name: str) -> None:
    """What is imported replays as the file itself does, and holds no secret."""
    path = saved(tmp_path, name)
    target = tmp_path / "made.yaml"
    content = path.read_bytes()
    assert harness("import", str(path), "-o", str(target)).code == 0
    assert path.read_bytes() == content
    one, other = (load_cassette(each) for each in (path, target))
    assert [
        [str(e.message) for e in replay(c, "streaming").emissions] for c in (one,)
    ] == [[str(e.message) for e in replay(other, "streaming").emissions]]
    assert KEY.encode() not in target.read_bytes()
    assert [e.request.uri for e in one.exchanges] == [
        e.request.uri for e in other.exchanges
    ]


@pytest.mark.parametrize(
    "name", [n for n, data in MADE.items() if KEY.encode() in data]
)
def test_secret_is_found_where_it_stands(tmp_path: Path, name: str) -> None:
    """`scan` finds the key in the request of every format that keeps one."""
    result = harness("scan", str(saved(tmp_path, name)))
    assert result.code == 1
    assert "request header authorization" in result.out
    assert KEY not in result.out


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("har-firefox", [1.5]),
        ("charles", [1.5]),
        ("go-vcr-3", [1.5]),
        ("go-vcr-nanoseconds", [1.5]),
        ("log-python", [0.0, 1.0, 2.0, 3.0]),
        ("curl-trace-time", [5.0, 6.0, 7.0, 8.0, 9.0]),
    ],
)
def test_times_are_kept(tmp_path: Path, name: str, seconds: list[float]) -> None:
    """Where a tool measured them they are seconds since the request."""
    wire = load_cassette(saved(tmp_path, name)).exchanges[0].response.wire
    assert wire is not None
    assert [chunk.seconds for chunk in wire] == pytest.approx(seconds)


def test_requests_are_kept(tmp_path: Path) -> None:
    """A command that was typed states what was asked."""
    for name in (
        "curl-trace",
        "prompt-lines",
        "prompt-json-lines",
        "prompt-v",
        "markdown",
        "har-firefox",
        "har-entries",
        "cassetter-toml",
    ):
        request = load_cassette(saved(tmp_path, name)).exchanges[0].request
        assert request.uri == "http://localhost:1/v1/chat/completions"
        assert request.method == "POST"
        assert request.json()["messages"][0]["content"] == "hello"


_ANSWERED = "HTTP/1.1 200 OK\r\ncontent-type: x\r\n\r\n"
_URL = "http://localhost:1/v1/chat/completions"
_KNOWN = [_URL, True, True, {"content-type"}]
_SHOWN = MADE["curl-v"].decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # URI, whether the body and the key of the request are known, headers sent back
        (MADE["prompt-v"].decode(), [_KNOWN]),
        (MADE["prompt-i"].decode(), [_KNOWN]),
        (MADE["wireshark"].decode(), [[*_KNOWN[:3], {"transfer-encoding"}]]),
        (_SHOWN, [[_URL, False, *_KNOWN[2:]]]),
        (MADE["curl-v-tls"].decode(), [[f"https{_URL[4:]}", False, *_KNOWN[2:]]]),
        (_SHOWN * 2, [[_URL, False, *_KNOWN[2:]]] * 2),
        (
            f"{MADE['prompt-v'].decode()}{_SHOWN}",
            [_KNOWN, [_URL, False, *_KNOWN[2:]]],
        ),
        (MADE["okhttp"].decode(), [["", True, False, set()]]),
        (MADE["ngrep"].decode(), [["", False, False, {"content-type", "."}]]),
        (
            f"It said\n< HTTP/1.1 200 OK\n< a: b\n<\n{SSE}",
            [["", False, False, {"a"}]],
        ),
        (
            f"```\n$ curl http://x/y -d '{{}}'\n```\n```\n{_ANSWERED}{SSE}```\n",
            [["http://x/y", True, False, {"content-type"}]],
        ),
        (
            f"```\n$ curl http://x/y -d '{{}}'\n```\n```\n{SSE}```\n",
            [["http://x/y", True, False, set()]],
        ),
        (
            (
                "> POST /a HTTP/1.1\n> Host: x\n>\n* closed\n> POST /b HTTP/1.1\n"
                f"> Host: x\n> \n{_ANSWERED}{SSE}"
            ),
            [["http://x/b", False, False, {"content-type"}]],
        ),
        (
            f"$ curl http://x/y\n{_ANSWERED}{SSE}{_ANSWERED}{SSE}$ ls\nx\n",
            [
                ["http://x/y", False, False, {"content-type"}],
                ["", False, False, {"content-type"}],
            ],
        ),
    ],
)
def test_what_a_terminal_shows_of_an_exchange_is_kept(
    tmp_path: Path, text: str, expected: list[list[object]]
) -> None:
    """Requests, heads and bodies of several exchanges are not taken for each other."""
    path = tmp_path / "shown.txt"
    path.write_text(text)
    assert said(path) == ["Hi you"] * len(expected)
    assert [
        [
            one.request.uri,
            bool(one.request.body),
            header_of(one.request.headers, "authorization") != "",
            {name.lower() for name in one.response.headers},
        ]
        for one in load_cassette(path).exchanges
    ] == expected


@pytest.mark.parametrize(
    ("words", "method", "uri", "body"),
    [
        ("x/y", "GET", "http://x/y", ""),
        ("-sSN https://x/y", "GET", "https://x/y", ""),
        ("-XPUT --url x/y -d a", "PUT", "http://x/y", "a"),
        ("--request=PATCH x/y --data=a", "PATCH", "http://x/y", "a"),
        ("x/y -d a=1 --data b=2", "POST", "http://x/y", "a=1&b=2"),
        ("x/y --json '{' --json '}'", "POST", "http://x/y", "{}"),
        ("x/y -sd'{\"a\": 1}'", "POST", "http://x/y", '{"a": 1}'),
        ("x/y --data-raw @a", "POST", "http://x/y", "@a"),
        ("x/y --data-binary @a", "POST", "http://x/y", ""),
        ("-o - -m 5 x/y", "GET", "http://x/y", ""),
        ("--max-time 5 --output=z x/y -", "GET", "http://x/y", ""),
        ("--limit-rate 5 http://x/y", "GET", "http://x/y", ""),
        ("x/y -d 'a", "POST", "http://x/y", "'a"),
        ("'x/y' -d 'a", "POST", "http://x/y", "'a"),
        (
            r"""x/y -d $'{"a":\n"it\'s \u0021"}'""",
            "POST",
            "http://x/y",
            '{"a":\n"it\'s !"}',
        ),
        (r"x/y -d $'\ud83d\ude00\q'", "POST", "http://x/y", "\U0001f600q"),
        ('x/y -d "{\n\\"a\\": \'1\'\n}"', "POST", "http://x/y", "{\n\"a\": '1'\n}"),
        ('^"x/y^" ^\n -d ^"^{^\\^"a^\\^":1^}^"', "POST", "http://x/y", '{"a":1}'),
        ("x/y -d 'a\\'", "POST", "http://x/y", "a\\"),
    ],
)
def test_command_line_of_curl_is_understood(
    tmp_path: Path, words: str, method: str, uri: str, body: str
) -> None:
    """As curl's manual has it; a file that is to be sent is noted."""
    path = tmp_path / "shown.txt"
    path.write_text(f"$ curl {words}\n{SSE}")
    (exchange,) = load_cassette(path).exchanges
    request = exchange.request
    assert (request.method, request.uri) == (method, uri)
    assert (request.body or b"").decode() == body
    is_file = "--data-binary" in words
    assert any("request (file a)" in str(note) for note in exchange.notes) is is_file


def test_each_request_of_a_log_begins_an_exchange(tmp_path: Path) -> None:
    """So does what comes behind a finished answer, of which no request was logged."""
    stream, answer = MADE["log-level"].decode(), MADE["log-answer"].decode()
    path = tmp_path / "a.log"
    path.write_text(
        f"INFO POST http://x/one sent\n{stream}INFO POST http://x/two sent\n"
        f"{stream}{stream}INFO POST http://x/three that nobody answered\n"
    )
    exchanges = load_cassette(path).exchanges
    assert [one.request.uri for one in exchanges] == [
        "http://x/one",
        "http://x/two",
        "",
    ]
    assert said(path) == ["Hi you"] * 3
    path.write_text(answer * 2)
    assert said(path) == ["Hi you"] * 2


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"content": "Hi", "reasoning": "so"}, ("Hi", "so", [])),
        (
            {"toolCalls": [{"name": "f", "arguments": {"a": 1}}]},
            ("", "", [("call_0_0", "f", '{"a": 1}')]),
        ),
        (
            {"blocks": [{"type": "toolCall", "id": "x", "name": "f", "arguments": ""}]},
            ("", "", [("x", "f", "")]),
        ),
    ],
    ids=["reasoning", "call", "block"],
)
def test_fixture_of_aimock_is_a_whole_answer(
    tmp_path: Path, response: object, expected: object
) -> None:
    """Reasoning and calls too, whose arguments may be an object."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"fixtures": [{"match": {}, "response": response}]}))
    (answer,) = replay(load_cassette(path), "queuing").responses
    texts = [
        (one.content, one.reasoning, [(c.id, c.name, c.arguments) for c in one.calls])
        for one in answer.choices.values()
    ]
    assert texts == [expected]


@pytest.mark.parametrize(
    ("name", "uri", "is_asked", "status"),
    [
        ("nock", _URL, True, 200),
        ("nock-gzip", _URL, True, 200),
        ("wiremock", "/v1/x", True, 200),
        ("hoverfly", _URL, True, 200),
        ("postman", _URL, True, 200),
        ("talkback", _URL, True, 200),
        ("langsmith", "", True, 200),
        ("mountebank", "", False, 200),
        ("cloudwatch", "", False, 200),
    ],
)
def test_request_beside_an_answer_is_kept(
    tmp_path: Path, name: str, uri: str, is_asked: bool, status: int
) -> None:
    """Under whatever names a tool has for it; matchers are what they compare with."""
    (exchange,) = load_cassette(saved(tmp_path, name)).exchanges
    request = exchange.request
    assert (request.method, request.uri) == ("POST", uri)
    assert (exchange.response.status, bool(request.body)) == (status, is_asked)
    if is_asked and name != "wiremock":
        assert request.json()["messages"][0]["content"] == "hello"


@pytest.mark.parametrize(
    ("made", "uri", "body", "status"),
    [
        ({"request": {"host": "x", "path": "/a"}}, "/a", None, 200),
        ({"request": {"scope": "http://x", "path": "/a"}}, "http://x/a", None, 200),
        (
            {"request": {"scope": "http://x", "url": "http://y/a"}},
            "http://y/a",
            None,
            200,
        ),
        (
            {"request": {"destination": "x", "scheme": "https", "path": "/a"}},
            "https://x/a",
            None,
            200,
        ),
        ({"request": {"contents": []}}, "", '{"contents": []}', 200),
        ({"request": {"input": "a"}}, "", '{"input": "a"}', 200),
        ({"request": {"body": {"a": 1}}}, "", '{"a": 1}', 200),
        ({"request": {"body": {"value": "a"}}}, "", "a", 200),
        ({"request": {"body": {"mode": "raw", "raw": "a"}}}, "", "a", 200),
        ({"request": {"body": [{"equalTo": "a"}]}}, "", "a", 200),
        ({"request": {"body": []}}, "", None, 200),
        ({"request": {"bodyPatterns": [{"equalToJson": "[]"}]}}, "", "[]", 200),
        ({"status": "500", "code": 404}, "", None, 404),
        ({"status": 7}, "", None, 200),
    ],
)
def test_request_and_status_are_looked_for_around_an_answer(
    tmp_path: Path, made: dict[str, object], uri: str, body: str | None, status: int
) -> None:
    """What is no URL, body or status is not made one."""
    path = tmp_path / "a.json"
    headers = {"Content-Encoding": "gzip", "A": "b"}
    path.write_text(json.dumps({**made, "headers": headers, "answer": ANSWER}))
    (exchange,) = load_cassette(path).exchanges
    request = exchange.request
    assert (request.method, request.uri) == ("POST", uri)
    assert (request.body or b"").decode() == (body or "")
    assert exchange.response.status == status
    assert exchange.response.headers == {"A": ["b"]}  # it is no longer packed


def test_fixture_of_aimock_says_what_it_can(tmp_path: Path) -> None:
    """What it does not state is made, what it states is kept, in the file's order."""
    stated = {"id": "x", "created": 7, "model": "m", "finishReason": "length"}
    blocks = [{"type": "text", "text": "a"}, {"type": "image", "text": "no"}]
    fixtures = [
        {"match": {"userMessage": ["hello"]}, "response": {"blocks": []}},
        {"match": {"userMessage": "hi"}, "response": {**stated, "blocks": blocks}},
        {"match": {}, "response": {"toolCalls": [{"name": "f"}], "usage": {"a": 1}}},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"fixtures": fixtures}))
    exchanges = load_cassette(path).exchanges
    assert [bool(one.request.body) for one in exchanges] == [False, True, False]
    made = [json.loads(one.response.body or b"") for one in exchanges]
    reasons = [one["choices"][0]["finish_reason"] for one in made]
    assert reasons == ["stop", "length", "tool_calls"]
    assert [(one["id"], one["created"], one["model"]) for one in made] == [
        ("chatcmpl-0", 0, ""),
        ("x", 7, "m"),
        ("chatcmpl-2", 0, ""),
    ]
    assert [one.get("usage") for one in made] == [None, None, {"a": 1}]
    messages = [one["choices"][0]["message"] for one in made]
    assert [one["content"] for one in messages] == [None, "a", None]
    (call,) = messages[2]["tool_calls"]
    assert call["function"] == {"name": "f", "arguments": "{}"}


def _go(request: dict[str, object], **response: object) -> dict[str, object]:
    asked = {"url": "http://x/y", "method": "", "body": "", **request}
    came = {"code": 200, "status": "200 OK", "body": SSE, **response}
    return {"interactions": [{"request": asked, "response": came}]}


def _charles(**more: object) -> list[dict[str, object]]:
    made = {"host": "x", "scheme": "https", "method": "POST", "path": None}
    return [{**made, "request": {}, "response": {"status": 200}, **more}]


_FORM: dict[str, object] = {"form": {"a": ["b"]}}
_GOOGLE = {"request": {"method": "get", "url": "http://x/y"}}


@pytest.mark.parametrize(
    ("made", "expected", "kinds"),
    [
        # method, URI, body and reason; what is noted
        (_go(_FORM, duration=True), ["GET", "http://x/y", None, "OK"], ["not-read"]),
        (_go({**_FORM, "body": "a"}), ["GET", "http://x/y", b"a", "OK"], []),
        (_go({}, status=None, body=None), ["GET", "http://x/y", None, ""], []),
        (_charles(port=1, query="a=b"), ["POST", "https://x:1/?a=b", None, ""], []),
        (_charles(port=443), ["POST", "https://x/", None, ""], []),
        (
            {"http_interactions": [{"request": {"method": "post", "uri": "u"},
             "response": {"status": {"code": 200, "message": None},
                          "body": {"string": None, "base64_string": "YQ=="}}}]},
            ["POST", "u", b"", ""], [],
        ),
        (
            {"interactions": [{**_GOOGLE, "response": {
                "status_code": 200, "body_segments": [{}, {"a": 1}]}}]},
            ["GET", "http://x/y", None, ""], [],
        ),
        (
            {"interactions": [{"request": {"method": "get", "uri": "u"}, "response": {
                "status": 200, "body": {"type": "none", "content": "no"}}}],
             "ws_interactions": []},
            ["GET", "u", None, ""], [],
        ),
    ],
)  # fmt: skip
def test_what_a_recorder_leaves_out_is_not_made_up(
    tmp_path: Path, made: object, expected: list[object], kinds: list[str]
) -> None:
    """Nothing else is known of the request; a time that is none is left out."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(made))
    (one,) = load_cassette(path).exchanges
    asked = one.request
    assert [asked.method, asked.uri, asked.body, one.response.reason] == expected
    assert [str(note.kind) for note in one.notes] == kinds
    assert one.response.wire is None


@pytest.mark.parametrize("status", [500, 429])
def test_fixture_of_aimock_with_an_error_is_one(tmp_path: Path, status: int) -> None:
    """Its status is 500 unless it states another."""
    stated = {} if status == 500 else {"status": status}
    error = {"match": {}, "response": {"error": {"message": "no"}, **stated}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"fixtures": [error]}))
    with pytest.raises(HarnessError, match=rf"HTTP {status}: no"):
        replay(load_cassette(path), "queuing")


def test_fixture_of_aimock_without_an_answer_is_named(tmp_path: Path) -> None:
    """The first is what a file is known by; of a later one it is said which."""
    path = tmp_path / "a.json"
    whole = {"match": {}, "response": {"content": "Hi"}}
    path.write_text(json.dumps({"fixtures": [whole, {"match": {}}]}))
    with pytest.raises(HarnessError, match=r"exchange 1.* without `response`"):
        load_cassette(path)


def notes(path: Path) -> list[str]:
    """Return what reading a recording noted, as `check` prints it."""
    return [str(note.kind) for e in load_cassette(path).exchanges for note in e.notes]


def test_what_a_har_holds_besides_is_noted(tmp_path: Path) -> None:
    """WebSocket messages and a body that was not saved are named; `import` exits 1."""
    socket = har_entry(text="") | {"_webSocketMessages": [{"data": "x"}]}
    socket["response"] |= {"status": 101, "content": {}}
    path = tmp_path / "a.har"
    path.write_bytes(har(har_entry(text=SSE), socket, har_entry()))
    assert notes(path) == ["not-read", "not-read"]
    result = harness("import", str(path), "-o", str(tmp_path / "a.yaml"))
    assert result.code == 1
    assert "1 WebSocket messages" in result.err
    assert "3 exchanges: 1 streamed (chat)" in result.err


def test_parts_of_a_har_entry_are_read_for_what_they_are(tmp_path: Path) -> None:
    """Errors, statuses, packed requests, names of events; nothing is made up."""
    broken = har_entry(text=SSE) | {"_error": "net::ERR_FAILED", "time": -1}
    broken["response"] |= {"statusText": None}
    aborted = har_entry(text=SSE)
    aborted["response"] |= {"_error": "aborted"}
    packed = har_entry(text=SSE)
    packed["request"]["postData"] |= {"text": "aGVsbG8=", "encoding": "base64"}
    odd = har_entry(text=SSE, encoding="base64")
    odd["request"]["postData"] |= {"text": "no base64!", "encoding": "base64"}
    form = har_entry(text=SSE)
    form["request"]["postData"] = {"params": [{"name": "a", "value": "b"}]}
    named = har_entry(text="") | {
        "_eventSourceMessages": [
            {"eventName": "message", "data": DATA[0]},
            {"eventName": "delta", "data": "1\n2"},
            {"data": "[DONE]"},
        ]
    }
    path = tmp_path / "a.har"
    path.write_bytes(har(broken, aborted, packed, odd, form, named))
    one = load_cassette(path).exchanges
    ends = [
        (e.response.ended.kind, e.response.ended.error)
        for e in one[:2]
        if e.response.ended is not None
    ]
    assert ends == [("error", "net::ERR_FAILED"), ("error", "aborted")]
    assert [e.response.reason for e in one[:2]] == ["", "OK"]
    assert [e.response.wire is None for e in one[:2]] == [True, False]
    assert ":authority" not in one[0].request.headers
    assert [e.request.body for e in one[2:5]] == [b"hello", b"no base64!", None]
    assert notes(path) == ["restored", "not-read", "restored"]
    assert (one[5].response.body or b"").decode() == (
        f"data: {DATA[0]}\n\nevent: delta\ndata: 1\ndata: 2\n\ndata: [DONE]\n\n"
    )


def test_requests_that_take_turns_in_rows_are_told_apart(tmp_path: Path) -> None:
    """Their rows name them, wherever the network cut what came."""
    pieces = [SSE.encode()[at : at + 60] for at in range(0, len(SSE), 60)]
    rows = [
        {"method": "x", "params": {"requestId": one, "data": b64encode(p).decode()}}
        for p in pieces
        for one in ("1", "2")
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows))
    assert said(path) == ["Hi you"] * 2
    assert "found at [1..19]" in str(load_cassette(path).exchanges[1].notes)


def test_cells_of_a_notebook_are_several_exchanges(tmp_path: Path) -> None:
    """Each is named by its cell, and numbered."""
    made = json.loads(MADE["notebook"])
    made["cells"] += made["cells"]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(made))
    exchanges = load_cassette(path).exchanges
    assert [one.index for one in exchanges] == [0, 1]
    assert ["cell 1," in str(one.notes) for one in exchanges] == [True, False]
    assert said(path) == ["Hi you"] * 2


def test_several_conversations_of_a_page_are_several_exchanges(tmp_path: Path) -> None:
    """Each prompt and each fenced block is an exchange of its own."""
    path = tmp_path / "page.md"
    path.write_text(
        f"one\n```\n{SSE}```\ntwo\n```\n$ curl x.y/z\n{SSE}$ curl x.y/w\n{SSE}```\n"
    )
    assert said(path) == ["Hi you"] * 3
    uris = [exchange.request.uri for exchange in load_cassette(path).exchanges]
    assert uris == ["", "http://x.y/z", "http://x.y/w"]


@pytest.mark.parametrize("text", ["{&quot;", '{\\"a', "\u201ca\u00a0b\u201d", "$\n^M"])
def test_content_that_looks_like_a_repair_stays(tmp_path: Path, text: str) -> None:
    """What a page or a tool makes of a whole text may be quoted in an answer."""
    chunk = {"choices": [{"index": 0, "delta": {"content": text}}]}
    path = tmp_path / "text"
    path.write_text(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n", "utf-8")
    assert said(path) == [text]


def test_words_around_a_stream_are_none_of_it(tmp_path: Path) -> None:
    """What follows the connection's end, or data in a log, is left out."""
    made = MADE["curl-v"].decode() + "\nThat is all.\n"
    dicts = MADE["python-dicts"].decode()  # to which the end mark is added
    for content in (made, MADE["log-level"].decode(), f"Hi!\n{SSE}% ls\nx\n", dicts):
        path = tmp_path / "text"
        path.write_text(content)
        found = replay(load_cassette(path), "queuing").diagnostics
        assert [str(one.kind) for one in found] == ["restored"]


@pytest.mark.parametrize("words", [["got"] * 3, ["first", "next", "next"]])
def test_equal_events_of_a_log_are_all_read(tmp_path: Path, words: list[str]) -> None:
    """What is said again behind the same words is another event."""
    path = tmp_path / "text"
    path.write_text("".join(f"{word} data: {DATA[1]}\n" for word in words))
    assert said(path) == [" you you you"]


_OTHER = [json.dumps({**json.loads(data), "id": "chatcmpl-2"}) for data in DATA[:3]]
_NO_ID = DATA[1].replace('"id"', '"x"')
_ABORTED = json.dumps({**json.loads(DATA[0]), "id": "chatcmpl-3"})


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        # What each line says, behind which words; a bare `b` repeats what came before.
        ([f"a {x}" for x in [*DATA[:3], *_OTHER]], ["Hi you"] * 2),
        ([f"a {x}" for x in [*DATA[:3], _OTHER[0]]], ["Hi you", "Hi"]),
        (
            [f"a {x}" for x in [DATA[0], _NO_ID, DATA[2], *_OTHER]],
            ["Hi you"] * 2,
        ),
        (
            [f"{w} {x}" for pair in zip(DATA[:3], _OTHER, strict=True)
             for w, x in zip("ab", pair, strict=True)],
            ["Hi you"] * 2,
        ),
        (
            [f"a data: {x}" for pair in zip(DATA, [*_OTHER, "[DONE]"], strict=True)
             for x in pair],
            ["Hi you"] * 2,
        ),
        (
            [f"a data: {x}" for x in DATA[:2]] + [f"b data: {_OTHER[0]}"]
            + [f"a data: {x}" for x in DATA[2:]]
            + [f"b data: {x}" for x in [*_OTHER[1:], "[DONE]"]],
            ["Hi you"] * 2,
        ),
        (
            [f"a data: {x}" for x in [DATA[0], *_OTHER, "[DONE]", *DATA[1:]]],
            ["Hi you"] * 2,
        ),
        ([f"{w} data: {x}" for x in DATA for w in "ab"], ["Hi you"]),
        ([f"a {x}" for x in [DATA[0], *_OTHER[1:]]], ["Hi you"]),  # an id may change
        (
            [f"a data: {x}" for x in [_ABORTED, *DATA, *_OTHER, "[DONE]"]],
            ["HiHi you", "Hi you"],
        ),
    ],
)  # fmt: skip
def test_answers_of_a_log_are_told_apart_by_their_ids(
    tmp_path: Path, lines: list[str], texts: list[str]
) -> None:
    """In turns or in a row; what is said in other words alone is said again."""
    path = tmp_path / "text"
    path.write_text("".join(f"12:00 {line}\n" for line in lines))
    assert said(path) == texts
    assert len(load_cassette(path).exchanges) == len(texts)


@pytest.mark.parametrize("form", ['{{"chunk": {}}}', "12:00 got {}"])
def test_error_in_a_log_is_one(tmp_path: Path, form: str) -> None:
    """It has nothing but its error; the events before it show that it is one."""
    events = [*DATA[:2], json.dumps({"error": {"message": "no"}})]
    path = tmp_path / "text"
    path.write_text("".join(f"{form.format(one)}\n" for one in events))
    found = replay(load_cassette(path), "queuing").diagnostics
    assert "the provider sent an error: no" in [one.text for one in found]


@pytest.mark.parametrize("size", [80, -5])
@pytest.mark.parametrize("form", ["chunk: {}", "data: {}", "got {!r}"])
def test_event_that_a_logger_cut_is_reported(
    tmp_path: Path, form: str, size: int
) -> None:
    """Its line is one of the stream, whatever can be read of its inner parts."""
    lines = [form.format(data) for data in DATA]
    lines[1] = lines[1][:size]
    path = tmp_path / "text"
    path.write_text("".join(f"12:00:0{n} {one}\n" for n, one in enumerate(lines)))
    found = replay(load_cassette(path), "queuing").diagnostics
    assert "unreadable-payload" in [str(one.kind) for one in found]


@pytest.mark.parametrize("cut", range(len(DATA) - 1))
@pytest.mark.parametrize("form", ["{}", "chunk {}", "got data: {}"])
@pytest.mark.parametrize("key", ["", "fields"])
def test_event_cut_in_the_message_of_a_json_log_is_reported(
    tmp_path: Path, key: str, form: str, cut: int
) -> None:
    """Its place is that of the events which were not cut, before it or after it."""
    data = [one[:60] if n == cut else one for n, one in enumerate(DATA)]
    entries = [{"level": "debug", "msg": form.format(one)} for one in data]
    path = tmp_path / "text"
    path.write_text(
        "".join(f"{json.dumps({key: one} if key else one)}\n" for one in entries)
    )
    found = replay(load_cassette(path), "queuing").diagnostics
    assert [one.kind for one in found].count(DiagnosticKind.UNREADABLE_PAYLOAD) == 1


@pytest.mark.parametrize("content", ["x", "\u00e9"])
def test_line_that_docker_cut_is_one(tmp_path: Path, content: str) -> None:
    """It cuts at 16 KiB; what another stream wrote in between is none of it."""
    chunk = {"choices": [{"index": 0, "delta": {"content": content * 20_000}}]}
    line = f"data: {json.dumps(chunk, ensure_ascii=False)}\n".encode()
    pieces = [line[at : at + (1 << 14)].decode() for at in range(0, len(line), 1 << 14)]
    logs = [("stdout", pieces[0]), ("stderr", "no\n")]
    logs += [("stdout", piece) for piece in [*pieces[1:], f"data: {DATA[-1]}\n"]]
    path = tmp_path / "text"
    path.write_text(
        "".join(f"{json.dumps({'log': log, 'stream': to})}\n" for to, log in logs)
    )
    assert said(path) == [content * 20_000]
    whole = [{"log": line.decode().strip(), "stream": "stdout"}] * 2
    path.write_text("".join(f"{json.dumps(one)}\n" for one in whole))
    assert said(path) == [content * 40_000]  # no line ends: they are another's lines


@pytest.mark.parametrize("between", ["", "---\n"])
def test_cassettes_behind_each_other_are_all_read(tmp_path: Path, between: str) -> None:
    """YAML alone would take the last of two equal keys, and lose the first."""
    path = tmp_path / "two.yaml"
    path.write_text(TWICE + between + TWICE)
    assert said(path) == ["Hi you"] * 2


def test_folder_takes_recordings_of_other_tools(tmp_path: Path) -> None:
    """They are told from their beginning; other JSON and YAML is passed over."""
    taken = {
        "a.har": "har-firefox",
        "b.yml": "ruby-base64",
        "c.json": "aimock",
        "d.toml": "cassetter-toml",
        "e.yaml": "go-vcr-3",
        "f.json": "ruby-json",
    }
    for name, made in taken.items():
        (tmp_path / name).write_bytes(MADE[made])
    (tmp_path / "g.json").write_text('{"log": {"level": "info"}, "fixtures": []}')
    (tmp_path / "h.toml").write_text("[project]\nname = 'x'\n")
    found = find_cassettes(tmp_path)
    assert [path.rpartition("/")[2] for path in found] == list(taken)
    assert harness("scan", str(tmp_path)).code == 1
    assert harness("ls", str(tmp_path)).out.count("\n") == len(taken) + 1
