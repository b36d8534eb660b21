"""`--harness-dialects`, `--harness-faults` and the marker's keywords of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import load_cassette
from harness.apis.varied import vary
from harness.cassettes.model import Ending
from harness.pytest_plugin.varied import varied_cassette
from tests.plugin.conftest import RECORDINGS

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

TEST = """
@pytest.mark.harness("forced-send-message"MORE)
def test_x(harness_replay, harness_variation):
    transcript = harness_replay()
    assert transcript.messages
    print("VARIED", harness_variation or "nothing")
"""


def _ids(project: Project, *options: str) -> list[str]:
    result = project.run("-v", *options)
    assert result.ret == 0, result.outlines
    return [line.split()[0] for line in result.outlines if line.startswith("test_it")]


def test_dialects_and_splits_are_combined(project: Project) -> None:
    """Each combination is a test; `recorded` stands for none."""
    project.recording("llama-server/forced-send-message.yaml")
    project.tests(
        TEST.replace(
            "MORE", ", dialects=['recorded', 'ollama'], splits=['recorded', 2]"
        )
    )
    assert _ids(project) == [
        f"test_it.py::test_x[{name}]"
        for name in ("recorded", "ollama", "2", "ollama-2")
    ]


def test_faults_break_the_stream(project: Project) -> None:
    """A fault is a test of its own, from the marker, the command line or ini."""
    project.recording("llama-server/forced-send-message.yaml")
    project.tests(TEST.replace("MORE", ", faults='cut-chunks:2'"))
    assert _ids(project) == ["test_it.py::test_x[cut-chunks:2]"]
    assert _ids(project, "--harness-faults=cut-chunks:3") == [
        "test_it.py::test_x[cut-chunks:3]"
    ]
    project.tests(TEST.replace("MORE", ""))
    project.write("pytest.ini", "[pytest]\nharness_dialects = ollama groq\n")
    assert _ids(project) == [
        "test_it.py::test_x[ollama]",
        "test_it.py::test_x[groq]",
    ]


def test_a_client_under_a_dialect_keeps_its_steps(project: Project) -> None:
    """Requests are matched in order there, since a dialect may change what is sent."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        """
@pytest.mark.harness("plain-text", dialects=["ollama"])
def test_asks():
    assert ask("quite another question").startswith("A rainbow is")
"""
    )
    project.run().assert_outcomes(passed=1)


READER = """
class Reader:
    \"""Reads content that is text, and nothing of any other shape.\"""

    def __init__(self):
        self.said = []

    def process_chunk(self, chunk, message_id, message_date):
        for choice in chunk.choices:
            if choice.delta and isinstance(choice.delta.content, str):
                self.said.append(choice.delta.content)

    def to_list(self):
        said, self.said = self.said, []
        return ["".join(said)]

@pytest.mark.harness("plain-text"MORE)
def test_reader(harness_replay):
    harness_replay(Reader)
"""


def test_a_dialect_that_changes_the_answer_fails(project: Project) -> None:
    """As a split does; under a fault nothing is compared, the answer may end early."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(READER.replace("MORE", ", dialects=['ollama', 'list-content']"))
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *Reader gives another answer when the stream arrives otherwise",
            "E *arrived: *--dialect list-content (nothing else was changed)",
            "E *see it: *harness replay *plain-text.yaml --dialect list-content",
        ]
    )
    project.tests(READER.replace("MORE", ", faults='cut-chunks:9', splits='chars'"))
    project.run().assert_outcomes(passed=1)


def test_a_varied_copy_has_lengths_and_an_end_of_its_own() -> None:
    """What headers said of the recorded bytes is left out; a cut looks like a close."""
    recorded = load_cassette(RECORDINGS / "llama-cpp-python" / "client-stops.yaml")
    (exchange,) = recorded.exchanges
    assert exchange.response.ended == Ending("closed")
    exchange.response.headers["Content-Length"] = ["1"]
    wire = exchange.response.wire
    for fault, ended in (
        (None, Ending("closed")),
        ("cut-chunks:2", Ending("complete")),
    ):
        varied = varied_cassette(recorded, vary("chars", fault=fault))
        response = varied.exchanges[0].response
        assert response.wire is not None
        assert wire is not None
        assert sum(chunk.size for chunk in response.wire) == len(response.body)
        assert "Content-Length" not in response.headers
        assert "Content-Type".lower() in map(str.lower, response.headers)
        assert response.ended == ended
        times = [chunk.seconds for chunk in response.wire]
        assert times == sorted(times)
        assert times[-1] == wire[-1].seconds
    assert exchange.response.headers["Content-Length"] == ["1"]
