"""Keys of every format are redacted and found, wherever they stand.

The values are drawn from the rows of our own table and, as an independent judge, from
the rules of gitleaks, which are read in place.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import tracemalloc
from urllib.parse import quote

import pytest

from harness.redaction.config import Redaction
from harness.redaction.detectors import find_secrets
from harness.redaction.prefixes import public_prefix
from harness.redaction.secret_formats import FORMATS, SERVICES, Format, Service
from tests.shared import needs_shared
from tests.unit.store.recordings import sse
from tests.unit.store.secret_values import Rule, drawn, gitleaks_rules

RULES = Redaction()
SLOW = pytest.mark.slow


def _in_places(value: str) -> dict[str, str]:
    """Return texts of bodies with a value in every place that a body has."""
    prompt = {"messages": [{"role": "user", "content": f"use {value} for it"}]}
    called = {"function": {"name": "f", "arguments": json.dumps({"x": value})}}
    return {
        "prompt": json.dumps(prompt),
        "line of a prompt": json.dumps({"content": f"a:\n{value}\nb"}),
        "answer": sse({"choices": [{"delta": {"content": f"It is {value}."}}]}),
        "tool arguments": json.dumps({"tool_calls": [called]}),
        "tool result": json.dumps({"role": "tool", "content": f"stdout: {value}\n"}),
        "field": json.dumps({"note": value}),
        "parameter": f"https://host/path?x={quote(value, safe='')}&y=1",
        "variable": f"export SOMETHING={value}\n",
        "quoted": f"something = '{value}'",
        "item": f"something: {value}",
    }


def _left(value: str, redacted: str) -> bool:
    """Say whether a redacted text still has much of a value."""
    return any(value[i : i + 8] in redacted for i in range(8, max(9, len(value) - 7)))


def _ids(row: Format) -> str:
    return f"{row.kind}-{FORMATS.index(row)}"


@pytest.mark.parametrize("row", FORMATS, ids=_ids)
def test_format_is_redacted_and_found_in_every_place(row: Format) -> None:
    """A key of each row goes from every place, and is shown by its prefix at most."""
    rng = random.Random(row.pattern)
    value, other = drawn(row.pattern, rng), drawn(row.pattern, rng)
    for place, text in _in_places(value).items():
        redacted = RULES.body(text.encode()).decode()  # all that is found
        shown = quote(value, safe="") if place == "parameter" else value
        assert not _left(shown, redacted), f"{row.kind} in {place}: {redacted}"
    pieces = ["it is ", *(value[i : i + 4] for i in range(0, len(value), 4)), " ."]
    streamed = sse(*({"choices": [{"delta": {"content": piece}}]} for piece in pieces))
    redacted = RULES.body(streamed.encode()).decode()
    joined = "".join(re.findall('"content": "([^"]*)"', redacted))
    assert joined.startswith("it is ")
    assert not _left(value, joined), joined
    secrets = RULES.body_secrets(f"it is {value}.".encode())
    assert secrets
    for secret in secrets:
        prefix = public_prefix(secret.kind, secret.value.decode())
        if re.search(r"[{+*]", row.prefix) and secret.kind == row.kind:
            assert other.startswith(prefix)  # it is the issuer's
        assert len(prefix) < 40
    header = RULES.headers({"x-note": [f"about {value}"]})["x-note"][0]
    assert not _left(value, header)
    assert not _left(value, RULES.uri(f"https://host/v1/{value}/x"))


def test_random_letters_without_a_digit_are_a_key_and_names_are_none() -> None:
    """One in a thousand keys of 40 letters and digits has no digit."""
    rng = random.Random(0)
    for _ in range(200):
        key = "s" + "k-" + "".join(rng.choices(string.ascii_letters, k=40))
        redacted = RULES.body(f'{{"content": "it is {key}."}}'.encode()).decode()
        assert not _left(key, redacted), key
    name = "sk-toggleable__content-fittedEstimatorOfWhichThisIsTheLongestClassName"
    assert RULES.body(name.encode()) == name.encode()


# Not one of these services' keys is known by anything but the name beside it.
@pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.word)
def test_key_beside_the_word_of_its_service_goes(row: Service) -> None:
    """Fields, variables, items and arguments of a service's name lose its key."""
    rng = random.Random(row.word)
    for pattern in row.values:
        value = drawn(pattern, rng)
        word = drawn(row.word, rng)
        for text in _named(word, value):
            assert not _left(value, RULES.body(text.encode()).decode()), text


def _named(word: str, value: str) -> list[str]:
    return [
        f'{word}_key = "{value}"',
        f"{word.upper()}_TOKEN={value}",
        f"{word}: {value}",
        f"{word} := '{value}'",
        json.dumps({f"{word}Value": value}),
        json.dumps({"arguments": json.dumps({word: value})}),
        json.dumps({"content": f"set\n{word.upper()}={value}\nand go"}),
    ]


