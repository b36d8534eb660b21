"""`harness sweep`: every stream of a corpus, on all cores or a cluster."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, say, write
from harness.cli.engine_options import ENGINE, refuse_below
from harness.cli.options import Options, option, takes
from harness.errors import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Task

    from harness.corpus.engines import Engine
    from harness.corpus.opening import Corpus, Entry
    from harness.corpus.rows import Row, Rows
    from harness.corpus.sweep_summary import Comparison, Summary
    from harness.corpus.sweeping import Plan
    from harness.corpus.worker import Job

_SHOWN_CHANGES = 50


class SweepOptions(Options):
    """The options of `harness sweep`, as they were given."""

    checks: str = option(
        "Of check, scan, replay, drift (what the vendor's SDK reads, for --against), "
        "splits, faults; and consumer, which asks MODULE:NAME.",
        "--do",
        default="check,scan,replay",
        metavar="CHECK,...",
    )
    output: str = option(
        "Where the rows go: .jsonl or .parquet, at any URL.",
        required=True,
        metavar="ROWS",
    )
    against: str | None = option(
        "Compare with the rows of an earlier sweep: what changed, and by which reader.",
        metavar="ROWS",
    )
    new_since: str | None = option(
        "Leave out files that are not newer; a FILE holds the time and moves on with "
        "each complete sweep.",
        metavar="TIME|FILE",
    )
    examples: str | None = option(
        "Write the smallest failing streams of each kind there, as cassettes.",
        metavar="DIR",
    )
    example_count: int = option(
        "How many of each kind.", least=1, default=20, metavar=None
    )
    engine_of: Callable[[Job], Engine] = ENGINE
    as_json: bool = option("Print the summary as JSON.", "--json")
    quiet: bool = option("No progress.")


@click.command("sweep", no_args_is_help=True)
@click.argument("corpus")
@click.argument("consumer", required=False, metavar="[MODULE:NAME]")
@takes(SweepOptions)
def command(corpus: str, consumer: str | None, options: SweepOptions) -> int:
    """Check, scan, replay and vary every stream of a corpus; a row of results each.

    CORPUS is a folder of recordings, an archive or a Parquet data set, at any URL that
    fsspec opens (s3://, gs://, abfs://, https://). The rows have the order of the
    corpus, whatever worked on it. Ctrl-C keeps what is done, and the same command goes
    on from there. A stream that hangs or takes too much memory is set apart, named,
    and the sweep goes on. Exit code 1 if a stream fails a check or changed its
    answer, 2 if one was set apart.

    \b
    Examples:
      harness sweep recordings --output rows.jsonl
      harness sweep s3://bucket/day --do replay --output rows.parquet --dask local
      harness sweep packed my.agent:Reader --do consumer --output rows.jsonl
      harness sweep packed --output new.jsonl --against old.jsonl
    """
    from harness.corpus.new_since import Mark
    from harness.corpus.opening import Corpus
    from harness.corpus.places import Place
    from harness.corpus.rows import Rows, read_rows
    from harness.corpus.sweep_summary import Comparison, Summary

    plan = _plan(options.checks, consumer)
    mark = None if options.new_since is None else Mark(options.new_since)
    opened = Corpus(corpus, None if mark is None else mark.is_new)
    rows = Rows(options.output)
    against, examples = options.against, options.examples
    if against and Place(against).is_below(Place(options.output)):
        raise click.UsageError(
            f"--against {against}: is the output; name the rows of an earlier sweep"
        )
    if examples and Place(examples).is_file():
        raise click.UsageError(f"--examples {examples}: is a file; name a folder")
    summary = Summary(options.example_count if examples else 0)
    comparison = None if against is None else Comparison(read_rows(Place(against)))
    refuse_below(opened.place, options.output, "--output")
    if examples:
        refuse_below(opened.place, examples, "--examples")
    with ExitStack() as stack:
        engine = stack.enter_context(options.engine_of(plan))
        advance = stack.enter_context(_progress(opened, is_quiet=options.quiet))
        try:
            sweep = _Sweep(rows, summary, comparison, advance)
            sweep.run(opened, plan, engine)
        except KeyboardInterrupt:
            rows.flush()
            say(
                f"the rows of what is done are in {rows.spool}; "
                "the same command goes on from there"
            )
            raise
    rows.finish()
    if mark is not None:
        mark.move(opened.seen)
    if examples:
        _write_examples(opened, summary, examples)
    code = _report(summary, comparison, opened, as_json=options.as_json)
    if sweep.known:
        say(
            f"{counted(sweep.known, 'row')} of it were in {options.output} before, and "
            "not worked on again: for that, name another --output"
        )
    if not summary.streams and mark is None:
        complain(f"{opened.place.shown}: there is no recording in it")
        return Exit.UNUSABLE
    return code


def _plan(checks: str, consumer: str | None) -> Plan:
    from harness.corpus.sweeping import Plan

    names = tuple(dict.fromkeys(name.strip() for name in checks.split(",")))
    asks = "consumer" in names
    if asks != (consumer is not None):
        raise click.UsageError(
            "--do consumer asks a consumer: name it after the corpus, as MODULE:NAME"
            if asks
            else f"{consumer} is asked nothing: add `consumer` to --do"
        )
    plan = Plan(tuple(name for name in names if name != "consumer"), consumer or "")
    plan.prepare()
    return plan


@dataclass(eq=False)
class _Sweep:
    """Goes through a corpus: what is stored already, then what is left."""

    rows: Rows
    summary: Summary
    comparison: Comparison | None
    advance: Callable[[], None]
    _changes: int = field(init=False, default=0)
    known: int = field(init=False, default=0)
    """How many rows were stored before."""

    def run(self, corpus: Corpus, plan: Plan, engine: Engine) -> None:
        for _, results in engine.run(self._left(corpus, plan)):
            self.rows.add(results)
            self._count(results)
        if self.comparison is not None:
            for line in self.comparison.rest():
                self._show(line)
            if self._changes > _SHOWN_CHANGES:
                write(f"and {self._changes - _SHOWN_CHANGES} more streams changed")

    def _left(self, corpus: Corpus, plan: Plan) -> Iterator[Entry]:
        from harness.corpus.rows import remaining

        for each in remaining(corpus.entries(), iter(self.rows), plan.names):
            if isinstance(each, dict):
                self._count([each])
                self.known += 1
            else:
                yield each

    def _count(self, rows: list[Row]) -> None:
        for row in rows:
            self.summary.add(row)
            if self.comparison is not None:
                self._show(self.comparison.add(row))
        self.advance()

    def _show(self, line: str) -> None:
        if line:
            self._changes += 1
            if self._changes <= _SHOWN_CHANGES:
                write(line)


@contextmanager
def _progress(corpus: Corpus, *, is_quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a bar with rate and ETA on a terminal, else nothing; gives `advance`."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.speed  # not known before some have been worked on
            return Text("" if speed is None else f"{speed:.0f}/s")

    bar = Progress(
        TextColumn("sweep"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("sweep", total=corpus.count())
    with bar:
        yield lambda: bar.advance(task)


def _write_examples(corpus: Corpus, summary: Summary, folder: str) -> None:
    from harness.corpus.packing import chosen, write_cassettes
    from harness.corpus.places import Place

    kinds = summary.examples
    wanted = {name for names in kinds.values() for name in names}
    if not wanted:
        return
    place = Place(folder)
    count = write_cassettes(chosen(corpus, wanted), place)
    place.write(json.dumps(kinds, indent=1).encode(), "kinds.json")
    say(f"{count} failing streams are in {place.shown}, by kind in kinds.json")


def _report(
    summary: Summary, comparison: Comparison | None, corpus: Corpus, *, as_json: bool
) -> int:
    if as_json:
        result = summary.to_dict()
        result["passed_over"] = corpus.passed_over
        if comparison is not None:
            result["changed"] = dict(comparison.changes)
            result["new"], result["gone"] = comparison.new, comparison.gone
        click.echo(json.dumps(result, indent=1))
    else:
        for line in summary.lines():
            write(line)
        if comparison is not None:
            for doing, count in comparison.changes.most_common():
                write(f"changed: {count}: {doing}")
            write(f"streams: {comparison.new} new, {comparison.gone} gone")
    apart = sum(summary.apart.values())
    other = summary.no_recordings + corpus.passed_over
    say(
        f"{summary.streams} streams, {summary.failing} failing, {apart} set apart; "
        f"{counted(other, 'file')} without a recording; {summary.seconds:.1f} core "
        "seconds"
    )
    if apart:
        complain(
            f"{apart} could not be worked on; their rows have the reason (`apart`)"
        )
        return Exit.UNUSABLE
    has_changed = comparison is not None and comparison.changes.total() > 0
    return Exit.FINDINGS if summary.failing or has_changed else Exit.DONE
