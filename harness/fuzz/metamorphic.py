"""Relations between several inputs or several readers, asked by the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.json_values import parsed
from harness.debug.outcomes import Outcome
from harness.errors import counted
from harness.fuzz.called_consumers import CalledConsumer
from harness.fuzz.relations import Failure, difference

if TYPE_CHECKING:
    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.judge import Judge


def closing(judge: Judge, fed: FuzzInput) -> Failure | None:
    """Close what it yields early, as a caller does that has seen enough."""
    consumer = judge.consumer
    if not isinstance(consumer, CalledConsumer):
        return None
    whole = judge.run(fed)
    for taken in range(1, 4):
        got = consumer.closed(fed, taken)
        raised = got.raised
        if raised is None or whole.raised is not None:
            continue
        if raised.is_accident or raised.kind == "RuntimeError":
            return Failure(
                "closing",
                f"raises {raised.kind} when it is closed early",
                fed,
                got,
                Outcome(),
                note=f"an end in peace: it was closed after {taken} of its items",
            )
    return None


def earliness(judge: Judge, fed: FuzzInput) -> Failure | None:
    """Look how many events late a text is shown that has come."""
    kind = judge.shows().content
    whole_text = judge.run(fed).texts.get(kind or "", "")
    if kind is None or whole_text != judge.truth(fed).text:
        return None
    came = [judge.truth(fed[:n]).text for n in range(1, len(fed) + 1)]
    shown = [
        judge.run(fed[:n], is_beginning=True).texts.get(kind, "")
        for n in range(1, len(fed) + 1)
    ]
    late, at = 0, 0
    for number, text in enumerate(came):
        when = next((n for n, s in enumerate(shown) if len(s) >= len(text)), len(shown))
        if when - number > late:
            late, at = when - number, number
    if not late:
        return None
    return Failure(
        "earliness",
        f"shows text {counted(late, 'event')} late",
        fed[: at + 1],
        Outcome({kind: shown[at]} if shown[at] else {}),
        Outcome({kind: came[at]}),
        reference=fed,
        base=fed,
        note="all text that had come by then",
    )


def translation(judge: Judge, fed: FuzzInput) -> Failure | None:
    """Write the same answer in the other APIs that the consumer takes."""
    from harness.fuzz.api_inputs import answer_of, written, written_bytes

    write = written_bytes if judge.consumer.level.reads_bytes else written
    answer = answer_of(judge.api, fed)
    got = judge.run(fed).as_json()
    for other in judge.consumer.apis[1:]:
        reference = write(other, answer)
        expected = judge.run(reference).as_json()
        if got.raised is not None and expected.raised is not None:
            continue
        kind = difference(got, expected)
        if kind is not None:
            return Failure(
                "translation",
                kind,
                fed,
                got,
                expected,
                reference=reference,
                note=f"the same answer by {other}",
            )
    return None


def interfaces(judge: Judge, fed: FuzzInput) -> Failure | None:
    """Compare our own two interfaces."""
    from harness.fuzz.consumers import consumer_of

    if judge.own is None:
        queuing, streaming = (consumer_of(n, n) for n in ("queuing", "streaming"))
        judge.own = queuing, streaming
    queued, streamed = (consumer.run(fed) for consumer in judge.own)
    texts = {k: v for k, v in queued.texts.items() if k != "assistant_message"}
    return judge.compare(
        "interfaces",
        fed,
        Outcome(texts, (), queued.raised),
        Outcome(_queued(streamed), (), streamed.raised),
        note="said by the streaming interface, written as the queue writes it",
    )


def _queued(streamed: Outcome) -> dict[str, str]:
    """Write what was streamed as the queuing interface does."""
    texts = dict(streamed.texts)
    calls = "".join(f"{call.name}({_repr(call.arguments)})" for call in streamed.calls)
    if calls:
        texts["function_call"] = calls
    return texts


def _repr(arguments: str) -> str:
    value = parsed(arguments)
    return repr(value) if isinstance(value, dict) else arguments
