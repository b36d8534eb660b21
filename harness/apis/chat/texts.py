"""Where providers put text and reasoning in a delta, and how it is read there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.json_values import dicts_of, text_of
from harness.core.parts import Item, Reasoning, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.parts import Part

REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text")
"""Where providers put the text of reasoning: DeepSeek, vLLM and xAI; OpenRouter, Ollama
and Groq; GitHub Copilot. Some in transition send two with the same text, which counts
once."""


def reasoning_of(delta: dict[str, Any]) -> str:
    """Return the reasoning in the fields of a delta.

    Source: as `REASONING_FIELDS`; Envoy's AI gateway sends Bedrock's object with a
    `text` (envoyproxy/ai-gateway#1222).
    """
    found = ""
    for field in REASONING_FIELDS:
        reasoning = delta.get(field)
        if type(reasoning) is dict:
            reasoning = reasoning.get("text")
        if reasoning and type(reasoning) is str and reasoning != found:
            found += reasoning
    return found


DETAILED_FIELDS = ("reasoning_details", "thinking_blocks")
"""Where OpenRouter and LiteLLM put reasoning in blocks, mostly once more."""


def detailed_reasoning(delta: dict[str, Any]) -> str:
    """Return the reasoning in the blocks of a delta that has it nowhere else.

    Source: MiniMax with `reasoning_split` (liaohch3/claude-tap#352); OpenRouter, whose
    format it is, repeats it in `reasoning`, and its own client reads either, delta for
    delta.
    """
    for field in DETAILED_FIELDS:
        details = delta.get(field)
        found = "".join(
            text_of(entry.get("text"))
            or text_of(entry.get("summary"))
            or text_of(entry.get("thinking"))
            for entry in ([details] if type(details) is dict else dicts_of(details))
        )
        if found:
            return found
    return ""


_OF_A_TEXT = {"type", "text", "thinking", "summary", "closed", "signature"}


def beside_texts(content: object) -> Iterator[Item]:
    """Read what a list of content parts holds besides texts: each part, without them.

    Source: Mistral's references and files, Databricks' citations.
    """
    for part in dicts_of(content):
        if not part.keys() <= _OF_A_TEXT:
            rest = {k: v for k, v in part.items() if k not in _OF_A_TEXT or k == "type"}
            yield Item(text_of(part.get("type")) or "content_part", rest)


SOURCES = ("citations", "search_results")
"""Lists beside the choices, of which each entry is carried whole."""


def sources_beside(
    payload: dict[str, Any], known: dict[str, list[Any]]
) -> Iterator[Item]:
    """Read the sources that stand beside the choices, each once.

    Args:
        payload: A chunk; Perplexity has the whole list in every one.
        known: Those that came before, to which new ones are added.
    """
    for field in SOURCES:
        entries, before = payload.get(field), known.setdefault(field, [])
        if type(entries) is list and entries != before:
            for entry in entries:
                if entry not in before:
                    before.append(entry)
                    yield Item(field.removesuffix("s"), entry)


def content_parts(content: object) -> Iterator[Part]:
    """Read content that is no text: Mistral's list of parts, or one part.

    Source: Mistral API reference, content chunks (`text`, `thinking` with its own
    list); other kinds of part are read if they carry a `text`.
    """
    waiting = [(content, False)]  # a stack, for content can be nested at will
    while waiting:
        item, is_reasoning = waiting.pop()
        if isinstance(item, str):
            if item:
                yield Reasoning(item) if is_reasoning else Text(item)
        elif isinstance(item, list):
            waiting += [(inner, is_reasoning) for inner in reversed(item)]
        elif isinstance(item, dict):
            waiting.append((item.get("text"), is_reasoning))
            waiting.append((item.get("summary"), True))  # Claude through Databricks
            waiting.append((item.get("thinking"), True))
