"""`python -m tests`: the commands of daily work, as people and CI run them.

quick   every quick test, in two processes; what follows goes to pytest
lint    format, lint, import contracts, types
docs    write the generated parts of the pages, build the site strictly
slow    the tests that CI runs besides; what follows goes to pytest
cover   the branches of the core that its own tests take; fails below the floor
all     everything CI runs: .ci/run
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_HERE = Path(sys.executable).parent

_PYTEST = [sys.executable, "-m", "pytest", "-n", "2"]
_COVER = ["-p", "pytest_cov", "--cov=harness.core", "--cov-branch"]
_COVER += ["--cov-report=term-missing:skip-covered", "--cov-fail-under=98"]
_OF_THE_CORE = ["unit/core", "odd_inputs", "fuzz/test_apis.py"]
_OF_THE_CORE += [
    f"properties/test_{name}.py" for name in ("json_texts", "splits", "sse")
]
TASKS: dict[str, list[list[str]]] = {
    "quick": [_PYTEST],
    "lint": [
        [str(_HERE / "ruff"), "format", "--check", "."],
        [str(_HERE / "ruff"), "check", "."],
        [str(_HERE / "lint-imports"), "--no-cache"],
        [str(_HERE / "mypy")],
    ],
    "docs": [
        [sys.executable, "-m", "tests.docs"],
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--quiet",
            "--strict",
            "-f",
            "docs/mkdocs.yml",
        ],
    ],
    "slow": [[*_PYTEST, "-m", "slow and not timed and not campaign"]],
    "cover": [[*_PYTEST, *_COVER, *(f"tests/{name}" for name in _OF_THE_CORE)]],
    "all": [[str(ROOT / ".ci" / "run")]],
}
_TAKE_MORE = {"quick", "slow", "cover"}


def main(arguments: list[str]) -> int:
    """Run one task; without one, list them. The first failure stops it."""
    if not arguments:
        print(__doc__)
        return 0
    task, *more = arguments
    if task not in TASKS or (more and task not in _TAKE_MORE):
        print(f"expected one of {', '.join(TASKS)}; got {' '.join(arguments)}")
        return 2
    # Material for MkDocs advertises in every build unless it is asked not to.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    for command in TASKS[task]:
        code = subprocess.run(
            [*command, *more], cwd=ROOT, env=environment, check=False
        ).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
