"""Libraries that speak several APIs, for `harness fuzz --relations translation`.

Each returns the content and the calls. How an answer ended is left out where a library
passes on the word of the API that brought it.
"""

from __future__ import annotations

from typing import Any

from tests.third_party.libraries import LIBRARIES


def langchain(base_url: str, api: str) -> dict[str, Any]:
    """Ask LangChain."""
    return _without_end(LIBRARIES["langchain"][1][api](base_url))


def pydantic_ai(base_url: str, api: str) -> dict[str, Any]:
    """Ask Pydantic AI."""
    return _without_end(LIBRARIES["pydantic-ai"][1][api](base_url))


def litellm(base_url: str, api: str) -> dict[str, Any]:
    """Ask LiteLLM."""
    return _without_end(LIBRARIES["litellm"][1][api](base_url))


def _without_end(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("content", "calls")}
