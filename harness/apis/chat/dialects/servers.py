"""Local servers and go-betweens: the fields of their chunks, each from a recording.

What `harness.apis.chat.dialects.providers` has of its writers goes for these too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.apis.chat.dialects.writing import Delta, Writer

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload
    from harness.apis.chat.dialects.parts import Call


class Ollama(Writer):
    """Ollama: role and content in every delta, whole calls, reasoning in `reasoning`.

    Newer versions number the calls; older ones put all of them at index 0, which is
    ``ollama+index-0``.
    """

    calls = "whole"
    starts = False

    before_choices: ClassVar[Payload] = {"system_fingerprint": "fp_ollama"}

    def text_delta(self, text: str) -> Delta:
        """Role every time."""
        return {"role": "assistant", "content": text}

    def reasoning_delta(self, text: str) -> Delta:
        """Beside an empty content."""
        return {"role": "assistant", "content": "", "reasoning": text}

    def calls_delta(self, entries: list[dict[str, Any]]) -> Delta:
        """Beside an empty content."""
        return {"role": "assistant", "content": "", "tool_calls": entries}

    def finish_delta(self) -> Delta:
        """Empty, but there."""
        return {"role": "assistant", "content": ""}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """The id before the index."""
        return {
            "id": call.id,
            "index": call.position,
            "type": "function",
            "function": {"name": call.name, "arguments": arguments},
        }


class Gpustack(Writer):
    """GPUStack's llama-box: all calls in the last chunk, without index, no `[DONE]`.

    The recordings have reasoning as ``<think>`` inside the content; here it stays
    apart, as `reasoning_content`, or it would be shown to the user.
    """

    calls = "together"
    finish = "rides"
    usage = "finish"
    starts = False

    def head(self) -> Payload:
        """In alphabetical order, usage null until the end."""
        return {
            "choices": [],
            "created": self.meta.created,
            "id": self.meta.id,
            "model": self.meta.model,
            "object": "chat.completion.chunk",
            "usage": None,
        }

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """In alphabetical order."""
        return {"delta": delta, "finish_reason": reason, "index": index}

    def calls_delta(self, entries: list[dict[str, Any]]) -> Delta:
        """Beside a null content."""
        return {"content": None, "tool_calls": entries}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """No index."""
        return {
            "function": {"arguments": arguments, "name": call.name},
            "id": call.id,
            "type": "function",
        }

    def more(self, call: Call, arguments: str) -> dict[str, Any]:
        """Only after the call was cut by text; the id is all there is."""
        return {"function": {"arguments": arguments}, "id": call.id}


class Vllm(Writer):
    """vLLM: the finish rides on the last chunk, beside a `stop_reason`.

    The recordings have text only; that a call is announced without `arguments`, so
    that a call without any has none at all, is from vllm#9693.
    """

    finish = "rides"

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """With `stop_reason` in the last chunk alone."""
        choice = {
            "index": index,
            "delta": delta,
            "logprobs": None,
            "finish_reason": reason,
        }
        return choice if reason is None else {**choice, "stop_reason": None}

    def start_delta(self) -> Delta:
        """The role alone."""
        return {"role": "assistant"}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """No arguments yet."""
        function = {"name": call.name}
        if arguments:
            function["arguments"] = arguments
        return {
            "index": call.position,
            "id": call.id,
            "type": "function",
            "function": function,
        }


class Gemini(Writer):
    """Gemini behind an OpenAI interface: large pieces, whole calls, finish on the last.

    Checked against Gemini as GitHub Copilot passes it on; Google's own endpoint is
    not in the corpus. Token counts, which Copilot repeats as zeros, come at the end.
    """

    calls = "together"
    finish = "rides"
    usage = "finish"
    starts = False

    def head(self) -> Payload:
        """Choices first, the model last, no `object`."""
        return {
            "choices": [],
            "created": self.meta.created,
            "id": self.meta.id,
            "usage": {
                "completion_tokens": 0,
                "prompt_tokens": 0,
                "prompt_tokens_details": {"cached_tokens": 0},
                "total_tokens": 0,
                "reasoning_tokens": 0,
            },
            "model": self.meta.model,
        }

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """No finish reason until there is one."""
        choice = {"index": index, "delta": delta}
        return choice if reason is None else {"finish_reason": reason, **choice}

    def text_delta(self, text: str) -> Delta:
        """Role every time."""
        return {"content": text, "role": "assistant"}

    def reasoning_delta(self, text: str) -> Delta:
        """Beside a null content."""
        return {"content": None, "role": "assistant", "reasoning_text": text}

    def refusal_delta(self, text: str) -> Delta:
        """Beside a null content."""
        return {"content": None, "role": "assistant", "refusal": text}

    def calls_delta(self, entries: list[dict[str, Any]]) -> Delta:
        """Beside a null content."""
        return {"content": None, "role": "assistant", "tool_calls": entries}

    def finish_delta(self) -> Delta:
        """Null, but there."""
        return {"content": None, "role": "assistant"}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """The function first."""
        return {
            "function": {"arguments": arguments, "name": call.name},
            "id": call.id,
            "index": call.position,
            "type": "function",
        }


class OpenRouter(Writer):
    """OpenRouter: role in every delta, reasoning twice, usage with a second finish."""

    starts = False
    attaches_at_once = True

    before_choices: ClassVar[Payload] = {"provider": "provider"}

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """With the reason as the provider behind it calls it."""
        return {
            "index": index,
            "delta": delta,
            "finish_reason": reason,
            "native_finish_reason": reason,
        }

    def text_delta(self, text: str) -> Delta:
        """Role every time."""
        return {"content": text, "role": "assistant"}

    def reasoning_delta(self, text: str) -> Delta:
        """As text and as details, which are the same text."""
        detail = {
            "type": "reasoning.text",
            "text": text,
            "format": "unknown",
            "index": 0,
        }
        return {
            "content": "",
            "role": "assistant",
            "reasoning": text,
            "reasoning_details": [detail],
        }

    def refusal_delta(self, text: str) -> Delta:
        """Beside an empty content."""
        return {"content": "", "role": "assistant", "refusal": text}

    def calls_delta(self, entries: list[dict[str, Any]]) -> Delta:
        """Beside a null content."""
        return {"content": None, "role": "assistant", "tool_calls": entries}

    def finish_delta(self) -> Delta:
        """Everything empty."""
        return {"content": "", "role": "assistant", "reasoning": None}

    def finished(self, payload: Payload, usage: dict[str, Any] | None) -> Payload:
        """Kept, to be sent again with the token counts."""
        self._last_choice = payload["choices"][0]
        return super().finished(payload, usage)

    _last_choice: dict[str, Any] | None = None

    def usage_payload(self, usage: dict[str, Any]) -> Payload:
        """The finish sent again, with the token counts."""
        again = self._last_choice or self.choice(0, {}, None)
        again = {**again, "delta": {"content": "", "role": "assistant"}}
        return {**self.head(), "service_tier": None, "choices": [again], "usage": usage}


class Perplexity(Writer):
    """Perplexity: CRLF, no `[DONE]`, and beside each delta the message so far.

    Calls and reasoning, which its recordings do not have, are as at OpenAI.
    """

    finish = "rides"
    usage = "finish"
    starts = False

    _SO_FAR: ClassVar[str] = "message"

    def __init__(self) -> None:
        super().__init__()
        self._so_far: dict[int, list[str]] = {}

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """With the message so far; a delta without new text leaves it as it is."""
        texts = self._so_far.setdefault(index, [])
        content = delta.get("content")
        if content and reason is None:
            texts.append(content)
        message = {"role": "assistant", "content": "".join(texts)}
        return {
            "index": index,
            "finish_reason": reason,
            self._SO_FAR: message,
            "delta": delta,
        }

    def text_delta(self, text: str) -> Delta:
        """Role every time."""
        return {"role": "assistant", "content": text}

    def finish_delta(self) -> Delta:
        """Empty, but there."""
        return {"role": "assistant", "content": ""}
