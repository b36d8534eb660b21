"""How servers and gateways send a generateContent stream: one value a habit.

A dialect changes how a stream is written (`Style`) and how its events are framed, never
what it amounts to, but for what `cannot` lists.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.dialects import Dialect, read_dialects
from harness.apis.framing import Framing
from harness.apis.gemini.pending import STANDARD, Style
from harness.apis.gemini.values import in_snake_case
from harness.apis.gemini.writer import Writer

if TYPE_CHECKING:
    from harness.apis.base import Payload

__all__ = ["DIALECTS", "Dialect"]


def _stop_everywhere(payload: Payload) -> Payload:
    candidates: list[dict[str, Any]] = payload.get("candidates", [])
    stopped = [{"finishReason": "STOP", **entry} for entry in candidates]
    return {**payload, "candidates": stopped} if stopped else payload


def _wrapped(payload: Payload) -> Payload:
    return {"response": payload, "traceId": "0000000000000000"}


_VERCEL = "recordings of vercel/ai"
_STYLES = {
    "vertex": Style(has_index=False),
    "partial-args": Style(has_index=False, is_partial=True),
    "ids": Style(ids="made"),
    "no-ids": Style(ids="none"),
    "stop-everywhere": Style(edit=_stop_everywhere),
    "one-call-an-event": Style(calls="one an event"),
    "all-calls-one-event": Style(calls="all in one event"),
    "signature-on-empty-text": Style(signs_empty_text=True),
    "no-thoughts": Style(has_thoughts=False),
    "usage-last-only": Style(counts_every_event=False),
    "no-response-id": Style(has_response_id=False),
    "snake-case": Style(edit=in_snake_case),
    "code-assist": Style(edit=_wrapped),
}
_USUAL = Framing(newline="\r\n", has_done=False)
_FRAMINGS = {
    "gemini-array": Framing(has_done=False, is_array=True),
    "with-done": Framing(has_done=True),
    "lf": Framing(has_done=False),
    "keep-alive": replace(_USUAL, comment="keep-alive", comment_every=1),
}

DIALECTS = read_dialects(
    "gemini",
    f"""
gemini-sse | the Gemini API with `alt=sse`: the standard
    | source recordings of crmne/ruby_llm
gemini-array | one indented JSON array, as without `alt=sse`
    | source MervinPraison/PraisonAI#1029, avante.nvim#432
vertex | Vertex AI: no `index` | source recordings of crmne/ruby_llm, vertexai
partial-args | function calls streamed as `partialArgs`, a value an event
    | source {_VERCEL}; BerriAI/litellm#23815
ids | every function call has an id, as with Gemini 3 | source {_VERCEL}, gemini3
no-ids | no function call has an id | cannot ids of calls
    | source recordings of crmne/ruby_llm; brainlid/langchain#620
stop-everywhere | every event has finishReason STOP, as older models and proxies
    | breaks finish-last finish-once | source songquanpeng/one-api#1408
one-call-an-event | parallel calls in an event each, at the same place in it
    | source NousResearch/hermes-agent#57939
all-calls-one-event | all calls, and what follows the first, in one event
    | source recordings of olimorris/codecompanion.nvim
signature-on-empty-text | the signature of a text on an empty text part behind it
    | source {_VERCEL}, google-reasoning-gemini3; google/adk-go#442
no-thoughts | without `includeThoughts` | cannot reasoning
    | source {_VERCEL}, google-text
usage-last-only | `usageMetadata` from the finish on, and not in every event
    | source gateways that translate from chat completions
no-response-id | no `responseId` | cannot id of the response
    | source looplj/axonhub#2259
with-done | `data: [DONE]` ends the stream, as some proxies do
    | source looplj/axonhub#2259
lf | line ends are LF, as from proxies
    | source recordings of olimorris/codecompanion.nvim
keep-alive | comments between the events, as from proxies
    | source WHATWG HTML, 9.2.7; google-genai 3.6 refuses them
snake-case | names in snake case, as Google's own languages spell them
    | breaks camel-case | source proxies that dump google-genai's objects
code-assist | each event in `response`, as Code Assist sends it to gemini-cli
    | breaks bare
    | source google-gemini/gemini-cli, packages/core/src/code_assist/server.ts
""",
    lambda name, _cells: {
        "writer": partial(Writer, _STYLES.get(name, STANDARD)),
        "framing": _FRAMINGS.get(name, _USUAL),
    },
)
"""The dialects by name, the standard one first."""
