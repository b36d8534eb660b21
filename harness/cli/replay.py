"""`harness replay`: a recording through an interface, printed as it comes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

import click

from harness.cli.console import Exit, complain, say, write
from harness.cli.look import look, wants_to_look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Cassette
    from harness.engine.replay import Replay
    from harness.engine.transcript import Diagnostic, Emission

_OURS = ("streaming", "queuing")
_MODES = ("tokens", "steps", "legacy", "chat-completion")


@click.command("replay", no_args_is_help=True)
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
    type=click.Choice(_MODES),
    help="How a streaming interface is used.  [default: tokens]",
)
@click.option(
    "--assistant-message/--no-assistant-message",
    default=False,
    show_default=True,
    help="Emit the assistant function's text as assistant messages.",
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
    type=click.Choice(("chat", "responses", "anthropic", "gemini")),
    help="Restate the recording in this API; --dialect and --fault are then its own.",
)
@click.option(
    "--dialect",
    metavar="NAME",
    help="Say the stream as this provider would; several joined by +.",
)
@click.option(
    "--fault",
    metavar="NAME[:K]",
    help="Break the stream at K; several joined by +.",
)
@click.option(
    "--exchange",
    type=click.IntRange(min=0),
    metavar="N",
    help="Replay only exchange N, numbered from 0.  [default: all]",
)
@click.option("--reasoning", is_flag=True, help="Show reasoning as inner thoughts.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "jsonl", "sse")),
    default="table",
    show_default=True,
    help="How emissions are printed.",
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
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Replay recordings and print what an agent's client would have seen.

    PATH is a cassette (vcrpy's YAML or JSON), event stream text as `curl -N` saves
    it, JSON lines of chunks, a folder of cassettes, or - for standard input.

    \b
    Examples:
      harness replay cassettes/llama-server/plain-text.yaml
      harness replay cassettes --interface both --format jsonl
      harness replay broken.yaml --assistant-message --split chars --strict
      curl -N ... | harness replay -
    """
    if options["mode"] and options["interface"] == "queuing":
        raise click.UsageError(
            "--mode is for a streaming interface; with --interface queuing it has no "
            "meaning (leave it out, or use --interface both)"
        )
    run = _Run(options)
    if wants_to_look(options):
        return look(paths, run.interfaces, run.variation, options)
    return run.replay_all(paths)


