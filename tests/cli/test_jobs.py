"""`--jobs`: the same output in the same order, whatever works on the recordings."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from harness import errors
from harness.errors import HarnessError, InterfaceError
from tests.cli.running import Result, harness, harness_process
from tests.corpus.folders import BROKEN, TEXT, TURNS
from tests.corpus.jobs import Here

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAMES = ["many", "missing", "none.json", "many/01.yaml", "many/06-bad.yaml"]
_OWN = """
class Own:
    def __init__(self):
        print("made")
        self.out = []

    def process_chunk(self, chunk, message_id, date):
        if "rainbow" in str(chunk) or len(self.out) > 5:
            raise ValueError("no rainbows")
        self.out.append({"n": len(self.out)})

    def to_list(self):
        out, self.out = self.out, []
        return out
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with recordings of every kind of trouble, some of it twice."""
    (tmp_path / "own.py").write_text(_OWN, encoding="utf-8")
    (tmp_path / "many").mkdir()
    for number, source in enumerate([TEXT, BROKEN, TURNS, BROKEN] * 3):
        (tmp_path / "many" / f"{number:02}.yaml").write_bytes(source.read_bytes())
    secret = TEXT.read_text("utf-8").replace("rainbow", "sk-" + "proj-" + "Zx9" * 16)
    (tmp_path / "many" / "05-key.yaml").write_text(secret, encoding="utf-8")
    (tmp_path / "many" / "06-bad.yaml").write_text("interactions: [{", "utf-8")
    (tmp_path / "none.json").write_text('{"interactions": []}', encoding="utf-8")
    return tmp_path


def _outputs(
    run: Callable[..., Result], folder: Path, command: str
) -> list[tuple[Result, bytes]]:
    """Return what comes of one process, and of three: the outputs and the page."""
    found = []
    for jobs in ("1", "3"):
        page = folder / "page.html"
        page.write_bytes(b"")
        result = run(*command.split(), *_NAMES, "--jobs", jobs, cwd=folder)
        found.append((result, page.read_bytes()))
    return found


def _slow(*values: object) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("replay", 2),
        _slow("replay --interface both --format sse --quiet", 2),
        _slow("replay --rows run --strict", 2),
        _slow("replay --format jsonl --interface own:Own", 2),
        ("check", 2),
        _slow("scan", 2),
        _slow("report -o page.html", 2),
        _slow("report -o page.html --interface own:Own", 2),
    ],
)
def test_the_output_does_not_depend_on_the_jobs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, code: int
) -> None:
    """Results, diagnostics, each explanation once, errors, summary, exit code."""
    monkeypatch.setattr(
        "harness.corpus.engines.Processes", lambda job, _limits, _workers: Here(job)
    )
    one, three = _outputs(harness, folder, command)
    assert one == three
    assert one[0].code == code
    assert "missing" in one[0].err
    assert "06-bad.yaml" in one[0].out + one[0].err


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["replay --interface own:Own", "check", "report -o page.html"]
)
def test_real_processes_give_the_same(folder: Path, command: str) -> None:
    """So do processes, with what a consumer prints on standard error in its place."""
    one, three = _outputs(harness_process, folder, command)
    assert one == three


def test_a_pipe_is_read_here(folder: Path) -> None:
    """Standard input cannot be read by another process."""
    text = TEXT.read_bytes()
    one, three = (
        harness("check", "-", str(folder / "none.json"), f"--jobs={n}", stdin=text)
        for n in (1, 3)
    )
    assert one == three
    assert one.err == "2 checked, 1 problem, 0 notes\n"


_ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "SSEError": (("x",), {"byte_offset": 3}),
    "ChunkError": (("x",), {"payload": "{"}),
    "ArgumentsError": ((), {"char_offset": 1, "expected": "a", "got": "b"}),
    "CassetteCorruptError": (("x.yaml", "bad"), {"place": "line 3"}),
    "InterfaceError": (("x",), {"where": "there", "line": "a", "chunk": 4}),
    "UsageError": (("x",), {}),
    "UnusableInterfaceError": (("x",), {"where": "there"}),
}


@pytest.mark.parametrize("name", _ARGUMENTS)
def test_an_error_comes_whole_from_another_process(name: str) -> None:
    """Its type, its text and its fields, also those that are given by name alone."""
    arguments, named = _ARGUMENTS[name]
    error: HarnessError = getattr(errors, name)(*arguments, **named)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_what_cannot_be_pickled_is_still_reported() -> None:
    """An error of a user's code may hold anything; its text comes."""
    from harness.cli.jobs import portable

    error = InterfaceError("x", where="there")
    error.held = lambda: None  # type: ignore[attr-defined]
    assert str(portable(error)) == "InterfaceError: there: x"
