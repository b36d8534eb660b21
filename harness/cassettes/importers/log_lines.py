"""What stands in a line of a log: data, literals and objects behind words."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.detect import api_of_answer
from harness.apis.json_values import dict_of, parsed, text_of
from harness.cassettes.importers.base import is_event
from harness.cassettes.importers.python_literals import expression, printed

if TYPE_CHECKING:
    from collections.abc import Iterator

# Searched, as lines may be long: what stands before them is looked at afterwards.
_DATA = re.compile(r"(?<![\w.])data: ?(?P<rest>[\[{].*)$")
EVENT = re.compile(r"(?<![\w.])event: ?(?P<name>[\w.]+)\s*$")
# A Python or JSON literal that begins as a line of a stream does, or as an event.
_LITERAL = re.compile(
    r"(?<![\w\\])[bB]?(?P<quote>['\"])"
    r"(?=(?:(?:\\r)?\\n)*(?:(?:data|event|id|retry)?:|\{\S|\[DONE\]))"
    r"(?:\\.|(?!(?P=quote)|\\).)*(?P=quote)"
)
_ANY_LITERAL = re.compile(
    r"(?<![\w\\])[bB]?(?P<quote>['\"])(?:\\.|(?!(?P=quote)|\\).)*(?P=quote)"
)
OBJECT = re.compile(r"\{|\b[A-Z]\w*(?:Chunk|Event|Response\w*)\(")
_TO_BRACKET = re.compile(r".*[)}\]]")
_BELOW = re.compile(
    r".*[({\[][ \t]*\n(?:[ \t].*\n){,500}[)}\]]+"
)  # laid out over lines
_PLACES = 8  # in a line, at which objects are looked for
_CONTENT = ("delta", "message", "text", "finish_reason")
_FIELD = re.compile(r"(?:data|event|id|retry)?:")
_WORDS = 1000  # more than a logger puts before a message; a line may hold many literals
_COMMAND = re.compile(r"\bcurl\b")


def values(text: str) -> Iterator[tuple[int, str, tuple[dict[str, Any], str, str]]]:
    """Yield JSON objects behind a prefix: line, prefix, value, what it is, its text."""
    end = number = 0
    shape = ""  # of what stands before an event: what comes behind it again is one
    for line in re.finditer(r"[^\n]*\n?", text):
        number += 1
        at = max(0, end - line.start())
        if not at and line[0].startswith('{"') and parsed(line[0]) is not None:
            continue  # lines of JSON are no log
        missed: str | None = None  # before the first place that holds no object
        for _ in range(_PLACES):
            found = OBJECT.search(line[0], at)
            if found is None:
                break
            prefix = line[0][: found.start()]
            value, past, raw = _value_at(text, line.start() + found.start(), line.end())
            kind = _kind(value) if value is not None else ""
            # Of a cut object an inner one may be whole; words may hold a bracket.
            is_doubtful = missed is not None and not (
                kind and not text[past : line.end()].strip()
            )
            if value is None or is_doubtful:
                missed = prefix if missed is None else missed
                at = found.end()
                continue
            missed, end, at = None, past, past - line.start()
            shape = shape_of(prefix) if kind else shape
            yield number, prefix, (value, kind, raw)
        if missed is not None and shape and shape_of(missed) == shape:
            # A logger had cut it, which is reported later.
            yield number, missed, ({}, "event", line[0][len(missed) :].strip())


def _value_at(
    text: str, start: int, end: int
) -> tuple[dict[str, Any] | None, int, str]:
    """Return the object that begins at a place, where it ends, and its JSON.

    Args:
        text: All of the text.
        start: The place.
        end: The end of its line; JSON may end behind it, what Python prints does not.
    """
    try:
        value, past = decoded(text, start)
        raw = text[start:past]
    except (ValueError, RecursionError):
        found = _BELOW.match(text, start) or _TO_BRACKET.match(text, start, end)
        past = found.end() if found else start
        value = printed(text[start:past])
        raw = json.dumps(value, ensure_ascii=False)
    return (value, past, raw) if isinstance(value, dict) else (None, start, "")


def decoded(text: str, start: int, size: int = 1 << 12) -> tuple[Any, int]:
    """Return the JSON value that begins at a place, and where it ends.

    Errors, of which each line may hold one, count the lines of all that is decoded.
    """
    part = text[start : start + size]
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(part)
    except json.JSONDecodeError as error:
        # Cut off within a literal or an escape, the longest of which is `-Infinity`.
        is_cut = error.pos > len(part) - 16 or error.msg.startswith("Unterminated")
        if start + size < len(text) and is_cut:
            return decoded(text, start, 4 * size)
        raise
    return value, start + end


def _kind(value: dict[str, Any]) -> str:
    if api_of_answer(value) is not None and "object" in value:
        return "answer" if value["object"] == "chat.completion" else "event"
    if is_event(value):
        return "event"
    return "answer" if api_of_answer(value) is not None else ""


def prefixed(line: str, *, is_bare: bool = False) -> re.Match[str] | None:
    """Return the data of a line behind words; bare ones if that is asked for."""
    found = _DATA.search(line)
    if found and is_bare and not found.start():
        return found
    before = line[: found.start()] if found else ""
    return found if before and not _COMMAND.search(before) else None


def literals(line: str, cut: str = "") -> list[tuple[str, str]]:
    """Return the pieces of a stream that stand in a line as literals, and before them.

    Args:
        line: The line.
        cut: What stands before the literal whose piece ended inside a line: the piece
            behind the same words goes on there, however it begins.
    """
    pieces: list[tuple[str, str]] = []
    if '{""' in line:  # CSV, which doubles its quotes
        return pieces
    pattern = _ANY_LITERAL if cut else _LITERAL
    end_of_cut = cut.rpartition("0")[2]  # compared first, as all of it takes long
    for found in pattern.finditer(line):
        start = found.start()
        goes_on = cut and line.endswith(end_of_cut, 0, start)
        goes_on = goes_on and shape_of(line[:start]) == cut
        is_like = goes_on or _LITERAL.match(found[0])
        text = _value(found[0]) if is_like else ""
        if goes_on or (is_like and _holds_event(text)):
            pieces.append((shape_of(line[:start]), text))
    return pieces


def shape_of(before: str) -> str:
    """Return the words before a literal, whatever their numbers; of many the last."""
    return re.sub(r"\d+", "0", before[-_WORDS:])


def _value(literal: str) -> str:
    try:
        value = json.loads(literal)
    except ValueError:
        try:
            value = ast.literal_eval(expression(literal))
        except (SyntaxError, ValueError):
            return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return str(value)


def _holds_event(text: str) -> bool:
    """Return whether text is lines of a stream, or the data of an event alone."""
    stripped = text.strip()
    if _FIELD.match(stripped):
        return stripped != ":"
    return stripped == "[DONE]" or (stripped[:1] == "{" and is_event(parsed(stripped)))


class Piece(NamedTuple):
    """A piece of a stream as it stands in a log."""

    number: int
    """Of its line."""
    words: str
    """What stands before it."""
    content: str
    """What it holds, however a library prints it; empty if nothing."""
    id: str = ""
    """The answer's, where each of its events has it."""
    keys: frozenset[str] = frozenset()
    is_last: bool = False
    """It gives the reason why the answer ends."""


