"""`harness fuzz` and targets that hang, print, break down or cannot be set up."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import Result, harness, harness_process

if TYPE_CHECKING:
    from pathlib import Path

_TARGETS = '''
"""Targets that make trouble."""

import asyncio
import os
import sys
import time


class Reader:
    def __call__(self, chunks):
        self.text, self.calls = "", []
        for chunk in chunks:
            for choice in chunk.get("choices") or []:
                if not choice.get("index"):
                    self.read(choice.get("delta") or {})
        return {"content": self.text, "calls": self.calls}

    def read(self, delta):
        content = delta.get("content") or ""
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        self.text += content


class Hangs(Reader):
    def read(self, delta):
        while "refusal" in delta and delta["refusal"]:
            time.sleep(0.01)
        super().read(delta)


def hangs_on_everything(chunks):
    while True:
        time.sleep(0.01)


async def waits(chunks):
    async for chunk in chunks:
        for choice in chunk.get("choices") or []:
            if choice.get("delta", {}).get("refusal"):
                await asyncio.Event().wait()  # here
        yield chunk["id"]


class Prints(Reader):
    def read(self, delta):
        print("PRINTED")
        os.write(1, b"WRITTEN\\n")
        super().read(delta)


class Breaks(Reader):
    def read(self, delta):
        if delta.get("refusal"):
            os._exit(7)
        super().read(delta)


class Leaves(Reader):
    def read(self, delta):
        if delta.get("refusal"):
            sys.exit(5)
        super().read(delta)


class CutsText(Reader):
    def read(self, delta):
        super().read({k: v.strip() if k == "content" and isinstance(v, str) else v
                      for k, v in delta.items()})


def never_reads(chunks):
    return None


def lacks_a_library(chunks):
    import no_such_library


def reads_anthropic(events):
    """Text alone, without a look at the kind of the block."""
    text = ""
    for event in events:
        text += (event.get("delta") or {}).get("text", "").strip()
    return {"content": text}
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with `trouble.py` and a module that cannot be imported."""
    (tmp_path / "trouble.py").write_text(_TARGETS, encoding="utf-8")
    (tmp_path / "lacking.py").write_text("import no_such_library\n", encoding="utf-8")
    return tmp_path


def _fuzz(folder: Path, *arguments: str) -> Result:
    return harness("fuzz", *arguments, "--quiet", cwd=folder)


def test_example_that_never_ends_is_a_finding(folder: Path) -> None:
    """Exit 1 after `--timeout-each`, with the place and the chunks so far."""
    result = _fuzz(folder, "trouble:Hangs", "--timeout-each", "0.3")
    assert result.code == 1
    assert "never ends, in trouble.py:" in result.out
    assert "still running after 0.3 s" in result.out
    assert re.search(r"^arrived, in 1 chunk:$", result.out, re.MULTILINE)
    assert "refusal" in result.out
    assert len(list(folder.glob("*.yaml"))) == 1


@pytest.mark.slow
def test_task_that_waits_for_ever_is_named_where_it_waits(folder: Path) -> None:
    """Not the event loop, which is what runs then."""
    result = _fuzz(folder, "trouble:waits", "--timeout-each", "0.3")
    line = 1 + _TARGETS[: _TARGETS.index("# here")].count("\n")
    assert f"never ends, in trouble.py:{line}" in result.out
    assert result.code == 1


def test_hanging_on_the_plainest_stream_is_a_mistake_of_set_up(folder: Path) -> None:
    """Nothing can be tried then: exit 2, with the place."""
    arguments = ("trouble:hangs_on_everything", "--timeout-each", "0.1")
    result = _fuzz(folder, *arguments)
    assert result.code == 2
    assert result.out == ""
    assert "never ends, in trouble.py:" in result.err
    assert "on the plainest stream" in result.err


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("Breaks", "ends its process with exit code 7"),
        ("Leaves", "raises SystemExit at trouble.py:"),
    ],
)
def test_ending_the_process_is_a_finding(folder: Path, target: str, kind: str) -> None:
    """The example that did it is named, and shrunk."""
    result = _fuzz(folder, f"trouble:{target}")
    assert result.code == 1
    assert kind in result.out
    assert re.search(r"^arrived, in 1 chunk:$", result.out, re.MULTILINE)


def test_what_the_target_prints_goes_to_standard_error(folder: Path) -> None:
    """Our output has none of it, whether Python or the system wrote it."""
    result = harness_process(
        "fuzz", "trouble:Prints", "--quiet", "--max-examples", "90", cwd=folder
    )
    assert "PRINTED" in result.err
    assert "WRITTEN" in result.err
    assert "PRINTED" not in result.out
    assert "WRITTEN" not in result.out
    assert result.out.startswith("trouble:Prints (chunks)")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("trouble:never_reads", "it was never reached"),
        ("trouble:lacks_a_library", "on every plain stream, so nothing can be tried"),
        ("lacking:read", "importing lacking failed: ModuleNotFoundError"),
    ],
)
def test_target_that_cannot_be_tried_is_no_pass(
    folder: Path, target: str, says: str
) -> None:
    """Exit 2, the traceback where there is one, and nothing on standard output."""
    result = _fuzz(folder, target)
    assert result.code == 2
    assert result.out == ""
    assert says in result.err
    assert ("Traceback" in result.err) is (target != "trouble:never_reads")


def test_too_few_examples_are_no_pass(folder: Path) -> None:
    """Exit 2 below the floor, which is printed."""
    result = _fuzz(folder, "trouble:Reader", "--max-examples", "10")
    assert result.code == 2
    assert "10 examples are too few, the floor is every stream once" in result.err


def _report_of(folder: Path, jobs: str) -> str:
    result = _fuzz(
        folder,
        *("trouble:CutsText", "--findings", "9", "--max-examples", "400"),
        *("--jobs", jobs, "--output", f"out{jobs}"),
    )
    assert result.code == 1
    text = re.sub(r"in \d+\.\d s", "in N s", result.out)
    shutil.rmtree(folder / f"out{jobs}")
    return text.replace(f"out{jobs}", "out")


@pytest.mark.slow
def test_any_number_of_jobs_finds_the_same(folder: Path) -> None:
    """Cases are shared by number and merged in order: the reports are equal."""
    assert _report_of(folder, "1") == _report_of(folder, "2")


@pytest.mark.slow
def test_spawned_processes_find_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target of the current folder is importable where processes are not copied.

    That is so on macOS and Windows, and wherever this process has threads.
    """
    copied = _report_of(folder, "2")
    monkeypatch.setattr("threading.active_count", lambda: 2)
    assert _report_of(folder, "2") == copied


def test_other_apis_are_asked_for_by_name(folder: Path) -> None:
    """`--as events --api NAME` feeds the events of that API; the test is pasteable."""
    arguments = ("trouble:reads_anthropic", "--as", "events", "--api", "anthropic")
    result = _fuzz(folder, *arguments)
    assert result.code == 1
    assert "content_block_delta" in result.out
    assert "api='anthropic'" in result.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("trouble:Reader", "--api", "other"), "expected some of chat, responses"),
        (("streaming", "--api", "gemini"), "need --as events, --as bytes or --as url"),
    ],
)
def test_wrong_api_is_one_line(
    folder: Path, arguments: tuple[str, ...], says: str
) -> None:
    """Exit 2 and what there is."""
    result = _fuzz(folder, *arguments)
    assert result.code == 2
    assert says in result.err
    assert len(result.err.splitlines()) == 1
