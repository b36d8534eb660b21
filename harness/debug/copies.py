"""What a recording becomes elsewhere: a curl command, a pytest test."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

__all__ = ["as_curl", "as_test"]


def as_curl(exchange: Exchange) -> str:
    """Return the command that sends a request again; the key is left to the shell."""
    request = exchange.request
    if not request.uri:
        return ""
    url = shlex.quote(redacted_url(request.uri))
    lines = [
        f"curl -N -X {shlex.quote(request.method)} {url}",
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
