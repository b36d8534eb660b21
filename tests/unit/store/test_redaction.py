"""No secret is left, nothing else is touched, and the sizes stay true."""

# ruff: noqa: E501 - what comes in and what goes out is read on one line

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cassettes.load import load_cassette
from harness.cassettes.model import Cassette, Exchange, Request, Response, WireChunk
from harness.errors import UsageError
from harness.redaction.redact import Redaction, redact_cassette, redact_exchange
from harness.redaction.replacements import mark
from harness.redaction.scan import scan_cassette
from tests.shared import corpus_files
from tests.unit.store.recordings import CHUNK, exchange, sse
from tests.unit.store.secrets_planted import CORE, KEYS, core

SURROUNDINGS = [
    "{}",
    "see {} for more",
    '{{"text": "{}"}}',
    '{{"text": "line\\n{}\\n"}}',
    '{{"text": "tab\\t{}"}}',
    '{{"text": "\\u0022{}"}}',
    "a=1&b={}&c=2",
    "https://host/path?x={}#y",
    "({}),",
]


@pytest.mark.parametrize("name", KEYS)
def test_key_in_a_body_is_marked_at_the_same_length(name: str) -> None:
    """A key of any known shape goes, whatever stands around it; the rest stays."""
    for around in SURROUNDINGS:
        text = around.format(KEYS[name])
        redacted = Redaction().body(text.encode()).decode()
        assert core(name) not in redacted, text
        assert len(redacted) == len(text), text
        before, after = around.format("\0").split("\0")
        assert redacted.startswith(before), text
        assert redacted.endswith(after), text
        if around.startswith("{{"):
            json.loads(redacted)


@pytest.mark.parametrize(
    "name", ["authToken", "Refresh-Token", "access_key_id", "pgpassword", "dbPassword"]
)
def test_header_of_a_credential_s_name_goes_however_its_words_are_joined(
    name: str,
) -> None:
    """Headers are known by the names that fields are known by."""
    assert Redaction().headers({name: ["short"]}) == {name: ["REDACTED"]}


@pytest.mark.parametrize("name", KEYS)
def test_key_in_a_url_and_in_any_header_is_replaced(name: str) -> None:
    """URLs and headers of harmless names lose the key and keep what stands around."""
    key = KEYS[name].replace("\\n", "")
    uri = Redaction().uri(f"https://host/v1/{key}?a=b")
    assert core(name) not in uri
    assert uri.startswith("https://host/v1/")
    headers = Redaction().headers({"X-Note": [f"about {key}", "plain"]})
    assert core(name) not in headers["X-Note"][0]
    assert headers["X-Note"][0].startswith("about ")
    assert headers["X-Note"][1] == "plain"


CREDENTIAL_HEADERS = [
    "Authorization", "api-key", "X-API-Key", "x-goog-api-key", "Cookie", "Set-Cookie",
    "Proxy-Authorization", "proxy-authenticate", "X-Auth-Token", "X-Access-Token",
    "Ocp-Apim-Subscription-Key", "x-functions-key", "X-Amz-Security-Token",
    "X-Session-Id", "x-client-secret", "x-csrf-token", "X-Amz-Credential",
    "OpenAI-Organization", "openai-project", "anthropic-organization-id",
    "x-forwarded-for", "X-Request-Id", "request-id", "cf-ray", "x-amzn-requestid",
    "apim-request-id", "x-ms-client-request-id", "traceparent", "Idempotency-Key",
    "x-cloud-trace-context", "x-amz-cf-id",
]  # fmt: skip
PLAIN_HEADERS = [
    "content-type", "Content-Length", "accept", "user-agent", "date", "server", "via",
    "x-ratelimit-remaining-tokens", "x-ratelimit-limit-requests", "openai-version",
    "openai-processing-ms", "openai-model", "x-stainless-lang", "www-authenticate",
    "content-encoding", "transfer-encoding", "connection", "proxy-connection",
    "cache-control", "access-control-expose-headers", "sec-websocket-key", "retry-after",
]  # fmt: skip


@pytest.mark.parametrize("name", CREDENTIAL_HEADERS)
def test_header_that_tells_who_asked_is_replaced(name: str) -> None:
    """Credentials, cookies, organisations and request ids go by the header's name."""
    assert Redaction().headers({name: ["v1", "v2", ""]}) == {
        name: ["REDACTED", "REDACTED", ""]
    }


