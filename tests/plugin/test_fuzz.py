"""`harness_fuzz`: a consumer that a cut, a provider or a break confuses is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

PARSER = """
def parse(chunks):
    said = ""
    for chunk in chunks:
        said += chunk["choices"][0]["delta"].get("content") or ""
    return said

def sound(chunks):
    said = ""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            if not choice.get("index"):
                content = (choice.get("delta") or {}).get("content")
                if isinstance(content, str):
                    said += content
    return said

MARK
def test_parser(harness_fuzz):
    harness_fuzz(parse)
"""


def test_a_broken_consumer_fails_with_the_smallest_stream(project: Project) -> None:
    """What arrived, expected, got, a test to paste and the command to run again."""
    project.tests(PARSER.replace("MARK", ""))
    result = project.run("--harness-seed=5")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "> *harness_fuzz(parse)",
            "E *AssertionError: parse: agreement does not hold: *",
            "E *arrived, in * chunk*",
            "E *expected *",
            "E *got:",
            "E *raised IndexError: list index out of range (at test_it.py*",
            "E *from test_it import parse",
            "E *found after * of * examples, seed 5; again:",
            "E *pytest test_it.py::test_parser --harness-seed=5",
        ]
    )
    # The failure is where the test is, not in our code, and no cassette has a part.
    result.stdout.no_fnmatch_line("*fuzzing.py:*")
    result.stdout.no_fnmatch_line("*cassette:*")


def test_streams_of_named_cassettes_are_fuzzed_with(project: Project) -> None:
    """With a marker the recorded streams are what is cut."""
    project.recording("llama-server/plain-text.yaml")
    text = PARSER.replace("MARK", '@pytest.mark.harness("plain-text")')
    project.tests(
        text.replace(
            "harness_fuzz(parse)",
            "harness_fuzz(sound, relations=['split-invariance'], max_examples=300)",
        )
    )
    project.run().assert_outcomes(passed=1)
    project.tests(
        text.replace(
            "parse)", "sound, relations=['agreement'], max_examples=300)"
        ).replace("isinstance(content, str)", "content and content != ' rainbow'")
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *rainbow*"])


def test_unknown_relations_are_told(project: Project) -> None:
    """The message lists what there is for this consumer."""
    project.tests(
        PARSER.replace("MARK", "").replace("(parse)", "(parse, relations=['luck'])")
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *there are split-invariance*; got 'luck'"])


def test_the_profile_says_how_much_is_tried(project: Project) -> None:
    """Quick is seconds, thorough minutes; what the call says goes first."""
    project.tests(
        PARSER.replace("MARK", "").replace("(parse)", "(sound, **MORE)")
        + "MORE = {'relations': ['split-invariance']}\n"
    )
    project.write(
        "conftest.py",
        """
import harness.fuzz.campaign as campaign

def run(self):
    print("EXAMPLES", self.plan.max_examples)
    return []

def pytest_runtest_setup(item):
    campaign.Campaign.run, item.was = run, campaign.Campaign.run

def pytest_runtest_teardown(item):
    campaign.Campaign.run = item.was
""",
    )
    project.run("-s").stdout.fnmatch_lines(["*EXAMPLES 1000"])
    result = project.run("-s", "--harness-splits=thorough")
    result.stdout.fnmatch_lines(["*EXAMPLES 50000"])
    text = project.path.joinpath("test_it.py").read_text("utf-8")
    given = text.replace("{'relations'", "{'max_examples': 7, 'relations'")
    project.path.joinpath("test_it.py").write_text(given, "utf-8")
    result = project.run("-s", "--harness-splits=thorough")
    result.stdout.fnmatch_lines(["*EXAMPLES 7"])


def test_reader_of_sdk_objects_is_told_how_to_be_fed(project: Project) -> None:
    """Given dicts it fails at once; the report names the option that feeds it."""
    project.tests(
        """
def read(chunks):
    return "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)

def test_dicts(harness_fuzz):
    harness_fuzz(read, level="chunks", max_examples=3)
"""
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*hint: *objects, and was given dicts: *chunks='sdk'*"]
    )
