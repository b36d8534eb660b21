"""The rows of `old_releases.py`: which release has which public bug."""

from __future__ import annotations

from typing import NamedTuple

from tests.third_party.environments import FRAMEWORKS, SDKS

__all__ = ["ROWS", "Row"]


class Row(NamedTuple):
    """A public bug of an old release."""

    name: str
    old: tuple[str, ...]
    """What is installed; the first is the library."""
    fixed: tuple[str, ...]
    """What has it no more."""
    target: str
    """The reader: a module beside this one and a name in it."""
    bug: str
    """Where it is public."""
    shows: str
    """What the report of the finding has in it, as a regular expression."""
    level: str = "url"
    api: str = "chat"


ROWS = [
    Row(
        "openai-lines",
        ("openai==1.16.1", "httpx==0.27.2"),
        ("openai==1.16.2", "httpx==0.27.2"),
        "old_readers:openai_events",
        "openai-python#1293",
        "JSONDecodeError",
    ),
    Row(
        "httpx-sse-lines",
        ("httpx-sse==0.4.1", "httpx"),
        ("httpx-sse==0.4.3", "httpx"),
        "old_readers:httpx_sse",
        "httpx-sse#34",
        "JSONDecodeError",
        level="bytes",
    ),
    Row(
        "langchain-core-index",
        ("langchain-core==1.2.0",),
        ("langchain-core==1.8.3",),
        "consumers:langchain_merging",
        "langchain#35281",
        r"call 0: \w+\(",
        level="chunks",
    ),
    Row(
        "pydantic-ai-azure",
        ("pydantic-ai-slim[openai]==0.0.24", "openai==1.61.0"),
        FRAMEWORKS,
        "old_readers:pydantic_ai_text",
        "pydantic-ai#932",
        "AttributeError",
    ),
    Row(
        "partial-json-parser-cut",
        ("partial-json-parser==0.2.0",),
        ("partial-json-parser==0.2.1.1.post7",),
        "consumers:PartialJsonParser",
        "partial-json-parser 0.2.1",
        "JSONDecodeError",
        level="handler",
    ),
    Row(
        "partialjson-escapes",
        ("partialjson==0.0.6",),
        ("partialjson==1.2.0",),
        "old_readers:PartialJson",
        "partialjson 1.0",
        r"differs in the text",
        level="handler",
    ),
    Row(
        "partialjson-repeats",
        ("partialjson==0.1.0",),
        ("partialjson==1.2.0",),
        "old_readers:PartialJson",
        "partialjson 1.0",
        r"differs in the text",
        level="handler",
    ),
    Row(
        "partialjson-raises",
        ("partialjson==0.0.6",),
        ("partialjson==1.2.0",),
        "old_readers:PartialJson",
        "partialjson 1.0",
        "split-invariance(.|\n)*JSONDecodeError",
        level="handler",
    ),
    Row(
        "autogen-delta",
        ("autogen-ext[openai]==0.5.6", "openai==1.76.0"),
        ("autogen-ext[openai]==0.7.5",),
        "old_readers:autogen",
        "autogen#6465",
        "AttributeError",
    ),
    Row(
        "autogen-null-delta",
        ("autogen-ext[openai]==0.4.0", "openai==1.58.1", "httpx==0.27.2"),
        ("autogen-ext[openai]==0.7.5",),
        "old_readers:autogen",
        "autogen#6465",
        "AttributeError: 'NoneType' object has no attribute 'content'",
    ),
    Row(
        "autogen-usage",
        ("autogen-ext[openai]==0.4.0", "openai==1.58.1", "httpx==0.27.2"),
        ("autogen-ext[openai]==0.7.5",),
        "old_readers:autogen",
        "autogen#4875",
        "ValueError: Consecutive empty chunks",
    ),
    Row(
        "agents-usage",
        ("openai-agents==0.0.4", "openai==1.66.5"),
        SDKS,
        "libraries:agents_chat",
        "openai-agents-python, ResponseUsage",
        "ValidationError",
    ),
    Row(
        "litellm-turns",
        ("litellm==1.60.0", "httpx==0.27.2"),
        FRAMEWORKS,
        "libraries:litellm_chat",
        "litellm, calls that take turns",
        "differs in the names of calls",
    ),
    Row(
        "litellm-whole",
        ("litellm==1.60.0", "httpx==0.27.2"),
        FRAMEWORKS,
        "libraries:litellm_chat",
        "litellm#7621",
        "differs in the arguments of calls",
    ),
    Row(
        "litellm-one-delta",
        ("litellm==1.60.0", "httpx==0.27.2"),
        FRAMEWORKS,
        "libraries:litellm_chat",
        "litellm#7621",
        "differs in the number of calls",
    ),
]
