"""How servers send what OpenAI sends otherwise: habits as values.

A dialect is an option of the writer, a change of written events, and a framing. It
names the rules of its API that it breaks; habits that break none are traps all the
same. `Dialect.writer` returns a writer that sends as the server does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.apis.base import WrittenEvent
from harness.apis.responses import habits
from harness.apis.responses.writer import Writer
from harness.core.sse import encode_comment, encode_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.core.parts import Part

__all__ = ["DIALECTS", "STANDARD_DIALECT", "Dialect", "DialectWriter"]

Change: TypeAlias = (
    "Callable[[WrittenEvent | None, dict[str, Any]], list[WrittenEvent]]"
)
"""What a habit makes of an event; None for the end of the stream. The dictionary is
what it keeps from event to event."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server sends a response."""

    name: str
    summary: str
    """One line for a help text."""
    source: str
    """The recording or thread that shows it."""
    breaks: frozenset[str] = frozenset()
    """The rules that it breaks, without `responses/`."""
    change: Change | None = None
    """What it makes of the events of the writer."""
    reasoning: str = "summary_text"
    """The kind of part that reasoning becomes."""
    sequence: str = "counting"
    """`counting`, `none` or `constant`."""
    has_event_lines: bool = True
    has_done: bool = False
    """Whether `[DONE]` ends the stream."""
    has_comments: bool = False
    """Whether comments keep the connection open before the first event."""

    def writer(self) -> DialectWriter:
        """Return a writer for one response."""
        return DialectWriter(self)

    def apply(self, events: Iterator[WrittenEvent]) -> Iterator[WrittenEvent]:
        """Return the events: the writer has done it all."""
        return events

    def frames(
        self, events: Iterable[WrittenEvent], *, is_cut: bool
    ) -> Iterator[bytes]:
        """Yield the bytes of events, without `[DONE]` if the stream is cut."""
        return (replace(self, has_done=False) if is_cut else self).encode(events)

    def encode(self, events: Iterable[WrittenEvent]) -> Iterator[bytes]:
        """Write events as event stream text, lazily.

        Args:
            events: What its writer returned, all of a response.

        Returns:
            An event a piece, comments and the terminator among them.
        """
        import json

        if self.has_comments:
            yield encode_comment("PROCESSING")
        for event in events:
            data = json.dumps(event.payload, ensure_ascii=False)
            yield encode_event(data, event=event.name)
        if self.has_done:
            yield encode_event("[DONE]")


