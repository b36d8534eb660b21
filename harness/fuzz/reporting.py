"""A finding for people: fragments one a line, what came out, the first difference.

Also the two things that outlive the terminal: a minimal cassette and a test to paste.
"""

from __future__ import annotations

import hashlib
import json
import pprint
import re
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.atomic import write_atomically
from harness.cassettes.encode import encode_document, interaction_of
from harness.core.text import first_difference
from harness.engine.agent_options import AgentOptions
from harness.errors import CassetteError
from harness.fuzz.example_runner import Level
from harness.fuzz.finding_cassettes import cassette_of
from harness.fuzz.relations import RELATIONS, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.fuzz.fuzz_inputs import FuzzInput

_NOT_OF_DICTS = re.compile(r"'dict' object has no attribute '(?:choices|delta|model_)")
_SHOWN = 40  # pieces of an input, and lines of what came out
_ROW = 240  # characters of a piece


def describe(failure: Failure) -> Iterator[str]:
    """Yield the lines of a finding.

    Args:
        failure: The finding, shrunk or not.
    """
    relation = RELATIONS[failure.relation]
    yield f"{failure.relation} does not hold: {relation.summary}"
    yield f"  {failure.kind}" + (f": {failure.cause}" if failure.cause else "")
    yield ""
    count = len(failure.arrived)
    yield f"arrived, in {count} {_noun(failure.arrived, count)}:"
    yield from _rows(failure.arrived)
    if failure.fault:
        yield f"  (broken by --fault {failure.fault})"
    got, expected = failure.got.lines(), failure.expected.lines()
    yield ""
    yield f"expected ({failure.note}):"
    yield from (f"  {_cut(line)}" for line in expected[:_SHOWN])
    yield "got:"
    yield from (f"  {_cut(line)}" for line in got[:_SHOWN])
    if failure.uncut is not None:
        yield "the same without cuts gave:"
        yield from (f"  {_cut(line)}" for line in failure.uncut.lines()[:_SHOWN])
    first = _first_difference(expected, got)
    if first is not None:
        yield "first difference:"
        yield from first
    elif failure.reference is not None:
        yield "which look the same; exactly, the stream in its other form gave:"
        yield f"  {_cut(repr(failure.expected))}"
        yield "and this one:"
        yield f"  {_cut(repr(failure.got))}"
    raised = failure.got.raised
    if raised is not None and _NOT_OF_DICTS.search(raised.text):
        yield ""
        yield (
            "hint: it reads objects, and was given dicts: if it is made for those of "
            "the OpenAI SDK, give chunks='sdk' (--chunks sdk)"
        )


def _noun(fed: FuzzInput, count: int) -> str:
    if fed and isinstance(fed[0], str):
        noun = "fragment"
    elif fed and isinstance(fed[0], bytes):
        noun = "read"
    else:
        is_chat = all("type" not in payload for payload in fed)
        noun = "chunk" if is_chat else "event"
    return noun if count == 1 else f"{noun}s"


def _rows(fed: FuzzInput) -> Iterator[str]:
    for number, piece in enumerate(fed[:_SHOWN]):
        shown = _abridged(piece) if isinstance(piece, dict) else repr(piece)
        yield f"  {number}: {_cut(shown)}"
    if len(fed) > _SHOWN:
        yield f"  ... and {len(fed) - _SHOWN} more"


def _abridged(payload: dict[str, Any]) -> str:
    """Return what of a payload is worth reading: no envelope, no nulls."""
    shown = _without_envelope(payload)
    response = shown.get("response")
    if isinstance(response, dict):
        kept = {k: response[k] for k in _OF_RESPONSE if response.get(k)}
        shown["response"] = (
            kept if "status" in response else _without_envelope(response)
        )
    choices = shown.get("choices")
    if shown.keys() == {"choices"} and isinstance(choices, list) and len(choices) == 1:
        choice = choices[0]
        if isinstance(choice, dict) and choice.keys() <= _PLAIN and "delta" in choice:
            text = f"delta {_json(choice['delta'])}"
            if choice.get("index"):
                text = f"choice {choice['index']}, {text}"
            reason = choice.get("finish_reason")
            return f"{text}, finish_reason {reason}" if reason else text
    return _json(shown or payload)


def _without_envelope(payload: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in payload.items() if k not in _ENVELOPE}


