"""How two requests differ, and when they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cassettes.differences import (
    body_differences,
    json_differences,
)
from harness.core.text import first_difference

values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def canonical(value: Any) -> str:
    """Return JSON that is the same for the same value; the judge."""
    text = json.dumps(value, sort_keys=True)
    return json.dumps(json.loads(text, parse_int=float), sort_keys=True)


@given(recorded=values, sent=values)
def test_no_differences_means_the_same_json(recorded: Any, sent: Any) -> None:
    """Whatever the layout; numbers by value, booleans never numbers."""
    is_same = canonical(recorded) == canonical(sent)
    assert (not list(json_differences(recorded, sent))) is is_same
    one = json.dumps(recorded).encode()
    other = json.dumps(recorded, indent=3, ensure_ascii=False)
    assert body_differences(one, other.encode("utf-8", "surrogatepass")) == []


LONG = "body: recorded {!r} from character 80 (of 200), sent {!r} {}".format(
    "a" * 20 + "x" + "c" * 39,
    "a" * 20 + "y" + "c" * 39,
    "from character 80 (of 200)",
)
LIST = f"a: recorded {str([1] * 50)[:60]}... (150 long), sent nothing"


@pytest.mark.parametrize(
    ("recorded", "sent", "lines"),
    [
        (
            {"messages": [{"content": "x"}], "n": 1},
            {"messages": [{"content": "y"}, {}], "n": True},
            [
                "messages[0].content: recorded 'x', sent 'y'",
                "messages[1]: recorded nothing, sent {}",
                "n: recorded 1, sent true",
            ],
        ),
        (
            {"a b": 1},
            {"c": None},
            ["c: recorded nothing, sent null", '["a b"]: recorded 1, sent nothing'],
        ),
        ([1], {}, ["body: recorded [1], sent {}"]),
        ("a" * 100 + "x" + "c" * 99, "a" * 100 + "y" + "c" * 99, [LONG]),
        ({"a": [1] * 50}, {}, [LIST]),
    ],
)
def test_each_difference_is_one_line_with_both_values(
    recorded: Any, sent: Any, lines: list[str]
) -> None:
    """Long texts are cut around the first difference, not at their beginning."""
    assert list(map(str, json_differences(recorded, sent))) == lines


def test_bodies_that_are_no_json_are_compared_as_bytes() -> None:
    """A form, a file, nothing at all: the same bytes or one difference."""
    assert body_differences(None, b"") == []
    assert body_differences(b"a=1", b"a=1") == []
    assert list(map(str, body_differences(b"a=1", b""))) == [
        "body: recorded 'a=1', sent nothing"
    ]
    assert len(body_differences(b"\xff", b"{}")) == 1
    deep = b"[" * 100_000
    assert len(body_differences(deep, deep + b"[")) == 1


def test_the_boundary_of_a_multipart_body_does_not_count() -> None:
    """It is drawn anew for each request; the parts are what matters."""
    one, other = (
        "multipart/form-data; boundary=aaa",
        'multipart/form-data; boundary="bb"',
    )
    body = b"--%b\r\n\r\nfile\r\n--%b--\r\n"
    assert (
        body_differences(
            body % (b"aaa", b"aaa"),
            body % (b"bb", b"bb"),
            recorded_type=one,
            sent_type=other,
        )
        == []
    )
    assert body_differences(body % (b"aaa", b"aaa"), body % (b"bb", b"bb")) != []


@given(st.text("ab", max_size=9), st.text("ab", max_size=9))
def test_the_first_difference_is_behind_what_both_begin_with(
    one: str, other: str
) -> None:
    """Also where one text is the beginning of the other."""
    same = [one[:end] == other[:end] for end in range(1, min(len(one), len(other)) + 1)]
    assert first_difference(one, other) == sum(same)
