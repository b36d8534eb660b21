"""The cassettes that vendors' SDKs recorded from llama-server hold what they are for.

They are read here with PyYAML and `json` alone, as in `test_cassettes.py`, and played
to the SDK that recorded them.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from harness import load_cassette
from harness.debug.sdk_openai import OpenAi
from harness.engine.summary import summarise_exchange
from harness.record import use_cassette
from tests.cli.running import harness

ROOT = Path(__file__).resolve().parent.parent / "cassettes"


def _script() -> Any:
    """Return the script beside the cassettes as a module."""
    spec = importlib.util.spec_from_file_location(
        "record_sdks", ROOT / "record_sdks.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their annotations up there
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
SDK_FOLDERS = {f"llama-server-{api}" for api in SCRIPT.RUNNERS}
NAMES = sorted(
    f"{api}/{case}"
    for api in SCRIPT.RUNNERS
    for case in SCRIPT.CASES
    if SCRIPT.path_of(f"{api}/{case}").exists()
)


class Answer(NamedTuple):
    """One response, read without harness."""

    status: int
    ended: str
    events: list[dict[str, Any]]
    """Of a stream."""
    whole: dict[str, Any]
    """Of an answer that is no stream."""

    @property
    def last(self) -> dict[str, Any]:
        """The answer's content, stop and usage, as its API has them at the end."""
        if self.whole:
            return self.whole
        final = [one["response"] for one in self.events if "response" in one]
        if final and final[-1]["status"] != "in_progress":
            return dict(final[-1])
        return _message(self.events)

    @property
    def text(self) -> str:
        """The visible text."""
        found = ""
        for item in self.last.get("output") or self.last.get("content") or []:
            for part in item["content"] if item["type"] == "message" else [item]:
                found += part["text"] if part["type"] in _TEXTS else ""
        deltas = (one["delta"] for one in self.events if one["type"] == _DELTA)
        return found or "".join(deltas)  # of a stream that nobody read to its end

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Name and arguments of each call."""
        found = []
        for item in self.last.get("output") or self.last.get("content") or []:
            if item["type"] == "tool_use":
                found.append((item["name"], item["input"]))
            elif item["type"] == "function_call":
                found.append((item["name"], item["arguments"]))
        return found


_DELTA = "response.output_text.delta"
_TEXTS = {"text", "output_text"}


def _message(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up the events of a Messages stream; input stays text."""
    blocks: dict[int, dict[str, Any]] = {}
    message: dict[str, Any] = {}
    for one in events:
        if one["type"] == "content_block_start":
            blocks[one["index"]] = {**one["content_block"], "input": ""}
        elif one["type"] == "content_block_delta":
            delta = one["delta"]
            block = blocks[one["index"]]
            if delta["type"] == "text_delta":
                block["text"] += delta["text"]
            else:
                block["input"] += delta["partial_json"]
        elif one["type"] == "message_delta":
            message |= {**one["delta"], "usage": one["usage"]}
    return {**message, "content": [blocks[index] for index in sorted(blocks)]}


@cache
def read(name: str) -> tuple[list[dict[str, Any]], list[Answer]]:
    """Return the requests and the answers of a cassette."""
    text = SCRIPT.path_of(name).read_text("utf-8")
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    requests, answers = [], []
    for one in document["interactions"]:
        requests.append(json.loads(one["request"]["body"]))
        response = one["response"]
        body = response["body"]["string"]
        is_stream = not body.startswith("{")
        data = [
            line.removeprefix("data: ")
            for line in body.splitlines()
            if line.startswith("data: ") and line != "data: [DONE]"
        ]
        answers.append(
            Answer(
                response["status"]["code"],
                response["stream"]["ended"],
                [json.loads(line) for line in data] if is_stream else [],
                {} if is_stream else json.loads(body),
            )
        )
    return requests, answers


