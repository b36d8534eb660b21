"""Marked tests with clients other than httpx: played or refused, never live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

CLIENTS = {
    "requests": "import requests\ndef post(url, body):\n"
    "    return requests.post(url, json=body).text\n",
    "urllib": "import urllib.request, json\ndef post(url, body):\n"
    "    request = urllib.request.Request(url, json.dumps(body).encode())\n"
    "    return urllib.request.urlopen(request).read().decode()\n",
    "aiohttp": "import aiohttp, asyncio\ndef post(url, body):\n"
    "    async def ask():\n        async with aiohttp.ClientSession() as session:\n"
    "            async with session.post(url, json=body) as response:\n"
    "                return await response.text()\n    return asyncio.run(ask())\n",
}
ASKS = """
@pytest.mark.harness
def test_asks():
    body = {"messages": [{"role": "user", "content": "hello"}]}
    assert "hello" in post("BASE_URL/chat/completions", body)
"""


@pytest.mark.parametrize("client", CLIENTS)
def test_client_is_recorded_and_played(
    project: Project, model: Model, client: str
) -> None:
    """And without a cassette it is refused, where it used to be live."""
    project.write("test_it.py", f"import pytest\n{CLIENTS[client]}{ASKS}", model.url)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *CassetteMissingError*"])
    assert model.asked == []
    project.run("--harness-record=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert model.asked == ["hello"]


OTHER = """
import socket, pytest
from urllib.parse import urlsplit

@pytest.mark.harness(ARGUMENTS)
def test_asks():
    place = urlsplit("BASE_URL")
    socket.create_connection((place.hostname, place.port)).close()
"""


def test_recording_nothing_though_something_connected_fails(
    project: Project, model: Model
) -> None:
    """A client that is not intercepted, on this machine: the test names it."""
    project.write("test_it.py", OTHER.replace("ARGUMENTS", ""), model.url)
    place = model.url.removeprefix("http://").removesuffix("/v1")
    allowed = OTHER.replace("ARGUMENTS", f"allow=['{place}']")
    for mode, verb in (("once", "was"), ("none", "is")):
        project.write("test_it.py", OTHER.replace("ARGUMENTS", ""), model.url)
        result = project.run(f"--harness-record={mode}")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [f"*nothing {verb} recorded, but something connected: {place} (by socket)*"]
        )
        project.write("test_it.py", allowed, model.url)
        project.run(f"--harness-record={mode}").assert_outcomes(passed=1)


def test_live_connection_to_a_recorded_host_is_refused(
    project: Project, model: Model
) -> None:
    """This machine's too; a test that swallows the error fails all the same."""
    marker = "@pytest.mark.harness('c')"
    project.tests(f"{marker}\ndef test_x():\n    ask('hello')\n", model.url)
    project.run("--harness-record=once").assert_outcomes(passed=1)
    swallowing = OTHER.replace("ARGUMENTS", "'c', unplayed='ignore'").replace(
        "    socket.create", "    with pytest.raises(Exception): socket.create"
    )
    project.write("test_it.py", swallowing, model.url)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*the test did not notice: *c.yaml: socket was about to connect to 127.*"]
    )


def test_remote_machine_is_refused_while_recording(project: Project) -> None:
    """Unless it is allowed, or the network is not blocked at all."""
    remote = OTHER.replace("BASE_URL", "http://192.0.2.1:80").replace(
        "socket.create_connection((place.hostname, place.port)).close()",
        "socket.socket().connect_ex((place.hostname, place.port))",
    )
    project.write("test_it.py", remote.replace("ARGUMENTS", ""))
    result = project.run("--harness-record=once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*socket was about to connect to 192.0.2.1:80, *"])


TRACES = """
import httpx
import pytest

@pytest.mark.harness(ARGUMENTS)
def test_traces():
    for _ in range(2):
        answer = httpx.post("https://api.openai.com/v1/traces/ingest", json={})
    assert answer.json() == {}
"""


def test_telemetry_is_noted_once(project: Project) -> None:
    """It is answered, not blocked, not recorded, and one line tells."""
    project.write("test_it.py", TRACES.replace("ARGUMENTS", ""))
    for options in ([], ["--harness-record=once"]):
        result = project.run(*options)
        result.assert_outcomes(passed=1)
        notes = [line for line in result.outlines if "telemetry was" in line]
        assert len(notes) == 1
        assert "POST https://api.openai.com/v1/traces/ingest (ignore_" in notes[0]
    assert not list(project.path.rglob("*.yaml"))
    project.write("test_it.py", TRACES.replace("ARGUMENTS", "ignore_telemetry=False"))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *CassetteMissingError*"])


def test_ignored_fields_and_hosts_are_settings(project: Project, model: Model) -> None:
    """By the marker, an ini key and the command line."""
    project.write(
        "test_it.py", f"import pytest\n{CLIENTS['requests']}{ASKS}", model.url
    )
    project.run("--harness-record=once").assert_outcomes(passed=1)
    changed = ASKS.replace('{"messages"', '{"user": "u", "messages"')
    project.write(
        "test_it.py", f"import pytest\n{CLIENTS['requests']}{changed}", model.url
    )
    project.run().assert_outcomes(failed=1)
    project.run("--harness-ignore-json=$.user").assert_outcomes(passed=1)
    project.write("pytest.ini", "[pytest]\nharness_ignore_json = $.x $.user\n")
    project.run().assert_outcomes(passed=1)
    assert model.asked == ["hello"]
    result = project.run("--harness-ignore-localhost=yes", "--harness-unplayed=ignore")
    result.assert_outcomes(passed=1)
    assert model.asked == ["hello", "hello"]
