"""The table of six questions: every command is run, and gives the answer it names."""

from __future__ import annotations

import asyncio
import re
import shlex

import pytest
from rich.text import Text

from harness import load_cassette
from tests.cli.running import ROOT, harness
from tests.view.terminals import screen_of
from tests.view.test_step import BROKEN, STEPS, _settled, _walk

PAGE = ROOT / "docs/pages/how-to/six-questions.md"
ROWS = re.findall(
    r"^\| (.+?\?) \| `harness (.+?)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
)


KEYS = re.findall(
    r"^\| (.+?\?) \| `([^ `]+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
)
NAMES = {"]": "right_square_bracket", "End": "end"}


def test_there_are_six() -> None:
    """None is lost by the expressions that read the tables."""
    assert len(ROWS) == 6
    assert [question for question, *_ in KEYS] == [question for question, *_ in ROWS]


@pytest.mark.parametrize(("question", "key", "where"), KEYS)
def test_a_key_answers_a_question(question: str, key: str, where: str) -> None:
    """What stands in code in the last column is on the screen after the key."""
    pytest.importorskip("textual", reason="needs the extra `step`")
    from harness.cli.look import _questions
    from harness.debug.stepper import Stepper

    path = BROKEN if "break" in question else STEPS
    made = load_cassette(ROOT / path)
    walk = _walk(made)
    walk.questions = _questions(made)
    screens: list[str] = []

    async def run() -> None:
        app = Stepper(walk, lambda _: "")
        async with app.run_test(size=(150, 40)) as pilot:
            await pilot.press(NAMES.get(key, key))
            await _settled(app, pilot)
            screens.append(Text.from_ansi(screen_of(app)).plain)

    asyncio.run(run())
    answers = [text for text in re.findall(r"`([^`]+)`", where) if text != "text"]
    assert [text for text in answers if text not in screens[0]] == []


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