@pytest.mark.parametrize("name", PLAIN_HEADERS)
def test_header_that_tells_nothing_stays(name: str) -> None:
    """Names that merely look like credentials keep their values."""
    assert Redaction().headers({name: ["v1"]}) == {name: ["v1"]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://h/x?api-version=1&api-key=abc&n=1", "https://h/x?api-version=1&api-key=REDACTED&n=1"),
        ("https://h/x?key=abc", "https://h/x?key=REDACTED"),
        ("https://h/x#access_token=abc", "https://h/x#access_token=REDACTED"),
        ("https://h/x?X-Amz-Signature=ab&X-Amz-Date=1", "https://h/x?X-Amz-Signature=REDACTED&X-Amz-Date=1"),
        ("https://user:pw@h/x", "https://REDACTED@h/x"),
        ("https://token@h/x", "https://REDACTED@h/x"),
        ("https://h/v1/keys?page=2&monkey=1", "https://h/v1/keys?page=2&monkey=1"),
        ("http://h/@user?x=a@b", "http://h/@user?x=a@b"),
        ("<OLLAMA_API_BASE>/chat", "<OLLAMA_API_BASE>/chat"),
    ],
)  # fmt: skip
def test_url_loses_credentials_by_name_and_user(before: str, after: str) -> None:
    """Parameters that carry credentials and the user part go, the rest stays."""
    assert Redaction().uri(before) == after
    assert Redaction().uri(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"api_key": "hunter2"}', '{"api_key": "*******"}'),
        ('{"apiKey":"a\\"b\\\\"}', '{"apiKey":"******"}'),
        ('{"Client-Secret" : "0123456789"}', '{"Client-Secret" : "*REDACTED*"}'),
        ('{"password": {"type": "string"}}', '{"password": {"type": "string"}}'),
        ('{"password": ""}', '{"password": ""}'),
        ('{"password": null}', '{"password": null}'),
        ('{"password_hint": "cat"}', '{"password_hint": "cat"}'),
        ('{"token": " the", "logprob": -1}', '{"token": " the", "logprob": -1}'),
        ('{"token": "abcdefgh12345678", "logprob": -1}', '{"token": "abcdefgh12345678", "logprob": -1}'),
        ('{"token": "abcdefgh12345678"}', '{"token": "*REDACTED*******"}'),
        ('{"max_tokens": 12, "prompt_tokens": 3}', '{"max_tokens": 12, "prompt_tokens": 3}'),
        (r'{"arguments": "{\"password\": \"hunter2\"}"}', r'{"arguments": "{\"password\": \"*******\"}"}'),
        (r'{"a": "{\"password\": \"x\\\"y\\\\\"}"}', r'{"a": "{\"password\": \"*REDACTED*\"}"}'),
        ("grant=x&client_secret=abc&a=b", "grant=x&client_secret=***&a=b"),
        ("password=abc", "password=***"),
        ("task-force-one-risk-free-disk-utility", "task-force-one-risk-free-disk-utility"),
        ("the bearer of bad news, bearer authentication", "the bearer of bad news, bearer authentication"),
    ],
)  # fmt: skip
def test_body_loses_what_fields_and_parameters_name(before: str, after: str) -> None:
    """Fields, fields of JSON inside JSON, and form parameters go by their names."""
    if before.startswith("{"):
        json.loads(before)
        json.loads(after)
    assert Redaction().body(before.encode()).decode() == after


def test_marks_are_as_long_as_what_they_replace() -> None:
    """A mark has the length asked for and reads REDACTED where that fits."""
    assert [len(mark(n)) for n in range(40)] == list(range(40))
    assert mark(3) == b"***"
    assert mark(12) == b"*REDACTED***"


def _forty_secrets() -> Exchange:
    """Return an exchange with a secret in every place there is."""
    keys = [text.replace("\\n", " ") for text in KEYS.values()]
    pieces = [CORE[i : i + 4] for i in range(0, len(CORE), 4)]
    fragments = [
        {**CHUNK, "choices": [{"index": 0, "delta": {"content": text}}]}
        for text in ["the key: s", "k", "-pr", "oj-", *pieces, " is yours"]
    ]
    arguments = [
        {
            "choices": [
                {"index": 0, "delta": {"tool_calls": [
                    {"index": 1, "function": {"arguments": text}}
                ]}}
            ]
        }
        for text in ['{"pass', 'word": "', *pieces, '"}']
    ]  # fmt: skip
    basic = base64.b64encode(f"user:basic-{CORE}".encode()).decode()
    return Exchange(
        0,
        Request(
            "POST",
            f"https://u:{CORE}@host/{keys[0]}?key={CORE}&api_key=url-{CORE}"
            "&page=unshaped.secret.of.nobody",
            {
                "Authorization": [f"Basic {basic}"],
                "Cookie": [f"sid=cookie-{CORE}; other=second-{CORE}"],
                "X-Api-Key": ["unshaped.secret.of.nobody"],
                "X-Custom": [keys[5]],
            },
            json.dumps(
                {
                    "messages": [{"role": "user", "content": key} for key in keys],
                    "password": CORE,
                    "note": f"unshaped.secret.of.nobody, basic-{CORE}",
                    "echo": f"cookie-{CORE} second-{CORE} set-{CORE}",
                }
            ).encode(),
        ),
        Response(
            200,
            "OK",
            {"Set-Cookie": [f"s=set-{CORE}; Path=/; Expires=Fri, 01 Jan 2027 00:00:00 GMT"], "cf-ray": ["a"]},
            body=sse(
                *fragments, *arguments, *({"text": key} for key in keys),
                {"echo": "unshaped.secret.of.nobody until Fri, 01 Jan 2027 00:00:00 GMT"},
            ).encode(),
        ),
    )  # fmt: skip


