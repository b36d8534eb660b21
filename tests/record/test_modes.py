"""Record modes, matching, misses and what a file survives."""

from __future__ import annotations

import asyncio
import itertools
import stat
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from harness.cassettes.load import load_cassette
from harness.errors import (
    CassetteCorruptError,
    CassetteError,
    CassetteMismatchError,
    CassetteMissingError,
    RecordingRefusedError,
    StateError,
    UsageError,
)
from harness.record import use_cassette
from tests.record.servers import REQUEST, Connection, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PATH = "/v1/chat/completions"


def counting() -> Any:
    """Return a script that answers each request with the next number."""
    numbers = itertools.count()

    def script(connection: Connection) -> None:
        text = b'{"number": %d}' % next(numbers)
        connection.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(text), text)
        )

    return script


def ask(url: str, content: Any = "hi", path: str = PATH, **more: Any) -> int:
    """Make a request; return the number it was answered with."""
    body = {**REQUEST, "messages": [{"role": "user", "content": content}], **more}
    with httpx.Client(verify=False) as client:
        number: int = client.post(url + path, json=body).json()["number"]
    return number


def bodies(path: Path) -> list[bytes]:
    """Return the response bodies of a file."""
    return [exchange.response.body for exchange in load_cassette(path).exchanges]


def test_once_records_where_there_is_no_file_and_plays_after(tmp_path: Path) -> None:
    """The first run records, later ones play and refuse what is new."""
    path = tmp_path / "deep" / "er" / "c.yaml"
    with ScriptedServer(counting()) as server:
        with use_cassette(path, "once"):
            assert [ask(server.url), ask(server.url)] == [0, 1]
        with use_cassette(path, "once"):
            assert [ask(server.url), ask(server.url)] == [0, 1]
            with pytest.raises(CassetteMismatchError):
                ask(server.url, "new")
        assert len(server.requests) == 2


def test_new_episodes_plays_what_is_there_and_adds_the_rest(tmp_path: Path) -> None:
    """What was recorded before stays, byte for byte; what is new comes after it."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server:
        with use_cassette(path, "once"):
            ask(server.url)
        before = path.read_text()
        with use_cassette(path, "new_episodes") as session:
            assert [ask(server.url), ask(server.url, "new")] == [0, 1]
        assert session.recorded_count == 1
    assert path.read_text().startswith(before.removesuffix("version: 1\n"))
    assert bodies(path) == [b'{"number": 0}', b'{"number": 1}']


def test_all_records_again_and_keeps_what_was_not_asked_for(tmp_path: Path) -> None:
    """As in vcrpy: new recordings replace those they match, the others stay."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server:
        with use_cassette(path, "once"):
            ask(server.url, "a")
            ask(server.url, "b")
        with use_cassette(path, "all"):
            assert ask(server.url, "a") == 2
    assert sorted(bodies(path)) == [b'{"number": 1}', b'{"number": 2}']


def test_rewrite_replaces_the_file_after_success(tmp_path: Path) -> None:
    """Nothing of the old file is left, and nothing beside it."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server:
        with use_cassette(path, "once"):
            ask(server.url, "a")
            ask(server.url, "b")
        with use_cassette(path, "rewrite"):
            assert ask(server.url, "c") == 2
            assert len(bodies(path)) == 2  # not before the end
    assert bodies(path) == [b'{"number": 2}']
    assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]


def test_rewrite_keeps_the_old_file_after_an_exception(tmp_path: Path) -> None:
    """The old file stays; what was recorded is beside it, and the error says so."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server:
        with use_cassette(path, "once"):
            ask(server.url, "a")
        before = path.read_bytes()

        def fail() -> None:
            with use_cassette(path, "rewrite"):
                ask(server.url, "b")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError) as caught:
            fail()
    assert path.read_bytes() == before
    partial = tmp_path / "c.yaml.partial"
    assert bodies(partial) == [b'{"number": 1}']
    assert caught.value.__notes__ == [
        f"{path} was not replaced; what was recorded is in {partial}"
    ]


