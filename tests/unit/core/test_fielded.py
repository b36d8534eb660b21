"""What is generated for no class equals what `dataclass` generates."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from itertools import product
from math import nan

import pytest

from harness.core import parts
from harness.core.accumulate import AccumulatedMessage
from harness.core.fielded import Fielded
from harness.engine.agent_options import AgentOptions


def _both() -> tuple[type, type]:
    """Return a class of ours and one that `dataclass` makes, with the same fields."""

    @dataclass(slots=True, eq=False, repr=False)
    class Pair(Fielded):
        left: object
        right: list[object] = field(default_factory=list)

    ours = Pair

    @dataclass(slots=True)
    class Pair:  # type: ignore[no-redef]
        left: object
        right: list[object] = field(default_factory=list)

    return ours, Pair


VALUES = (1, 1.0, "1", nan, None, [1])


def test_it_compares_and_prints_as_a_dataclass_does() -> None:
    """Also numbers of two types, what equals nothing, and another class's object.

    From Python 3.13 on, a dataclass compares field by field, and before as tuples of
    its fields, where an object equals itself: there `nan` does. Ours goes on as before.
    """
    ours, theirs = _both()
    for a, b in product(VALUES, VALUES):
        one, other = (ours(a), ours(b)), (theirs(a), theirs(b))
        assert (one[0] == one[1]) == ((a, []) == (b, []))
        if a == a:  # all but `nan`
            assert (one[0] == one[1]) == (other[0] == other[1])
        assert (
            repr(one[0]).split("locals>.")[-1] == repr(other[0]).split("locals>.")[-1]
        )
    assert ours(1) != theirs(1)
    assert ours(1, [2]) != ours(1, [3])
    with pytest.raises(TypeError, match="unhashable"):
        hash(ours(1))


def test_options_are_a_frozen_dataclass() -> None:
    """They hash as they compare, are copied and pickled, and never change."""
    options = AgentOptions(assistant_argument="text")
    same = pickle.loads(
        pickle.dumps(replace(AgentOptions(), assistant_argument="text"))
    )
    assert {options: 1}[same] == 1
    assert {options, same, AgentOptions()} == {options, AgentOptions()}
    with pytest.raises(FrozenInstanceError):
        same.multi_step = False
    with pytest.raises(TypeError, match="unhashable"):
        hash(AccumulatedMessage())


def test_a_part_is_still_a_dataclass() -> None:
    """It has fields, is copied with `replace`, and equals no part of another kind."""
    text = parts.Text("a")
    assert [each.name for each in fields(text)] == ["text"]
    assert replace(text, text="b") == parts.Text("b")
    assert text != parts.Reasoning("a")
    assert repr(text) == "Text(text='a')"
