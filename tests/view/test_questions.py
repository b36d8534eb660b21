"""The table of six questions: every command is run, and gives the answer it names."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.cli.running import ROOT, harness

PAGE = ROOT / "docs/pages/how-to/six-questions.md"
ROWS = re.findall(
    r"^\| (.+?\?) \| `harness (.+?)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
)


def test_there_are_six() -> None:
    """None is lost by the expression that reads the table."""
    assert len(ROWS) == 6


@pytest.mark.parametrize(("question", "command", "where"), ROWS)
def test_a_question_is_answered(question: str, command: str, where: str) -> None:
    """What stands in code in the last column is in what the command prints."""
    result = harness(
        *shlex.split(command), "--rows", "run", environment={"COLUMNS": "120"}
    )
    assert result.code == 0, question
    named = re.findall(r"`([^`]+)`", where)
    answers = [text for text in named if text not in {"text", "message", "call"}]
    assert [text for text in answers if text in result.out], answers
    kept = {text for text in answers if text != "MODULE:NAME"}
    assert kept <= {text for text in kept if text in result.out}