def test_rewrite_without_requests_keeps_the_old_file(tmp_path: Path) -> None:
    """A test that makes no request any more does not empty its cassette."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        ask(server.url)
    before = path.read_bytes()
    with use_cassette(path, "rewrite"):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "all", "rewrite"])
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("interactions:\n- request: [\n", "line 3"),
        ("version: 1\n", "interactions"),
        ("", "empty"),
        ("data: {}\n\n", "no cassette"),
        ("{", "line 1"),
    ],
)
def test_file_that_is_no_cassette_is_an_error_in_every_mode(
    tmp_path: Path, mode: str, text: str, place: str
) -> None:
    """It is named with the place, and left as it is."""
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(CassetteError, match=place) as caught, use_cassette(path, mode):
        pytest.fail("the block was entered")
    assert isinstance(caught.value, CassetteCorruptError) or not text
    assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]


@pytest.mark.parametrize("value", ["true", "1", "yes", "drone"])
def test_recording_in_ci_is_refused_unless_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Playing goes on in CI; recording needs `force` or the variable."""
    path = tmp_path / "c.yaml"
    monkeypatch.setenv("CI", value)
    with ScriptedServer(counting()) as server:
        for mode in ("once", "all", "rewrite"):
            with (
                pytest.raises(RecordingRefusedError, match="HARNESS_ALLOW_CI_REC"),
                use_cassette(path, mode),
            ):
                pytest.fail("the block was entered")
        assert not path.exists()
        with use_cassette(path, "once", force=True):
            ask(server.url)
        for mode in ("none", "once", "new_episodes"):
            with use_cassette(path, mode):
                assert ask(server.url) == 0
        with pytest.raises(RecordingRefusedError), use_cassette(path, "new_episodes"):
            ask(server.url, "new")
        monkeypatch.setenv("HARNESS_ALLOW_CI_RECORDING", "1")
        with use_cassette(path, "new_episodes"):
            assert ask(server.url, "new") == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_ci_set_to_something_false_is_no_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A variable that says no is not taken for yes."""
    monkeypatch.setenv("CI", value)
    with ScriptedServer(counting()) as server, use_cassette(tmp_path / "c", "once"):
        assert ask(server.url) == 0


def test_turns_of_a_conversation_cannot_be_swapped(tmp_path: Path) -> None:
    """Each body gets its own answer, in whatever order and layout it is asked."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        assert [ask(server.url, text) for text in "abc"] == [0, 1, 2]
    with use_cassette(path), httpx.Client(verify=False) as client:
        messages = b'[{"content":"\\u0062","role":"user"}]'
        text = b'{"stream":true, "messages":%b,"model":"m"}' % messages
        answer = client.post("http://nowhere.invalid" + PATH, content=text)
        assert answer.json() == {"number": 1}
        assert [ask("http://nowhere.invalid", text) for text in "ca"] == [2, 0]


def test_matchers_are_vcrpys_by_name_or_functions(tmp_path: Path) -> None:
    """Any of vcrpy's matchers, or one's own, decide what answers."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        ask(server.url, "a", path=PATH + "?page=1")
    with use_cassette(path, match_on=["method", "query"]):
        assert ask("http://nowhere.invalid", "other", path="/x?page=1") == 0
    with (
        pytest.raises(CassetteMismatchError, match=r"query: recorded"),
        use_cassette(path, match_on=["method", "query"]),
    ):
        ask("http://nowhere.invalid", "other", path="/x?page=2")
    with use_cassette(path, match_on="vcrpy"):  # which compares no bodies
        assert ask(server.url, "other", path=PATH + "?page=1") == 0
    with use_cassette(path, match_on=[lambda sent, recorded: True]):
        assert ask("http://nowhere.invalid", "other", path="/y") == 0
    with pytest.raises(UsageError, match=r"expected a matcher of .*json_body.*'nope'"):
        use_cassette(path, match_on=["nope"]).__enter__()
    with pytest.raises(UsageError, match=r"expected a record mode of none, .*'never'"):
        use_cassette(path, "never").__enter__()
    with pytest.raises(UsageError, match="expected a speed"):
        use_cassette(path, speed=-1).__enter__()


def test_hook_makes_changing_requests_match(tmp_path: Path) -> None:
    """`before_record_request` is vcrpy's: applied to both sides, None leaves alone."""
    path = tmp_path / "c.yaml"

    def hook(request: Any) -> Any:
        if "health" in request.uri:
            return None
        request.body = request.body.replace(b"noon", b"TIME").replace(b"dusk", b"TIME")
        return request

    with (
        ScriptedServer(counting()) as server,
        use_cassette(path, "once", before_record_request=hook),
    ):
        assert ask(server.url, "it is noon") == 0
        assert ask(server.url, path="/health") == 1
    assert len(bodies(path)) == 1
    assert "TIME" in path.read_text()
    with use_cassette(path, before_record_request=hook):
        assert ask("http://nowhere.invalid", "it is dusk") == 0