class DialectWriter:
    """A writer whose events have a server's habits; see `harness.apis.base.Writer`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._writer = Writer(reasoning=dialect.reasoning)
        self._kept: dict[str, Any] = {}
        self._number = 0

    @property
    def left_out(self) -> dict[str, int]:
        """What the API cannot carry and how often it came."""
        return self._writer.left_out

    def feed(self, parts: list[Part]) -> list[WrittenEvent]:
        """Write the parts of one event."""
        return self._changed(self._writer.feed(parts))

    def close(self) -> list[WrittenEvent]:
        """Write what was held back and what ends the response."""
        events = self._changed(self._writer.close())
        if self._dialect.change is not None:
            events += self._framed(self._dialect.change(None, self._kept))
        return events

    def _changed(self, events: list[WrittenEvent]) -> list[WrittenEvent]:
        change = self._dialect.change
        if change is not None:
            events = [new for event in events for new in change(event, self._kept)]
        return self._framed(events)

    def _framed(self, events: list[WrittenEvent]) -> list[WrittenEvent]:
        dialect = self._dialect
        framed = []
        for _, payload in events:
            kind = payload["type"]
            fields = {k: v for k, v in payload.items() if k != "sequence_number"}
            if dialect.sequence != "none":
                number = self._number if dialect.sequence == "counting" else 1
                fields = {"type": kind, "sequence_number": number, **fields}
            self._number += 1
            framed.append(WrittenEvent(kind if dialect.has_event_lines else "", fields))
        return framed


def _breaking(*rules: str) -> frozenset[str]:
    return frozenset(rules)


STANDARD_DIALECT = Dialect("openai", "as OpenAI sends it", "OpenAI API reference")

_ALL = (
    STANDARD_DIALECT,
    Dialect(
        "azure",
        "keepalive events; a failure sent twice, the second as `error`",
        "Azure OpenAI; openai-java#767",
        _breaking("event-type"),
        habits.azure,
    ),
    Dialect(
        "copilot",
        "another item_id and response id with every event",
        "recording github-copilot-id-rotation; BerriAI/litellm#30071",
        _breaking("item-id", "response-id", "terminal-output"),
        habits.copilot,
    ),
    Dialect(
        "openrouter",
        "no event lines, comments, [DONE]; raw reasoning, whose item "
        "has another id at the end; response.keep_alive events",
        "recording raw_cot_stream_openrouter; OpenRouterTeam/python-sdk#266",
        _breaking("event-line", "event-type", "terminal-output"),
        habits.openrouter,
        reasoning="reasoning_text",
        has_event_lines=False,
        has_done=True,
        has_comments=True,
    ),
    Dialect(
        "openrouter-reasoning",
        "reasoning as response.reasoning.delta",
        "OpenRouter; older names of the events",
        _breaking("event-type"),
        habits.old_reasoning,
        reasoning="reasoning_text",
        has_done=True,
    ),
    Dialect(
        "lmstudio",
        "raw reasoning; a call's arguments in its done events only",
        "recording lmstudio-tool-call; BerriAI/litellm#27144",
        _breaking("arguments-sum"),
        habits.undelta_arguments,
        reasoning="reasoning_text",
    ),
    Dialect(
        "codex-spark",
        "a call's arguments in its done events only",
        "gpt-5.3-codex-spark; earendil-works/pi#2745",
        _breaking("arguments-sum"),
        habits.undelta_arguments,
    ),
    Dialect(
        "bedrock",
        "no event lines; raw reasoning with reasoning_part events",
        "recording bedrock_mantle_responses",
        _breaking("event-line", "event-type"),
        habits.reasoning_parts,
        reasoning="reasoning_text",
        has_event_lines=False,
    ),
    Dialect(
        "vllm",
        "reasoning_part events, parts never done, other ids at the end",
        "vllm#35184, vllm#37071",
        _breaking("event-type", "part-done", "terminal-output"),
        habits.vllm,
        reasoning="reasoning_text",
    ),
    Dialect(
        "litellm",
        "no content_part.added and no summary_part.added",
        "BerriAI/litellm#24445",
        _breaking("part-added"),
        habits.unadded_parts,
    ),
    Dialect(
        "litellm-old",
        "no output_item.added either",
        "BerriAI/litellm#30115",
        _breaking("item-added"),
        habits.unadded_items,
    ),
    Dialect(
        "chatgpt-codex",
        "the last event's output is empty",
        "chatgpt.com/backend-api/codex; open-webui#27800",
        _breaking("terminal-output"),
        habits.empty_output,
    ),
    Dialect(
        "9router",
        "the last event has neither output nor usage",
        "decolua/9router#1648",
        _breaking("terminal-output", "usage"),
        habits.bare_end,
    ),
    Dialect(
        "no-sequence",
        "no sequence numbers",
        "17 recorded streams",
        _breaking("sequence"),
        sequence="none",
    ),
    Dialect(
        "sequence-constant",
        "every sequence number is 1",
        "BerriAI/litellm#28899",
        _breaking("sequence"),
        sequence="constant",
    ),
    Dialect(
        "no-event-lines",
        "no `event:` lines",
        "55 of 329 recorded streams",
        _breaking("event-line"),
        has_event_lines=False,
    ),
    Dialect(
        "with-done",
        "`[DONE]` ends the stream",
        "11 of 329 recorded streams",
        has_done=True,
    ),
    Dialect(
        "item-without-id",
        "items of calls have no id, their events no item_id",
        "optional in the types of the OpenAI SDK 3.57.0",
        _breaking("fields"),
        habits.calls_without_id,
    ),
    Dialect(
        "interleaved-calls",
        "the fragments of neighbouring calls take turns",
        "Wei-Shaw/sub2api#4294",
        change=habits.interleaved,
    ),
    Dialect(
        "index-gap",
        "output indices leave gaps",
        "Azure OpenAI",
        _breaking("index-contiguous"),
        habits.index_gap,
    ),
    Dialect(
        "no-text-done",
        "no done event of a text, only those of part and item",
        "vllm#37071",
        _breaking("part-done"),
        habits.no_text_done,
    ),
    Dialect(
        "done-only",
        "no delta of text at all: whole in the done events",
        "reasoning and texts of servers that do not stream",
        _breaking("text-sum"),
        habits.done_only,
    ),
    Dialect(
        "obfuscated",
        "padding on every delta",
        "9326 of 14718 recorded deltas; openai-go#813",
        change=habits.obfuscated,
    ),
    Dialect(
        "empty-deltas",
        "an empty delta before every delta of text",
        "legal: a delta may be empty",
        change=habits.empty_deltas,
    ),
    Dialect(
        "unknown-event",
        "an event that no reference has",
        "openai-php/client#760",
        _breaking("event-type"),
        habits.unknown_event,
    ),
    Dialect(
        "completed-but-incomplete",
        "response.completed with status incomplete",
        "Arthur-Ficial/apfel#412",
        _breaking("status"),
        habits.completed_anyway,
    ),
    Dialect(
        "background",
        "response.queued before it begins",
        "recordings background_mode_streaming",
        change=habits.queued,
    ),
    Dialect(
        "raw-reasoning",
        "reasoning as reasoning_text, not as a summary",
        "recordings of open models",
        reasoning="reasoning_text",
    ),
)

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in _ALL}
"""All dialects by name; the first is the standard."""
