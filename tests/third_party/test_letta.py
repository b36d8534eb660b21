"""Letta's own interfaces, unmodified, over every cassette of this repository.

Needs `letta` in the environment (0.5.0 for the two classes of its server, 0.16 for the
classes that take a stream; Python below 3.13 and 3.14): see `README.md` beside this
file. What fails is Letta's, and each failure has a row here and there.
"""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
import warnings
from collections import Counter
from functools import partial
from typing import Any

import pytest

from harness import InterfaceError, NothingToReplayError, replay
from tests.cli.running import ROOT
from tests.shared import SHARED

pytestmark = [
    pytest.mark.slow,
    # Letta's and its dependencies' own, of their imports and of pydantic's
    pytest.mark.filterwarnings("ignore"),
]

CASSETTES = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "cassettes").rglob("*.yaml")
    if "scenario" not in path.name
)
SERVER = "letta.server.rest_api.interface"
LATER = "letta.interfaces"

# What an exception says, by the row of README.md.
ROWS = {
    "letta-1": "ValueError: Couldn't find delta in chunk",
    "letta-2": "AssertionError: Tried to reach back to grab function call data",
    "letta-3": "RuntimeError: Streaming integrity failed - received BetaInputJSONDelta",
}


def _class(module: str, name: str) -> str:
    """Return MODULE:NAME of a class of Letta's; skip where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = importlib.import_module(module)
    except ImportError as error:
        pytest.skip(f"needs letta with {module} ({error})")
    if not hasattr(found, name):
        pytest.skip(f"this letta has no {module}:{name}")
    return f"{module}:{name}"


def _row_of(error: InterfaceError) -> str:
    """Return the row of what a line of Letta's raised, else the error."""
    rows = (row for row, text in ROWS.items() if text in str(error))
    return next(rows, str(error)) if "letta" in error.line else str(error)


def _outcomes(target: object) -> tuple[Counter[str], list[Any]]:
    """Replay every cassette; count how each went, and collect what was emitted."""
    counted: Counter[str] = Counter()
    emitted: list[Any] = []
    for path in CASSETTES:
        try:
            transcript = replay(str(ROOT / path), target)
        except NothingToReplayError:
            counted["nothing to replay"] += 1
        except InterfaceError as error:
            counted[_row_of(error)] += 1
        else:
            counted["whole"] += 1
            emitted += transcript.messages
    return counted, emitted


@pytest.mark.parametrize(
    ("name", "row", "whole"),
    [
        ("StreamingServerInterface", "letta-1", 25),
        ("QueuingInterface", "letta-2", 53),
    ],
)
def test_classes_of_the_server_are_driven(name: str, row: str, whole: int) -> None:
    """Without an adapter; all that fails is of one kind, which is Letta's."""
    counted, emitted = _outcomes(_class(SERVER, name))
    assert counted == {
        "nothing to replay": 5,
        "whole": whole,
        row: len(CASSETTES) - 5 - whole,
    }
    assert emitted


def test_lines_stay_json_whatever_letta_prints() -> None:
    """Its queue prints every message: on standard error, among no JSON lines."""
    target = _class(SERVER, "QueuingInterface")
    command = [sys.executable, "-W", "ignore", "-m", "harness", "replay", "cassettes"]
    result = subprocess.run(
        [*command, "--format", "jsonl", "--interface", target],
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    lines = result.stdout.decode().splitlines()
    assert len(lines) > 50
    assert all("message" in json.loads(line) for line in lines)
    assert b"\nRunning " in result.stderr
    assert result.returncode == 1  # letta-2


def _text(emitted: list[Any]) -> str:
    """Return the content in what `OpenAIChatCompletionsStreamingInterface` yields."""
    lines = [line for line in emitted if isinstance(line, str)]
    payloads = [json.loads(line.removeprefix("data: ")) for line in lines]
    return "".join(p["choices"][0]["delta"]["content"] or "" for p in payloads)


def test_class_that_passes_chunks_on_is_driven() -> None:
    """Its content is what the recordings hold, piece by piece."""
    target = _class(
        f"{LATER}.openai_chat_completions_streaming_interface",
        "OpenAIChatCompletionsStreamingInterface",
    )
    counted, emitted = _outcomes(target)
    assert counted == {"nothing to replay": 5, "whole": len(CASSETTES) - 5}
    assert _text(emitted)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("OpenAIStreamingInterface", {}),
        # Its agent passes the model's name, without which it raises at once.
        ("SimpleOpenAIStreamingInterface", {"model": "gpt-4o-mini"}),
    ],
)
def test_later_classes_are_driven(name: str, options: dict[str, Any]) -> None:
    """`process(stream)`, then `get_content()` and `get_tool_call_objects()`."""
    module = f"{LATER}.openai_streaming_interface"
    _class(module, name)
    made = partial(getattr(importlib.import_module(module), name), **options)
    counted, emitted = _outcomes(made)
    assert counted == {"nothing to replay": 5, "whole": len(CASSETTES) - 5}
    assert emitted


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("anthropic_streaming_interface", "SimpleAnthropicStreamingInterface"),
        ("gemini_streaming_interface", "SimpleGeminiStreamingInterface"),
        ("openai_streaming_interface", "SimpleOpenAIResponsesStreamingInterface"),
    ],
)
def test_classes_of_other_apis_get_their_own_events(file: str, name: str) -> None:
    """By the annotation of `process`: the SDK's objects of that API, none restated."""
    _class(f"{LATER}.{file}", name)
    found = getattr(importlib.import_module(f"{LATER}.{file}"), name)
    folder = {"openai": "responses"}.get(api := file.partition("_")[0], api)
    paths = sorted((SHARED / "protocols" / folder).rglob("*.y*ml"))[:12]
    if not paths:
        pytest.skip("needs the recorded streams beside this repository")
    accepted = inspect.signature(found).parameters
    made = partial(found, **({"model": "gpt-4o"} if "model" in accepted else {}))
    emitted = 0
    for path in paths:
        try:
            emitted += len(replay(str(path), made).messages)
        except NothingToReplayError:
            continue
        except InterfaceError as error:
            if _row_of(error) != "letta-3":
                raise
    assert emitted > len(paths)
