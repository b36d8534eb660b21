"""Running a scenario: the agent loop of a client that only has canned tools.

`run_scenario` sends the conversation, reads the answer, answers its tool calls from
the scenario and goes on, until nothing is left to send. It owns the loop and what a
run came to; one request and its answer are `harness.record.scenario_answer`. It
writes no files.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import tool_call
from harness.apis.json_values import parsed
from harness.errors import shorten
from harness.record.scenario import Ending, Scenario, failure
from harness.record.scenario_answer import Send, Turn, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.core.parts import ToolCall


@dataclass(slots=True)
class ScenarioRun:
    """What a run came to."""

    turns: list[Turn] = field(default_factory=list)
    """In order."""

    @property
    def ending(self) -> Ending:
        """How the last response ended; earlier ones were complete."""
        return self.turns[-1].ending

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of all turns, in order."""
        return [call for turn in self.turns for call in turn.message.calls]

    @property
    def chunks(self) -> int:
        """Of all turns."""
        return sum(turn.chunks for turn in self.turns)

    def unmet(self, scenario: Scenario) -> list[str]:
        """Return what the scenario expects and the run did not come to.

        Args:
            scenario: The one that was run.

        Returns:
            One sentence each; empty if it is as expected.
        """
        expect, last = scenario.expect, self.turns[-1]
        wanted = expect.ending
        if wanted is None:
            turn = scenario.turn(len(self.turns) - 1)
            stops = turn.stop_reading_after or scenario.stop_reading_after
            wanted = "closed" if stops else "complete"
        unmet = []
        if last.ending != wanted:
            reason = f" ({last.problem})" if last.problem else ""
            unmet.append(f"expected a {wanted} answer, got a {last.ending} one{reason}")
        names = [call.name for call in self.calls]
        if expect.calls is not None and names != expect.calls:
            unmet.append(f"expected the calls {expect.calls}, got {names}")
        finish = last.message.finish_reason
        if expect.finish is not None and finish != expect.finish:
            unmet.append(f"expected the finish {expect.finish!r}, got {finish!r}")
        if expect.choices is not None and last.choices != expect.choices:
            unmet.append(f"expected {expect.choices} choices, got {last.choices}")
        said = "\0".join(self._texts())  # no text that is looked for spans two
        unmet += [
            f"expected {text!r} in what was said, got {shorten(said)}"
            for text in expect.contains or []
            if text not in said
        ]
        return unmet

    def _texts(self) -> Iterator[str]:
        for turn in self.turns:
            yield turn.message.content
            for call in turn.message.calls:
                yield from _strings(_arguments(call))


def run_scenario(
    scenario: Scenario,
    send: Send,
    *,
    on_progress: Callable[[int, int], None] = lambda _turn, _chunks: None,
) -> ScenarioRun:
    """Run a conversation to its end.

    It ends where the model calls nothing and the next turn adds nothing new, where it
    calls a tool that has no result, after `max_steps` requests, and with the first
    response that is not complete or that the length limit cut.

    Args:
        scenario: What to send.
        send: Sends one request.
        on_progress: Called after each chunk with the number of the request, from 0,
            and how many chunks its response has so far.

    Returns:
        Its result, at least one turn.

    Raises:
        HarnessError: Whatever `send` raises, such as an unreachable server.
    """
    run = ScenarioRun()
    history = [message.fields() for message in scenario.messages]
    times_called: dict[str, int] = {}

    for number in range(scenario.max_steps):
        overrides = scenario.turn(number)
        history += [message.fields() for message in overrides.messages]
        report = functools.partial(on_progress, number)
        turn = ask(scenario, overrides, history, send, report)
        run.turns.append(turn)
        if turn.ending != "complete" or turn.message.finish_reason == "length":
            break
        said, is_answered = _answer(scenario, turn, number, times_called)
        history += said
        has_more = bool(turn.message.calls or scenario.turn(number + 1).messages)
        if not is_answered or not has_more:
            break
    return run


def _answer(
    scenario: Scenario, turn: Turn, number: int, times_called: dict[str, int]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the messages that a response adds, and whether every call has a result."""
    message = turn.message
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if not message.calls:
        return [said], True
    said["tool_calls"] = calls = []
    results, is_answered = [], True
    for call in message.calls:
        call_id = call.id or f"call_{number}_{call.position}"
        calls.append(tool_call(call_id, call.name, call.arguments or "{}"))
        result = _result(scenario, call, times_called)
        if result is None:
            is_answered = False
        else:
            results.append({"role": "tool", "tool_call_id": call_id, "content": result})
    return [said, *results], is_answered


def _result(
    scenario: Scenario, call: ToolCall, times_called: dict[str, int]
) -> str | None:
    tool = scenario.tools.get(call.name)
    if tool is None:
        return failure(f"there is no tool called {call.name}")
    if not isinstance(_arguments(call), dict):
        return failure("the arguments are no JSON object")
    before = times_called.get(call.name, 0)
    times_called[call.name] = before + 1
    return tool.result(before)


def _arguments(call: ToolCall) -> object:
    # What was cut still means something.
    return parsed(call.arguments or "{}", call.arguments)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
