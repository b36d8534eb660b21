"""The argument machine on texts chosen by hand, each cut in every way.

What is expected comes from `json.loads` and from the slow reference in
`tests/json_reference.py`, never from the machine. Generated texts are in
`tests/properties/test_json_arguments.py`.
"""

from __future__ import annotations

import copy
import json
import pickle
import re
import tracemalloc
from itertools import product
from typing import TYPE_CHECKING

import pytest

from harness.core import json_arguments
from harness.core.json_arguments import FunctionArgumentsStreamHandler
from harness.errors import ArgumentsError
from tests.json_feeding import Outcome, every_cut, feed
from tests.json_reference import decided_text, first_bad_offset, mend, parse_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

RIGHT = {
    "plain": '{"message": "hello"}',
    "empty-string": '{"message": ""}',
    "empty-object": "{}",
    "spaces": ' \t\r\n{ \t\r\n"message" \t\r\n: \t\r\n"x" \t\r\n} \t\r\n',
    "simple-escapes": r'{"message":"\"\\\/\b\f\n\r\t"}',
    "backslashes": r'{"message":"a\\\\\\\"b\\"}',
    "hex-both-cases": r'{"message":"\u00e9\u00E9\u4f60"}',
    "nul-escape": r'{"message":"\u0000"}',
    "raw-non-ascii": '{"message":"é你😀"}',
    "raw-controls": '{"message":"a\n\t\x00b\x7f"}',
    "raw-controls-and-escapes": '{"message":"a\n\\tb\x01\\u00e9"}',
    "pair": r'{"message":"x\ud83d\ude00y"}',
    "pair-upper": r'{"message":"\uD83D\uDE00"}',
    "pair-raw": '{"message":"\ud83d\ude00"}',
    "pair-escape-raw": '{"message":"\\ud83d\ude00"}',
    "pair-raw-escape": '{"message":"\ud83d\\ude00"}',
    "lone-high": r'{"message":"\ud83d"}',
    "lone-high-before-text": r'{"message":"\ud83dx"}',
    "lone-high-before-escape": r'{"message":"\ud83d\n\ud83d\u0041"}',
    "lone-low": r'{"message":"\ude00"}',
    "high-high-low": r'{"message":"\ud83d\ud83d\ude00"}',
    "low-high": r'{"message":"\ude00\ud83d"}',
    "lone-raw": '{"message":"a\ud83db\ude00"}',
    "escaped-key": r'{"m\u0065ss\u0061ge":"x"}',
    "wholly-escaped-key": r'{"\u006d\u0065\u0073\u0073\u0061\u0067\u0065":"x"}',
    "longer-key": '{"messages":"no","messag":"no","":"no","message":"x"}',
    "decoy-in-string": r'{"a":"\"message\":\"no\"","message":"x"}',
    "decoy-unescaped": '{"a":"message","message":"x"}',
    "decoy-deeper": '{"a":{"message":"no"},"message":"x"}',
    "decoy-in-array": '{"a":[{"message":"no"},"message"],"message":"x"}',
    "decoy-after": '{"message":"x","a":{"message":"no"}}',
    "key-only-deeper": '{"a":{"message":"no"}}',
    "key-after-nesting": '{"a":[[],{}, [{}]],"message":"x"}',
    "duplicate": '{"message":"x","message":"y","message":3}',
    "duplicate-after-number": '{"message":3,"message":"y"}',
    "duplicate-escaped": r'{"message":"x","\u006dessage":"y"}',
    "number-value": '{"message":-1.5e+3}',
    "object-value": '{"message":{"message":"no"}}',
    "array-value": '{"message":["no"]}',
    "true-value": '{"message":true}',
    "false-value": '{"message":false}',
    "null-value": '{"message":null}',
    "numbers": '{"a":[0,-0,10,1.0,0.5,1e5,1E-5,-1.2e+3],"message":"x"}',
    "number-then-space": '{"a":0 ,"message":"x"}',
    "big-number": '{"a":' + "9" * 30 + ',"message":"x"}',
    "message-last-and-first": '{"message":"a{b}[c]:,d"}',
}

