"""Pieces as Python prints them: `print(piece)` for each piece or line of a response.

Each line is one literal, `b'data: {"id": ...'`, cut wherever the network cut it; lines
of `iter_lines` hold no line ends. Events are printed as dicts or models; those of
JavaScript, Ruby and Elixir are nearly Python. Literals with a prefix are a log's
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
from harness.cassettes.importers.repairs import repaired

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_LITERAL = re.compile(r"\s*([bB]?)(['\"]).*\2,?\s*$")
_START = re.compile(r"^(?=%?[\[{]|[A-Za-z]\w*[(=])", re.MULTILINE)
_OBJECT = re.compile(r"(?:%?[\[{]|[A-Za-z]\w*\().*[\]})]$|[a-z]\w*=", re.DOTALL)
# Beside strings: an enumeration, a pair of Ruby (whose name may be a symbol), a map of
# Elixir, and the blank between the fields of a model that has no name.
_NO_PYTHON = re.compile(
    r"(?P<same>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")|<[\w.]+: (?P<value>'[^']*'|\d+)>"
    r"|(?P<pair> ?=>)|[%:](?=\{|\w+ ?=>)|(?P<gap>(?<=[\w\])'\"]) (?=\w+=))"
)
_FIELDS = re.compile(r"\A[a-z]\w*=.*", re.DOTALL)
_NAMES = {"null": None, "nil": None, "undefined": None, "true": True, "false": False}
_STREAM = re.compile(rb"^(?:data|event): ?|^[\[{]")


def _pieces(text: str) -> list[bytes]:
    """Return the value of each line; none where a line is no literal."""
    lines = list(filter(None, (line.strip().rstrip(",") for line in text.splitlines())))
    if not all(map(_LITERAL.match, lines)):
        return []
    try:
        values = [ast.literal_eval(expression(line)) for line in lines]
    except (SyntaxError, ValueError):
        return []
    if not all(isinstance(value, str | bytes) for value in values):
        return []
    return [encoded(one) if isinstance(one, str) else one for one in values]


def sniff(text: str) -> bool:
    """Recognise what Python printed."""
    if objects(text):
        return True
    if text.lstrip()[:2].strip("bB")[:1] not in {"'", '"'}:
        return False
    return bool(_STREAM.match(b"".join(_pieces(text)).lstrip()))


def read(text: str, path: str) -> list[Exchange]:
    """Read what Python printed."""
    events = objects(text)
    if events:
        lines = (json.dumps(event, ensure_ascii=False) for event in events)
        framed = b"".join(b"data: %b\n\n" % encoded(line) for line in lines)
        ended = framed + (b"data: [DONE]\n\n" if "choices" in events[0] else b"")
        text = f"{len(events)} events are read from the way a program printed them"
        return exchanges_from([Restated(body=ended, notes=[restored(text)])], path)
    pieces = _pieces(text)
    are_lines = not any(b"\n" in piece for piece in pieces)
    if are_lines:
        pieces = [piece + b"\n" for piece in pieces]
    how = "lines" if are_lines else "pieces"
    note = restored(f"{len(pieces)} {how} that Python printed are joined to one body")
    body, notes = repaired(b"".join(pieces))
    return exchanges_from([Restated(body=body, notes=[note, *notes])], path)


def _object(node: ast.AST) -> Any:
    """Return the JSON of an object as it is printed: a dict, or an SDK's model."""
    if isinstance(node, ast.Call) and node.args:
        return ast.unparse(node)  # what it holds is not shown: `Array(1)`
    if isinstance(node, ast.Call):
        return {word.arg: _object(word.value) for word in node.keywords}
    if isinstance(node, ast.Dict):
        keys = [getattr(key, "id", None) or _object(key) for key in node.keys if key]
        return dict(zip(keys, map(_object, node.values), strict=False))
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, ast.BinOp):  # a long text of JavaScript
        return _object(node.left) + _object(node.right)
    if isinstance(node, ast.List | ast.Tuple):
        return [_object(item) for item in node.elts]
    return ast.literal_eval(node)


def expression(text: str) -> ast.expr:
    """Return what Python makes of an expression, without its warnings of odd ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text.strip(), mode="eval").body


def printed(text: str) -> Any:
    """Return the JSON of what a program printed; None where it is no object.

    What JSON cannot hold, such as bytes, a set or a number of 5 000 digits, is none.
    """
    try:
        try:
            node = expression(text)
        except SyntaxError:
            node = expression(
                _NO_PYTHON.sub(_as_python, _FIELDS.sub(r"_(\g<0>)", text))
            )
        value = _object(node)
        json.dumps(value)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return value


def _as_python(found: re.Match[str]) -> str:
    mark = ":" if found["pair"] else ", " if found["gap"] else ""
    return found["same"] or found["value"] or mark


def objects(text: str) -> list[dict[str, Any]]:
    """Return the events that a program printed, also over several lines each.

    None where something else stands between them.
    """
    found: list[Any] = []
    for line in filter(None, map(str.strip, _START.split(text))):
        value = printed(line) if _OBJECT.match(line) else None
        if value is None:
            return []
        found += value if isinstance(value, list) else [value]
    return found if are_events(found) else []
