"""Events of a generateContent stream to parts.

An event is a whole `GenerateContentResponse`; text parts append in order. There are
no indices, so what goes on is known by its place alone, and there is no event that
ends a response: the finish reason is the last word.

- A part with a signature stays one: a `Block` before it, `Opaque` behind it.
- A function call comes whole or, with `partialArgs`, in pieces, one call at a time.
  Its arguments are written as they come (`harness.apis.gemini.partial_args`).
- Everything else that a part can be is an `Item`, the whole part as sent, and so is
  what stands beside the content: citations, grounding, pages read.
- Keys in snake case (some proxies) and the wrapper of Code Assist are read alike.

Source: Gemini API reference, `GenerateContentResponse`; recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.accounting import UnreadFields
from harness.apis.base import Event, Like
from harness.apis.counts import count_in, index_of
from harness.apis.gemini.candidates import CandidateReader, plain_text
from harness.apis.gemini.known_fields import FIELDS
from harness.apis.gemini.values import error_message, in_camel_case, unix_seconds
from harness.apis.json_values import dicts_of, text_of
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Finish,
    Head,
    Item,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Text,
    Usage,
)

if TYPE_CHECKING:
    from harness.apis.base import Payload

_HEAD = ("responseId", "modelVersion", "createTime")
_PLAIN_EVENT = frozenset({*_HEAD, "candidates", "usageMetadata"})


def whole(document: Any) -> list[Part]:
    """Read an answer that was not streamed, all candidates of it.

    Args:
        document: The object; or a list of them, as a stream without `alt=sse` and some
            errors are.

    Returns:
        Its parts, problems last.
    """
    reader = Reader()
    parts: list[Part] = []
    for index, entry in enumerate(document if type(document) is list else [document]):
        if type(entry) is dict:
            parts += reader.feed(Event(index, "", entry))
    return parts + reader.close()


class Reader:
    """The state of one streamed response; see `harness.apis.base.Reader`."""

    def __init__(self) -> None:
        self._unread = UnreadFields(FIELDS)
        self._first = CandidateReader()
        self._candidates = {0: self._first}
        self._head = Head()
        self._head_values: tuple[object, ...] = ()  # as they were last sent
        self._counts: object = None
        self._in_snake_case = False
        self._is_blocked = False
        self._has_error = False

    @property
    def is_finished(self) -> bool:
        """Whether the last word has come: a finish reason, a refused prompt, an error.

        More may follow all the same: usage, and where every event has `STOP`, content.
        """
        return self._is_blocked or self._has_error or bool(self._first.finish)

    def feed(self, event: Event) -> list[Part]:
        """Read one event; return what is new, in order, empty if nothing."""
        parts: list[Part] = []
        if self._read_plain(event.payload, parts):
            return parts
        payload = self._account(event)
        self._read_head(payload, parts)
        error = payload.get("error")
        if error:
            self._has_error = True
            parts.append(Problem(DiagnosticKind.ERROR_EVENT, error_message(error)))
        feedback = payload.get("promptFeedback")
        if feedback:
            self._read_feedback(feedback, parts)
        for entry in dicts_of(payload.get("candidates")):
            self._read_candidate(entry, parts)
        counts = payload.get("usageMetadata")
        if counts:
            has_finish = Finish in map(type, parts)
            self._read_usage(counts, parts, is_last=has_finish)
        return parts

    def goes_on(self, event: Event, part: Part) -> Like | None:
        """Return how to read an event with another text; see `Reader.goes_on`."""
        if self._unread.last == event.index:
            return None
        payload = event.payload
        candidates = payload.get("candidates")
        if type(part) is Text and plain_text(candidates):
            return Like("text", Text)
        if type(part) is Reasoning and plain_text(candidates, is_thought=True):
            return Like("text", Reasoning)
        return None

    def close(self) -> list[Part]:
        """Return what is missing, and the unread fields."""
        parts: list[Part] = []
        for number, candidate in self._candidates.items():
            found: list[Part] = []
            candidate.end(found)
            parts += _of(number, found)
        if not self.is_finished and self._first.is_empty:
            text = "finishReason is empty text; expected STOP or another"
            parts.append(Problem(DiagnosticKind.EMPTY_FINISH, text))
        elif not self.is_finished:
            parts.append(
                Problem(
                    DiagnosticKind.MISSING_FINISH,
                    "the stream ended without a finishReason for candidate 0: "
                    "it was probably cut off",
                )
            )
        return parts + self._unread.problems()

    def _read_plain(self, payload: Payload, parts: list[Part]) -> bool:
        """Read one piece of text and nothing else, which is nearly every event.

        Returns:
            False, with nothing read, where the event has more. What is checked here
            needs no accounting, which takes half of the time of an event.
        """
        if not payload.keys() <= _PLAIN_EVENT or _differ(
            tuple(map(payload.get, _HEAD)), self._head_values
        ):
            return False
        text = plain_text(payload.get("candidates"))
        if text is None:
            return False
        if text:
            self._first.goes_on = True
            parts.append(Text(text))
        self._read_usage(payload.get("usageMetadata"), parts)
        return True

    def _account(self, event: Event) -> Payload:
        """Account for every leaf; return the event as the API would have sent it."""
        payload = event.payload
        inner = payload.get("response")
        if type(inner) is dict and "candidates" not in payload:
            outer = {key: value for key, value in payload.items() if key != "response"}
            self._unread.feed(event.index, outer)
            payload = inner
        if self._in_snake_case:
            payload = in_camel_case(payload)
        if FIELDS.covers(payload):
            return payload
        if not self._in_snake_case:
            renamed = in_camel_case(payload)
            unread = len(list(FIELDS.unread(payload)))
            if len(list(FIELDS.unread(renamed))) < unread:
                self._in_snake_case = True
                payload = renamed
        self._unread.feed(event.index, payload)
        return payload

    def _read_head(self, payload: Payload, parts: list[Part]) -> None:
        values = tuple(map(payload.get, _HEAD))
        if not _differ(values, self._head_values):
            return
        self._head_values = values
        response_id, model, created = values
        known = self._head
        head = Head(
            text_of(response_id), text_of(model), known.created or unix_seconds(created)
        )
        whole = Head(head.id or known.id, head.model or known.model, head.created)
        if whole != known:
            parts.append(head)
            self._head = whole

    def _read_feedback(self, feedback: object, parts: list[Part]) -> None:
        if type(feedback) is not dict:
            return
        reason = feedback.get("blockReason")
        if reason and type(reason) is str:
            self._is_blocked = True
            parts.append(Item("promptFeedback", feedback))
            parts.append(Finish(reason, "content_filter"))

    def _read_candidate(self, entry: dict[str, Any], parts: list[Part]) -> None:
        number = index_of(entry.get("index")) or 0  # 0 is left out on the wire
        if not number:
            self._first.feed(entry, parts)
            return
        candidate = self._candidates.get(number)
        if candidate is None:
            candidate = self._candidates[number] = CandidateReader()
        found: list[Part] = []
        candidate.feed(entry, found)
        parts += _of(number, found)

    def _read_usage(
        self, counts: object, parts: list[Part], *, is_last: bool = False
    ) -> None:
        """Read token counts where they are new, and those that come with the finish."""
        if type(counts) is dict:
            if counts and (is_last or _differ(counts, self._counts)):
                self._counts = counts
                parts.append(_usage(counts))
        elif counts:
            parts.append(Item("usageMetadata", counts))


def _of(number: int, parts: list[Part]) -> list[Part]:
    return [OtherChoice(number, part) for part in parts] if number else parts


def _differ(one: object, other: object) -> bool:
    try:
        return one != other
    except RecursionError:  # both are nested as deeply as can be parsed
        return True


def _usage(counts: dict[str, Any]) -> Usage:
    """Return token counts; as sent, the answer's are without those of the thoughts."""
    prompt = counts.get("promptTokenCount")
    tools = counts.get("toolUsePromptTokenCount")
    answer = counts.get("candidatesTokenCount")
    thoughts = counts.get("thoughtsTokenCount")
    return Usage(
        counts,
        _sum(prompt, tools),
        _sum(answer, thoughts),
        count_in(counts, "cachedContentTokenCount"),
        count_in(counts, "thoughtsTokenCount"),
    )


def _sum(*counts: object) -> int | None:
    known = [count for count in counts if type(count) is int]
    return sum(known) if known else None