WRONG = {
    "nothing": ("", 0, "'{'"),
    "only-space": (" ", 1, "'{'"),
    "array": ("[]", 0, "'{'"),
    "string": ('"message"', 0, "'{'"),
    "byte-order-mark": ("\ufeff{}", 0, "'{'"),
    "unicode-space": ("{\u00a0}", 1, "a quoted key or '}'"),
    "form-feed": ('{"a":\f1}', 5, "a value"),
    "key-unquoted": ("{message:1}", 1, "a quoted key or '}'"),
    "key-single-quotes": ("{'message'", 1, "a quoted key or '}'"),
    "comma-first": ("{,}", 1, "a quoted key or '}'"),
    "comma-last": ('{"message":"x",}', 15, "a quoted key"),
    "no-colon": ('{"message" "x"}', 11, "':'"),
    "no-value": ('{"message":}', 11, "a value"),
    "no-comma": ('{"message":"x" "b":1}', 15, "',' or '}'"),
    "wrong-bracket": ('{"message":"x"]', 14, "',' or '}'"),
    "wrong-bracket-in-array": ('{"a":[1}', 7, "',' or ']'"),
    "comma-last-in-array": ('{"a":[1,]', 8, "a value"),
    "nan": ('{"message":NaN}', 11, "a value"),
    "infinity": ('{"message":Infinity}', 11, "a value"),
    "minus-infinity": ('{"message":-Infinity}', 12, "a digit"),
    "leading-zero": ('{"a":01}', 6, "',' or '}'"),
    "leading-plus": ('{"a":+1}', 5, "a value"),
    "bare-minus": ('{"a":-}', 6, "a digit"),
    "bare-point": ('{"a":1.}', 7, "a digit"),
    "exponent-after-point": ('{"a":1.e5}', 7, "a digit"),
    "bare-exponent": ('{"a":1e}', 7, "a digit, '+' or '-'"),
    "bare-sign": ('{"a":1e-}', 8, "a digit"),
    "arabic-digit": ('{"a":1\u0661}', 6, "',' or '}'"),
    "half-true": ('{"a":tru }', 8, "the rest of 'true'"),
    "half-false": ('{"a":falsy}', 9, "the rest of 'false'"),
    "half-null": ('{"a":nil}', 6, "the rest of 'null'"),
    "bad-escape": (
        r'{"message":"ab\x"}',
        15,
        'one of "\\/bfnrtu after a backslash',
    ),
    "bad-hex": (r'{"message":"ab\users"}', 16, "a hexadecimal digit"),
    "bad-hex-later": (r'{"message":"ab\u00eg"}', 19, "a hexadecimal digit"),
    "short-hex": (r'{"message":"ab\u00e"}', 19, "a hexadecimal digit"),
    "bad-hex-after-high": (r'{"message":"a\ud83d\u0Z"}', 22, "a hexadecimal digit"),
    "bad-escape-after-high": (
        r'{"message":"a\ud83d\x"}',
        20,
        'one of "\\/bfnrtu after a backslash',
    ),
    "bad-escape-in-key": (r'{"mess\age":1}', 7, 'one of "\\/bfnrtu after a backslash'),
    "bad-escape-elsewhere": (r'{"a":"\u12 4"}', 10, "a hexadecimal digit"),
    "brace-after": ('{"message":"x"}}', 15, "nothing after the object"),
    "junk-after": ('{"message":"x"} {', 16, "nothing after the object"),
    "no-break-space-after": ('{"message":"x"}\u00a0', 15, "nothing after the object"),
    "half-a-message": ('{"message":"ab', 14, "the rest of a string"),
    "half-an-escape": (r'{"message":"ab\u00', 18, "the rest of a string"),
    "half-a-number": ('{"a":12', 7, "',' or '}'"),
    "half-an-array": ('{"a":[12', 8, "',' or ']'"),
}


def _expected(text: str) -> Outcome:
    found = [value for key, value in parse_pairs(text) if key == "message"]
    first = found[0] if found else None
    names = {float: "number", bool: "boolean", list: "array", type(None): "null"}
    has_value = isinstance(first, str)
    return Outcome(
        text=mend(first) if isinstance(first, str) else "",
        error=None,
        has_value=has_value,
        value_type=None if has_value or not found else names.get(type(first), "object"),
        duplicates=max(0, len(found) - 1),
        is_complete=True,
    )


def _check_every_cut(text: str, expected: Outcome) -> None:
    assert feed([text]) == expected
    assert feed(text) == expected
    assert feed(["", *(f for char in text for f in (char, "", None))]) == expected
    for fragments in every_cut(text, cuts=1):
        assert feed(fragments) == expected, fragments
    for fragments in every_cut(text, cuts=2):
        assert feed(fragments) == expected, fragments
    if len(text) <= 22:
        for fragments in every_cut(text, cuts=3):
            assert feed(fragments) == expected, fragments


