"""Whose a stream is that no API reads."""

from __future__ import annotations

from typing import Any

from harness.apis.chat.api import is_legacy
from harness.apis.chat.chunks import payload_error
from harness.apis.detect import api_of_answer

_LETTA = frozenset(
    {"internal_monologue", "assistant_message", "function_call", "function_return"}
    | {"message_type"}
)


_OTHERS: tuple[tuple[str, frozenset[str], str], ...] = (
    ("messageStart", frozenset(), "Bedrock's Converse API"),
    ("contentBlockStart", frozenset(), "Bedrock's Converse API"),
    ("contentBlockDelta", frozenset(), "Bedrock's Converse API"),
    ("", frozenset({"outputText", "index"}), "Titan's own API (Bedrock)"),
    ("", frozenset({"generation", "prompt_token_count"}), "Llama's own API (Bedrock)"),
    ("", frozenset({"response", "p"}), "Cloudflare's Workers AI"),
    ("", frozenset({"model_id", "results"}), "watsonx's own API"),
    ("", frozenset({"is_end", "result"}), "Baidu's own API"),
    ("conversation.response.started", frozenset(), "Mistral's Conversations API"),
    ("conversation.message.delta", frozenset(), "Coze"),
    ("", frozenset({"event", "run_id"}), "LangChain's `astream_events`"),
    ("", frozenset({"invocationId", "author"}), "Google's Agent Development Kit"),
    ("", frozenset({"conversation_id", "message"}), "ChatGPT's own pages"),
    ("init", frozenset({"session_id"}), "Gemini's command line"),
    ("text-delta", frozenset({"textDelta"}), "the Vercel AI SDK"),
    ("message-start", frozenset(), "Cohere's own API, version 2"),
    ("text-generation", frozenset(), "Cohere's own API, version 1"),
    ("", frozenset({"output", "request_id"}), "DashScope's own API"),
    ("", frozenset({"content", "stop"}), "llama.cpp's own `/completion`"),
    ("", frozenset({"token", "generated_text"}), "TGI's own `/generate_stream`"),
    ("", frozenset({"event", "conversation_id"}), "Dify"),
    ("", frozenset({"jsonrpc"}), "JSON-RPC (MCP, A2A)"),
    ("RUN_STARTED", frozenset(), "AG-UI"),
    ("interaction.created", frozenset(), "Gemini's Interactions API"),
    ("interaction.start", frozenset(), "Gemini's Interactions API"),
    ("", frozenset({"type", "event_id"}), "OpenAI's Realtime API"),
    ("", frozenset({"setupComplete"}), "Gemini's Live API"),
    ("", frozenset({"serverContent"}), "Gemini's Live API"),
    ("completion", frozenset({"completion"}), "Anthropic's Text Completions API"),
    ("transcript.text.delta", frozenset(), "OpenAI's transcriptions"),
    ("", frozenset({"subtype", "session_id"}), "Claude Code's command line"),
    ("thread.started", frozenset({"thread_id"}), "Codex's command line"),
    ("session.created", frozenset(), "OpenAI's Realtime API"),
    ("text-start", frozenset(), "the Vercel AI SDK"),
    ("start", frozenset(), "the Vercel AI SDK"),
)
"""Streams that are not read: type and keys of an event, and whose it is."""


def whose(name: str, payload: dict[str, Any]) -> str:
    """Name the protocol of an event that no API reads; empty where it is unknown."""
    if is_legacy(payload):
        return "a stream of legacy text completions"
    if name.startswith("thread."):
        return "an OpenAI Assistants stream"
    if _LETTA & payload.keys():
        return (
            "messages of an interface, as `harness replay --format sse` and Letta "
            "write them, and no answer of a model; `harness diff` compares them"
        )
    kinds = {name, *(payload if len(payload) == 1 else ())} | {
        value
        for key in ("type", "event_type", "event")
        if isinstance(value := payload.get(key), str)
    }
    for kind, keys, title in _OTHERS:
        if (not kind or kind in kinds) and keys <= payload.keys():
            return f"a stream of {title}, which is not read"
    api = api_of_answer(payload)
    if api is None or payload_error(payload) is not None:
        return ""
    return f"a whole answer of {api.title} as one event: its clients read none of it"
