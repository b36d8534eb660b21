"""`harness fuzz` as a user runs it: what it finds, prints, writes and returns."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.fuzz.odd_values import stock
from tests.cli.running import ROOT, Result, harness, harness_process

if TYPE_CHECKING:
    from pathlib import Path

    from harness.fuzz.findings import Tried

_CONSUMERS = '''
"""Two consumers and a handler of somebody's own."""

class Glues:
    """Reads the first call only, whatever the index says."""

    def __call__(self, chunks):
        text, name, arguments = "", "", ""
        for chunk in chunks:
            for choice in chunk.get("choices") or []:
                delta = choice.get("delta") or {}
                content = delta.get("content") or ""
                if isinstance(content, list):
                    content = "".join(part["text"] for part in content)
                text += content
                for entry in delta.get("tool_calls") or []:
                    name = name or entry["function"].get("name") or ""
                    arguments += entry["function"].get("arguments") or ""
        calls = [{"name": name, "arguments": arguments}] if name else []
        return {"content": text, "calls": calls}


class Handler:
    """Shows what stands between the first colon and the end, at once."""

    def __init__(self, json_key="message"):
        self.json_key = json_key

    def process_json_chunk(self, chunk):
        if "FAIL" in chunk:
            raise KeyError(chunk)
        return chunk.partition(": ")[2] or None


def raises(chunks):
    """Raise at once."""
    raise LookupError("no")


nothing = 7
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with `mine.py`."""
    (tmp_path / "mine.py").write_text(_CONSUMERS, encoding="utf-8")
    return tmp_path


def _fuzz(folder: Path, *arguments: str) -> Result:
    return harness("fuzz", *arguments, "--quiet", cwd=folder)


def _fuzz_process(folder: Path, *arguments: str, hash_seed: str) -> Result:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    around = {"PYTHONPATH": path, "PYTHONHASHSEED": hash_seed}
    return harness_process(
        "fuzz", *arguments, "--quiet", cwd=folder, environment=around
    )


def _pasted(out: str) -> str:
    """Return the test that a report prints, as it would be pasted."""
    block = out.partition("test:\n")[2]
    lines = []
    for line in block.splitlines():
        if line and not line.startswith("    "):
            break
        lines.append(line[4:])
    return "\n".join(lines)


def test_finding_is_shown_with_the_first_difference(folder: Path) -> None:
    """Exit 1; the input in rows, expected against got, a caret under the difference."""
    result = _fuzz(folder, "mine:Glues")
    assert result.code == 1
    assert re.search(r"^arrived, in \d chunks?:$", result.out, re.MULTILINE)
    assert "tool_calls" in result.out
    expected, got, caret = result.out.partition("first difference:\n")[2].split("\n")[
        :3
    ]
    column = caret.index("^")
    assert expected[11:column] == got[11:column]
    assert expected[column : column + 1] != got[column : column + 1]
    assert "Traceback" not in result.err


def test_minimal_cassette_is_replayed(folder: Path) -> None:
    """The cassette named in the report replays, calls and all."""
    result = _fuzz(folder, "mine:Glues", "--output", "found")
    (path,) = (folder / "found").iterdir()
    assert re.fullmatch(r"harness-fuzz-[a-z-]+-[0-9a-f]{8}\.yaml", path.name)
    assert f"cassette: found/{path.name}" in result.out
    replayed = harness("replay", str(path), "--format", "jsonl")
    assert replayed.code == 0
    assert replayed.out.count('"function_call"') >= 1


def test_cassette_is_never_overwritten(folder: Path) -> None:
    """Another file of its name stays as it is; the same finding again is one file."""
    _fuzz(folder, "mine:Glues")
    _fuzz(folder, "mine:Glues")
    (path,) = folder.glob("*.yaml")
    path.write_text("mine", encoding="utf-8")
    _fuzz(folder, "mine:Glues")
    assert path.read_text(encoding="utf-8") == "mine"
    assert sorted(p.name for p in folder.glob("*.yaml")) == sorted(
        [path.name, f"{path.stem}-2.yaml"]
    )


def test_what_was_found_before_ctrl_c_is_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Findings that came before it are printed and written; the code is its own."""

    def stop(tried: Tried) -> None:
        if tried.examples > 1000:
            raise KeyboardInterrupt

    monkeypatch.setattr("harness.cli.fuzz.Progress", lambda *_: stop)
    result = harness("fuzz", "mine:Glues", "--findings", "99", cwd=folder)
    assert result.code == 130
    assert result.err.endswith("harness: interrupted\n")
    assert "check(" in _pasted(result.out)
    assert list(folder.glob("harness-fuzz-*.yaml"))


def test_a_cassette_that_cannot_be_written_costs_no_test(folder: Path) -> None:
    """The error is named; the test, which holds what arrived, is shown all the same."""
    (folder / "taken").touch()
    result = _fuzz(folder, "mine:Glues", "--output", "taken/found")
    assert result.code == 1
    assert "taken/found: cannot be made" in result.err
    assert "check(" in _pasted(result.out)
    assert "failure found" in result.out


