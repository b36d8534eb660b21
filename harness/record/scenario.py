"""The scenario: one conversation to record, as a small YAML file describes it.

Owns what a scenario may hold. Reading the file is `harness.record.scenario_reading`,
running it `harness.record.scenario_run`.
"""

from __future__ import annotations

import difflib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Ending = Literal["complete", "closed", "broken", "refused"]
"""How a run ended: every response came whole; the client stopped reading; a stream
broke off, or reported that it failed; the server answered with an HTTP error."""


def _json_text(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value


JSONText = Annotated[str, BeforeValidator(_json_text)]
"""Text; a mapping or a list in the file becomes its JSON."""


def suggestion(name: str, allowed: list[str]) -> str:
    """Return `` (did you mean 'x'?)`` where a name is near one that is allowed."""
    near = difflib.get_close_matches(name, allowed, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


class _Part(BaseModel):
    """A mapping in the file: unknown keys are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,  # YAML has types: a "3" where a number belongs is a slip
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )


class ScenarioFunction(_Part):
    """What a call in the history calls."""

    name: str
    """The tool's name."""
    arguments: JSONText = "{}"
    """JSON text, or a mapping that becomes it."""


class ScenarioCall(_Part):
    """A tool call in the history, as the OpenAI API has it."""

    id: str
    """What the tool's answer refers to."""
    type: Literal["function"] = "function"
    """The only kind."""
    function: ScenarioFunction
    """Which tool, with which arguments."""


class ScenarioMessage(_Part):
    """One message of the conversation, as the OpenAI API has it."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    """Who speaks."""
    content: JSONText = ""
    """The text; empty where an assistant only calls tools. Always sent: servers differ
    about null and about no content at all, and every one takes an empty text."""
    name: str | None = None
    """The speaker's name; None: not sent."""
    tool_calls: list[ScenarioCall] | None = None
    """Calls of an assistant message; None: not sent."""
    tool_call_id: str | None = None
    """Of a `tool` message: which call it answers; None: not sent."""

    def fields(self) -> dict[str, Any]:
        """Return the message as it is sent; what is None is left out."""
        return self.model_dump(exclude_none=True)


class Tool(_Part):
    """A tool that is offered to the model, and what calling it gives."""

    description: str = ""
    """For the model."""
    parameters: dict[str, Any] = Field(
        default_factory=lambda: {"type": "object", "properties": {}}
    )
    """JSON schema of its arguments."""
    returns: JSONText | None = None
    """What each call gives: text, or a mapping that becomes JSON."""
    returns_in_turn: list[JSONText] | None = Field(default=None, min_length=1)
    """What the first, second, ... call gives; after that the last one again."""
    fails: str | None = None
    """What each call fails with, sent as ``{"status": "Failed", "message": ...}``."""

    @model_validator(mode="after")
    def _one_result(self) -> Tool:
        given = [
            name
            for name in ("returns", "returns_in_turn", "fails")
            if getattr(self, name) is not None
        ]
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} are both given; keep one, or none where a "
                "call ends the conversation"
            )
        return self

    def result(self, number: int) -> str | None:
        """Return what a call gives.

        Args:
            number: How many calls of this tool came before it.

        Returns:
            The text of the tool's message; None where a call ends the run.
        """
        if self.fails is not None:
            return failure(self.fails)
        if self.returns_in_turn is not None:
            return self.returns_in_turn[min(number, len(self.returns_in_turn) - 1)]
        return self.returns


def failure(message: str) -> str:
    """Return the result of a failed tool, in the form that replay reads as an error."""
    return json.dumps({"status": "Failed", "message": message}, ensure_ascii=False)


