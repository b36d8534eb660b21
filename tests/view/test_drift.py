"""`harness drift`: what changed since a reading was stored, and by whose doing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import __version__
from harness.cassettes.model import Ending
from harness.debug.sdk_openai import OpenAi
from tests.cli.running import ROOT, harness
from tests.engine.made import (
    call,
    cassette,
    chunk,
    exchange,
    finish,
    sse,
    text,
    user,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("openai", reason="needs the OpenAI SDK")

TURNS = "cassettes/stock-vcrpy/two-turns.yaml"
SAID = "It's a sunny day in Rome, at 21 degrees."


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Return a copy of a recording of two turns, nothing stored."""
    path = tmp_path / "two-turns.yaml"
    shutil.copy(ROOT / TURNS, path)
    return path


@pytest.fixture
def drift() -> Callable[..., tuple[int, str, str]]:
    """Return the command: code, output, errors."""

    def command(*arguments: object) -> tuple[int, str, str]:
        result = harness("drift", *map(str, arguments))
        return result.code, result.out, result.err

    return command


def _stored(recording: Path, name: str) -> Path:
    return recording.parent / "__drift__" / recording.name / name


def _doctor_sdk(recording: Path, version: str = "3.50.0") -> None:
    """Make the stored reading that of an older SDK, which said something else."""
    path = _stored(recording, "openai.json")
    data = json.loads(path.read_text("utf-8"))
    data["versions"]["openai"] = version
    message = data["exchanges"][1]["choices"][0]["message"]
    assert message["content"] == SAID
    message["content"] = SAID.replace("Rome", "Bath")
    path.write_text(json.dumps(data, indent=1), "utf-8")


def _doctor_streaming(recording: Path) -> None:
    """Make the stored transcript that of an interface that lost a word."""
    path = _stored(recording, "streaming.jsonl")
    content = path.read_text("utf-8")
    assert content.count('" Rome"') == 1
    path.write_text(content.replace('" Rome"', '" Oslo"'), "utf-8")


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nothing_is_written_without_being_asked(recording: Path, drift: Any) -> None:
    """What is not stored is a finding, and stays not stored."""
    code, out, err = drift(recording)
    assert code == 1
    assert out == f"{recording}: not stored: streaming, queuing, openai\n"
    assert err.splitlines() == [
        "0 as stored, 0 changed, 1 not stored",
        "store what is new with --update",
    ]
    assert not (recording.parent / "__drift__").exists()


def test_what_reads_as_stored_is_the_same(recording: Path, drift: Any) -> None:
    """Stored and read again by the same versions, nothing has changed: exit 0."""
    code, out, _ = drift(recording, "--update")
    assert (code, out) == (0, f"{recording}: stored: streaming, queuing, openai\n")
    before = _tree(recording.parent)
    assert drift(recording) == (0, "", "1 as stored, 0 changed\n")
    assert drift(recording, "--update") == (0, "", "1 as stored, 0 changed\n")
    assert _tree(recording.parent) == before


def test_change_of_the_sdk_is_told_with_its_versions(
    recording: Path, drift: Any
) -> None:
    """Only the SDK's reading changed: the place, both texts, and both versions."""
    drift(recording, "--update")
    _doctor_sdk(recording)
    code, out, err = drift(recording)
    now = OpenAi().versions
    assert code == 1
    assert out.splitlines() == [
        f"{recording}: openai: exchange 1: choices.0.message.content",
        f"    - {SAID.replace('Rome', 'Bath')}",
        f"    + {SAID}",
    ]
    assert err.splitlines() == [
        "0 as stored, 1 changed",
        (
            f"changed by the OpenAI SDK (openai 3.50.0 -> {now['openai']}, pydantic "
            f"{now['pydantic']} as stored): 1 in 1 recording"
        ),
    ]


