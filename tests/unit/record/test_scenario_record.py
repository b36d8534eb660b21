"""From a scenario file to its cassette, against a server on a plain socket."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from harness.cli.console import Exit, _code_of
from harness.cli.record import command
from harness.errors import RecordingRefusedError, ScenarioError, UsageError
from harness.record.scenario_record import cassette_path, record_scenario
from harness.record.scenario_sending import http_send
from tests.record.servers import DONE, Connection, ScriptedServer, event

if TYPE_CHECKING:
    from collections.abc import Iterator


SMALLEST = "model: m\nmessages: [{role: user, content: Hi.}]\n"
KEY = "sk-" + "a1B2c3D4e5F6g7H8i9J0" * 2  # no scanner should take the file for a leak


@pytest.fixture(autouse=True)
def _outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("HARNESS_ALLOW_CI_RECORDING", raising=False)


def talk(connection: Connection) -> None:
    """Answer with two chunks of text."""
    connection.begin()
    connection.chunk(event("Hel"))
    connection.chunk(event("lo") + DONE)
    connection.end()


def die(connection: Connection) -> None:
    """Answer with one chunk and cut the connection."""
    connection.begin()
    connection.chunk(event("Hel"))
    connection.cut()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that talks."""
    with ScriptedServer(talk) as running:
        yield running


def written(folder: Path, text: str = SMALLEST) -> Path:
    """Return a scenario file with this text."""
    path = folder / "chat.scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("scenario", "cassette"),
    [
        ("a/chat.scenario.yaml", "a/chat.yaml"),
        ("chat.scenario.yml", "chat.yaml"),
        ("chat.yaml", "chat.cassette.yaml"),
        (".scenario.yaml", ".scenario.cassette.yaml"),
        ("v1.2.scenario.yaml", "v1.2.yaml"),
        ("chat", "chat.cassette.yaml"),
    ],
)
def test_cassette_lies_beside_its_scenario(scenario: str, cassette: str) -> None:
    """The name follows from the scenario's and never is the scenario's."""
    assert cassette_path(Path(scenario)) == Path(cassette)


def test_recording_holds_every_read_of_what_the_server_sent(
    tmp_path: Path, server: ScriptedServer
) -> None:
    """The file beside the scenario is a cassette with body, cuts and ending."""
    seen: list[int] = []
    recorded = record_scenario(
        written(tmp_path),
        f"{server.url}/v1",
        on_progress=lambda _, chunks: seen.append(chunks),
    )
    assert recorded.unmet == []
    assert seen == [1, 2]
    document = yaml.safe_load((tmp_path / "chat.yaml").read_text(encoding="utf-8"))
    [interaction] = document["interactions"]
    body = event("Hel") + event("lo") + DONE
    assert interaction["response"]["body"]["string"] == body.decode()
    sizes = [size for _, size in interaction["response"]["stream"]["chunks"]]
    assert sizes == [len(event("Hel")), len(event("lo") + DONE)]
    assert interaction["response"]["stream"]["ended"] == "complete"
    sent = json.loads(interaction["request"]["body"])
    assert sent == server.requests[0].json()
    assert sent["messages"] == [{"role": "user", "content": "Hi."}]
    # Else what is installed beside the client decides how the body comes.
    assert interaction["request"]["headers"]["accept-encoding"] == ["identity"]


def test_key_reaches_the_server_and_not_the_disk(
    tmp_path: Path, server: ScriptedServer
) -> None:
    """The bearer token is sent and nothing of it is written."""
    record_scenario(written(tmp_path), f"{server.url}/v1", api_key=KEY)
    assert f"authorization: Bearer {KEY}".encode() in server.requests[0].head
    for path in tmp_path.iterdir():
        assert KEY not in path.read_text(encoding="utf-8")


def test_run_that_came_to_something_else_leaves_the_old_cassette(
    tmp_path: Path, server: ScriptedServer
) -> None:
    """A chance answer is told, kept apart until a better one, and replaces nothing."""
    path = written(tmp_path)
    record_scenario(path, f"{server.url}/v1")
    old = (tmp_path / "chat.yaml").read_bytes()
    written(tmp_path, SMALLEST + "expect: {contains: [Goodbye]}\n")
    recorded = record_scenario(path, f"{server.url}/v1")
    assert recorded.unmet == [
        "expected 'Goodbye' in what was said, got 'Hello'",
    ]
    assert (tmp_path / "chat.yaml").read_bytes() == old
    assert "chat.yaml.partial" in recorded.note
    assert (tmp_path / "chat.yaml.partial").exists()
    written(tmp_path)
    assert record_scenario(path, f"{server.url}/v1").unmet == []
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "chat.scenario.yaml",
        "chat.yaml",
    ]


def test_server_that_dies_is_recorded_where_that_is_the_scenario(
    tmp_path: Path,
) -> None:
    """A broken stream is a recording like any other when it is expected."""
    path = written(tmp_path, SMALLEST + "expect: {ending: broken}\n")
    with ScriptedServer(die) as server:
        recorded = record_scenario(path, f"{server.url}/v1")
    assert recorded.unmet == []
    document = yaml.safe_load((tmp_path / "chat.yaml").read_text(encoding="utf-8"))
    stream = document["interactions"][0]["response"]["stream"]
    assert stream["ended"] == "error"
    assert stream["error"] == "RemoteProtocolError"


