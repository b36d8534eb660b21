"""Every field of an Ollama event that a part carries or that is known.

Source: Ollama, docs/api.md, "Generate a chat completion" and "Generate a completion".
"""

from __future__ import annotations

from harness.apis.accounting import parse_fields

__all__ = ["FIELDS"]

FIELDS = parse_fields(
    """
model                                   str   the model that answered
created_at                              str   when
message.role                            str   who speaks
message.content                         str   text
message.thinking                        str   reasoning
message.tool_name                       str   whose result a message is
message.tool_calls[].id                 str   the call
message.tool_calls[].type               str   function
message.tool_calls[].function.index     num   which call
message.tool_calls[].function.name      str   the function
message.tool_calls[].function.arguments     str  arguments
message.tool_calls[].function.arguments.**  any  arguments as an object
message.images.**                       any   images
response                                str   text (`/api/generate`)
thinking                                str   reasoning (`/api/generate`)
context.**                              any   tokens of the conversation
logprobs.**                             any   log probabilities
done                                    bool  whether this is the last event
done_reason                             str   why
prompt_eval_count                       num   tokens of the request
eval_count                              num   tokens of the answer
total_duration                          num   nanoseconds
load_duration                           num   nanoseconds
prompt_eval_duration                    num   nanoseconds
eval_duration                           num   nanoseconds
remote_model                            str   the model behind a cloud model
remote_host                             str   where it runs
error                                   str   an error; reported as such
error.**                                any   an error; reported as such
""",
    answer=("message", "response", "thinking"),
)
"""The table, by path."""
