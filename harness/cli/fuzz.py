"""`harness fuzz`: cut, reframe and break streams until a consumer disagrees."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from harness.cli.console import Exit, complain, printable, say

if TYPE_CHECKING:
    from harness.fuzz.arrivals import Arrival
    from harness.fuzz.campaign import Tried
    from harness.fuzz.judging import Judge
    from harness.fuzz.relations import Failure

_LEVELS = ("handler", "interface", "chunks", "bytes", "url")
_DEFAULT_EXAMPLES = 20_000


@click.command("fuzz", no_args_is_help=True)
@click.argument("target", metavar="TARGET")
@click.argument("paths", nargs=-1, metavar="[CASSETTE]...")
@click.option(
    "--as",
    "--level",
    "level",
    type=click.Choice(_LEVELS),
    help="How the consumer is fed.  [default: by what it offers]",
)
@click.option(
    "--chunks",
    type=click.Choice(("dict", "sdk", "model")),
    help="What a callable gets as chunks: dicts, or objects of the OpenAI SDK or ours."
    "  [default: by its annotation, else dict]",
)
@click.option("--key", metavar="NAME", help="The key whose text a handler returns.")
@click.option(
    "--relations",
    metavar="NAME,NAME",
    help="What must hold.  [default: all that the level has]",
)
@click.option(
    "--max-examples",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Stop after N runs of the consumer.  [default: {_DEFAULT_EXAMPLES}, "
    "none with --time]",
)
@click.option(
    "--time",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop after so long.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=(1 << 64) - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Decides everything that is random.",
)
@click.option(
    "--findings",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Stop after N different failures.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False),
    default=".",
    show_default=True,
    metavar="DIR",
    help="Where minimal cassettes are written.",
)
@click.option(
    "--assistant-message/--no-assistant-message",
    default=False,
    show_default=True,
    help="Make an interface that emits the assistant function's text as messages.",
)
@click.option(
    "--assistant-function",
    default="send_message",
    show_default=True,
    metavar="NAME",
    help="The function whose call is the agent's answer.",
)
@click.option(
    "--assistant-argument",
    default="message",
    show_default=True,
    metavar="NAME",
    help="The argument of that function that holds the text.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
def command(target: str, paths: tuple[str, ...], **options: Any) -> int:
    """Cut, reframe and break streams until a consumer answers differently.

    TARGET is streaming, queuing or MODULE:NAME (the current folder is importable): a
    class, a factory, an object, or a function of an iterator of chunks. CASSETTE is a
    recording or a folder of them; without one, streams made for this are used.

    \b
    Relations:
      split-invariance    where the text was cut makes no difference
      dialect-invariance  which provider sends it makes no difference
      agreement           the answer is that of the whole, parsed at once
      nothing-lost        all content and every call is somewhere in it
      prefix-safety       nothing that was emitted is taken back
      faults              a broken stream leads to no exception but a meant one
      interfaces          the streaming and the queuing interface agree

    \b
    Examples:
      harness fuzz harness:FunctionArgumentsStreamHandler --max-examples 100000
      harness fuzz streaming cassettes --time 60
      harness fuzz my_agent.stream:read --as chunks --chunks sdk
    """
    from harness.fuzz.campaign import Campaign, Plan
    from harness.fuzz.checking import judge_of
    from harness.fuzz.consumers import import_target

    judge = judge_of(import_target(target), _wanted(options), target)
    limit = options["max_examples"]
    if limit is None and options["seconds"] is None:
        limit = _DEFAULT_EXAMPLES
    plan = Plan(
        relations=_relations(options["relations"], judge, target),
        seed=options["seed"],
        max_examples=limit,
        time_s=options["seconds"],
        findings=options["findings"],
    )
    campaign = Campaign(
        judge,
        plan,
        _recordings(paths),
        progress=None if options["quiet"] else _Progress(plan.time_s, limit),
    )
    failures = campaign.run()
    for failure in failures:
        _show(failure, judge, target, options)
    _summarise(campaign.tried, judge, plan.seed)
    return Exit.FINDINGS if failures else Exit.DONE


def _wanted(options: dict[str, Any]) -> Any:
    from harness.engine.targets import AgentOptions
    from harness.fuzz.consumers import Wanted
    from harness.fuzz.driving import Level

    return Wanted(
        Level(options["level"]) if options["level"] else None,
        options["chunks"],
        options["key"],
        AgentOptions(
            use_assistant_message=options["assistant_message"],
            assistant_function=options["assistant_function"],
            assistant_argument=options["assistant_argument"],
        ),
    )


def _relations(text: str | None, judge: Judge, target: str) -> tuple[str, ...]:
    from harness.errors import UsageError
    from harness.fuzz.driving import OwnInterface, StepInterface
    from harness.fuzz.relations import RELATIONS

    consumer = judge.consumer
    is_own = isinstance(consumer, OwnInterface) or (
        isinstance(consumer, StepInterface) and target == "queuing"
    )
    offered = [
        relation.name
        for relation in RELATIONS.values()
        if consumer.level in relation.levels
        and (relation.name != "interfaces" or is_own)
    ]
    if text is None:
        return tuple(offered)
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in offered:
            raise UsageError(
                f"--relations {text!r}: at this level ({consumer.level}) there are "
                f"{', '.join(offered)}; got {name!r}"
            )
    return tuple(names)


def _recordings(paths: tuple[str, ...]) -> dict[str, Arrival]:
    """Read every stream of the recordings that were named."""
    from harness.cassettes.library import find_cassettes
    from harness.errors import CassetteError

    streams: dict[str, Arrival] = {}
    for path in paths:
        found = find_cassettes(path)
        for name in found:
            try:
                streams |= _streams_of(name)
            except CassetteError as error:
                if name == path:
                    raise
                say(str(error))
    if paths and not streams:
        raise CassetteError(paths[0], "no streamed chat completion to fuzz with")
    return streams


def _streams_of(path: str) -> dict[str, Arrival]:
    from harness.cassettes.classify import Kind, classify
    from harness.cassettes.load import load_cassette
    from harness.engine.stream import StreamReader
    from harness.fuzz.arrivals import payloads_of

    streams = {}
    for exchange in load_cassette(path).exchanges:
        if classify(exchange).kind is Kind.STREAM:
            payloads = payloads_of(StreamReader(exchange, None))
            if payloads:
                streams[f"{path}#{exchange.index}"] = payloads
    return streams


class _Progress:
    """A line on standard error now and then; one that is rewritten on a terminal."""

    def __init__(self, time_s: float | None, examples: int | None) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._pause_s = 0.2 if self._is_terminal else 10.0
        self._started = self._last = time.monotonic()
        self._goal = f" of {examples}" if examples and time_s is None else ""
        self._limit = f" of {time_s:g}" if time_s is not None else ""

    def __call__(self, tried: Tried) -> None:
        now = time.monotonic()
        if now - self._last < self._pause_s:
            return
        self._last = now
        line = (
            f"{tried.examples}{self._goal} examples, {len(tried.streams)} streams, "
            f"{now - self._started:.0f}{self._limit} s"
        )
        if self._is_terminal:
            sys.stderr.write(f"\r{line}\x1b[K")
            sys.stderr.flush()
        else:
            say(line)


def _show(failure: Failure, judge: Judge, target: str, options: dict[str, Any]) -> None:
    from harness.fuzz.reporting import describe, pytest_of, save

    if sys.stderr.isatty() and not options["quiet"]:
        sys.stderr.write("\r\x1b[K")
    for line in describe(failure):
        click.echo(printable(line))
    path = save(failure, options["output"], judge.key)
    click.echo(f"\ncassette: {printable(path)}")
    click.echo("test:\n")
    text = pytest_of(
        failure,
        judge.consumer,
        target,
        _wanted(options).options,
        level=options["level"],
        chunks=options["chunks"],
        key=options["key"],
    )
    for line in text.split("\n"):
        click.echo(f"    {printable(line)}" if line else "")
    click.echo()


def _summarise(tried: Tried, judge: Judge, seed: int) -> None:
    """Print what was tried, in numbers."""
    from harness.fuzz.reporting import counted

    consumer = judge.consumer
    noun = "argument text" if consumer.level == "handler" else "stream"
    asked = ", ".join(f"{name} {count}" for name, count in tried.relations.items())
    click.echo(
        f"{printable(consumer.name)} ({consumer.level}): {tried.ended}, seed {seed}"
    )
    click.echo(
        f"tried {counted(tried.examples, 'example')}: "
        f"{counted(len(tried.streams), noun)}, {counted(tried.cuts, 'cut')}, "
        f"{counted(len(tried.dialects), 'dialect')}, "
        f"{counted(len(tried.faults), 'fault')}, in {tried.seconds:.1f} s"
    )
    click.echo(f"relations: {asked}")
    if tried.lacks:
        complain(f"{tried.lacks}; install agent-stream-harness[hypothesis]")
    if not tried.is_complete and not tried.ended.endswith("found"):
        complain(
            "not every stream, relation and dialect was tried once; "
            "raise --max-examples or --time"
        )
