"""`harness replay`: a recording through an interface, printed as it comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from harness.cli.jobs import jobs_option
from harness.cli.look import look, wants_to_look
from harness.cli.options import (
    API,
    DIALECT,
    MODE,
    REASONING,
    agent_options,
    exchange_option,
)
from harness.cli.output import apart
from harness.cli.replay_run import Run

if TYPE_CHECKING:
    from harness.engine.agent_options import AgentOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """The options of `harness replay`, as they were given."""

    interface: str
    mode: str | None
    agent: AgentOptions
    inner_thoughts: bool
    single_step: bool
    split: str
    api: str | None
    dialect: str | None
    fault: str | None
    exchange: int | None
    reasoning: bool
    form: str
    rows: str | None
    around: int | None
    until: int | None
    step: bool
    strict: bool
    quiet: bool
    jobs: int

    def to_agent(self) -> AgentOptions:
        """Return what agent and interface agree on."""
        return replace(
            self.agent,
            inner_thoughts=self.inner_thoughts,
            multi_step=not self.single_step,
        )


@click.command(
    "replay",
    no_args_is_help=True,
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--interface",
    default="streaming",
    show_default=True,
    metavar="streaming|queuing|both|MODULE:NAME",
    help="The consumer: one of ours, both, or your own (the current folder is "
    "importable).",
)
@click.option(
    "--mode",
    type=MODE,
    help="How a streaming interface is used.  [default: tokens]",
)
@agent_options
@click.option(
    "--inner-thoughts",
    is_flag=True,
    help="Every function has an argument `inner_thoughts`: emit it as such.",
)
@click.option("--single-step", is_flag=True, help="Stop after the first step.")
@click.option(
    "--split",
    default="recorded",
    show_default=True,
    metavar="recorded|whole|chars|N|random:SEED|...",
    help="Cut the text otherwise: N is code points a fragment.",
)
@click.option(
    "--api",
    type=API,
    help="Restate the recording in this API; --dialect and --fault are then its own.",
)
@DIALECT
@click.option(
    "--fault",
    metavar="NAME[:K]",
    help="Break the stream at K; several joined by +.",
)
@exchange_option("Replay")
@REASONING
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "jsonl", "sse")),
    default="table",
    show_default=True,
    help="How emissions are printed.",
)
@click.option(
    "--rows",
    type=click.Choice(("run", "chunk")),
    help="A table row for each run of like emissions, or for each emission.  "
    "[default: run on a terminal, chunk elsewhere]",
)
@click.option(
    "--around",
    type=click.IntRange(min=0),
    metavar="N",
    help="Show chunk N and its neighbours: raw, states, calls, emissions.",
)
@click.option(
    "--until",
    type=click.IntRange(min=0),
    metavar="N",
    help="Show the chunks up to N in a line each, then chunk N in full.",
)
@click.option("--step", is_flag=True, help="Step through one exchange, both ways.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 on diagnostics that hurt a client (no mere notes).",
)
@click.option(
    "--quiet", is_flag=True, help="Print emissions and errors only: no diagnostics."
)
@jobs_option
def command(paths: tuple[str, ...], **given: Any) -> int:
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
        if len(own) > 1 or given["interface"] != "streaming" or not paths:
            raise click.UsageError(
                f"expected recordings and one interface, got {', '.join(own)} as well"
            )
        given["interface"] = own[0]
    options = ReplayOptions(**given)
    if options.mode and options.interface == "queuing":
        raise click.UsageError(
            "--mode is for a streaming interface; with --interface queuing it has no "
            "meaning (leave it out, or use --interface both)"
        )
    run = Run(options)
    if wants_to_look(options):
        return look(paths, run.interfaces, run.variation, options)
    return run.replay_all(paths)
