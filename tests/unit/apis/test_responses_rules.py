"""Each rule of a Responses stream: an input that breaks it, and a near miss."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.base import Event
from harness.apis.responses.api import API

if TYPE_CHECKING:
    from collections.abc import Callable

Payload = dict[str, Any]

_USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
_PART = {"type": "output_text", "text": "Hi", "annotations": []}
_MESSAGE = {"type": "message", "id": "m", "status": "completed", "content": [_PART]}
_CALL = {
    "type": "function_call",
    "id": "fc",
    "call_id": "c",
    "name": "f",
    "arguments": "{}",
}


def _legal() -> list[Payload]:
    """Return a stream of a message (events 1 to 6) and a call (7 to 10)."""
    text = {"item_id": "m", "output_index": 0, "content_index": 0}
    call = {"item_id": "fc", "output_index": 1}
    head: Payload = {"id": "r", "usage": None, "output": []}
    events: list[Payload] = [
        {"type": "created", "response": {**head, "status": "in_progress"}},
        {
            "type": "output_item.added",
            "output_index": 0,
            "item": {**_MESSAGE, "status": "in_progress", "content": []},
        },
        {"type": "content_part.added", **text, "part": {**_PART, "text": ""}},
        {"type": "output_text.delta", **text, "delta": "Hi"},
        {"type": "output_text.done", **text, "text": "Hi"},
        {"type": "content_part.done", **text, "part": _PART},
        {"type": "output_item.done", "output_index": 0, "item": _MESSAGE},
        {
            "type": "output_item.added",
            "output_index": 1,
            "item": {**_CALL, "arguments": ""},
        },
        {"type": "function_call_arguments.delta", **call, "delta": "{}"},
        {"type": "function_call_arguments.done", **call, "arguments": "{}"},
        {"type": "output_item.done", "output_index": 1, "item": _CALL},
        {
            "type": "completed",
            "response": {
                **head,
                "status": "completed",
                "output": [_MESSAGE, _CALL],
                "usage": _USAGE,
            },
        },
    ]
    for payload in events:
        payload["type"] = f"response.{payload['type']}"
    return copy.deepcopy(events)


def _numbered(payloads: list[Payload]) -> list[Event]:
    return [
        Event(n, str(p.get("type")), {"sequence_number": n, **p})
        for n, p in enumerate(payloads)
    ]


def _broken(events: list[Event]) -> set[str]:
    found = list(API.check(events))
    return {violation.rule.name.removeprefix("responses/") for violation in found}


def _set(number: int, **fields: Any) -> Callable[[list[Payload]], object]:
    """Return a change of one event's fields."""
    return lambda payloads: payloads[number].update(fields)


def _in(number: int, field: str, **fields: Any) -> Callable[[list[Payload]], object]:
    """Return a change of the fields of an object in one event."""
    return lambda payloads: payloads[number][field].update(fields)


def _drop(*numbers: int) -> Callable[[list[Payload]], object]:
    """Return a change that leaves events out."""

    def change(payloads: list[Payload]) -> None:
        for number in sorted(numbers, reverse=True):
            del payloads[number]

    return change


def _add(number: int, *added: Payload) -> Callable[[list[Payload]], object]:
    """Return a change that puts events in."""

    def change(payloads: list[Payload]) -> None:
        payloads[number:number] = added

    return change


def _end(kind: str, **response: Any) -> Callable[[list[Payload]], object]:
    """Return a change of the last event."""

    def change(payloads: list[Payload]) -> None:
        payloads[-1]["type"] = f"response.{kind}"
        payloads[-1]["response"].update(status=kind, **response)

    return change


_FAILED = {
    "type": "response.failed",
    "response": {
        "id": "r",
        "status": "failed",
        "output": [],
        "error": {"code": "x", "message": "y"},
    },
}
_ERROR = {"type": "error", "error": {"message": "y"}}

