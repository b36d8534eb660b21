"""`harness fuzz`: cut, reframe and break streams until a consumer disagrees."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from harness.cli.console import Exit, complain, say
from harness.cli.fuzz_report import Progress, show_failure, summarise
from harness.cli.jobs import each, named
from harness.cli.options import AGENT, Number, Options, given, option, takes
from harness.errors import CassetteError, UsageError, printable

if TYPE_CHECKING:
    from harness.engine.agent_options import AgentOptions
    from harness.fuzz.example_worker import About, Job
    from harness.fuzz.findings import Plan, Tried
    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.relations import Failure
    from harness.fuzz.worker_pool import Pool

_LEVELS = ("handler", "interface", "chunks", "events", "bytes", "url")
_DEFAULT_EXAMPLES = 20_000


class FuzzOptions(Options):
    """The options of `harness fuzz`, as they were given."""

    level: str | None = option(
        "How the consumer is fed; events are the chunks of any API."
        "  [default: by what it offers]",
        "--as",
        "--level",
        of=_LEVELS,
    )
    apis: str | None = option(
        "Whose events it takes: chat, responses, anthropic, gemini; of several, the "
        "first is tried and translated to the others.  [default: by its annotation, "
        "else chat]",
        "--api",
        metavar="NAME,NAME",
    )
    chunks: str | None = option(
        "What a callable gets as chunks: dicts, or objects of the vendor's SDK or of "
        "ours.  [default: by its annotation, else dict]",
        of=("dict", "sdk", "model"),
    )
    gateway: str | None = option(
        "In place of a TARGET: a gateway that COMMAND starts, with {port} and "
        "{upstream}, or by the environment. --api A,B: asked in A, with B underneath.",
        metavar="COMMAND",
    )
    gateway_model: str = option(
        "The model that a gateway is asked for.", default="model", metavar="NAME"
    )
    key: str | None = option("The key whose text a handler returns.", metavar="NAME")
    relations: str | None = option(
        "What must hold.  [default: all that the level has]", metavar="NAME,NAME"
    )
    max_examples: int | None = option(
        f"Stop after N runs of the consumer.  [default: {_DEFAULT_EXAMPLES}, "
        "none with --time]",
        least=1,
    )
    seconds: float | None = option(
        "Stop after so long; imports and the first plain streams do not count.",
        "--time",
        type=Number(min=0, min_open=True),
        metavar="SECONDS",
    )
    timeout_each: float = option(
        "An example that runs longer never ends, which is a finding.",
        type=Number(min=0.1),
        default=5.0,
        metavar="SECONDS",
    )
    jobs: int | None = option(
        "Processes; the same examples find the same with any number of them.  "
        "[default: 1, with --dask local one a core]",
        least=1,
        most=256,
    )
    dask: str | None = option(
        "Run the examples on a Dask cluster, where TARGET is installed: its "
        "scheduler, or one that is started here; they find the same.",
        metavar="ADDRESS|local",
    )
    seed: int = option(
        "Decides everything that is random.", least=0, most=(1 << 64) - 1, default=0
    )
    findings: int = option("Stop after N different failures.", least=1, default=1)
    output: str = option(
        "Where minimal cassettes are written.",
        type=click.Path(file_okay=False),
        default=".",
        metavar="DIR",
    )
    agent: AgentOptions = AGENT
    quiet: bool = option("No progress.")

    def to_level(self) -> str | None:
        """Return the level by its own name."""
        return "chunks" if self.level == "events" else self.level


@click.command("fuzz", no_args_is_help=True)
@click.argument("target", metavar="[TARGET]", required=False)
@click.argument("paths", nargs=-1, metavar="[CASSETTE]...")
@takes(FuzzOptions)
def command(target: str | None, paths: tuple[str, ...], options: FuzzOptions) -> int:
    """Cut, reframe and break streams until a consumer says something else.

    TARGET is streaming, queuing or MODULE:NAME (the current folder is importable): a
    class, a factory, an object, or a function of an iterator of chunks. CASSETTE is a
    recording or a folder of them; without one, streams made for this are used.

    \b
    Relations:
      split-invariance    where the text was cut makes no difference
      dialect-invariance  which provider writes it makes no difference
      agreement           it returns what the whole holds, parsed at once
      nothing-lost        all content and every call is somewhere in it
      prefix-safety       nothing that was shown is taken back
      faults              a broken stream leads to no exception but a meant one
      truncation          a missing end, an error, a cut-off is not shown as complete
      closing             a generator that is closed early raises nothing
      ends                every example comes to an end (--timeout-each)
      interfaces          the streaming and the queuing interface emit the same
      translation         the same answer is the same by every --api
      earliness           text is shown as soon as it has come (only by name)

    The target runs in a process of its own; what it prints goes to standard error.
    Exit 2 if it fails on plain streams, or if not even every stream was tried once.

    \b
    Examples:
      harness fuzz harness:FunctionArgumentsStreamHandler --max-examples 100000
      harness fuzz streaming cassettes --time 60
      harness fuzz my_agent.stream:read --as chunks --chunks sdk
    """
    if options.gateway is not None:
        idle = given("level", "chunks", "key", "jobs", "dask")
        if idle:
            raise click.UsageError(
                f"{', '.join(idle)}: --gateway runs one gateway, here, and asks it "
                "over HTTP; leave this out"
            )
        try:
            is_command = bool(shlex.split(options.gateway))
        except ValueError:  # a quote without its other
            is_command = False
        if not is_command:
            raise click.UsageError(
                f"--gateway {options.gateway!r}: expected a command as a shell reads it"
            )
        first = (target,) if target else ()
        return _fuzz_gateway(options.gateway, (*first, *paths), options)
    if target is None:
        raise click.UsageError("Missing argument 'TARGET' (or --gateway COMMAND).")
    from harness.fuzz.example_worker import Job

    plan = _plan(options)
    job = Job(target, _wanted(options), plan, _recordings(paths), options.timeout_each)
    progress = _progress(plan, options)
    pool = _pool(job, options, progress)
    failures = _run(pool, target, options)
    about = pool.about
    assert about is not None or failures, "it ran, or it hung"
    for failure in failures:
        show_failure(failure, about, target, options)
    if about is not None:
        summarise(pool.tried, about, plan.seed)
    return _code_of(failures, pool.tried)


def _run(pool: Pool, target: str, options: FuzzOptions) -> list[Failure]:
    from harness.fuzz.processes import SetUpError

    try:
        return pool.run()
    except SetUpError as error:
        for line in error.trace.splitlines():
            say(printable(line))
        raise
    except KeyboardInterrupt:  # after hours, perhaps: what was found is not lost
        for failure in pool.failures:
            show_failure(failure, pool.about, target, options)
        raise


def _pool(job: Job, options: FuzzOptions, progress: Progress | None) -> Pool:
    if options.dask is None:
        from harness.fuzz.worker_pool import Pool

        return Pool(job, options.jobs or 1, progress)
    from harness.corpus.cluster_fuzz import ClusterPool

    return ClusterPool(job, options.dask, options.jobs, progress)


def _plan(options: FuzzOptions) -> Plan:
    from harness.fuzz.findings import Plan

    limit = options.max_examples
    if limit is None and options.seconds is None:
        limit = _DEFAULT_EXAMPLES
    names = options.relations
    return Plan(
        relations=() if names is None else tuple(n.strip() for n in names.split(",")),
        seed=options.seed,
        max_examples=limit,
        time_s=options.seconds,
        findings=options.findings,
    )


def _progress(plan: Plan, options: FuzzOptions) -> Progress | None:
    return None if options.quiet else Progress(plan.time_s, plan.max_examples)


def _fuzz_gateway(command: str, paths: tuple[str, ...], options: FuzzOptions) -> int:
    """Fuzz a gateway, in this process: what may hang is a process of its own."""
    from harness.fuzz.campaign import Campaign
    from harness.fuzz.checking import offered
    from harness.fuzz.example_worker import About
    from harness.fuzz.judge import Judge

    try:
        from harness.fuzz.gateway import GatewayConsumer
    except ImportError as error:
        raise UsageError(
            f"--gateway needs {error.name}; install agent-stream-harness[record]"
        ) from None
    apis = _apis(options.apis) or ("chat",)
    if len(apis) > 2:
        raise UsageError(
            f"--api {options.apis!r}: a gateway is asked in one API and asks one other"
        )
    asked, served = apis[0], apis[-1]
    with GatewayConsumer(
        command,
        asked,
        served,
        model=options.gateway_model,
        timeout_s=options.timeout_each,
    ) as gateway:
        judge = Judge(gateway)
        relations = offered(judge, _plan(options).relations or None)
        plan = replace(_plan(options), relations=relations)
        recordings = _recordings(paths)
        progress = _progress(plan, options)
        campaign = Campaign(judge, plan, recordings, progress=progress)
        about = About(gateway.name, gateway.level.value, judge.key, relations, served)
        try:
            campaign.run()
        except KeyboardInterrupt:
            _show_gateway(campaign.failures, command, about, options)
            raise
        shows = judge.shows()
    if not shows.works or shows.is_silent:
        why = f"fails on every plain stream: {shows.raised[0]}" if shows.raised else ""
        complain(f"{gateway.name} {why or 'gives nothing of any plain stream'}")
        return Exit.UNUSABLE
    about = replace(about, shows=shows)
    _show_gateway(campaign.failures, command, about, options)
    summarise(campaign.tried, about, plan.seed)
    return _code_of(campaign.failures, campaign.tried)


def _show_gateway(
    failures: list[Failure], command: str, about: About, options: FuzzOptions
) -> None:
    asked, *_ = _apis(options.apis) or ("chat",)
    model = options.gateway_model
    named = "" if model == "model" else f", model={model!r}"
    made = f"GatewayConsumer({command!r}, {asked!r}, {about.api!r}{named})"
    plain = options.but(apis=None, level=None)
    for failure in failures:
        show_failure(failure, about, f"harness.fuzz.gateway:{made}", plain)


def _code_of(failures: list[Failure], tried: Tried) -> int:
    """Return the exit code; complain where too little was tried to call it passed."""
    if failures or tried.is_past_floor:
        return Exit.FINDINGS if failures else Exit.DONE
    complain(
        f"no result: {tried.examples} examples are too few, the floor is every stream "
        f"once as it is ({len(tried.streams)} of them so far); raise --max-examples "
        "or --time"
    )
    return Exit.UNUSABLE


def _wanted(options: FuzzOptions) -> Any:
    from harness.fuzz.consumers import Wanted
    from harness.fuzz.example_runner import Level

    level = options.to_level()
    return Wanted(
        Level(level) if level else None,
        options.chunks,
        options.key,
        options.agent,
        _apis(options.apis),
    )


def _apis(text: str | None) -> tuple[str, ...]:
    from harness.apis.style import RESTATED

    known = ("chat", *RESTATED)
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    for name in names if text is None else names or ("",):
        if name not in known:
            raise UsageError(
                f"--api {text!r}: expected some of {', '.join(known)}; got {name!r}"
            )
    return names


def _recordings(paths: tuple[str, ...]) -> dict[str, FuzzInput]:
    """Read every stream of the recordings that were named."""
    from harness.cassettes.load import load_cassette
    from harness.fuzz.fuzz_inputs import recorded_streams

    streams: dict[str, FuzzInput] = {}
    found = named(paths)
    for name, streams_of in each(lambda n: recorded_streams(load_cassette(n)), found):
        try:
            streams |= streams_of()
        except CassetteError as error:
            if name in paths:
                raise
            say(str(error))
    if paths and not streams:
        raise CassetteError(paths[0], "no streamed chat completion to fuzz with")
    return streams
