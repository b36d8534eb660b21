"""Every field of the Messages API that the reader carries or knows, a table a type.

A section is headed by the types it is for; `type` and `index` are known in all events.
Source: the types of the Anthropic Python SDK 2.14 (stable and beta) and 305 recorded
streams of public projects.
"""

from __future__ import annotations

from harness.apis.accounting import parse_fields, parse_sections

__all__ = ["BLOCKS", "DELTAS", "EVENTS", "UNKNOWN_BLOCK", "UNKNOWN_EVENT", "WHOLE"]

_EVENTS = """
[message_start]
    message.id             str   id of the answer
    message.type           str   always `message`
    message.role           str   always `assistant`
    message.model          str   model that answers
    message.content        any   blocks; none yet, they are read like a whole answer's
    message.stop_reason    str   why it ended; null until message_delta
    message.stop_sequence  str   which stop sequence was generated; null at the start
    message.stop_details   any   details of a refusal
    message.container      any   container of the code execution tool
    message.context_management     any   what was cleared from the context (beta)
    message.input_transformations  any   blocks of the request that were dropped (beta)
    message.diagnostics    any   why the prompt's cache was missed (beta)
    message.usage.*        any   token counts so far
[message_delta]
    delta.stop_reason      str   why the answer ended
    delta.stop_sequence    str   which stop sequence was generated
    delta.stop_details     any   details of a refusal
    delta.container        any   container of the code execution tool
    context_management     any   what was cleared from the context (beta)
    input_transformations  any   blocks of the request that were dropped (beta)
    diagnostics            any   why the prompt's cache was missed (beta)
    usage.*                any   token counts, cumulative
[message_stop]
    amazon-bedrock-invocationMetrics.*  num  token counts and latency of Bedrock
    usage.*                any   token counts once more, as some gateways send them
[content_block_start]
    content_block          any   block that begins; see the tables of blocks
[content_block_stop]
    index                  num   number of the block
[ping]
    type                   str   always `ping`
[error]
    error                  any   type, message and details of the error
    message                str   message of the error, as some gateways send it
    code                   any   code of the error, as some gateways send it
    request_id             str   id of the request
"""

_DELTAS = """
[text_delta]
    delta.text             str   piece of the answer's text
[thinking_delta]
    delta.thinking         str   piece of the reasoning
    delta.estimated_tokens num   tokens of reasoning since the last count (beta)
[signature_delta]
    delta.signature        str   signature of the reasoning
[input_json_delta]
    delta.partial_json     str   piece of a call's input
[citations_delta]
    delta.citation         any   source of the block's text
[compaction_delta]
    delta.content          str   summary of the compacted context (beta)
    delta.encrypted_content  str  the same, encrypted (beta)
"""

_ALL_EVENTS = """
type        str  type of the event
index       num  number of the block
delta.type  str  type of the delta
"""

_BLOCKS = """
[text]
    content_block.text       str  beginning of the text, nearly always empty
    content_block.citations  any  sources of the text
[thinking]
    content_block.thinking   str  beginning of the reasoning, nearly always empty
    content_block.signature  str  signature of the reasoning, nearly always empty
[redacted_thinking]
    content_block.data       str  encrypted reasoning
[tool_use]
    content_block.id         str  id of the call
    content_block.name       str  name of the tool
    content_block.input      any  input of the tool; empty where deltas follow
    content_block.toolset_name     str  toolset that the tool belongs to
    content_block.caller.type      str  who called: the model or a code execution
    content_block.caller.tool_id   str  id of the code execution that called
"""

_ALL_BLOCKS = "content_block.type  str  type of the block\n"

_WHOLE = """
id             str  id of the answer
type           str  always `message`
role           str  always `assistant`
model          str  model that answered
content        any  blocks; see the tables of blocks
stop_reason    str  why the answer ended
stop_sequence  str  which stop sequence was generated
stop_details   any  details of a refusal
container      any  container of the code execution tool
context_management     any  what was cleared from the context (beta)
input_transformations  any  blocks of the request that were dropped (beta)
diagnostics    any  why the prompt's cache was missed (beta)
usage.*        any  token counts
"""

_ANSWER = ("delta", "content_block", "message.content")
# Where text of the answer stands.


EVENTS = parse_sections(_EVENTS, _ALL_EVENTS, _ANSWER)
"""By type of event; `content_block_delta` is distinguished by its delta."""
DELTAS = parse_sections(_DELTAS, _ALL_EVENTS, _ANSWER)
"""Of `content_block_delta`, by type of delta."""
UNKNOWN_EVENT = parse_fields(_ALL_EVENTS, _ANSWER)
"""Of an event or delta that no table is for."""
UNKNOWN_DELTA = parse_fields(_ALL_EVENTS, ("",))
"""Of a delta that no table is for: text in it belongs to the answer."""
BLOCKS = parse_sections(_BLOCKS, _ALL_BLOCKS, _ANSWER)
"""By type of block, for an object that has it under `content_block`."""
UNKNOWN_BLOCK = parse_fields("content_block  any  a block that is kept whole")
"""Of a block of another type."""
WHOLE = parse_fields(_WHOLE)
"""Of an answer that was not streamed."""
