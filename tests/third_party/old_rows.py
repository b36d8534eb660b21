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
    """What has it no more; nothing for a release that is current."""
    target: str
    """The reader: a module beside this one and a name in it."""
    bug: str
    """Where it is public."""
    shows: str
    """What the report of the finding has in it, as a regular expression."""
    level: str = "url"
    api: str = "chat"


_AGENT_FRAMEWORK = ("agent-framework-core==1.4.0", "agent-framework-openai==1.4.0")
_FIXED_AGENT_FRAMEWORK = (
    "agent-framework-core==1.23.0",
    "agent-framework-openai==1.17.0",
)
_AUTOGEN = ("autogen-ext[openai]==0.4.0", "openai==1.58.1", "httpx==0.27.2")
_FIXED_AUTOGEN = ("autogen-ext[openai]==0.5.7", "openai==1.76.0")
_OPENED = r'output_item\.added.*"function_call"(.|\n)*'
"""The call is opened before its arguments come, as it always is."""

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
        "partial-json-parser-cut",
        ("partial-json-parser==0.2.0",),
        ("partial-json-parser==0.2.1.1.post7",),
        "consumers:PartialJsonParser",
        "partial-json-parser 0.2.1",
        "JSONDecodeError",
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
        "langchain-core-empty-id",
        ("langchain-core==1.2.14",),
        ("langchain-core==1.8.3",),
        "consumers:langchain_merging",
        "langchain#35395",
        r'"index": 0.*"id": ""(.|\n)*call 0: (\w+)\(\{"(.|\n)*'
        r"got:\n  call 0: \2\(\{\}\)\n",
        level="chunks",
    ),
    Row(
        "openai-two-fragments",
        ("openai==1.99.9",),
        SDKS,
        "consumers:openai_stream_helper",
        "openai-python#3201",
        r"call 0: (\w*)\(\{.+\ngot:\n  call 0: \1\(.*\n  call 1: \(.*\{",
        level="chunks",
    ),
    Row(
        "openai-agents-usage",
        ("openai-agents==0.0.12", "openai==1.76.0"),
        SDKS,
        "libraries:agents_chat",
        "openai-agents-python#1179",
        "validation errors for ResponseUsage",
    ),
    Row(
        "agent-framework-null-delta",
        _AGENT_FRAMEWORK,
        _FIXED_AGENT_FRAMEWORK,
        "old_readers:agent_framework",
        "agent-framework#5734",
        "ChatClientException.*NoneType",
    ),
    Row(
        "agent-framework-turns",
        _AGENT_FRAMEWORK,
        _FIXED_AGENT_FRAMEWORK,
        "old_readers:agent_framework",
        "agent-framework#8336",
        r"call 0: first\(\{\}\)\n",
    ),
    Row(
        "any-llm-turns",
        ("any-llm-sdk[openai]==1.25.0",),
        ("any-llm-sdk[openai]==1.40.2",),
        "old_readers:any_llm_messages",
        "any-llm#1305",
        r"call 0: (\w+)\(\{.+\n  call 1.*\ngot:\n  call 0: \1\(\{\}\)\n  call 1: ",
    ),
    Row(
        "litellm-responses-index",
        ("litellm==1.81.12",),
        FRAMEWORKS,
        "old_readers:litellm_of_responses",
        "litellm#21331",
        rf"{_OPENED}{_OPENED}  call 1: (?P<last>\w+)\(.*\ngot:\n(  [cf].*\n)*"
        r"  call 0: (?P=last)\(.+\}\{",
        api="responses",
    ),
    Row(
        "google-genai-lines",
        ("google-genai==2.34.0",),
        SDKS,
        "libraries:genai",
        "its source of 3.6.1, on str.splitlines",
        r"u2028(.|\n)*raised .*UnknownApiResponseError",
        api="gemini",
    ),
    Row(
        "litellm-responses-calls",
        ("litellm==1.80.7",),
        FRAMEWORKS,
        "old_readers:litellm_of_responses",
        "litellm#17246",
        rf"{_OPENED}content: '.+'\n(.*\n)*  call 0: (.|\n)*got:\n  content: .*\n"
        r"(  finish.*\n)?first",
        api="responses",
    ),
    Row(
        "litellm-messages-parallel",
        ("litellm==1.77.7",),
        FRAMEWORKS,
        "old_readers:litellm_messages",
        "litellm#15307",
        r"  call 1: (.|\n)*got:\n(  [cf]o.*\n)*  call 0: .*\}\{.*\nfirst",
    ),
    Row(
        "pydantic-ai-delta",
        ("pydantic-ai-slim[openai]==0.0.24", "openai==1.61.0"),
        FRAMEWORKS,
        "old_readers:pydantic_ai_text",
        "pydantic-ai#797",
        r"content: '.+'(.|\n)*'NoneType' object has no attribute 'content'",
    ),
    Row(
        "any-llm-anthropic-index",
        ("any-llm-sdk[anthropic]==1.12.1",),
        ("any-llm-sdk[anthropic]==1.40.2",),
        "old_readers:any_llm_chat",
        "any-llm#970",
        r"  call 1: (.|\n)*got:\n(  [cf]o.*\n)*  call 0: .*\nfirst",
        api="anthropic",
    ),
    Row(
        "jiter-beyond-ascii",
        ("jiter==0.4.0",),
        ("jiter==0.5.0",),
        "old_readers:Jiter",
        "jiter 0.5",
        r"text: '.*\u00c3",
        level="handler",
    ),
    Row(
        "autogen-stop-reason",
        _AUTOGEN,
        _FIXED_AUTOGEN,
        "old_readers:autogen",
        "autogen#4875",
        "No stop reason found",
    ),
    Row(
        "autogen-usage",
        _AUTOGEN,
        _FIXED_AUTOGEN,
        "old_readers:autogen",
        "autogen#5078",
        "Consecutive empty chunks found",
    ),
    Row(
        "langchain-openai-delta",
        ("langchain-openai==0.0.8", "openai==1.30.0", "httpx==0.27.2"),
        ("langchain-openai==0.1.7", "openai==1.30.0", "httpx==0.27.2"),
        "libraries:langchain_chat",
        "langchain#18977",
        r"content: '.+'(.|\n)*'NoneType' object has no attribute 'get'",
    ),
    Row(
        "groq-lines",
        ("groq==0.4.2", "httpx==0.27.2"),
        ("groq==0.9.0", "httpx==0.27.2"),
        "old_readers:groq_events",
        "openai-python#1293, in the same generator's other SDK",
        "JSONDecodeError",
    ),
    Row(
        "litellm-whole-calls",
        ("litellm==1.60.0", "httpx==0.27.2"),
        FRAMEWORKS,
        "libraries:litellm_chat",
        "litellm#7621",
        r"  call 1: (.|\n)*got:\n(  [cf].*\n)*  call 0: first\(\{.*\}\{.*\}\)\n",
    ),
    Row(
        "llm-azure",
        ("llm==0.11", "openai==0.28.1"),
        ("llm==0.27.1",),
        "old_readers:llm_text",
        "llm#294",
        r"\n  (content|text): '.+'(.|\n)*IndexError",
    ),
    Row(
        "pydantic-ai-no-arguments",
        (
            "pydantic-ai-slim[openai]==0.2.4",
            "openai==1.76.0",
            "opentelemetry-api==1.33.0",
        ),
        FRAMEWORKS,
        "old_readers:pydantic_ai",
        "pydantic-ai#1654",
        r"call 0: (\w+)\(\{\}\)\n(.*\n)*got:\n(  finish.*\n|  nothing\n)?first",
    ),
]
