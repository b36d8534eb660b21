"""Every recorded stream says, through both interfaces, what independent answers say.

`expected.jsonl` was computed without this project. What is compared is put together
from the emissions that the command prints, never from our own accumulator. Random
splits take their seed from HARNESS_SEED.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.load import load_cassette
from harness.engine.agent_options import AgentOptions
from harness.engine.replay import replay
from harness.engine.transcript import message_json
from tests.acceptance.corpus import replayed
from tests.acceptance.reconstructed import (
    Said,
    as_meant,
    as_shown,
    from_fragments,
    from_openai_chunks,
    from_queue,
)
from tests.shared import SHARED, corpus_files, needs_shared

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette

pytestmark = needs_shared

CORPUS = SHARED / "corpus"
SEED = int(os.environ.get("HARNESS_SEED", "20241031"))
STREAMS = 583

Place = tuple[str, int]


@cache
def expected() -> dict[Place, dict[str, Any]]:
    """Return the independent answers, by file and exchange."""
    lines = (CORPUS / "expected.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    found = {(row["file"], row["interaction"]): row for row in rows}
    assert len(found) == STREAMS
    return found


def calls_of(place: Place) -> list[tuple[str, str]]:
    """Return the calls that an independent reader found in a stream."""
    return [(c["name"], c["arguments"]) for c in expected()[place]["tool_calls"]]


@cache
def printed(*options: str) -> dict[str, dict[Place, list[Any]]]:
    """Return what the command prints, by interface, file and exchange."""
    result = replayed(*options)
    assert result.code == 0
    found: dict[str, dict[Place, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for line in result.out.splitlines():
        row = json.loads(line)
        file = row["cassette"].removeprefix(f"{CORPUS}/")
        found[row["interface"]][file, row["exchange"]].append(row["message"])
    return found


@cache
def loaded(file: str) -> Cassette:
    """Return a cassette of the corpus; several tests replay it."""
    return load_cassette(CORPUS / file)


def differences(said: dict[Place, Said], *, is_shown: bool) -> list[Any]:
    """Return the streams whose content or calls are not the independent ones."""
    wrong: list[Any] = []
    for place, row in expected().items():
        got = said.get(place, Said())
        calls = calls_of(place)
        pairs: list[Any] = list(got.pairs)
        if is_shown:
            pairs = [(name, as_shown(arguments)) for name, arguments in pairs]
            calls = [(name, as_meant(arguments)) for name, arguments in calls]
        if (got.content, pairs) != (row["content"], calls):
            wrong.append((place, got.content, row["content"], pairs, calls))
    return wrong


@pytest.mark.slow
def test_streaming_interface_says_what_was_recorded() -> None:
    """Joined deltas of thoughts and calls are the content and calls of choice 0."""
    emitted = printed("--interface", "both")["streaming"]
    said = {place: from_fragments(messages) for place, messages in emitted.items()}
    assert differences(said, is_shown=False) == []


@pytest.mark.slow
def test_queuing_interface_says_what_was_recorded() -> None:
    """The queue's thoughts and calls are the content and calls of choice 0."""
    emitted = printed("--interface", "both")["queuing"]
    said = {place: from_queue(messages) for place, messages in emitted.items()}
    assert differences(said, is_shown=True) == []


@pytest.mark.slow
def test_step_mode_says_what_was_recorded() -> None:
    """Whole messages hold the same content and the same raw arguments."""
    emitted = printed("--mode", "steps")["streaming"]
    said = {place: from_fragments(messages) for place, messages in emitted.items()}
    for place in expected():
        for call in said[place].calls if place in said else []:
            call.arguments = call.arguments if call.arguments != "{}" else ""
    wrong = [
        w
        for w in differences(said, is_shown=False)
        # Empty arguments mean `{}`: both forms are one value.
        if (w[1], [(n, a or "{}") for n, a in w[3]])
        != (w[2], [(n, a or "{}") for n, a in w[4]])
    ]
    assert wrong == []