EXCEPTIONS = {
    "pkcs12-file": "a rule about file names, not about text",
    "generic-api-key": "ten letters beside `key` or `access`: also words and code",
    "sourcegraph-access-token": "40 hexadecimal digits are a commit; sgp_ is found",
    "linkedin-client-id": "14 letters that can be read are a word",
    "private-key": "ends in any `KEY-----`; blocks as they are written are found",
    "kubernetes-secret-yaml": "empty values, and kind after data on one line",
    "hashicorp-tf-password": "8 characters beside `password_key`",
}
"""Rules of gitleaks of which not every drawn value is found, and why."""


def _of_rule(rule: Rule, rng: random.Random) -> list[tuple[str, str]]:
    """Return what must go, and a text with it, as the rule is meant."""
    found = drawn(rule.value, rng)
    if rule.keyword:
        word = drawn(rule.keyword, rng).replace(",", "")
        return [(found.strip('"'), text) for text in _named(word, found.strip('"'))]
    found = re.sub(r"[\r\n\\]", " " if rule.name.startswith("curl") else "", found)
    match = re.search(rule.value, found)
    groups = match.groups() if match else ()
    core = next((group for group in groups if group), found)
    return [(core, text) for text in (f"it is {found} .", f'{{"a": "x\\n{found}"}}')]


@needs_shared
@pytest.mark.parametrize("count", [1, pytest.param(50, marks=SLOW)])
def test_rules_of_gitleaks_are_covered(count: int) -> None:
    """What gitleaks finds is redacted: all of its rules but a written list."""
    missed = {}
    for rule in gitleaks_rules():
        rng = random.Random(rule.name)
        if not rule.value:
            missed[rule.name] = ""
            continue
        for _ in range(count):
            for value, text in _of_rule(rule, rng):
                if value[-8:] in RULES.body(text.encode()).decode():
                    missed.setdefault(rule.name, text)
    assert len(gitleaks_rules()) == 222
    assert {k: v for k, v in missed.items() if k not in EXCEPTIONS} == {}
    assert len(missed) <= 7


def test_table_has_what_it_promises() -> None:
    """150 formats and more, each with a source, a month, and no row twice."""
    assert len(FORMATS) + sum(len(row.values) for row in SERVICES) >= 250
    facts = [(row.source, row.seen) for row in FORMATS]
    facts += [(row.source, row.seen) for row in SERVICES]
    assert all(source and re.fullmatch(r"\d{4}-\d\d", seen) for source, seen in facts)
    assert len({row.pattern for row in FORMATS}) == len(FORMATS)


STRONG = [
    "api_key", "apiKey", "api-key", "API_KEY", "x-api-key", "ANTHROPIC_API_KEY",
    "openaiApiKey", "aws_secret_access_key", "awsSecretAccessKey", "secret_key",
    "client_secret", "clientSecret", "app_secret", "access_token", "accessToken",
    "refresh_token", "id_token", "auth_token", "bot_token", "hf_token", "GITHUB_TOKEN",
    "csrf_token", "session_token", "password", "db_password", "userPassword", "passwd",
    "pwd", "pat", "GITHUB_PAT", "passphrase", "dsn", "SENTRY_DSN", "connection_string",
    "connectionString",
    "credential", "credentials", "authorization", "Authorization", "private_key",
    "privateKey", "signing_key", "encryption_key", "account_key", "AccountKey",
    "subscription_key", "master_key", "consumer_secret", "webhook_secret", "ssh_key",
    "service_key", "DATABASE_URL", "aws_access_key_id", "api_key_2", "API_KEY_PROD",
    "x-goog-api-key", "x-rapidapi-key", "xi-api-key", "license_key", "deploy_key",
]  # fmt: skip
RANDOM = "q7Zt9-wB2_xK4mR8vN3s"


@pytest.mark.parametrize("name", STRONG)
def test_name_of_a_credential_takes_its_value_with_it(name: str) -> None:
    """Fields, twice over, lines, items, elements and parameters go by one policy."""
    for text in (
        json.dumps({name: RANDOM}),
        json.dumps({"arguments": json.dumps({name: RANDOM})}),
        json.dumps({"a": json.dumps({"b": json.dumps({name: RANDOM})})}),
        json.dumps({"content": f"run\n{name}={RANDOM}\nthen"}),
        json.dumps({name: [RANDOM]}),
        f"{name}={RANDOM}",
        f"export {name}='{RANDOM}'",
        f"{name}: {RANDOM}",
        f"{{'{name}': '{RANDOM}'}}",
        f"<{name}>{RANDOM}</{name}>",
        f"https://host/?a=1&{name}={RANDOM}&b=2",
    ):
        assert RANDOM not in RULES.body(text.encode()).decode(), text
    assert RANDOM not in RULES.uri(f"https://host/?{name}={RANDOM}")