def piece_of(number: int, words: str, text: str) -> Piece:
    """Return what is known of a piece."""
    value = dict_of(parsed(text.strip().removeprefix("data:").strip()))
    choices = value.get("choices")
    if not isinstance(choices, list):
        return Piece(number, words, text.strip())
    full = _full([[dict_of(one).get(key) for key in _CONTENT] for one in choices])
    content = json.dumps(full, sort_keys=True) if full else ""
    is_last = any(dict_of(choice).get("finish_reason") for choice in choices)
    name, keys = text_of(value.get("id")), frozenset(value)
    return Piece(number, words, content, name, keys, is_last)


def _full(value: Any) -> Any:
    """Return a value without what is empty, and without who speaks."""
    if isinstance(value, dict):
        pairs = ((key, _full(inner)) for key, inner in value.items() if key != "role")
        return {key: inner for key, inner in pairs if inner}
    return list(filter(None, map(_full, value))) if isinstance(value, list) else value


def repeated_words(pieces: list[Piece]) -> set[str]:
    """Return the words behind which a log only repeats its last content.

    Libraries log an event as it came and as they understood it, and two handlers
    write one message twice. An event with the same keys and another id is another's.
    """
    heard: dict[str, list[bool]] = {}
    last, seen = "", dict[str, Piece]()  # the content, and behind which words so far
    for one in pieces:
        if not one.content:
            continue
        if one.content != last or one.words in seen:
            last, seen = one.content, {}
        is_again = any(o.id == one.id or o.keys != one.keys for o in seen.values())
        heard.setdefault(one.words, []).append(is_again)
        seen[one.words] = one
    return {words for words, each in heard.items() if len(each) > 1 and all(each)}


def of_each_answer(pieces: list[Piece]) -> list[list[int]]:
    """Return the places of the pieces of each answer, by their ids.

    An answer may change its id: then it has no end before the other one begins.
    """
    last = next((one.id for one in pieces if one.id), "")
    answers: dict[str, list[int]] = {}
    for place, one in enumerate(pieces):
        last = one.id or last
        answers.setdefault(last, []).append(place)
    *before, _ = answers.values()
    are_whole = (any(pieces[place].is_last for place in places) for places in before)
    return list(answers.values()) if all(are_whole) else [list(range(len(pieces)))]


def hold_breaks(lines: list[str]) -> bool:
    """Return whether a logger wrote pieces, line ends included, and not lines."""
    pieces = (piece for line in lines for piece in literals(line))
    shape, text = next(pieces, ("", ""))
    return "\n" in text or any(
        "\n" in piece for line in lines for _, piece in literals(line, shape) if shape
    )


def as_sent(piece: str) -> str:
    """Return a piece; one that is the data of an event alone is framed."""
    stripped = piece.strip()
    is_data = stripped == "[DONE]" or is_event(parsed(stripped))
    return f"data: {stripped}\n\n" if is_data else piece


def with_its_end(text: str) -> str:
    """Return a line with the end that its logger left out."""
    whole = as_sent(text)
    return whole if whole.endswith("\n") else f"{text}\n"


def data_of(line: str) -> str | None:
    """Return the data that stand in a line, with or without words before them."""
    found = _DATA.search(line)
    return None if found is None else payload(found)


def payload(found: re.Match[str]) -> str:
    """Return the data of a line, without what a logger wrote behind it."""
    rest = found["rest"]
    if rest.startswith('{""'):  # a field of CSV
        rest = rest.replace('""', '"')
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(rest)
    except (ValueError, RecursionError):
        end = len("[DONE]") if rest.startswith("[DONE]") else len(rest)
    return rest[:end]