def test_repeats_are_counted_unless_allowed(tmp_path: Path) -> None:
    """A second use of one recording is `already played`, and says so."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        ask(server.url)
        ask(server.url, "b")
    with use_cassette(path) as session:
        ask("http://nowhere.invalid")
        with pytest.raises(CassetteMismatchError) as caught:
            ask("http://nowhere.invalid")
    assert caught.value.reason == "already played"
    assert caught.value.exchange == 0
    assert str(caught.value) == (
        f"{path}: POST {PATH} is recorded as exchange 0, which has already been "
        "played; record mode 'none' sends nothing: find out why the request is made "
        "once more, or record it (record='new_episodes'), or set "
        "allow_playback_repeats=True"
    )
    assert [exchange.index for exchange in session.unplayed] == [1]
    assert session.play_counts == [1, 0]
    assert session.misses == [caught.value]
    with use_cassette(path, allow_playback_repeats=True):
        assert [ask("http://nowhere.invalid") for _ in range(3)] == [0, 0, 0]


def test_miss_names_the_fields_that_differ_from_the_nearest(tmp_path: Path) -> None:
    """One line: cassette, request, mode, nearest recording, fields, what to do."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        ask(server.url, "quite another thing", model="x", tools=[1])
        ask(server.url, "a")
    with pytest.raises(CassetteMismatchError) as caught, use_cassette(path):
        ask("http://nowhere.invalid", "b", temperature=1)
    assert caught.value.reason == "never recorded"
    assert caught.value.exchange == 1
    assert caught.value.differences == (
        "messages[0].content: recorded 'a', sent 'b'",
        "temperature: recorded nothing, sent 1",
    )
    assert str(caught.value) == (
        f"{path}: POST {PATH} was never recorded, and record mode 'none' sends "
        "nothing; nearest is exchange 1: messages[0].content: recorded 'a', sent 'b'; "
        "temperature: recorded nothing, sent 1; make the same request, or record this "
        "one (record='new_episodes')"
    )


