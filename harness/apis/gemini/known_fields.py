"""Every field of a generateContent event that the reader carries or knows.

Sources: Gemini API and Vertex AI references, `GenerateContentResponse`; the types of
google-genai 3.6; recordings. Fields of the last block are no Google API's own.
"""

from __future__ import annotations

from harness.apis.accounting import parse_fields

__all__ = ["FIELDS"]

_PART = "candidates[].content.parts[]"

FIELDS = parse_fields(
    f"""
responseId                          str  id of the response
modelVersion                        str  model that answered
createTime                          str  when the request came, RFC 3339
candidates[].index                  num  number of the candidate, 0 where it is absent
candidates[].content.role           str  always `model`
candidates[].finishReason           str  why the candidate ended
candidates[].finishMessage          str  details of the finish reason
candidates[].safetyRatings.**       any  harm categories and their probabilities
candidates[].citationMetadata.**    any  sources of recited text
candidates[].groundingMetadata.**   any  searches, sources and what they support
candidates[].urlContextMetadata.**  any  pages that were read
candidates[].tokenCount             num  tokens of the candidate
candidates[].avgLogprobs            num  mean log probability of its tokens
candidates[].logprobsResult.**      any  log probabilities of its tokens
candidates[].continuationToken      str  where another request may continue
promptFeedback.blockReason          str  why the prompt was refused
promptFeedback.blockReasonMessage   str  the same in a sentence
promptFeedback.safetyRatings.**     any  harm categories and their probabilities
usageMetadata.**                    any  token counts, traffic and service tier
modelStatus.*                       str  stage and retirement of the model
error.**                            any  error of the provider: code, message, status

{_PART}.text                  str  text of the answer, or of the thoughts
{_PART}.thought               bool whether the text is a thought
{_PART}.thoughtSignature      str  to be sent back on the same part
{_PART}.functionCall.name     str  name of the function
{_PART}.functionCall.id       str  id of the call, which its response repeats
{_PART}.functionCall.args.**  any  arguments
{_PART}.functionCall.willContinue                 bool the call is not complete
{_PART}.functionCall.partialArgs[].jsonPath       str  place in the arguments
{_PART}.functionCall.partialArgs[].stringValue    str  piece of a text there
{_PART}.functionCall.partialArgs[].numberValue    num  number there
{_PART}.functionCall.partialArgs[].boolValue      bool true or false there
{_PART}.functionCall.partialArgs[].nullValue      str  null there
{_PART}.functionCall.partialArgs[].willContinue   bool the text is not complete
{_PART}.executableCode.**        any  code that the model runs on the server
{_PART}.codeExecutionResult.**   any  what that code printed
{_PART}.inlineData.**            any  image or audio, base64
{_PART}.fileData.**              any  file by its address
{_PART}.toolCall.**              any  call of a tool that the server runs
{_PART}.toolResponse.**          any  result of a tool that the server ran
{_PART}.functionResponse.**      any  result of a function
{_PART}.audioTranscription.**    any  words of an audio part
{_PART}.partMetadata.**          any  notes on the part
{_PART}.mediaResolution.**       any  resolution of a medium
{_PART}.mediaProcessing.**       any  how a medium was processed
{_PART}.videoMetadata.**         any  piece and rate of a video
{_PART}.audioMetadata.**         any  piece of an audio
{_PART}.documentMetadata.**      any  pages of a document
{_PART}.spreadsheetMetadata.**   any  cells of a sheet
{_PART}.speechMetadata.**        any  speaker and style

sdkHttpResponse.**                  any  headers, added by google-genai
automaticFunctionCallingHistory.**  any  earlier turns, added by google-genai
parsed.**                           any  parsed text, added by google-genai
traceId                             str  id of the request at Code Assist
""",
    answer=("candidates[].content",),
)
"""The table, by path."""
