"""Providers and servers of models: the fields of their chunks, from recordings of them.

Every writer names the recordings of the corpus that it was checked against
(`tests/unit/core/test_dialects.py` compares the fields); what no recording shows
is in its docstring. A writer keeps what the stream carries and its deltas' cuts;
it drops the fields that only the source provider knows (logprobs, citations).

The fields are in the order in which they are sent (`harness.apis.chat.dialects.writing`
fills them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.apis.chat.dialects.writing import Delta, Writer

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload
    from harness.apis.chat.dialects.parts import Call

_CHUNK = "chat.completion.chunk"
_NAMED = {"id": "", "object": _CHUNK, "created": 0, "model": ""}
_WITH_LOGPROBS = ("index", "delta", "logprobs", "finish_reason")
_SAFE = {
    field: {"filtered": False, "severity": "safe"}
    for field in ("hate", "self_harm", "sexual", "violence")
}


class OpenAI(Writer):
    """OpenAI: role first, calls in fragments, finish and token counts apart.

    Every chunk repeats the tier and a null usage, and is padded. Reasoning, which
    OpenAI does not send, is written as `reasoning_content`.
    """

    payload: ClassVar[Payload] = {
        **_NAMED,
        "service_tier": "default",
        "system_fingerprint": "fp_0",
        "choices": [],
        "usage": None,
        "obfuscation": "",
    }
    choice_fields = _WITH_LOGPROBS
    start: ClassVar[Delta] = {"role": "assistant", "content": "", "refusal": None}


class Azure(Writer):
    """Azure OpenAI: a first chunk without choices, filter results beside each delta.

    Fields are in alphabetical order, and chunks padded.
    """

    payload: ClassVar[Payload] = {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "obfuscation": "",
        "object": _CHUNK,
        "system_fingerprint": "fp_0",
    }
    start: ClassVar[Delta] = {"content": "", "refusal": None, "role": "assistant"}

    def first(self) -> list[Payload]:
        """The prompt's filter results: no choices, no id, no date."""
        nothing = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
        results = {"prompt_index": 0, "content_filter_results": dict(_SAFE)}
        return [{**nothing, "prompt_filter_results": [results]}]

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """Filter results where there is text, empty elsewhere."""
        return {
            "content_filter_results": dict(_SAFE) if delta.get("content") else {},
            "delta": delta,
            "finish_reason": reason,
            "index": index,
            "logprobs": None,
        }


class DeepSeek(Writer):
    """DeepSeek: content and reasoning side by side, one of them null; null usage."""

    usage = "finish"
    payload: ClassVar[Payload] = {
        **_NAMED,
        "system_fingerprint": "fp_0",
        "choices": [],
        "usage": None,
    }
    choice_fields = _WITH_LOGPROBS
    start: ClassVar[Delta] = {
        "role": "assistant",
        "content": None,
        "reasoning_content": "",
    }
    text: ClassVar[Delta] = {"content": "", "reasoning_content": None}
    reasoning: ClassVar[Delta] = {"content": None, "reasoning_content": ""}
    end: ClassVar[Delta] = {"content": "", "reasoning_content": None}


class Groq(Writer):
    """Groq: whole calls, reasoning with a channel, its own `x_groq` first and last."""

    calls = "whole"
    usage = "finish"
    payload: ClassVar[Payload] = {**_NAMED, "system_fingerprint": "fp_0", "choices": []}
    choice_fields = _WITH_LOGPROBS
    reasoning: ClassVar[Delta] = {"reasoning": "", "channel": "analysis"}
    entry_fields = ("id", "type", "function", "index")

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
    entry_fields = ("id", "function", "index")

    def reasoning_delta(self, text: str) -> Delta:
        """A list with one thinking part."""
        inner = {"type": "text", "text": text}
        return {"content": [{"type": "thinking", "thinking": [inner]}]}


class Xai(Writer):
    """xAI: no finish reason until there is one, whole calls, role in the first."""

    calls = "together"
    starts = False
    payload: ClassVar[Payload] = {**_NAMED, "choices": [], "system_fingerprint": "fp_0"}
    choice_fields = ("index", "delta")
    last_choice_fields = ("index", "delta", "finish_reason")
    entry_fields = ("id", "function", "index", "type")

    def __init__(self) -> None:
        super().__init__()
        self._greeted: set[int] = set()

    def choice(self, index: int, delta: Delta, reason: str | None) -> dict[str, Any]:
        """The role in the first."""
        if index not in self._greeted:
            self._greeted.add(index)
            delta = {**delta, "role": "assistant"}
        return super().choice(index, delta, reason)


class Ollama(Writer):
    """Ollama: role and content in every delta, whole calls, reasoning in `reasoning`.

    Newer versions number the calls; older ones put all of them at index 0, which is
    ``ollama+index-0``.
    """

    calls = "whole"
    starts = False
    payload: ClassVar[Payload] = {
        **_NAMED,
        "system_fingerprint": "fp_ollama",
        "choices": [],
    }
    text: ClassVar[Delta] = {"role": "assistant", "content": ""}
    reasoning: ClassVar[Delta] = {**text, "reasoning": ""}
    tools: ClassVar[Delta] = {**text, "tool_calls": []}
    end: ClassVar[Delta] = text
    entry_fields = ("id", "index", "type", "function")