class _Run:
    """One invocation: what was asked, what has been found so far."""

    def __init__(self, options: dict[str, Any]) -> None:
        from harness.apis.varied import vary

        self.options = options
        split = None if options["split"] == "recorded" else options["split"]
        self.variation = vary(
            split, options["dialect"], options["fault"], options["api"]
        )
        self.is_quiet: bool = options["quiet"]
        self.cassettes = self.emissions = self.diagnostics = self.hurting = 0
        self.skipped = self.failed = self.unreadable = 0
        self.explained: set[str] = set()  # kinds whose usual cause has been said
        chosen = options["interface"]
        self.interfaces = list(_OURS) if chosen == "both" else [chosen]
        if ":" in chosen:
            sys.path.insert(0, "")  # as `python -m` does: the current folder counts
        self.write = _WRITERS[options["form"]]()

    def replay_all(self, paths: tuple[str, ...]) -> int:
        """Replay everything that was named; return the exit code."""
        from harness.errors import CassetteError, InterfaceError, NothingToReplayError

        named = list(self._expand(paths))
        for path, is_named in _progress(named, is_quiet=self.is_quiet):
            try:
                self._replay_file(path)
                self.cassettes += 1
            except NothingToReplayError as error:
                if is_named:
                    complain(str(error))
                    self.unreadable += 1
                else:
                    self.skipped += 1
                    if not self.is_quiet:
                        say(str(error))
            except CassetteError as error:
                complain(str(error))
                self.unreadable += 1
            except InterfaceError as error:
                complain(f"{path}: {error}")
                self.failed += 1
        self.write.end()
        if len(named) > 1 and not self.is_quiet:
            self._summarise()
        if self.unreadable or not (self.cassettes or self.failed):
            return Exit.UNUSABLE
        if self.failed or (self.options["strict"] and self.hurting):
            return Exit.FINDINGS
        return Exit.DONE

    def _expand(self, paths: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
        """Yield every recording, and whether it was named itself."""
        from harness.cassettes.library import find_cassettes
        from harness.errors import CassetteError

        for path in paths:
            try:
                found = find_cassettes(path)
            except CassetteError as error:
                complain(str(error))
                self.unreadable += 1
            else:
                for name in found:
                    yield name, name == path

    def _replay_file(self, path: str) -> None:
        from harness.cassettes.load import load_cassette

        if path != "-" or len(self.interfaces) == 1:
            cassette = load_cassette(path)
            for interface in self.interfaces:
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
        check_exchange(cassette, options["exchange"])
        is_started = interface in _OURS
        if is_started:
            # Ours can be made, so the title need not wait for pydantic, which comes
            # with them and takes half of the time that a replay needs to start.
            chosen_exchanges(cassette, options["exchange"])
            self._start(cassette, interface)

        from harness.engine.replay import Replay
        from harness.engine.targets import AgentOptions

        running = Replay(
            cassette,
            interface,
            variation=self.variation,
            mode=None if interface == "queuing" else options["mode"] or "tokens",
            options=AgentOptions(
                use_assistant_message=options["assistant_message"],
                assistant_function=options["assistant_function"],
                assistant_argument=options["assistant_argument"],
                multi_step=not options["single_step"],
            ),
            exchange=options["exchange"],
            reasoning=options["reasoning"],
        )
        try:
            for emission in running:
                if not is_started:  # not before it is known that there is something
                    self._start(cassette, interface)
                    is_started = True
                self.emissions += 1
                if running.diagnostics:
                    self._tell(running, cassette)
                self.write.emission(emission)
                if cassette.path == "-":
                    sys.stdout.flush()  # a live stream is watched as it comes
        finally:
            self._tell(running, cassette)

    def _start(self, cassette: Cassette, interface: str) -> None:
        self.write.start(cassette.path, interface)
        sys.stdout.flush()

    def _tell(self, running: Replay, cassette: Cassette) -> None:
        """Print the diagnostics that have come, and forget them."""
        for diagnostic in running.diagnostics:
            self.diagnostics += 1
            self.hurting += diagnostic.kind.severity != "note"
            if not self.is_quiet:
                say(f"{running.cassette}: {running.interface}: {diagnostic}")
                self._explain(diagnostic, cassette)
        running.diagnostics.clear()

    def _explain(self, diagnostic: Diagnostic, cassette: Cassette) -> None:
        """Say where it is and why; other formats keep to one line each."""
        if self.options["form"] != "table":
            return
        from harness.debug.explain import explain

        is_new = diagnostic.kind not in self.explained
        self.explained.add(diagnostic.kind)
        for line in explain(diagnostic, cassette, self.variation, has_cause=is_new):
            say(line)

    def _summarise(self) -> None:
        parts = [
            _counted(self.cassettes, "cassette"),
            _counted(self.emissions, "emission"),
            _counted(self.diagnostics, "diagnostic"),
        ]
        if self.skipped:
            parts.append(f"{self.skipped} with nothing to replay")
        if self.failed:
            parts.append(f"{self.failed} where the interface failed")
        if self.unreadable:
            parts.append(f"{self.unreadable} unreadable")
        say(", ".join(parts))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _progress(
    named: list[tuple[str, bool]], *, is_quiet: bool
) -> Iterator[tuple[str, bool]]:
    """Yield the recordings; with several of them, a bar on a terminal's stderr."""
    if len(named) < 2 or is_quiet or not sys.stderr.isatty():
        yield from named
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(named, "replaying", console=Console(stderr=True), transient=True)


class _Table:
    """Rows as they come: no width depends on what follows, so a stream can flow."""

    _COLOURS: ClassVar = {
        "assistant_message": "green",
        "internal_monologue": "bright_black",
        "function_call": "cyan",
        "function_return": "yellow",
        "status": "magenta",
    }

    def start(self, cassette: str, interface: str) -> None:
        write(f"{cassette} ({interface})", bold=True)
        write(f"{'exch':>4} {'chunk':>6} {'at':>8}  {'message':<19} content", dim=True)

    def emission(self, emission: Emission) -> None:
        from harness.engine.transcript import describe

        kind, content = describe(emission.message)
        chunk = "-" if emission.chunk is None else emission.chunk
        at = "-" if emission.at is None else f"{emission.at:.3f}"
        place = f"{emission.exchange:>4} {chunk:>6} {at:>8}"
        write(f"{place}  {kind:<19} {content}", fg=self._COLOURS.get(kind))

    def end(self) -> None:
        """Nothing follows a table."""


class _JsonLines:
    """One object an emission, documented and stable."""

    def __init__(self) -> None:
        from harness.engine.transcript import emission_line

        self._line = emission_line
        self._cassette = self._interface = ""

    def start(self, cassette: str, interface: str) -> None:
        self._cassette, self._interface = cassette, interface

    def emission(self, emission: Emission) -> None:
        sys.stdout.write(self._line(self._cassette, self._interface, emission) + "\n")

    def end(self) -> None:
        """Nothing follows JSON lines."""


class _EventStream:
    """The text a server of the interface would have sent, one stream a replay."""

    def __init__(self) -> None:
        self._is_open = False

    def start(self, cassette: str, interface: str) -> None:  # noqa: ARG002 - no place for them
        self.end()

    def emission(self, emission: Emission) -> None:
        from harness.engine.transcript import sse_text

        self._is_open = True  # not before: where nothing came there is no stream
        sys.stdout.write(sse_text(emission))

    def end(self) -> None:
        from harness.engine.transcript import sse_end

        if self._is_open:
            sys.stdout.write(sse_end())
        self._is_open = False


_WRITERS: dict[str, type[_Table | _JsonLines | _EventStream]] = {
    "table": _Table,
    "jsonl": _JsonLines,
    "sse": _EventStream,
}
