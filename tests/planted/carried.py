"""Consumers that lose what goes beside an answer, and right ones that carry it.

Log probabilities, citations, signatures; and a few more ways to lose a piece. From
public threads, among them openai/openai-agents-python#4252, rsalmn/ExtremeRouter#9,
weave-os/router#331 and bojieli/ai-agent-book#194.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.planted.events import AnthropicReader, GeminiReader, ResponsesReader
from tests.planted.streams import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Object = dict[str, Any]


class Beside(Reader):
    """Right: shows log probabilities and citations."""

    def __init__(self) -> None:
        super().__init__()
        self.logprobs: list[_Object] = []
        self.citations: list[_Object] = []

    def read(self, chunk: _Object) -> None:
        super().read(chunk)
        for choice in chunk.get("choices") or []:
            if not choice.get("index"):
                self.on_logprobs(choice)
                self.on_citations(choice.get("delta") or {})

    def on_logprobs(self, choice: _Object) -> None:
        self.logprobs += (choice.get("logprobs") or {}).get("content") or []

    def on_citations(self, delta: _Object) -> None:
        self.citations += delta.get("annotations") or []

    def result(self) -> _Object:
        beside = {"logprobs": self.logprobs, "annotations": self.citations}
        return {**super().result(), **beside}


class LastLogprobs(Beside):
    """Replaces log probabilities by those that come later."""

    def on_logprobs(self, choice: _Object) -> None:
        if (choice.get("logprobs") or {}).get("content"):
            self.logprobs = choice["logprobs"]["content"]


class LogprobsOfOpen(Beside):
    """Drops those of the piece that has the finish reason."""

    def on_logprobs(self, choice: _Object) -> None:
        if not choice.get("finish_reason"):
            super().on_logprobs(choice)


class CitedText(Beside):
    """Drops citations that come without a text."""

    def on_citations(self, delta: _Object) -> None:
        if delta.get("content"):
            super().on_citations(delta)


class Confidence(Beside):
    """Right: shows what log probabilities come to."""

    def result(self) -> _Object:
        total = sum(token["logprob"] for token in self.logprobs)
        return {**Reader.result(self), "confidence": total}


class SourcesBelow(Beside):
    """Right: writes the citations below the text."""

    def result(self) -> _Object:
        urls = [citation["url_citation"]["url"] for citation in self.citations]
        self.text += "".join(f"\n- {url}" for url in urls)
        return Reader.result(self)


def passed_on(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: hands chunks on, made anew."""
    names = ("index", "delta", "finish_reason", "logprobs")
    for chunk in chunks:
        choices = [c for c in chunk.get("choices") or [] if not c.get("index")]
        kept = [{name: choice.get(name) for name in names} for choice in choices]
        yield {"choices": kept, "usage": chunk.get("usage")}