def test_sdk_that_reads_otherwise_is_found(
    recording: Path, drift: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SDK whose accumulator loses every second chunk is told by what it lost."""
    from openai.lib.streaming.chat import ChatCompletionStreamState

    drift(recording, "--update")
    real = ChatCompletionStreamState.handle_chunk
    count = iter(range(1000))

    def lossy(self: Any, chunk: Any) -> Any:
        if next(count) % 2 and chunk.choices and chunk.choices[0].delta.content:
            chunk.choices[0].delta.content = ""
        return real(self, chunk)

    monkeypatch.setattr(ChatCompletionStreamState, "handle_chunk", lossy)
    code, out, _ = drift(recording, "--json")
    (one,) = json.loads(out)["recordings"]
    assert code == 1
    assert {(c["by"], c["side"]) for c in one["changes"]} == {("openai", "sdk")}
    assert [c["what"] for c in one["changes"]] == ["choices.0.message.content"]
    assert one["changes"][0]["stored"] == SAID
    assert one["disagreements"] == [1]


def test_sdk_that_raises_is_told_with_the_chunk(
    recording: Path, drift: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read and now raises says at which chunk, doing what."""
    from openai.lib.streaming.chat import ChatCompletionStreamState

    drift(recording, "--update")
    seen: list[Any] = []

    def fragile(self: Any, chunk: Any) -> Any:
        seen.append(chunk)
        if len(seen) == 3:
            raise KeyError("index")
        return []

    monkeypatch.setattr(ChatCompletionStreamState, "handle_chunk", fragile)
    _, out, _ = drift(recording, "--json")
    (one,) = json.loads(out)["recordings"]
    raised = [c for c in one["changes"] if c["what"] == "raised.0"]
    assert json.loads(raised[0]["now"]) == {
        "while": "accumulating",
        "chunk": 2,
        "error": "KeyError: 'index'",
    }


def test_another_version_that_reads_the_same_is_told(
    recording: Path, drift: Any
) -> None:
    """An update that changed nothing is no finding, and said to be harmless."""
    drift(recording, "--update")
    path = _stored(recording, "openai.json")
    data = json.loads(path.read_text("utf-8"))
    data["versions"]["openai"] = "3.50.0"
    path.write_text(json.dumps(data), "utf-8")
    now = OpenAi().versions["openai"]
    code, out, err = drift(recording)
    assert (code, out) == (0, "")
    assert err.splitlines()[1] == f"openai 3.50.0 -> {now}: reads the same"
    drift(recording, "--update")
    assert json.loads(path.read_text("utf-8"))["versions"]["openai"] == now


def test_change_of_an_interface_is_told_by_its_name(
    recording: Path, drift: Any
) -> None:
    """Only the streaming interface's text changed: what was said, and where."""
    drift(recording, "--update")
    _doctor_streaming(recording)
    code, out, err = drift(recording)
    assert code == 1
    assert out.splitlines() == [
        f"{recording}: streaming: exchange 1: thought",
        f"    - {SAID.replace('Rome', 'Oslo')}",
        f"    + {SAID}",
    ]
    assert err.splitlines() == [
        "0 as stored, 1 changed",
        (
            f"changed by the interface streaming (harness {__version__} as stored): "
            "1 in 1 recording"
        ),
    ]


def test_changes_of_both_sides_are_told_apart(recording: Path, drift: Any) -> None:
    """The SDK and an interface changed: each has its own, the third reader none."""
    drift(recording, "--update")
    _doctor_sdk(recording)
    _doctor_streaming(recording)
    code, out, _ = drift(recording, "--json")
    data = json.loads(out)
    (one,) = data.pop("recordings")
    assert code == 1
    assert data == {"same": 0, "changed": 1, "new": 0, "unreadable": 0}
    assert one.pop("versions")["openai"] == {
        "stored": "3.50.0",
        "now": OpenAi().versions["openai"],
    }
    assert one == {
        "cassette": str(recording),
        "state": "changed",
        "changes": [
            {
                "by": "streaming",
                "side": "interface",
                "exchange": 1,
                "what": "thought",
                "at": 20,
                "stored": SAID.replace("Rome", "Oslo"),
                "now": SAID,
            },
            {
                "by": "openai",
                "side": "sdk",
                "exchange": 1,
                "what": "choices.0.message.content",
                "at": 20,
                "stored": SAID.replace("Rome", "Bath"),
                "now": SAID,
            },
        ],
        "checked": ["queuing", "streaming", "openai"],
        "missing": [],
        "written": [],
        "disagreements": [],
    }


def test_update_replaces_what_changed(recording: Path, drift: Any) -> None:
    """`--update` says what it replaces, and then there is no difference any more."""
    drift(recording, "--update")
    before = _tree(recording.parent)
    _doctor_sdk(recording)
    code, out, _ = drift(recording, "--update")
    assert code == 0
    assert "openai: exchange 1: choices.0.message.content" in out
    assert out.endswith(": stored: openai\n")
    assert _tree(recording.parent) == before


def test_only_the_cuts_of_an_interface_changed(recording: Path, drift: Any) -> None:
    """Two fragments that now come as one are a change, though the same is said."""
    drift(recording, "--update")
    path = _stored(recording, "streaming.jsonl")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if '" Rome"' in line)
    lines[at - 1 : at + 1] = [
        lines[at - 1].replace(
            '"internal_monologue": " in"', '"internal_monologue": ""'
        ),
        lines[at].replace('" Rome"', '" in Rome"'),
    ]
    path.write_text("".join(lines), "utf-8")
    code, out, _ = drift(recording)
    assert code == 1
    assert out.splitlines()[0] == (
        f"{recording}: streaming: exchange 1: emissions (2 of 27)"
    )


