"""Pieces as Python prints them: `print(piece)` for each piece or line of a response.

Each line is one literal, `b'data: {"id": ...'`, cut wherever the network cut it; lines
of `iter_lines` hold no line ends. Literals with a prefix are a log's
(`harness.cassettes.importers.log`).
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import TYPE_CHECKING, Any

from harness.apis.detect import are_events
from harness.cassettes.importers.base import Restated, encoded, exchanges_from, restored

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_LITERAL = re.compile(r"\s*([bB]?)(['\"]).*\2,?\s*$")
_START = re.compile(r"^(?=[\[{]|[A-Za-z]\w*\()", re.MULTILINE)
_OBJECT = re.compile(r"(?:[\[{]|[A-Za-z]\w*\().*[\]})]$", re.DOTALL)
_STREAM = re.compile(rb"^(?:data|event): ?|^[\[{]")


def _pieces(text: str) -> list[bytes] | None:
    """Return the value of each line; None where a line is no literal."""
    found = []
    for line in text.splitlines():
        stripped = line.strip().rstrip(",")
        if not stripped:
            continue
        if not _LITERAL.match(stripped):
            return None
        try:
            value = ast.literal_eval(expression(stripped))
        except (SyntaxError, ValueError):
            return None
        if not isinstance(value, str | bytes):
            return None
        found.append(encoded(value) if isinstance(value, str) else value)
    return found


def sniff(text: str) -> bool:
    """Recognise what Python printed."""
    if objects(text):
        return True
    if text.lstrip()[:2].strip("bB")[:1] not in {"'", '"'}:
        return False
    pieces = _pieces(text)
    return bool(_STREAM.match(b"".join(pieces or []).lstrip()))


def read(text: str, path: str) -> list[Exchange]:
    """Read what Python printed."""
    events = objects(text)
    if events:
        lines = (json.dumps(event, ensure_ascii=False) for event in events)
        framed = b"".join(b"data: %b\n\n" % encoded(line) for line in lines)
        ended = framed + (b"data: [DONE]\n\n" if "choices" in events[0] else b"")
        text = f"{len(events)} events are read from Python's way to print them"
        return exchanges_from([Restated(body=ended, notes=[restored(text)])], path)
    pieces = _pieces(text) or []
    are_lines = not any(b"\n" in piece for piece in pieces)
    if are_lines:
        pieces = [piece + b"\n" for piece in pieces]
    how = "lines" if are_lines else "pieces"
    note = restored(f"{len(pieces)} {how} that Python printed are joined to one body")
    body = b"".join(pieces)
    return exchanges_from([Restated(body=body, notes=[note])], path)


def _object(node: ast.AST) -> Any:
    """Return the JSON of an object as Python prints it: a dict, or an SDK's model."""
    if isinstance(node, ast.Call):
        return {word.arg: _object(word.value) for word in node.keywords if word.arg}
    if isinstance(node, ast.Dict):
        keys = [_object(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_object, node.values), strict=False))
    if isinstance(node, ast.List | ast.Tuple):
        return [_object(item) for item in node.elts]
    return ast.literal_eval(node)


def expression(text: str) -> ast.expr:
    """Return what Python makes of an expression, without its warnings of odd ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text.strip(), mode="eval").body


def printed(text: str) -> Any:
    """Return the JSON of what Python printed; None where it is no object.

    What JSON cannot hold, such as bytes, a set or a number of 5 000 digits, is none.
    """
    try:
        value = _object(expression(text))
        json.dumps(value)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return value


def objects(text: str) -> list[dict[str, Any]]:
    """Return the events that Python printed, also over several lines each.

    None where something else stands between them.
    """
    found: list[Any] = []
    for line in _START.split(text):
        stripped = line.strip()
        if not stripped:
            continue
        value = printed(stripped) if _OBJECT.match(stripped) else None
        values = value if isinstance(value, list) else [value]
        found += values
    return found if are_events(found) else []
