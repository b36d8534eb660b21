"""Text that is no recording takes time in proportion to its length."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

EVENT = r'data: {"choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\n'
SIZE = 300_000
CPU_S = 30  # some seconds are used; where a cost is squared, it would be minutes

HARD = {
    "lines-printed-as-a-list": f"sent=['{EVENT}'" + f", '{EVENT}'" * 2000,
    "literals-behind-a-cut-line": f"x '{EVENT[:20]}'\n" + "'a', 'b', " * (SIZE // 10),
    "objects-that-break-off": 'INFO got: {\n"a": }\n' * (SIZE // 20),
    "commas-without-an-end": "a," * (SIZE // 2),
    "empty-lines": "x " + "\n" * SIZE,
    "other-line-ends": "\u2028\n" * (SIZE // 4),
    "titles-without-an-end": "<title" * (SIZE // 6),
    "blanks-in-an-object": "{'a'" + " " * SIZE + "x",
    "a-quote-without-an-end": "$ curl -d '\n" + "a\n" * (SIZE // 6),
}

CHECK = """
import sys
from harness.engine.check import check
for path in sys.argv[1:]:
    print(check(path)[:1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", HARD)
def test_checking_it_ends(tmp_path: Path, name: str) -> None:
    """It ends before it has used half a minute of the processor, which kills it."""
    path = tmp_path / "text"
    path.write_text(HARD[name], encoding="utf-8")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))

    command = [sys.executable, "-c", CHECK, str(path)]
    ended = subprocess.run(
        command, check=False, capture_output=True, preexec_fn=limited, text=True
    )
    assert ended.returncode == 0, ended.stderr[-500:]
