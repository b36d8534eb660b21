"""Ways in which servers other than Anthropic, or Anthropic at times, send Messages."""

from __future__ import annotations

from harness.apis.anthropic.habits import EDITS
from harness.apis.anthropic.writer import Writer
from harness.apis.dialects import Dialect, read_dialects
from harness.apis.framing import Framing

__all__ = ["DIALECTS", "Dialect"]

_RECORDED = "recorded streams of public projects"
_FRAMINGS = {
    "bedrock-invoke": Framing(has_done=False, is_binary=True),
    "no-event-lines": Framing(has_done=False, has_event_lines=False),
    "with-done": Framing(has_done=True),
    "ping-empty-data": Framing(has_done=False, has_ping_data=False),
    "no-space": Framing(has_done=False, has_space=False),
}
_USUAL = Framing(has_done=False)

DIALECTS = read_dialects(
    "anthropic",
    f"""
anthropic | as Anthropic sends it | source {_RECORDED}
vertex | Vertex AI: as Anthropic sends it | source {_RECORDED}
eager | eager_input_streaming: inputs are cut anywhere
    | source Anthropic's guide to fine-grained tool streaming
buffered | inputs come a value at a time
    | source {_RECORDED}: pieces fall at the borders of values
input-in-start | whole inputs in content_block_start, no deltas
    | source {_RECORDED}: calls made by a code execution
empty-thinking | an empty thinking_delta before the signature
    | source {_RECORDED}: 3 of 14 that stream reasoning
kimi | no content_block_stop between blocks; input_tokens include the cache
    | breaks block-bracket | source xemantic/anthropic-sdk-kotlin#147, langchainjs#10249
glm | GLM behind a gateway: no message_start | breaks start-first
    | source the SDK's helper fails on it
minimax | thinking starts without a signature field | breaks block-fields
    | source anthropics/anthropic-sdk-csharp#181
llama.cpp | tool_use starts without input, thinking without a signature field
    | breaks block-fields | source llama-server's /v1/messages
qwen-cloud | cache counters only in message_delta | source maximhq/bifrost#5355
bedrock-invoke | Bedrock: frames of AWS's event stream, token counts in message_stop
    | source Amazon Bedrock's InvokeModelWithResponseStream
no-event-lines | no event: lines, which the SDK needs | breaks event-line
    | source {_RECORDED}: 31 of 305 bodies
with-done | data: [DONE] at the end | source gateways that serve chat completions too
no-ping | no pings | source {_RECORDED}
many-pings | a ping before every event
    | source Anthropic's guide: any number of pings, anywhere
ping-empty-data | pings with empty data
    | source gateways; the SDK skips them by their event: line
no-space | no blank after data: | source ax-llm/ax#622
spliced | another message_start after the first block (a gateway's fallback)
    | breaks start-once block-index
    | source a gateway that falls back in the middle of an answer
index-gap | a block number is left out | breaks block-index
    | source litellm#5231, jundot/omlx#1356
index-one | blocks are counted from 1 | breaks block-index
    | source gateways; the SDK raises IndexError
text-in-tool | text behind a call carries the number of the call's block
    | breaks delta-type | source gateways; the SDK drops such text
interleaved-blocks | parallel calls at once, as chat chunks have them
    | breaks block-bracket block-open
    | source praxis-proxy/ai#266, headroomlabs-ai/headroom#2890
usage-null | usage is null | breaks start-usage delta-usage
    | source gateways; the SDK's helper raises AttributeError
content-null | the message starts with content null | breaks start-message
    | source gateways; the SDK's helper raises AttributeError
""",
    lambda name, _cells: {
        "writer": Writer,
        "edit": EDITS.get(name),
        "framing": _FRAMINGS.get(name, _USUAL),
    },
)
"""Every dialect, in the order of a help text."""
