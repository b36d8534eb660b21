"""One stream of a corpus: an exchange, what it is called, and what it is about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.cassettes.classify import Kind
from harness.cassettes.model import Ending, Exchange, Request, Response, WireChunk
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from harness.engine.summary import ExchangeSummary


@dataclass(frozen=True, slots=True)
class Labels:
    """What a stream is about, to count and choose by."""

    api: str = ""
    """One of `harness.apis.detect.API_NAMES`; empty where it is nobody's answer."""
    provider: str = ""
    """The host that was asked; empty where the recording has no URL."""
    model: str = ""
    shape: str = ""
    """What came, such as ``text+calls``; ``whole:`` before what was not streamed,
    ``other`` for what is no answer."""
    source: str = ""
    """Where it was read: the file, the member of an archive, the exchange."""


LABELS = tuple(field.name for field in fields(Labels))


@dataclass(frozen=True, slots=True)
class Stream:
    """One row of a data set."""

    id: str
    """Made of the content (`content_id`): the same stream has the same id anywhere."""
    exchange: Exchange
    labels: Labels

    def to_row(self) -> dict[str, Any]:
        """Return it as a row of a data set: `harness.corpus.parquet` has the schema."""
        request, response = self.exchange.request, self.exchange.response
        wire, ended = response.wire, response.ended
        return {
            "id": self.id,
            **asdict(self.labels),
            "method": request.method,
            "uri": request.uri,
            "request_headers": json.dumps(request.headers),
            "request_body": request.body,
            "status": response.status,
            "reason": response.reason,
            "response_headers": json.dumps(response.headers),
            "body": response.body,
            "chunk_seconds": None if wire is None else [each.seconds for each in wire],
            "chunk_sizes": None if wire is None else [each.size for each in wire],
            "ended": None if ended is None else ended.kind,
            "error": None if ended is None else ended.error,
            "message": None if ended is None else ended.message,
        }

    @classmethod
    def decode(cls, data: bytes) -> Stream:
        """Return the stream of a row that `encode_row` wrote.

        Raises:
            CassetteCorruptError: The row is not of the schema.
        """
        row = decode_row(data)
        try:
            return _stream_of(row)
        except (KeyError, TypeError, ValueError) as error:
            raise not_a_row(row["place"], error) from None


def encode_row(row: dict[str, Any], place: str = "") -> bytes:
    """Return a row as bytes: a line of JSON, the request's body, the response's.

    Args:
        row: What `Stream.to_row` returns, or a row of a data set.
        place: Where it was read, for errors.
    """
    request, body = row["request_body"] or b"", row["body"]
    sizes: dict[str, Any] = {"body": None, "place": place}
    if row["request_body"] is not None:
        sizes["request_body"] = len(request)
    return b"".join((json.dumps({**row, **sizes}).encode(), b"\n", request, body))


def not_a_row(place: str, error: Exception) -> CassetteCorruptError:
    """Return the error for a row that cannot be read.

    Args:
        place: What `encode_row` was given.
        error: What was raised.
    """
    name, _, place = place.partition(": ")
    return CassetteCorruptError(
        name,
        f"not a row of a data set of streams ({type(error).__name__}: {error}); "
        "the columns are in the documentation of corpora",
        place=place,
    )


def decode_row(data: bytes) -> dict[str, Any]:
    """Return the row that `encode_row` wrote."""
    line, _, rest = data.partition(b"\n")
    row: dict[str, Any] = json.loads(line)
    size = row["request_body"]
    row["request_body"] = None if size is None else rest[:size]
    row["body"] = rest[size or 0 :]
    return row


def _stream_of(row: dict[str, Any]) -> Stream:
    sizes, ended = row["chunk_sizes"], row["ended"]
    sent, came = (
        json.loads(row[f"{name}_headers"]) for name in ("request", "response")
    )
    wire = None
    if sizes is not None:
        pairs = zip(row["chunk_seconds"], sizes, strict=True)
        wire = [WireChunk(*pair) for pair in pairs]
    if ended is not None:
        ended = Ending(ended, row["error"] or "", row["message"] or "")
    exchange = Exchange(
        0,
        Request(row["method"], row["uri"], sent, row["request_body"]),
        Response(row["status"], row["reason"], came, row["body"], wire, ended),
    )
    labels = Labels(**{name: row.get(name) or "" for name in LABELS})
    return Stream(row.get("id") or content_id(exchange), exchange, labels)


def content_id(exchange: Exchange) -> str:
    """Return what a stream is called: 32 hexadecimal digits of SHA-256.

    Args:
        exchange: Redacted, its body held. What was sent, what came, how it was cut and
            how it ended count; headers and times do not, for they differ whenever the
            same is asked again.
    """
    request, response = exchange.request, exchange.response
    head = [
        request.method,
        request.uri,
        None if request.body is None else len(request.body),
        response.status,
        None if response.wire is None else [size for _, size in response.wire],
        response.ended,
    ]
    digest = hashlib.sha256(json.dumps(head).encode())
    digest.update(request.body or b"")
    digest.update(response.body)
    return digest.hexdigest()[:32]


def labels_of(summary: ExchangeSummary, source: str) -> Labels:
    """Return the labels of an exchange that was read to its end.

    Args:
        summary: What it holds.
        source: Where it was read.
    """
    try:
        provider = urlsplit(summary.exchange.request.uri).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        provider = ""
    return Labels(summary.api, provider, summary.model, _shape(summary), source)


def _shape(summary: ExchangeSummary) -> str:
    if summary.kind is Kind.OTHER:
        return "other"
    messages = summary.choices.values()
    held = {
        "reasoning": any(message.reasoning for message in messages),
        "text": any(message.content for message in messages),
        "refusal": any(message.refusal for message in messages),
        "calls": any(message.calls for message in messages),
        "items": any(message.items for message in messages),
        "several": len(summary.choices) > 1,
    }
    shape = "+".join(name for name, is_there in held.items() if is_there) or "nothing"
    return f"whole:{shape}" if summary.kind is Kind.WHOLE else shape