BLOCKS = {"anthropic/block-fields"}
"""A tool_use block begins without `input`."""
NO_INDEX = {"responses/sequence", "responses/fields", "responses/index-contiguous"}
"""No event has a sequence_number or an output_index, so no item has a place,"""
OF_TEXT = NO_INDEX | {"responses/text-sum", "responses/terminal-output"}
"""... and what is stated of them at the end belongs to none,"""
OF_CALL = NO_INDEX | {"responses/arguments-done", "responses/terminal-output"}
"""... nor is a call's `arguments.done` sent."""
CUT = {"broken-stream", "missing-finish"}
"""The client hung up."""
FINDINGS: dict[str, set[str]] = {
    "anthropic/client-stops": CUT
    | {"anthropic/block-stopped", "anthropic/delta-once", "anthropic/stop-last"},
    "anthropic/failing-tool": BLOCKS,
    "anthropic/length-arguments": BLOCKS | {"malformed-arguments"},
    "anthropic/length-text": set(),
    "anthropic/no-arguments": BLOCKS,
    # Both calls begin before the first has stopped; both stop at the end.
    "anthropic/parallel-calls": BLOCKS
    | {"anthropic/block-bracket", "anthropic/block-open"},
    "anthropic/refused": set(),
    "anthropic/text": set(),
    "anthropic/three-steps": BLOCKS,
    "anthropic/tool-call": BLOCKS,
    "anthropic/unicode-text": set(),
    "anthropic/whole-answer": set(),
    "responses/client-stops": CUT | NO_INDEX | {"responses/terminal"},
    "responses/failing-tool": OF_CALL | OF_TEXT,
    "responses/length-arguments": OF_CALL | {"malformed-arguments"},
    "responses/length-text": OF_TEXT,
    "responses/no-arguments": OF_CALL,
    # Without places the two calls cannot be told apart by the rules.
    "responses/parallel-calls": OF_CALL
    | OF_TEXT
    | {"responses/item-once", "responses/item-id", "responses/arguments-sum"},
    "responses/refused": set(),
    "responses/text": OF_TEXT,
    "responses/three-steps": OF_CALL | OF_TEXT,
    "responses/tool-call": OF_CALL,
    "responses/unicode-text": OF_TEXT,
    "responses/whole-answer": set(),
}
"""What `harness check` finds in each cassette: facts of llama-server, or what the
cassette was made to show."""


def _found(name: str) -> set[str]:
    """Return rules and kinds of the problems that `harness check` prints."""
    found = set()
    for line in harness("check", str(SCRIPT.path_of(name))).out.splitlines():
        words = line.split(": ")
        if "note" in words:
            continue
        rule = line.partition(" breaks ")[2].split(" ")[0]
        found.add(rule or next(word for word in words[2:] if " " not in word))
    return found


def test_every_cassette_is_one_of_the_script() -> None:
    """Nothing lies there that no case made; each API has at least six cassettes."""
    assert sorted(SCRIPT.path_of(name) for name in NAMES) == sorted(
        path for path in ROOT.glob("*/*.yaml") if path.parent.name in SDK_FOLDERS
    )
    assert min(Counter(name.partition("/")[0] for name in NAMES).values()) >= 6


@pytest.mark.parametrize("name", NAMES)
def test_cassette_shows_what_its_case_wants(name: str) -> None:
    """Calls, text, stop and number of requests, read without harness."""
    api, _, which = name.partition("/")
    case = SCRIPT.CASES[which]
    requests, answers = read(name)
    if case.stop == "refused":
        assert answers[0].status == 400
        assert answers[0].whole["error"]["message"]
        return
    calls = [call for answer in answers for call in answer.calls]
    assert tuple(called for called, _ in calls) == case.wants
    assert case.contains in answers[-1].text
    assert [one.get("stream", False) for one in requests] == [
        case.options.get("stream", True)
    ] * len(requests)
    if case.stop_reading_after:
        assert answers[-1].ended == "closed"
        assert len(answers[-1].events) >= case.stop_reading_after
        return
    assert answers[-1].ended == "complete"
    last = answers[-1].last
    if case.stop == "length":
        assert last["usage"]["output_tokens"] == case.options["max_tokens"]
    if case.stop:
        stated = last["stop_reason"] if api == "anthropic" else last["status"]
        assert stated in SCRIPT.STOPS[case.stop]


