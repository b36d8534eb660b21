"""Splits, dialects and faults of what cannot be varied: refused, never vacuous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cassettes.encode import save_cassette
from harness.cassettes.model import Cassette, Ending, Exchange, Request, Response

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

BODIES = {
    "anthropic": (
        b'event: message_start\ndata: {"type": "message_start", "message": {}}\n\n',
        "a stream of anthropic",
    ),
    "responses": (
        b'event: response.created\ndata: {"type": "response.created"}\n\n',
        "a stream of responses",
    ),
    "gemini": (
        b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\n\n',
        "a stream of gemini",
    ),
    "whole": (
        b'{"object": "chat.completion", "choices": []}',
        "an answer, not streamed, of chat",
    ),
    "error": (b'{"error": {"message": "slow down"}}', "an error answer: slow down"),
}
ASKS = """
@pytest.mark.harness(NAME, AXIS)
def test_x():
    raise AssertionError("the test has run")
"""


def _record(project: Project, name: str, *bodies: bytes) -> None:
    folder = project.path / "cassettes" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    exchanges = [
        Exchange(
            number,
            Request("POST", "https://example.com/v1/x", {}, b"{}"),
            Response(200, "OK", {}, body, ended=Ending("complete")),
        )
        for number, body in enumerate(bodies)
    ]
    save_cassette(Cassette(str(folder), exchanges), str(folder))


@pytest.mark.parametrize(
    ("kind", "axis"),
    [
        ("anthropic", "dialects='ollama'"),
        ("responses", "faults='cut-chunks:2'"),
        pytest.param("gemini", "dialects='ollama'", marks=pytest.mark.slow),
        ("whole", "splits='chars'"),
        pytest.param("error", "splits='chars'", marks=pytest.mark.slow),
    ],
)
def test_what_cannot_be_varied_fails_at_collection(
    project: Project, kind: str, axis: str
) -> None:
    """The message names the file, the exchange, what it is and what to do."""
    body, what = BODIES[kind]
    _record(project, "c.yaml", body)
    project.tests(ASKS.replace("NAME", "'c'").replace("AXIS", axis))
    result = project.run()
    result.assert_outcomes(errors=1)
    name, _, value = axis.replace("'", "").partition("=")
    told = f"exchange 0 is {what}; only streams are varied*"
    result.stdout.fnmatch_lines(
        [f"*test_it.py::test_x: *c.yaml: nothing * by {name[:-1]} {value}: {told}"]
    )


def test_the_tests_own_cassette_fails_before_the_test_runs(project: Project) -> None:
    """Its name is known for certain only then; dialects count, and the command line."""
    _record(project, "test_it/test_x.yaml", BODIES["whole"][0])
    project.tests(ASKS.replace("NAME, ", "").replace("AXIS", ""))
    for option in ("--harness-splits=chars", "--harness-dialects=ollama"):
        result = project.run(option)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(
            ["*exchange 0 is an answer, not streamed, of chat; *"]
        )
        result.stdout.no_fnmatch_line("*the test has run*")


def test_whole_answer_is_varied_where_it_is_said_anew(project: Project) -> None:
    """A server and a replay make a stream of it."""
    whole = (
        b'{"object": "chat.completion", "choices": [{"index": 0, "message": '
        b'{"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]}'
    )
    _record(project, "c.yaml", whole)
    project.tests(
        """
@pytest.mark.harness("c", splits="chars")
def test_x(harness_replay):
    assert harness_replay().messages
"""
    )
    project.run().assert_outcomes(passed=1)


def test_one_stream_is_enough(project: Project) -> None:
    """Beside it other exchanges stay as recorded."""
    stream = (
        b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, '
        b'"delta": {"content": "hello"}}]}\n\ndata: [DONE]\n\n'
    )
    _record(project, "c.yaml", BODIES["error"][0], stream)
    project.tests(ASKS.replace("NAME", "'c'").replace("AXIS", "splits='chars'"))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the test has run*"])
