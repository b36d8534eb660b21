"""`--harness-block-network`: a try to reach out fails with a clear error."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Model, Project

WAYS = {
    "ftplib": "import ftplib; ftplib.FTP('example.com')",
    "socket": "import socket; socket.create_connection(('192.0.2.1', 80))",
    "lookup": "import socket; socket.getaddrinfo('example.com', 80)",
    "connect_ex": (
        "import socket\n    with socket.socket() as s: s.connect_ex(('192.0.2.1', 80))"
    ),
    "udp": (
        "import socket\n"
        "    with socket.socket(type=socket.SOCK_DGRAM) as s:\n"
        "        s.sendto(b'x', 0, ('192.0.2.1', 53))"
    ),
    "asyncio": (
        "import asyncio; asyncio.run(asyncio.open_connection('192.0.2.1', 80))"
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fixtures", ["", "harness_fuzz"])
def test_reaching_out_fails(project: Project, way: str, fixtures: str) -> None:
    """By name or number, sync or async, whatever fixture the test uses."""
    before = socket.getaddrinfo, socket.socket.connect
    project.tests(f"@pytest.mark.harness\ndef test_x({fixtures}):\n    {WAYS[way]}\n")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *NetworkBlockedError: network blocked: *to reach *nothing but this *; *",
            "blocked: *the network, for *",
        ]
    )
    # The traceback ends with the project's line, not in a library.
    result.stdout.no_re_match_line(r"(?!test_it).*\.py:\d+: ")
    assert (socket.getaddrinfo, socket.socket.connect) == before


LOCAL = """
import socket
from urllib.parse import urlsplit

@pytest.mark.harness
def test_x(harness_fuzz):
    place = urlsplit("BASE_URL")
    with socket.create_connection((place.hostname, place.port)) as raw:
        raw.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        # All of it: the server's thread must not write to a socket that is closed.
        assert raw.makefile("rb").read().startswith(b"HTTP/1.0 501")
"""


def test_this_machine_may_be_reached_unless_all_is_blocked(
    project: Project, model: Model
) -> None:
    """`remote` (the default) and `none` let loopback through, `all` does not."""
    project.tests(LOCAL, model.url)
    project.run().assert_outcomes(passed=1)
    project.run("--harness-block-network=none").assert_outcomes(passed=1)
    result = project.run("--harness-block-network=all")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *NetworkBlockedError*may reach nothing; *block_network='remote'*"]
    )


@pytest.mark.parametrize("mode", ["none", "once"])
def test_refused_connection_is_noticed_though_the_client_hides_it(
    project: Project, mode: str
) -> None:
    """As a request that nothing answers is; not one of a thread from outside."""
    project.tests("""
import socket, threading

def reach_out():
    try:
        socket.create_connection(("api.example.com", 443))
    except Exception:
        pass

GO = threading.Event()
OUTSIDE = threading.Thread(target=lambda: GO.wait(60) and reach_out())
OUTSIDE.start()

@pytest.mark.harness
def test_outside():
    GO.set()
    OUTSIDE.join()

@pytest.mark.harness
def test_inside():
    reach_out()
""")
    result = project.run(f"--harness-record={mode}")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*the test did not notice: *api.example.com*", "FAILED *::test_inside *"]
    )


def test_other_tests_are_left_alone(project: Project) -> None:
    """Without marker and fixtures nothing is blocked, before and after one that is."""
    text = "import socket\nREAL = socket.getaddrinfo\n"
    for name in ("a", "b", "c"):
        if name == "b":
            text += "@pytest.mark.harness\n"
        compare = "is not" if name == "b" else "is"
        text += f"def test_{name}():\n    assert socket.getaddrinfo {compare} REAL\n"
    project.tests(text)
    project.run().assert_outcomes(passed=3)


def test_names_of_this_machine_are_let_through(project: Project) -> None:
    """`localhost` in every spelling, and addresses, which need no look-up."""
    project.tests(
        """
import socket

@pytest.mark.harness
@pytest.mark.parametrize("name", [
    "localhost", "LOCALHOST.", "model.localhost", "127.0.0.3", "::1", b"localhost",
    "", None, "192.0.2.1",
])
def test_x(name):
    try:
        socket.getaddrinfo(name, 80)
    except socket.gaierror:  # allowed, and this machine does not know it
        pass

@pytest.mark.harness
@pytest.mark.parametrize("name", ["localhost.example.com", "notlocalhost"])
def test_y(harness_fuzz, name):
    with pytest.raises(Exception, match=f"tried to reach {name}, "):
        socket.getaddrinfo(name, 80)
"""
    )
    project.run().assert_outcomes(passed=11)