@pytest.mark.parametrize("name", NAMES)
def test_results_of_tools_are_in_the_next_request(name: str) -> None:
    """Each call is answered by its id, in the API's own form."""
    requests, answers = read(name)
    for request, answer in zip(requests[1:], answers, strict=False):
        said = json.dumps(request.get("messages") or request["input"])
        for item in answer.last.get("output") or answer.last["content"]:
            if item["type"] in {"tool_use", "function_call"}:
                assert said.count(item.get("call_id", item["id"])) == 2


@pytest.mark.parametrize("name", NAMES)
def test_harness_reads_the_same(name: str) -> None:
    """Text and calls are those of the independent reading."""
    for exchange, answer in zip(
        load_cassette(SCRIPT.path_of(name)).exchanges, read(name)[1], strict=True
    ):
        message = summarise_exchange(exchange).choices.get(0)
        if message is None:
            assert answer.status == 400
            continue
        assert message.content == answer.text
        assert [(one.name, _value(one.arguments)) for one in message.calls] == [
            (called, _value(arguments)) for called, arguments in answer.calls
        ]


def _value(arguments: Any) -> Any:
    """Return arguments as a value: text that is no JSON stays as it is."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


@pytest.mark.parametrize("name", NAMES)
def test_check_finds_what_the_server_does(name: str) -> None:
    """No problem besides those that are listed."""
    assert _found(name) == FINDINGS[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("responses/text", "TypeError: list indices must be integers"),
        ("responses/parallel-calls", "RuntimeError: Duplicate response output index"),
    ],
)
def test_openais_helper_cannot_read_the_servers_responses(
    name: str, error: str
) -> None:
    """Why the script does without it: no event has an output_index."""
    first = OpenAi().read(load_cassette(SCRIPT.path_of(name)))[0]
    (raised,) = first["raised"]
    assert raised["while"] == "accumulating"
    assert raised["error"].startswith(error)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the SDK's own
@pytest.mark.parametrize("name", NAMES)
def test_sdk_that_recorded_it_plays_it(name: str) -> None:
    """The same run without a server comes to the same."""
    api, _, which = name.partition("/")
    if api == "anthropic":
        pytest.importorskip("anthropic", reason="needs it, extra `sdks`")
    with use_cassette(SCRIPT.path_of(name), record="none") as session:
        run = SCRIPT.RUNNERS[api](SCRIPT.CASES[which], "http://127.0.0.1:8101")
        assert session.unplayed == []
    assert run.meets(SCRIPT.CASES[which])


def test_cassettes_are_small_and_hold_no_secret() -> None:
    """Under 60 KB each; no path, other host or credential of whoever recorded them."""
    for name in NAMES:
        text = SCRIPT.path_of(name).read_text("utf-8")
        assert len(text) < 60_000
        assert not re.search(r"/(tmp|home|root|Users|opt|usr|var)/|\.gguf", text)
        assert not re.search(r"(?i)bearer |set-cookie", text)
        assert "unused" not in text  # the key
        hosts = set(re.findall(r"https?://([^/\s\"']+)", text))
        assert hosts == {"127.0.0.1:8101"}


def test_readme_lists_them() -> None:
    """The table of each folder has the words of the cases."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in SDK_FOLDERS:
        section = text.split(f"## `{folder}/`")[1].split("\n## ")[0]
        rows = dict(
            re.findall(r"^\| `([\w-]+)\.yaml` \| (.+) \|$", section, re.MULTILINE)
        )
        assert rows == {
            name.partition("/")[2]: SCRIPT.CASES[name.partition("/")[2]].about
            for name in NAMES
            if SCRIPT.path_of(name).parent.name == folder
        }