def test_lost_ids_and_diagnostics_of_ours_are_changes(
    recording: Path, drift: Any
) -> None:
    """Ids come from the recording: another one is drift; so is a new diagnostic."""
    drift(recording, "--update")
    path = _stored(recording, "queuing.jsonl")
    head, first, *rest = path.read_text("utf-8").splitlines()
    changed = json.loads(first)
    changed["message"]["id"] = "message-0"
    gone = json.dumps({"diagnostic": "exchange 0: missing-done: …"})
    path.write_text("\n".join([head, json.dumps(changed), *rest, gone, ""]), "utf-8")
    code, out, _ = drift(recording, "--json")
    (one,) = json.loads(out)["recordings"]
    assert code == 1
    assert [(c["what"], c["by"]) for c in one["changes"]] == [
        ("emissions (1 of 3)", "queuing"),
        ("diagnostic", "queuing"),
    ]
    assert one["changes"][1]["now"] is None


def test_new_diagnostic_is_a_change(recording: Path, drift: Any) -> None:
    """What was not found when it was stored, and is now, is told."""
    broken = recording.parent / "broken-arguments.sse"
    shutil.copy(ROOT / "tests/data/broken-arguments.sse", broken)
    drift(broken, "--update", "--no-sdk", "--interface", "queuing")
    path = _stored(broken, "queuing.jsonl")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert lines[-1].startswith('{"diagnostic": "exchange 0, chunk 1: malformed')
    path.write_text("".join(lines[:-1]), "utf-8")
    code, out, _ = drift(broken, "--no-sdk")
    assert code == 1
    assert out.startswith(f"{broken}: queuing: diagnostic\n    + exchange 0, chunk 1: ")


def test_changed_recording_is_not_blamed_on_its_readers(
    recording: Path, drift: Any
) -> None:
    """Recorded anew, the recording itself has changed, and its readers followed."""
    drift(recording, "--update")
    content = recording.read_text("utf-8")
    old, new = ('"content":" Rome"', '"content":" Oslo"')
    assert content.count(old) == 1
    recording.write_text(content.replace(old, new), "utf-8")
    code, out, err = drift(recording)
    lines = out.splitlines()
    assert code == 1
    assert f"{recording}: recording: exchange 1: bodies" in lines
    assert f"{recording}: streaming (after the recording): exchange 1: thought" in lines
    assert [line for line in err.splitlines() if line.startswith("changed by")] == [
        "changed by the recording itself: 4 in 1 recording"
    ]


def test_change_of_a_large_text_is_of_the_recording(tmp_path: Path, drift: Any) -> None:
    """What is too large to be held at once is read in full all the same."""
    path = tmp_path / "large.sse"
    body = sse(*(text("x" * 5000) for _ in range(250)), text("end"), finish())
    assert len(body) > 1 << 20
    path.write_text(body, "utf-8")
    asked = ("--no-sdk", "--interface", "queuing")
    assert drift(path, *asked, "--update")[0] == 0
    assert drift(path, *asked)[0] == 0
    path.write_text(body.replace('"end"', '"END"'), "utf-8")
    code, out, _ = drift(path, *asked)
    assert code == 1
    assert out.startswith(f"{path}: recording: exchange 0: bodies\n")


