"""Which API an event, an answer or a request belongs to; the one list of APIs.

Decided by what the JSON holds, never by the content type, which recorders lose, nor by
a URL alone: gateways and test suites put any URL in front of any provider.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from harness.apis.base import Api, Payload

API_NAMES = ("chat", "responses", "anthropic", "gemini", "ollama")
"""Every API that is read, the most common first."""


@cache
def api_named(name: str) -> Api:
    """Return an API by its name.

    Args:
        name: One of `API_NAMES`.

    Returns:
        The API; imported now, so that a replay of one does not wait for the others.
    """
    return cast("Api", import_module(f"harness.apis.{name}.api").API)


def api_of_event(name: str, payload: Payload) -> Api | None:
    """Return whose event it can only be; None where it could be anybody's."""
    for api in map(api_named, API_NAMES):
        if api.is_event(name, payload):
            return api
    return None


def api_of_answer(document: Any) -> Api | None:
    """Return whose whole answer a JSON document is; None where it is nobody's."""
    for api in map(api_named, API_NAMES):
        if api.is_answer(document):
            return api
    return None


def api_of_request(uri: str, body: Payload) -> Api | None:
    """Return whom a request is meant for; None where that cannot be seen."""
    for api in map(api_named, reversed(API_NAMES)):  # chat takes any `messages`
        if api.is_request(uri, body):
            return api
    return None


def are_events(values: list[Any]) -> bool:
    """Return whether a list is the events of one stream.

    Its first is one API's; the others may be any API's, such as pings and errors.
    `choices` of anything but objects are those of a form or of a setting.
    """
    return bool(values) and all(
        isinstance(value, dict)
        and (
            (api_of_event("", value) is not None and _has_objects(value.get("choices")))
            or (number > 0 and (isinstance(value.get("type"), str) or "error" in value))
        )
        for number, value in enumerate(values)
    )


def _has_objects(choices: Any) -> bool:
    return choices is None or (
        isinstance(choices, list) and all(isinstance(one, dict) for one in choices)
    )
