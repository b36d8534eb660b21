"""The same recording gives the same bytes, whatever the process and the machine."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, harness
from tests.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

SURROUNDINGS = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LANG": "C", "COLUMNS": "40"},
    {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns", "PYTHONIOENCODING": "utf-8"},
]


def outputs(*arguments: str) -> list[tuple[str, str]]:
    """Return what one command prints in each of the surroundings."""
    runs = [harness(*arguments, environment=around) for around in SURROUNDINGS]
    assert [run.code for run in runs] == [0] * len(runs)
    assert runs[0].out
    return [(run.out, run.err) for run in runs]


@pytest.mark.parametrize("form", ["jsonl", "sse", "table"])
@pytest.mark.parametrize("interface", ["streaming", "queuing"])
def test_own_cassettes_give_identical_bytes(interface: str, form: str) -> None:
    """Hash seed, time zone and locale change nothing in what is printed."""
    first, *others = outputs(
        "replay", "cassettes", f"--interface={interface}", f"--format={form}"
    )
    assert all(other == first for other in others)


@pytest.mark.parametrize("mode", ["tokens", "steps", "legacy", "chat-completion"])
def test_every_mode_and_a_random_split_give_identical_bytes(mode: str) -> None:
    """The modes and a seeded split are as deterministic."""
    first, *others = outputs(
        "replay",
        "cassettes/llama-server",
        f"--mode={mode}",
        "--split=random:9",
        "--format=jsonl",
        "--assistant-message",
    )
    assert all(other == first for other in others)


@needs_shared
def test_corpus_gives_identical_bytes() -> None:
    """So do the recordings of other projects, through both interfaces."""
    first, *others = outputs(
        "replay", str(SHARED / "corpus"), "--interface=both", "--format=jsonl"
    )
    assert all(other == first for other in others)


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
