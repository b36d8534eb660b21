"""How servers and gateways send a generateContent stream: one value a habit.

A dialect changes how a stream is written (`Style`) and how its events are framed
(`Framing`), never what it amounts to, but for what `cannot` lists.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import DONE
from harness.apis.chat.dialects.framing import encode_payload
from harness.apis.gemini.pending import Style
from harness.apis.gemini.values import in_snake_case
from harness.apis.gemini.writer import Writer
from harness.core.sse import encode_comment, encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import Payload, WrittenEvent

__all__ = ["DIALECTS", "STANDARD_DIALECT", "Dialect", "Framing"]


@dataclass(frozen=True, slots=True)
class Framing:
    """How events become bytes."""

    is_array: bool = False
    """One JSON array (without `alt=sse`), indented, a piece an event."""
    newline: str = "\r\n"
    """The line end of an event stream."""
    has_done: bool = False
    """Whether `data: [DONE]` ends an event stream."""
    comment: str = ""
    """A comment before every event; none if empty."""

    def encode(self, events: Iterable[WrittenEvent]) -> Iterator[bytes]:
        """Yield the bytes of each event; those of an array's end are the last."""
        number = 0
        for number, event in enumerate(events, 1):
            if self.is_array:
                yield (b"[" if number == 1 else b",\r\n") + _indented(event.payload)
                continue
            before = b""
            if self.comment:
                before = encode_comment(self.comment, newline=self.newline)
            data = encode_payload(event.payload)
            yield before + encode_event(data, event=event.name, newline=self.newline)
        if self.is_array:
            yield b"\n]\n" if number else b"[]\n"
        elif self.has_done:
            yield encode_event(DONE, newline=self.newline)


def _indented(payload: Payload) -> bytes:
    text = json.dumps(payload, ensure_ascii=False, indent=2)
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(payload, indent=2).encode()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to write the same answer."""

    name: str
    summary: str
    """One line for a help text."""
    source: str
    """The recordings or the thread that show it."""
    style: Style = field(default_factory=Style)
    framing: Framing = field(default_factory=Framing)
    breaks: frozenset[str] = frozenset()
    """The rules that it breaks, without `gemini/`, in a stream that has what they are
    about."""
    cannot: str = ""
    """What it cannot carry; empty if all that the API can."""

    def writer(self) -> Writer:
        """Return a writer for one response."""
        return Writer(self.style)

    def apply(self, events: Iterator[WrittenEvent]) -> Iterator[WrittenEvent]:
        """Return the events: the writer has done it all."""
        return events

    def frames(
        self, events: Iterable[WrittenEvent], *, is_cut: bool
    ) -> Iterator[bytes]:
        """Yield the bytes of events, without `[DONE]` if the stream is cut."""
        framing = replace(self.framing, has_done=False) if is_cut else self.framing
        return framing.encode(events)

    def encode(self, events: Iterable[WrittenEvent]) -> Iterator[bytes]:
        """Yield the bytes of each event; those of an array's end are the last."""
        return self.framing.encode(events)


def _stop_everywhere(payload: Payload) -> Payload:
    candidates: list[dict[str, Any]] = payload.get("candidates", [])
    stopped = [{"finishReason": "STOP", **entry} for entry in candidates]
    return {**payload, "candidates": stopped} if stopped else payload


def _wrapped(payload: Payload) -> Payload:
    return {"response": payload, "traceId": "0000000000000000"}


_VERCEL = "recordings of vercel/ai"

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "gemini-sse",
            "the Gemini API with `alt=sse`: the standard",
            "recordings of crmne/ruby_llm",
        ),
        Dialect(
            "gemini-array",
            "one indented JSON array, as without `alt=sse`",
            "MervinPraison/PraisonAI#1029, avante.nvim#432",
            framing=Framing(is_array=True),
        ),
        Dialect(
            "vertex",
            "Vertex AI: no `index`",
            "recordings of crmne/ruby_llm, vertexai",
            Style(has_index=False),
        ),
        Dialect(
            "partial-args",
            "function calls streamed as `partialArgs`, a value an event",
            f"{_VERCEL}; BerriAI/litellm#23815",
            Style(has_index=False, is_partial=True),
        ),
        Dialect(
            "ids",
            "every function call has an id, as with Gemini 3",
            f"{_VERCEL}, gemini3",
            Style(ids="made"),
        ),
        Dialect(
            "no-ids",
            "no function call has an id",
            "recordings of crmne/ruby_llm; brainlid/langchain#620",
            Style(ids="none"),
            cannot="ids of calls",
        ),
        Dialect(
            "stop-everywhere",
            "every event has finishReason STOP, as older models and proxies",
            "songquanpeng/one-api#1408",
            Style(edit=_stop_everywhere),
            breaks=frozenset({"finish-once", "finish-last"}),
        ),
        Dialect(
            "one-call-an-event",
            "parallel calls in an event each, at the same place in it",
            "NousResearch/hermes-agent#57939",
            Style(calls="one an event"),
        ),
        Dialect(
            "all-calls-one-event",
            "all calls, and what follows the first, in one event",
            "recordings of olimorris/codecompanion.nvim",
            Style(calls="all in one event"),
        ),
        Dialect(
            "signature-on-empty-text",
            "the signature of a text on an empty text part behind it",
            f"{_VERCEL}, google-reasoning-gemini3; google/adk-go#442",
            Style(signs_empty_text=True),
        ),
        Dialect(
            "no-thoughts",
            "without `includeThoughts`",
            f"{_VERCEL}, google-text",
            Style(has_thoughts=False),
            cannot="reasoning",
        ),
        Dialect(
            "usage-last-only",
            "`usageMetadata` from the finish on, and not in every event",
            "gateways that translate from chat completions",
            Style(counts_every_event=False),
        ),
        Dialect(
            "no-response-id",
            "no `responseId`",
            "looplj/axonhub#2259",
            Style(has_response_id=False),
            cannot="id of the response",
        ),
        Dialect(
            "with-done",
            "`data: [DONE]` ends the stream, as some proxies do",
            "looplj/axonhub#2259",
            framing=Framing(newline="\n", has_done=True),
        ),
        Dialect(
            "lf",
            "line ends are LF, as from proxies",
            "recordings of olimorris/codecompanion.nvim",
            framing=Framing(newline="\n"),
        ),
        Dialect(
            "keep-alive",
            "comments between the events, as from proxies",
            "WHATWG HTML, 9.2.7; google-genai 3.6 refuses them",
            framing=Framing(comment="keep-alive"),
        ),
        Dialect(
            "snake-case",
            "names in snake case, as Google's own languages spell them",
            "proxies that dump google-genai's objects",
            Style(edit=in_snake_case),
            breaks=frozenset({"camel-case"}),
        ),
        Dialect(
            "code-assist",
            "each event in `response`, as Code Assist sends it to gemini-cli",
            "google-gemini/gemini-cli, packages/core/src/code_assist/server.ts",
            Style(edit=_wrapped),
            breaks=frozenset({"bare"}),
        ),
    )
}
"""The dialects by name, the standard one first."""

STANDARD_DIALECT = DIALECTS["gemini-sse"]
"""As the Gemini API sends it."""
