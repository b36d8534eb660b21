"""What a legal Responses stream obeys: who writes a server can hold it against this.

The table is here; `harness.apis.responses.checking` holds a stream against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.tables import read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import Event, Violation

__all__ = ["RULES", "RULES_BY_NAME", "check"]

_REFERENCE = "OpenAI API reference, Responses streaming events"
_SDK = "OpenAI Python SDK 3.57.0"

RULES_BY_NAME = read_rules(
    "responses",
    f"""
first-event | the first event is response.created or response.queued
    | {_SDK}, lib/streaming/responses: RuntimeError without it
terminal | an event ends the response: completed, incomplete, failed or error
    | {_REFERENCE}; openclaw#109133: a clean end without it stored as a success
terminal-last | nothing follows the end but the other of error and failed
    | {_REFERENCE}; recordings of OpenAI and Azure
status | the response's status is what the event's name states | Arthur-Ficial/apfel#412
reason | incomplete states incomplete_details.reason, failed states an error
    | LibreChat-AI/agents#280, earendil-works/pi#1935
response-id | all events state the same response id | {_SDK}: RuntimeError if it changes
sequence | sequence_number counts up by 1 with every event
    | {_REFERENCE}; BerriAI/litellm#28899
event-line | the `event:` line repeats the type
    | {_REFERENCE}; 274 of 329 recorded streams
event-type | the type is one that the reference has
    | {_REFERENCE}; openai-java#767, openai-php/client#760
fields | an event has its fields: item_id, indices, delta, each of its type
    | {_SDK}, types of the events
usage | usage comes in the event that ends the response, and only there
    | {_REFERENCE}; 329 recorded streams
item-added | an item is added before its other events | BerriAI/litellm#30115
item-once | an output_index is added once and done once
    | {_SDK}: RuntimeError on a second one
item-done | every item is done when the response is completed, none changes then
    | {_REFERENCE}; vllm#37071
index-contiguous | items are added at 0, 1, 2, ...
    | {_REFERENCE}; Azure and gateways leave gaps
item-id | all events of an item state the id that it was added with
    | BerriAI/litellm#30071: GitHub Copilot changes it with every event
added-empty | an item and a part are empty when they are added
    | {_REFERENCE}; 92 of 92 recorded calls
part-added | a content or summary part is added before its text
    | BerriAI/litellm#24445: IndexError in the SDK's helper
part-done | a part is done before its item, its text before the part
    | {_REFERENCE}; vllm#37071
text-sum | a part's whole text is the sum of its deltas, wherever it is stated
    | {_REFERENCE}; 246 of 246 recorded messages
arguments-sum | a call's whole arguments are the sum of its deltas
    | BerriAI/litellm#27144: arguments in the done event only
arguments-done | a call's arguments are done before the call is | {_REFERENCE}
call-named | a call has a call_id and a name when it is added | 6Kmfi6HP/opencode2api#17
terminal-output | the last event's output is the items that were done
    | open-webui#27800, vllm#30223: an empty one takes the answer away
""",
)
RULES = tuple(RULES_BY_NAME.values())


def check(events: Iterable[Event]) -> Iterator[Violation]:
    """Hold a stream against the rules.

    Args:
        events: The events of one response, in order.

    Yields:
        What breaks a rule, as it comes; lazily, one pass.
    """
    from harness.apis.responses.checking import Checker

    checker = Checker()
    for event in events:
        yield from checker.feed(event)
    yield from checker.close()
