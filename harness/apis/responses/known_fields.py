"""Every field of a Responses stream that the reader carries or knows.

A table for each type of event (`EVENTS`) and for each kind of object in one: the
response (`RESPONSE`), the items that are read rather than kept whole (`ITEMS`) and
their content parts (`PARTS`). A line marked *carried* is in a part; one that the
reader takes apart itself has the type `any` and is accounted for there. Items and
content parts of other types are kept whole (`harness.core.parts.Item`).

Sources: types of the OpenAI Python SDK 3.57.0; gateways' fields as recorded.
"""

from __future__ import annotations

from harness.apis.accounting import parse_fields, parse_sections

__all__ = [
    "ANY_EVENT",
    "EVENTS",
    "ITEMS",
    "KEPT_EVENTS",
    "PARTS",
    "RESPONSE",
    "UNKNOWN_EVENT",
]

_ANY_EVENT = """
type             str  which event it is
sequence_number  num  number of the event, from 0
stream_id        str  which of several responses on one WebSocket
item_id          str  the item that the event belongs to
output_index     num  the item's place in the output
content_index    num  the content part's place in the item
summary_index    num  the summary part's place in the item
command_index    num  the command's place in the item
annotation_index num  the annotation's place in the content part
obfuscation      str  padding against traffic analysis; no content
"""

_EVENTS = """
[response.created response.queued response.in_progress]
response         any  the response so far (see RESPONSE)

[response.completed response.incomplete response.failed response.cancelled]
response         any  the final response (see RESPONSE)
copilot_usage.** any  what GitHub Copilot charges
timings.**       any  how fast it was (llama.cpp)

[response.output_item.added response.output_item.done]
item             any  the item (see ITEMS); of another type: carried whole

[response.content_part.added response.content_part.done]
part             any  the content part (see PARTS); of another type: carried whole
[response.reasoning_summary_part.added response.reasoning_summary_part.done]
part             any  the summary part (see PARTS)
status           str  `incomplete` where the part was cut
[response.reasoning_part.added response.reasoning_part.done]
part             any  the content part (see PARTS); a gateway's name for it

[response.output_text.delta response.refusal.delta]
delta            str  carried: text of the answer
logprobs.**      any  log probabilities of the tokens
[response.reasoning_text.delta response.reasoning.delta]
delta            str  carried: text of the reasoning
[response.reasoning_summary_text.delta response.reasoning_summary.delta]
delta            str  carried: text of the reasoning's summary
[response.output_text.done response.reasoning_text.done response.reasoning.done]
text             str  carried: the whole text
logprobs.**      any  log probabilities of the tokens
[response.reasoning_summary_text.done response.reasoning_summary.done]
text             str  carried: the whole text
status           str  `incomplete` where the part was cut
[response.refusal.done]
refusal          str  carried: the whole text
[response.output_text.annotation.added]
annotation       any  carried whole

[response.function_call_arguments.delta]
delta            str  carried: a fragment of the arguments
[response.function_call_arguments.done]
arguments        str  carried: the whole arguments
name             str  carried: the call's name; few servers send it
call_id          str  carried: the call's id; few servers send it
[response.custom_tool_call_input.delta]
delta            str  carried: a fragment of the input
[response.custom_tool_call_input.done]
input            str  carried: the whole input

[response.compaction.compacting]
[response.audio.done response.audio.transcript.done]
[keepalive response.keep_alive]

[error]
error            any  carried: the error
code             any  carried: the error's code
message          any  carried: the error's text
param            any  carried: the field of the request that it is about
object           str  `error`; a gateway's form
detail           any  carried: the error, as FastAPI sends it
headers.**       any  HTTP headers that belong to the error
status           num  HTTP status that belongs to the error
"""

