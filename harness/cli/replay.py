"""`harness replay`: a recording through an interface, printed as it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from harness.cli.look import look, ways_to_look
from harness.cli.options import (
    AGENT,
    API,
    DIALECT,
    JOBS,
    MODE,
    REASONING,
    Options,
    exchange_option,
    option,
    takes,
)
from harness.cli.output import apart
from harness.cli.replay_run import Run

if TYPE_CHECKING:
    from harness.engine.agent_options import AgentOptions


class ReplayOptions(Options):
    """The options of `harness replay`, as they were given."""

    interface: str = option(
        "The consumer: one of ours, both, or your own (the current folder is "
        "importable).",
        default="streaming",
        metavar="streaming|queuing|both|MODULE:NAME",
    )
    mode: str | None = option(
        "How a streaming interface is used.  [default: tokens]", of=MODE
    )
    agent: AgentOptions = AGENT
    inner_thoughts: bool = option(
        "Every function has an argument `inner_thoughts`: emit it as such."
    )
    single_step: bool = option("Stop after the first step.")
    split: str = option(
        "Cut the text otherwise: N is code points a fragment.",
        default="recorded",
        metavar="recorded|whole|chars|N|random:SEED|...",
    )
    api: str | None = option(
        "Restate the recording in this API; --dialect and --fault are then its own.",
        of=API,
    )
    dialect: str | None = DIALECT
    fault: str | None = option(
        "Break the stream at K; several joined by +.", metavar="NAME[:K]"
    )
    exchange: int | None = exchange_option("Replay")
    reasoning: bool = REASONING
    form: str = option(
        "How emissions are printed.",
        "--format",
        of=("table", "jsonl", "sse"),
        default="table",
    )
    rows: str | None = option(
        "A table row for each run of like emissions, or for each emission.  "
        "[default: run on a terminal, chunk elsewhere]",
        of=("run", "chunk"),
    )
    around: int | None = option(
        "Show chunk N and its neighbours: raw, states, calls, emissions.", least=0
    )
    until: int | None = option(
        "Show the chunks up to N in a line each, then chunk N in full.", least=0
    )
    step: bool = option("Step through one exchange, both ways.")
    strict: bool = option(
        "Exit with 1 on diagnostics that hurt a client (no mere notes)."
    )
    quiet: bool = option("Print emissions and errors only: no diagnostics.")
    jobs: int = JOBS

    def to_agent(self) -> AgentOptions:
        """Return what agent and interface agree on."""
        return replace(
            self.agent,
            inner_thoughts=self.inner_thoughts,
            multi_step=not self.single_step,
        )


@click.command("replay", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@takes(ReplayOptions)
def command(paths: tuple[str, ...], options: ReplayOptions) -> int:
    """Replay recordings and print what an agent's client would have seen.

    PATH is a cassette (vcrpy's YAML or JSON), event stream text as `curl -N` saves
    it, JSON lines of chunks, a folder of cassettes, or - for standard input. A
    MODULE:NAME beside them is your own interface, as with --interface.

    \b
    Examples:
      harness replay cassettes/llama-server/plain-text.yaml
      harness replay cassettes/llama-server/three-steps.yaml my.agent:Interface
      harness replay cassettes --interface both --format jsonl
      harness replay broken.yaml --assistant-message --split chars --strict
      curl -N ... | harness replay -
    """
    paths, own = apart(paths)
    if own:
        if len(own) > 1 or options.interface != "streaming" or not paths:
            raise click.UsageError(
                f"expected recordings and one interface, got {', '.join(own)} as well"
            )
        options = options.but(interface=own[0])
    if options.mode and options.interface == "queuing":
        raise click.UsageError(
            "--mode is for a streaming interface; with --interface queuing it has no "
            "meaning (leave it out, or use --interface both)"
        )
    if options.rows and options.form != "table":
        raise click.UsageError("--rows is for --format table; leave it out")
    run = Run(options)
    if ways_to_look(options):
        return look(paths, run.interfaces, run.variation, options)
    return run.replay_all(paths)
