"""The dialects by name: what `--dialect NAME` takes, and what each is about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.apis.chat.dialects import entry_habits, habits, providers, servers
from harness.apis.framing import Framing
from harness.errors import UsageError, did_you_mean, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.chat.chunks import Chunk
    from harness.apis.chat.dialects.writing import Writer

__all__ = ["DIALECTS", "Dialect", "DialectPart", "encode_stream", "parse_dialect"]


_Apply: TypeAlias = "Callable[[Iterable[Chunk]], Iterator[Chunk]]"


@dataclass(frozen=True, slots=True)
class DialectPart:
    """One named dialect; compared by its name."""

    name: str
    """As `parse_dialect` takes it."""
    summary: str = field(compare=False)
    """One line for a help text."""
    apply: _Apply | None = field(default=None, compare=False)
    """What it does to chunks; None if it is only about bytes."""
    framing: dict[str, Any] = field(default_factory=dict, compare=False)
    """What it changes in the `Framing`."""
    checked_against: str = field(default="", compare=False)
    """The recording of the corpus it was checked against; empty if there is none."""
    cannot: str = field(default="", compare=False)
    """What it cannot carry; empty if it can carry everything."""
    is_harmless: bool = field(default=True, compare=False)
    """Whether a conforming consumer has nothing to report about it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a provider frames what others frame differently; `str()` parses back.

    Made by `parse_dialect`. The same stream means the same in every dialect: text,
    reasoning, calls with their names, order and arguments (as JSON, where the
    arguments are rewritten). Calls without an id get one made of their position.
    """

    parts: tuple[DialectPart, ...]
    """What was joined by ``+``, applied left to right; at least one."""

    def __str__(self) -> str:
        return "+".join(part.name for part in self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return parse_dialect, (str(self),)

    @property
    def framing(self) -> Framing:
        """How its events are written to the wire."""
        framing = Framing()
        for part in self.parts:
            framing = replace(framing, **part.framing)
        return framing

    @property
    def is_harmless(self) -> bool:
        """Whether a conforming consumer has nothing to report about it.

        The answer is the same in every dialect; one without `[DONE]`, for instance, is
        reported all the same, because a stream that was cut off looks alike.
        """
        return all(part.is_harmless for part in self.parts)

    @property
    def cannot(self) -> str:
        """What it cannot carry, a sentence a part; empty if it can carry everything."""
        return " ".join(part.cannot for part in self.parts if part.cannot)

    def apply(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Write a stream in this dialect.

        Args:
            chunks: The stream in any dialect; its payloads are not changed.

        Returns:
            The stream, lazily. Each chunk has the number and time of the one that
            carried it. Calls that this dialect sends whole are held back until they
            are, and everything behind rewritten arguments until the end.
        """
        stream = iter(chunks)
        for part in self.parts:
            if part.apply is not None:
                stream = part.apply(stream)
        return stream


def encode_stream(chunks: Iterable[Chunk], dialect: Dialect) -> Iterator[bytes]:
    """Write a stream as a provider of a dialect sends it.

    Args:
        chunks: The stream in any dialect.
        dialect: How to write it and how to frame it.

    Returns:
        The bytes of each event in order, comments with the event they precede.
    """
    return dialect.framing.encode(dialect.apply(chunks))


def parse_dialect(text: str) -> Dialect:
    """Read a dialect as the command line takes it.

    Args:
        text: A name of `DIALECTS`, or several joined by ``+``, applied left to
            right, such as ``azure+name-in-pieces+crlf``. A provider writes the
            stream anew, so habits go behind it. Blanks around it are ignored.

    Returns:
        The dialect.

    Raises:
        UsageError: A name is unknown; the message lists them.
    """
    parts = []
    for name in text.strip().split("+"):
        if name not in DIALECTS:
            hint = did_you_mean(name, DIALECTS)
            raise UsageError(
                f"dialect {shorten(text)}: {hint and f'{hint} '}expected one of "
                f"{', '.join(DIALECTS)}, or several joined by +; got {shorten(name)}"
            )
        parts.append(DIALECTS[name])
    return Dialect(tuple(parts))


def _provider(writer: Callable[[], Writer]) -> _Apply:
    return lambda chunks: writer().write(chunks)


