"""What a consumer shows of plain streams: learnt from a few, and asked of no other.

What a consumer does not show there is never asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import tool_call
from harness.apis.json_values import canonical
from harness.debug.folding import fold
from harness.debug.outcomes import Call, Outcome, Raised
from harness.debug.shown_fields import shape_of
from harness.fuzz.api_inputs import (
    MADE_ID,
    api_probes,
    written,
    written_bytes,
)
from harness.fuzz.example_runner import Level
from harness.fuzz.finding_cassettes import chunk, event_bytes
from harness.fuzz.fuzz_inputs import FuzzInput, truth_of
from harness.fuzz.odd_values import odd_streams
from harness.fuzz.shown_calls import is_spoken, spells
from harness.fuzz.shown_endings import Endings, kind_of, learn_endings
from harness.fuzz.stock_streams import stock_streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.fuzz.example_runner import Consumer
    from harness.fuzz.judge import Judge

_PROBE_TEXT = "Seven grey geese."
_PROBE_REASONING = "Count the geese first."
_PROBE_CALL = Call("look_up", '{"bird": "goose", "many": 7}')
_PROBE_USAGE = {"prompt_tokens": 307, "completion_tokens": 59, "total_tokens": 366}
_PIECES = ("Seven ", "grey ", "geese.")
_NEEDED = ("content", "calls", "reasoning")
"""The streams that show whether a consumer works at all."""


def probes() -> dict[str, FuzzInput]:
    """Return the plain streams from which it is learnt what a consumer shows."""

    def stream(*deltas: dict[str, Any], finish: str = "stop") -> FuzzInput:
        opening = {"role": "assistant", "content": None}
        return (*map(chunk, (opening, *deltas)), chunk({}, finish))

    def call(index: int) -> list[dict[str, Any]]:
        opening = tool_call(f"{MADE_ID}{index + 1}", _PROBE_CALL.name, "")
        rest = {"index": index, "function": {"arguments": _PROBE_CALL.arguments}}
        entries = ({"index": index, **opening}, rest)
        return [{"tool_calls": [entry]} for entry in entries]

    content = stream({"content": _PROBE_TEXT})
    pieces = [{"content": piece} for piece in _PIECES]
    return {
        "content": content,
        "calls": stream(*call(0), finish="tool_calls"),
        "several": stream(*pieces, *call(0), *call(1), finish="tool_calls"),
        "reasoning": stream(
            {"reasoning_content": _PROBE_REASONING}, {"content": _PROBE_TEXT}
        ),
        "length": stream({"content": _PROBE_TEXT}, finish="length"),
        "refusal": stream({"refusal": _PROBE_TEXT}),
        "usage beside": (*content[:-1], {**content[-1], "usage": _PROBE_USAGE}),
        "usage": (*content, {**content[0], "choices": [], "usage": _PROBE_USAGE}),
        "cited": stock_streams()["cited"],
        "signed": odd_streams()["signed reasoning"],
    }


@dataclass(frozen=True, slots=True)
class Shows:
    """What a consumer shows of plain streams, and as what."""

    content: str | None = None
    """The kind of its texts that is the content; None if it shows none."""
    calls: bool = False
    """Whether it shows calls with names and arguments."""
    names: bool = False
    """Whether those have names."""
    spells_names: bool = False
    """Whether texts have the names of calls, which are shown in no form that is known.
    """
    spells_arguments: bool = False
    """Whether texts have their arguments, too."""
    merges_calls: bool = False
    """Whether calls go into the content, as words."""
    reasoning: str | None = None
    """The kind of its texts that is the reasoning; None if it shows none."""
    merges_reasoning: bool = False
    """Whether reasoning goes into the content."""
    raised: tuple[Raised, ...] = ()
    """The exceptions of the plain streams: of each, if it works on none."""
    is_silent: bool = False
    """Whether nothing came out of any plain stream."""

    @property
    def works(self) -> bool:
        """Whether it took at least one plain stream without an exception."""
        return len(self.raised) < len(_NEEDED)


def plainest(judge: Judge) -> FuzzInput:
    """Return the plainest stream that a judge's consumer can be fed with."""
    level = judge.consumer.level
    if level is Level.HANDLER:
        return ('{"message": "Seven grey geese."}',)
    return _streams(judge.api, reads_bytes=level.reads_bytes)["content"]


