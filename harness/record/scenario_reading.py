"""Reading a scenario file, and reporting what is wrong with one.

Every problem is one line: the file, the key path or the line, what is wrong there,
and what is allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from harness.errors import ScenarioError, shorten
from harness.record.scenario import (
    Expectation,
    Options,
    Scenario,
    ScenarioCall,
    ScenarioFunction,
    ScenarioMessage,
    Tool,
    TurnOverrides,
    suggestion,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails


_PARTS: dict[str, type[BaseModel]] = {
    "expect": Expectation,
    "function": ScenarioFunction,
    "messages": ScenarioMessage,
    "options": Options,
    "tool_calls": ScenarioCall,
    "tools": Tool,
    "turns": TurnOverrides,
}
"""The mapping that stands under a key, or in the list under it."""

_PYTHON_WORDS = re.compile(r"a valid dictionary( or instance of \w+)?")
"""How pydantic calls what is a mapping in YAML."""

# Pydantic puts the tried member of a union into the place of an error; no key of a
# scenario has such a name.
_UNION_MEMBERS = frozenset({"str", "int", "float", "list[str]", "dict[str,any]"})


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Args:
        path: A YAML file.

    Returns:
        The scenario, checked.

    Raises:
        ScenarioError: It cannot be read, or holds what no scenario may hold.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ScenarioError(str(path), "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(str(path), f"cannot be read ({error})") from None
    return parse_scenario(text, path=str(path))


def parse_scenario(text: str, *, path: str) -> Scenario:
    """Check the text of a scenario file.

    Args:
        text: YAML.
        path: How to name the file in errors.

    Returns:
        The scenario.

    Raises:
        ScenarioError: It is no YAML, or holds what no scenario may hold: the first
            problem, and how many more there are.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ScenarioError(path, f"no YAML ({problem})", place=place) from None
    if not isinstance(document, dict):
        raise ScenarioError(
            path,
            f"expected a mapping with the keys {_keys(Scenario)}; "
            f"got {shorten(document)}",
        )
    if "interactions" in document:
        raise ScenarioError(path, "this is a cassette; name the scenario it came from")
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    # A misspelt key is also a missing one: the spelling is what helps.
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
    places: dict[str, list[str]] = {}
    for entry in problems:
        place, said = _explain(entry)
        places.setdefault(place, []).append(said)
    place, texts = next(iter(places.items()))
    more = len(places) - 1
    rest = f" (and {more} more place{'s' if more > 1 else ''})" if more else ""
    # Several at one place are the members of a union, each with its own wish.
    said = texts[0]
    if said.startswith("expected ") and len(texts) > 1:
        wishes = [wish.split(", got ")[0].removeprefix("expected ") for wish in texts]
        got = said.split(", got ", 1)[1]
        said = f"expected {' or '.join(dict.fromkeys(wishes))}, got {got}"
    raise ScenarioError(path, said + rest, place=place)


def _explain(problem: ErrorDetails) -> tuple[str, str]:
    """Return where and what, of one of pydantic's errors."""
    location = problem["loc"]
    if problem["type"] == "extra_forbidden":
        model = _model_at(location[:-1])
        key = str(location[-1])
        return _key_path(location[:-1]), (
            f"unknown key {key!r}{suggestion(key, sorted(model.model_fields))}; "
            f"allowed are {_keys(model)}"
        )
    if problem["type"] == "missing":
        return _key_path(location[:-1]), f"the key {str(location[-1])!r} is missing"
    if problem["type"] == "value_error":
        return _key_path(location), str(problem["ctx"]["error"])
    said = problem["msg"].removeprefix("Input should be ")
    said = _PYTHON_WORDS.sub("a mapping", said)
    return _key_path(location), f"expected {said}, got {shorten(problem['input'])}"


def _model_at(location: tuple[Any, ...]) -> type[BaseModel]:
    """Return the model of the mapping at a key path."""
    model: type[BaseModel] = Scenario
    for position, key in enumerate(location):
        is_name_of_tool = position == 1 and location[0] == "tools"
        if not is_name_of_tool:
            model = _PARTS.get(key, model)
    return model


def _key_path(location: tuple[Any, ...]) -> str:
    path = ""
    for key in location:
        if isinstance(key, int):
            path += f"[{key}]"
        elif key not in _UNION_MEMBERS:
            path += f".{key}" if path else key
    return path


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(sorted(model.model_fields))
