"""What a consumer makes of a recorded stream: the relations of `harness fuzz`."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING

from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.faults import parse_fault
from harness.apis.varied import faults_of
from harness.core.splits import parse_split
from harness.debug.sdk import Sdks
from harness.engine.stream import StreamReader
from harness.errors import UsageError
from harness.fuzz.checking import judge_of
from harness.fuzz.consumers import Wanted
from harness.fuzz.example_runner import Level
from harness.fuzz.finding_cassettes import event_bytes
from harness.fuzz.fuzz_inputs import (
    FuzzInput,
    chunks_of,
    payloads_of,
    recorded_payloads,
)
from harness.fuzz.relations import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Cassette
    from harness.engine.summary import ExchangeSummary
    from harness.fuzz.judge import Judge


_SPLITS = ("recorded", "chars", "random:7")
_LEFT_OUT = {"faults", "prefix-safety"}  # asked for apart; the second is quadratic


@cache
def judge_for(target: str) -> Judge:
    """Return the judge of a consumer, made once a process.

    Args:
        target: ``streaming``, ``queuing`` or ``MODULE:NAME``.

    Raises:
        UsageError: It cannot be imported or fed.
    """
    judge = judge_of(target, Wanted())
    if judge.consumer.level is Level.URL:
        raise UsageError(f"{target}: a server cannot be swept; name what reads chunks")
    return judge


def judged(target: str, summary: ExchangeSummary, check: str) -> list[str]:
    """Hold a consumer against one stream.

    Args:
        target: See `judge_for`.
        summary: The exchange; a stream.
        check: ``splits`` (what is emitted does not depend on the cuts), ``faults``
            (nothing is raised, whatever breaks), or ``consumer`` (every relation that
            can be asked there but prefix-safety).

    Returns:
        One line a failure; empty where all holds.

    Raises:
        MemoryError: The consumer ran into the limit.
    """
    judge = judge_for(target)
    names = {
        "splits": ["split-invariance"],
        "faults": ["faults"],
        "consumer": [*RELATIONS],
    }[check]
    offered = [
        name
        for name in names
        if judge.consumer.level in RELATIONS[name].levels
        and (check != "consumer" or name not in _LEFT_OUT)
        and (name != "interfaces" or target in {"streaming", "queuing"})
    ]
    lines = dict.fromkeys(
        line
        for fed in _arrivals(judge, summary, check)
        for relation in offered
        for line in _failures(judge, relation, fed)
    )
    if any("raises MemoryError" in line for line in lines):
        raise MemoryError  # the limit of the worker, not the consumer's doing
    return list(lines)


def read_by_sdk(cassette: Cassette) -> tuple[str, str, list[str]]:
    """Let the installed SDK of its vendor read a stream.

    Args:
        cassette: It holds one exchange.

    Returns:
        The SDK with the versions that matter, a digest of what it reads, and one
        line for each way in which it is of another mind than harness; all empty where
        no SDK reads such a stream.
    """
    sdks, missing = _sdks()
    before = len(missing)
    for sdk in sdks.of(cassette):
        read = sdk.read(cassette)
        versions = ", ".join(f"{name} {each}" for name, each in sdk.versions.items())
        agree = [one.pop("agrees") for one in read]
        digest = hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
        differs = f"sdk-differs: {sdk.name} reads something else than harness"
        return versions, digest[:32], [differs] * agree.count(False)
    return "", "", [f"sdk-missing: {text}" for text in missing[before:] or missing[:1]]


@cache
def _sdks() -> tuple[Sdks, list[str]]:
    missing: list[str] = []
    return Sdks(missing.append), missing


def _failures(judge: Judge, relation: str, fed: FuzzInput) -> Iterator[str]:
    if relation != "faults":
        failure = judge.judge(relation, fed)
        if failure is not None:
            yield f"{relation}: {failure.kind}"
        return
    for name in faults_of("chat"):
        failure = judge.judge(relation, fed, fault=parse_fault(name))
        if failure is not None:
            yield f"faults: {failure.kind} (--fault {failure.fault or name})"


def _arrivals(
    judge: Judge, summary: ExchangeSummary, check: str
) -> Iterator[FuzzInput]:
    level = judge.consumer.level
    if level is Level.HANDLER:
        for message in summary.choices.values():
            for call in message.calls:
                if call.arguments:
                    yield tuple(call.arguments)
        return
    recorded = recorded_payloads(StreamReader(summary.exchange, None, api=summary.api))
    if not recorded:
        return
    for split in _SPLITS if check == "splits" else _SPLITS[:1]:
        fed = payloads_of(cut_chunks(parse_split(split), chunks_of(recorded)))
        yield tuple(event_bytes(fed)) if level is Level.BYTES else fed
