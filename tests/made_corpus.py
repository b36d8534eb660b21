"""Made corpora: recordings for a clone that has no `../shared`, and many of them.

The recordings of this repository, and the stock streams of the fuzzer (each a shape
that has broken a real consumer) as several providers would have sent them, saved as
cassettes. What holds for any recording is tried on these where the third-party ones are
not there.

    python -m tests.made_corpus TARGET --streams 200000

writes a Parquet data set of that many different streams: every recorded chat stream in
`cassettes` and in ../shared (where it is there), in each dialect, its text cut into
fragments at random and the bytes into chunks at random. The same number gives the same
data set, and a smaller one is the beginning of a larger. It is never committed.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Cassette
from harness.apis.chat.chunks import Chunk
from harness.apis.chat.dialects.registry import (
    DIALECTS,
    encode_stream,
    parse_dialect,
)
from harness.apis.varied import vary
from harness.cassettes.classify import Kind, classify
from harness.cassettes.encode import save_cassette
from harness.cassettes.library import find_cassettes
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Exchange, WireChunk
from harness.corpus.stream_rows import Labels, Stream, content_id, labels_of
from harness.engine.restated import restated_bytes
from harness.engine.summary import summarise_exchange
from harness.errors import HarnessError
from harness.fuzz.finding_cassettes import cassette_of
from harness.fuzz.stock_streams import stock_streams
from harness.redaction.redact import redact_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["made_files", "made_streams", "write_corpus"]

_ROOT = Path(__file__).resolve().parent.parent
_PROVIDERS = ("recorded", "openai", "ollama", "mistral", "openrouter", "azure+crlf")
_PART = 4096
_CUTS = 8  # of the bytes, for each way to cut the text
_LARGEST = 20_000  # bytes of a stream: what production traffic mostly is
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
        exchanges.append(replace(exchange, index=len(exchanges)))
    save_cassette(Cassette(str(path), exchanges), path)
    return path


def recorded_streams() -> Iterator[tuple[str, Exchange]]:
    """Yield every recorded chat stream that is not unusually long, with its file."""
    from tests.shared import corpus_files  # which needs `made_files`

    for path in [*find_cassettes(_ROOT / "cassettes"), *map(str, corpus_files())]:
        try:
            exchanges = load_cassette(path).exchanges
        except HarnessError:
            continue
        for exchange in exchanges:
            found = classify(exchange)
            is_short = 0 < len(exchange.response.body) <= _LARGEST
            if found.kind is Kind.STREAM and found.api == "chat" and is_short:
                yield f"{Path(path).name}#{exchange.index}", redact_exchange(exchange)


def made_streams() -> Iterator[Stream]:
    """Yield different streams, without end."""
    recorded = list(recorded_streams())
    names = ["", *DIALECTS]
    labels: dict[tuple[int, str], Labels] = {}
    for seed in itertools.count():
        for number, (source, exchange) in enumerate(recorded):
            dialect = names[(seed + number) % len(names)]
            variation = vary(f"random:{seed}", dialect or None)
            try:
                body = b"".join(restated_bytes(exchange, variation, "chat"))
            except HarnessError:
                continue
            made = replace(exchange, index=0, response=replace(exchange.response))
            made.response.body = body
            if (number, dialect) not in labels:
                summary = summarise_exchange(made)
                labels[number, dialect] = labels_of(summary, f"{source} {dialect}")
            rng = random.Random(seed * len(recorded) + number)
            for _ in range(_CUTS):
                cuts = sorted(rng.sample(range(1, len(body)), min(9, len(body) - 1)))
                pairs = itertools.pairwise((0, *cuts, len(body)))
                wire = [WireChunk(0.01 * n, b - a) for n, (a, b) in enumerate(pairs)]
                response = replace(made.response, wire=wire)
                cut = replace(made, response=response)
                yield Stream(content_id(cut), cut, labels[number, dialect])


def write_corpus(target: Path, count: int) -> None:
    """Write a data set of so many streams."""
    from harness.corpus.parquet import parquet_bytes

    target.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    fresh = (s for s in made_streams() if s.id not in seen and not seen.add(s.id))  # type: ignore[func-returns-value]
    wanted = itertools.islice(fresh, count)
    for number in itertools.count():
        part = list(itertools.islice(wanted, _PART))
        if not part:
            return
        data = parquet_bytes([each.to_row() for each in part], {})
        (target / f"part-{number:05d}.parquet").write_bytes(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a data set of many streams.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--streams", type=int, default=200_000)
    asked = parser.parse_args()
    write_corpus(asked.target, asked.streams)