@pytest.mark.parametrize("name", RIGHT)
def test_right_text_cut_every_way_gives_the_value(name: str) -> None:
    """Whole, by characters, with empty fragments, and every two and three cuts."""
    _check_every_cut(RIGHT[name], _expected(RIGHT[name]))


@pytest.mark.parametrize("name", WRONG)
def test_wrong_text_cut_every_way_gives_one_error(name: str) -> None:
    """Offset, expected and got do not depend on the cuts; text before is returned."""
    text, offset, expected = WRONG[name]
    bad = first_bad_offset(text)
    assert offset == (len(text) if bad is None else bad)
    outcome = feed([text])
    assert outcome.error == (offset, expected, text[offset : offset + 1])
    assert outcome.text == (decided_text(text[:offset], "message") or "")
    _check_every_cut(text, outcome)


@pytest.mark.parametrize("length", [4, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("alphabet", "around"),
    [
        pytest.param("-+.eE01", '{{"a":{}}}', id="numbers"),
        pytest.param(
            ("{", "}", "[", "]", ",", ":", "1", '"a"'), "{{{}}}", id="structure"
        ),
        pytest.param(("[", "]", "{", "}", ",", "1"), '{{"a":[{}]}}', id="arrays"),
    ],
)
def test_every_short_text_is_judged_as_json_loads_does(
    alphabet: Sequence[str], around: str, length: int
) -> None:
    """All texts of a few tokens are right exactly when the standard library says so."""
    right = 0
    for size in range(length + 1):
        for characters in product(alphabet, repeat=size):
            text = around.format("".join(characters))
            try:
                parse_pairs(text)
            except ValueError:
                assert feed(text).error is not None, text
            else:
                assert feed(text).error is None, text
                right += 1
    assert right > 5


@pytest.mark.parametrize("name", RIGHT)
def test_truncated_text_gives_its_decided_part_and_an_error(name: str) -> None:
    """Ended at any prefix: the decided text, and an error at the end."""
    text = RIGHT[name]
    for length in range(len(text)):
        prefix = text[:length]
        outcome = feed(prefix)
        if prefix.rstrip(" \t\r\n").endswith("}") and outcome.is_complete:
            assert parse_pairs(prefix) == parse_pairs(text)
            continue
        assert outcome.error is not None
        assert (outcome.error[0], outcome.error[2]) == (length, "")
        assert outcome.text == (decided_text(prefix, "message") or "")
        assert not outcome.is_complete


@pytest.mark.parametrize("name", RIGHT)
def test_each_character_returns_all_that_it_decides(name: str) -> None:
    """By characters, nothing comes later or earlier than the reference says."""
    handler = FunctionArgumentsStreamHandler()
    returned = ""
    for length, char in enumerate(RIGHT[name], 1):
        returned += handler.process_json_chunk(char) or ""
        decided = decided_text(RIGHT[name][:length], "message")
        assert returned == (decided or "")
        assert handler.has_value == (decided is not None)


def test_plain_value_agrees_with_json_loads() -> None:
    """The oracle of this file is the standard library's own parser."""
    value = 'a "quoted" \\ path, é, 你, 😀,\nand a tab\t'
    for ascii_only in (True, False):
        text = json.dumps(
            {"a": {"message": 1}, "message": value}, ensure_ascii=ascii_only
        )
        assert feed(text).text == json.loads(text)["message"] == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("", '{"":"x"}'),
        ("\U0001f600", r'{"\ud83d\ude00":"x"}'),
        ("\ud83d\ude00", r'{"\ud83d\ude00":"x"}'),
        ("\U0001f600", '{"\ud83d\ude00":"x"}'),
        ("\ud83d", r'{"\ufffd":"no","\ud83d":"x"}'),
        ("\ud83d", r'{"\ud83d\u0041":"no","\ud83d":"x"}'),
        ("é\n", r'{"\u00e9\n":"x"}'),
        ("message", r'{"message\ud83d":"no","message":"x"}'),
        ('a"b', r'{"a\"b":"x"}'),
    ],
)
def test_odd_keys_are_compared_decoded(key: str, text: str) -> None:
    """Pairs in keys are joined, lone surrogates equal only themselves."""
    for cuts in range(3):
        for fragments in every_cut(text, cuts=cuts):
            assert feed(fragments, key).text == "x", fragments
    assert feed(text, key).text == "x"


