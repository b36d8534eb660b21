"""What importing costs, and that the public names are what they say."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, requires
from pathlib import Path

import pytest

import harness

HEAVY = {"pydantic", "vcr", "yaml", "hypothesis", "syrupy", "rich", "httpx", "openai"}
RECORDING = (
    Path(__file__).resolve().parents[2] / "cassettes/llama-server/plain-text.yaml"
)


UNUSED = {
    *("asyncio", "concurrent.futures", "ssl", "logging", "difflib"),
    *("pickle", "html.entities", "pydantic_core", "traceback"),
    "harness.apis.chat.cutting",
    "harness.cassettes.importers.base",
    "harness.apis.chat.models",
    "harness.apis.chat.dialects",
    "harness.apis.chat.faults",
    "harness.core.splits",
    "harness.agents.letta.queuing",
    "harness.debug",
}
"""What only some replays need; the biggest of them takes a tenth of a start."""


def _loaded_after(code: str) -> set[str]:
    """Return the names of the modules that a new process has then."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


_WATCHED = """
import os, sys
before = set(sys.modules)
from harness.cli import cli

class Watched:
    lines = 0

    def write(self, text):
        self.lines += text.count(chr(10))
        if self.lines >= {line}:
            os.write(1, " ".join(set(sys.modules) - before).encode())
            os._exit(0)

    def isatty(self):
        return False

    def flush(self):
        pass

sys.stdout = Watched()
cli({arguments}, standalone_mode=False)
sys.exit("there were fewer lines")
"""


def _loaded_when(line: int, *arguments: str) -> set[str]:
    """Return what `harness` has loaded at the moment when it writes a line."""
    code = _WATCHED.format(line=line, arguments=list(arguments))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import harness",
        (
            "import contextlib, io\nfrom harness.cli import cli\n"
            "with contextlib.redirect_stdout(io.StringIO()):\n"
            "    cli(['--help'], standalone_mode=False)"
        ),
    ],
    ids=["import harness", "harness --help"],
)
def test_light_paths_load_nothing_heavy(code: str) -> None:
    """Neither the package nor its help page loads a library that takes time."""
    assert _loaded_after(code) & HEAVY == set()


def test_replay_says_what_it_is_at_before_what_takes_long() -> None:
    """The title of a replay is out before an interface is loaded."""
    loaded = _loaded_when(1, "replay", str(RECORDING))
    assert "harness.cassettes.load" in loaded
    assert loaded & (UNUSED | HEAVY) == {"yaml"}
    assert "harness.agents.letta.messages" not in loaded


@pytest.mark.parametrize("form", ["table", "jsonl", "sse"])
def test_replay_shows_a_message_with_nothing_loaded_that_it_does_not_use(
    form: str,
) -> None:
    """A plain replay has emitted before any of what other replays need is loaded."""
    row = 3 if form == "table" else 1
    loaded = _loaded_when(row, "replay", "--format", form, str(RECORDING))
    assert "harness.agents.letta.light_messages" in loaded
    assert "harness.agents.letta.messages" not in loaded
    assert loaded & (UNUSED | HEAVY) == {"yaml"}


_OF_A_REPLAY = {
    "": "agents apis cassettes cli core engine errors limits",
    "agents": "letta",
    "agents.letta": (
        "agent_interface assistant_calls chat_completion light_messages step_messages "
        "streaming surrogates token_messages waiting"
    ),
    "apis": (
        "accounting bare_errors base chat counts detect habits json_values lane "
        "sdk_objects tables varied"
    ),
    "apis.chat": (
        "api chunks deltas known_fields only_text reader request restate "
        "shown_reasoning texts"
    ),
    "cassettes": (
        "bodies classify file_endings formats importers inputs interactions "
        "journal_text json_recordings json_text large_values library load model "
        "yaml_text"
    ),
    "cli": "console forms jobs look options output replay replay_run",
    "core": (
        "accumulate aws_event_stream byte_decoder diagnostics fielded framing "
        "json_arguments json_paths json_states json_stream json_strings json_texts "
        "package_files parts patterns sse text"
    ),
    "engine": (
        "adapter_base adapters agent agent_options arguments_check chosen_exchanges "
        "conversation drive emission excerpt generator_adapter identity "
        "process_adapter replay restated stray_lines stream targets transcript "
        "user_frames whole_answers"
    ),
}
"""All of ours that a plain replay of a chat recording loads; a further one costs every
replay, so it is added here when a plain replay uses it and not before."""