def test_secrets_in_every_place_are_gone_and_none_is_reported() -> None:
    """Headers, URL, cookies, bodies and fragments of a stream: nothing is left."""
    planted = _forty_secrets()
    assert len(scan_cassette(Cassette("-", [planted]))) > 40
    redacted = redact_exchange(planted)
    text = repr(redacted)
    for secret in (
        CORE,
        CORE.lower(),
        "IOSFODNN7",
        "unshaped.secret",
        "basic-",
        "set-",
    ):
        assert secret not in text.replace("Set-Cookie", "")
    assert base64.b64encode(b"user:basic") not in text.encode()
    for start in range(0, len(CORE), 4):
        assert (
            f'"content": "{CORE[start : start + 4]}"'
            not in redacted.response.body.decode()
        )
    assert b"Fri, 01 Jan 2027" in redacted.response.body  # a cookie's age is no secret
    assert len(redacted.response.body) == len(planted.response.body)
    assert scan_cassette(Cassette("-", [redacted])) == []
    for line in redacted.response.body.decode().split("\n\n"):
        if line and "[DONE]" not in line:
            json.loads(line.removeprefix("data: "))


def test_redacting_leaves_the_original_as_it_was() -> None:
    """The exchange that goes on to the client keeps its secrets."""
    planted = _forty_secrets()
    redact_exchange(planted)
    assert planted == _forty_secrets()


def test_redacting_twice_changes_nothing_more() -> None:
    """What has been redacted is left as it is."""
    once = redact_exchange(_forty_secrets())
    assert redact_exchange(once) == once


@example(texts=["?key=", KEYS["private-key"], "a"])  # the mark leaves the `a` behind
@given(
    texts=st.lists(
        st.sampled_from([*KEYS.values(), '"password": "', '"', "\\", " ", "a", "data: ", "\n\n",
                         '{"content": "', '"}', "*", "**REDACTED*", "?key=", "Bearer "])
        | st.text(max_size=5),
        max_size=12,
    )
)  # fmt: skip
def test_any_body_keeps_its_length_and_is_stable(texts: list[str]) -> None:
    """Whatever is joined: same length, and a second pass finds nothing to do."""
    body = "".join(texts).encode("utf-8", "surrogatepass")
    once = Redaction().body(body)
    assert len(once) == len(body)
    assert Redaction().body(once) == once


@given(st.data())
def test_key_cut_by_the_wire_is_gone_and_sizes_hold(data: st.DataObject) -> None:
    """A key that lies across wire chunks goes from each, and the counts stay true."""
    body = sse({**CHUNK, "text": KEYS["openai"]}).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    edges = [0, *cuts, len(body)]
    sizes = [b - a for a, b in zip(edges, edges[1:], strict=False)]  # noqa: RUF007
    item = exchange(body, sizes=sizes)
    redacted = redact_exchange(item).response
    assert redacted.wire == [WireChunk(0.1, size) for size in sizes]
    assert b"".join(piece for _, piece in redacted.iter_wire()) == redacted.body
    assert CORE.encode() not in redacted.body


@given(st.lists(st.integers(1, 9), min_size=1))
def test_key_in_any_fragments_of_a_stream_is_gone(lengths: list[int]) -> None:
    """A model that repeats a key piece by piece is not written down either."""
    key, pieces, position = KEYS["openai"], [], 0
    for length in [*lengths, len(KEYS["openai"])]:
        pieces.append(key[position : position + length])
        position += length
    body = sse(*(
        {"choices": [{"index": 0, "delta": {"content": text}}]} for text in pieces if text
    )).encode()  # fmt: skip
    redacted = Redaction().body(body).decode()
    texts = [
        json.loads(line.removeprefix("data: "))["choices"][0]["delta"]["content"]
        for line in redacted.split("\n\n")[:-2]
    ]
    assert "".join(texts).strip("*") in {"", "REDACTED"}
    assert len(redacted) == len(body)


