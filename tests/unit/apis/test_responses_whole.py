"""Responses answers that were not streamed."""

from __future__ import annotations

import pytest

from harness.apis.responses.answer import whole
from harness.core.parts import Head, Usage
from tests.responses_payloads import (
    Payload,
    call,
    message,
)
from tests.responses_streams import (
    answer_of,
    problems,
)


def test_whole_answer() -> None:
    """An answer that was not streamed has the parts of one that was."""
    parts = whole(
        {
            "id": "r",
            "object": "response",
            "model": "m",
            "created_at": 5,
            "status": "completed",
            "output": [message("Hi"), call("f", "{}")],
            "usage": {"input_tokens": 1},
        }
    )
    assert answer_of(parts) == (
        "Hi",
        "",
        "",
        [("function", "f", "c1", "{}")],
        "completed",
    )
    assert [p for p in parts if isinstance(p, Head)] == [Head("r", "m", 5)]
    assert [p.counts for p in parts if isinstance(p, Usage)] == [{"input_tokens": 1}]
    assert problems(parts) == []


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": {"message": "m"}}, "error-event"),
        (
            {"object": "response", "status": "in_progress", "output": []},
            "missing-finish",
        ),
        ({"object": "response", "status": "completed", "output": [1]}, "unread"),
    ],
)
def test_whole_answer_with_a_problem(document: Payload, kind: str) -> None:
    """Error bodies and answers that are not finished are reported."""
    assert [k for k, _ in problems(whole(document))] == [kind]