_OF_RESPONSE = ("status", "error", "incomplete_details", "output", "usage")
_ENVELOPE = frozenset(
    (
        *("id", "object", "created", "model", "sequence_number"),
        *("usageMetadata", "responseId", "modelVersion", "createTime"),
    )
)
_PLAIN = frozenset(("index", "delta", "finish_reason"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _ROW else f"{text[:_ROW]}... ({len(text)} characters)"


def _first_difference(expected: list[str], got: list[str]) -> list[str] | None:
    pairs = zip_longest(expected, got, fillvalue="")
    one, two = next(((one, two) for one, two in pairs if one != two), ("", ""))
    if one == two:
        return None
    place = first_difference(one, two)
    start = max(0, place - 50)
    dots = "..." if start else ""
    return [
        f"  expected {dots}{one[start : place + 40] or '(nothing)'}",
        f"  got      {dots}{two[start : place + 40] or '(nothing)'}",
        " " * (11 + len(dots) + place - start) + "^",
    ]


def slug_of(failure: Failure) -> str:
    """Return a name for a finding that only what was fed decides."""
    mark = repr((failure.relation, failure.arrived)).encode("utf-8", "backslashreplace")
    return f"{failure.relation}-{hashlib.sha256(mark).hexdigest()[:8]}"


def save(failure: Failure, folder: str, key: str, api: str = "chat") -> str:
    """Write the minimal cassette of a finding.

    Args:
        failure: The finding.
        folder: Where to; made if it is not there.
        key: For fragments: the key they are about.
        api: Whose events arrived.

    Returns:
        The path. The same finding again is the same file; another file of that name
        is never overwritten: a number is added.

    Raises:
        CassetteError: It cannot be written.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CassetteError(folder, f"cannot be made ({error.strerror})") from None
    name = f"harness-fuzz-{slug_of(failure)}"
    path, number = place / f"{name}.yaml", 1
    exchanges = cassette_of(failure.arrived, key=key, api=api).exchanges
    content = b"".join(encode_document(path, [*map(interaction_of, exchanges)]))
    while path.exists():
        if path.is_file() and path.read_bytes() == content:
            return str(path)
        number += 1
        path = place / f"{name}-{number}.yaml"
    write_atomically(path, content)
    return str(path)


def pytest_of(
    failure: Failure,
    fed_with: str,
    target: str,
    agent: AgentOptions | None = None,
    **options: str | None,
) -> str:
    """Return the text of a test that fails as the finding does.

    Args:
        failure: The finding.
        fed_with: The level of the consumer it was found in.
        target: As the command line took it.
        agent: What an interface was made with, where that is not the default.
        **options: What `check` needs besides: `level`, `chunks`, `key`, `api`.

    Returns:
        Python source with a final line end; it uses nothing but the public API.
    """
    module, colon, name = target.partition(":")
    head = re.match(r"\w*", name)
    lines = ["from harness.fuzz import check"]
    agent = None if agent == AgentOptions() else agent
    if agent is not None:
        lines.insert(0, "from harness import AgentOptions")
    if colon:
        lines += ["", f"from {module} import {head[0] if head else name}"]
    arrived = failure.arrived if failure.base is None else failure.base
    value = pprint.pformat(_shortened(list(arrived)), width=84, sort_dicts=False)
    function = f"test_{slug_of(failure)}".replace("-", "_")
    given: dict[str, Any] = {
        "relation": failure.relation,
        "fault": failure.fault or None,
        **options,
    }
    if fed_with != Level.HANDLER:
        given.pop("key", None)
    given["options"] = agent
    arguments = "".join(
        f"        {k}={v!r},\n" for k, v in given.items() if v is not None
    )
    lines += [
        "",
        f"ARRIVED = {value}",
        "",
        "",
        f"def {function}() -> None:",
        f'    """{RELATIONS[failure.relation].summary.capitalize()}."""',
        "    check(",
        f"        {name if colon else repr(target)},",
        "        ARRIVED,",
        f"{arguments}    )",
    ]
    return "\n".join(lines) + "\n"


class _Repeated:
    """A long text as the expression that makes it."""

    def __init__(self, unit: str, length: int) -> None:
        self._shown = f"({unit!r} * {length // len(unit) + 1})[:{length}]"

    def __repr__(self) -> str:
        return self._shown


def _shortened(value: Any) -> Any:
    """Return a JSON value with long texts that repeat themselves as `_Repeated`."""
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    if isinstance(value, str) and len(value) > _ROW:
        for size in range(1, 9):
            if value[size:] == value[:-size]:
                return _Repeated(value[:size], len(value))
    return value


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}".replace(",", " ") + ("" if number == 1 else "s")
