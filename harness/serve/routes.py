"""From a request to an answer: the paths of the server, and what each of them answers.

| path | what |
|---|---|
| ``POST .../chat/completions``, ``.../responses``, ``.../messages``, | what a |
| ``.../models/NAME:streamGenerateContent``, ``:generateContent`` | recording answers |
| ``GET .../responses/ID`` | a recorded answer again, with ``starting_after`` its rest |
| ``GET .../models`` | the models of the recordings |
| anything that was recorded | what its recording answers |
| ``GET /harness`` | the cassettes, and the names of the sessions |
| ``GET, PUT, DELETE /harness/sessions/NAME`` | settings and log; set; forget |

All but the control endpoint may stand behind ``/s/NAME``. Pure but for the sessions.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote

from harness.cassettes.model import Request, header_pairs
from harness.errors import UsageError, shorten
from harness.redaction.config import redacted_url
from harness.serve.answer import Answer
from harness.serve.answering import say
from harness.serve.apis import asked_api, is_asked_streamed, response_id
from harness.serve.recordings import NoAnswerError, route_of
from harness.serve.sessions import DEFAULT_SESSION, Asked, Session, Sessions

CONTROL = "/harness"
"""Where the control endpoint is."""
SESSION_HEADER = "x-harness-session"
"""The header that names a session."""

_PREFIX = "/s/"


def answer_to(request: Request, sessions: Sessions) -> tuple[Answer, Asked | None]:
    """Answer a request.

    Args:
        request: As it came, its `uri` a path with or without a query.
        sessions: Those of the server; the one that was named takes note.

    Returns:
        The answer, and the note whose outcome is still to be noted; None for a
        request to the control endpoint.
    """
    path = request.uri.partition("?")[0]
    try:
        if is_control(request):
            return _control(request, path, sessions), None
        name, path = _session_of(request, path)
        session = sessions.get(name)
    except UsageError as error:
        return Answer.error(400, str(error)), None
    query = request.uri.partition("?")[2]
    uri = f"{path}?{query}" if query and asked_api(path) else path
    comparable = sessions.recordings.comparable(replace(request, uri=uri))
    asked = sessions.ask(session, comparable)
    answer = _answer(session, comparable, asked)
    asked.status = answer.status
    asked.source = answer.source
    return answer, asked


def is_control(request: Request) -> bool:
    """Return whether a request is for the control endpoint."""
    path = request.uri.partition("?")[0]
    return path in {"/", CONTROL} or path.startswith(f"{CONTROL}/")


def _session_of(request: Request, path: str) -> tuple[str, str]:
    if path.startswith(_PREFIX):
        name, _, rest = path.removeprefix(_PREFIX).partition("/")
        return unquote(name), f"/{rest}"
    for header, value in header_pairs(request.headers):
        if header.lower() == SESSION_HEADER:
            return value, path
    return DEFAULT_SESSION, path


def _answer(session: Session, request: Request, asked: Asked) -> Answer:
    route = route_of(request.uri)
    recorded = session.recordings.chosen(session.settings.cassette)
    if route.endswith("/models") and route not in {one.route for one in recorded}:
        if request.method not in {"GET", "HEAD"}:
            return _not_allowed(request, "GET")
        return _models(session)
    document: Any = None
    api = asked_api(request.uri)
    if api == "responses" and request.method == "GET":
        return _resumed(session, request, asked)
    if api:
        if request.method != "POST":
            return _not_allowed(request, "POST")
        try:
            document = json.loads(request.body or b"")
        except (ValueError, RecursionError) as error:
            asked.problem = f"the body is no JSON: {error}"
            return Answer.error(400, asked.problem)
        if not isinstance(document, dict):
            asked.problem = "the body is JSON, but no object"
            return Answer.error(400, asked.problem)
    return _recorded(session, request, asked, document)


def _recorded(
    session: Session, request: Request, asked: Asked, document: dict[str, Any] | None
) -> Answer:
    settings = session.settings
    refusal = settings.fault.refusal(session.answered)
    session.answered += 1
    if refusal is not None:
        return refusal
    is_streamed = is_asked_streamed(request, document)
    if session.said is not None:
        pieces = ((None, piece) for piece in session.said)
        answer = Answer(200, [("content-type", "text/event-stream")], pieces)
    else:
        try:
            chosen = session.chooser.choose(request)
        except NoAnswerError as error:
            asked.problem = str(error)
            return Answer.error(404, asked.problem)
        answer = say(chosen.exchange, settings, request, is_streamed=is_streamed)
        answer = replace(answer, source=chosen.name)
    return settings.fault.deliver(answer)


def _resumed(session: Session, request: Request, asked: Asked) -> Answer:
    """Answer `GET .../responses/ID?stream=true&starting_after=N`: the rest of it."""
    wanted = request.uri.partition("?")[0].rstrip("/").rpartition("/")[2]
    query = parse_qs(request.uri.partition("?")[2])
    after = query.get("starting_after", ["0"])[0]
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        return Answer.error(400, f"starting_after takes a number, got {shorten(after)}")
    for one in session.recordings.chosen(session.settings.cassette):
        if response_id(one.exchange) == wanted:
            is_streamed = query.get("stream", ["false"])[0] == "true"
            if not is_streamed:
                request = replace(request, method="POST")
            answer = say(
                one.exchange, session.settings, request, is_streamed=is_streamed
            )
            return replace(answer, source=one.name)
    asked.problem = f"no recorded response has the id {shorten(wanted)}"
    return Answer.error(404, asked.problem)


def _models(session: Session) -> Answer:
    return Answer.json(
        {
            "object": "list",
            "data": [
                {"id": name, "object": "model", "created": 0, "owned_by": "harness"}
                for name in session.recordings.models()
            ],
        }
    )


def _not_allowed(request: Request, allowed: str) -> Answer:
    answer = Answer.error(
        405,
        f"{redacted_url(request.uri)} takes {allowed}, got {shorten(request.method)}",
    )
    return replace(answer, headers=[*answer.headers, ("allow", allowed)])


def _control(request: Request, path: str, sessions: Sessions) -> Answer:
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if len(parts) == 3 and parts[1] == "sessions":
        return _control_session(request, parts[2], sessions)
    if len(parts) == 1:
        if request.method not in {"GET", "HEAD"}:
            return _not_allowed(request, "GET")
        return Answer.json(
            {
                "cassettes": {
                    path: [f"{one.request.method} {one.route}" for one in recorded]
                    for path, recorded in sessions.recordings.cassettes.items()
                },
                "settings": sessions.defaults.as_json(),
                "sessions": sorted(session.name for session in sessions),
            }
        )
    return Answer.error(
        404, f"no such path: expected {CONTROL} or {CONTROL}/sessions/NAME, got {path}"
    )


def _control_session(request: Request, name: str, sessions: Sessions) -> Answer:
    if request.method in {"GET", "HEAD"}:
        return Answer.json(sessions.get(name).as_json())
    if request.method == "DELETE":
        sessions.forget(name)
        return Answer.json({"name": name, "deleted": True})
    if request.method != "PUT":
        return _not_allowed(request, "GET, PUT, DELETE")
    given = request.json() if request.body else {}
    if not isinstance(given, dict):
        return Answer.error(400, "expected the settings as a JSON object")
    try:
        return Answer.json(sessions.configure(name, given).as_json())
    except UsageError as error:
        return Answer.error(400, str(error))
