"""Properties of the machine for several texts: the one-key machine is its judge.

`HARNESS_EXAMPLES=100000 pytest tests/properties/test_json_texts.py` searches longer.
The generated texts are those of `test_json_arguments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.core.json_texts import ArgumentTexts
from harness.errors import UsageError
from tests.json_feeding import cut_at, feed
from tests.json_reference import decided_text, mend, parse_pairs
from tests.properties.test_json_arguments import _POSITIONS, _TEXTS, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

PATHS = ("message", "m", "message[0]", "message[1].message", "message.message", "m.m")


class Followed(NamedTuple):
    """What the machine made of a whole text; the same for every way to cut it."""

    texts: dict[str, str]
    ended: dict[str, int]
    types: dict[str, str]
    error: tuple[int, str, str] | None
    duplicates: int
    is_complete: bool
    rest: str


def follow(
    fragments: Iterable[str | None],
    paths: Iterable[str] | None,
    taken_out: str | None = None,
) -> Followed:
    """Feed fragments, then the end; check what must hold after every single one."""
    machine = ArgumentTexts(paths, taken_out=taken_out)
    texts: dict[str, str] = {}
    ended: dict[str, int] = {}
    rest = ""
    for fragment in fragments:
        for piece in machine.feed(fragment):
            piece.text.encode()
            assert piece.path not in ended  # nothing comes behind its end
            texts[piece.path] = texts.get(piece.path, "") + piece.text
            assert piece.text or piece.is_end
            if piece.is_end:
                ended[piece.path] = 1
        rest += machine.take_rest()
    error = machine.close()
    assert machine.close() is error is machine.error
    rest += machine.take_rest()
    return Followed(
        texts,
        ended,
        machine.value_types,
        None if error is None else (error.char_offset, error.expected, error.got),
        machine.duplicates,
        machine.is_complete,
        rest,
    )


def _cut(text: str, positions: list[int]) -> list[str]:
    return cut_at(text, (p % (len(text) + 1) for p in positions))


def _is_object(value: Any) -> bool:
    return type(value) is type(parse_pairs("{}"))


def _at(pairs: Any, steps: list[str | int]) -> Any:
    """Return the value at a path, of repeated keys the first; None if none."""
    for step in steps:
        if isinstance(step, int):
            if _is_object(pairs) or not isinstance(pairs, list):
                return None
            pairs = pairs[step] if step < len(pairs) else None
            continue
        if not _is_object(pairs):
            return None
        found = [v for k, v in pairs if mend(k, replace=False) == step]
        pairs = found[0] if found else None
    return pairs


_STEPS: dict[str, list[str | int]] = {
    "message": ["message"],
    "m": ["m"],
    "message[0]": ["message", 0],
    "message[1].message": ["message", 1, "message"],
    "message.message": ["message", "message"],
    "m.m": ["m", "m"],
}


@given(text=_TEXTS, positions=_POSITIONS)
@example(text='{"message":"\\ud83d\\u0Z"}', positions=[19])
def test_one_key_is_the_other_machine(text: str, positions: list[int]) -> None:
    """Text, error, type, duplicates and end are those of the one-key machine."""
    judge = feed([text])
    found = follow(_cut(text, positions), ["message"])
    assert found.texts.get("message", "") == judge.text
    assert found.error == judge.error
    assert found.types.get("message") == judge.value_type
    assert found.duplicates == judge.duplicates
    assert found.is_complete == judge.is_complete
    assert ("message" in found.texts) <= judge.has_value


@given(text=_TEXTS, positions=_POSITIONS)
@example(text='{"message":[{"m":1},{"message":"x"}],"m":{"m":"y"}}', positions=[3])
def test_cuts_change_nothing(text: str, positions: list[int]) -> None:
    """Whole, by characters and at random, with paths, all keys, and one taken out."""
    for paths, taken_out in ((PATHS, None), (None, None), (["m", "message"], "m")):
        whole = follow([text], paths, taken_out)
        assert follow(text, paths, taken_out) == whole
        assert follow(_cut(text, positions), paths, taken_out) == whole


@given(text=OBJECTS, positions=_POSITIONS)
@example(text='{"message":[{"m":1},{"message":"x"}],"m":{"m":"y"}}', positions=[3])
@example(text='{"message":{"message":""},"m":""}', positions=[])
@example(text='{"message":["\\u0061"],"message":["b"]}', positions=[])
def test_every_path_gives_what_json_loads_gives(
    text: str, positions: list[int]
) -> None:
    """Several keys and nested places at once; each string ends once."""
    pairs = parse_pairs(text)
    found = follow(_cut(text, positions), PATHS)
    wanted = {path: _at(pairs, steps) for path, steps in _STEPS.items()}
    strings = {p: mend(v) for p, v in wanted.items() if isinstance(v, str)}
    assert found.texts == strings
    assert found.ended == dict.fromkeys(strings, 1)


@given(text=OBJECTS, positions=_POSITIONS)
def test_every_top_level_string_comes(text: str, positions: list[int]) -> None:
    """Without paths each key's first value, if it is a string, whatever the key."""
    first: dict[str, Any] = {}
    for key, value in parse_pairs(text):
        first.setdefault(mend(key, replace=False), value)
    found = follow(_cut(text, positions), None)
    assert found.texts == {k: mend(v) for k, v in first.items() if isinstance(v, str)}
    assert set(found.types) == {k for k, v in first.items() if not isinstance(v, str)}