def test_missing_file_is_named_at_the_first_request(tmp_path: Path) -> None:
    """A cassette that nobody asks need not exist; one that is asked must."""
    with use_cassette(tmp_path / "c.yaml"):
        pass
    with (
        pytest.raises(CassetteMissingError, match=r"record it once \(record='once'\)"),
        use_cassette(tmp_path / "c.yaml"),
    ):
        ask("http://nowhere.invalid")


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_miss_comes_through_the_openai_sdk_at_once(
    tmp_path: Path, *, is_async: bool
) -> None:
    """No retries, no wrapping: the SDK's user sees our error."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        ask(server.url)
    asked: list[int] = []

    def hook(request: Any) -> Any:
        asked.append(1)
        return request

    async def run() -> None:
        async with openai.AsyncOpenAI(base_url="http://n.invalid/v1", api_key="n") as c:
            await c.chat.completions.create(**{**REQUEST, "model": "other"})

    def run_sync() -> None:
        with openai.OpenAI(base_url="http://n.invalid/v1", api_key="n") as client:
            client.chat.completions.create(**{**REQUEST, "model": "other"})

    expected = "model: recorded 'm', sent 'other'"
    with use_cassette(path, before_record_request=hook):
        asked.clear()
        with pytest.raises(CassetteMismatchError, match=expected):
            asyncio.run(run()) if is_async else run_sync()
    assert len(asked) == 1


def test_miss_hidden_behind_another_librarys_error_is_raised_in_its_place(
    tmp_path: Path, module: ModuleType
) -> None:
    """SDKs that call every failure a lost connection do not hide ours."""

    def as_an_sdk_does(client: Any) -> None:
        try:
            client.get("http://nowhere.invalid/")
        except Exception as error:
            raise ConnectionError("Connection error.") from error

    with (
        pytest.raises(CassetteMissingError, match="no cassette to answer"),
        use_cassette(tmp_path / "c.yaml"),
        module.Client(verify=False) as client,
    ):
        as_an_sdk_does(client)


def test_request_after_the_block_is_refused(tmp_path: Path, module: ModuleType) -> None:
    """A task that outlives its cassette does not reach the network unseen."""
    with ScriptedServer(counting()) as server, use_cassette(tmp_path / "c", "once"):
        ask(server.url)

    async def run() -> None:
        go = asyncio.Event()

        async def late() -> None:
            await go.wait()
            async with module.AsyncClient(verify=False) as client:
                await client.get("http://nowhere.invalid/")

        async with use_cassette(tmp_path / "c"):
            task = asyncio.create_task(late())
            await asyncio.sleep(0)
        async with use_cassette(tmp_path / "c"):
            go.set()
            with pytest.raises(StateError, match="after its use_cassette block"):
                await task

    asyncio.run(run())


def test_decorator_opens_the_cassette_for_each_call(tmp_path: Path) -> None:
    """Functions and coroutine functions can be decorated; each call plays anew."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server:

        @use_cassette(path, "once")
        def run() -> int:
            return ask(server.url)

        @use_cassette(path, "once")
        async def run_async() -> int:
            return ask(server.url)

        assert [run(), run(), asyncio.run(run_async())] == [0, 0, 0]
    assert len(server.requests) == 1


def test_block_cannot_be_entered_twice_at_once(tmp_path: Path) -> None:
    """The same context inside itself is a mistake; another one nests."""
    context = use_cassette(tmp_path / "c.yaml")
    with (
        context,
        use_cassette(tmp_path / "d.yaml"),
        pytest.raises(StateError, match="already entered"),
    ):
        context.__enter__()


def test_two_recordings_of_one_file_both_add_to_it(tmp_path: Path) -> None:
    """What the one saved stays when the other saves; nothing is left beside it."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        ask(server.url, "outer")
        with use_cassette(path, "once"):
            ask(server.url, "inner")
    assert bodies(path) == [b'{"number": 1}', b'{"number": 0}']
    assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]


def test_permissions_and_links_survive_recording(tmp_path: Path) -> None:
    """A link stays a link, its target keeps its mode, a read-only file its content."""
    real = tmp_path / "real.yaml"
    link = tmp_path / "link.yaml"
    with ScriptedServer(counting()) as server:
        with use_cassette(real, "once"):
            ask(server.url)
        real.chmod(0o640)
        link.symlink_to(real)
        with use_cassette(link, "all"):
            ask(server.url)
        assert link.is_symlink()
        assert bodies(real) == [b'{"number": 1}']
        assert stat.S_IMODE(real.stat().st_mode) == 0o640
        real.chmod(0o444)
        with (
            pytest.raises(CassetteError, match=r"read-only.*link.yaml.partial"),
            use_cassette(link, "all"),
        ):
            ask(server.url)
    assert bodies(real) == [b'{"number": 1}']
    assert bodies(tmp_path / "link.yaml.partial") == [b'{"number": 2}']


def test_json_cassette_is_written_as_json(tmp_path: Path) -> None:
    """A name ending in .json gives the format stock vcrpy's JSON serializer reads."""
    path = tmp_path / "c.json"
    with ScriptedServer(counting()) as server, use_cassette(path, "once"):
        ask(server.url)
    assert path.read_text().startswith('{\n    "interactions"')
    with use_cassette(path):
        assert ask("http://nowhere.invalid") == 0