class Options(_Part):
    """Request options, sent as they are; what is left out is not sent."""

    temperature: int | float | None = None
    """0 makes most servers nearly repeatable."""
    top_p: int | float | None = None
    """Nucleus sampling."""
    seed: int | None = None
    """Where the server honours it."""
    max_tokens: int | None = None
    """Most tokens of an answer."""
    max_completion_tokens: int | None = None
    """The newer name of `max_tokens`."""
    n: int | None = None
    """How many answers (choices)."""
    stop: str | list[str] | None = None
    """Where to stop."""
    tool_choice: str | dict[str, Any] | None = None
    """`auto`, `none`, `required`, or one function; not sent without tools."""
    parallel_tool_calls: bool | None = None
    """Whether one answer may hold several calls; not sent without tools."""
    stream_options: dict[str, Any] | None = None
    """Such as `include_usage`; not sent where `stream` is false."""
    response_format: dict[str, Any] | None = None
    """Such as a JSON schema."""
    logprobs: bool | None = None
    """Whether to send the tokens' log probabilities."""
    top_logprobs: int | None = None
    """How many alternatives for each token."""
    presence_penalty: int | float | None = None
    """As in the OpenAI API."""
    frequency_penalty: int | float | None = None
    """As in the OpenAI API."""
    reasoning_effort: str | None = None
    """For reasoning models."""
    extra: dict[str, Any] | None = None
    """Fields of one provider that are not listed here, sent as they are."""

    def fields(self) -> dict[str, Any]:
        """Return the request's fields, those of `extra` last."""
        given = self.model_dump(exclude_unset=True, exclude={"extra"})
        return {**given, **(self.extra or {})}


class Expectation(_Part):
    """What a run must come to, so that a chance answer never replaces a cassette."""

    ending: Ending | None = None
    """Left out: `closed` where the client stops reading, else `complete`."""
    calls: list[str] | None = None
    """The names of all calls, in order."""
    finish: str | None = None
    """The finish reason of the last response."""
    choices: int | None = None
    """How many choices the last response has."""
    contains: list[str] | None = None
    """What must occur in the answers' text or in the strings of their arguments."""


class TurnOverrides(_Part):
    """What one request does differently from the rest of the scenario."""

    messages: list[ScenarioMessage] = Field(default_factory=list)
    """What is added before this request; so a run goes on where nothing was called."""
    tools: list[str] | None = None
    """Names of the tools that are offered; None: all of them."""
    options: Options = Field(default_factory=Options)
    """Laid over the scenario's own, option by option."""
    stop_reading_after: int | None = Field(default=None, ge=1)
    """After how many chunks the client hangs up; None: as the scenario has it."""


class Scenario(_Part):
    """One conversation to record."""

    about: str = ""
    """One sentence for people: what the cassette is good for."""
    model: str
    """The name the server knows it by."""
    messages: list[ScenarioMessage] = Field(min_length=1)
    """How the conversation begins."""
    tools: dict[str, Tool] = Field(default_factory=dict)
    """By name."""
    options: Options = Field(default_factory=Options)
    """For every request."""
    stream: bool = True
    """Whether to ask for streams or for whole answers."""
    max_steps: int = Field(default=8, ge=1)
    """Most requests of the run."""
    turns: list[TurnOverrides] = Field(default_factory=list)
    """For the first, second, ... request."""
    stop_reading_after: int | None = Field(default=None, ge=1)
    """After how many chunks the client hangs up, which ends the run."""
    expect: Expectation = Field(default_factory=Expectation)
    """What the run must come to, else nothing is written."""

    @model_validator(mode="after")
    def _known_tools(self) -> Scenario:
        for number, turn in enumerate(self.turns):
            for name in turn.tools or []:
                if name not in self.tools:
                    raise ValueError(
                        f"turns[{number}].tools: no tool is called {name!r}"
                        + suggestion(name, sorted(self.tools))
                        + f"; there are {', '.join(sorted(self.tools)) or 'none'}"
                    )
        return self

    def turn(self, number: int) -> TurnOverrides:
        """Return what a request does differently.

        Args:
            number: Which request, from 0; those beyond the list change nothing.
        """
        return self.turns[number] if number < len(self.turns) else TurnOverrides()
