r"""Properties of the argument machine over generated texts, right and wrong.

`HARNESS_EXAMPLES=100000 pytest tests/properties/test_json_arguments.py` searches
longer. The texts are written here and not by `json.dumps`, so that every spelling
of a character, decoys and half surrogates really occur; `test_the_search_finds_*`
keeps watch that they do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, example, find, given, settings
from hypothesis import strategies as st

from harness.core.json_arguments import FunctionArgumentsStreamHandler
from tests.json_feeding import Outcome, cut_at, feed
from tests.json_reference import decided_text, is_viable, mend, parse_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACES = st.sampled_from(["", " ", "\n", "\t\r", "  "])


def _hex(code: int, *, upper: bool) -> str:
    return f"\\u{code:04X}" if upper else f"\\u{code:04x}"


_HALVES = st.integers(0xD800, 0xDFFF)
_HIGH = st.integers(0xD800, 0xDBFF)
_LOW = st.integers(0xDC00, 0xDFFF)
_ESCAPED = st.builds(_hex, st.integers(0, 0xFFFF), upper=st.booleans())
_ESCAPED_HALF = st.builds(_hex, _HALVES, upper=st.booleans())
_PAIR = st.builds(
    lambda high, low, raw_high, raw_low: (
        (chr(high) if raw_high else _hex(high, upper=False))
        + (chr(low) if raw_low else _hex(low, upper=True))
    ),
    _HIGH,
    _LOW,
    st.booleans(),
    st.booleans(),
)
_PLAIN = st.text(
    st.characters(exclude_characters='"\\', exclude_categories=["Cs"]), max_size=6
)
_DECOYS = st.sampled_from(
    [
        *(
            '\\"message\\":\\"no\\"',
            "{",
            "}",
            "[",
            ":",
            ",",
            "message",
            "\\\\",
            '\\\\\\"',
        ),
        *("null", "\x00", "\n", "\x7f", "\N{NO-BREAK SPACE}"),
    ]
)
_STRINGS = st.lists(
    st.one_of(
        _PLAIN,
        st.sampled_from([f"\\{char}" for char in '"\\/bfnrt']),
        _ESCAPED,
        _ESCAPED_HALF,
        _PAIR,
        _HALVES.map(chr),
        _DECOYS,
    ),
    max_size=6,
).map("".join)


def _spelled(key: str) -> st.SearchStrategy[str]:
    """Write a key with some of its characters escaped, by the bits of one number."""

    def spell(escaped: int, upper: bool) -> str:
        return "".join(
            _hex(ord(char), upper=upper) if escaped >> index & 1 else char
            for index, char in enumerate(key)
        )

    return st.builds(spell, st.integers(0, 2 ** len(key) - 1), st.booleans())


_NEAR_KEYS = st.sampled_from(
    ["", "messag", "messages", "Message", " message", "message ", "m", '\\"message']
)
_OTHER_KEYS = st.one_of(_NEAR_KEYS, _STRINGS)
_KEYS = st.one_of(_spelled("message"), _spelled("message"), _OTHER_KEYS)
_NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
_SCALARS = st.one_of(
    st.sampled_from(["true", "false", "null"]), _NUMBERS, _STRINGS.map('"{}"'.format)
)


def _between(brackets: str) -> Callable[[list[str], str], str]:
    return lambda parts, space: brackets[0] + space + ",".join(parts) + brackets[1]


def _members(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.builds('{0}"{1}"{2}:{3}{4}{5}'.format, *(_SPACES, _KEYS, _SPACES), *(
        _SPACES, values, _SPACES
    ))  # fmt: skip
    return st.builds(_between("{}"), st.lists(member, max_size=4), _SPACES)


def _nested(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    item = st.builds("{0}{1}{2}".format, _SPACES, values, _SPACES)
    arrays = st.builds(_between("[]"), st.lists(item, max_size=3), _SPACES)
    return arrays | _members(values)


_VALUES = st.one_of(
    _STRINGS.map('"{}"'.format), st.recursive(_SCALARS, _nested, max_leaves=6)
)
OBJECTS = st.builds("{0}{1}{2}".format, _SPACES, _members(_VALUES), _SPACES)
_POSITIONS = st.lists(st.integers(0, 200), max_size=12)

_JSON_CHARACTERS = st.sampled_from('{}[]:,"\\ \n\t0123456789+-.eEtruefalsnuIN/bdDcxa')
_GARBAGE = st.one_of(
    st.text(max_size=20),
    st.text(_JSON_CHARACTERS, max_size=20),
    st.text(_JSON_CHARACTERS, max_size=20).map('{{"message":{}'.format),
    st.text(_JSON_CHARACTERS, max_size=20).map('{{"message":"{}'.format),
)


_INSERTED = st.one_of(st.just(""), _JSON_CHARACTERS, st.characters())


@st.composite
def _broken(draw: st.DrawFn) -> str:
    """Damage a right text in one place, or cut it short."""
    text = draw(OBJECTS)
    at = draw(st.integers(0, len(text)))
    with_what = draw(_INSERTED)
    dropped = draw(st.integers(0, 2))
    if draw(st.booleans()):
        return text[:at] + with_what
    return text[:at] + with_what + text[at + dropped :]


_TEXTS = st.one_of(OBJECTS, _broken(), _GARBAGE)


def _cut(text: str, positions: list[int]) -> list[str]:
    return cut_at(text, (p % (len(text) + 1) for p in positions))


_TYPE_NAMES = {
    str: None,
    float: "number",  # the reference parses all numbers as such
    bool: "boolean",
    type(None): "null",
    list: "array",
    type(parse_pairs("{}")): "object",
}


def _members_of(text: str) -> list[tuple[str, Any]] | None:
    try:
        return parse_pairs(text)
    except ValueError:
        return None


@given(text=OBJECTS, positions=_POSITIONS)
def test_a_right_text_gives_what_json_loads_gives(
    text: str, positions: list[int]
) -> None:
    """However it is cut, the concatenation is the value, and all else is reported."""
    found = [v for k, v in parse_pairs(text) if mend(k, replace=False) == "message"]
    first = found[0] if found else None
    has_value = isinstance(first, str)
    outcome = feed(_cut(text, positions))
    assert outcome.text == (mend(first) if isinstance(first, str) else "")
    assert outcome.error is None
    assert outcome.is_complete
    assert outcome.has_value == has_value
    assert outcome.value_type == (_TYPE_NAMES[type(first)] if found else None)
    assert outcome.duplicates == max(0, len(found) - 1)


@given(text=_TEXTS, positions=_POSITIONS)
@example(text='{"message":"\\ud83d\\u0Z"}', positions=[19])
@example(text='{"message":"\ud83d\\uDE00"}', positions=[13, 15])
def test_cuts_change_nothing(text: str, positions: list[int]) -> None:
    """Whole, by characters and at random: text, error, offset and flags are equal."""
    whole = feed([text])
    assert feed(text) == whole
    assert feed(_cut(text, positions)) == whole


@given(text=_TEXTS)
def test_accepts_what_json_loads_accepts(text: str) -> None:
    """A text is an error exactly when the reference parser refuses it."""
    outcome = feed([text])
    assert (outcome.error is None) == (_members_of(text) is not None)
    assert outcome == feed(text)


@given(text=st.one_of(_broken(), _GARBAGE))
def test_an_error_is_at_the_first_impossible_character(text: str) -> None:
    """Up to the offset the text could have gone on; with what came there it cannot."""
    error = feed([text]).error
    if error is None:
        return
    offset, _, got = error
    assert is_viable(text[:offset])
    assert got == text[offset : offset + 1]
    assert not got or not is_viable(text[: offset + 1])


@given(text=_TEXTS, positions=st.lists(st.integers(0, 200), max_size=4))
@example(text='{"message":"\\ud83d\\u0', positions=[18, 19])
@example(text='{"message":"\\ud83d\\udbff\\udc00"}', positions=[18, 24, 29])
def test_after_each_fragment_all_that_is_decided_has_been_returned(
    text: str, positions: list[int]
) -> None:
    """Never later than the reference says, and never earlier."""
    handler = FunctionArgumentsStreamHandler()
    prefix = returned = ""
    for fragment in _cut(text, positions):
        prefix += fragment
        returned += handler.process_json_chunk(fragment) or ""
        end = len(prefix) if handler.error is None else handler.error.char_offset
        assert returned == (decided_text(prefix[:end], "message") or "")


@given(text=_TEXTS, positions=_POSITIONS)
def test_what_was_returned_is_never_taken_back(text: str, positions: list[int]) -> None:
    """The text of every prefix, ended there, begins the text of the whole."""
    whole = feed([text]).text
    for position in positions:
        assert whole.startswith(feed([text[: position % (len(text) + 1)]]).text)


@given(text=_TEXTS, key=_STRINGS, positions=_POSITIONS)
def test_any_key_can_be_asked_for(text: str, key: str, positions: list[int]) -> None:
    """A key of the text itself, odd ones too, finds its first value."""
    members = _members_of(text)
    wanted = members[0][0] if members else key
    outcome = feed(_cut(text, positions), wanted)
    if members and isinstance(members[0][1], str):
        assert outcome.text == mend(members[0][1])
    assert outcome == feed([text], wanted)


def _has_all(text: str, *pieces: str) -> bool:
    return all(piece in text for piece in pieces)


@pytest.mark.slow
@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(lambda t, _: t.count("[") > 2, id="nesting"),
        pytest.param(lambda t, _: _has_all(t, '\\"message\\"'), id="quoted-decoy"),
        pytest.param(lambda t, o: o.duplicates > 1, id="duplicates"),
        pytest.param(lambda t, o: o.value_type == "object", id="value-type"),
        pytest.param(lambda t, o: o.text > "\uffff", id="pair"),
        pytest.param(lambda t, o: "\ufffd" in o.text, id="lone-surrogate"),
        pytest.param(
            lambda t, o: o.has_value and '"message"' not in t, id="escaped-key"
        ),
    ],
)
def test_the_search_finds_hard_shapes(
    condition: Callable[[str, Outcome], bool],
) -> None:
    """The generated texts really contain what the machine is afraid of."""
    find(
        OBJECTS,
        lambda text: condition(text, feed([text])),
        settings=settings(
            max_examples=20_000,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
        ),
    )


def test_the_reference_agrees_with_json_dumps() -> None:
    """The slow reference reads a plain text as the standard library wrote it."""
    text = json.dumps({"a": [1, {"message": "x"}], "message": 'say "hi" 😀\n'})
    assert decided_text(text, "message") == 'say "hi" 😀\n'
    assert decided_text(text[:-8], "message") == 'say "hi" '
