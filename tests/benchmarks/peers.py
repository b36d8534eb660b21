"""Who we are measured against; each does the same work in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.benchmarks.workloads import BASE_URL, QUESTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class NoOp:
    """A method that does nothing: what calling costs."""

    def process_json_chunk(self, _chunk: str) -> str | None:
        """Do nothing."""
        return None


class TokenMatcher:
    """The decisions that the seed's handler makes for a fragment, in their order.

    It matches whole tokens: a lone brace opens the object, the key is collected until
    a colon comes, a lone quote begins and ends the text. Written anew for its cost.
    """

    def __init__(self, json_key: str = "message") -> None:
        self.json_key = json_key
        self.collecting = False
        self.collected = ""
        self.is_inside = False
        self.has_begun = False

    def process_json_chunk(self, chunk: str) -> str | None:
        """Decide what a fragment is."""
        if self.collecting:
            token = chunk.strip()
            if self.json_key in self.collected:
                if ":" in token:
                    self.is_inside, self.collecting = True, False
                return None
            self.collected += token
            return None
        if self.is_inside:
            if chunk.strip() == '"' and self.has_begun:
                self.is_inside = self.has_begun = False
                return None
            if not self.has_begun and chunk.strip() == '"':
                self.has_begun = True
                return None
            if self.has_begun:
                if chunk.strip().endswith('"'):
                    self.is_inside = False
                    return chunk.rstrip('"\n')
                return chunk
        if chunk.strip() == "{":
            self.collected, self.collecting = "", True
        elif chunk.strip() == "}":
            self.is_inside = self.has_begun = False
        return None


def rust_parser(pieces: list[str]) -> str:
    """Read the message with `streaming-json-parser` and its native part."""
    from streaming_json_parser import StreamingJsonParser

    parser = StreamingJsonParser()
    seen = 0
    out = []
    for piece in pieces:
        value: Any = parser.feed(piece).value
        text = value.get("message") if value else None
        if text and len(text) > seen:
            out.append(text[seen:])
            seen = len(text)
    return "".join(out)


def jiter_on(prefixes: list[bytes]) -> Callable[[], None]:
    """Return what parses the text so far, at each of these lengths."""
    from jiter import from_json

    def run() -> None:
        for prefix in prefixes:
            from_json(prefix, partial_mode="trailing-strings")["message"]

    return run


def sdk_over(body: bytes) -> Callable[[], int]:
    """Return what iterates these bytes with the OpenAI SDK, without any network."""
    import httpx2
    from openai import OpenAI

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    def answer(_request: httpx2.Request) -> httpx2.Response:
        head = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=head, content=pieces())

    transport = httpx2.MockTransport(answer)
    client = OpenAI(
        base_url=BASE_URL,
        api_key="unused",
        http_client=httpx2.Client(transport=transport),
    )
    return lambda: _iterate(client)


def vcrpy_with_sdk(path: Path) -> Callable[[], int]:
    """Return what plays a cassette with vcrpy and iterates it with the OpenAI SDK.

    The client is made once, outside of what is timed: making one takes as long as
    some hundred chunks.
    """
    import vcr
    from openai import OpenAI

    client = OpenAI(base_url=BASE_URL, api_key="unused", max_retries=0)

    def run() -> int:
        with vcr.use_cassette(str(path), record_mode="none"):
            return _iterate(client)

    return run


def plain_script(path: Path) -> str:
    """Do what a script of ten lines does: join the text and the arguments."""
    import orjson

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(path.read_bytes(), Loader=loader)
    pieces = []
    for interaction in document["interactions"]:
        for line in interaction["response"]["body"]["string"].split("\n\n"):
            if line.startswith("data: {"):
                for choice in orjson.loads(line[6:])["choices"]:
                    delta = choice["delta"]
                    pieces.append(delta.get("content") or "")
                    calls = delta.get("tool_calls") or ()
                    pieces += [call["function"]["arguments"] for call in calls]
    return "".join(pieces)


def _iterate(client: Any) -> int:
    """Read a stream as agents do: the text and the arguments of every chunk."""
    size = 0
    for chunk in client.chat.completions.create(**QUESTION):
        for choice in chunk.choices:
            size += len(choice.delta.content or "")
            for call in choice.delta.tool_calls or ():
                size += len(call.function.arguments or "")
    return size