def _streams(api: str, *, reads_bytes: bool) -> dict[str, FuzzInput]:
    if api == "chat":
        streams = probes()
        if not reads_bytes:
            return streams
        return {name: tuple(event_bytes(stream)) for name, stream in streams.items()}
    write = written_bytes if reads_bytes else written
    answers = api_probes(api, _PIECES, _PROBE_REASONING, _PROBE_CALL)
    return {name: write(api, answer) for name, answer in answers.items()}


class Probed:
    """What a consumer gives for each plain stream, run when first asked for.

    Args:
        run: Runs one example of it.
        reads_bytes: Whether it is fed with bytes.
        api: Whose events it takes.
    """

    def __init__(
        self,
        run: Callable[[FuzzInput], Outcome],
        *,
        reads_bytes: bool,
        api: str = "chat",
    ) -> None:
        self.api = api
        self._reads_bytes = reads_bytes
        self.outcome = cache(lambda name: run(self.streams[name]))

    @cached_property
    def streams(self) -> dict[str, FuzzInput]:
        """The streams by name."""
        return _streams(self.api, reads_bytes=self._reads_bytes)


def _snapshots(items: list[Any]) -> frozenset[object]:
    """Return the shapes of the items that have all the text so far in them.

    Of what is called a delta that is a defect.
    """
    shown = {
        (shape_of(item), kind, text.strip())
        for item in items
        for kind, text in fold([item]).texts.items()
        if "delta" not in kind.lower()
    }
    so_far = [text.strip() for text in accumulate(_PIECES)]
    kinds = {(shape, kind) for shape, kind, _ in shown}
    return frozenset(kind[0] for kind in kinds if {(*kind, t) for t in so_far} <= shown)


def learn(probed: Probed, consumer: Consumer) -> Shows:
    """Learn what a consumer shows, and whether it shows all so far, again and again."""
    probed.outcome("several")
    consumer.snapshots = _snapshots(consumer.last_items)
    probed.outcome.cache_clear()
    outcomes: dict[str, Outcome] = {name: probed.outcome(name) for name in _NEEDED}
    content = kind_of(outcomes["content"].texts, _PROBE_TEXT)
    calls = outcomes["calls"].as_json().calls
    if content is None or not calls:
        # What loses the last piece, or the last call, shows the others.
        several = outcomes["several"] = probed.outcome("several")
        calls = calls or several.as_json().calls
        if content is None:
            held = several.texts.items()
            content = next((k for k, t in held if t and t in _PROBE_TEXT), None)
    wanted = canonical(_PROBE_CALL.arguments)
    # Also if they are wrong already, as long as they can be recognised.
    shows_calls = bool(calls) and all(
        call.arguments == wanted
        or (
            call.name == _PROBE_CALL.name
            and _PROBE_CALL.arguments in call.arguments.replace("\\", "")
        )
        for call in calls
    )
    # A place for arguments that is always empty, and shown nowhere else, loses them.
    is_lossy = {*calls} == {Call(_PROBE_CALL.name, "{}")} and any(
        outcome.has_arguments
        and not is_spoken(_PROBE_CALL.arguments, list(outcome.texts.values()))
        for outcome in outcomes.values()
    )
    shows_calls = shows_calls or is_lossy
    spelling = [
        o for o in outcomes.values() if not calls and spells(o, _PROBE_CALL.name)
    ]
    reasoned = outcomes["reasoning"].texts
    shown = reasoned.get(content or "")
    marks = [{**texts, content: ""} for texts in (outcomes["content"].texts, reasoned)]
    return Shows(
        content=content,
        calls=shows_calls,
        names=shows_calls and _PROBE_CALL.name in calls[0].name,
        merges_calls=content in outcomes["calls"].texts,
        spells_names=bool(spelling),
        spells_arguments=any(
            is_spoken(_PROBE_CALL.arguments, list(outcome.texts.values()))
            for outcome in spelling
        ),
        reasoning=next((k for k, t in reasoned.items() if t == _PROBE_REASONING), None),
        # That it is marked, as with tags or in a field, is the consumer's choice.
        merges_reasoning=shown not in {_PROBE_TEXT, _PROBE_REASONING + _PROBE_TEXT}
        or (shown != _PROBE_TEXT and marks[0] != marks[1]),
        raised=tuple(
            raised for name in _NEEDED if (raised := outcomes[name].raised) is not None
        ),
        is_silent=not any(o.texts or o.calls or o.raised for o in outcomes.values()),
    )


def learn_beside(probed: Probed) -> Endings:
    """Learn what a consumer shows beside texts and calls."""
    return learn_endings(
        {
            name: (truth_of(stream, "", probed.api), probed.outcome(name))
            for name, stream in probed.streams.items()
            if name not in {"reasoning", "several"}
        }
    )
