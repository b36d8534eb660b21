"""A user's interface on the command line: exceptions are shown, prints put apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, Result, harness, harness_process

if TYPE_CHECKING:
    from pathlib import Path

STEPS = str(ROOT / "cassettes/llama-server/three-steps.yaml")
_CODE = '''
import json
import os

print("imported")

class Prints:
    """Prints as it goes, below Python too."""

    def __init__(self):
        self.out = []

    def process_chunk(self, chunk, message_id, date):
        print("a chunk")
        os.write(1, b"from below\\n")
        self.out.append({"n": len(self.out)})

    def to_list(self):
        out, self.out = self.out, []
        return out

class Raises(Prints):
    """Raises at its fourth chunk, in a library, through its own line."""

    def process_chunk(self, chunk, message_id, date):
        self.out.append({"n": len(self.out)})
        if len(self.out) == 4:
            json.loads("{")

class RaisesLate(Prints):
    """Raises after the stream."""

    def step_complete(self):
        raise KeyError("late")

class Refuses:
    def __init__(self):
        raise OSError("no disk")
'''
_LINE = 1 + _CODE[: _CODE.index("json.loads")].count("\n")
_RAISED = "mine:Raises.process_chunk() raised JSONDecodeError"
_PLACE = f"(mine.py, line {_LINE}, in process_chunk)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the interfaces of a user."""
    (tmp_path / "mine.py").write_text(_CODE, "utf-8")
    return tmp_path


def _run(folder: Path, *arguments: str, name: str = "Raises") -> Result:
    return harness(*arguments, "--interface", f"mine:{name}", cwd=folder)


def test_output_is_what_was_asked_for_and_prints_are_not_in_it(folder: Path) -> None:
    """Every line of standard output is JSON, also with what is written below Python."""
    command = ["replay", STEPS, "--format", "jsonl", "--interface", "mine:Prints"]
    result = harness_process(*command, cwd=folder)
    assert result.code == 0
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert len(lines) == 43
    assert result.err.count("a chunk\n") == result.err.count("from below\n") == 43
    assert result.err.count("imported\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "--around", "3"),
        ("replay", "--until", "4"),
        ("report", "-o", "page.html"),
        ("replay",),
    ],
)
def test_exception_is_shown_and_ends_with_one(folder: Path, command: list[str]) -> None:
    """Every view names it, its line in the user's code, and exits with 1."""
    name, *options = command
    result = _run(folder, name, STEPS, *options)
    assert result.code == 1
    assert f"exchange 0, chunk 3: {_RAISED}" in result.err
    assert _PLACE in result.err


def test_chunk_of_an_exception_is_marked_and_later_ones_were_not_fed(
    folder: Path,
) -> None:
    """`--around` and `--until` show the exception at its chunk, `not fed` behind it."""
    lines = _run(folder, "replay", STEPS, "--around", "3").out.splitlines()
    marked = [n for n, line in enumerate(lines) if line.lstrip().startswith("raised: ")]
    heads = [n for n, line in enumerate(lines) if not line.startswith("    ")]
    assert len(marked) == 1
    assert heads[1] < marked[0] < heads[2]  # in the panes of chunk 3
    assert _RAISED in lines[marked[0]]
    unfed = [n for n, line in enumerate(lines) if line.endswith("not fed")]
    assert len(unfed) == 1
    assert unfed[0] > heads[2]
    lines = _run(folder, "replay", STEPS, "--until", "6").out.splitlines()
    assert lines[3].startswith("! ")
    assert lines[3].endswith("(mine:Raises raised)")
    assert [line.endswith("(not fed to mine:Raises)") for line in lines[:6]] == [
        *[False] * 4,
        *[True] * 2,
    ]


def test_exception_after_the_stream_leaves_every_chunk_fed(folder: Path) -> None:
    """What the step loop raised stands with the last chunk."""
    result = _run(folder, "replay", STEPS, "--around", "9", name="RaisesLate")
    assert result.code == 1
    assert "not fed" not in result.out
    assert "raised: exchange 0, in the step loop: " in result.out.splitlines()[-1]


