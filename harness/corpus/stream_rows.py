"""One stream of a corpus: an exchange, what it is called, and what it is about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.cassettes.classify import Kind
from harness.cassettes.model import Ending, Exchange, Request, Response, WireChunk

if TYPE_CHECKING:
    from harness.engine.summary import ExchangeSummary

__all__ = ["Labels", "Stream", "content_id", "labels_of"]


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


@dataclass(frozen=True, slots=True)
class Stream:
    """One row of a data set."""

    id: str
    """Made of the content (`content_id`): the same stream has the same id anywhere."""
    exchange: Exchange
    labels: Labels

    def encode(self) -> bytes:
        """Return it as bytes: a line of JSON, the request's body, the response's."""
        request, response = self.exchange.request, self.exchange.response
        head = {
            "id": self.id,
            "labels": asdict(self.labels),
            "request": [request.method, request.uri, request.headers],
            "request_size": None if request.body is None else len(request.body),
            "response": [response.status, response.reason, response.headers],
            "wire": response.wire,
            "ended": response.ended,
        }
        line = json.dumps(head).encode()
        return b"".join((line, b"\n", request.body or b"", response.body))

    @classmethod
    def decode(cls, data: bytes) -> Stream:
        """Return what `encode` wrote."""
        line, _, rest = data.partition(b"\n")
        head: dict[str, Any] = json.loads(line)
        size = head["request_size"]
        body = None if size is None else rest[:size]
        wire, ended = head["wire"], head["ended"]
        method, uri, sent = head["request"]
        status, reason, headers = head["response"]
        response = Response(
            status,
            reason,
            headers,
            body=rest[size or 0 :],
            wire=None if wire is None else [WireChunk(*chunk) for chunk in wire],
            ended=None if ended is None else Ending(*ended),
        )
        exchange = Exchange(0, Request(method, uri, sent, body), response)
        return cls(head["id"], exchange, Labels(**head["labels"]))


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
