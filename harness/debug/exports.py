"""What a recording becomes elsewhere: a curl command, a pytest test."""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import chain, count
from pathlib import PurePath
from typing import TYPE_CHECKING

from harness.apis.varied import Variation
from harness.cassettes.atomic import write_atomically
from harness.cassettes.encode import save_cassette
from harness.cassettes.model import Cassette
from harness.redaction.config import redacted_url
from harness.redaction.redact import redact_cassette

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cassettes.model import Exchange
    from harness.debug.trace import Trace


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


def as_test(
    path: str,
    *,
    name: str,
    text: str,
    calls: list[str],
    kinds: list[str],
    exchange: int | None = None,
    interface: str = "streaming",
    variation: Variation | None = None,
) -> str:
    """Return a pytest test that holds an exchange to what it answered.

    Args:
        path: The recording, as an expression of Python.
        name: What the test is about; characters that no name may have are replaced.
        text: The whole text of its answer.
        calls: The names of the tools it called.
        kinds: The diagnostics that it gives, by kind.
        exchange: Number of the exchange; None where it is the only one.
        interface: What is replayed.
        variation: How the stream is written, cut and broken.

    Returns:
        The function and the imports that it needs.
    """
    how = variation or Variation()
    style = how.style
    options = {
        "exchange": exchange,
        "api": style.api if style else None,
        "split": how.split and str(how.split),
        "dialect": (style.dialect if style else how.dialect and str(how.dialect)),
        "fault": (style.fault_text if style else how.fault and str(how.fault)),
    }
    given = [path, *([repr(interface)] if interface != "streaming" else [])]
    given += [
        f"{key}={value!r}" for key, value in options.items() if value not in {None, ""}
    ]
    return (
        "import harness\n\n\n"
        f"def test_{_identifier(name)}():\n"
        f"    transcript = harness.replay({', '.join(given)})\n"
        f"    assert transcript.text == {text!r}\n"
        f"    assert [call.name for call in transcript.calls] == {calls!r}\n"
        f"    assert [found.kind for found in transcript.diagnostics] == {kinds!r}\n"
    )


def write_test(cassette: Cassette, made: Trace, folder: Path) -> tuple[Path, Path]:
    """Write a test of an exchange, and a cassette that holds it alone, without secrets.

    Args:
        cassette: The recording.
        made: The exchange as it was followed; of several interfaces the last is
            tested.
        folder: Where to; nothing that is there is replaced.

    Returns:
        The test and the cassette.

    Raises:
        CassetteError: The folder cannot be written to.
    """
    name = f"test_{_identifier(PurePath(cassette.path).stem)}_{made.exchange}"
    stems = chain([name], (f"{name}_{number}" for number in count(2)))
    stem = next(one for one in stems if not any(folder.glob(f"{one}.[py][ya]*")))
    test, kept = folder / f"{stem}.py", folder / f"{stem}.yaml"
    alone = replace(cassette.exchanges[made.exchange], index=0)
    save_cassette(redact_cassette(Cassette(str(kept), [alone])), kept)
    source = as_test(
        f'Path(__file__).with_name("{kept.name}")',
        name=stem.removeprefix("test_"),
        text=made.message.content,
        calls=[call.name for call in made.message.calls],
        kinds=[str(found.kind) for found in made.diagnostics],
        interface=made.interfaces[-1] if made.interfaces else "streaming",
        variation=made.variation,
    )
    write_atomically(test, f"from pathlib import Path\n\n{source}".encode())
    return test, kept


def _identifier(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)
