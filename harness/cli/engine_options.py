"""The options that choose and bound who works on a corpus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import Number, Options, group, option

if TYPE_CHECKING:
    from harness.corpus.engines import Engine
    from harness.corpus.places import Place
    from harness.corpus.worker import Job

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class _Size(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on
    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:  # noqa: ARG002 - click's
        text = str(value).upper().removesuffix("B")
        number = text.rstrip("KMG")
        unit = text[len(number) :]
        if not (number.isascii() and number.isdigit()) or unit not in _UNITS:
            self.fail(f"expected a number of bytes such as 512M or 2G, got {value!r}")
        return int(number) * _UNITS[unit]


class _Engine(Options):
    jobs: int | None = option(
        "Worker processes on this machine.  [default: one a core]", least=1
    )
    dask: str | None = option(
        "Work on a Dask cluster instead: its scheduler, or one that is started here "
        "(with --jobs workers).",
        metavar="ADDRESS|local",
    )
    seconds: float = option(
        "Set a recording apart that takes longer.",
        type=Number(0, min_open=True),
        default=60.0,
    )
    memory: int = option(
        "Set a recording apart that makes a worker process larger; 0 sets no limit.",
        type=_Size(),
        metavar=None,
        default="2G",
    )


def _engine(options: _Engine, job: Job) -> Engine:
    from harness.corpus.engines import engine_for
    from harness.corpus.worker import Limits

    limits = Limits(options.seconds, options.memory)
    return engine_for(job, limits, jobs=options.jobs, dask=options.dask)


ENGINE = group(_Engine, lambda options: partial(_engine, options))
"""The options of an engine, as what makes one for a job."""


def refuse_below(source: Place, target: str, option: str) -> None:
    """Refuse to write into what is read: the next run would read it, too.

    Raises:
        UsageError: The target is the source, or below it.
    """
    from harness.corpus.places import Place
    from harness.errors import UsageError

    written = Place(target)
    if written.is_below(source):
        raise UsageError(
            f"{option} {written.shown} lies in {source.shown}, which is read; name a "
            "place outside of it"
        )
