"""The judge: does a relation hold of one consumer and one input?

What an input is compared with is derived from it (see `harness.fuzz.fuzz_inputs`), and
a failure names it. How a consumer shows content, calls and reasoning is learnt from
plain streams (`harness.fuzz.probes`); what a format cannot show is never compared.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.apis.json_values import canonical
from harness.debug.outcomes import Call, Outcome
from harness.fuzz.current_example import CURRENT
from harness.fuzz.cuts import spread
from harness.fuzz.example_runner import Consumer, Level
from harness.fuzz.fuzz_inputs import (
    FuzzInput,
    Truth,
    break_input,
    plain,
    truth_of,
    whole,
)
from harness.fuzz.likely_causes import cause
from harness.fuzz.metamorphic import closing, earliness, interfaces, translation
from harness.fuzz.probes import Probed, Shows, learn, learn_beside
from harness.fuzz.relations import Failure, difference
from harness.fuzz.shown_calls import (
    calls_by_end,
    is_marked,
    lost,
    merges_sources,
    spoken,
    without_foreign,
    without_marks,
)
from harness.fuzz.shown_endings import Endings, differing, truncation

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.chat.faults import Fault


class Judge:
    """Judges one consumer; keeps only what it has learnt of it.

    Args:
        consumer: The consumer.
        key: For a handler: the key whose text it returns.
        assistant: With `use_assistant_message`: the function and the argument that
            come as text.
    """

    def __init__(
        self,
        consumer: Consumer,
        *,
        key: str = "message",
        assistant: tuple[str, str] | None = None,
    ) -> None:
        self.consumer = consumer
        self.key = key
        self.assistant = assistant
        self.api = consumer.api
        reads_bytes = consumer.level.reads_bytes
        self._probed = Probed(self.run, reads_bytes=reads_bytes, api=self.api)
        self._shows: Shows | None = None
        self._beside: Endings | None = None
        self.own: tuple[Consumer, Consumer] | None = None
        self._judges: dict[str, Callable[[FuzzInput], Failure | None]] = {
            "split-invariance": self._split,
            "dialect-invariance": self._dialect,
            "prefix-safety": self._prefix,
            "interfaces": partial(interfaces, self),
            "truncation": partial(truncation, self),
            "earliness": partial(earliness, self),
            "translation": partial(translation, self),
            "closing": partial(closing, self),
            "ends": self._ends,
        }
        self._of_outcome: dict[str, Callable[[FuzzInput, Outcome], Failure | None]]
        self._of_outcome = {"agreement": self.agrees, "nothing-lost": self.loses}
        self._of_outcome["faults"] = self.raises

    def judge(
        self, relation: str, fed: FuzzInput, *, fault: Fault | None = None
    ) -> Failure | None:
        """Judge one input.

        Args:
            relation: A name of `RELATIONS`.
            fed: Of the kind that the consumer is fed with.
            fault: For `faults`: how the input is broken first; None takes it as
                broken already.

        Returns:
            The failure, or None if the relation holds.
        """
        if fault is not None:
            return self._fault(fed, fault)
        if relation in self._of_outcome:
            return self._of_outcome[relation](fed, self.run(fed))
        return self._judges[relation](fed)

    def run(self, fed: FuzzInput, *, is_beginning: bool = False) -> Outcome:
        """Run one example.

        Calls to the assistant function that could not be shown as text come last: they
        are shown when it is known, and that depends on which calls take turns.
        """
        CURRENT.fed = fed
        CURRENT.taken, CURRENT.emits = None, self.consumer.level is Level.INTERFACE
        if CURRENT.begun is not None:
            CURRENT.begun(fed)
        try:
            outcome = self.consumer.run(fed, is_beginning=is_beginning)
        finally:
            CURRENT.fed = None
        if self.assistant is not None:
            function = self.assistant[0]
            calls = sorted(outcome.calls, key=lambda call: call.name == function)
            outcome = replace(outcome, calls=tuple(calls))
        return outcome

    def truth(self, fed: FuzzInput) -> Truth:
        """Return what an input carries."""
        return truth_of(fed, self.key, self.api)

    def compare(
        self,
        relation: str,
        fed: FuzzInput,
        got: Outcome,
        expected: Outcome,
        *,
        reference: FuzzInput | None = None,
        note: str = "",
        as_json: bool = False,
        may_lack: str | None = None,
    ) -> Failure | None:
        """Compare two outcomes; an exception that both have is no difference.

        Every provider has its own form of reasoning, and none is OpenAI's: a text
        that one of them `may_lack` is no difference either.
        """
        if may_lack is not None and may_lack not in got.texts:
            texts = {k: text for k, text in expected.texts.items() if k != may_lack}
            expected = replace(expected, texts=texts)
        if got == expected:
            return None
        if got.raised is not None and expected.raised is not None:
            return None
        if got.raised is not None and not self._is_failure(got, fed):
            return None
        if expected.raised is not None and reference is not None:
            if not self._is_failure(expected, reference):
                return None
            # The plainer form is the one that breaks it, which needs no comparison.
            return self.agrees(reference, expected)
        if as_json:
            got, expected = got.as_json(), expected.as_json()
        kind = difference(got, expected)
        if kind is None:
            return None
        if reference is not None:
            wrong = self.agrees(reference, expected)
            if wrong is not None:  # neither form is read right
                expected, note = wrong.expected, wrong.note
        return Failure(
            relation,
            kind,
            fed,
            got,
            expected,
            reference=reference,
            note=note,
            cause=cause(self.truth(fed), got, expected),
        )

    def _is_failure(self, outcome: Outcome, fed: FuzzInput) -> bool:
        """Return whether an exception is a finding: one that is meant may be right."""
        raised = outcome.raised
        return raised is not None and (raised.is_accident or self.truth(fed).is_sound)

    def _split(self, fed: FuzzInput) -> Failure | None:
        reference = whole(fed, self.api)
        return self.compare(
            "split-invariance",
            fed,
            self.run(fed),
            self.run(reference),
            reference=reference,
            note="the same without cuts",
        )

    def _dialect(self, fed: FuzzInput) -> Failure | None:
        reference = plain(fed, self.api)
        if not self.is_equivalent(fed, reference):
            return None
        got, expected = self.run(fed), self.run(reference)
        return self.compare(
            "dialect-invariance",
            fed,
            without_foreign(got, expected, fed, reference),
            expected,
            reference=reference,
            note="the same as OpenAI says it",
            as_json=True,
            may_lack=self.shows().reasoning,
        )

    def is_equivalent(self, fed: FuzzInput, other: FuzzInput) -> bool:
        """Return whether two inputs mean the same, for a dialect may be unable to."""
        one, two = self.truth(fed), self.truth(other)
        if self.assistant is not None:
            # The texts of two such calls that take turns come in turns too.
            spoken = [call for call in one.calls if call.name == self.assistant[0]]
            if len(spoken) > 1:
                return False
        return (
            (one.text, one.kept, one.logprobs) == (two.text, two.kept, two.logprobs)
            and [(c.name, canonical(c.arguments)) for c in one.calls]
            == [(c.name, canonical(c.arguments)) for c in two.calls]
            and one.is_sound >= two.is_sound
        )

    def agrees(self, fed: FuzzInput, got: Outcome) -> Failure | None:
        """Compare what was shown with what the input carries."""
        truth = self.truth(fed)
        note = "parsed at once, independently of the consumer"
        if got.raised is not None:
            if not (got.raised.is_accident or truth.is_sound):
                return None
            label = "text" if self.consumer.level is Level.HANDLER else "content"
            expected = Outcome({label: truth.text} if truth.text else {}, truth.calls)
        else:
            got = got.as_json()
            expected = self._expected(truth, got)
            if CURRENT.emits and got.calls == calls_by_end(fed, expected.calls):
                expected = replace(expected, calls=got.calls)
        kind = difference(got, expected)
        if kind is None:
            return self._apart(fed, truth, got, note)
        why = "" if got.raised is not None else cause(truth, got, expected)
        return Failure("agreement", kind, fed, got, expected, note=note, cause=why)

    def _apart(
        self, fed: FuzzInput, truth: Truth, got: Outcome, note: str
    ) -> Failure | None:
        """Compare what is shown beside texts and calls."""
        if self.consumer.level is Level.HANDLER:
            return None
        found = None if got.raised else differing(self.beside(), truth, got, fed)
        if found is None:
            return None
        kind, expected, shown = found
        return Failure(
            "agreement",
            kind,
            fed,
            replace(got, texts={**got.texts, **shown}),
            replace(got, texts={**got.texts, **expected}),
            note=note,
        )

    def _expected(self, truth: Truth, got: Outcome) -> Outcome:
        """Return what should have been shown, as far as that is known."""
        if self.consumer.level is Level.HANDLER:
            if not truth.has_text:
                return got
            return Outcome({"text": truth.text} if truth.text else {}).as_json()
        shows = self.shows()
        texts, calls = dict(got.texts), got.calls
        if shows.content is not None and not (
            (truth.refusal and not self.beside().leaks_refusal)
            or (truth.reasoning and shows.merges_reasoning)
            or merges_sources(truth, got)
            or (truth.calls and shows.merges_calls)
        ):
            texts.pop(shows.content, None)
            if truth.text:
                texts[shows.content] = truth.text
        if shows.reasoning is not None and truth.reasoning:
            texts[shows.reasoning] = truth.reasoning
        apart = self.beside().refusal if truth.refusal else None
        if apart is not None:
            texts[apart] = truth.refusal
        if shows.calls and self.assistant is None and not is_marked(truth, got):
            calls = tuple(
                Call(call.name if shows.names else "", call.arguments)
                for call in truth.calls
            )
        expected = replace(got, texts=texts, calls=calls).as_json()
        if self.assistant is None:
            return expected
        return spoken(self.assistant, truth, got, expected)

    def loses(self, fed: FuzzInput, got: Outcome) -> Failure | None:
        """Look for content and calls that are nowhere in what was shown."""
        if got.raised is not None:
            return None
        truth = self.truth(fed)
        if not (kind := lost(truth, got, self.shows())):
            return None
        wanted = Outcome({"content": truth.text} if truth.text else {}, truth.calls)
        note = "this must be in it, in whatever form"
        return Failure("nothing-lost", kind, fed, got, wanted, note=note)

    def _prefix(self, fed: FuzzInput) -> Failure | None:
        expected = self.run(fed)
        if expected.raised is not None:
            return None
        lengths = spread(len(fed), 24)
        found = (self.is_beginning(fed, n, expected) for n in lengths)
        return next(filter(None, found), None)

    def is_beginning(
        self, fed: FuzzInput, length: int, expected: Outcome
    ) -> Failure | None:
        """Judge the beginning of an input against what was shown of all of it."""
        beginning = fed[:length]
        got = self.run(beginning, is_beginning=True)
        if got.raised is not None or self._begins(beginning, fed, got, expected):
            return None
        return Failure(
            "prefix-safety",
            "takes something back",
            beginning,
            got,
            expected,
            reference=fed,
            base=fed,
            note="said when the rest had come too",
        )

    def raises(self, fed: FuzzInput, got: Outcome) -> Failure | None:
        """Judge the exception that came out of an input, if one did."""
        raised = got.raised
        if raised is None or not raised.is_accident:
            return None
        return Failure(
            "faults",
            f"raises {raised.kind} at {raised.place}",
            fed,
            got,
            replace(got, raised=None),
            note="what it had said, and no exception but one that is meant",
        )

    def _fault(self, fed: FuzzInput, fault: Fault) -> Failure | None:
        broken = break_input(fed, fault)
        if broken == fed:
            return None
        found = self.raises(broken, self.run(broken))
        if found is None and fault.leaves != "anything" and self.truth(fed).is_sound:
            found = self._left(fed, broken, fault)
        if found is None:
            return None
        return replace(found, base=fed, fault=str(fault))

    def _begins(
        self, fed: FuzzInput, whole: FuzzInput, got: Outcome, expected: Outcome
    ) -> bool:
        if self.consumer.level is not Level.HANDLER:
            truths, shows = (self.truth(fed), self.truth(whole)), self.shows()
            got = without_marks(*truths, got, expected, shows.content)
            is_merged = shows.merges_calls and truths[1].calls
            if is_merged or merges_sources(truths[1], expected):
                got = replace(got, texts={})
        return got.begins(expected)

    def _left(self, fed: FuzzInput, broken: FuzzInput, fault: Fault) -> Failure | None:
        is_beginning = fault.leaves == "prefix"
        got = self.run(broken, is_beginning=is_beginning)
        expected = self.run(fed)
        if got.raised is not None or expected.raised is not None:
            return None
        if fault.leaves == "same" and got.texts.keys() <= expected.texts.keys():
            kind = difference(got.as_json(), expected.as_json())
        elif self._begins(broken, fed, got, expected):  # and may report an error
            kind = None
        else:
            kind = "takes something back"
        if kind is None:
            return None
        return Failure(
            "faults",
            kind,
            broken,
            got,
            expected,
            reference=fed,
            note=f"said without the fault; {fault.allows}",
        )

    def _ends(self, fed: FuzzInput) -> Failure | None:
        """Run it: whether it comes to an end is seen by who watches this process."""
        self.run(fed)
        return None

    def with_uncut(self, failure: Failure) -> Failure:
        """Add what the same without cuts gave, where the two texts look alike."""
        got, expected = failure.got.lines(), failure.expected.lines()
        if got != expected or not failure.arrived or failure.relation == "ends":
            return failure
        return replace(failure, uncut=self.run(whole(failure.arrived, self.api)))

    def learn(self) -> Shows:
        """Learn all that is asked of plain streams: the warm-up of a campaign."""
        if self.consumer.level is not Level.HANDLER:
            self.beside()
        return self.shows()

    def beside(self) -> Endings:
        """Return what the consumer shows beside texts and calls; asked once."""
        if self._beside is None:
            self._beside = learn_beside(self._probed)
        return self._beside

    def shows(self) -> Shows:
        """Return what the consumer shows of plain streams; asked once."""
        if self._shows is None:
            is_handler = self.consumer.level is Level.HANDLER
            # A handler returns one text, and no probe has one for it.
            self._shows = Shows() if is_handler else learn(self._probed, self.consumer)
        return self._shows