@pytest.mark.slow
@pytest.mark.parametrize("target", ["mine:Glues", "mine:Handler"])
def test_pasted_test_fails_as_shown(folder: Path, target: str) -> None:
    """The printed test runs as it is, and fails with the lines of the report."""
    result = _fuzz(folder, target)
    assert result.code == 1
    (folder / "test_pasted.py").write_text(_pasted(result.out), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_pasted.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 failed" in ran.stdout
    first = result.out.splitlines()[0]
    assert f"AssertionError: {first}" in ran.stdout


@pytest.mark.slow
@pytest.mark.parametrize("target", ["mine:Handler", "mine:Glues"])
def test_same_seed_prints_the_same(folder: Path, target: str) -> None:
    """Two runs agree to the letter but for the seconds, whatever the hash seed is."""
    out = []
    for number in ("1", "2"):
        result = _fuzz_process(
            folder,
            target,
            *("--max-examples", "1500", "--findings", "9"),
            *("--output", f"out{number}"),
            hash_seed=number,
        )
        text = re.sub(r"in \d+\.\d s", "in N s", result.out)
        out.append(text.replace(f"out{number}", "out"))
    assert out[0] == out[1]


@pytest.mark.slow
def test_other_seed_tries_other_things(folder: Path) -> None:
    """The seed reaches the cuts: two seeds do not feed the same fragments."""
    code = (
        "import sys\nfrom harness import FunctionArgumentsStreamHandler as H\n"
        "class Spy(H):\n"
        "    __slots__ = ()\n"
        "    def process_json_chunk(self, chunk):\n"
        "        sys.stderr.write(ascii(chunk))\n"
        "        return super().process_json_chunk(chunk)\n"
    )
    (folder / "spy.py").write_text(code, encoding="utf-8")
    runs = [
        _fuzz_process(
            folder, "spy:Spy", "--max-examples", "1500", "--seed", seed, hash_seed="0"
        )
        for seed in ("1", "1", "2")
    ]
    assert [run.code for run in runs] == [0, 0, 0]
    # A worker runs a few cases ahead of the limit: how far is a matter of time.
    fed = [run.err.partition("harness: ")[0] for run in runs]
    same = min(map(len, fed))
    assert (fed[0][:same] == fed[1][:same]) is True
    assert (fed[0][:same] == fed[2][:same]) is False


def test_nothing_found_says_what_was_tried(folder: Path) -> None:
    """Exit 0 and numbers: examples, texts, cuts, dialects, faults, seconds."""
    result = _fuzz(
        folder, "harness:FunctionArgumentsStreamHandler", "--max-examples", "6000"
    )
    assert result.code == 0
    assert "6000 examples were tried, seed 0" in result.out
    assert re.search(
        r"tried 6 000 examples: \d+ argument texts, [\d ]+ cuts, 4 dialects, 1 fault, "
        r"in \d+\.\d s",
        result.out,
    )
    assert "split-invariance" in result.out
    assert not list(folder.glob("*.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["streaming", "queuing"])
def test_our_interfaces_survive(folder: Path, target: str) -> None:
    """Both interfaces survive every stock stream, relation, dialect and fault once."""
    result = _fuzz(folder, target, "--max-examples", "6000")
    assert result.code == 0, result.out
    assert "not every stream" not in result.err
    assert f"{len(stock())} streams" in result.out
    assert "34 dialects, 13 faults" in result.out


@pytest.mark.slow
def test_spoken_calls_survive(folder: Path) -> None:
    """So does the streaming interface that shows the assistant function as text."""
    result = _fuzz(folder, "streaming", "--assistant-message", "--max-examples", "6000")
    assert result.code == 0, result.out


def test_recordings_are_fuzzed_with(folder: Path) -> None:
    """Named cassettes take the place of the stock."""
    cassette = ROOT / "cassettes" / "llama-server" / "auto-with-call.yaml"
    result = _fuzz(folder, "mine:Glues", str(cassette), "--max-examples", "50")
    assert re.search(r"tried \d+ examples?: \d+ streams?", result.out)
    assert f"{len(stock())} streams" not in result.out


def test_relations_are_chosen(folder: Path) -> None:
    """Only the named relations are asked."""
    result = _fuzz(
        folder, "mine:Glues", "--relations", "split-invariance", "--max-examples", "300"
    )
    assert result.out.splitlines()[-1].startswith("relations: split-invariance ")


def test_time_is_a_limit(folder: Path) -> None:
    """`--time` alone ends the run; nearly nothing tried is not a pass."""
    result = _fuzz(folder, "streaming", "--time", "0.0001")
    assert result.code == 2
    assert "0.0001 seconds were over" in result.out
    assert "the floor is every stream once as it is" in result.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mine"], "no MODULE:NAME"),
        (["no_such:Thing"], "there is no module 'no_such'"),
        (["mine:Nobody"], "mine has no attribute 'Nobody'"),
        (["mine:nothing"], "nothing can be fed to it"),
        (["mine:Glues", "--as", "handler"], "does not offer process_json_chunk()"),
        (["mine:Glues", "--as", "interface"], "get_generator() or to_list()"),
        (["mine:Glues", "--relations", "interfaces"], "got 'interfaces'"),
        (["mine:Glues", "no-such.yaml"], "no-such.yaml"),
        (["mine:Glues", "mine.py"], "mine.py"),
    ],
)
def test_mistake_is_one_line(folder: Path, arguments: list[str], says: str) -> None:
    """Exit 2, one line on standard error, nothing on standard output."""
    result = _fuzz(folder, *arguments)
    assert result.code == 2
    assert result.out == ""
    assert says in result.err
    assert len(result.err.splitlines()) == 1
    assert "Traceback" not in result.err
