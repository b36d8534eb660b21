"""Providers of models: the fields of their chunks, each from a recording of it.

Every writer names the recordings of the corpus that it was checked against
(`tests/unit/core/test_dialects.py` compares the fields); what no recording shows
is in its docstring. A writer keeps what the stream carries and its deltas' cuts;
it drops the fields that only the source provider knows (logprobs, citations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.apis.chat.dialects.writing import Delta, Writer

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload
    from harness.apis.chat.dialects.parts import Call


class OpenAI(Writer):
    """OpenAI: role first, calls in fragments, finish and token counts apart.

    Reasoning, which OpenAI does not send, is written as `reasoning_content`.
    """

    # Every chunk repeats the tier and a null usage, and is padded.
    before_choices: ClassVar[Payload] = {
        "service_tier": "default",
        "system_fingerprint": "fp_0",
    }
    behind_choices: ClassVar[Payload] = {"usage": None, "obfuscation": ""}

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """With logprobs, null unless asked for."""
        return {
            "index": index,
            "delta": delta,
            "logprobs": None,
            "finish_reason": reason,
        }

    def start_delta(self) -> Delta:
        """With a null refusal."""
        return {"role": "assistant", "content": "", "refusal": None}


_SAFE = {
    field: {"filtered": False, "severity": "safe"}
    for field in ("hate", "self_harm", "sexual", "violence")
}


class Azure(Writer):
    """Azure OpenAI: a first chunk without choices, filter results beside each delta."""

    def first(self) -> list[Payload]:
        """The prompt's filter results: no choices, no id, no date."""
        results = {"prompt_index": 0, "content_filter_results": dict(_SAFE)}
        return [
            {
                "choices": [],
                "created": 0,
                "id": "",
                "model": "",
                "object": "",
                "prompt_filter_results": [results],
            }
        ]

    def head(self) -> Payload:
        """In alphabetical order, padded."""
        return {
            "choices": [],
            "created": self.meta.created,
            "id": self.meta.id,
            "model": self.meta.model,
            "obfuscation": "",
            "object": "chat.completion.chunk",
            "system_fingerprint": "fp_0",
        }

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """Filter results where there is text, empty elsewhere."""
        return {
            "content_filter_results": dict(_SAFE) if delta.get("content") else {},
            "delta": delta,
            "finish_reason": reason,
            "index": index,
            "logprobs": None,
        }

    def start_delta(self) -> Delta:
        """With a null refusal."""
        return {"content": "", "refusal": None, "role": "assistant"}


class DeepSeek(OpenAI):
    """DeepSeek: content and reasoning side by side, one of them null."""

    usage = "finish"

    before_choices: ClassVar[Payload] = {"system_fingerprint": "fp_0"}
    behind_choices: ClassVar[Payload] = {"usage": None}  # until the end

    def start_delta(self) -> Delta:
        """Content null, reasoning empty."""
        return {"role": "assistant", "content": None, "reasoning_content": ""}

    def text_delta(self, text: str) -> Delta:
        """Reasoning null."""
        return {"content": text, "reasoning_content": None}

    def reasoning_delta(self, text: str) -> Delta:
        """Content null."""
        return {"content": None, "reasoning_content": text}

    def finish_delta(self) -> Delta:
        """Content empty, reasoning null."""
        return {"content": "", "reasoning_content": None}


class Groq(Writer):
    """Groq: whole calls, reasoning with a channel, its own `x_groq` first and last."""

    calls = "whole"
    usage = "finish"
    before_choices: ClassVar[Payload] = {"system_fingerprint": "fp_0"}

    def __init__(self) -> None:
        super().__init__()
        self._has_begun = False

    def head(self) -> Payload:
        """With a request id in the very first."""
        head = super().head()
        if not self._has_begun:
            self._has_begun = True
            head["x_groq"] = {"id": "req_0", "seed": 0}
        return head

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """With logprobs, null unless asked for."""
        return {
            "index": index,
            "delta": delta,
            "logprobs": None,
            "finish_reason": reason,
        }

    def reasoning_delta(self, text: str) -> Delta:
        """With the channel of the harmony format."""
        return {"reasoning": text, "channel": "analysis"}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """The index last."""
        return {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": arguments},
            "index": call.position,
        }

    def finished(self, payload: Payload, usage: dict[str, Any] | None) -> Payload:
        """Token counts twice."""
        if usage is None:
            return payload
        return {**payload, "x_groq": {"id": "req_0", "usage": usage}, "usage": usage}


class Mistral(Writer):
    """Mistral: reasoning as a list of parts in `content`, all calls in the last chunk.

    A refusal, which Mistral does not have, keeps OpenAI's field.
    """

    calls = "together"
    finish = "rides"
    usage = "finish"

    def reasoning_delta(self, text: str) -> Delta:
        """A list with one thinking part."""
        inner = {"type": "text", "text": text}
        return {"content": [{"type": "thinking", "thinking": [inner]}]}

    def calls_delta(self, entries: list[dict[str, Any]]) -> Delta:
        """Alone."""
        return {"tool_calls": entries}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """No type."""
        return {
            "id": call.id,
            "function": {"name": call.name, "arguments": arguments},
            "index": call.position,
        }


class Xai(Writer):
    """xAI: no finish reason until there is one, whole calls, role in the first."""

    calls = "together"
    starts = False

    def __init__(self) -> None:
        super().__init__()
        self._greeted: set[int] = set()

    def head(self) -> Payload:
        """The fingerprint last."""
        head = super().head()
        return {**head, "system_fingerprint": "fp_0"}

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """No finish reason until there is one."""
        if index not in self._greeted:
            self._greeted.add(index)
            delta = {**delta, "role": "assistant"}
        choice = {"index": index, "delta": delta}
        return choice if reason is None else {**choice, "finish_reason": reason}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """The index behind the function."""
        return {
            "id": call.id,
            "function": {"name": call.name, "arguments": arguments},
            "index": call.position,
            "type": "function",
        }