def test_pipe_is_refused_and_nothing_stored(tmp_path: Path, drift: Any) -> None:
    """What can be read only once is no recording that is read again."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs named pipes")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "-"):
        code, _, err = drift(path, "--no-sdk", "--update")
        assert code == 2
        assert (
            f"harness: {path}: a pipe can be read only once; save it to a file" in err
        )
    assert [one.name for one in tmp_path.iterdir()] == ["pipe"]


def test_own_interface_is_told_by_its_name(recording: Path) -> None:
    """An interface edited since then is named; what it has random does not count."""
    source = (
        "import uuid\n"
        "class Mine:\n"
        "    def __init__(self): self.out = []\n"
        "    def internal_monologue(self, msg, msg_obj=None):\n"
        "        self.out.append({'id': str(uuid.uuid4()), 'said': msg})\n"
        "    def to_list(self): out, self.out = self.out, []; return out\n"
    )
    mine = recording.parent / "mine.py"
    mine.write_text(source, encoding="utf-8")
    asked = ("drift", recording.name, "--no-sdk", "--interface", "mine:Mine")
    cwd = recording.parent
    assert harness(*asked, "--update", cwd=cwd).code == 0
    program = Path(sys.executable).parent / "harness"  # the folder is not on its path
    again = subprocess.run([program, *asked[:3]], cwd=cwd, check=False)
    assert again.returncode == 0
    mine.write_text(source.replace("msg}", "msg.upper()}"), encoding="utf-8")
    result = harness(*asked, cwd=cwd)
    assert result.code == 1
    assert "changed by the interface mine:Mine" in result.err
    assert SAID.upper() in result.out
    mine.write_text(source.replace("str(uuid", "str(uid"), encoding="utf-8")
    result = harness(*asked, cwd=cwd)
    assert result.code == 1
    assert "mine:Mine: raised" in result.out
    assert "NameError" in result.out


def test_stored_way_of_reading_is_kept(recording: Path, drift: Any) -> None:
    """Mode and options with which something was stored are those of the next time."""
    asked = ("--interface", "streaming", "--mode", "steps", "--assistant-message")
    drift(recording, "--update", *asked, "--assistant-function", "get_weather")
    head = json.loads(_stored(recording, "streaming.jsonl").read_text().split("\n")[0])
    assert {key: head[key] for key in list(head)[1:5]} == {
        "interface": "streaming",
        "mode": "steps",
        "use_assistant_message": True,
        "assistant_function": "get_weather",
    }
    assert drift(recording, "--interface", "streaming")[0] == 0
    assert not _stored(recording, "queuing.jsonl").exists()
    assert drift(recording)[0] == 0
    code, _, err = drift(recording, "--mode", "tokens")
    assert code == 2
    assert "--mode: what is stored is read as it was stored; add --update" in err


def test_without_the_sdk_the_interfaces_are_compared(
    recording: Path, drift: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where openai is not installed, that is said, and the rest is done."""
    for name in [one for one in sys.modules if one.partition(".")[0] == "openai"]:
        monkeypatch.setitem(sys.modules, name, None)
    code, out, err = drift(recording, "--update")
    assert code == 0
    assert out == f"{recording}: stored: streaming, queuing\n"
    assert err.startswith(
        "only the interfaces are compared: the OpenAI SDK is not installed, or too "
    )
    assert "pip install -U openai, or leave it out with --no-sdk" in err
    assert drift(recording, "--no-sdk")[2] == "1 as stored, 0 changed\n"


@pytest.mark.parametrize("name", ["streaming.jsonl", "openai.json"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1]",
        '{"exchange": 0, "message": 1}',
        (
            '{"version": 2, "interface": "streaming", "reader": "openai", '
            '"recording": [], "versions": {}, "exchanges": []}'
        ),
        '{"version": 1, "recording": [], "versions": {}, "exchanges": []}',
    ],
    ids=["empty", "a list", "a plain transcript", "another version", "nobody's"],
)
def test_damaged_store_is_never_overwritten(
    recording: Path, drift: Any, name: str, content: str
) -> None:
    """What does not parse is an error naming the file, with --update too."""
    drift(recording, "--update")
    path = _stored(recording, name)
    path.write_text(content, "utf-8")
    for arguments in ((), ("--update",)):
        code, _, err = drift(recording, *arguments)
        assert code == 2
        assert f"harness: {path}: expected what `harness drift --update` stores" in err
        assert path.read_text("utf-8") == content


def test_store_moves_with_its_recordings(recording: Path, drift: Any) -> None:
    """Nothing of the machine is stored: elsewhere it compares, named otherwise."""
    drift(recording, "--update")
    stored = b"".join(_tree(recording.parent / "__drift__").values())
    assert str(recording.parent).encode() not in stored
    elsewhere = recording.parent / "other" / "place"
    shutil.copytree(recording.parent / "__drift__", elsewhere / "__drift__")
    shutil.copy(recording, elsewhere)
    assert drift(elsewhere)[0] == 0


def test_store_elsewhere_mirrors_the_folder(recording: Path, drift: Any) -> None:
    """`--store` keeps by the path below what was named, and writes nothing beside."""
    folder, store = recording.parent / "recorded", recording.parent / "store"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    for name in ("a", "b"):
        shutil.copy(recording, folder / name / "x.yaml")
    assert drift(folder, "--store", store, "--update", "--no-sdk")[0] == 0
    assert {name.rpartition("/")[0] for name in _tree(store)} == {
        "a/x.yaml",
        "b/x.yaml",
    }
    assert {*_tree(folder)} == {"a/x.yaml", "b/x.yaml"}
    assert drift(folder, "--store", store, "--no-sdk")[0] == 0
    code, _, err = drift(folder / "a", folder / "b", "--store", store)
    assert code == 2
    assert "would both be kept in" in err


