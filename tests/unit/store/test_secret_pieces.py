"""A secret in pieces is a secret: wherever it is cut, in every slot of every API."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cassettes.model import Cassette, Exchange, Request, Response
from harness.redaction.escapes import IN_JSON
from harness.redaction.redact import Redaction
from harness.redaction.replacements import is_mark, is_same_text, mark
from harness.redaction.scan import scan_cassette
from tests.unit.store.searched import SEARCHED
from tests.unit.store.secrets_planted import CORE, KEYS, core
from tests.unit.store.stream_forms import FORMS, events

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = Redaction()
TEXTS = {name: text.replace("\\n", "\n") for name, text in KEYS.items()}
TEXTS |= {
    "parameter": f"see https://host.example/x?a=1&sig={CORE}&b=2 there",
    "password parameter": f"POST /login?user=u&password={CORE} HTTP/1.1",
    "dsn": f"postgres://admin:{CORE}@db.example/main",
    "field": f'{{"password": "{CORE}", "user": "u"}}',
}
"""Secrets of every kind that is found in text."""


def cut(text: str, *places: int) -> list[str]:
    """Return a text in pieces, and words around it."""
    edges = [0, *sorted(places), len(text)]
    pieces = [text[a:b] for a, b in zip(edges, edges[1:], strict=False)]  # noqa: RUF007
    return ["Sure: ", *[piece for piece in pieces if piece], " is it."]


def strings(body: bytes) -> Iterator[tuple[Any, str]]:
    """Yield every string of a body with its path: a reader of its own, by `json`."""

    def walk(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, str]]:
        if isinstance(value, str):
            yield path, value
        for key, item in (
            value.items() if isinstance(value, dict)
            else enumerate(value) if isinstance(value, list) else ()
        ):  # fmt: skip
            yield from walk(item, (*path, key))

    text = body.decode()
    if text.startswith("["):
        for item in json.loads(text):
            yield from walk(item, ())
        return
    for line in re.split(r"[\r\n]+", text):
        data = re.sub(r"^(?:data: |\d:)", "", line)
        if not line or line.startswith("event:"):
            continue
        try:
            value = json.loads(data)
        except ValueError:  # data that is no JSON
            value = data
        yield from walk(value if isinstance(value, dict | str) else data, ())


def left(body: bytes, secret: str) -> list[str]:
    """Return what is left of a secret: 8 characters in a row, in any joined text."""
    texts: dict[Any, str] = {}
    for path, value in strings(body):
        texts[path] = texts.get(path, "") + value
        loose = ("*", *[key for key in path if isinstance(key, str)])
        texts[loose] = texts.get(loose, "") + value
    for path, value in list(texts.items()):
        if "\\" in value:  # the arguments of a call are JSON themselves
            texts["inside", path] = re.sub(r"\\(.)", r"\1", value)
    whole = "\0".join([body.decode(), *texts.values()])
    eights = {secret[i : i + 8] for i in range(len(secret) - 7)}
    return sorted(eight for eight in eights if eight in whole)


def check(form: str, name: str, pieces: list[str]) -> None:
    """Redact a secret in pieces, and look for the rest of it."""
    body = FORMS[form](pieces)
    redacted = RULES.body(body)
    rest = left(redacted, core(name))
    assert rest == [], (form, name, pieces)
    assert len(redacted) == len(body)
    assert RULES.body(redacted) == redacted
    before, after = list(strings(body)), list(strings(redacted))
    assert [path for path, _ in before] == [path for path, _ in after]
    found = scan_cassette(Cassette("-", [_exchange(body)]))
    assert found, (form, name, pieces)
    assert not any(eight in str(found) for eight in [core(name)[:8]])
    assert scan_cassette(Cassette("-", [_exchange(redacted)])) == []


def _exchange(body: bytes) -> Exchange:
    return Exchange(0, Request("POST", "http://h/", {}), Response(200, body=body))


def pairs(text: str) -> list[tuple[int, int]]:
    """Return every two places to cut a text at, one cut included."""
    return [
        *combinations(range(1, len(text)), 2),
        *((i, i) for i in range(1, len(text))),
    ]


CASES = [(form, name) for form in FORMS for name in TEXTS]


@pytest.mark.parametrize("form", FORMS)
def test_key_whose_first_piece_looks_like_one_is_gone(form: str) -> None:
    """Each form, with one cut that leaves a key on either side of it."""
    check(form, "openai", cut(TEXTS["openai"], 30))
    check(form, "field", cut(TEXTS["field"], 9, 20))


def test_password_behind_escaped_slashes_of_arguments_is_gone() -> None:
    """JSON may write a slash as two characters, also in the JSON of arguments."""
    text = r'{"url": "postgres:\/\/u:S3cr3tPassw0rdQ9x@db\/x"}'
    for place in (12, 20, 30):
        calls = [
            {
                "choices": [
                    {"delta": {"tool_calls": [{"function": {"arguments": piece}}]}}
                ]
            }
            for piece in (text[:place], text[place:])
        ]
        body = b"".join(f"data: {json.dumps(call)}\n\n".encode() for call in calls)
        assert left(RULES.body(body), "S3cr3tPassw0rdQ9x") == []


def test_secret_in_pieces_is_gone_and_found() -> None:
    """Every form with every secret at a few cuts, each case at other ones."""
    for number, (form, name) in enumerate(CASES):
        if number % 11:  # the rest is the next test's
            continue
        text = TEXTS[name]
        places = pairs(text)
        check(form, name, cut(text, *places[number * 7919 % len(places)]))
        if number % 3 == 0:  # a few characters each, as models write
            check(form, name, cut(text, *range(number % 4 + 1, len(text), 4)))


WHOLE = "chat content"
"""The form that sees every pair of cuts; the others see one in 25, each other ones."""


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_secret_is_gone_at_every_pair_of_cuts(form: str) -> None:
    """The table of every secret and every two cuts."""
    for name, text in TEXTS.items():
        step = 1 if form == WHOLE else 25
        for places in pairs(text)[len(form) % step :: step]:
            body = FORMS[form](cut(text, *places))
            redacted = SEARCHED.body(body)
            assert left(redacted, core(name)) == [], (name, places)
            assert len(redacted) == len(body)
            assert SEARCHED.body_secrets(body), (name, places)


@example(text="\\", spans=[(0, 1)])
@example(text="\U0001f600\ud83d\\u00e9\\n" * 400, spans=[(3, 5), (4000, 4400)])
@given(
    text=st.text(st.sampled_from('ab"\\/\n\té\U0001f600\ud83d\0') | st.characters())
    | st.lists(st.sampled_from(["\\", "u", "00e9", "ud83d", "n", "a"])).map("".join),
    spans=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted)),
)
def test_escapes_are_resolved_as_json_does_and_found_again(
    text: str, spans: list[tuple[int, int]]
) -> None:
    """A span of the text as read, mapped back and read again, holds what it held."""
    for ascii_only in (True, False):
        written = json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode(
            "utf-8", "surrogatepass"
        )
        read = IN_JSON.text(written)
        assert read.decode("utf-8", "surrogatepass") == json.loads(
            f'"{written.decode("utf-8", "surrogatepass")}"', strict=False
        )
        spans = [(min(a, len(read)), min(b, len(read))) for a, b in spans]
        for (a, b), (start, end) in zip(
            spans, IN_JSON.written(written, spans), strict=True
        ):
            assert read[a:b] in IN_JSON.text(written[start:end])
            assert IN_JSON.text(written[:start]) + IN_JSON.text(written[start:]) == read
            assert IN_JSON.text(written[:end]) + IN_JSON.text(written[end:]) == read
            assert len(IN_JSON.text(written[start:end])) - (b - a) < 8
    twice = IN_JSON.text(text.encode("utf-8", "surrogatepass"))  # no JSON: no error
    assert len(twice) <= len(text.encode("utf-8", "surrogatepass"))


@given(
    form=st.sampled_from(sorted(FORMS)),
    name=st.sampled_from(sorted(TEXTS)),
    data=st.data(),
)
def test_secret_is_gone_wherever_it_is_cut(
    form: str, name: str, data: st.DataObject
) -> None:
    """Any number of cuts, any words around."""
    text = TEXTS[name]
    places = data.draw(st.lists(st.integers(1, len(text) - 1), unique=True))
    check(form, name, cut(text, *places))


@pytest.mark.parametrize("form", ["chat content", "anthropic text", "gemini array"])
@pytest.mark.parametrize("name", ["openai", "password parameter", "dsn"])
def test_marks_of_pieces_join_to_the_mark_of_the_whole(form: str, name: str) -> None:
    """The client that joins them has what a request holds that was redacted whole."""
    pieces = cut(TEXTS[name], 21, 30, 33)
    redacted = RULES.body(FORMS[form](pieces))
    whole = json.loads(RULES.body(json.dumps("".join(pieces)).encode()))
    texts = [
        text for path, text in strings(redacted) if path[-1] in {"content", "text"}
    ]
    assert whole in "".join(text for text in texts if not re.fullmatch(r"\d\. ", text))


def test_key_at_the_end_of_a_message_takes_nothing_from_the_next() -> None:
    """Messages and calls that stand side by side are texts of their own."""
    body = json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"my key is {KEYS['openai']}"},
                {"role": "assistant", "content": "Thanks"},
                {"role": "user", "content": "sk-"},
                {"role": "assistant", "content": "aB3dE5gH7jK9mN1pQ3s"},
            ]
        }
    )
    redacted = json.loads(RULES.body(body.encode()))
    contents = [message["content"] for message in redacted["messages"]]
    assert contents[1:] == ["Thanks", "sk-", "aB3dE5gH7jK9mN1pQ3s"]
    assert contents[0] == f"my key is {mark(len(KEYS['openai'])).decode()}"


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_key_that_goes_on_in_any_object_is_gone_to_its_end(rest: int) -> None:
    """What follows a whole key under the same name is its end, unless it is a word."""
    key = "sk-" + "proj-aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5kL7mN9"
    size = -(-(len(key) - 30) // rest)
    pieces = [
        {"update": {"text": key[at : at + size]}} for at in range(30, len(key), size)
    ]
    parts = [{"item": {"text": f"It is {key[:30]}"}}, *pieces]
    assert key[-8:] not in RULES.body(events(*parts)).decode()
    words = [
        {"item": {"text": f"It is {key[:30]}"}},
        {"update": {"text": "summer24 on"}},
    ]
    assert b'"summer24 on"' in RULES.body(events(*words))


@pytest.mark.parametrize("size", [1, 4, 30])
@pytest.mark.parametrize("noise", [{}, {"obfuscation": "aB3dE5gH"}])
def test_key_that_goes_on_under_another_name_is_gone(
    size: int, noise: dict[str, str]
) -> None:
    """A text that begins where its part is announced, and is a `delta` afterwards."""
    key = KEYS["openai"]
    first, *rest = [key[at : at + size] for at in range(0, len(key), size)]
    body = events(
        {"output_index": 0, "part": {"type": "output_text", "text": f"It is {first}"}},
        *({"output_index": 0, "delta": piece, **noise} for piece in [*rest, " so."]),
    )
    redacted = [text for path, text in strings(RULES.body(body)) if path[-1] != "type"]
    texts = [text for text in redacted if text != "aB3dE5gH"]
    assert "".join(texts) == f"It is {mark(len(key)).decode()} so."


def test_shorter_format_is_no_end_of_a_longer_key() -> None:
    """What a row of letters and digits matches goes on with what it does not."""
    key = "ak-" + "tekLU4v4byGlhAqXkwlamt_kg4bbamwEAOvxscIEv0oqmHj"
    assert RULES.body(key.encode()) == mark(len(key))
    key = KEYS["github"]
    assert RULES.body(f"{key}-prod".encode()) == mark(len(key)) + b"-prod"


def test_key_among_the_words_of_a_command_takes_no_other() -> None:
    """Strings side by side in an array are no pieces where one is a key by itself."""
    command = ["run", "--", KEYS["openai"], "now", KEYS["github"], KEYS["groq"]]
    redacted = json.loads(RULES.body(json.dumps({"args": command}).encode()))
    assert redacted["args"] == [RULES.body(word.encode()).decode() for word in command]
    letters = json.dumps({"tokens": [" ", *KEYS["openai"], " "]}).encode()
    assert len(RULES.body_secrets(letters)) == 1


def test_key_at_the_end_of_a_choice_takes_nothing_from_another() -> None:
    """Nor do parallel texts of a stream, whose pieces come in turns."""
    texts = ["key ", KEYS["github"][:30], KEYS["github"][30:]]
    body = FORMS["chat two choices"](texts) + events(
        {"choices": [{"index": 1, "delta": {"content": "word"}}]}
    )
    assert b'"word"' in RULES.body(body)


@pytest.mark.parametrize("form", ["chat two calls in one delta", "chat two choices"])
def test_text_beside_a_secret_stays(form: str) -> None:
    """Guesses about a slot leave alone what stands between the pieces of another."""
    text = TEXTS["parameter"]
    for first in range(38, 60):
        body = FORMS[form](cut(text, first, first + 7))
        after = [text for _, text in strings(RULES.body(body))]
        beside = [text for _, text in strings(body) if re.fullmatch(r"\d+,? ", text)]
        assert [text for text in after if re.fullmatch(r"\d+,? ", text)] == beside


def test_texts_that_grow_are_no_fragments() -> None:
    """Events that repeat the text so far are searched each by itself."""
    steps = ["key", "key sk-", f"key {KEYS['openai']}", f"key {KEYS['openai']} is"]
    body = events(*({"text": text} for text in steps))
    texts = [text for _, text in strings(RULES.body(body))]
    marked = mark(len(KEYS["openai"])).decode()
    assert texts == ["key", "key sk-", f"key {marked}", f"key {marked} is"]


@pytest.mark.parametrize(
    "piece", ["*", "*RED", "ACTED*", "D****", "**REDACTED*", "*REDACTED***REDACTED*R"]
)
def test_piece_of_a_mark_is_a_mark(piece: str) -> None:
    """Wherever the cut went through it."""
    assert is_mark(piece.encode())


@pytest.mark.parametrize("text", ["RED", "D", "*bold*", "* REDACTED", "ACTED", "x*"])
def test_other_text_is_no_mark(text: str) -> None:
    """Letters of the word alone are a password like any other."""
    assert not is_mark(text.encode())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a *REDACTED*** b", "a *REDACTED******** b", True),
        ("a *REDACTED*** b", "a *REDACTED******** c", False),
        ("*REDACTED** a *REDACTED*", "*REDACTED* a *REDACTED**", True),
        ("a *REDACTED**REDACTED* b", "a *RED*REDACTED*** b", True),
        ("**a** *REDACTED*", "*a* *REDACTED**", False),
        ("a hunter2hunter2 b", "a *REDACTED**** b", False),
        ("a hunter2hunter2 b", "a *REDACTED***** b", True),
        ("key sk-p...", "key *RED...", True),
        ("key sk-p...", "key **RE...", True),
        ("a *** b", "a bcd b", False),
        ("**bold**", "__bold__", False),
        ("", "****", False),
    ],
)
def test_texts_are_the_same_apart_from_marks(
    one: str, other: str, *, same: bool
) -> None:
    """A mark stands for a text of its length or for another mark, and no other."""
    assert is_same_text(one, other) is same
    assert is_same_text(other, one) is same


def test_body_cut_off_anywhere_is_searched() -> None:
    """An aborted stream ends in the middle of a string; what there is of it goes."""
    key = KEYS["openai"]
    body = FORMS["chat content"](cut(key, 12, 20))
    end = body.index(key[20:].encode()) + 8
    for size in range(end, len(body), 7):
        redacted = RULES.body(body[:size])
        assert key[20:28].encode() not in redacted
        assert len(redacted) == size


@pytest.mark.parametrize("size", [1, 4, 9])
def test_tokens_as_bytes_hold_no_secret(size: int) -> None:
    """The numbers of a token are those of its mark, also where it has no text."""
    key = KEYS["openai"]
    pieces = cut(key, *range(size, len(key), size))
    for body in (
        FORMS["chat logprobs with bytes"](pieces),
        events(*({"bytes": list(piece.encode())} for piece in pieces)),
        json.dumps({"type": "Buffer", "data": list(key.encode())}).encode(),
    ):
        redacted = RULES.body(body)
        assert len(redacted) == len(body)
        assert RULES.body(redacted) == redacted
        arrays = re.findall(rb"\[([0-9, ]+)\]", redacted)
        numbers = [bytes(map(int, array.split(b","))) for array in arrays]
        whole = b"".join(numbers) + b"".join(numbers[::3])  # each, and the chosen ones
        assert not any(key[i : i + 8].encode() in whole for i in range(8, len(key) - 7))
        assert RULES.body_secrets(body)
