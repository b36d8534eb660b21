"""Shell completion: the protocol, and bash with its own keys."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import click
import pytest

from harness.apis.chat.dialects.registry import DIALECTS
from harness.apis.chat.faults import FAULTS
from harness.cli import cli
from tests.cli.running import ROOT, harness

PROGRAM = Path(sys.executable).parent / "harness"
SHELLS = {"bash": "bash", "zsh": "zsh", "fish": "fish"}


def _asked(instruction: str, words: str = "", number: int = 0) -> list[str]:
    """Run `harness` as a shell does to ask what could be typed."""
    result = subprocess.run(
        [PROGRAM],
        env={**os.environ, **_question(instruction, words, number)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def _question(instruction: str, words: str, number: int) -> dict[str, str]:
    """Return the environment in which a shell asks."""
    return {
        "_HARNESS_COMPLETE": instruction,
        "COMP_WORDS": words,
        "COMP_CWORD": str(number),
    }


def _completed(words: str) -> list[str]:
    """Return what completes the last word, asked in this process."""
    asked = _question("bash_complete", words, len(words.split(" ")) - 1)
    result = harness(environment=asked)
    assert (result.code, result.err) == (0, "")
    return [line.partition(",")[2] for line in result.out.splitlines() if line]


def test_commands_complete() -> None:
    """The beginning of a name gives the commands that begin so."""
    assert _completed("harness re") == ["record", "replay", "report", "rerecord"]


def test_paths_are_left_to_the_shell() -> None:
    """Where a recording is expected the shell is told to complete files."""
    assert _asked("bash_complete", "harness replay ca", 2) == ["file,ca"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("harness replay --interface ", ["streaming", "queuing", "both"]),
        ("harness diff --interface-b q", ["queuing"]),
        ("harness replay --dialect az", ["azure", "azure-async", "azure-null-delta"]),
        ("harness serve --dialect azure+cr", ["azure+crlf", "azure+cr"]),
        ("harness diff --fault-b cut", ["cut-chunks", "cut-bytes"]),
        ("harness serve --fault re", ["reordered-chunks", "reset"]),
        ("harness replay --fault re", ["reordered-chunks"]),
        ("harness replay --split w", ["whole"]),
        ("harness replay --mode st", ["steps"]),
        ("harness fuzz har", ["harness:FunctionArgumentsStreamHandler"]),
        ("harness replay --api anthropic --dialect bed", ["bedrock-invoke"]),
        ("harness convert --api responses --dialect cop", ["copilot"]),
        ("harness replay --api gemini --fault recitation", ["recitation"]),
        ("harness docs rec", ["record"]),
    ],
)
def test_values_complete(words: str, expected: list[str]) -> None:
    """Names of interfaces, dialects, faults, splits and modes, joined ones too."""
    assert _completed(words) == expected


def test_every_name_that_is_offered_is_taken() -> None:
    """All dialects and faults there are, no other."""
    assert _completed("harness replay --dialect ") == list(DIALECTS)
    assert _completed("harness replay --fault ") == list(FAULTS)


def test_each_text_of_every_command_that_has_names_completes() -> None:
    """No command has a path, dialect, fault, split or interface that does not."""
    from harness.cli.completion import attach

    wanted = re.compile(r"path|paths|a|b|(interface|dialect|fault|split)(_b)?|target")
    context = click.Context(cli)
    left = []
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        kinds = [parameter.type for parameter in command.params]
        attach(command)
        left += [
            f"{name} {parameter.name}"
            for parameter in command.params
            if wanted.fullmatch(parameter.name or "") and parameter.type is click.STRING
        ]
        for parameter, kind in zip(command.params, kinds, strict=True):
            parameter.type = kind  # the commands are those of every other test
    assert left == []


@pytest.mark.parametrize("shell", SHELLS)
def test_script_is_one_that_the_shell_takes(shell: str) -> None:
    """What the line in the page evaluates parses, where there is such a shell."""
    script = "\n".join(_asked(f"{shell}_source"))
    assert f"_HARNESS_COMPLETE={shell}_complete" in script
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_completes() -> None:
    """fish, told as the page shows, completes names and shows what they do."""
    script = (
        "_HARNESS_COMPLETE=fish_source harness | source; "
        "complete -C 'harness replay --dialect azure-n'"
    )
    result = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env={**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "azure-null-delta\tthe same with a null delta\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_at_a_key() -> None:
    """In an interactive bash with the how-to page's line, Tab completes all of it."""
    page = (ROOT / "docs/pages/how-to/replay.md").read_text("utf-8")
    line = re.search(r"^eval .*bash_source.*$", page, re.MULTILINE)
    assert line is not None
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(terminal, (40, 200))
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
            "PS1": "ready> ",
            "TERM": "dumb",
            "INPUTRC": os.devnull,
        },
    )
    os.close(inside)
    seen = b""

    def wait_for(wanted: str) -> None:
        nonlocal seen
        deadline = time.monotonic() + 60
        while wanted.encode() not in seen:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([terminal], [], [], left)
            assert ready, f"{wanted!r} never came; it shows {seen!r}"
            seen += os.read(terminal, 4096)
        seen = seen.partition(wanted.encode())[2]

    try:
        wait_for("ready> ")
        os.write(terminal, f"{line[0]}; echo loaded-$?\n".encode())
        wait_for("loaded-0")
        wait_for("ready> ")
        os.write(terminal, b"harness repl\t")
        wait_for("harness replay ")
        os.write(terminal, b"--dialect azure-n\t")
        wait_for("azure-null-delta ")
        os.write(terminal, b"cassettes/stock-vcrpy/two\t")
        wait_for("two-turns.yaml ")
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)
