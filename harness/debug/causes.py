"""What usually causes each kind of diagnostic, and what to do about it.

One entry a `DiagnosticKind`; a test holds the table complete. Where a cause was found
in public, its thread is named, so that a reader can see the bug in somebody else's
code.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.engine.transcript import DiagnosticKind

__all__ = ["CAUSES", "Cause"]


class Cause(NamedTuple):
    """Why something usually happens."""

    usually: str
    """The usual cause, in one sentence."""
    remedy: str
    """What to do, in one sentence."""
    seen_in: tuple[str, ...] = ()
    """Public threads, as `repository#number`; empty where none is known."""


CAUSES: dict[DiagnosticKind, Cause] = {
    DiagnosticKind.UNREADABLE_PAYLOAD: Cause(
        "a proxy cut or joined events, or text that is no JSON (a comment, an empty "
        "line, a page of HTML) was sent as data",
        "look at the raw bytes before the caret; a consumer must leave the event out "
        "or raise, and not lose the chunks behind it",
        ("openai-python#2722", "brainlid/langchain#569", "langchaingo#1332"),
    ),
    DiagnosticKind.ERROR_EVENT: Cause(
        "the provider failed after it had answered 200: overload, a content filter or "
        "a time-out of the model, told inside the stream",
        "treat it as a failed response, whatever text came before, and retry",
        ("openai-python#2796", "litellm#39748"),
    ),
    DiagnosticKind.INCOMPLETE_EVENT: Cause(
        "the connection ended in the middle of an event, or a server forgets the "
        "blank line after its last one",
        "if the data is whole JSON the server forgets the line; if it is not, the "
        "stream was cut here",
    ),
    DiagnosticKind.AFTER_DONE: Cause(
        "two streams were joined (a retry inside a proxy), or usage is sent too late",
        "a consumer must stop at [DONE]; what comes after it is not shown to most",
    ),
    DiagnosticKind.MISSING_FINISH: Cause(
        "the stream was cut, by a time-out, a length limit of a proxy or a client "
        "that stopped; a clean end without it is no complete answer",
        "do not take the answer for complete; compare its end with what was asked",
        ("pydantic-ai#6610",),
    ),
    DiagnosticKind.MISSING_DONE: Cause(
        "the provider never sends it (some do not), or the stream was cut",
        "with a finish reason it is the provider's habit; without one it was cut",
        ("pydantic-ai#6610",),
    ),
    DiagnosticKind.BROKEN_STREAM: Cause(
        "the network, a proxy's time-out or the client's own cancellation ended the "
        "recording",
        "record again for a whole answer, or keep it to test how a cut is handled",
    ),
    DiagnosticKind.MALFORMED_ARGUMENTS: Cause(
        "fragments of two calls were joined (parallel calls at one index), a chunk "
        "was lost or came twice, the output limit cut the text, or the model wrote an "
        "escape that JSON does not have",
        "text that starts again after a closing brace is two calls in one; a missing "
        "end is a cut; else show the model the error and let it try again",
        ("litellm#33678", "litellm#7621", "openclaw#88226", "sglang#31974"),
    ),
    DiagnosticKind.OTHER_CHOICES: Cause(
        "the request asked for several answers (`n` greater than 1)",
        "ask for one, or read the others from the transcript's responses",
    ),
    DiagnosticKind.UNRECORDED_RESULT: Cause(
        "the recording ends before the request that carries the tool's result, or an "
        "agent dropped the result or changed the call's id",
        "record the next turn too; if it is there, compare its tool_call_id",
    ),
    DiagnosticKind.GUESSED_RESULT: Cause(
        "a gateway or an agent rewrote the ids of the calls in its next request, or "
        "the API has none",
        "compare the ids in the next request's assistant turn with its results'",
        ("llxprt-code#712", "ms-swift#10174"),
    ),
    DiagnosticKind.UNREAD: Cause(
        "the provider has a field or an event that harness does not know, or sent a "
        "known one in another type",
        "look at the text: if it belongs to the answer, no consumer shows it; please "
        "report the field, with the recording if you can",
    ),
    DiagnosticKind.UNREAD_TEXT: Cause(
        "the provider put text of the answer into a field that harness does not know, "
        "or sent a known field in another type",
        "no consumer that reads the documented fields shows this text: tell the "
        "provider, and report the field to harness with the recording",
    ),
    DiagnosticKind.TWO_FINISHES: Cause(
        "a gateway adds a finish of its own, or a server sends one for the calls and "
        "one for the text",
        "a consumer must not end, or run its tools, a second time",
        ("ChatMock#114",),
    ),
    DiagnosticKind.AFTER_FINISH: Cause(
        "the server goes on after it has announced the end, often between server tools",
        "most clients stop at the first finish: compare what yours shows",
        ("OpenCursor#88",),
    ),
    DiagnosticKind.EMPTY_FINISH: Cause(
        "the server sends empty text where null or a reason belongs",
        "a consumer must take empty text for no finish, and the end for an answer that "
        "may be cut",
        ("ollama#4357",),
    ),
    DiagnosticKind.DONE_TWICE: Cause(
        "a gateway adds a terminator to a stream that has one",
        "a consumer must stop reading at the first",
        ("one-api#1628",),
    ),
    DiagnosticKind.CHANGED_IDENTITY: Cause(
        "a gateway makes a new id for each event, or joined two answers after a retry",
        "do not tell answers apart by the id of their chunks",
    ),
    DiagnosticKind.CUMULATIVE: Cause(
        "the server sends all text so far in each delta instead of what is new",
        "a consumer that adds deltas up shows the answer many times over",
        ("qwen-code#3896",),
    ),
    DiagnosticKind.REPEATED_ANSWER: Cause(
        "the server ends its stream with the whole answer as a message",
        "take the deltas or the message, not both",
        ("GoModel#1068",),
    ),
    DiagnosticKind.TEMPLATE_MARKER: Cause(
        "the server's parser of the model's output missed a marker: a call or the "
        "reasoning may stand in the text",
        "look at the text around it; update the server or choose its tool parser",
    ),
    DiagnosticKind.NOT_CARRIED: Cause(
        "the APIs differ: what one has a field for, another has not",
        "look it up in the table of what each API cannot carry",
    ),
    DiagnosticKind.NOT_EMITTED: Cause(
        "the answer has a part that no message of the interfaces carries",
        "read it from the transcript's responses, or with `harness show`",
    ),
    DiagnosticKind.STRAY_TEXT: Cause(
        "a gateway or server wrote an error message or a page between the events",
        "read the text: it is often the reason why the stream ends here; a consumer "
        "that follows the standard never sees it",
        ("llama.cpp#16104",),
    ),
    DiagnosticKind.DONE_DIFFERS: Cause(
        "a gateway that rebuilds the final event lost or changed a part of what it had "
        "streamed",
        "decide which of the two your client shows, and report it to the gateway",
        ("open-webui#27800", "litellm#27144"),
    ),
    DiagnosticKind.ILLEGAL_EVENT: Cause(
        "a server or gateway that translates from another API left an event out, sent "
        "it twice or numbered it wrongly",
        "`harness check` names the rule; strict clients of the vendor fail here",
        ("litellm#24445", "litellm#28899"),
    ),
    DiagnosticKind.NOT_REPLAYED: Cause(
        "the request failed, or it is no stream of an API that harness reads "
        "(embeddings, legacy completions)",
        "nothing, if it was meant; else look at the status and the start of the body",
    ),
    DiagnosticKind.NEVER_ENDED: Cause(
        "the interface does not end its generator on step_yield(), or waits for an "
        "end of step that nobody sends",
        "let the generator return when step_yield() is called",
    ),
    DiagnosticKind.ENDED_EARLY: Cause(
        "the interface ends its generator at the first finish reason, tool call or "
        "[DONE_STEP], although the agent goes on",
        "end it only on step_yield(), or replay with --single-step",
        ("pydantic-ai#8208",),
    ),
}
"""The usual cause of each kind."""
