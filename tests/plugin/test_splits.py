"""`--harness-splits`, `splits=`: the same test for each way a stream could be cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

REPLAYS = """
@pytest.mark.harness("plain-text"MORE)
def test_x(harness_replay):
    assert harness_replay().messages
"""

GLUED = '''
class Reader:
    """Loses what is shorter than two characters: a bug that only some cuts show."""

    def __init__(self):
        self.said = []

    def process_chunk(self, chunk, message_id, message_date):
        for choice in chunk.choices:
            if choice.delta and len(choice.delta.content or '') > 1:
                self.said.append(choice.delta.content)

    def to_list(self):
        said, self.said = self.said, []
        return said

@pytest.mark.harness("plain-text", splits=["recorded", "chars"])
def test_reader(harness_replay):
    harness_replay(Reader)
'''


def _ids(project: Project, *options: str) -> list[str]:
    result = project.run("-v", *options)
    return [line.split()[0] for line in result.outlines if line.startswith("test_it")]


def test_recorded_alone_adds_nothing_to_the_id(project: Project) -> None:
    """Without splits, and with one named cassette, the test keeps its name."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(REPLAYS.replace("MORE", ""))
    assert _ids(project) == ["test_it.py::test_x"]


def test_each_split_of_the_marker_is_a_test_id(project: Project) -> None:
    """A list gives as many tests, in its order; `at:` keeps its commas."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(REPLAYS.replace("MORE", ", splits=['recorded', 'chars', 'at:3,7']"))
    assert _ids(project) == [
        "test_it.py::test_x[recorded]",
        "test_it.py::test_x[chars]",
        "test_it.py::test_x[at:3,7]",
    ]


@pytest.mark.slow
def test_profiles_apply_to_every_test_that_replays(project: Project) -> None:
    """`quick` and `thorough` from command line or ini; the command line goes first."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(REPLAYS.replace("MORE", ", splits='whole'"))
    quick = [f"test_it.py::test_x[{n}]" for n in ("recorded", "whole", "chars")]
    assert _ids(project, "--harness-splits=quick") == [
        *quick,
        "test_it.py::test_x[random:0]",
    ]
    assert len(_ids(project, "--harness-splits=thorough")) == 15
    assert _ids(project, "--harness-splits=whole,at:3,7,chars 2") == [
        f"test_it.py::test_x[{name}]" for name in ("whole", "at:3,7", "chars", "2")
    ]
    project.write("pytest.ini", "[pytest]\nharness_splits = quick\n")
    assert _ids(project) == ["test_it.py::test_x[whole]"]
    project.tests(REPLAYS.replace("MORE", ""))
    assert len(_ids(project)) == 4


def test_the_seed_decides_random_splits(project: Project) -> None:
    """`--harness-seed` is in the id, so that an id says what was cut."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(REPLAYS.replace("MORE", ", splits='random'"))
    assert _ids(project, "--harness-seed=7") == ["test_it.py::test_x[random:7]"]
    project.write("pytest.ini", "[pytest]\nharness_seed = 8\n")
    assert _ids(project) == ["test_it.py::test_x[random:8]"]


def test_a_split_that_changes_the_answer_fails(project: Project) -> None:
    """The failure tells cassette, split, expected, got and two commands."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(GLUED)
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *Reader gives another answer when the stream arrives otherwise",
            "E *arrived: *--split chars (nothing else was changed)",
            "E *expected: *rainbow*(as recorded)",
            "E *got: *nothing*",
            "E *see it: *harness diff *.yaml --interface test_it:Reader --split-b *",
            "E *again: *pytest 'test_it.py::test_reader[[]chars[]]'",
            "E *cassette: cassettes/plain-text.yaml",
        ]
    )


def test_a_client_is_played_the_cut_stream(project: Project) -> None:
    """A test's own client gets the stream as its id says; other splits, same text."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        """
QUESTION = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is a rainbow?"},
]

@pytest.mark.harness("plain-text", splits=["recorded", "whole", "chars"])
def test_counts(request):
    client = OpenAI(base_url="http://127.0.0.1:8101/v1", api_key="unused")
    stream = client.chat.completions.create(
        model="smollm2-135m-instruct", messages=QUESTION, stream=True,
        temperature=0, max_tokens=60,
    )
    said = [c.choices[0].delta.content or "" for c in stream if c.choices]
    assert "".join(said).startswith("A rainbow is")
    pieces = len([text for text in said if text])
    name = request.node.callspec.id
    assert (pieces == 1) == (name == "whole")
    assert (pieces == len("".join(said))) == (name == "chars")
"""
    )
    project.run().assert_outcomes(passed=3)


def test_a_wrong_split_is_told_while_collecting(project: Project) -> None:
    """The message names the test and what splits there are."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(REPLAYS.replace("MORE", ", splits=['sideways']"))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_it.py::test_x: split 'sideways': expected*"])


def test_splits_of_the_command_line_are_for_tests_that_replay(
    project: Project,
) -> None:
    """Marked or not; where the cassette is data they would change nothing."""
    project.recording("llama-server/plain-text.yaml")
    takers = ("session", "replay", "areplay", "server", "fuzz", "cassette")
    project.write(
        "test_it.py",
        "import pytest\n@pytest.mark.harness('plain-text')\ndef test_plays():\n"
        "    pass\ndef test_nothing(request):\n"
        "    assert not hasattr(request.node, 'callspec')\n"
        "@pytest.mark.harness\ndef test_own(request, harness_cassette_name):\n"
        "    assert not hasattr(request.node, 'callspec')\n"
        + "".join(
            f"def test_{name}(harness_{name}):\n    pass\n"
            f"@pytest.mark.harness('plain-text')\ndef test_m_{name}(harness_{name}):\n"
            "    pass\n"
            for name in takers
        ),
    )
    listed = project.run("--harness-splits=whole", "--collect-only").stdout.str()
    cut = set(re.findall(r"<Function (\S+\[whole\])>", listed))
    replaying = takers[:4]
    assert cut == {"test_plays[whole]", "test_own[whole]"}.union(
        *({f"test_{name}[whole]", f"test_m_{name}[whole]"} for name in replaying)
    )
    result = project.run("-k", "test_own or test_nothing")
    result.assert_outcomes(passed=2, deselected=len(takers) * 2 + 1)


def test_a_miss_under_a_split_names_the_recording(project: Project) -> None:
    """Not the copy that is played, and the command to record has no split."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        "@pytest.mark.harness('plain-text', splits='chars')\n"
        "def test_x():\n    ask('other')\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *CassetteMismatchError: POST *(cassettes/plain-text.yaml)",
            "arrived: *--split chars",
            "again: *pytest 'test_it.py::test_x[[]chars[]]'",
            "record: *pytest test_it.py::test_x --harness-record=new_episodes",
        ]
    )