class Gpustack(Writer):
    """GPUStack's llama-box: all calls in the last chunk, without index, no `[DONE]`.

    The recordings have reasoning as ``<think>`` inside the content; here it stays
    apart, as `reasoning_content`, or it would be shown to the user. Fields are in
    alphabetical order, usage null until the end.
    """

    calls = "together"
    finish = "rides"
    usage = "finish"
    starts = False
    payload: ClassVar[Payload] = {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": _CHUNK,
        "usage": None,
    }
    choice_fields = ("delta", "finish_reason", "index")
    tools: ClassVar[Delta] = {"content": None, "tool_calls": []}
    entry_fields = ("function", "id", "type")
    function_fields = ("arguments", "name")

    def more(self, call: Call, arguments: str) -> dict[str, Any]:
        """Only after the call was cut by text; the id is all there is."""
        return {"function": {"arguments": arguments}, "id": call.id}


class Vllm(Writer):
    """vLLM: the finish rides on the last chunk, beside a `stop_reason`.

    The recordings have text only; that a call is announced without `arguments`, so
    that a call without any has none at all, is from vllm#9693.
    """

    finish = "rides"
    choice_fields = _WITH_LOGPROBS
    last_choice_fields = (*_WITH_LOGPROBS, "stop_reason")
    start: ClassVar[Delta] = {"role": "assistant"}

    def entry(self, call: Call, arguments: str) -> dict[str, Any]:
        """No arguments yet."""
        entry = super().entry(call, arguments)
        if not arguments:
            del entry["function"]["arguments"]
        return entry


class Gemini(Writer):
    """Gemini behind an OpenAI interface: large pieces, whole calls, finish on the last.

    Checked against Gemini as GitHub Copilot passes it on; Google's own endpoint is
    not in the corpus. Token counts, which Copilot repeats as zeros, come at the end;
    no finish reason until there is one.
    """

    calls = "together"
    finish = "rides"
    usage = "finish"
    starts = False
    payload: ClassVar[Payload] = {
        "choices": [],
        "created": 0,
        "id": "",
        "usage": {
            "completion_tokens": 0,
            "prompt_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 0},
            "total_tokens": 0,
            "reasoning_tokens": 0,
        },
        "model": "",
    }
    choice_fields = ("index", "delta")
    last_choice_fields = ("finish_reason", "index", "delta")
    end: ClassVar[Delta] = {"content": None, "role": "assistant"}
    text: ClassVar[Delta] = end
    reasoning: ClassVar[Delta] = {**end, "reasoning_text": ""}
    refusal: ClassVar[Delta] = {**end, "refusal": ""}
    tools: ClassVar[Delta] = {**end, "tool_calls": []}
    entry_fields = ("function", "id", "index", "type")
    function_fields = ("arguments", "name")


class OpenRouter(Writer):
    """OpenRouter: role in every delta, reasoning twice, usage with a second finish.

    The reason also comes as the provider behind it calls it.
    """

    starts = False
    attaches_at_once = True
    payload: ClassVar[Payload] = {**_NAMED, "provider": "provider", "choices": []}
    choice_fields = ("index", "delta", "finish_reason", "native_finish_reason")
    text: ClassVar[Delta] = {"content": "", "role": "assistant"}
    refusal: ClassVar[Delta] = {**text, "refusal": ""}
    tools: ClassVar[Delta] = {**text, "content": None, "tool_calls": []}
    end: ClassVar[Delta] = {**text, "reasoning": None}

    def reasoning_delta(self, text: str) -> Delta:
        """As text and as details, which are the same text."""
        kind = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
        return {**self.text, "reasoning": text, "reasoning_details": [kind]}

    def finished(self, payload: Payload, usage: dict[str, Any] | None) -> Payload:
        """Kept, to be sent again with the token counts."""
        self._last_choice = payload["choices"][0]
        return super().finished(payload, usage)

    _last_choice: dict[str, Any] | None = None

    def usage_payload(self, usage: dict[str, Any]) -> Payload:
        """The finish sent again, with the token counts."""
        again = self._last_choice or self.choice(0, {}, None)
        again = {**again, "delta": self.text_delta("")}
        return {**self.head(), "service_tier": None, "choices": [again], "usage": usage}


class Perplexity(Writer):
    """Perplexity: CRLF, no `[DONE]`, and beside each delta the message so far.

    Calls and reasoning, which its recordings do not have, are as at OpenAI.
    """

    finish = "rides"
    usage = "finish"
    starts = False
    text: ClassVar[Delta] = {"role": "assistant", "content": ""}
    end: ClassVar[Delta] = text

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
        choice = {"index": index, "finish_reason": reason}
        return {**choice, "message": message, "delta": delta}


_ALL = (
    *(OpenAI, Azure, DeepSeek, Groq, Mistral, Xai),
    *(Ollama, Gpustack, Vllm, Gemini, OpenRouter, Perplexity),
)
WRITERS: dict[str, type[Writer]] = {each.__name__.lower(): each for each in _ALL}
"""By dialect."""
