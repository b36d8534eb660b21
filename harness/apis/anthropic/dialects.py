"""Ways in which servers other than Anthropic, or Anthropic at times, send Messages.

A dialect is a value: it pickles and compares. It edits the events of a standard stream
and frames them; the rules that it breaks are named, and it breaks no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.apis.anthropic import habits
from harness.apis.anthropic.framing import Framing
from harness.apis.anthropic.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from harness.apis.base import WrittenEvent

    Edit: TypeAlias = Callable[[Iterable[WrittenEvent]], Iterator[WrittenEvent]]

__all__ = ["DIALECTS", "Dialect"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One habit of framing a Messages stream."""

    name: str
    """As an option takes it."""
    summary: str
    """One line for a help text."""
    source: str
    """The recordings or the thread that it comes from."""
    edit: Edit | None = field(default=None, repr=False)
    """What it does to events; None for a habit of framing alone."""
    breaks: tuple[str, ...] = ()
    """The rules that it breaks, if the stream has what the habit is about."""
    framing: Framing = field(default_factory=Framing)
    """How its events become bytes."""

    def apply(self, events: Iterable[WrittenEvent]) -> Iterator[WrittenEvent]:
        """Restate a standard stream, lazily; payloads are not changed, but replaced."""
        return iter(events) if self.edit is None else self.edit(events)

    def writer(self) -> Writer:
        """Return a writer for one response; `apply` has the habits."""
        return Writer()

    def frames(
        self, events: Iterable[WrittenEvent], *, is_cut: bool
    ) -> Iterator[bytes]:
        """Yield the bytes of events of this dialect, without an end if it is cut."""
        framing = replace(self.framing, has_done=False) if is_cut else self.framing
        return framing.encode(events)

    def encode(self, events: Iterable[WrittenEvent]) -> Iterator[bytes]:
        """Yield the bytes of a standard stream in this dialect, an event a piece."""
        return self.framing.encode(self.apply(events))


_RECORDED = "recorded streams of public projects"

_ALL = (
    Dialect("anthropic", "as Anthropic sends it", _RECORDED),
    Dialect("vertex", "Vertex AI: as Anthropic sends it", _RECORDED),
    Dialect(
        "eager",
        "eager_input_streaming: inputs are cut anywhere",
        "Anthropic's guide to fine-grained tool streaming",
        habits.eager,
    ),
    Dialect(
        "buffered",
        "inputs come a value at a time",
        f"{_RECORDED}: pieces fall at the borders of values",
        habits.buffered,
    ),
    Dialect(
        "input-in-start",
        "whole inputs in content_block_start, no deltas",
        f"{_RECORDED}: calls made by a code execution",
        habits.input_in_start,
    ),
    Dialect(
        "kimi",
        "no content_block_stop between blocks; input_tokens include the cache",
        "xemantic/anthropic-sdk-kotlin#147, langchainjs#10249",
        habits.cache_in_input,
        ("block-bracket",),
    ),
    Dialect(
        "glm",
        "GLM behind a gateway: no message_start",
        "the SDK's helper fails on it",
        habits.no_start,
        ("start-first",),
    ),
    Dialect(
        "minimax",
        "thinking starts without a signature field",
        "anthropics/anthropic-sdk-csharp#181",
        habits.without_signature,
        ("block-fields",),
    ),
    Dialect(
        "llama.cpp",
        "tool_use starts without input, thinking without a signature field",
        "llama-server's /v1/messages",
        habits.without_input,
        ("block-fields",),
    ),
    Dialect(
        "qwen-cloud",
        "cache counters only in message_delta",
        "maximhq/bifrost#5355",
        habits.cache_at_the_end,
    ),
    Dialect(
        "bedrock-invoke",
        "Bedrock: frames of AWS's event stream, token counts in message_stop",
        "Amazon Bedrock's InvokeModelWithResponseStream",
        habits.bedrock_metrics,
        framing=Framing(is_binary=True),
    ),
    Dialect(
        "no-event-lines",
        "no event: lines, which the SDK needs",
        f"{_RECORDED}: 31 of 305 bodies",
        breaks=("event-line",),
        framing=Framing(has_event_lines=False),
    ),
    Dialect(
        "with-done",
        "data: [DONE] at the end",
        "gateways that serve chat completions too",
        framing=Framing(has_done=True),
    ),
    Dialect("no-ping", "no pings", _RECORDED, habits.no_ping),
    Dialect(
        "many-pings",
        "a ping before every event",
        "Anthropic's guide: any number of pings, anywhere",
        habits.many_pings,
    ),
    Dialect(
        "ping-empty-data",
        "pings with empty data",
        "gateways; the SDK skips them by their event: line",
        framing=Framing(has_ping_data=False),
    ),
    Dialect(
        "no-space",
        "no blank after data:",
        "ax-llm/ax#622",
        framing=Framing(has_space=False),
    ),
    Dialect(
        "spliced",
        "another message_start after the first block (a gateway's fallback)",
        "a gateway that falls back in the middle of an answer",
        habits.spliced,
        ("start-once", "block-index"),
    ),
    Dialect(
        "index-gap",
        "a block number is left out",
        "litellm#5231, jundot/omlx#1356",
        habits.index_gap,
        ("block-index",),
    ),
    Dialect(
        "index-one",
        "blocks are counted from 1",
        "gateways; the SDK raises IndexError",
        habits.index_one,
        ("block-index",),
    ),
    Dialect(
        "text-in-tool",
        "text behind a call carries the number of the call's block",
        "gateways; the SDK drops such text",
        habits.text_in_tool,
        ("delta-type",),
    ),
    Dialect(
        "interleaved-blocks",
        "parallel calls at once, as chat chunks have them",
        "praxis-proxy/ai#266, headroomlabs-ai/headroom#2890",
        habits.interleaved,
        ("block-bracket", "block-open"),
    ),
    Dialect(
        "usage-null",
        "usage is null",
        "gateways; the SDK's helper raises AttributeError",
        habits.usage_null,
        ("start-usage", "delta-usage"),
    ),
    Dialect(
        "content-null",
        "the message starts with content null",
        "gateways; the SDK's helper raises AttributeError",
        habits.content_null,
        ("start-message",),
    ),
)

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in _ALL}
"""Every dialect, in the order of a help text."""
