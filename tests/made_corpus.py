"""Recordings for a clone that has no `../shared`: one of each shape, made in code.

The recordings of this repository, and the stock streams of the fuzzer (each a shape
that has broken a real consumer) as several providers would have sent them, saved as
cassettes. What holds for any recording is tried on these where the third-party ones are
not there.
"""

from __future__ import annotations

import dataclasses
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Cassette
from harness.apis.chat.chunks import Chunk
from harness.apis.chat.dialects.registry import encode_stream, parse_dialect
from harness.cassettes.encode import save_cassette
from harness.fuzz.stock import stock_streams
from harness.fuzz.writing import cassette_of

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

__all__ = ["made_files"]

_ROOT = Path(__file__).resolve().parent.parent
_PROVIDERS = ("recorded", "openai", "ollama", "mistral", "openrouter", "azure+crlf")
_FOLDER = tempfile.TemporaryDirectory(prefix="harness-made-corpus-")


@cache
def made_files() -> list[Path]:
    """Return every recording in a stable order; the made ones are written once."""
    recorded = sorted((_ROOT / "cassettes").rglob("*.yaml"))
    recorded = [path for path in recorded if not path.name.endswith(".scenario.yaml")]
    return [*recorded, *map(_written, range(len(_PROVIDERS)))]


def _written(number: int) -> Path:
    """Save the stock streams as one provider sends them; an exchange each."""
    dialect = parse_dialect(_PROVIDERS[number])
    path = Path(_FOLDER.name) / f"{number}.yaml"
    exchanges: list[Exchange] = []
    for payloads in stock_streams().values():
        chunks = [Chunk(i, None, payload) for i, payload in enumerate(payloads)]
        pieces = list(encode_stream(chunks, dialect))
        (exchange,) = cassette_of(pieces).exchanges
        exchanges.append(dataclasses.replace(exchange, index=len(exchanges)))
    save_cassette(Cassette(str(path), exchanges), path)
    return path
