"""Libraries that speak several APIs, for `harness fuzz --relations translation`.

Each returns the content and the calls. How an answer ended is left out: some pass on
the word of the API that brought it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tests.third_party import libraries

__all__ = ["FINDINGS", "Finding", "any_llm", "langchain", "litellm", "pydantic_ai"]

CASSETTES = Path(__file__).parent / "bridges"


class Finding(NamedTuple):
    """An answer that is right by one API and wrong by another."""

    name: str
    """As in the README."""
    library: str
    cassette: str
    """The answer, in the API by which it comes right."""
    right: str
    wrong: str
    shows: str
    """A part of the error."""


FINDINGS = [
    Finding(
        "langchain-3",
        "langchain",
        "line-separator",
        "chat",
        "gemini",
        "UnknownApiResponseError",
    ),
    Finding(
        "pydantic-ai-1",
        "pydantic-ai",
        "line-separator",
        "chat",
        "gemini",
        "ModelAPIError",
    ),
]


def langchain(base_url: str, api: str) -> dict[str, Any]:
    """Ask LangChain."""
    return _without_end(libraries.langchain(base_url, api))


def pydantic_ai(base_url: str, api: str) -> dict[str, Any]:
    """Ask Pydantic AI."""
    return _without_end(libraries.pydantic_ai(base_url, api))


def litellm(base_url: str, api: str) -> dict[str, Any]:
    """Ask LiteLLM."""
    return _without_end(libraries.litellm_any(base_url, api))


def any_llm(base_url: str, api: str) -> dict[str, Any]:
    """Ask any-llm."""
    from tests.third_party.old_readers import any_llm_chat

    found: dict[str, Any] = any_llm_chat(base_url, api)
    return found


def _without_end(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("content", "calls")}