def test_a_plain_replay_loads_these_modules_of_ours_and_no_other() -> None:
    """Of the APIs only the recording's, of the models and importers none."""
    modules = {
        f"{room}.{name}".strip(".")
        for room, names in _OF_A_REPLAY.items()
        for name in names.split()
    }
    loaded = {
        name.removeprefix("harness").strip(".")
        for name in _loaded_when(3, "replay", str(RECORDING))
        if name.partition(".")[0] == "harness"
    }
    assert loaded - {""} == modules


def test_importing_the_package_loads_no_other_module_of_ours() -> None:
    """Its names come from their modules when they are asked for."""
    loaded = _loaded_after("import harness")
    assert [name for name in loaded if name.startswith("harness.")] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "module"),
    [
        ("--dialect=azure", "harness.apis.chat.dialects"),
        ("--fault=no-done", "harness.apis.chat.faults"),
        ("--split=chars", "harness.core.splits"),
        ("--interface=queuing", "harness.agents.letta.queuing"),
    ],
)
def test_replay_loads_what_it_was_asked_for(option: str, module: str) -> None:
    """What is left out of a plain replay is there when it is used."""
    assert module in _loaded_when(3, "replay", option, str(RECORDING))


def test_public_names_are_sorted_and_resolve() -> None:
    """`__all__` is sorted, every name in it resolves, and `dir` shows it."""
    assert list(harness.__all__) == sorted(harness.__all__)
    assert [name for name in harness.__all__ if not hasattr(harness, name)] == []
    assert set(harness.__all__) <= set(dir(harness))


@pytest.mark.parametrize("first", ["harness.engine.transcript", "harness.engine"])
def test_replay_is_the_function_whatever_is_imported_first(first: str) -> None:
    """`from harness import replay` is callable after any submodule was imported."""
    code = f"import {first}\nfrom harness import replay\nassert callable(replay)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as on any module, naming it."""
    with pytest.raises(AttributeError, match="has no attribute 'repaly'"):
        _ = harness.repaly  # type: ignore[attr-defined]  # the point of the test


def test_distribution_declares_the_command_and_few_dependencies() -> None:
    """The command is installed and nothing beyond the agreed runtime needs is."""
    (script,) = entry_points(group="console_scripts", name="harness")
    assert script.value == "harness.__main__:main"
    needed = {
        line.partition(">")[0].partition("=")[0].strip().lower()
        for line in requires("agent-stream-harness") or []
        if "extra ==" not in line
    }
    assert needed == {"click", "pydantic", "pyyaml", "rich", "vcrpy"}


_CORPUS = {"dask", "distributed", "fsspec", "pyarrow"}


def test_nothing_of_corpora_is_loaded_unless_it_is_asked_for() -> None:
    """The package, the plugin and every command leave the room of corpora alone."""
    code = (
        "import importlib, harness, harness.pytest_plugin.plugin, harness.cli\n"
        "for module in harness.cli._COMMANDS.values(): importlib.import_module(module)"
    )
    loaded = _loaded_after(code)
    assert loaded & _CORPUS == set()
    assert [name for name in loaded if name.startswith("harness.corpus")] == []


@pytest.mark.slow
def test_a_sweep_of_a_folder_needs_no_extra(tmp_path: Path) -> None:
    """Neither fsspec nor pyarrow nor Dask is loaded for files of this machine."""
    output = str(tmp_path / "rows.jsonl")
    asked = ("sweep", str(RECORDING.parent), "--jobs", "1", "--output", output)
    loaded = _loaded_when(1, *asked)
    assert "harness.corpus.engines" in loaded
    assert loaded & _CORPUS == set()


@pytest.mark.slow
def test_messages_are_made_while_the_time_is_frozen() -> None:
    """Freezegun, with a `datetime` of its own, asks modules for all their names."""
    names = "print(*(getattr(harness, n) for n in dir(harness)), file=sys.stderr)"
    assert "pydantic" not in _loaded_after(f"import sys, harness\n{names}")
    frozen = """
import datetime, pydantic.fields, harness
pydantic.create_model("Used", day=(datetime.date, ...))
class FakeDate(datetime.date): pass
class FakeDatetime(datetime.datetime, FakeDate): pass
datetime.date, datetime.datetime = FakeDate, FakeDatetime
date = FakeDatetime(2020, 1, 1, tzinfo=datetime.UTC)
assert harness.InternalMonologue(id="1", date=date, internal_monologue="x")
"""
    assert "harness.agents.letta.messages" in _loaded_after(frozen)