def _habit(habit: Callable[[], Any]) -> _Apply:
    return lambda chunks: habit().apply(chunks)


_REWRITTEN = "Arguments that are no JSON, and legacy function calls, stay as they are."
_WHOLE = "Calls that interleave come one after the other."
_FOREIGN = "Fields that only the source provider knows are dropped."

_ALL = (
    DialectPart("recorded", "as the stream was recorded", is_harmless=True),
    DialectPart(
        "openai",
        "OpenAI: role first, calls in fragments, usage apart",
        _provider(providers.OpenAI),
        checked_against="pydantic__pydantic-ai/tests__cassettes__test_prefect__"
        "test_complex_agent_run_in_flow.yaml#1",
        cannot=_FOREIGN,
    ),
    DialectPart(
        "azure",
        "Azure: a first chunk without choices, filter results beside each delta",
        _provider(providers.Azure),
        checked_against="traceloop__openllmetry/elemetry-instrumentation-openai__tests"
        "__traces__cassettes__test_azure__test_chat_streaming.yaml#1",
        cannot=_FOREIGN,
    ),
    DialectPart(
        "ollama",
        "Ollama: whole calls, role and content in every delta",
        _provider(servers.Ollama),
        checked_against="crmne__ruby_llm/alling_ollama_qwen3_can_use_tools_without_"
        "parameters_in_multi-turn_streaming_conversations.yaml#0",
        cannot=f"{_WHOLE} {_FOREIGN}",
    ),
    DialectPart(
        "gpustack",
        "GPUStack: all calls in the last chunk, no index, no [DONE]",
        _provider(servers.Gpustack),
        {"has_done": False},
        checked_against="crmne__ruby_llm/calling_gpustack_qwen3_can_use_tools_with_"
        "multi-turn_streaming_conversations.yml@5c824b12.yaml#0",
        cannot=f"{_WHOLE} {_FOREIGN}",
        is_harmless=False,
    ),
    DialectPart(
        "vllm",
        "vLLM: the finish rides on the last chunk, calls announced without arguments",
        _provider(servers.Vllm),
        checked_against="traceloop__openllmetry/assettes__test_llms__test_trace_"
        "propagation_stream_with_events_with_no_content_ChatOpenAI_.yaml#0",
        cannot=_FOREIGN,
    ),
    DialectPart(
        "gemini",
        "Gemini behind an OpenAI interface: whole calls beside the finish",
        _provider(servers.Gemini),
        checked_against="olimorris__codecompanion.nvim/tests__adapters__http__copilot"
        "__stubs__copilot_tools_streaming_reasoning.yaml#0",
        cannot=f"{_WHOLE} {_FOREIGN}",
    ),
    DialectPart(
        "mistral",
        "Mistral: reasoning as a list of parts, all calls beside the finish",
        _provider(providers.Mistral),
        checked_against="pydantic__pydantic-ai/tests__models__cassettes__test_mistral"
        "__test_mistral_model_thinking_part_iter.yaml#0",
        cannot=f"{_WHOLE} {_FOREIGN}",
    ),
    DialectPart(
        "openrouter",
        "OpenRouter: comments, role in every delta, usage beside a second finish",
        _provider(servers.OpenRouter),
        {"comment": "OPENROUTER PROCESSING"},
        checked_against="crmne__ruby_llm/uter_reasoning_details_round-trip_accumulates"
        "_reasoning_details_while_streaming_tool_calls.yaml#0",
        cannot=_FOREIGN,
    ),
    DialectPart(
        "groq",
        "Groq: whole calls, reasoning with a channel, x_groq first and last",
        _provider(providers.Groq),
        checked_against="pydantic__pydantic-ai/tests__models__cassettes__test_groq__"
        "test_tool_use_failed_error_streaming.yaml#1",
        cannot=f"{_WHOLE} {_FOREIGN}",
    ),
    DialectPart(
        "deepseek",
        "DeepSeek: content and reasoning_content side by side, one of them null",
        _provider(providers.DeepSeek),
        checked_against="vercel__ai/packages__deepseek__src__chat____fixtures____"
        "deepseek-tool-call.yaml#0",
        cannot=_FOREIGN,
    ),
    DialectPart(
        "xai",
        "xAI: whole calls, no finish reason until there is one",
        _provider(providers.Xai),
        checked_against="crmne__ruby_llm/4-1-fast-non-reasoning_can_use_tools_with_"
        "multi-turn_streaming_conversations.yml@7088339b.yaml#0",
        cannot=f"{_WHOLE} {_FOREIGN}",
    ),
    DialectPart(
        "perplexity",
        "Perplexity: the message so far beside each delta, CRLF, no [DONE]",
        _provider(servers.Perplexity),
        {"newline": "\r\n", "has_done": False},
        checked_against="crmne__ruby_llm/es_perplexity_sonar_reports_consistent_token_"
        "counts_compared_to_non-streaming.yml@5c824b12.yaml#0",
        cannot=_FOREIGN,
        is_harmless=False,
    ),
    DialectPart(
        "azure-async",
        "filter results in chunks whose choice has no delta",
        _habit(habits.AsyncFilter),
    ),
    DialectPart(
        "azure-null-delta",
        "the same with a null delta",
        _habit(partial(habits.AsyncFilter, has_null_delta=True)),
    ),
    DialectPart(
        "no-index",
        "tool calls without index, an id on every fragment",
        _habit(entry_habits.NoIndex),
        checked_against="vercel__ai/packages__mistral__src____fixtures____mistral-tool"
        "-call.yaml#0",
    ),
    DialectPart(
        "index-null",
        "tool calls with a null index, an id on every fragment",
        _habit(entry_habits.IndexNull),
    ),
    DialectPart(
        "index-zero",
        "every tool call at index 0",
        _habit(entry_habits.IndexZero),
        cannot="A call without a name cannot be told from the one before it.",
    ),
    DialectPart(
        "name-resent",
        "the whole name, id and type again in every fragment",
        _habit(entry_habits.NameResent),
    ),
    DialectPart(
        "name-in-pieces",
        "function names in pieces",
        _habit(entry_habits.NameInPieces),
    ),
    DialectPart(
        "null-continuation",
        "id, type and name null in later fragments",
        _habit(entry_habits.NullContinuation),
        checked_against="traceloop__openllmetry/hat__test_writer_async_streaming_chat_"
        "multiple_tool_call_requests_with_events_with_content.yaml#0",
    ),
    DialectPart(
        "empty-content",
        'content: "" in every delta without content',
        _habit(habits.EmptyContent),
        checked_against="crmne__ruby_llm/alling_ollama_qwen3_can_use_tools_without_"
        "parameters_in_multi-turn_streaming_conversations.yaml#0",
    ),
    DialectPart(
        "list-content",
        "content as a list with one text part",
        _habit(habits.ListContent),
        checked_against="vercel__ai/packages__mistral__src____fixtures____mistral-"
        "reasoning.yaml#0",
    ),
    DialectPart(
        "usage-chunk",
        "token counts in a last chunk without choices",
        _habit(habits.UsageChunk),
        checked_against="pydantic__pydantic-ai/tests__cassettes__test_prefect__"
        "test_complex_agent_run_in_flow.yaml#1",
    ),
    *(
        DialectPart(
            f"arguments-{name}",
            f"the arguments' JSON text {name}",
            _habit(partial(habits.Rewritten, rewrite)),
            cannot=_REWRITTEN,
        )
        for name, rewrite in habits.REWRITES.items()
    ),
    DialectPart("crlf", "lines end with CRLF", framing={"newline": "\r\n"}),
    DialectPart("cr", "lines end with CR", framing={"newline": "\r"}),
    DialectPart("no-space", "no blank after data:", framing={"has_space": False}),
    DialectPart(
        "comments", "comments between events", framing={"comment": "keep-alive"}
    ),
    DialectPart("retry", "a retry line first", framing={"retry_ms": 3000}),
    DialectPart(
        "no-done",
        "no [DONE] at the end",
        framing={"has_done": False},
        is_harmless=False,
    ),
)

DIALECTS: dict[str, DialectPart] = {part.name: part for part in _ALL}
"""Every named dialect, providers first, in the order of a help text."""