def test_report_names_the_exception_and_what_was_not_fed(folder: Path) -> None:
    """The page lists it among what was found, with the chunk to jump to."""
    _run(folder, "report", STEPS, "-o", "page.html")
    page = (folder / "page.html").read_text("utf-8")
    start = page.index('{"streams":')
    data, _ = json.JSONDecoder().raw_decode(page[start:])
    first = data["streams"][0]
    assert first["found"][0]["chunk"] == 3
    assert _RAISED in first["found"][0]["text"]
    assert [m["unfed"] for m in first["moments"]] == [[n > 3] for n in range(10)]
    assert any(_RAISED in text for text in first["moments"][3]["found"])


def test_diagnostics_do_not_depend_on_an_exception(folder: Path) -> None:
    """What is odd behind the chunk that raised is found all the same."""
    body = "".join(
        f'data: {{"choices":[{{"index":0,"delta":{{"content":"{n}"}}}}]}}\n\n'
        for n in range(6)
    )
    (folder / "cut.sse").write_text(body, "utf-8")
    result = _run(folder, "replay", "cut.sse", "--around", "5")
    assert "missing-finish" in result.out


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("command", ["replay", "report", "diff"])
def test_debug_shows_the_whole_traceback(
    folder: Path, command: str, *, is_first: bool
) -> None:
    """Before or after the command's name: down to the user's line, then one line."""
    arguments = [command, STEPS, "--interface", "mine:Refuses"]
    if command == "diff":
        arguments += ["--split-b", "chars"]
    arguments.insert(0 if is_first else len(arguments), "--debug")
    result = harness(*arguments, cwd=folder)
    assert result.code == 1
    assert 'raise OSError("no disk")' in result.err
    assert "OSError: no disk" in result.err
    assert result.err.splitlines()[-1].startswith("harness: ")


def test_debug_is_an_option_of_every_command() -> None:
    """Each takes it, and without it there is no traceback."""
    for command in ("check", "ls", "scan", "show", "replay", "report", "diff"):
        plain = harness(command, "no-such.yaml", *(["x"] if command == "diff" else []))
        assert plain.code == 2
        assert "Traceback" not in plain.err
        extra = ["x"] if command == "diff" else []
        result = harness(command, "no-such.yaml", *extra, "--debug")
        assert result.code == 2
        assert result.err.endswith(plain.err)
        assert "Traceback" in result.err, command


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(3)", "importing ends failed: SystemExit: 3 (ends.py, line"),
        (
            "class I:\n    def __init__(self): exit(4)",
            "could not be made: SystemExit: 4",
        ),
        (
            (
                "class I:\n    def process_chunk(self, *_): raise SystemExit(5)\n"
                "    def to_list(self): return []"
            ),
            "ends raised SystemExit(5)",
        ),
    ],
)
def test_code_that_ends_the_process_is_a_finding(
    code: str, expected: str, tmp_path: Path
) -> None:
    """A script that runs when it is imported is not taken for a pipe that closed."""
    (tmp_path / "ends.py").write_text(code, encoding="utf-8")
    result = harness("replay", STEPS, "ends:I", cwd=tmp_path)
    assert result.code == 1
    assert expected in result.err


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("json:JSONDecoder", "has no get_generator(), no process() and no to_list()"),
        ("json:loads", "could not be made: TypeError"),
        ("json:nosuch", "json has no attribute 'nosuch'"),
    ],
)
@pytest.mark.parametrize("command", ["replay", "diff", "report", "fuzz"])
def test_what_can_be_no_interface_is_wrong_usage(
    command: str, name: str, expected: str, tmp_path: Path
) -> None:
    """Whatever the recording; it is said once, and for every command the same."""
    if command == "fuzz":
        result = harness("fuzz", name, "--level", "interface", "--max-examples", "1")
        expected = ""
    else:
        options = ["-o", str(tmp_path / "page.html")] if command == "report" else []
        both = [STEPS] * (1 if command == "report" else 2)
        result = harness(command, *both, "--interface", name, *options)
    assert result.code == 2
    assert result.err.count(expected or "harness: ") == 1