def test_empty_value_has_begun() -> None:
    """An empty string returns nothing; `has_value` tells it from no value at all."""
    handler = FunctionArgumentsStreamHandler()
    seen = [
        (handler.process_json_chunk(fragment), handler.has_value)
        for fragment in ('{"message":', '"', '"}')
    ]
    assert seen == [(None, False), (None, True), (None, True)]
    assert handler.is_complete
    assert handler.close() is None


def test_nothing_is_read_after_an_error() -> None:
    """The machine stays stopped, its error stays the first one."""
    handler = FunctionArgumentsStreamHandler()
    assert handler.process_json_chunk('{"message":"ab\\x more') == "ab"
    error = handler.error
    assert error is not None
    assert str(error) == (
        "malformed arguments at character 15: expected one of "
        "\"\\/bfnrtu after a backslash, got 'x'"
    )
    for fragment in ("more", '"', '"}', "", None, '{"message":"x"}'):
        assert handler.process_json_chunk(fragment) is None
    assert handler.close() is error
    assert handler.error is error
    assert not handler.is_complete


def test_text_after_the_object_leaves_it_complete() -> None:
    """`is_complete` tells of the object, `error` of what follows it."""
    handler = FunctionArgumentsStreamHandler()
    assert handler.process_json_chunk('{"message":"x"} }') == "x"
    assert handler.is_complete
    assert handler.error is not None
    assert handler.close() is handler.error


def test_strict_mode_raises_and_keeps_what_was_readable() -> None:
    """The raising call's text is in `undelivered`; later calls return None."""
    handler = FunctionArgumentsStreamHandler(strict=True)
    assert handler.process_json_chunk('{"message":"a') == "a"
    with pytest.raises(ArgumentsError, match=re.escape("at character 18")) as caught:
        handler.process_json_chunk('b\\nc"]')
    assert caught.value is handler.error
    assert caught.value.got == "]"
    assert handler.undelivered == "b\nc"
    assert handler.process_json_chunk("more") is None
    assert handler.close() is caught.value


def test_strict_mode_without_text_has_nothing_undelivered() -> None:
    """`undelivered` is None where the raising fragment decided no text."""
    handler = FunctionArgumentsStreamHandler(strict=True)
    with pytest.raises(ArgumentsError):
        handler.process_json_chunk("[")
    assert handler.undelivered is None


def test_strict_close_raises_on_truncated_text() -> None:
    """Closing early raises once and then returns the same error."""
    handler = FunctionArgumentsStreamHandler(strict=True)
    handler.process_json_chunk('{"message":"a')
    with pytest.raises(ArgumentsError, match="the end of the arguments") as caught:
        handler.close()
    assert (caught.value.char_offset, caught.value.got) == (13, "")
    assert handler.close() is caught.value
    assert handler.process_json_chunk("b") is None


@pytest.mark.parametrize(
    "before",
    ['{"message":"a\\', '{"message":"x"}', "[", '{"message":1,"message":"', ""],
)
def test_reset_forgets_everything(before: str) -> None:
    """After a reset in any state the next object is read as by a new machine."""
    handler = FunctionArgumentsStreamHandler()
    handler.process_json_chunk(before)
    handler.reset()
    assert handler.error is None
    assert (handler.has_value, handler.value_type, handler.duplicates) == (
        False,
        None,
        0,
    )
    assert [handler.process_json_chunk(c) for c in '{"message":"y"}'][-3] == "y"
    assert handler.close() is None


def test_reset_takes_a_changed_key() -> None:
    """`json_key` may be assigned; it counts from the next reset on."""
    handler = FunctionArgumentsStreamHandler()
    handler.json_key = "text"
    assert handler.process_json_chunk('{"message":"a"}') == "a"
    handler.reset()
    assert handler.process_json_chunk('{"message":"a","text":"b"}') == "b"


@pytest.mark.parametrize(
    "name", ["pair", "decoy-in-array", "simple-escapes", "numbers"]
)
def test_copies_go_on_where_the_original_was(name: str) -> None:
    """Copied or pickled between any two characters, the machine loses nothing."""
    text = RIGHT[name]
    expected = _expected(text).text
    for length in range(len(text)):
        handler = FunctionArgumentsStreamHandler()
        before = handler.process_json_chunk(text[:length]) or ""
        for twin in (copy.deepcopy(handler), pickle.loads(pickle.dumps(handler))):
            assert before + (twin.process_json_chunk(text[length:]) or "") == expected
            assert twin.close() is None