@pytest.mark.slow
def test_legacy_mode_says_what_was_recorded() -> None:
    """Lines of calls hold the parsed arguments."""
    emitted = printed("--mode", "legacy")["streaming"]
    said = {place: from_queue(messages) for place, messages in emitted.items()}
    assert differences(said, is_shown=True) == []


@pytest.mark.slow
def test_chat_completion_mode_says_what_was_recorded() -> None:
    """Calls pass through, thoughts are silent: an OpenAI client reads every call."""
    emitted = printed("--mode", "chat-completion")["streaming"]
    said = {place: from_openai_chunks(messages) for place, messages in emitted.items()}
    wrong = []
    for place in expected():
        calls = [c for c in calls_of(place) if c[0] != "send_message"]
        got = said.get(place, Said())
        if (got.content, got.pairs) != ("", calls):
            wrong.append((place, got.content, got.pairs, calls))
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("split", ["whole", "chars", "7", f"random:{SEED}"])
def test_every_split_says_what_was_recorded(split: str) -> None:
    """However the text is cut, joined deltas are the same."""
    emitted = printed("--split", split)["streaming"]
    said = {place: from_fragments(messages) for place, messages in emitted.items()}
    assert differences(said, is_shown=False) == []


def spoken_values() -> list[tuple[Place, str, str, str]]:
    """Return file and exchange, function, key and value of every string argument."""
    found = []
    for place in expected():
        for name, arguments in calls_of(place):
            values = as_meant(arguments)
            if isinstance(values, dict):
                found += [
                    (place, name, key, value)
                    for key, value in values.items()
                    if isinstance(value, str)
                ]
    return found


def test_there_are_values_to_speak() -> None:
    """The check below is not empty: hundreds of values, of several functions."""
    values = spoken_values()
    assert len(values) > 150
    assert len({name for _, name, _, _ in values}) > 10


@pytest.mark.parametrize(
    "split",
    [
        *("recorded", "whole"),
        pytest.param("chars", marks=pytest.mark.slow),
        pytest.param(f"random:{SEED}", marks=pytest.mark.slow),
        pytest.param(f"random:{SEED + 1}", marks=pytest.mark.slow),
        pytest.param(f"random:{SEED + 2}", marks=pytest.mark.slow),
    ],
)
def test_every_string_argument_can_be_the_assistants_text(split: str) -> None:
    """With a call's function and key as the assistant's, its value is spoken exactly.

    Where a response calls the function more than once, all its values are spoken, in
    order; the other calls are left as they are.
    """
    wrong = []
    asked = {(place, name, key) for place, name, key, _ in spoken_values()}
    for (file, number), name, key in sorted(asked):
        transcript = replay(
            loaded(file),
            "streaming",
            exchange=number,
            split=split,
            options=AgentOptions(
                use_assistant_message=True,
                assistant_function=name,
                assistant_argument=key,
            ),
        )
        said = from_fragments(
            [json.loads(message_json(message)) for message in transcript.messages]
        )
        spoken, passed = "", []
        for called, arguments in calls_of((file, number)):
            values = as_meant(arguments)
            if (
                called == name
                and isinstance(values, dict)
                and isinstance(values.get(key), str)
            ):
                spoken += values[key]
            else:
                passed.append((called, arguments))
        if (said.assistant, said.pairs) != (spoken, passed):
            wrong.append((file, number, name, key, said.assistant, spoken))
    assert wrong == []


@pytest.mark.slow
def test_every_cassette_was_replayed() -> None:
    """Each file of the corpus is there through both interfaces."""
    files = {str(path.relative_to(CORPUS)) for path in corpus_files()}
    result = replayed("--interface", "both")
    assert "Traceback" not in result.err
    assert result.err.splitlines()[-1].startswith(f"{len(files)} cassettes, ")
    emitted = printed("--interface", "both")
    # A queue has nothing to show of a stream that holds only reasoning or an error.
    assert set(emitted["queuing"]) <= set(emitted["streaming"])
    assert {place for place in expected() if expected()[place]["content"]} <= set(
        emitted["streaming"]
    )
