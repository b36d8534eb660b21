"""Known bugs of old releases are found again; the matrix says what it was made with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.debug.outcomes import Call
from harness.fuzz.fuzz_inputs import Truth
from tests.third_party.current_rows import CURRENT
from tests.third_party.matrix import APIS, PAGE, columns
from tests.third_party.matrix_streams import VERDICTS, Asked, Input, verdict
from tests.third_party.old_releases import found_again
from tests.third_party.old_rows import ROWS, Row

_SMALL = (
    *("partial-json-parser-cut", "partialjson-repeats", "httpx-sse-lines"),
    *("langchain-core-empty-id", "openai-two-fragments", "jiter-beyond-ascii"),
)
_TRIED = [*(row for row in ROWS if row.name in _SMALL), *CURRENT]
_WHOLE = Input("whole", (b"",), Truth("Hi", calls=(Call("look", "{}"),), finish="stop"))
_CUT = Input("cut", (b"",), Truth("Hi", is_sound=False, is_ended=False))
_FOUND = {"content": "Hi", "calls": [{"name": "look", "arguments": ""}]}


@pytest.mark.slow
@pytest.mark.skipif(
    "HARNESS_THIRD_PARTY" not in os.environ,
    reason="HARNESS_THIRD_PARTY names no folder where old releases may be installed",
)
@pytest.mark.parametrize("row", _TRIED, ids=lambda row: row.name)
def test_bug_is_found(row: Row) -> None:
    """Found by the stock within a minute; gone in the fixed release, if any is."""
    holds, text = found_again(row)
    assert holds, text


@pytest.mark.parametrize(
    ("one", "found", "expected"),
    [
        (_WHOLE, {**_FOUND, "finish": "stop"}, "right"),
        (_WHOLE, {**_FOUND, "content": "H", "finish": "stop"}, "loss"),
        (_WHOLE, {**_FOUND, "calls": [], "finish": "stop"}, "loss"),
        (_WHOLE, {"error": "APIError: no", "is_crash": False}, "exception"),
        (_WHOLE, {"error": "KeyError: 'id'", "is_crash": True}, "crash"),
        (_WHOLE, None, "hangs"),
        (_CUT, {**_FOUND, "finish": "stop"}, "partial"),
        (_CUT, {**_FOUND, "finish": None}, "right"),
        (_CUT, {"error": "APIError: cut", "is_crash": False}, "right"),
    ],
)
def test_verdict_of_the_matrix(one: Input, found: object, expected: str) -> None:
    """Whole answers must come whole; of cut ones an error or no ending is right."""
    asked: Asked = verdict("responses", one, found)  # type: ignore[arg-type]  # a dict
    assert asked.verdict == expected


def test_rows_are_those_of_the_readme() -> None:
    """At least 25 old releases, and each row has its line."""
    text = (Path(__file__).parent / "README.md").read_text("utf-8")
    assert len(ROWS) >= 25
    lacking = [r.name for r in (*ROWS, *CURRENT) if f"\n| {r.name} | " not in text]
    assert not lacking


def test_matrix_is_whole_and_dated() -> None:
    """Every library of every API has a verdict on each stream, sixty and more."""
    text = PAGE.read_text("utf-8")
    assert "Tried 20" in text
    for api, title in APIS.items():
        part = text.partition(f"\n## {title}\n\n")[2].partition("\n\n## ")[0]
        head, _, *rows = [
            [cell.strip(" *") for cell in line.strip("|").split("|")]
            for line in part.splitlines()
        ]
        assert head[1:] == columns(api)
        assert len(rows) >= 60
        assert all(len(row) == len(head) for row in rows)
        assert {cell for row in rows for cell in row[1:]} <= set(VERDICTS)
