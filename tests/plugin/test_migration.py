"""Projects that come from pytest-recording and pytest-vcr: no cassette is touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

TESTS = """
import httpx

class TestK:
    @pytest.mark.parametrize("city", ["Rome", "a/b"])
    @pytest.mark.harness
    def test_p(self, city, harness_session):
        answer = httpx.post("https://api.example.com/v1/x?key=1", json={"city": city})
        assert answer.json() == {"said": city}
        assert [request.uri for request in harness_session.requests] == [
            "https://api.example.com/v1/x?key=REDACTED"
        ]
        assert harness_session.requests[0].body == harness_session.requests[0].body
        assert harness_session.play_count == len(harness_session) == 1
        assert harness_session.all_played
        assert harness_session.responses[0]["status"] == {"code": 200, "message": "OK"}

@pytest.mark.harness
def test_plain():
    assert httpx.post("https://api.example.com/v1/x").json() == {"said": "plain"}
"""


def _cassette(said: str, **request: object) -> str:
    """Return a cassette as pydantic-ai's serializer writes it."""
    headers = {"content-type": ["application/json"], "content-length": ["999"]}
    return yaml.safe_dump(
        {
            "interactions": [
                {
                    "request": {
                        "method": "POST",
                        "uri": "https://api.example.com/v1/x?key=1",
                        "headers": headers,
                        **request,
                    },
                    "response": {
                        "status": {"code": 200, "message": "OK"},
                        "headers": {**headers, "content-encoding": ["gzip"]},
                        "parsed_body": {"said": said},
                    },
                }
            ],
            "version": 1,
        }
    )


LAYOUTS = {
    "pytest-recording": ("test_it/TestK.test_p[Rome]", "test_it/TestK.test_p[a-b]"),
    "pytest-vcr": ("TestK.test_p[Rome]", "TestK.test_p[a/b]"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cassettes_are_played_where_they_lie(project: Project, layout: str) -> None:
    """Under the names of either plugin, and nothing is written."""
    places = dict(zip(LAYOUTS[layout], ["Rome", "a/b"], strict=True))
    for name, city in places.items():
        text = _cassette(city, parsed_body={"city": city})
        project.write(f"cassettes/{name}.yaml", text)
    prefix = "test_it/" if layout == "pytest-recording" else ""
    project.write(f"cassettes/{prefix}test_plain.yaml", _cassette("plain"))
    before = {path: path.read_bytes() for path in project.path.rglob("*.yaml")}
    project.tests(TESTS)
    project.run("--harness-orphans=fail").assert_outcomes(passed=3)
    project.run("--harness-record=once").assert_outcomes(passed=3)
    after = {path: path.read_bytes() for path in project.path.rglob("*.yaml")}
    assert after == before


STREAM = """
@pytest.mark.harness
def test_stream():
    assert ask("hello", "https://api.groq.com/openai/v1") == "hi there"
"""


def test_stream_beside_a_parsed_request_is_played(project: Project) -> None:
    """As pydantic-ai keeps one: the request as YAML, the event stream as text."""
    deltas = [{"content": "hi"}, {"content": " there"}]
    choices = [{"index": 0, "delta": one, "finish_reason": None} for one in deltas]
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events = [json.dumps({**head, "choices": [choice]}) for choice in choices]
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": "any", "stream": True, "messages": messages}
    text = _cassette("", parsed_body=body, method="POST")
    document = yaml.safe_load(text)
    (exchange,) = document["interactions"]
    uri = "https://api.groq.com/openai/v1/chat/completions"
    exchange["request"]["uri"] = uri
    exchange["response"] = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["text/event-stream"]},
        "body": {"string": "".join(f"data: {x}\n\n" for x in [*events, "[DONE]"])},
    }
    project.write("cassettes/test_it/test_stream.yaml", yaml.safe_dump(document))
    project.tests(STREAM)
    project.run().assert_outcomes(passed=1)
    result = project.run("--harness-splits=chars")
    result.assert_outcomes(passed=1)


def test_our_own_cassette_goes_first(project: Project) -> None:
    """Once a test has been recorded anew."""
    project.write("cassettes/test_plain.yaml", _cassette("theirs"))
    project.write("cassettes/test_it/test_plain.yaml", _cassette("plain"))
    project.tests(TESTS.partition("class TestK")[0] + TESTS.rpartition("\n\n")[2])
    project.run().assert_outcomes(passed=1)


def test_vcrpys_match_is_one_setting(project: Project) -> None:
    """Where bodies were never compared, and the query was; of a key only that it is."""
    project.write("cassettes/test_it/test_plain.yaml", _cassette("plain", body="other"))
    text = TESTS.partition("class TestK")[0] + TESTS.rpartition("\n\n")[2]
    project.tests(text.replace("/v1/x", "/v1/x?key=Zx9Kq81mPlw3Tn5v"))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*body: recorded 'other', sent *"])
    project.write("pytest.ini", "[pytest]\nharness_match_on = vcrpy\n")
    project.run().assert_outcomes(passed=1)
    project.tests(text.replace("/v1/x", "/v1/x?other=2"))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*query: *"])


@pytest.mark.parametrize(
    "place", ["@pytest.mark.vcr\n", "pytestmark = pytest.mark.vcr\n"]
)
def test_both_markers_are_explained_before_anything_is_recorded(
    project: Project, place: str
) -> None:
    """Two recorders would write two cassettes of one test."""
    marks = f"{place}@pytest.mark.harness" if "@" in place else "@pytest.mark.harness"
    module = "" if "@" in place else place
    project.tests(f"{module}{marks}\ndef test_x():\n    raise AssertionError('ran')\n")
    result = project.run("--harness-record=once", plugins=("pytest_recording.plugin",))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*test_it.py::test_x: is marked with `harness` and with `vcr` *take *off: *"]
    )
    assert not project.path.joinpath("cassettes").exists()


def test_rewritten_cassette_keeps_the_other_recorders_form(project: Project) -> None:
    """A new exchange is added; what was there stays as it was written."""
    name = project.write("cassettes/test_it/test_plain.yaml", _cassette("plain"))
    project.tests(
        """
import httpx
@pytest.mark.harness(unplayed="ignore")
def test_plain():
    httpx.post("BASE_URL")
""",
        "http://127.0.0.1:9",
    )
    before = yaml.safe_load(name.read_text("utf-8"))
    project.run("--harness-record=new_episodes").assert_outcomes(failed=1)
    assert yaml.safe_load(name.read_text("utf-8")) == before
    assert json.dumps(before["interactions"][0]["response"]["parsed_body"])
