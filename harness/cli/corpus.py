"""`harness corpus`: pack many recordings into a data set, and look into one."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain, say, write
from harness.cli.engine_options import ENGINE, refuse_below
from harness.cli.options import PERSONAL, Options, option, takes
from harness.errors import CassetteError, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.corpus.engines import Engine
    from harness.corpus.stream_rows import Stream
    from harness.corpus.worker import Job

_LABELS = ("api", "provider", "model", "shape")


@click.group("corpus", no_args_is_help=True)
def command() -> None:
    """Pack recordings into a data set; list, count, sample and unpack corpora.

    A corpus is a folder of recordings in any format that `harness replay` reads, as
    they are, .gz or .zst, or in a .zip or .tar; or a Parquet data set, one row a
    stream; at any URL that fsspec opens. `harness sweep` works on all of it.

    \b
    Examples:
      harness corpus pack recordings -o packed
      harness corpus stats packed
      harness corpus sample packed --by api,shape -n 50 -o cassettes/sample
    """


class PackOptions(Options):
    """The options of `harness corpus pack`, as they were given."""

    output: str = option(
        "The folder it goes to.", "-o", "--output", required=True, metavar="TARGET"
    )
    personal: tuple[str, ...] = option(
        "Remove personal data of this kind, too; may be given twice.", of=PERSONAL
    )
    engine_of: Callable[[Job], Engine] = ENGINE


@command.command("pack", no_args_is_help=True)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@takes(PackOptions)
def pack_command(sources: tuple[str, ...], options: PackOptions) -> int:
    """Pack recordings into a Parquet data set.

    They are redacted, and each stream is there once. The same command goes on where
    an earlier one was interrupted, and adds what is new: files of the same name and
    size are not read again. A recording that cannot be read is named, tried again
    next time, and makes the exit code 2.

    \b
    Examples:
      harness corpus pack recordings -o packed
      harness corpus pack s3://logs/2026-01 old.tar.gz -o s3://bucket/packed
    """
    from harness.corpus.packing import PackJob, pack
    from harness.corpus.places import Place

    for source in sources:
        refuse_below(Place(source), options.output, "--output")
    job = PackJob(frozenset(options.personal))
    packed = pack(sources, options.output, options.engine_of, job)
    for problem in packed.problems:
        complain(problem)
    say(
        f"{counted(packed.streams, 'stream')} packed, {packed.duplicates} were there "
        f"already; {packed.skipped} files were packed before, {packed.passed_over} are "
        f"no recordings, {len(packed.problems)} could not be read"
    )
    return Exit.UNUSABLE if packed.problems else Exit.DONE


@command.command("unpack", no_args_is_help=True)
@click.argument("corpus")
@click.option(
    "-o", "--output", required=True, metavar="DIR", help="The folder they go to."
)
def unpack_command(corpus: str, output: str) -> int:
    """Write each stream of a corpus as a cassette of its own.

    Its id is its name.
    """
    from harness.corpus.packing import write_cassettes
    from harness.corpus.places import Place

    reading = _Reading(corpus)
    count = write_cassettes(reading.streams(), Place(output))
    say(f"{counted(count, 'cassette')} written")
    return reading.code


@command.command("ls", no_args_is_help=True)
@click.argument("corpus")
def ls_command(corpus: str) -> int:
    """List the streams of a corpus, one line each.

    A line is id, API, provider, model, shape, bytes and source.
    """
    reading = _Reading(corpus)
    for stream in reading.streams():
        labels = stream.labels
        cells = (
            stream.id,
            *(getattr(labels, name) or "-" for name in _LABELS),
            str(len(stream.exchange.response.body)),
            labels.source,
        )
        write("  ".join(cells))
    return reading.code


@command.command("stats", no_args_is_help=True)
@click.argument("corpus")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats_command(corpus: str, *, as_json: bool) -> int:
    """Count the streams of a corpus by API, provider, model and shape."""
    from harness.corpus.sweep_summary import counts_line

    reading = _Reading(corpus)
    counts: dict[str, Counter[str]] = {name: Counter() for name in _LABELS}
    streams = size = 0
    for stream in reading.streams():
        streams += 1
        size += len(stream.exchange.response.body)
        for name, counter in counts.items():
            counter[getattr(stream.labels, name) or "none"] += 1
    if as_json:
        by = {name: dict(counter.most_common()) for name, counter in counts.items()}
        click.echo(json.dumps({"streams": streams, "bytes": size, **by}, indent=1))
        return reading.code
    write(f"{counted(streams, 'stream')}, {size} bytes of answers")
    for name, counter in counts.items():
        write(counts_line(f"by {name}", counter))
    return reading.code


@command.command("sample", no_args_is_help=True)
@click.argument("corpus")
@click.option(
    "--by",
    default="api,provider,shape",
    show_default=True,
    metavar="LABEL,...",
    help=f"What makes a group: of {', '.join(_LABELS)}.",
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Of all.",
)
@click.option("-o", "--output", metavar="DIR", help="Write them there, as cassettes.")
def sample_command(corpus: str, by: str, count: int, output: str | None) -> int:
    """Choose streams evenly from each group, the same each time.

    \b
    Examples:
      harness corpus sample packed --by api,shape -n 50 -o cassettes/sample
    """
    from harness.corpus.packing import chosen, sample, write_cassettes
    from harness.corpus.places import Place

    labels = tuple(name.strip() for name in by.split(","))
    for name in labels:
        if name not in _LABELS:
            raise click.UsageError(f"--by {name}: expected of {', '.join(_LABELS)}")
    reading = _Reading(corpus)
    found = sample(reading.corpus, labels, count, reading.report)
    for group, name in found:
        write("  ".join([name, *(value or "-" for value in group)]))
    if output is not None:
        ids = {name for _, name in found}
        written = write_cassettes(chosen(reading.corpus, ids), Place(output))
        say(f"{counted(written, 'cassette')} written")
    return reading.code


class _Reading:
    """A corpus that is read; what cannot be read is named and makes the code 2."""

    def __init__(self, url: str) -> None:
        from harness.corpus.opening import Corpus

        self.corpus = Corpus(url)
        self.code = Exit.DONE

    def streams(self) -> Iterator[Stream]:
        from harness.corpus.packing import iter_streams

        yield from iter_streams(self.corpus, self.report)

    def report(self, error: CassetteError) -> None:
        complain(str(error))
        self.code = Exit.UNUSABLE
