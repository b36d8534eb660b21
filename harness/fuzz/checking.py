"""One relation, one input, one assertion: what a test pastes from a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agents.letta.queuing import QueuingInterface
from harness.agents.letta.streaming import StreamingServerInterface
from harness.apis.chat.faults import parse_fault
from harness.engine.agent_options import AgentOptions
from harness.engine.targets import name_of
from harness.errors import UsageError
from harness.fuzz.consumers import Wanted, consumer_of, key_of
from harness.fuzz.example_runner import Level, OwnInterface, StepInterface
from harness.fuzz.judge import Judge
from harness.fuzz.relations import RELATIONS
from harness.fuzz.reporting import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.debug.outcomes import Outcome

_OURS = (StreamingServerInterface, QueuingInterface)


def judge_of(target: object, wanted: Wanted, name: str | None = None) -> Judge:
    """Return the judge of a target.

    Args:
        target: A class, a factory, an object, a function, or ``MODULE:NAME``.
        wanted: What the caller knows about it.
        name: How findings call it; None takes its own.

    Raises:
        UsageError: It offers nothing that can be fed.
    """
    consumer = consumer_of(target, name or name_of(target), wanted)
    options = wanted.options
    assistant = None
    if options.use_assistant_message:
        assistant = (options.assistant_function, options.assistant_argument)
    return Judge(consumer, key=key_of(consumer, wanted), assistant=assistant)


def offered(judge: Judge, names: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the relations that are asked of a consumer.

    Args:
        judge: Its judge.
        names: The wanted ones; None takes all that are asked of everybody.

    Raises:
        UsageError: One of them cannot be asked of it.
    """
    consumer = judge.consumer
    is_own = (
        isinstance(consumer, OwnInterface | StepInterface)
        and type(consumer.make()) in _OURS
    )
    there = [
        relation
        for relation in RELATIONS.values()
        if consumer.level in relation.levels
        and (relation.name != "interfaces" or is_own)
        and (relation.name != "translation" or len(consumer.apis) > 1)
    ]
    if names is None:
        return tuple(r.name for r in there if r.is_asked or r.name == "translation")
    known = [relation.name for relation in there]
    for name in names:
        if name not in known:
            raise UsageError(
                f"relations: for {consumer.name} ({consumer.level}) there are "
                f"{', '.join(known)}; got {name!r}"
            )
    return tuple(names)


def check(  # noqa: PLR0913 - options of one call, keyword-only
    target: object,
    arrived: Sequence[Any],
    *,
    relation: str,
    fault: str | None = None,
    level: str | None = None,
    chunks: str | None = None,
    key: str | None = None,
    options: AgentOptions | None = None,
    api: str | None = None,
) -> None:
    """Assert that a relation holds for one input.

    Args:
        target: The consumer: a class, a factory, an object or a function.
        arrived: What it is fed: fragments of arguments, chunks as dicts, or bytes.
        relation: What must hold; a name of `harness.fuzz.relations.RELATIONS`.
        fault: For ``faults``: how `arrived` is broken first, as `--fault` takes it.
        level: As `--as`; None chooses it by what the target offers.
        chunks: As `--chunks`: ``dict``, ``sdk`` or ``model``.
        key: The key whose text a handler returns.
        options: What an interface is made with.
        api: Whose events it takes, as `--api`; None reads the annotation, else chat.

    Raises:
        AssertionError: It does not hold; the message shows what came and what
            should have been.
        UsageError: A name is wrong, or the target offers nothing that can be fed.
    """
    if relation not in RELATIONS:
        raise UsageError(f"relation {relation!r} is none of {', '.join(RELATIONS)}")
    apis = tuple(api.split(",")) if api else ()
    wanted = Wanted(_level(level), chunks, key, options or AgentOptions(), apis)
    judge = judge_of(target, wanted)
    failure = judge.judge(
        relation, tuple(arrived), fault=None if fault is None else parse_fault(fault)
    )
    if failure is not None:
        raise AssertionError("\n".join(describe(failure)))


def said(
    target: object,
    arrived: Sequence[Any],
    *,
    level: str | None = None,
    chunks: str | None = None,
    key: str | None = None,
    options: AgentOptions | None = None,
) -> Outcome:
    """Return what a consumer makes of one input.

    Args:
        target: As for `check`.
        arrived: As for `check`.
        level: As for `check`.
        chunks: As for `check`.
        key: As for `check`.
        options: As for `check`.

    Returns:
        Texts by kind, calls in order, and the exception if one came out.

    Raises:
        UsageError: As for `check`.
    """
    wanted = Wanted(_level(level), chunks, key, options or AgentOptions())
    return judge_of(target, wanted).run(tuple(arrived))


def _level(name: str | None) -> Level | None:
    if name is None:
        return None
    try:
        return Level(name)
    except ValueError:
        raise UsageError(f"level {name!r} is none of {', '.join(Level)}") from None
