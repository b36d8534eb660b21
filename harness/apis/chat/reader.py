"""Chat chunks to parts, every choice of them: the seam's view of `core.deltas`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.accounting import UnreadFields, parse_fields
from harness.apis.base import Like, further_arguments
from harness.apis.chat.chunks import TOO_DEEP, payload_error
from harness.apis.chat.deltas import DeltaReader, choice_index, delta_of
from harness.apis.chat.known_fields import FIELDS
from harness.apis.chat.only_text import only_text
from harness.apis.chat.texts import (
    SOURCES,
    beside_texts,
    detailed_reasoning,
    reasoning_of,
    sources_beside,
)
from harness.apis.counts import usage_of
from harness.apis.json_values import as_json, dict_of, text_of, time_of
from harness.core.accumulate import Accumulator
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    CallPart,
    Head,
    Item,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    Usage,
)
from harness.core.text import TextBuffer
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import Event
    from harness.apis.chat.chunks import Chunk, Payload

WHOLE_FIELDS = ("annotations", "citations", "images", "executed_tools")
"""Lists of a delta whose entries are carried whole: citations, images, tools of Groq's
that it ran itself."""

_AFTER = frozenset({"usage", *SOURCES})
_MAY_FAIL = frozenset({"error", "base_resp", "x_groq"})
_COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "prompt_tokens_details.cached_tokens",
    "completion_tokens_details.reasoning_tokens",
)
_BESIDE = frozenset({"error", "usage"})
_ALSO = parse_fields("", ("",))  # text beside the text that was read
_IGNORED = ("obfuscation", "p")  # padding against listeners: OpenAI's, Cloudflare's


class ChatReader:
    """Reads the chunks of one response; a `harness.apis.base.Reader`.

    Args:
        accounts: Whether to account for every field (`Reader.close` then reports the
            unread ones); left out where nobody would see the report.
    """

    def __init__(self, *, accounts: bool = True) -> None:
        self._ignored: list[tuple[str, str]] = []
        self._first = DeltaReader(ignored=self._ignored)
        self._choices: dict[int, DeltaReader] = {0: self._first}
        self._roles: dict[int, str] = {}
        self._sources: dict[str, list[Any]] = {}
        self._envelope: tuple[Any, ...] = ()
        self._created: float = 0
        self._unread = UnreadFields(FIELDS) if accounts else None
        self._has_calls = False
        self._has_error = False
        self._has_odd_finish = False
        self._text = TextBuffer()  # of choice 0, to know it when it comes again
        self._transcript = TextBuffer()
        self._beside = ""  # the text of the last message beside a delta
        self._audio = 0  # characters of base64
        self.is_finished = False
        """Whether choice 0 has a finish reason: `[DONE]` is no event."""

    def feed(self, event: Event) -> list[Part]:
        """Read one chunk; see `Reader.feed`."""
        if self._unread is not None:
            self._unread.feed(event.index, event.payload)
            self._account_for_text(event.index, event.payload.get("choices"))
        if event.name == "error" and payload_error(event.payload) is None:
            self._has_error = True
            return [Problem(DiagnosticKind.ERROR_EVENT, _error_text(event.payload))]
        parts = self.read(event.payload)
        if self._ignored:
            for known, name in self._ignored if self._unread is not None else ():
                text = f"the name {shorten(name)} came after arguments of {known!r}"
                parts.append(Problem(DiagnosticKind.UNREAD_TEXT, text))
            self._ignored.clear()
        return parts

    def _account_for_text(self, number: int, choices: object) -> None:
        """Account for what stands twice, of which the second may be something else.

        A choice's `text` (Together), a `message` beside its delta, reasoning in blocks.
        """
        for choice in choices if type(choices) is list else ():
            if type(choice) is not dict or self._unread is None:
                continue
            text, delta = choice.get("text"), delta_of(choice)
            if "message" in choice and "delta" in choice and not choice_index(choice):
                self._beside = text_of(dict_of(choice["message"]).get("content"))
            if text and text != delta.get("content"):
                self._unread.feed(number, {"text": text}, _ALSO, "choices[]")
            if "reasoning_details" in delta or "thinking_blocks" in delta:
                once, again = reasoning_of(delta), detailed_reasoning(delta)
                if again not in {"", once or again}:
                    other = {"reasoning_details": again}
                    self._unread.feed(number, other, _ALSO, "choices[].delta")

    def goes_on(self, event: Event, part: Part) -> Like | None:
        """Return how to read a chunk with another text; see `Reader.goes_on`."""
        if self._unread is None or self._unread.last == event.index:
            return None
        payload = event.payload
        choices = payload.get("choices")
        choice = choices[0] if type(choices) is list and len(choices) == 1 else None
        delta = choice.get("delta") if type(choice) is dict else None
        if type(delta) is not dict or not choice or choice.get("finish_reason"):
            return None
        field = only_text(part, delta)
        read: Callable[[str], Text | Reasoning | Refusal | CallPart]
        if type(part) is CallPart:
            read = further_arguments(part.call)
        elif type(part) is Refusal or type(part) is Reasoning:
            read = type(part)
        else:
            read = self._more_text
        return Like(field, read, _IGNORED) if field else None

    def _more_text(self, text: str) -> Text:
        self._text.append(text)
        return Text(text)

    def read(self, payload: Payload) -> list[Part]:
        """Read the object of one chunk, or of a whole completion."""
        parts: list[Part] = []
        get = payload.get
        if not _MAY_FAIL.isdisjoint(payload) or "choices" not in payload:
            self._read_error(payload, parts)
        choices = get("choices")
        again = None
        if choices and type(choices) is list and (self._has_calls or self._text):
            again = self._again(choices[0])
        is_repeated = again is not None
        parts += again or []
        # The first time that is not zero counts; some servers send one a chunk.
        envelope = (get("id"), get("model"), self._created or get("created"))
        if envelope != self._envelope and not is_repeated:
            self._envelope = envelope
            head = _head_of(*envelope)
            if head is not None:
                self._created = self._created or head.created
                parts.append(head)
        if type(choices) is list:
            for choice in choices[:1] if is_repeated else choices:
                if is_repeated:
                    self._read_choice(self._rest_of_repeated(choice), parts)
                elif type(choice) is dict:
                    self._read_choice(choice, parts)
        if not _AFTER.isdisjoint(payload):
            usage = get("usage")
            if usage and type(usage) is dict:
                parts.append(usage_of(usage, *_COUNTS))
            parts += sources_beside(payload, self._sources)
        return parts

    def _read_error(self, payload: Payload, parts: list[Part]) -> None:
        message = payload_error(payload)
        if message is None and "choices" not in payload and payload.get("detail"):
            # FastAPI's form of an error, which many servers are built on.
            message = _error_text(payload)
        if message is not None:
            self._has_error = True
            parts.append(Problem(DiagnosticKind.ERROR_EVENT, message))

    def _read_choice(self, choice: dict[str, Any], parts: list[Part]) -> None:
        index = choice.get("index")
        if type(index) is not int:
            index = choice_index(choice)
        delta = choice.get("delta")
        if type(delta) is not dict:
            delta = delta_of(choice)
        reason = choice.get("finish_reason")
        self._read_beside(choice, parts)
        reader = self._first
        if index:
            if index not in self._choices:
                self._choices[index] = DeltaReader(choice=index, ignored=self._ignored)
            reader = self._choices[index]
        elif reason and type(reason) is str:
            self.is_finished = True
        elif reason == "":
            self._has_odd_finish = True
        found = reader.read_delta(delta, reason)
        if len(delta) > 1 or type(delta.get("content")) is not str:
            self._read_others(index, delta, found)
        if index:
            parts += [OtherChoice(index, part) for part in found]
            return
        for part in found:
            if type(part) is Text:
                self._text.append(part.text)
            elif type(part) is CallPart:
                self._has_calls = True
        parts += found

    def _read_beside(self, choice: dict[str, Any], parts: list[Part]) -> None:
        """Read what belongs beside the choices and stands in one."""
        if _BESIDE.isdisjoint(choice):
            return
        error, usage = choice.get("error"), choice.get("usage")
        message = payload_error({"error": error})
        if message is not None:  # OpenRouter
            self._has_error = True
            parts.append(Problem(DiagnosticKind.ERROR_EVENT, message))
        if usage and type(usage) is dict:  # Moonshot
            parts.append(usage_of(usage, *_COUNTS))

    def _read_others(
        self, index: int, delta: dict[str, Any], found: list[Part]
    ) -> None:
        """Read what of a delta is neither text nor call: role, audio, images."""
        role = delta.get("role")
        if role and type(role) is str and self._roles.get(index) != role:
            self._roles[index] = role
            found.insert(0, Head(role=role))
        audio = delta.get("audio")
        if audio and type(audio) is dict:
            self._audio += len(text_of(audio.get("data")))
            transcript = audio.get("transcript")
            if transcript and type(transcript) is str:
                self._transcript.append(transcript)
                found.append(Item("audio_transcript", transcript))
        if type(delta.get("content")) is list:
            found += beside_texts(delta["content"])
        for field in WHOLE_FIELDS:
            entries = delta.get(field)
            if entries:
                entries = entries if type(entries) is list else [entries]
                found += [Item(field.removesuffix("s"), entry) for entry in entries]

    def _again(self, choice: object) -> list[Part] | None:
        if type(choice) is dict and type(choice.get("message")) is dict:
            from harness.apis.chat import repeated  # late: it is rare

            return repeated.repeated(choice, str(self._text), self._first.calls)
        return None

    def _rest_of_repeated(self, choice: dict[str, Any]) -> dict[str, Any]:
        """Return what a repeating message has besides: a finish, unstreamed calls."""
        calls = None if self._has_calls else choice["message"].get("tool_calls")
        delta = {"tool_calls": calls} if calls else {}
        return {"delta": delta, "finish_reason": choice.get("finish_reason")}

    def close(self) -> list[Part]:
        """Report a missing finish and what was not read; see `Reader.close`."""
        parts: list[Part] = []
        if self._has_odd_finish and not self.is_finished:
            why = "finish_reason is empty text in every chunk; expected stop or another"
            parts.append(Problem(DiagnosticKind.EMPTY_FINISH, why))
        elif not self.is_finished and not self._has_error:
            parts.append(Problem(DiagnosticKind.MISSING_FINISH, ""))
        if self._beside:
            from harness.apis.chat import repeated

            parts += repeated.beside(self._beside, str(self._text))
        if self._transcript or self._audio:
            text = f"audio: {self._audio} characters of base64"
            if self._transcript:
                text = f"the transcript of audio: {shorten(str(self._transcript))}"
            problem = Problem(DiagnosticKind.NOT_EMITTED, f"no message carries {text}")
            parts.append(problem)
        if self._unread is not None:
            for reader in self._choices.values():
                parts += reader.close()
            parts += self._unread.problems()
        return parts


class ResponseAccumulator(Accumulator):
    """Adds up the chunks of one response.

    Nothing raises on an odd chunk, so there is no error state: what cannot be read is
    left out, as in `harness.apis.chat.deltas`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reader: ChatReader | None = None  # most are given parts

    def feed(self, payload: Payload) -> list[Part]:
        """Add one chunk.

        Args:
            payload: The chunk's JSON object; any shape.

        Returns:
            What it carries of choice 0, in order; empty if nothing.
        """
        self._reader = self._reader or ChatReader(accounts=False)
        parts = self._reader.read(payload)
        self.add(parts)
        return [
            part
            for part in parts
            if type(part) not in {OtherChoice, Head, Usage, Problem}
        ]

    def add_whole(self, whole: Chunk) -> list[Part]:
        """Add an answer that was not streamed; return what it carries."""
        if whole.parts is None:
            return self.feed(whole.payload)
        self.add(whole.parts)
        return whole.parts


def _error_text(payload: Payload) -> str:
    for field in ("message", "detail", "error"):
        text = payload.get(field)
        if text and isinstance(text, str):
            return text
    return as_json(payload, TOO_DEEP)


def _head_of(response_id: object, model: object, created: object) -> Head | None:
    head = Head(text_of(response_id), text_of(model), time_of(created))
    return head if head.id or head.model or head.created else None