def test_client_that_stops_is_recorded_as_closed(tmp_path: Path) -> None:
    """The connection is given up after the first chunk, and the cassette says so."""

    def slowly(connection: Connection) -> None:
        connection.begin()
        connection.chunk(event("Hel"))
        connection.wait("the end of the test")

    path = written(tmp_path, SMALLEST + "stop_reading_after: 1\n")
    with ScriptedServer(slowly) as server:
        recorded = record_scenario(path, f"{server.url}/v1")
    assert recorded.unmet == []
    document = yaml.safe_load((tmp_path / "chat.yaml").read_text(encoding="utf-8"))
    response = document["interactions"][0]["response"]
    assert response["stream"]["ended"] == "closed"
    assert response["body"]["string"] == event("Hel").decode()


def test_interrupt_leaves_the_old_cassette_whole(
    tmp_path: Path, server: ScriptedServer
) -> None:
    """Ctrl-C in the middle of a stream changes nothing that was there."""
    path = written(tmp_path)
    record_scenario(path, f"{server.url}/v1")
    old = (tmp_path / "chat.yaml").read_bytes()

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_scenario(path, f"{server.url}/v1", on_progress=interrupt)
    assert (tmp_path / "chat.yaml").read_bytes() == old


def test_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """No server: one line with the address and what to look at, and no cassette."""
    with ScriptedServer(talk) as server:
        url = f"{server.url}/v1"
    with pytest.raises(UsageError, match="does not answer") as caught:
        record_scenario(written(tmp_path), url)
    assert f"{url}/chat/completions" in str(caught.value)
    assert not (tmp_path / "chat.yaml").exists()


def test_base_url_has_to_be_one() -> None:
    """A host without its scheme is told what a base URL looks like."""
    with pytest.raises(UsageError, match=r"expected http://HOST/v1"):
        http_send("127.0.0.1:8080/v1")


def test_recording_in_ci_is_refused_unless_forced(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where CI is set nothing is sent, but with `force`."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RecordingRefusedError):
        record_scenario(written(tmp_path), f"{server.url}/v1")
    assert server.requests == []
    assert not record_scenario(written(tmp_path), f"{server.url}/v1", force=True).unmet


def test_without_h11_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is named before anything is sent."""
    monkeypatch.setitem(sys.modules, "h11", None)
    with pytest.raises(UsageError, match=r"agent-stream-harness\[record\]"):
        http_send("http://127.0.0.1:8080/v1")


def test_command_tells_each_cassette_in_a_line(
    tmp_path: Path, server: ScriptedServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 0, and what was recorded: ending, answers, chunks, calls, time, size."""
    path = written(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(SMALLEST, encoding="utf-8")
    arguments = [str(path), str(other), "--base-url", f"{server.url}/v1"]
    assert _code_of(command, arguments) == Exit.DONE
    out, err = capfd.readouterr()
    first, second = out.splitlines()
    assert first.startswith(
        f"{tmp_path / 'chat.yaml'}: complete, 1 answer, 2 chunks, no calls, "
    )
    assert second.startswith(f"{tmp_path / 'other.cassette.yaml'}: complete, ")
    assert err == "2 recorded, 0 not as expected\n"


def test_command_exits_with_1_where_a_run_is_not_as_expected(
    tmp_path: Path, server: ScriptedServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """The other scenarios are still recorded; the one is told on stderr."""
    path = written(tmp_path, SMALLEST + "expect: {calls: [look]}\n")
    other = tmp_path / "other.yaml"
    other.write_text(SMALLEST, encoding="utf-8")
    arguments = [str(path), str(other), "--base-url", f"{server.url}/v1"]
    assert _code_of(command, arguments) == Exit.FINDINGS
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1
    assert "not as expected: expected the calls ['look'], got []" in err
    assert err.endswith("1 recorded, 1 not as expected\n")
    assert not (tmp_path / "chat.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "expected --base-url URL for scenario files"),
        (
            ["--base-url", "http://h/v1", "--upstream", "http://h"],
            "expected --base-url",
        ),
        (["--base-url", "http://h/v1", "--proxy"], "are not for --proxy"),
        (["--base-url", "h/v1"], "expected http://HOST/v1"),
        (
            ["--base-url", "http://h/v1", "--api-key-env", "NO_SUCH_KEY"],
            "the environment variable NO_SUCH_KEY (--api-key-env) is empty or not set",
        ),
    ],
)
def test_command_tells_wrong_usage(
    tmp_path: Path, arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and a line that says what was expected."""
    path = written(tmp_path)
    assert _code_of(command, [str(path), *arguments]) == Exit.UNUSABLE
    assert said in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_command_checks_every_scenario_before_the_first_request(
    tmp_path: Path, server: ScriptedServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """A slip in the last file costs no recording of the first."""
    path = written(tmp_path)
    wrong = tmp_path / "wrong.scenario.yaml"
    wrong.write_text(SMALLEST + "max_step: 3\n", encoding="utf-8")
    arguments = [str(path), str(wrong), "--base-url", f"{server.url}/v1"]
    assert _code_of(command, arguments) == Exit.UNUSABLE
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "unknown key 'max_step' (did you mean 'max_steps'?)" in err
    assert server.requests == []
    with pytest.raises(ScenarioError):
        record_scenario(wrong, f"{server.url}/v1")


def test_command_passes_the_key_of_the_named_variable(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is read from the environment, never from the command line."""
    monkeypatch.setenv("MY_SERVER_KEY", KEY)
    arguments = [str(written(tmp_path)), "--base-url", f"{server.url}/v1"]
    assert _code_of(command, [*arguments, "--api-key-env", "MY_SERVER_KEY"]) == 0
    assert f"Bearer {KEY}".encode() in server.requests[0].head
