"""A scenario file says what it means, or is refused in one line that helps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness.errors import ScenarioError
from harness.record.scenario_reading import load_scenario, parse_scenario

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST = "model: m\nmessages: [{role: user, content: Hi.}]\n"


def test_smallest_scenario_has_sensible_defaults() -> None:
    """A model and a message are enough: a stream, no tools, eight steps at most."""
    scenario = parse_scenario(SMALLEST, path="s.yaml")
    assert scenario.stream is True
    assert scenario.tools == {}
    assert scenario.max_steps == 8
    assert scenario.options.fields() == {}


def test_structures_become_json_text_where_the_protocol_wants_text() -> None:
    """Arguments and results may be written as YAML mappings."""
    scenario = parse_scenario(
        SMALLEST.replace(
            "[{role: user, content: Hi.}]",
            "[{role: assistant, tool_calls: "
            "[{id: c, function: {name: f, arguments: {text: é}}}]},"
            " {role: tool, tool_call_id: c, content: {ok: true}}]",
        )
        + "tools: {f: {returns: [1, {a: null}]}}\n",
        path="s.yaml",
    )
    calls = scenario.messages[0].tool_calls
    assert calls is not None
    assert calls[0].function.arguments == '{"text": "é"}'
    assert scenario.messages[1].content == '{"ok": true}'
    assert scenario.tools["f"].result(0) == '[1, {"a": null}]'


def test_results_in_turn_end_with_the_last_one() -> None:
    """The third call of a tool with two results gives the second again."""
    text = SMALLEST + "tools: {f: {returns_in_turn: [one, two]}}\n"
    tool = parse_scenario(text, path="s.yaml").tools["f"]
    assert [tool.result(number) for number in range(3)] == ["one", "two", "two"]


def test_options_keep_the_types_of_the_file() -> None:
    """A temperature of 0 is sent as 0 and not as 0.0, a field of `extra` as it is."""
    text = SMALLEST + "options: {temperature: 0, top_p: 0.5, extra: {top_k: [1]}}\n"
    fields = parse_scenario(text, path="s.yaml").options.fields()
    assert repr(fields) == "{'temperature': 0, 'top_p': 0.5, 'top_k': [1]}"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        pytest.param("a: [\n", "line 2, column 1", "no YAML (", id="no YAML"),
        pytest.param("[x]", "", "expected a mapping with the keys about,", id="list"),
        pytest.param("interactions: []", "", "this is a cassette", id="cassette"),
        pytest.param("", "", "expected a mapping", id="empty file"),
        pytest.param(
            SMALLEST.replace("model: m\n", ""),
            "",
            "the key 'model' is missing",
            id="missing",
        ),
        pytest.param(
            SMALLEST.replace("model: m", "model: 3"),
            "model",
            "expected a valid string, got 3",
            id="wrong type",
        ),
        pytest.param(
            SMALLEST.replace("messages", "mesages"),
            "",
            "unknown key 'mesages' (did you mean 'messages'?); allowed are about, "
            "expect, max_steps, messages, model, options, stop_reading_after, stream, "
            "tools, turns",
            id="unknown key",
        ),
        pytest.param(
            SMALLEST + "options: {max_token: 3}\n",
            "options",
            "unknown key 'max_token' (did you mean 'max_tokens'?); allowed are extra, ",
            id="unknown option",
        ),
        pytest.param(
            SMALLEST + "tools: {options: {fail: no}}\n",
            "tools.options",
            "unknown key 'fail' (did you mean 'fails'?); allowed are description, "
            "fails, parameters, returns, returns_in_turn",
            id="unknown key of a tool with a confusing name",
        ),
        pytest.param(
            SMALLEST + "turns: [{}, {options: {sed: 3}}]\n",
            "turns[1].options",
            "unknown key 'sed' (did you mean 'seed'?)",
            id="unknown option of a turn",
        ),
        pytest.param(
            SMALLEST.replace("role: user", "role: users"),
            "messages[0].role",
            "expected 'system', 'developer', 'user', 'assistant' or 'tool', "
            "got 'users'",
            id="what is allowed",
        ),
        pytest.param(
            SMALLEST + "options: {temperature: hot}\n",
            "options.temperature",
            "expected a valid integer or a valid number, got 'hot'",
            id="either of two types",
        ),
        pytest.param(
            SMALLEST + "max_steps: 0\n",
            "max_steps",
            "expected greater than or equal to 1, got 0",
            id="too small",
        ),
        pytest.param(
            SMALLEST.replace("{role: user, content: Hi.}", "Hi."),
            "messages[0]",
            "expected a mapping, got 'Hi.'",
            id="no mapping",
        ),
        pytest.param(
            SMALLEST + "tools: {f: {fails: no luck, returns: x}}\n",
            "tools.f",
            "returns and fails are both given; keep one",
            id="two results",
        ),
        pytest.param(
            SMALLEST + "tools: {f: {}}\nturns: [{tools: [g]}]\n",
            "",
            "turns[0].tools: no tool is called 'g'; there are f",
            id="unknown tool",
        ),
        pytest.param(
            SMALLEST + "max_steps: 0\nstream: maybe\nmodel: m\n",
            "stream",
            "expected a valid boolean, got 'maybe' (and 1 more place)",
            id="several",
        ),
    ],
)
def test_wrong_scenario_names_the_place_and_what_is_allowed(
    text: str, place: str, problem: str
) -> None:
    """Each slip gives one line: the file, the key path, what is allowed there."""
    with pytest.raises(ScenarioError, match=re.escape(problem)) as caught:
        parse_scenario(text, path="my.scenario.yaml")
    assert caught.value.place == place
    assert str(caught.value).startswith("my.scenario.yaml: ")
    assert "\n" not in str(caught.value)


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    """A file that is not there, or is no text, is a scenario error as well."""
    with pytest.raises(ScenarioError, match="there is no such file"):
        load_scenario(tmp_path / "absent.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(binary)
