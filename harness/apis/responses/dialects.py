"""How servers send what OpenAI sends otherwise: habits as values.

A dialect is an option of the writer, a change of written events, and a framing. It
names the rules of its API that it breaks; habits that break none are traps all the
same.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.dialects import read_dialects
from harness.apis.framing import Framing
from harness.apis.responses.habits import EDITS
from harness.apis.responses.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.apis.edits import Change, Events, Stream

__all__ = ["DIALECTS"]

_FRAMINGS = {
    "openrouter": Framing(is_compact=False, opening="PROCESSING"),
    "openrouter-reasoning": Framing(is_compact=False),
    "with-done": Framing(is_compact=False),
}
_USUAL = Framing(is_compact=False, has_done=False)


def _numbered(
    events: Events, edit: Change | None, sequence: str, *, has_names: bool
) -> Stream:
    """Edit events and number what is sent: `counting`, `constant` or `none`."""
    for number, (kind, payload) in enumerate(edit(events) if edit else events):
        fields = {k: v for k, v in payload.items() if k != "sequence_number"}
        if sequence != "none":
            sent = number if sequence == "counting" else 1
            fields = {"type": kind, "sequence_number": sent, **fields}
        yield WrittenEvent(kind if has_names else "", fields)


def _rest(name: str, cells: Mapping[str, str]) -> dict[str, Any]:
    return {
        "writer": partial(Writer, reasoning=cells.get("reasoning", "summary_text")),
        "edit": partial(
            _numbered,
            edit=EDITS.get(name),
            sequence=cells.get("sequence", "counting"),
            has_names="lines" not in cells,
        ),
        "framing": _FRAMINGS.get(name, _USUAL),
    }


DIALECTS = read_dialects(
    "responses",
    """
openai | as OpenAI sends it | source OpenAI API reference
azure | keepalive events; a failure sent twice, the second as `error`
    | breaks event-type | source Azure OpenAI; openai-java#767
copilot | another item_id and response id with every event
    | breaks item-id response-id terminal-output
    | source recording github-copilot-id-rotation; BerriAI/litellm#30071
openrouter
    | no event lines, comments, [DONE]; raw reasoning, which ends last and whose item
    has another id at the end; response.keep_alive events
    | reasoning reasoning_text | lines none
    | breaks event-line event-type terminal-output
    | source recording raw_cot_stream_openrouter; OpenRouterTeam/python-sdk#266
openrouter-reasoning | reasoning as response.reasoning.delta | reasoning reasoning_text
    | breaks event-type | source OpenRouter; older names of the events
lmstudio | raw reasoning; a call's arguments in its done events only
    | reasoning reasoning_text | breaks arguments-sum
    | source recording lmstudio-tool-call; BerriAI/litellm#27144
codex-spark | a call's arguments in its done events only | breaks arguments-sum
    | source gpt-5.3-codex-spark; earendil-works/pi#2745
bedrock | no event lines; raw reasoning with reasoning_part events
    | reasoning reasoning_text | lines none | breaks event-line event-type
    | source recording bedrock_mantle_responses
vllm | reasoning_part events, parts never done, other ids at the end
    | reasoning reasoning_text | breaks event-type part-done terminal-output
    | source vllm#35184, vllm#37071
litellm | no content_part.added and no summary_part.added | breaks part-added
    | source BerriAI/litellm#24445
litellm-old | no output_item.added either | breaks item-added
    | source BerriAI/litellm#30115
chatgpt-codex | the last event's output is empty | breaks terminal-output
    | source chatgpt.com/backend-api/codex; open-webui#27800
9router | the last event has neither output nor usage | breaks terminal-output usage
    | source decolua/9router#1648
no-sequence | no sequence numbers and no logprobs, as in the API's first weeks
    | sequence none | breaks sequence
    | source 17 recorded streams
no-logprobs | texts without logprobs, as in the API's first months
    | source recording thinking_part_iter@55ad5bd8
xai | done texts without logprobs | source recordings xai-text-streaming
mcp-undone
    | of lists of MCP tools that overlap only the last is done; padding on every delta
    | breaks item-done terminal-output
    | source recording mcp_list_tools_stream_backfills_missing_results
data-only | OpenAI's with padding, without `event:` lines, as stubs keep it
    | lines none | breaks event-line
    | source recordings of olimorris/codecompanion.nvim
sequence-constant | every sequence number is 1 | sequence constant | breaks sequence
    | source BerriAI/litellm#28899
no-event-lines | no `event:` lines | lines none | breaks event-line
    | source 55 of 329 recorded streams
with-done | `[DONE]` ends the stream | source 11 of 329 recorded streams
item-without-id | items of calls have no id, their events no item_id | breaks fields
    | source optional in the types of the OpenAI SDK 3.57.0
interleaved-calls | the fragments of neighbouring calls take turns
    | source Wei-Shaw/sub2api#4294
index-gap | output indices leave gaps | breaks index-contiguous | source Azure OpenAI
no-text-done | no done event of a text, only those of part and item | breaks part-done
    | source vllm#37071
done-only | no delta of text at all: whole in the done events | breaks text-sum
    | source reasoning and texts of servers that do not stream
obfuscated | padding on every delta
    | source 9326 of 14718 recorded deltas; openai-go#813
empty-deltas | an empty delta before every delta of text
    | source legal: a delta may be empty
unknown-event | an event that no reference has | breaks event-type
    | source openai-php/client#760
completed-but-incomplete | response.completed with status incomplete | breaks status
    | source Arthur-Ficial/apfel#412
background | response.queued before it begins
    | source recordings background_mode_streaming
raw-reasoning | reasoning as reasoning_text, not as a summary | reasoning reasoning_text
    | source recordings of open models
""",
    _rest,
)
"""All dialects by name; the first is the standard."""
