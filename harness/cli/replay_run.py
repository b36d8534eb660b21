"""What `harness replay` does with its recordings, in this process and in others."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from harness.cli.console import Exit, complain_of, say, write
from harness.cli.forms import WRITERS
from harness.cli.jobs import each, named, portable
from harness.cli.options import OURS, mode_of
from harness.cli.output import imports_own_code, out
from harness.errors import (
    CassetteError,
    InterfaceError,
    NothingToReplayError,
    UsageError,
    counted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.cassettes.model import Cassette
    from harness.cli.replay import ReplayOptions
    from harness.engine.replay import Replay
    from harness.engine.transcript import Diagnostic, Emission, ReplayedResponse

T = TypeVar("T")
_COUNTS = ("emissions", "diagnostics", "hurting")


class Run:
    """One invocation: what was asked, what has been found so far."""

    def __init__(self, options: ReplayOptions) -> None:
        from harness.apis.varied import vary

        self.options = options
        split = None if options.split == "recorded" else options.split
        self.variation = vary(split, options.dialect, options.fault, options.api)
        self.is_quiet = options.quiet
        self.cassettes = self.emissions = self.diagnostics = self.hurting = 0
        self.skipped = self.failed = self.unreadable = 0
        self.explained: set[str] = set()  # kinds whose usual cause was printed
        chosen = options.interface
        self.interfaces = list(OURS) if chosen == "both" else [chosen]
        if ":" in chosen:
            imports_own_code()
        self.write = WRITERS[options.form]()
        is_wanted = options.rows == "run" or (options.rows is None and out().isatty())
        self.has_runs = options.form == "table" and is_wanted
        self.has_shown = False  # a view; a blank line is between two
        self.shown: set[str] = set()  # diagnostics of this recording, each shown once
        self.steps: list[str] = []  # what to look at next

    def replay_all(self, paths: tuple[str, ...]) -> int:
        """Replay everything that was named; return the exit code."""
        found = named(paths)
        running = each(
            self._replay_file, found, self.options.jobs, self._there, self._stands
        )
        for path, result in _progress(running, len(found), is_quiet=self.is_quiet):
            try:
                self._merge(result())
                self.cassettes += 1
            except NothingToReplayError as error:
                if path in paths:
                    complain_of(error)
                    self.unreadable += 1
                else:
                    self.skipped += 1
                    if not self.is_quiet:
                        say(str(error))
            except CassetteError as error:
                complain_of(error)
                self.unreadable += 1
            except InterfaceError as error:
                self._failed(path, error)
        self.write.end()
        if self.steps and not self.is_quiet:
            write("")
            for step in self.steps:
                write(step)
        if len(found) > 1 and not self.is_quiet:
            self._summarise()
        if self.unreadable or not (self.cassettes or self.failed):
            return Exit.UNUSABLE
        if self.failed or (self.options.strict and self.hurting):
            return Exit.FINDINGS
        return Exit.DONE

    def _failed(self, path: str, error: InterfaceError) -> None:
        """Count a recording with which the interface failed."""
        if isinstance(error, UsageError):
            raise error  # with every other one, too
        complain_of(error, f"{path}: {error}")
        self.failed += 1

    def _there(self) -> Callable[[str], _Part | None]:
        """Return what replays a recording in another process."""
        return partial(_replay_there, self.options, frozenset(self.explained))

    def _stands(self, part: _Part | None) -> bool:
        """Return whether a recording explains nothing that others did meanwhile."""
        if part is None or part.explained & self.explained:
            return False
        if part.has_shown and self.has_shown:
            write("")
        return True

    def _merge(self, part: _Part | None) -> None:
        """Take over what another process did; None where it was done here."""
        if part is None:
            return
        self.explained |= part.explained
        self.has_shown = self.has_shown or part.has_shown
        self.steps = self.steps or part.steps
        for name, count in part.counts.items():
            setattr(self, name, getattr(self, name) + count)
        if part.error is not None:
            raise part.error

    def _replay_file(self, path: str) -> None:
        from harness.cassettes.load import load_cassette

        if path != "-" or len(self.interfaces) == 1:
            cassette = load_cassette(path)
            self.shown.clear()  # the second interface finds the same
            for interface in self.interfaces:
                # A live stream is watched as it comes, chunk by chunk.
                if self.has_runs and path != "-":
                    self._show_runs(cassette, interface)
                else:
                    self._replay_one(cassette, interface)
            return
        import shutil
        import tempfile

        with tempfile.NamedTemporaryFile() as copy:  # a pipe can be read only once
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.flush()
            for interface in self.interfaces:
                cassette = load_cassette(copy.name)
                cassette.path = path
                self._replay_one(cassette, interface)

    def _replay_one(self, cassette: Cassette, interface: str) -> None:
        from harness.engine.chosen_exchanges import check_exchange, chosen_exchanges

        options = self.options
        check_exchange(cassette, options.exchange)
        is_started = interface in OURS
        if is_started:
            # Ours can be made, so the title need not wait for pydantic, which comes
            # with them and takes half of the time that a replay needs to start.
            chosen_exchanges(cassette, options.exchange)
            self._start(cassette, interface)

        running = self._replay(cassette, interface)
        try:
            for emission in running:
                if not is_started:  # not before it is known that there is something
                    self._start(cassette, interface)
                    is_started = True
                self.emissions += 1
                if running.diagnostics:
                    self._print_diagnostics(running, cassette)
                self.write.emission(emission)
                if cassette.path == "-":
                    out().flush()  # a live stream is watched as it comes
        finally:
            self._print_diagnostics(running, cassette)

    def _replay(
        self,
        cassette: Cassette,
        interface: str,
        on_response: Callable[[ReplayedResponse], None] | None = None,
    ) -> Replay:
        from harness.engine.replay import Replay

        options = self.options
        return Replay(
            cassette,
            interface,
            variation=self.variation,
            mode=mode_of(interface, options.mode),
            options=options.to_agent(),
            exchange=options.exchange,
            reasoning=options.reasoning,
            on_response=on_response,
        )

    def _show_runs(self, cassette: Cassette, interface: str) -> None:
        from harness.cli.runs import next_steps, show_runs
        from harness.engine.chosen_exchanges import check_exchange
        from harness.engine.transcript import Transcript

        check_exchange(cassette, self.options.exchange)
        responses: list[ReplayedResponse] = []
        running = self._replay(cassette, interface, responses.append)
        emissions: list[Emission] = []
        try:
            emissions.extend(running)
        finally:  # what an interface emitted before it raised is shown too
            if self.has_shown:
                write("")
            self.has_shown = True
            self.emissions += len(emissions)
            found = running.diagnostics
            self.diagnostics += len(found)
            self.hurting += sum(one.kind.severity != "note" for one in found)
            show_runs(
                Transcript(
                    cassette.path, running.interface, emissions, found, responses
                ),
                variation=str(self.variation),
                shows_reasoning=self.options.reasoning,
                explain=lambda one: self._explained(one, cassette),
                known=self.shown,
                is_quiet=self.is_quiet,
            )
            if not self.steps:
                self.steps = next_steps(cassette.path, interface, found)

    def _explained(self, diagnostic: Diagnostic, cassette: Cassette) -> list[str]:
        from harness.debug.explain import explain

        is_new = diagnostic.kind not in self.explained
        self.explained.add(diagnostic.kind)
        return explain(diagnostic, cassette, self.variation, has_cause=is_new)

    def _start(self, cassette: Cassette, interface: str) -> None:
        self.write.start(cassette.path, interface)
        out().flush()

    def _print_diagnostics(self, running: Replay, cassette: Cassette) -> None:
        """Print the diagnostics that have come, and forget them."""
        for diagnostic in running.diagnostics:
            self.diagnostics += 1
            self.hurting += diagnostic.kind.severity != "note"
            if self.is_quiet:
                continue
            say(f"{running.cassette}: {running.interface}: {diagnostic}")
            if self.options.form == "table":  # others keep to one line each
                for line in self._explained(diagnostic, cassette):
                    say(line)
        running.diagnostics.clear()

    def _summarise(self) -> None:
        parts = [
            counted(self.cassettes, "cassette"),
            counted(self.emissions, "emission"),
            counted(self.diagnostics, "diagnostic"),
        ]
        if self.skipped:
            parts.append(f"{self.skipped} with nothing to replay")
        if self.failed:
            parts.append(f"{self.failed} where the interface failed")
        if self.unreadable:
            parts.append(f"{self.unreadable} unreadable")
        say(", ".join(parts))


class _Part(NamedTuple):
    """What a process did with one recording."""

    counts: dict[str, int]
    explained: frozenset[str]
    has_shown: bool
    steps: list[str]
    error: Exception | None


def _replay_there(
    options: ReplayOptions, explained: frozenset[str], path: str
) -> _Part:
    error = None
    run = Run(options)
    run.explained |= explained
    try:
        run._replay_file(path)  # noqa: SLF001 - of this module
    except Exception as raised:  # noqa: BLE001 - raised again by `_merge`
        error = portable(raised)
    run.write.end()
    counts = {name: getattr(run, name) for name in _COUNTS}
    new = frozenset(run.explained - explained)
    return _Part(counts, new, run.has_shown, run.steps, error)


def _progress(
    running: Iterator[tuple[str, T]], count: int, *, is_quiet: bool
) -> Iterator[tuple[str, T]]:
    """Yield the recordings; with several of them, a bar on a terminal's stderr."""
    if count < 2 or is_quiet or not sys.stderr.isatty():
        yield from running
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(running, "replaying", total=count, console=console, transient=True)