@pytest.mark.parametrize(
    "name",
    ["key", "sig", "signature", "token", "auth", "session", "code", "X-Amz-Signature",
     "X-Amz-Credential", "X-Amz-Security-Token", "X-Goog-Signature", "hmac_signature",
     "access_token", "apikey", "subscription-key", "jwt", "sid", "password"],
)  # fmt: skip
def test_parameter_that_grants_access_goes(name: str) -> None:
    """Parameters go from URLs, and from URLs within texts and behind escapes."""
    url = f"https://host/x?a=1&{name}={RANDOM}&b=2"
    for text in (
        url,
        f"see {url} for it",
        json.dumps({"u": url.replace("&", r"\u0026")}),
    ):
        redacted = RULES.body(text.replace("\\\\", "\\").encode()).decode()
        assert RANDOM not in redacted
    assert RULES.uri(url) == f"https://host/x?a=1&{name}=REDACTED&b=2"


@pytest.mark.parametrize(
    "text",
    [
        "postgres://app:q7Zt9wB2xK4mR8@db.example:5432/x",
        "mongodb+srv://app:q7Zt9wB2xK4mR8@cluster0.example/?w=1",
        "redis://:q7Zt9wB2xK4mR8@cache:6379/0",
        "https://q7Zt9wB2xK4mR8vN3sAA1@sentry.example/12",
        "Server=db;User Id=sa;Password=q7Zt9wB2xK4mR8;",
        "curl -u admin:q7Zt9wB2xK4mR8 https://host",
        "curl -H 'X-Key: q7Zt9wB2xK4mR8' https://host",
        '<add key="DbPassword" value="q7Zt9wB2xK4mR8"/>',
        "-----BEGIN PRIVATE KEY-----\nq7Zt9wB2xK4mR8\n-----END PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_credentials_in_other_forms_go(text: str) -> None:
    """Connection strings, commands, elements and blocks lose what is secret."""
    for body in (text, json.dumps({"content": f"x {text} y"})):
        assert "q7Zt9wB2xK4mR8" not in RULES.body(body.encode()).decode()


def test_secret_behind_one_level_of_escapes_goes() -> None:
    r"""Percent escapes, `\u` escapes and base64 hide nothing."""
    key = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"
    escaped = "".join(f"\\u{ord(c):04x}" for c in key)
    percent = "".join(f"%{ord(c):02X}" for c in key)
    basic = base64.b64encode(b"user:q7Zt9wB2xK4mR8").decode()
    for text, hidden in (
        (f'{{"a": "{escaped}"}}', escaped[-40:]),
        (f"https://host/?next={percent}", percent[-30:]),
        ("x=https%3A%2F%2Fh%2F%3Fapi_key%3Dq7Zt9wB2xK4mR8", "q7Zt9wB2xK4mR8"),
        (base64.b64encode(f"key {key}".encode()).decode(), key[:0] or "jK9mN1"),
        (base64.b64encode(b'{"password": "q7Zt9wB2xK4mR8"}').decode(), "N3b3Jk"),
        (f"Authorization: Basic {basic}", basic),
        (f"Basic {basic}", basic),
    ):
        redacted = RULES.body(text.encode()).decode()
        assert hidden not in redacted
        assert len(redacted) == len(text)
        assert RULES.body(redacted.encode()).decode() == redacted
        assert "REDACTED" in redacted


def test_personal_data_is_looked_for_where_it_is_asked_for() -> None:
    """E-mail addresses and phone numbers stay by default and go with the option."""
    text = b"write to jane.doe@example.org or call +1 (555) 010-4477 or 555-010-4477"
    assert RULES.body(text) == text
    redacted = Redaction(personal=frozenset({"email", "phone"})).body(text)
    assert b"jane" not in redacted
    assert b"4477" not in redacted


HOSTILE = [
    "sk-", "-----BEGIN PRIVATE KEY-----", "://a:", "://a:b@", "password=", "bearer ",
    '"password": "', "%41", "\\u0022", "eyJ.ey", "key=", "aB3-", "a1/", "a@", "\\", "=",
    "https://x/?key=", "_", "ey-", "kind: Secret\n a: ", "-u a:", "a1.", "'", '\\"',
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", [*HOSTILE[:8], *(pytest.param(one, marks=SLOW) for one in HOSTILE[8:])]
)
def test_memory_is_a_few_times_the_text(unit: str) -> None:
    """Nothing but beginnings of secrets: what the search holds is in proportion.

    Where the time were not, the long text would take minutes.
    """
    peaks = []
    for size in (6_000, 12_000):
        text = (unit * (size // len(unit) + 1))[:size].encode()
        list(find_secrets(b"warm up"))
        tracemalloc.start()
        for _ in find_secrets(text):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2.5 * peaks[0] + 200_000
    assert peaks[1] < 12_000 * 30


def test_value_of_any_length_needs_little_memory() -> None:
    """A field of a megabyte of escapes is a few copies, not contexts of a search."""
    text = b'{"password": "' + b"\\n\\u00e9x" * 120_000 + b'"}'
    tracemalloc.start()
    [span] = set(find_secrets(text))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert span.end - span.start == len(text) - 16
    assert peak < 6 * len(text)
