"""Answers that were not streamed, and error bodies, to the parts of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.responses.errors import error_of, error_text
from harness.apis.responses.event_types import ENDS
from harness.apis.responses.known_fields import EVENTS
from harness.apis.responses.reader import Reader
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Part, Problem
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.apis.base import Payload


def whole(document: Payload) -> list[Part]:
    """Read an answer that was not streamed, or an error body.

    Args:
        document: The JSON object; any shape.

    Returns:
        Its parts, in the order of its output.
    """
    reader = Reader()
    error = error_of("", "", document)
    if error is not None and document.get("object") != "response":
        reader.unread.feed(0, document, EVENTS["error"])
        reader.fail(error_text(error))
    else:
        status = document.get("status")
        kind = next((k for k, ended in ENDS.items() if ended == status), "")
        reader.read_response(document, "", kind)
        if not kind:
            reader.problem(
                DiagnosticKind.MISSING_FINISH,
                f"the response is not finished: its status is {shorten(status)}",
            )
    for part in reader.out:
        if type(part) is Problem:
            part.event = None
    return [*reader.out, *reader.unread.problems()]
