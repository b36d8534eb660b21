"""Libraries that speak several APIs, for `harness fuzz --relations translation`.

Each returns the content and the calls. How an answer ended is left out: some pass on
the word of the API that brought it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tests.third_party.libraries import LIBRARIES

__all__ = ["FINDINGS", "Finding", "any_llm", "langchain", "litellm", "pydantic_ai"]

CASSETTES = Path(__file__).parent / "bridges"


class Finding(NamedTuple):
    """The same answer is another by two APIs; its cassette has the same name."""

    name: str
    library: str
    api: str
    """Of the cassette."""
    other: str
    """In which it is written too."""
    bad: str
    """By which of them it comes wrong."""
    shows: str
    """A part of what comes."""


FINDINGS = [
    Finding(
        "langchain-3",
        "langchain",
        "chat",
        "gemini",
        "gemini",
        "UnknownApiResponseError",
    ),
]


def langchain(base_url: str, api: str) -> dict[str, Any]:
    """Ask LangChain."""
    return _without_end(LIBRARIES["langchain"][1][api](base_url))


def pydantic_ai(base_url: str, api: str) -> dict[str, Any]:
    """Ask Pydantic AI."""
    return _without_end(LIBRARIES["pydantic-ai"][1][api](base_url))


def litellm(base_url: str, api: str) -> dict[str, Any]:
    """Ask LiteLLM."""
    return _without_end(LIBRARIES["litellm"][1][api](base_url))


def any_llm(base_url: str, api: str) -> dict[str, Any]:
    """Ask any-llm."""
    from tests.third_party.old_readers import any_llm_chat

    found: dict[str, Any] = any_llm_chat(base_url, api)
    return found


def _without_end(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("content", "calls")}
