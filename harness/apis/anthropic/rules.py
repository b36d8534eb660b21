"""What a legal Messages stream obeys, each rule with its source."""

from __future__ import annotations

from harness.apis.tables import read_rules

__all__ = ["RULES"]

_GUIDE = "Anthropic's guide to streaming messages: event types"
_TYPES = "types of the Anthropic Python SDK 2.14"
_RECORDINGS = "all 305 recorded streams of public projects"

RULES = read_rules(
    "anthropic",
    f"""
start-first | message_start comes before everything but pings | {_GUIDE}
start-once | one message_start a stream | {_GUIDE}
start-message
    | message_start has an id, the role assistant, empty content and no stop_reason
    | {_GUIDE}
start-usage | message_start has usage with input_tokens and output_tokens
    | {_TYPES}; its streaming helper fails without
event-line | the event: line names the same type as the data
    | the SDK skips events without it
block-index | blocks are numbered 0, 1, 2, ... in the order of their starts
    | the SDK takes the number for a position; litellm#5231, omlx#1356
block-bracket | a block begins only after the block before it has stopped
    | {_RECORDINGS}; praxis-proxy/ai#266
block-stopped | every block has its content_block_stop before message_delta
    | anthropic-sdk-kotlin#147
block-open | deltas and content_block_stop name the open block | {_GUIDE}
block-fields | content_block_start has every field of its type
    | {_TYPES}; anthropic-sdk-csharp#181
delta-type | a delta is of the type that belongs to its block
    | {_TYPES}; the SDK drops text in a tool's block
thinking-signed | one signature_delta ends each thinking block
    | {_RECORDINGS}; the SDK keeps only the last
input-object | an input is a JSON object or nothing; the last may be cut by max_tokens
    | {_GUIDE}; eager_input_streaming is the exception
input-once | an input stands in the start event or in deltas, not in both
    | {_RECORDINGS}
call-ids | each tool_use has an id and a name, and no id comes twice | {_TYPES}
result-of-call | the result of a server tool names a call before it | {_RECORDINGS}
delta-once | one message_delta, after the last block | {_GUIDE}
delta-reason | message_delta has a stop_reason | {_GUIDE}
delta-usage | message_delta has usage with output_tokens
    | {_TYPES}; its streaming helper fails without
reason-of-calls
    | stop_reason is tool_use exactly if a tool_use came, or the answer was cut
    | agent loops run tools on this reason alone
stop-last | message_stop is there and last, unless an error ended the stream | {_GUIDE}
error-last | nothing follows an error | {_GUIDE}
""",
)
"""Every rule by its name without the API, in the order of a help text."""
