"""The plugin in a stranger's project: from the wheel, offline, and a bug is caught."""

from __future__ import annotations

import re
import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.docs import ROOT
from tests.packaging.conftest import INSTALL, PIP, run

if TYPE_CHECKING:
    from pathlib import Path

WEATHER = ROOT / "tests" / "downstream" / "weather"


@dataclass(frozen=True)
class Bug:
    """A way in which real parsers go wrong (streaming-bugs.md of the notes)."""

    sound: str
    broken: str
    told: tuple[str, ...]
    """Lines of the failure, in order: what does not hold, what came, what is shown."""


BUGS = {
    # The recorded stream itself says less then; one chunk is enough to show it.
    "blanks of text lost": Bug(
        "reply.text += d.content",
        "reply.text += d.content.strip()",
        (
            "nothing-lost does not hold: all content and every call is somewhere",
            "loses content",
            "arrived, in 1 chunk:",
            '0: delta {"content": " "}, finish_reason stop',
            "expected (this must be in it, in whatever form):",
            "content: ' '",
            "got:",
            "nothing",
            "first difference:",
        ),
    ),
    # The JSON means the same all the while; only how it was spelled shows the cut.
    "blanks of arguments lost": Bug(
        'call["arguments"] += tc.function.arguments',
        'call["arguments"] += tc.function.arguments.strip()',
        (
            "split-invariance does not hold: what is returned does not depend on where",
            "differs in the arguments of calls",
            "arrived, in 2 chunks:",
            '"arguments": "{\\"\\": "}}]}',
            '"arguments": "\\"\\"}"}}]}',
            "expected (the same without cuts):",
            'call 0: r({"": ""})',
            "got:",
            'call 0: r({"":""})',
            "first difference:",
        ),
    ),
}


def _pasted(output: str) -> str:
    """Return the test that the first failure tells to paste."""
    found = re.search(
        r"^E +as a test of its own:\n(.*?)^E +found after ",
        output,
        re.MULTILINE | re.DOTALL,
    )
    assert found is not None, output
    return textwrap.dedent(re.sub(r"^E( {7})?", "", found[1], flags=re.MULTILINE))


@pytest.mark.slow
def test_a_strangers_project_uses_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Its suite passes offline; each bug fails it with an input that is about the bug.

    That is so if the test that the failure tells to paste fails with this bug, and
    passes with the sound parser and with the other bug.
    """
    project = tmp_path / "weather"
    shutil.copytree(WEATHER, project)
    shutil.copytree(installed, tmp_path / "venv", symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    done = run(
        *(*PIP, "--python", python, *INSTALL, "--use-pep517"),
        *("pytest-asyncio", str(project)),
    )
    assert done.returncode == 0, done.stderr

    # `-m pytest` from the project: its own package is the one that is imported.
    done = run(python, "-m", "pytest", "-q", cwd=project)
    assert done.returncode == 0, done.stdout
    assert "10 passed" in done.stdout

    parser = project / "weatherbot" / "stream.py"
    sound = parser.read_text("utf-8")
    broken = {}
    for name, bug in BUGS.items():
        assert sound.count(bug.sound) == 1
        broken[name] = sound.replace(bug.sound, bug.broken)
        parser.write_text(broken[name], encoding="utf-8")
        done = run(python, "-m", "pytest", "-q", "tests/test_stream.py", cwd=project)
        assert done.returncode == 1, done.stdout
        place = 0
        for part in (
            *bug.told,
            "as a test of its own:",
            "found after ",
            "pytest 'tests/test_stream.py::test_however_it_arrives",
        ):
            place = done.stdout.find(part, place)
            assert place >= 0, f"{part!r} is not told, or too early:\n{done.stdout}"
        (project / "tests" / f"test_pasted_{len(broken)}.py").write_text(
            _pasted(done.stdout), encoding="utf-8"
        )

    pasted = [f"tests/test_pasted_{number}.py" for number in (1, 2)]
    for text, outcome in zip(
        (sound, *broken.values()), ("..", "F.", ".F"), strict=True
    ):
        parser.write_text(text, encoding="utf-8")
        done = run(python, "-m", "pytest", "-q", *pasted, cwd=project)
        assert done.stdout.split()[0] == outcome, done.stdout