def test_nesting_deeper_than_recursion_allows() -> None:
    """A hundred thousand levels, in one fragment and in small ones."""
    depth = 100_000
    text = '{"a":' + '[{"b":' * depth + "1" + "}]" * depth + ',"message":"x"}'
    handler = FunctionArgumentsStreamHandler()
    assert handler.process_json_chunk(text) == "x"
    assert handler.close() is None
    assert feed(text[i : i + 997] for i in range(0, len(text), 997)).text == "x"


def test_number_longer_than_python_parses() -> None:
    """An integer of 5 000 digits, at which `json.loads` gives up, is just a number."""
    text = '{"a":' + "9" * 5_000 + ',"message":"x"}'
    assert feed([text]).text == feed(text).text == "x"


@pytest.mark.parametrize(
    ("head", "fragment", "tail"),
    [
        pytest.param('{"message":"', "plain text ", '"}', id="message"),
        pytest.param('{"message":"', "\\u00e9\\n\\ud83d", '"}', id="escapes"),
        pytest.param('{"message":"', "\\", '\\"}', id="backslashes"),
        pytest.param(
            '{"message":"', "\ud83d" + "plain text" * 20, '"}', id="raw-halves"
        ),
        pytest.param('{"', "message", '":1}', id="endless-key"),
        pytest.param('{"a":"', "skipped ", '"}', id="other-string"),
        pytest.param(*('{"a":', "12345678", "}"), id="number", marks=pytest.mark.slow),
        pytest.param(
            *('{"a":[', "1, [2], ", "3]}"), id="array", marks=pytest.mark.slow
        ),
    ],
)
def test_held_memory_does_not_grow_with_the_text(
    head: str, fragment: str, tail: str
) -> None:
    """After 400 fragments the machine holds what it held after the first."""
    fragment *= 500 // len(fragment) - 1  # an odd number of backslashes stays odd
    handler = FunctionArgumentsStreamHandler()
    handler.process_json_chunk(head)
    handler.process_json_chunk(fragment)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(400):
            handler.process_json_chunk(fragment)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000
    assert peak - before < 20_000
    assert handler.process_json_chunk(tail) is None or handler.has_value
    assert handler.close() is None


def test_cost_of_a_fragment_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts read for a fragment are as long at the end of 2 MB as at its start."""
    read: list[int] = []
    original = FunctionArgumentsStreamHandler._read_string

    def counting(self: FunctionArgumentsStreamHandler, text: str, position: int) -> int:
        read.append(len(text))
        return original(self, text, position)

    monkeypatch.setattr(FunctionArgumentsStreamHandler, "_read_string", counting)
    handler = FunctionArgumentsStreamHandler()
    handler.process_json_chunk('{"message":"')
    for _ in range(2_000):
        for fragment in ("\\ud", "83d\\", "ude0", "0\\u00", "e9", "\ud83d"):
            handler.process_json_chunk(fragment)
    assert max(read) <= 11 + len('{"message":"')  # what is held, and the fragment
    assert len(read) <= 6 * 2_000 + 2


def test_what_is_remembered_of_tokens_is_bounded() -> None:
    """However many tokens come and however long they are, few and short ones stay."""
    handler = opened()
    for number in range(2 * json_arguments._MOST_TOKENS):
        assert handler.process_json_chunk(f"t{number}") == f"t{number}"
    assert handler.process_json_chunk("long" * 100) == "long" * 100
    known = json_arguments._PLAIN_TOKENS
    assert "t8191" in known
    assert len(known) <= json_arguments._MOST_TOKENS
    assert max(map(len, known)) <= json_arguments._LONGEST_TOKEN


def test_a_token_known_as_plain_is_plain_only_inside_the_message() -> None:
    """What was passed on as text is read as structure elsewhere."""
    opened().process_json_chunk(", ")
    opened().process_json_chunk("}")
    handler = FunctionArgumentsStreamHandler()
    fragments = ['{"a": 1', ", ", '"message": "', "}", '"', ", ", '"b": {', "}", "}"]
    said = [handler.process_json_chunk(fragment) for fragment in fragments]
    assert said == [*[None] * 3, "}", *[None] * 5]
    assert handler.is_complete
    assert handler.error is None


def opened() -> FunctionArgumentsStreamHandler:
    """Return a handler that stands inside the message."""
    handler = FunctionArgumentsStreamHandler()
    assert handler.process_json_chunk('{"message": "') is None
    return handler