_RESPONSE = """
id                        str      carried: names the response
object                    str      `response`
created_at                num      carried: Unix seconds
completed_at              num      Unix seconds
model                     str      carried: which model answers
status                    str      how far it is; carried by the event that ends it
error                     any      carried: why it failed
incomplete_details.reason str      why it was cut; carried where chat has a word for it
output                    any      the items (see ITEMS)
usage                     any      carried: token counts
output_text               str      the SDK's copy of the text, as a gateway sends it
background                bool     the request's own field
billing.**                any      who pays
content_filters.**        any      what Azure's filters found
conversation.**           any      the conversation that the server keeps
cost.**                   any      what a gateway charges
frequency_penalty         num      the request's own field
instructions              any      the request's own field
max_output_tokens         num      the request's own field
max_tool_calls            num      the request's own field
metadata.**               any      the request's own field
moderation.**             any      what the moderation of input and output found
parallel_tool_calls       bool     the request's own field
presence_penalty          num      the request's own field
previous_response_id      str      the request's own field
prompt.**                 any      the request's own field
prompt_cache_key          str      the request's own field
prompt_cache_options.**   any      the request's own field
prompt_cache_retention    str      the request's own field
reasoning.**              any      the request's own field
safety_identifier         str      the request's own field
service_tier              str      which tier served it
store                     bool     the request's own field
temperature               num      the request's own field
text.**                   any      the request's own field: format and verbosity
tool_choice               any      the request's own field
tool_usage.**             any      token counts of server tools
tools.**                  any      the request's own field
top_logprobs              num      the request's own field
top_p                     num      the request's own field
truncation                str      the request's own field
user                      str      the request's own field
"""

_ITEM = """
id               str  names the item; carried where it has text
type             str  which item it is
status           str  how far it is
"""

_ITEMS = """
[message]
role             str  `assistant`
content          any  the content parts (see PARTS)
phase            str  `commentary` or `final_answer`
[reasoning]
summary          any  the summary parts (see PARTS)
content          any  the content parts (see PARTS)
encrypted_content str reasoning, encrypted anew each time; carried when done
format           str  whose encryption it is (OpenRouter)
signature        str  proof of the reasoning (OpenRouter)
[function_call]
call_id          str  carried: what the call's output must name
name             str  carried: the tool
arguments        str  carried: JSON text
namespace        str  the group of tools that the tool is in
caller.**        any  the program that calls it
async            bool whether the answer goes on before the call's output
[custom_tool_call]
call_id          str  carried: what the call's output must name
name             str  carried: the tool
input            str  carried: the input
namespace        str  the group of tools that the tool is in
caller.**        any  the program that calls it
"""

_PARTS = """
[output_text]
type             str  which part it is
text             str  carried
annotations      any  carried whole, each
logprobs.**      any  log probabilities of the tokens
[refusal]
type             str  which part it is
refusal          str  carried
[reasoning_text summary_text]
type             str  which part it is
text             str  carried
"""

_ANSWER = ("delta", "text", "refusal", "arguments", "input")
"""Where the answer stands in an event or a part: unread text there is lost."""
KEPT_EVENTS = frozenset(
    {
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.code_interpreter_call_code.delta",
        "response.code_interpreter_call_code.done",
        "response.image_generation_call.partial_image",
        "response.shell_call_command.added",
        "response.shell_call_command.delta",
        "response.shell_call_command.done",
        "response.shell_call_output_content.delta",
        "response.shell_call_output_content.done",
        "response.apply_patch_call_operation_diff.delta",
        "response.apply_patch_call_operation_diff.done",
        "response.audio.delta",
        "response.audio.transcript.delta",
        "response.steer.accepted",
        "response.steer.pending",
        "response.steer.failed",
        *(
            f"response.{item}.{state}"
            for item, states in {
                "web_search_call": "in_progress searching completed failed",
                "file_search_call": "in_progress searching completed failed",
                "code_interpreter_call": "in_progress interpreting completed",
                "image_generation_call": "in_progress generating completed",
                "mcp_call": "in_progress completed failed",
                "mcp_list_tools": "in_progress completed failed",
            }.items()
            for state in states.split()
        ),
    }
)
"""What server tools stream of items that come whole when they are done, and how far
they are: each event is an `Item` that is not done."""


ANY_EVENT = parse_fields(_ANY_EVENT)
"""What is known of an event of any type."""
UNKNOWN_EVENT = parse_fields(_ANY_EVENT.replace("\ntype", "\n# type"), _ANSWER)
"""What is known of an event of a type that no table has: not even the type."""
EVENTS = parse_sections(_EVENTS, _ANY_EVENT, _ANSWER)
RESPONSE = parse_fields(_RESPONSE)
ITEMS = parse_sections(_ITEMS, _ITEM, _ANSWER)
PARTS = parse_sections(_PARTS, answer=("",))
