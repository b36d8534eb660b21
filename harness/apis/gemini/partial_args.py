"""Streamed arguments (`partialArgs`) to the text of one JSON object, as they come.

A `PartialArg` is a value, or a piece of a text, at a JSONPath. Paths come in the order
of the document, so the text can be written at once: what is written is never taken
back. A path that leads back to where the text has already been closed cannot be
written; it is returned as a problem with its value.

Source: Vertex AI reference, `FunctionCall.PartialArg`; JSONPath is RFC 9535, of which
only the names and indices of a normalized path can come; recordings.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

from harness.apis.json_values import as_json
from harness.errors import shorten

_STEP = re.compile(
    r"""\.([^.\[\]'"\s]+)|\[([0-9]{1,6})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""",
    re.DOTALL,
)
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")


def parse_path(path: str) -> list[str | int] | None:
    """Return the names and indices of a path; None if it is none.

    Args:
        path: Such as ``$.steps[0].text`` or ``$['odd name']``.
    """
    if not path.startswith("$"):
        return None
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return None
        name, index, single, double = match.groups()
        if index is not None:
            steps.append(int(index))
        elif name is not None:
            steps.append(name)
        else:
            quoted = (
                single.replace("\\'", "'").replace('"', '\\"') if single else double
            )
            try:
                steps.append(json.loads(f'"{quoted or ""}"', strict=False))
            except ValueError:
                return None
        position = match.end()
    return steps


def json_path(steps: list[str | int]) -> str:
    """Return the path of names and indices; `parse_path` reads it back."""
    path = "$"
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _PLAIN_NAME.fullmatch(step):
            path += f".{step}"
        else:
            path += f"[{json.dumps(step, ensure_ascii=False)}]"
    return path


class _Container:
    """An object or array that is being written."""

    def __init__(self, *, is_array: bool) -> None:
        self.is_array = is_array
        self.start = "[" if is_array else "{"
        self.end = "]" if is_array else "}"
        self.step: str | int | None = None  # its item that was written last
        self.names: set[str] = set()
        self.count = 0


class ArgumentsText:
    """Writes the arguments of one call."""

    def __init__(self) -> None:
        self._open: list[_Container] = []
        self._in_text = False
        self._path: object = ""  # of the text

    @property
    def has_begun(self) -> bool:
        """Whether a value has been written."""
        return bool(self._open)

    @property
    def is_complete(self) -> bool:
        """Whether only closing brackets are missing."""
        return not self._in_text

    def feed(self, piece: dict[str, Any]) -> tuple[str, str]:
        """Add one entry of `partialArgs`.

        Args:
            piece: The entry; any shape.

        Returns:
            The text that it adds, and what is wrong with it; empty if nothing. What is
            wrong names the path and the value.
        """
        path, value = piece.get("jsonPath"), _value_of(piece)
        if self._in_text and path == self._path:
            if type(value) is str:
                text = _content(value)
            elif value is None:
                text = ""
            else:
                return "", f"{path} is text, got {shorten(value)}"
            if piece.get("willContinue") is not True:
                self._in_text = False
                text += '"'
            return text, ""
        steps = parse_path(path) if type(path) is str else None
        if not steps:
            problem = f"{shorten(path)} is no path into the arguments, {shorten(value)}"
            return "", problem
        written = '"' + _content(value) if type(value) is str else _scalar(piece, value)
        if written is None:
            return "", f"{path} has no value that can be read, {shorten(value)}"
        text = '"' * self._in_text
        problem = f"the text before {path} was not ended" if text else ""
        self._in_text = False
        moved = self._move(steps)
        if moved is None:
            return text, f"{path} comes too late or too early, {shorten(value)}"
        if type(value) is str:
            self._in_text = piece.get("willContinue") is True
            self._path = path
            written += '"' * (not self._in_text)
        return text + moved + written, problem

    def close(self) -> str:
        """Return the brackets that end the object."""
        if not self._open:
            return "{}"
        return "".join(container.end for container in reversed(self._open))

    def _move(self, steps: list[str | int]) -> str | None:
        """Return what leads from the last value to a new one; None if nothing can."""
        shared = 0
        for container, step in zip(self._open, steps[:-1], strict=False):
            if container.step != step or shared + 1 == len(self._open):
                break
            shared += 1
        last = self._open[shared] if self._open else _Container(is_array=False)
        step, deeper = steps[shared], steps[shared + 1 :]
        if last.is_array != isinstance(step, int):
            return None
        if step != last.count if last.is_array else step in last.names:
            return None  # an item that was written before, or one that skips some
        if any(isinstance(inner, int) and inner for inner in deeper):
            return None
        if self._open:
            closed = self._open[shared + 1 :]
            text = "".join(container.end for container in reversed(closed))
            del self._open[shared + 1 :]
        else:
            self._open.append(last)
            text = last.start
        text += _begin(last, step)
        for inner in deeper:
            self._open.append(_Container(is_array=isinstance(inner, int)))
            text += self._open[-1].start + _begin(self._open[-1], inner)
        return text


def _begin(container: _Container, step: str | int) -> str:
    """Return what comes before an item."""
    text = ", " if container.count else ""
    container.count += 1
    container.step = step
    if isinstance(step, str):
        container.names.add(step)
        text += json.dumps(step, ensure_ascii=False) + ": "
    return text


def _value_of(piece: dict[str, Any]) -> Any:
    for key in ("stringValue", "numberValue", "boolValue"):
        if piece.get(key) is not None:
            return piece[key]
    return None


def _scalar(piece: dict[str, Any], value: object) -> str | None:
    """Return the JSON text of a number, true, false or null; None if it is none."""
    if value is None and "nullValue" in piece:
        return "null"
    if type(value) is bool or type(value) is int:
        return as_json(value) or None  # an int of thousands of digits is none
    return as_json(value) if type(value) is float and isfinite(value) else None


def _content(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def partial_args(args: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return arguments as entries of `partialArgs`, as recorded servers cut them.

    Args:
        args: The arguments.

    Returns:
        One entry for each number, true, false and null, two for each text: the text,
        and its end. None where they cannot be written so: an empty object or list
        further in has no value at any path.
    """
    pieces: list[dict[str, Any]] = []
    waiting: list[tuple[list[str | int], Any]] = [([], args)]
    while waiting:  # a stack, for arguments can be nested at will
        steps, value = waiting.pop()
        if isinstance(value, dict | list):
            if not value and steps:
                return None
            items = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [([*steps, key], inner) for key, inner in reversed([*items])]
            continue
        path = {"jsonPath": json_path(steps)}
        if isinstance(value, str):
            pieces.append({**path, "stringValue": value, "willContinue": True})
            pieces.append({**path, "stringValue": ""})
        elif value is None:
            pieces.append({**path, "nullValue": "NULL_VALUE"})
        else:
            key = "boolValue" if isinstance(value, bool) else "numberValue"
            pieces.append({**path, key: value})
    return pieces
