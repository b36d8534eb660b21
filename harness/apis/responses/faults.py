"""Ways for a Responses stream to go wrong, as changes of its written events.

Sequence numbers are left as they are where the network is at fault, and counted on
where the server is (`harness.apis.faults`).
"""

from __future__ import annotations

from harness.apis.faults import read_faults
from harness.apis.responses.breaking import CHANGES

__all__ = ["FAULTS"]

FAULTS = read_faults(
    "responses",
    """
cut | the stream ends after K events, without an error | breaks terminal
    | reported missing-finish | default 4 | ends early | source openclaw#109133
failed | response.failed after K events | reported error-event | default 4
    | source langchain#39041
failed-null | response.failed without an error after K events | breaks reason
    | reported error-event | default 4 | source earendil-works/pi#1935
incomplete | response.incomplete (max_output_tokens) after K events | default 6
    | source openai-python#3538
filtered | response.incomplete (content_filter) after K events | default 6
    | source openai-python#3538
cut-in-call | response.incomplete inside the first call's arguments
    | source LibreChat-AI/agents#280
error-flat | an error event as documented after K events | reported error-event
    | default 4 | source openai-python#3538
error-nested | an error event as OpenAI sends it after K events | reported error-event
    | default 4 | source goai#88
done-differs | done items state another text and other arguments
    | breaks terminal-output | reported done-differs
duplicate | the Kth event comes twice | breaks sequence | default 2
swap | the Kth event and the one after it change places | breaks sequence | default 4
id-changes | the response has another id from event K on | breaks response-id
    | default 1
added-twice | every item is added twice | breaks item-once
never-added | no item is added | breaks item-added
never-done | no item is done | breaks item-done
after-done | an item's last delta comes after it is done | breaks item-done
    | reported done-differs
second-start | the response begins again after K events | breaks response-id
    | reported illegal-event | default 4
junk-sequence | the sequence number of event K is a text | breaks sequence
    | reported unread-text | default 3
""",
    lambda name: {"change": CHANGES[name]},
)
"""All faults by name."""
