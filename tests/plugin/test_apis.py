"""`apis`: a recording arrives in another API, each a test id."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Project


def test_recording_is_replayed_in_each_api(project: Project) -> None:
    """The answer is the same; the ids name API, dialect and split."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        """
@pytest.mark.harness(
    "plain-text", apis="anthropic,responses", splits="recorded,chars"
)
def test_x(harness_replay):
    assert harness_replay().messages

@pytest.mark.harness("plain-text", apis="responses", dialects="copilot")
def test_y(harness_replay):
    assert harness_replay().messages
"""
    )
    result = project.run("-v")
    result.assert_outcomes(passed=5)
    for name in ("x[anthropic]", "x[anthropic-chars]", "x[responses]", "y[responses-"):
        result.stdout.fnmatch_lines([f"*test_{name.replace('[', '[[]')}*PASSED*"])


def test_unknown_api_is_refused_at_collection(project: Project) -> None:
    """With the names that there are."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        """
@pytest.mark.harness("plain-text", apis="mistral")
def test_x(harness_replay):
    pass
"""
    )
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*API 'mistral': expected one of chat, responses*"])
