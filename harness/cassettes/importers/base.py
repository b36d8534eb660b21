"""What importers share.

Importers restate: an interaction of another recorder becomes one of vcrpy's, which
`harness.cassettes.interactions` checks, decodes and names errors of like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.apis.detect import are_events
from harness.apis.json_values import dict_of
from harness.cassettes.interactions import exchanges_of
from harness.cassettes.model import Exchange, WireChunk
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem


@dataclass(slots=True)
class Restated:
    """One interaction of another recorder, in vcrpy's shape."""

    method: Any = "POST"
    uri: Any = ""
    request_headers: Any = None
    request_body: Any = None
    status: Any = 200
    reason: Any = ""
    headers: Any = None
    body: Any = ""
    seconds: Any = None
    """From the request to the last byte, where the recorder measured it."""
    stream: dict[str, Any] = field(default_factory=dict)
    """As our `stream` key: when what came, how it ended; empty where not recorded."""
    notes: list[Problem] = field(default_factory=list)

    def interaction(self) -> dict[str, Any]:
        """Return vcrpy's form."""
        response: dict[str, Any] = {
            "body": self.body if isinstance(self.body, dict) else {"string": self.body},
            "headers": self.headers,
            "status": {"code": self.status, "message": self.reason},
        }
        if self.stream:
            response["stream"] = {"version": 1, **self.stream}
        method = self.method
        return {
            "request": {
                "method": method.upper() if isinstance(method, str) else method,
                "uri": self.uri,
                "headers": self.request_headers,
                "body": self.request_body,
            },
            "response": response,
        }


def exchanges_from(restated: list[Restated], path: str) -> list[Exchange]:
    """Return the exchanges of restated interactions.

    Raises:
        CassetteCorruptError: There are none, or one of them does not hold what it must.
    """
    document = {"interactions": [one.interaction() for one in restated], "version": 1}
    exchanges = exchanges_of(document, path)
    for exchange, one in zip(exchanges, restated, strict=True):
        exchange.notes = [*one.notes, *exchange.notes]
        body = exchange.response.body
        is_time = type(one.seconds) in {int, float} and 0 <= one.seconds < 1e9
        if is_time and body and exchange.response.wire is None:
            exchange.response.wire = [WireChunk(float(one.seconds), len(body))]
    return exchanges


def encoded(text: str) -> bytes:
    """Return the bytes of text that was decoded with `surrogateescape`."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that JSON or Python had escaped
        return text.encode("utf-8", "surrogatepass")


def first_interaction(document: Any) -> dict[Any, Any]:
    """Return the first of a document's `interactions`; empty where there is none."""
    interactions = dict_of(document).get("interactions")
    if isinstance(interactions, list) and interactions:
        return dict_of(interactions[0])
    return {}


def not_read(text: str) -> Problem:
    """Return a note about something that has no place in an exchange."""
    return Problem(DiagnosticKind.NOT_READ, text)


def restored(text: str) -> Problem:
    """Return a note about something that was undone or guessed."""
    return Problem(DiagnosticKind.RESTORED, text)


def is_event(value: Any) -> bool:
    """Return whether a value is an event that shows whose it is."""
    return are_events([value])