def test_key_in_interleaved_choices_is_gone() -> None:
    """The fragments of one choice belong together, whatever comes between them."""
    key = KEYS["openai"]
    body = sse(
        *(
            {"choices": [{"index": index, "delta": {"content": text}}]}
            for start in range(0, len(key), 4)
            for index, text in ((0, key[start : start + 4]), (1, "* "))
        )
    )
    redacted = Redaction().body(body.encode()).decode()
    for start in range(0, len(key), 4):
        assert f'"{key[start : start + 4]}"' not in redacted
    assert redacted.count('"* "') == body.count('"* "')


def test_marks_are_no_secrets() -> None:
    """What a redaction left is not listed as a secret again."""
    once = redact_exchange(_forty_secrets())
    assert Redaction().body_secrets(once.request.body or b"") == []
    assert Redaction().body_secrets(once.response.body) == []


def test_configuration_adds_and_takes_away() -> None:
    """Names, values, patterns and known secrets can be given, and exceptions made."""
    rules = Redaction(
        deny=frozenset({"X-Team", "birth_date"}),
        allow=frozenset({"cookie", "password", KEYS["github"]}),
        patterns=(r"cust-\d+", r"pin (\d+)"),
        secrets=("Zebra",),
    )
    assert rules.headers({"x-team": ["blue"], "Cookie": ["a=b"], "api-key": ["c"]}) == {
        "x-team": ["REDACTED"], "Cookie": ["a=b"], "api-key": ["REDACTED"],
    }  # fmt: skip
    body = f'{{"birthDate": "1970", "password": "x", "t": "{KEYS["github"]} Zebra cust-123 pin 77"}}'
    assert rules.body(body.encode()).decode() == (
        f'{{"birthDate": "****", "password": "x", "t": "{KEYS["github"]} ***** ******** pin **"}}'
    )
    assert rules.uri("http://h/?birth-date=1&password=2&key=3") == (
        "http://h/?birth-date=REDACTED&password=2&key=REDACTED"
    )


def test_lists_are_taken_and_one_text_is_refused() -> None:
    """A list does as well as a tuple; a text would be taken letter by letter."""
    redaction = Redaction(patterns=["k-[0-9]+"], deny={"x-own"})  # type: ignore[arg-type]
    assert redaction == Redaction(patterns=("k-[0-9]+",), deny=frozenset({"x-own"}))
    assert b"k-77" not in redaction.body(b'{"a": "k-77"}')
    hash(redaction)
    with pytest.raises(UsageError, match=r"write secrets=\['hush'\]"):
        Redaction(secrets="hush")  # type: ignore[arg-type]


def test_wrong_pattern_is_a_usage_error() -> None:
    """A pattern that is no regular expression is refused when it is given."""
    with pytest.raises(UsageError, match=r"redaction pattern '\(' is no regular"):
        Redaction(patterns=("(",))


def test_hook_has_the_last_word() -> None:
    """The hook gets the redacted exchange and its result is what is written."""

    def hook(item: Exchange) -> Exchange:
        assert item.request.headers == {"api-key": ["REDACTED"]}
        item.request.headers = {}
        return item

    request = Request("POST", "http://h/", {"api-key": ["x"]})
    redacted = redact_exchange(exchange(request=request), Redaction(hook=hook))
    assert redacted.request.headers == {}
    assert request.headers == {"api-key": ["x"]}


def test_hook_that_breaks_the_exchange_is_named() -> None:
    """A hook that returns nothing, or breaks the byte counts, is the user's error."""
    none: Any = Redaction(hook=lambda item: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(UsageError, match="must return an Exchange, got NoneType"):
        redact_exchange(exchange(), none)

    def shorter(item: Exchange) -> Exchange:
        item.response.body = b"x"
        return item

    item = exchange(sizes=[len(exchange().response.body)])
    with pytest.raises(UsageError, match="body of 1 bytes whose wire chunks add up to"):
        redact_exchange(item, Redaction(hook=shorter))


@pytest.mark.parametrize("every", [25, pytest.param(1, marks=pytest.mark.slow)])
def test_corpus_has_nothing_to_redact(every: int) -> None:
    """Recordings whose credentials were removed come out as they went in."""
    for path in corpus_files()[::every]:
        cassette = load_cassette(path)
        assert redact_cassette(cassette) == cassette, path