_CASES: dict[str, tuple[Any, Any]] = {
    "first-event": (
        _drop(0),
        lambda p: (
            p[0].update(type="response.queued"),
            p[0]["response"].update(status="queued"),
        ),
    ),
    "terminal": (_drop(11), lambda p: p.__setitem__(11, _ERROR)),
    "terminal-last": (
        _add(
            12,
            {
                "type": "response.in_progress",
                "response": {"id": "r", "status": "in_progress"},
            },
        ),
        lambda p: p.__setitem__(slice(11, 12), [_ERROR, _FAILED]),
    ),
    "status": (
        _in(11, "response", status="incomplete"),
        _add(
            1,
            {
                "type": "response.in_progress",
                "response": {"id": "r", "status": "in_progress"},
            },
        ),
    ),
    "reason": (
        _end("incomplete"),
        _end("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    ),
    "response-id": (_in(11, "response", id="other"), _in(11, "response", model="x")),
    "sequence": (
        _set(4, sequence_number=1),
        lambda p: [e.update(sequence_number=n + 5) for n, e in enumerate(p)],
    ),
    "event-type": (
        _add(3, {"type": "response.unheard_of"}),
        _add(
            3,
            {
                "type": "response.web_search_call.searching",
                "item_id": "m",
                "output_index": 0,
            },
            {"type": "keepalive"},
        ),
    ),
    "fields": (_set(3, item_id=None), _set(3, obfuscation="abc")),
    "usage": (
        _in(11, "response", usage=None),
        _in(11, "response", usage={"total_tokens": 1}),
    ),
    "item-added": (
        _drop(1),
        _add(
            1,
            {
                "type": "response.in_progress",
                "response": {"id": "r", "status": "in_progress"},
            },
        ),
    ),
    "item-once": (
        _add(
            7,
            {"type": "response.output_item.done", "output_index": 0, "item": _MESSAGE},
        ),
        # Items may overlap: the message ends after the call.
        lambda p: p.insert(10, p.pop(6)),
    ),
    "item-done": (_drop(10), lambda p: p.insert(9, p.pop(6))),
    "index-contiguous": (
        lambda p: [e.update(output_index=2) for e in p if e.get("output_index") == 1],
        _set(3, content_index=0),
    ),
    "item-id": (_set(3, item_id="other"), _in(6, "item", status="incomplete")),
    "added-empty": (_in(7, "item", arguments="{"), _in(1, "item", content=None)),
    "part-added": (_drop(2), _in(2, "part", annotations=None)),
    "part-done": (_drop(5), _in(5, "part", annotations=[{"type": "file_path"}])),
    "text-sum": (
        _set(4, text="Ho"),
        lambda p: (p[3].update(delta="H"), p.insert(4, {**p[3], "delta": "i"})),
    ),
    "arguments-sum": (
        _drop(8),
        lambda p: (p[8].update(delta="{"), p.insert(9, {**p[8], "delta": "}"})),
    ),
    "arguments-done": (_drop(9), _set(9, name="f")),
    "call-named": (_in(7, "item", call_id=""), _in(7, "item", namespace="n")),
    "terminal-output": (
        _in(11, "response", output=[]),
        _in(11, "response", output=[{**_MESSAGE, "phase": "x"}, _CALL]),
    ),
}
_ALSO = {
    "item-added": {"item-id", "index-contiguous"},
    "item-done": {"terminal-output"},
}
"""Rules that cannot but be broken with another."""


def test_legal_stream() -> None:
    """The stream that the others are changes of obeys every rule."""
    assert _broken(_numbered(_legal())) == set()


@pytest.mark.parametrize("rule", _CASES)
def test_rule_and_near_miss(rule: str) -> None:
    """The first change breaks the rule, the second breaks none."""
    breaks, misses = _CASES[rule]
    payloads = _legal()
    breaks(payloads)
    found = _broken(_numbered(payloads))
    assert rule in found
    assert found <= {rule} | _ALSO.get(rule, set())
    payloads = _legal()
    misses(payloads)
    assert _broken(_numbered(payloads)) == set()


def test_event_line() -> None:
    """The line must be the type; without it the object's type still decides."""
    events = _numbered(_legal())
    assert _broken([Event(e.index, "", e.payload) for e in events]) == {"event-line"}


def test_item_done_with_another_id() -> None:
    """The done event's item has the id of the added one."""
    payloads = _legal()
    payloads[6]["item"]["id"] = payloads[11]["response"]["output"][0]["id"] = "other"
    assert _broken(_numbered(payloads)) == {"item-id"}


def test_every_rule_has_a_case() -> None:
    """No rule is without an input that breaks it, a summary and a source."""
    names = {rule.name.removeprefix("responses/") for rule in API.rules}
    assert names == {*_CASES, "event-line"}
    assert all(rule.summary and rule.source for rule in API.rules)
    assert len(names) == len(API.rules)


def test_violation_names_event_expected_and_got() -> None:
    """A violation is enough to find the place in one's own server."""
    payloads = _legal()
    payloads[4]["text"] = "Ho"
    (found,) = API.check(_numbered(payloads))
    assert (found.rule.name, found.event) == ("responses/text-sum", 4)
    assert (found.expected, found.got) == ("Hi", "'Ho'")
