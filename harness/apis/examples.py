"""Small made streams of an API, one of each shape: its folder's `examples.json`."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from harness.apis.base import Event
from harness.apis.detect import api_named
from harness.core.package_files import package_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.apis.base import Payload
    from harness.core.parts import Part


def example_names(api: str) -> tuple[str, ...]:
    """Return the names of the examples of an API."""
    return tuple(_examples(api))


def example_events(api: str, name: str) -> list[Event]:
    """Return the events of an example, one of `example_names`."""
    return numbered_events(api, _examples(api)[name])


def example_parts(api: str, name: str) -> list[Part]:
    """Return the parts of an example, as the API's reader reads it."""
    reader = api_named(api).reader()
    parts = [part for e in example_events(api, name) for part in reader.feed(e)]
    return parts + reader.close()


def numbered_events(api: str, payloads: Iterable[Payload]) -> list[Event]:
    """Return payloads as the events of a stream, named as the API names them."""
    has_names = api_named(api).has_event_names
    return [
        Event(number, str(payload.get("type") or "") if has_names else "", payload)
        for number, payload in enumerate(payloads)
    ]


@cache
def _examples(api: str) -> dict[str, list[Payload]]:
    examples: dict[str, list[Payload]] = json.loads(
        package_file("harness.apis", f"{api}/examples.json")
    )
    return examples
