"""Structures that hypothesis makes: argument objects and whole streams.

Hypothesis is good at odd structures and at shrinking them, and slow at making many;
so it makes some hundred, the fast generator of `harness.fuzz.cuts` cuts each of them
in many ways, and what fails is shrunk by hypothesis first.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from harness.fuzz.finding_cassettes import chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

_T = TypeVar("_T")
_TRIES = 500  # of hypothesis, to shrink one value


class _Found(Exception):  # noqa: N818 - never leaves this module
    """Signals to hypothesis that an example failed."""


def make(strategy: SearchStrategy[_T], number: int, count: int) -> list[_T]:
    """Return some values of a strategy; the same for the same number.

    Args:
        strategy: What to make.
        number: The seed.
        count: How many.
    """
    values: list[_T] = []
    _explore(strategy, number, count, values.append, (Phase.generate,))
    return values


def shrink_made(
    strategy: SearchStrategy[_T], number: int, count: int, fails: Callable[[_T], bool]
) -> _T | None:
    """Find the failing value of `make` again and let hypothesis shrink it.

    Args:
        strategy: What was made.
        number: The seed it was made with.
        count: How many were made.
        fails: Returns whether a value fails in the same way.

    Returns:
        The smallest failing value that was found; None if none failed.
    """
    best: list[_T] = []
    left = _TRIES + count

    def test(value: _T) -> None:
        nonlocal left
        left -= 1
        if left >= 0 and fails(value):
            best[:] = [value]
            raise _Found

    try:
        _explore(strategy, number, count, test, (Phase.generate, Phase.shrink))
    except Exception as error:
        if not best:
            raise error from None
    return best[0] if best else None


def _explore(
    strategy: SearchStrategy[_T],
    number: int,
    count: int,
    visit: Callable[[_T], None],
    phases: tuple[Phase, ...],
) -> None:
    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(strategy)
    def explore(value: _T) -> None:
        visit(value)

    explore()


_CHARACTERS = st.one_of(
    st.sampled_from('abc "\\/{}[]:,\n\té你👋\u2028'),
    st.characters(exclude_categories=["Cs"]),
)
_STRINGS = st.text(_CHARACTERS, max_size=24)
_NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20), st.sampled_from([0.5, -1e30, 1e-9])
)
_VALUES: SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _STRINGS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_STRINGS, inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def argument_texts(draw: st.DrawFn, key: str) -> str:
    """Make JSON texts of argument objects with a string under `key`, mostly.

    Other members stand before and after it, also ones that look like it; the text is
    written with or without escapes and blanks. Shrinks to ``{}``.

    Args:
        draw: Hypothesis' own.
        key: The wanted key.
    """
    decoys = st.sampled_from([f"{key}s", key[:-1], f"x{key}", key.upper()])
    names = st.one_of(decoys, _STRINGS).filter(lambda name: name != key)
    pairs = draw(
        st.lists(st.tuples(names, _VALUES), max_size=3, unique_by=lambda p: p[0])
    )
    value = draw(st.one_of(st.none(), _STRINGS, _STRINGS))
    if value is not None:
        pairs.insert(draw(st.integers(0, len(pairs))), (key, value))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]))
    escapes = draw(st.booleans())
    return json.dumps(dict(pairs), ensure_ascii=escapes, separators=separators)


_NAMES = st.sampled_from(["look", "get_weather", "send_message", "a"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[dict[str, Any], ...]:
    """Make streams as OpenAI sends them: text, then calls, in fragments.

    Calls may take turns, and text may come again between them. Shrinks to an empty
    answer.

    Args:
        draw: Hypothesis' own.
    """
    texts = st.text(_CHARACTERS, min_size=1, max_size=6)
    deltas: list[dict[str, Any]] = [
        {"content": text} for text in draw(st.lists(texts, max_size=4))
    ]
    objects = draw(st.lists(st.tuples(_NAMES, argument_texts("message")), max_size=3))
    queues = []
    for index, (name, text) in enumerate(objects):
        places = draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=3))
        bounds = [0, *sorted(p for p in places if p < len(text)), len(text)]
        queue = [
            {
                "index": index,
                "id": f"call_{index}",
                "type": "function",
                "function": {"name": name, "arguments": ""},
            }
        ]
        queue += [
            {"index": index, "function": {"arguments": text[a:b]}}
            for a, b in pairwise(bounds)
        ]
        queues.append(queue)
    takes_turns = draw(st.booleans())
    while any(queues):
        queue = next(q for q in queues if q)
        deltas.append({"tool_calls": [queue.pop(0)]})
        if takes_turns:
            queues.append(queues.pop(queues.index(queue)))
    if draw(st.booleans()):
        deltas.append({"content": draw(texts)})
    chunks = [chunk({"role": "assistant", "content": None}), *map(chunk, deltas)]
    return (*chunks, chunk({}, "tool_calls" if objects else "stop"))