def test_stored_transcript_is_one_for_diff(recording: Path, drift: Any) -> None:
    """`harness diff` takes the stored file, with the interface it was stored by."""
    drift(recording, "--update", "--no-sdk")
    stored = str(_stored(recording, "queuing.jsonl"))
    assert harness("diff", stored, str(recording), "--exact").code == 0


def test_folder_without_answers_is_passed_over(recording: Path, drift: Any) -> None:
    """A recording with nothing to replay is no finding; alone it is an error."""
    refused = ROOT / "cassettes/llama-server/http-400.yaml"
    shutil.copy(refused, recording.parent)
    drift(recording.parent, "--update", "--no-sdk")
    code, out, err = drift(recording.parent, "--no-sdk")
    assert (code, out) == (0, "")
    assert "http-400.yaml" in err
    assert drift(refused, "--store", recording.parent, "--no-sdk")[0] == 2


# What the SDK does, against what its documentation and source say of it.


def _read(*exchanges: Any) -> list[dict[str, Any]]:
    made = cassette(*exchanges)
    return OpenAi().read(made)


def test_sdk_reads_streams_and_whole_completions() -> None:
    """Message, calls, finish and usage are what was sent, in its own form."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    stream = sse(
        text("Hi"),
        call('{"a"', call_id="c", name="f"),
        call(": 1}"),
        finish("tool_calls"),
        {**chunk(), "choices": [], "usage": usage},
    )
    body = whole({"role": "assistant", "content": "Yes"}, usage=usage)
    first, second = _read(exchange(stream, [user("x")]), exchange(body, [user("x")]))
    message = first["choices"][0]["message"]
    assert message["content"] == "Hi"
    assert message["tool_calls"][0]["function"] == {
        "name": "f",
        "arguments": '{"a": 1}',
    }
    assert first["choices"][0]["finish_reason"] == "tool_calls"
    assert first["usage"] == second["usage"] == usage
    assert (first["chunks"], second["chunks"]) == (5, None)
    assert second["choices"][0]["message"]["content"] == "Yes"
    assert first["raised"] == second["raised"] == []
    assert first["altered"] is None
    assert first["agrees"]
    assert second["agrees"]


def test_sdk_that_hands_on_something_else_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Chunks that lack what was sent are counted, with the first of them."""
    from openai.types.chat import ChatCompletionChunk

    real = ChatCompletionChunk.to_dict

    def lossy(self: Any, **options: Any) -> dict[str, object]:
        data = real(self, **options)
        return {**data, "model": ""} if self.choices[0].delta.content == "b" else data

    monkeypatch.setattr(ChatCompletionChunk, "to_dict", lossy)
    (found,) = _read(sse(text("a"), text("b"), finish()))
    assert found["altered"] == {"chunks": 1, "first": 1}


@pytest.mark.parametrize(
    ("payloads", "doing", "number", "error"),
    [
        ((text("a"), "{nope", finish()), "reading", 1, "JSONDecodeError"),
        ((text("a"), {"error": {"message": "full"}}), "reading", 1, "APIError: full"),
        (
            (call("{", index=None, call_id="c", name="f"), call("}", index=None)),
            "accumulating",
            0,
            "TypeError: list indices must be integers or slices, not NoneType",
        ),
        ((text("a"), finish("length")), "completing", 2, "LengthFinishReasonError"),
    ],
    ids=["no JSON", "error event", "no index", "length"],
)
def test_sdk_that_raises_says_where(
    payloads: tuple[Any, ...], doing: str, number: int, error: str
) -> None:
    """Reading, accumulating or completing, with the number of the chunk."""
    (found,) = _read(sse(*payloads))
    (raised,) = found["raised"]
    assert (raised["while"], raised["chunk"]) == (doing, number)
    assert raised["error"].startswith(error)


def test_sdk_types_that_do_not_allow_a_chunk_are_counted() -> None:
    """Fields that the SDK's types refuse are listed once, with the first chunk."""
    odd = [text("a"), *(chunk({"content": ["b"]}) for _ in range(3)), finish()]
    (found,) = _read(sse(*odd))
    assert found["invalid"] == [
        {"problem": "choices.0.delta.content: string_type", "chunks": 3, "first": 1}
    ]


def test_sdk_hears_of_a_broken_connection() -> None:
    """A recording that broke off breaks off for the SDK too."""
    broken = exchange(
        sse(text("a"), done=False), [user("x")], ended=Ending("error", "ReadError", "")
    )
    (found,) = _read(broken)
    assert found["raised"][0]["while"] == "reading"
    assert found["chunks"] == 1