@given(text=_TEXTS, positions=st.lists(st.integers(0, 200), max_size=4))
def test_after_each_fragment_all_that_is_decided_has_been_returned(
    text: str, positions: list[int]
) -> None:
    """As early as the reference, beside another key."""
    machine = ArgumentTexts(["message", "messag"])
    prefix = returned = ""
    for fragment in _cut(text, positions):
        prefix += fragment
        pieces = machine.feed(fragment)
        returned += "".join(p.text for p in pieces if p.path == "message")
        end = len(prefix) if machine.error is None else machine.error.char_offset
        assert returned == (decided_text(prefix[:end], "message") or "")


@given(text=OBJECTS, positions=_POSITIONS)
@example(text='{"message":"a","b":1}', positions=[])
@example(text='{"b":1,"message":"a"}', positions=[])
@example(text='{"b":1 , "message":"a" , "message": "c", "d":[1,2]}', positions=[])
@example(text='{"message":"a"}', positions=[])
@example(text='{"message":{"message":"a"},"b":"c"}', positions=[])
def test_member_that_is_taken_out_leaves_the_others(
    text: str, positions: list[int]
) -> None:
    """What is left is the same object without the member, if that was a string."""
    pairs = list(parse_pairs(text))
    keys = [mend(key, replace=False) for key, _ in pairs]
    if "message" in keys and isinstance(pairs[keys.index("message")][1], str):
        del pairs[keys.index("message")]
    found = follow(_cut(text, positions), ["message"], "message")
    assert list(parse_pairs(found.rest)) == pairs


@given(text=_TEXTS, positions=_POSITIONS)
def test_nothing_is_taken_out_that_is_not_there(
    text: str, positions: list[int]
) -> None:
    """Whatever cannot be read stays in what is left: no character vanishes."""
    found = follow(_cut(text, positions), ["no such key"], "no such key")
    assert found.rest == text


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "[0]", "a[", "a[x]", "a[0]b["])
def test_path_that_cannot_be_read_is_an_error(path: str) -> None:
    """The message shows what a path looks like."""
    with pytest.raises(UsageError, match=r"expected keys and indexes"):
        ArgumentTexts([path])


def test_values_that_are_no_text_are_named_with_their_type() -> None:
    """A wanted place that holds something else is no silence."""
    machine = ArgumentTexts(["a", "b.c", "b"])
    machine.feed('{"a": 1e3, "b": {"c": null}}')
    assert machine.value_types == {"a": "number", "b": "object", "b.c": "null"}
    assert not machine.has_come("a")
