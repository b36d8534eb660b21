"""No command writes over what it reads, or passes over what it cannot do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import ROOT, harness

PLAIN = ROOT / "cassettes/llama-server/plain-text.yaml"

WRITING = {
    "convert": ("convert", "a.yaml", "-o", "a.yaml", "--api", "gemini", "--force"),
    "convert by a link": (
        *("convert", "a.yaml", "-o", "link.yaml", "--api", "gemini"),
        "--force",
    ),
    "import": ("import", "a.yaml", "-o", "a.yaml", "--force"),
    "import of a folder": ("import", ".", "-o", "sub/b.yaml", "--force"),
    "report": ("report", "a.yaml", "-o", "a.yaml"),
    "report of a folder": ("report", ".", "-o", "sub/b.yaml"),
    "report on another": ("report", "a.yaml", "-o", "sub/b.yaml"),
}


@pytest.mark.parametrize("name", WRITING)
def test_what_is_read_is_not_written_over(name: str, tmp_path: Path) -> None:
    """Whatever name the output has, also with --force."""
    (tmp_path / "sub").mkdir()
    for copy in ("a.yaml", "sub/b.yaml"):
        shutil.copy(PLAIN, tmp_path / copy)
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    result = harness(*WRITING[name], cwd=tmp_path)
    assert result.code == 2
    assert "stays as it is" in result.err
    for copy in ("a.yaml", "sub/b.yaml"):
        assert (tmp_path / copy).read_bytes() == PLAIN.read_bytes()


def test_every_file_of_a_folder_that_cannot_be_imported_is_named(
    tmp_path: Path,
) -> None:
    """And nothing is written; those that can be read are told of, too."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("interactions: [\n", encoding="utf-8")
    shutil.copy(PLAIN, tmp_path / "c.yaml")
    result = harness("import", ".", "-o", "all.yaml", cwd=tmp_path)
    assert result.code == 2
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        assert f"{name}: " in result.err
    assert not (tmp_path / "all.yaml").exists()


def test_stored_transcripts_are_not_said_to_be_cut_otherwise(tmp_path: Path) -> None:
    """An option that would have to change what is stored is refused, others are not."""
    stored = tmp_path / "stored.jsonl"
    made = harness("replay", str(PLAIN), "--format", "jsonl", "--quiet")
    stored.write_text(made.out, "utf-8")
    for arguments in (
        (str(stored), "--split-b", "chars"),
        (str(PLAIN), str(stored), "--split-b", "chars"),
        (str(stored), str(stored), "--interface", "queuing"),
        (str(stored), str(stored), "--assistant-message"),
    ):
        result = harness("diff", *arguments)
        assert (result.code, result.out) == (2, "")
        assert "name the recording" in result.err
    said = harness("diff", str(stored), str(PLAIN), "--split", "chars", "--said")
    assert said.code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
def test_a_full_disk_under_the_output_is_one_line() -> None:
    """No traceback, here or when Python flushes once more at its exit."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        result = subprocess.run(
            [sys.executable, "-m", "harness", "ls", str(PLAIN)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "harness: standard output: cannot be used (No space left on device)"
    ]


def test_a_list_of_tests_that_is_none_is_usage(tmp_path: Path) -> None:
    """`harness rerecord` reads what pytest keeps, and anything may stand there."""
    place = tmp_path / ".pytest_cache/v/harness/stale"
    place.parent.mkdir(parents=True)
    for text in ("5", "{", "null", "\xff"):
        place.write_text(text, "latin-1")
        result = harness("rerecord", "--dry-run", cwd=tmp_path)
        assert (result.code, result.out) == (2, "")
