"""Every field of a chat chunk that a part carries or that is known.

Source: OpenAI API reference, "The chat completion chunk object"; the fields of other
providers as the recordings and the threads named beside them show.
"""

from __future__ import annotations

from harness.apis.accounting import parse_fields

__all__ = ["FIELDS"]

_TABLE = """
id                            str|num   the completion
object                        str       kind of object
created                       num       Unix seconds
model                         str       the model that answered
usage.**                      any       token counts
error.**                      any       an error; reported as such
error                         str       an error; reported as such
message                       str       text of an error
detail                        str       text of an error (FastAPI)
detail.**                     any       an error (FastAPI)
code                          str|num   code of an error
status_code                   num       status of an error (Cerebras)
request_id                    str       the request (Zhipu, DashScope)
base_resp.**                  any       status; an error is reported (MiniMax)
input_sensitive               bool      (MiniMax)
output_sensitive              bool      (MiniMax)
input_sensitive_type          num       (MiniMax)
output_sensitive_type         num       (MiniMax)
output_sensitive_int          num       (MiniMax)
web_search.**                 any       sources (Zhipu)
content_filter.**             any       content filters (Zhipu)
prompt_progress.**            any       (llama.cpp)
__verbose.**                  any       the request and its answer once more (llama.cpp)
perf_metrics.**               any       (Fireworks)
copilot_references.**         any       (GitHub Copilot)
copilot_confirmation.**       any       (GitHub Copilot)
type                          str       kind of an error
param                         str       the parameter an error is about
system_fingerprint            str       the server's configuration
model_id                      str       the model that answered (watsonx)
model_version                 str       (watsonx)
created_at                    str       when the answer came (watsonx)
service_tier                  str       how the request was served
obfuscation                   str       padding against traffic analysis (OpenAI)
moderation.**                 any       moderation results (OpenAI)
choices[].index               num       which of the n choices
choices[].finish_reason       str       why the choice is finished
choices[].logprobs.**         any       log probabilities
choices[].error.**            any       an error (OpenRouter); reported as such
choices[].error               str       an error; reported as such
choices[].usage.**            any       token counts (Moonshot)
choices[].text                str       text once more (Together)
choices[].seed                num       (Together)
choices[].end_turn            bool      (Azure)
choices[].raw_output.**       any       the model's text before parsing (Fireworks)
choices[].disaggregated_params.**       any  (TensorRT-LLM)
choices[].delta.role          str       who speaks
choices[].delta.content       str       text
choices[].delta.content.type                    str  kind of content
choices[].delta.content.text                    str  text
choices[].delta.content[]                       str  text
choices[].delta.content[].type                  str  kind of content (Mistral)
choices[].delta.content[].text                  str  text
choices[].delta.content[].closed                bool whether thinking is over (Mistral)
choices[].delta.content[].thinking              str  reasoning
choices[].delta.content[].thinking[].type       str  kind of content
choices[].delta.content[].thinking[].text       str  reasoning
choices[].delta.content[].signature             str  proof of the reasoning (Anthropic)
choices[].delta.content[].reference_ids[]       num|str  sources (Mistral)
choices[].delta.content[].summary[].type        str  kind of content (Databricks)
choices[].delta.content[].summary[].text        str  reasoning
choices[].delta.content[].summary[].signature   str  proof of the reasoning
choices[].delta.refusal                         str  refusal
choices[].delta.thinking_blocks.**              any  reasoning once more (LiteLLM)
choices[].delta.provider_specific_fields.**     any  what LiteLLM passes on
choices[].delta.prefix                          bool whether it goes on (Mistral)
choices[].delta.name                            str  who speaks (MiniMax)
choices[].delta.context.**                      any  documents found (Azure)
choices[].delta.padding                         str  padding (GitHub Copilot)
choices[].delta.token_id                        num  token (Together)
choices[].delta.copilot_annotations.**          any  (GitHub Copilot)
choices[].delta.reasoning_content               str  reasoning (DeepSeek, vLLM, xAI)
choices[].delta.reasoning                       str  reasoning (OpenRouter, Groq)
choices[].delta.reasoning_text                  str  reasoning (GitHub Copilot)
choices[].delta.reasoning_opaque                str  encrypted reasoning (Copilot)
choices[].delta.reasoning_details.**            any  reasoning once more (OpenRouter)
choices[].delta.encrypted_content               str  encrypted reasoning (xAI)
choices[].delta.tool_calls[].index              num  which call
choices[].delta.tool_calls[].id                 str  the call
choices[].delta.tool_calls[].type               str  function or custom
choices[].delta.tool_calls[].function.name      str  the function
choices[].delta.tool_calls[].function.arguments     str  arguments
choices[].delta.tool_calls[].function.arguments.*   any  arguments as an object
choices[].delta.tool_calls[].custom.name        str  the custom tool
choices[].delta.tool_calls[].custom.input       str  its input
choices[].delta.tool_calls[].extra_content.**   any  signatures of thoughts (Gemini)
choices[].delta.function_call.name              str  the function (legacy)
choices[].delta.function_call.arguments         str  arguments (legacy)
choices[].delta.audio.id                        str  the audio
choices[].delta.audio.data                      str  base64 audio
choices[].delta.audio.transcript                str  transcript; reported
choices[].delta.audio.expires_at                num  until when the audio is kept
choices[].delta.annotations.**                  any  citations
choices[].delta.images.**                       any  images (OpenRouter)
choices[].delta.extra_content.**                any  signatures of thoughts (Gemini)
choices[].delta.index         num       which of the n choices (Mistral)
choices[].delta.channel       str       harmony channel of the text (Groq)
choices[].delta.executed_tools.**       any  server tools that ran (Groq)
choices[].delta.reasoning_steps.**      any  searches and pages read (Perplexity)
choices[].delta.provider_metadata.**    any  route and cost (Vercel's gateway)
choices[].content_filter_results.**     any  content filters (Azure)
choices[].content_filter_offsets.**     any  content filters (Azure)
choices[].content_filter_result.**      any  content filters (Azure, asynchronous)
choices[].native_finish_reason          str  as the model's own API says (OpenRouter)
choices[].matched_stop                  num|str  what ended the text (SGLang, vLLM)
choices[].stop_reason                   num|str  what ended the text (vLLM)
choices[].token_ids.**                  any  tokens (vLLM)
prompt_filter_results.**                any  content filters (Azure)
prompt_token_ids.**                     any  tokens (vLLM)
provider                                str  who served the request (OpenRouter)
p                                       str  padding (Mistral)
citations.**                            any  sources (Perplexity, xAI)
search_results.**                       any  sources (Perplexity)
related_questions.**                    any  (Perplexity)
images.**                               any  (Perplexity)
nonce                                   str  padding (Cohere)
timings.**                              any  (llama.cpp)
time_info.**                            any  (Cerebras)
x_groq.**                               any  (Groq)
sla_metrics.**                          any  (Moonshot)
latency_checkpoint.**                   any  (Azure)
kv_transfer_params.**                   any  (vLLM)
sglext.**                               any  (SGLang)
generationId                            str  the completion (Vercel's gateway)
user_id                                 str  who asked, beside an error (OpenRouter)
"""
_WHOLE = [
    line.replace("[].delta", "[].message", 1)
    for line in _TABLE.splitlines()
    if line.startswith("choices[].delta")
]
FIELDS = parse_fields(
    _TABLE + "\n".join(_WHOLE),
    answer=("choices[].delta", "choices[].message", "choices."),
)
"""The table, by path."""
