"""`harness check` and `harness scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, harness

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "cassettes/stock-vcrpy/text.yaml").read_text("utf-8")


ON_PURPOSE = {
    "llama-cpp-python/client-stops.yaml": "broken-stream",
    "llama-cpp-python/length-arguments.yaml": "malformed-arguments",
    "llama-cpp-python/server-dies.yaml": "broken-stream",
    "llama-server/client-stops.yaml": "broken-stream",
    "llama-server/length-arguments.yaml": "malformed-arguments",
    "llama-server/server-dies.yaml": "broken-stream",
}
"""Recordings that were made to show a problem, and which."""


def test_cassettes_of_this_repository_have_the_problems_they_show() -> None:
    """`check` finds what a recording was made to show, and nothing else."""
    result = harness("check", "cassettes", "--quiet")
    lines = result.out.splitlines()
    assert (result.code, result.err, len(lines)) == (1, "", len(ON_PURPOSE))
    for line, (name, kind) in zip(lines, ON_PURPOSE.items(), strict=True):
        assert line.startswith(f"cassettes/{name}: exchange 0: ")
        assert f"{kind}: " in line


def test_cassettes_of_this_repository_hold_no_secret() -> None:
    """What is committed here can be published."""
    result = harness("scan", "cassettes", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_check_lists_what_is_wrong(tmp_path: Path) -> None:
    """A stream without its end is a problem with its exchange, exit 1."""
    path = tmp_path / "cut.yaml"
    text = TEXT.replace("data: [DONE]", ": ").replace('"finish_reason":"stop"', '"a":1')
    path.write_text(text, encoding="utf-8")
    result = harness("check", str(path))
    assert result.code == 1
    assert f"{path}: exchange 0: " in result.out
    assert "no finish_reason" in result.out
    assert result.err.startswith("1 checked, 1 problems, ")


def test_scan_finds_a_key_and_does_not_show_it(tmp_path: Path) -> None:
    """A planted key is named by place and kind, masked, exit 1."""
    secret = "sk-" + "proj-" + "Zx9" * 16
    path = tmp_path / "leak.yaml"
    path.write_text(TEXT.replace("rainbow", secret, 1), encoding="utf-8")
    result = harness("scan", str(path))
    assert result.code == 1
    assert str(path) in result.out
    assert secret not in result.out + result.err
    assert result.err == "1 scanned, 1 secrets found\n"


@pytest.mark.parametrize("command", ["check", "scan"])
def test_missing_file_is_one_line(command: str, tmp_path: Path) -> None:
    """A file that is not there is wrong usage."""
    result = harness(command, str(tmp_path / "none.yaml"), "--quiet")
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
