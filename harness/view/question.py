"""What a request asked, in one text: the heading of every view of its answer."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

from harness.engine.conversation import conversation_of
from harness.errors import printable
from harness.store.rules import redacted_url

if TYPE_CHECKING:
    from harness.apis.base import Turn
    from harness.store.cassette import Exchange

__all__ = ["as_curl", "as_test", "heading_of", "question_of"]


def question_of(exchange: Exchange, api: str = "") -> str:
    """Return what the newest turn of a request asks.

    Args:
        exchange: The exchange.
        api: Whose answer came back; where it is empty the request decides.

    Returns:
        The text of the last turn of the user, or the results of tools that came after
        it; empty where the request was not recorded or cannot be read.
    """
    conversation = conversation_of(exchange, api)
    for turn in reversed(conversation.turns if conversation else ()):
        text = _text_of(turn)
        if text:
            return text
    return ""


def _text_of(turn: Turn) -> str:
    if turn.role == "user" and turn.text:
        return turn.text
    if turn.outputs:
        return "\n".join(
            f"result of {one.name or one.call_id or 'a tool'}: {one.text}"
            for one in turn.outputs
        )
    return ""


def heading_of(question: str, limit: int = 60) -> str:
    """Return a question as the heading of an exchange: one line, quoted."""
    if not question:
        return "(no question recorded)"
    line = printable(" ".join(question.split()))
    return f'"{line[:limit]}{"…" if len(line) > limit else ""}"'


def as_curl(exchange: Exchange) -> str:
    """Return the command that sends a request again; the key is left to the shell."""
    request = exchange.request
    if not request.uri:
        return ""
    lines = [
        f"curl -N -X {shlex.quote(request.method)} "
        f"{shlex.quote(redacted_url(request.uri))}",
        "-H 'Content-Type: application/json'",
        '-H "Authorization: Bearer $API_KEY"',
    ]
    if request.body:
        body = request.body.decode("utf-8", "replace")
        lines.append(f"--data-binary {shlex.quote(body)}")
    return " \\\n  ".join(lines)


def as_test(path: str, exchange: int, text: str, calls: list[str]) -> str:
    """Return a pytest test that holds an exchange to what it answered.

    Args:
        path: The recording, as the test is to name it.
        exchange: Number of the exchange.
        text: The whole text of its answer.
        calls: The names of the tools it called.

    Returns:
        The source of a test module.
    """
    name = "".join(c if c.isalnum() else "_" for c in PurePath(path).stem)
    return (
        "import harness\n\n\n"
        f"def test_{name}_exchange_{exchange}():\n"
        f"    transcript = harness.replay({path!r}, exchange={exchange})\n"
        f"    assert transcript.text == {text!r}\n"
        f"    assert [call.name for call in transcript.calls] == {calls!r}\n"
        "    assert not transcript.diagnostics\n"
    )
