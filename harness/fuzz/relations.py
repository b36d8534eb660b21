"""What must hold of every consumer, whatever the provider and the network did.

The relations by name, and what it looks like when one does not hold. Each is judged on
one input, by `harness.fuzz.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.fuzz.example_runner import Level

if TYPE_CHECKING:
    from harness.debug.outcomes import Outcome
    from harness.fuzz.fuzz_inputs import FuzzInput


@dataclass(frozen=True, slots=True)
class Relation:
    """One thing that must hold."""

    name: str
    """As `--relations` takes it."""
    summary: str
    """One line for people."""
    levels: frozenset[Level]
    """Where it can be asked."""
    is_asked: bool = True
    """Whether it is asked of everybody; else only by name."""


_ALL_LEVELS = frozenset(Level)

_RELATIONS = (
    Relation(
        "split-invariance",
        "what is returned does not depend on where the text was cut",
        _ALL_LEVELS,
    ),
    Relation(
        "dialect-invariance",
        "what is returned does not depend on which provider wrote it",
        _ALL_LEVELS,
    ),
    Relation(
        "agreement",
        "what is returned is what the whole holds, parsed at once",
        _ALL_LEVELS,
    ),
    Relation(
        "nothing-lost",
        "all content and every call is somewhere in what is returned",
        _ALL_LEVELS - {Level.HANDLER},
    ),
    Relation(
        "prefix-safety",
        "what is returned of a beginning is a beginning of that of the whole",
        _ALL_LEVELS,
    ),
    Relation(
        "faults",
        "a broken stream leads to no exception but one that is meant",
        _ALL_LEVELS,
    ),
    Relation(
        "truncation",
        "a missing end, an error or a cut-off is not shown as complete",
        _ALL_LEVELS - {Level.HANDLER},
    ),
    Relation(
        "closing",
        "a generator that is closed early raises nothing",
        frozenset({Level.CHUNKS, Level.BYTES}),
    ),
    Relation(
        "earliness",
        "text is shown as soon as it has come",
        frozenset({Level.CHUNKS, Level.INTERFACE}),
        is_asked=False,
    ),
    Relation(
        "translation",
        "the same answer is the same, whichever API brings it",
        frozenset({Level.CHUNKS, Level.BYTES, Level.URL}),
        is_asked=False,
    ),
    Relation("ends", "every example comes to an end", _ALL_LEVELS),
    Relation(
        "interfaces",
        "the streaming and the queuing interface emit the same",
        frozenset({Level.INTERFACE}),
    ),
)

RELATIONS: dict[str, Relation] = {relation.name: relation for relation in _RELATIONS}
"""Every relation by name, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One input for which a relation does not hold."""

    relation: str
    """Its name."""
    kind: str
    """What went wrong, so that shrinking does not change the subject."""
    arrived: FuzzInput
    """What the consumer was fed."""
    got: Outcome
    """What came out."""
    expected: Outcome
    """What should have come out."""
    reference: FuzzInput | None = None
    """The other form of it that `expected` came of; None if there is none."""
    base: FuzzInput | None = None
    """With a fault: the input without it."""
    fault: str = ""
    """The fault, as `parse_fault` takes it."""
    note: str = ""
    """How the two hang together, in words."""
    cause: str = ""
    """Its likely cause, in words; empty if none is known."""
    uncut: Outcome | None = None
    """What the same without cuts gave, where `got` and `expected` look alike."""

    @property
    def defect(self) -> str:
        """What it is counted as: one defect breaks several relations.

        An exception is one defect, whichever of two forms of an answer raises it.
        """
        raised = self.got.raised or self.expected.raised
        if raised is not None:
            return f"raises {raised.kind} at {raised.place}"
        return self.kind

    @property
    def implies(self) -> str:
        """The kind that another relation gives the same defect; empty if none."""
        if self.kind.startswith("differs in the text"):
            return "loses content"
        return "loses a call" if self.kind.endswith("calls") else ""


def difference(got: Outcome, expected: Outcome) -> str | None:
    """Name the first thing that differs; None if nothing does."""
    if got.raised is not None and expected.raised is None:
        return f"raises {got.raised.kind} at {got.raised.place}"
    if expected.raised is not None and got.raised is None:
        return f"no longer raises {expected.raised.kind}"
    for kind in sorted({*got.texts, *expected.texts}):
        if got.texts.get(kind) != expected.texts.get(kind):
            return f"differs in the text {kind!r}"
    if got.calls == expected.calls:
        return None
    if len(got.calls) != len(expected.calls):
        return "differs in the number of calls"
    if [c.name for c in got.calls] != [c.name for c in expected.calls]:
        return "differs in the names of calls"
    return "differs in the arguments of calls"
