"""The same recording gives the same bytes, whatever the process and the machine."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.corpus import replayed
from tests.cli.running import ROOT, harness, harness_process
from tests.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

# The hash seed of this process is another one.
SURROUNDINGS = [
    {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LANG": "C", "COLUMNS": "40"},
    {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns", "PYTHONIOENCODING": "utf-8"},
]
FORMS = {
    f"{interface} {form}": [
        *("replay", "cassettes", f"--interface={interface}", f"--format={form}"),
    ]
    for interface in ("streaming", "queuing")
    for form in ("jsonl", "sse", "table")
}
MODES = {
    mode: [
        *("replay", "cassettes/llama-server", f"--mode={mode}", "--split=random:9"),
        *("--format=jsonl", "--assistant-message"),
    ]
    for mode in ("tokens", "steps", "legacy", "chat-completion")
}
_ALL_IN_ONE_PROCESS = r"""
import json, sys
from harness.cli import cli
from harness.cli.console import run

for arguments in json.loads(sys.argv[1]):
    try:
        run(cli, arguments)
    except SystemExit as stop:
        for stream in (sys.stdout, sys.stderr):
            print("exit code", stop.code, end="\0", file=stream, flush=True)
"""

Output = tuple[str, str]
"""What a command wrote to standard output and to standard error."""


@pytest.fixture(scope="module")
def elsewhere() -> list[dict[str, Output]]:
    """Return what each command prints in each of the surroundings."""
    commands = FORMS | MODES
    found = []
    for around in SURROUNDINGS:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                _ALL_IN_ONE_PROCESS,
                json.dumps([*commands.values()]),
            ],
            cwd=ROOT,
            env={**os.environ, **around},
            capture_output=True,
            check=True,
        )
        out, err = (b.decode().split("\0")[:-1] for b in (done.stdout, done.stderr))
        found.append(dict(zip(commands, zip(out, err, strict=True), strict=True)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("command", [*FORMS, *MODES])
def test_own_cassettes_give_identical_bytes(
    command: str, elsewhere: list[dict[str, Output]]
) -> None:
    """Hash seed, time zone and locale change nothing in what is printed.

    In each form by either interface, and in each mode under a seeded split.
    """
    here = harness(*(FORMS | MODES)[command])
    assert here.code == 0
    assert here.out
    for there in elsewhere:
        out, err = there[command]
        assert out == f"{here.out}exit code 0"
        assert err == f"{here.err}exit code 0"


@pytest.mark.slow
@needs_shared
def test_corpus_gives_identical_bytes() -> None:
    """So do the recordings of other projects, through both interfaces."""
    here = replayed("--interface", "both")
    there = harness_process(
        *("replay", str(SHARED / "corpus"), "--interface", "both", "--format", "jsonl"),
        environment=SURROUNDINGS[0],
    )
    assert here.out
    assert there == here


def test_place_and_name_of_the_file_change_only_the_cassette_key(
    tmp_path: Path,
) -> None:
    """Ids and dates come from the content: a copy elsewhere replays alike."""
    name = "cassettes/stock-vcrpy/two-turns.yaml"
    copy = tmp_path / "renamed.yaml"
    shutil.copy(ROOT / name, copy)
    options = ("--interface=both", "--format=jsonl")
    here = harness("replay", name, *options)
    there = harness("replay", str(copy), *options, cwd=tmp_path)
    assert there.out == here.out.replace(name, str(copy))


def test_message_ids_of_a_cassette_are_unique() -> None:
    """No two responses or returns of a cassette share an id."""
    from harness.engine.replay import replay
    from tests.engine.made import Spy

    for path in sorted((ROOT / "cassettes").glob("*/*.yaml")):
        if path.name.endswith(".scenario.yaml"):
            continue
        spy = Spy()
        try:
            replay(path, spy)
        except Exception as error:  # noqa: BLE001 - nothing to replay in some
            assert "nothing to replay" in str(error)  # noqa: PT017 - as above
            continue
        first_seen = list(itertools.groupby(r.id for r in spy.records))
        ids = [key for key, _ in first_seen]
        assert len(ids) == len(set(ids)), path.name