def logprobs_twice(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: hands chunks on, and shows all their log probabilities at the end."""
    shown: list[_Object] = []
    for chunk in passed_on(chunks):
        for choice in chunk["choices"]:
            shown += (choice.get("logprobs") or {}).get("content") or []
        yield chunk
    yield {"type": "done", "logprobs": shown}


def without_annotations(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Hands citations on only beside a text."""
    for chunk in passed_on(chunks):
        for choice in chunk["choices"]:
            if not (choice["delta"] or {}).get("content"):
                (choice["delta"] or {}).pop("annotations", None)
        yield chunk


class ResetOnEmpty(Reader):
    """Begins the arguments anew where an empty piece comes."""

    def read_entry(self, entry: _Object) -> None:
        super().read_entry(entry)
        if (entry.get("function") or {}).get("arguments") == "" and self.last:
            self.last["arguments"] = ""


class EncodedTwice(Reader):
    """Encodes the arguments of every call once more."""

    def result(self) -> _Object:
        for call in self.calls:
            call["arguments"] = json.dumps(call["arguments"])[1:-1]
        return super().result()


class Unindents(Reader):
    """Makes one blank of several."""

    def result(self) -> _Object:
        self.text = re.sub("  +", " ", self.text)
        return super().result()


class WithoutFenceInText(Reader):
    """Takes Markdown's fences out of the text."""

    def result(self) -> _Object:
        self.text = self.text.replace("```", "")
        return super().result()


def pairs(chunks: Iterable[_Object]) -> tuple[str, list[tuple[str, str]]]:
    """Right: a text, and pairs of a name and arguments."""
    read = Reader()(iter(chunks))
    return read["content"], [(c["name"], c["arguments"]) for c in read["calls"]]


def pairs_of_latin(chunks: Iterable[_Object]) -> tuple[str, list[tuple[str, str]]]:
    """Drops characters beyond ASCII from arguments."""
    text, calls = pairs(chunks)
    return text, [(name, a.encode("ascii", "ignore").decode()) for name, a in calls]


CHUNKS = (
    *(LastLogprobs, LogprobsOfOpen, CitedText, without_annotations, ResetOnEmpty),
    *(EncodedTwice, Unindents, WithoutFenceInText, pairs_of_latin),
)


class ItemNotRead(ResponsesReader):
    """Reads no arguments in the item that is done."""

    def on_response_output_item_done(self, event: _Object) -> None:
        super().on_response_output_item_done(
            {**event, "item": {**event["item"], "arguments": "", "input": ""}}
        )


class Parts(AnthropicReader):
    """Right: a message of parts, with its calls apart."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[_Object] = []

    def on_delta(self, index: object, delta: _Object) -> None:
        super().on_delta(index, delta)
        if delta.get("type") == "citations_delta":
            self.on_citation(delta["citation"])

    def on_citation(self, citation: _Object) -> None:
        self.sources.append(citation)

    def result(self) -> _Object:
        read = super().result()
        parts = [{"type": "text", "text": self.text, "citations": self.sources}]
        return {"role": "assistant", "content": parts, "tool_calls": read["calls"]}


class LastCitation(Parts):
    """Keeps one citation, the last."""

    def on_citation(self, citation: _Object) -> None:
        self.sources = [citation]


def calls_at_their_stop(events: Iterable[_Object]) -> Iterator[_Object]:
    """Right: yields each call when its block stops, the others with the end."""
    reader, shown = AnthropicReader(), list[_Object]()
    for event in events:
        reader.read(event)
        stopped = [reader.find(event.get("index"))]
        is_end = event.get("type") == "message_delta"
        if event.get("type") == "content_block_stop" or is_end:
            for call in reader.calls if is_end else stopped:
                if call is not None and call not in shown:
                    shown.append(call)
                    arguments = reader.arguments(call)
                    yield {"name": call["name"], "arguments": arguments}


class Signed(GeminiReader):
    """Right: shows signatures and the pages that an answer rests on."""

    def __init__(self) -> None:
        super().__init__()
        self.signed: list[_Object] = []
        self.pages: list[_Object] = []

    def read(self, event: _Object) -> None:
        super().read(event)
        for candidate in ((event.get("response") or event).get("candidates") or [])[:1]:
            grounding = candidate.get("groundingMetadata") or {}
            self.pages += self.of(grounding.get("groundingChunks") or [])

    def of(self, pages: list[_Object]) -> list[_Object]:
        return pages

    def on_part(self, part: _Object) -> None:
        super().on_part(part)
        signature = part.get("thoughtSignature") or part.get("thought_signature")
        if signature and self.keeps(part):
            self.signed.append({"signature": signature})

    def keeps(self, part: _Object) -> bool:
        return bool(part)

    def result(self) -> _Object:
        return {**super().result(), "signed": self.signed, "pages": self.pages}


class SignedTextOnly(Signed):
    """Drops the signatures of calls."""

    def keeps(self, part: _Object) -> bool:
        return "text" in part


class SignatureWithText(Signed):
    """Drops a signature that comes behind the text."""

    def keeps(self, part: _Object) -> bool:
        return part.get("text") != ""


class OnePage(Signed):
    """Shows the first page only."""

    def of(self, pages: list[_Object]) -> list[_Object]:
        return pages[:1]


class LateThoughts(GeminiReader):
    """Takes thoughts for text once there is text."""

    def on_part(self, part: _Object) -> None:
        super().on_part({**part, "thought": part.get("thought") and not self.text})


OF_APIS = (
    (ItemNotRead, "responses"),
    (LastCitation, "anthropic"),
    *((target, "gemini") for target in (SignedTextOnly, SignatureWithText)),
    *((target, "gemini") for target in (OnePage, LateThoughts)),
)
RIGHT = (
    *((target, "chat") for target in (Beside, SourcesBelow, passed_on, pairs)),
    *((target, "chat") for target in (Confidence, logprobs_twice)),
    *((target, "anthropic") for target in (Parts, calls_at_their_stop)),
    (Signed, "gemini"),
)
