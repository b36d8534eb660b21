"""Bugs of releases that are current: rows of `old_releases.py`, none of them fixed."""

from __future__ import annotations

from tests.third_party.environments import FRAMEWORKS
from tests.third_party.old_rows import Row

__all__ = ["CURRENT"]

_ANY_LLM = ("any-llm-sdk[openai]==1.40.2",)
_LLM = ("llm==0.36",)
_SMOLAGENTS = ("smolagents[openai]==1.26.0", "openai==1.82.0")
_MESSAGES = "old_readers:any_llm_messages"

CURRENT = [
    Row(
        "smolagents-1",
        _SMOLAGENTS,
        (),
        "old_readers:smolagents",
        "a choice without delta (Azure's filter)",
        "No content or tool calls in event",
    ),
    Row(
        "smolagents-2",
        _SMOLAGENTS,
        (),
        "old_readers:smolagents",
        "usage of nulls (smolagents#1436)",
        "TypeError: unsupported operand",
    ),
    Row(
        "smolagents-3",
        _SMOLAGENTS,
        (),
        "old_readers:smolagents",
        "two calls at index 0 (smolagents#1569)",
        r"  call 1: (.|\n)*got:\n  call 0: .*\}\{.*\nfirst",
    ),
    Row(
        "any-llm-1",
        _ANY_LLM,
        (),
        _MESSAGES,
        "two calls at index 0 (Ollama)",
        r"  call 1: (.|\n)*got:\n  call 0: .*\}\{.*\nfirst",
    ),
    Row(
        "any-llm-2",
        _ANY_LLM,
        (),
        _MESSAGES,
        "a call without index (Mistral, GPUStack)",
        r'"tool_calls": ?\[\{"id(.|\n)*ValidationError',
    ),
    Row(
        "any-llm-3",
        _ANY_LLM,
        (),
        _MESSAGES,
        "a name in two pieces",
        "differs in the names of calls",
    ),
    Row(
        "llm-1",
        _LLM,
        (),
        "old_readers:llm_text",
        "a choice without delta (Azure's filter)",
        "AttributeError: 'NoneType' object has no attribute 'content'",
    ),
    Row(
        "litellm-messages-1",
        FRAMEWORKS,
        (),
        "old_readers:litellm_messages",
        "text beside a call, in one delta",
        r"content: '(.+)'\n  call 0(.|\n)*got:\n(  content.*\n)?  call 0",
    ),
]
