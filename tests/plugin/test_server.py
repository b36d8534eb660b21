"""`harness_server`: unmodified clients talk to a real server of the recording."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest

# pytester forgets what a run imports, and h11 compares types.
import harness.pytest_plugin.server_fixture  # noqa: F401

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

ASK = '''
QUESTION = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is a rainbow?"},
]

def pieces(base_url):
    """Ask as it was recorded; return the texts of the chunks."""
    client = OpenAI(
        base_url=base_url, api_key="unused", max_retries=2,
        http_client=DefaultHttpxClient(verify=False),
    )
    stream = client.chat.completions.create(
        model="smollm2-135m-instruct", messages=QUESTION, stream=True,
        temperature=0, max_tokens=60,
    )
    texts = [c.choices[0].delta.content or "" for c in stream if c.choices]
    assert "".join(texts).startswith("A rainbow is")
    return [text for text in texts if text]
'''


def test_the_openai_sdk_is_answered_however_the_stream_is_cut(
    project: Project,
) -> None:
    """The marker's cassette, cut and said as the test's id says; nothing is played."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        ASK
        + """
@pytest.mark.harness("plain-text", splits=["recorded", "whole", "chars"])
def test_cut(harness_server, request):
    server = harness_server()
    count = len(pieces(server.base_url))
    assert (count == 1) == (request.node.callspec.id == "whole")
    assert (count > 200) == (request.node.callspec.id == "chars")
    assert [one["status"] for one in server.requests] == [200]

@pytest.mark.harness("plain-text", dialects=["ollama"])
def test_said_otherwise(harness_server):
    assert pieces(harness_server(match="order").base_url)
"""
    )
    result = project.run("-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*test_cut?recorded? PASSED*", "*?ollama? PASSED*"])


def test_servers_are_started_by_name_with_settings(project: Project) -> None:
    """Names, globs, folders, cassettes; each server is another, all end with the test.

    Served cassettes are no orphans.
    """
    for name in ("plain-text", "test_it/one", "test_it/deep/two"):
        project.recording("llama-server/plain-text.yaml", f"{name}.yaml")
    project.tests(
        ASK
        + """
URLS = []

@pytest.mark.harness("plain-text")
def test_several(harness_server, harness_cassette):
    import harness
    asked = harness_server("plain-text", fault="http-429:1", writes="3")
    servers = [asked, harness_server("test_it/one.yaml"), harness_server("*.yaml"),
               harness_server("test_it/deep"), harness_server(harness_cassette)]
    for server in servers:
        assert pieces(server.base_url)
        URLS.append(server.url)
    assert [one["status"] for one in asked.requests] == [429, 200]
    assert len(set(URLS)) == 5

@pytest.mark.parametrize("given, speed", [({}, 3.0), ({"speed": 2}, 2.0)])
@pytest.mark.harness("plain-text", speed=3)
def test_speed(harness_server, given, speed):
    server = harness_server(**given)
    import json, urllib.request
    with urllib.request.urlopen(f"{server.url}/harness/sessions/default") as answer:
        assert json.load(answer)["settings"]["speed"] == speed

def test_unmarked(harness_server):
    assert pieces(harness_server("plain-text").base_url)

def test_after():
    print("URLS", *URLS)
"""
    )
    result = project.run("-s", "--harness-orphans=fail")
    result.assert_outcomes(passed=5)
    assert result.ret == 0
    urls = re.findall(r"http://[\d.]+:\d+", result.stdout.str())
    assert len(urls) == 5
    for url in urls:
        with pytest.raises(URLError):
            urllib.request.urlopen(f"{url}/harness")


BLOCKED = (
    ASK
    + """
@pytest.mark.harness("plain-text", block_network="all")
def test_x(harness_server):
    import socket
    from harness.pytest_plugin.network import NetworkBlockedError
    assert pieces(harness_server().base_url)
    with pytest.raises(NetworkBlockedError):
        socket.create_connection(("127.0.0.1", 9))
"""
)


def test_the_network_is_blocked_but_for_the_server(project: Project) -> None:
    """Also where nothing of this machine may be reached."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(BLOCKED)
    project.run().assert_outcomes(passed=1)


def test_what_is_wrong_is_told_in_one_line(project: Project) -> None:
    """A cassette that is not there, a setting that is not, one that the id decides."""
    project.recording("llama-server/plain-text.yaml")
    project.tests(
        """
@pytest.mark.harness("plain-text", splits="whole")
@pytest.mark.parametrize("name, settings", [
    ("gone", {}), ("no*", {}), ("plain-text", {"match": "luck"}),
    ("plain-text", {"split": "chars"}),
])
def test_x(harness_server, name, settings):
    harness_server(name, **settings)
"""
    )
    result = project.run()
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines_random(
        [
            "E *CassetteMissingError: *gone.yaml)",
            "E *UsageError: harness_server('no[*]'): no cassette in *cassettes matches",
            "E *UsageError: *'luck'*",
            "E *UsageError: 'split' is given to harness_server and to the marker as *",
        ]
    )
    result.stdout.no_re_match_line(r"\S*harness\S*\.py:\d+")  # none of our own lines


def test_without_the_extra_it_says_what_to_install(project: Project) -> None:
    """One line, and only for tests that ask for it."""
    project.recording("llama-server/plain-text.yaml")
    project.write(
        "conftest.py",
        "import sys\n"
        "for name in list(sys.modules):\n"
        "    if name.startswith(('harness.serve', 'h11')) or 'server_fix' in name:\n"
        "        del sys.modules[name]\n"
        "sys.modules['h11'] = None\n",
    )
    project.tests(
        "@pytest.mark.harness('plain-text')\ndef test_x(harness_server):\n    pass\n"
        "@pytest.mark.harness('plain-text')\ndef test_y(harness_cassette):\n    pass\n"
    )
    result = project.run()
    result.assert_outcomes(errors=1, passed=1)
    (line,) = (line for line in result.outlines if line.startswith("harness_server "))
    assert line == (
        "harness_server needs h11, which is not installed; "
        "pip install 'agent-stream-harness[serve]'"
    )
