"""A process of its own gives what the other tests see: bytes, exit code, one line."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.cli.running import ROOT, harness, harness_process

FORCED = "cassettes/stock-vcrpy/forced-call.yaml"
BROKEN = "tests/data/broken-arguments.sse"


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, ["replay", "cassettes/stock-vcrpy", "--format", "jsonl"]),
        pytest.param(
            *(0, ["replay", "cassettes", "--format", "jsonl"]), marks=pytest.mark.slow
        ),
        (1, ["replay", BROKEN, "--strict"]),
        (2, ["replay", "no-such.yaml"]),
        (2, ["replay", FORCED, "--no-such-option"]),
        (2, ["show"]),
        (0, ["--help"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_process_gives_what_is_tested_without_one(
    code: int, arguments: list[str]
) -> None:
    """The same bytes on both outputs, and the exit code of the kind."""
    process = harness_process(*arguments)
    assert process.code == code
    assert process == harness(*arguments)


def test_process_reads_its_standard_input() -> None:
    """Bytes from a pipe are read like those that the other tests hand in."""
    stdin = (ROOT / BROKEN).read_bytes()
    process = harness_process("replay", "-", stdin=stdin)
    assert process.out
    assert process == harness("replay", "-", stdin=stdin)


@pytest.mark.parametrize("command", ["show", "replay"])
def test_a_character_that_the_output_has_not_is_escaped(command: str) -> None:
    """Of an output in another encoding than UTF-8, as a pipe of Windows is."""
    delta = b'{"choices": [{"index": 0, "delta": {"content": "\xf0\x9f\x8c\x88"}}]}'
    result = harness_process(
        *(command, "-"),
        stdin=b"data: " + delta + b"\n\n",
        environment={"PYTHONIOENCODING": "latin-1"},
    )
    assert result.code == 0
    assert r"\U0001f308" in result.out
    assert "UnicodeEncodeError" not in result.err


_CTRL_C = """
import signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == {!r}:
            signal.raise_signal(signal.SIGINT)

# As Python starts, also where the tests run in the background of a shell.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
sys.argv = ["harness", "ls", "cassettes"]
from harness.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("module", "told"),
    [("click", b""), ("harness.cli.ls", b"\nharness: interrupted\n")],
)
def test_ctrl_c_while_modules_are_imported_gives_no_traceback(
    module: str, told: bytes
) -> None:
    """Before there is a command line it ends the process, afterwards as always."""
    done = subprocess.run(
        [sys.executable, "-c", _CTRL_C.format(module)],
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode in {-signal.SIGINT, 130, 3}  # 3: Windows
    assert (done.stdout, done.stderr) == (b"", told)
