"""`harness_fuzz`: cut, reframe and break streams until a consumer disagrees.

Owns how much a test tries and how a finding becomes a failure; everything else is
`harness.fuzz`, and this module is the only one of the plugin that knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.pytest_plugin.failure_text import command_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.pytest_plugin.playback import HarnessTest


EXAMPLES = {"quick": 1000, "thorough": 50_000}
"""Runs of the consumer for each split profile: seconds, and minutes."""


class Fuzzing:
    """What the fixture `harness_fuzz` is: call it with a consumer.

    Args:
        test: The test; its marker names which cassettes are fuzzed with.
    """

    def __init__(self, test: HarnessTest) -> None:
        self._test = test

    def __call__(
        self,
        consumer: Any,
        *,
        level: str | None = None,
        chunks: str | None = None,
        key: str | None = None,
        relations: Iterable[str] | None = None,
        max_examples: int | None = None,
    ) -> None:
        """Require the same answer of a consumer, however a stream arrives.

        Args:
            consumer: A class, a factory, an object or a function: of fragments,
                chunks, bytes or an interface (`harness fuzz --help`).
            level: As `harness fuzz --level`; None chooses it by what there is.
            chunks: As `harness fuzz --chunks`.
            key: As `harness fuzz --key`.
            relations: What must hold; None takes all that the level has.
            max_examples: Runs of the consumer; None takes the split profile's.

        Raises:
            AssertionError: A relation does not hold. The message shows the smallest
                stream found, what was expected, what came, and a test to paste.
            UsageError: A name is wrong, or nothing can be fed to the consumer.
        """
        __tracebackhide__ = True
        from harness.engine.targets import name_of
        from harness.fuzz.campaign import Campaign
        from harness.fuzz.checking import judge_of, offered
        from harness.fuzz.consumers import Wanted
        from harness.fuzz.example_runner import Level
        from harness.fuzz.findings import Plan

        wanted = Wanted(None if level is None else Level(level), chunks, key)
        judge = judge_of(consumer, wanted, _name(consumer) or name_of(consumer))
        plan = Plan(
            relations=offered(judge, None if relations is None else tuple(relations)),
            seed=self._test.setting("seed"),
            max_examples=max_examples or self._examples(),
        )
        campaign = Campaign(judge, plan, self._recordings())
        failures = campaign.run()
        if failures:
            text = _described(failures[0], judge, consumer, level, chunks, key)
            raise AssertionError(
                f"{text}\n\nfound after {campaign.tried.examples} of "
                f"{plan.max_examples} examples, seed {plan.seed}; again:\n"
                f"    {command_of(self._test)}"
            )

    def _examples(self) -> int:
        splits = self._test.setting("splits")
        return EXAMPLES["thorough" if "thorough" in splits else "quick"]

    def _recordings(self) -> dict[str, Any]:
        """Return the streams of the cassettes that were named, if any were."""
        from harness.fuzz.fuzz_inputs import recorded_streams

        if not self._test.asked.names:
            return {}
        cassette = self._test.load()
        streams = recorded_streams(cassette)
        if not streams:
            raise UsageError(
                f"{cassette.path}: no streamed chat completion to fuzz with"
            )
        return streams


def _name(consumer: Any) -> str | None:
    name = getattr(consumer, "__qualname__", None)
    return name if isinstance(name, str) and "<" not in name else None


def _described(
    failure: Any, judge: Any, consumer: Any, level: Any, chunks: Any, key: Any
) -> str:
    from harness.fuzz.reporting import describe, pytest_of

    name = _name(consumer)
    target = f"{consumer.__module__}:{name}" if name else str(consumer)
    test = pytest_of(
        failure, judge.consumer.level, target, level=level, chunks=chunks, key=key
    )
    shown = "".join(f"    {line}\n" if line else "\n" for line in test.split("\n"))
    head = "\n".join(describe(failure))
    return f"{judge.consumer.name}: {head}\n\nas a test of its own:\n\n{shown.rstrip()}"
