"""`harness fuzz --dask`: the findings of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import Result, harness, harness_process
from tests.corpus.jobs import Here

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ODD = """
def drops(chunks):
    text = ""
    for chunk in chunks:
        for choice in chunk["choices"]:
            piece = choice["delta"].get("content") or ""
            text += piece[:2] if len(piece) == 3 else piece
    return text
"""


def _findings(
    run: Callable[..., Result], folder: Path, target: str, *options: str
) -> tuple[int, list[str], dict[str, bytes]]:
    """Return the exit code, what was printed but the time, and what was written."""
    (folder / "odd.py").write_text(_ODD, encoding="utf-8")
    output = folder / ("cluster" if options else "here")
    result = run(
        *("fuzz", target, "--max-examples", "300", "--findings", "4"),
        *("--timeout-each", "0.5", "--quiet", "--output", str(output), *options),
        cwd=folder,
    )
    lines = result.out.replace(str(output), "OUT").splitlines()
    kept = [line.partition(", in ")[0] for line in lines]
    written = {path.name: path.read_bytes() for path in sorted(output.glob("*"))}
    return result.code, kept, written


@pytest.mark.slow
@pytest.mark.parametrize("target", ["odd:drops", "streaming"])
def test_blocks_of_cases_find_what_one_process_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Merged in order, told apart and shrunk: the same report, the same cassettes."""

    def engine(job: Any, *_options: Any) -> Here:
        return Here(job)

    expected = _findings(harness, tmp_path, target)
    monkeypatch.setattr("harness.corpus.cluster_fuzz.Dask", engine)
    assert _findings(harness, tmp_path, target, "--dask", "x") == expected
    assert expected[0] == (target != "streaming")


@pytest.mark.slow
def test_a_cluster_finds_what_one_process_finds(tmp_path: Path) -> None:
    """Real workers, other processes, the same report and cassettes."""
    pytest.importorskip("distributed", reason="--dask needs distributed")
    expected = _findings(harness_process, tmp_path, "odd:drops")
    found = _findings(
        harness_process, tmp_path, "odd:drops", "--dask", "local", "--jobs", "2"
    )
    assert found == expected


@pytest.mark.slow  # Dask is an extra of the slow tests
def test_a_scheduler_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """Exit 2, with the address."""
    pytest.importorskip("distributed", reason="--dask needs distributed")
    code, lines, _ = _findings(harness, tmp_path, "odd:drops", "--dask", "nowhere")
    assert (code, lines) == (2, [])
