"""`replay`, `replay_iter`, `areplay`: one engine, driven at once or by an event loop.

An interface of ours, and anything with `to_list`, is drained in place. An interface
that is read through its async generator needs an event loop: `areplay` uses the
running one, `replay` and `replay_iter` bring their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.core.variation import Variation, vary
from harness.engine.adapters import GeneratorAdapter, Mode, StreamingAdapter, adapt
from harness.engine.agent import AgentLoop, Cause
from harness.engine.own_loop import loop_of, settle_tasks
from harness.engine.targets import AgentOptions, make_interface, name_of
from harness.engine.transcript import (
    Diagnostic,
    DiagnosticKind,
    Emission,
    ReplayedResponse,
    Transcript,
)
from harness.errors import InterfaceError, UsageError
from harness.store.cassette import Cassette
from harness.store.reading import load_cassette

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Iterator

    from harness.core.dialects import Dialect
    from harness.core.faults import Fault
    from harness.core.splits import Split

__all__ = ["Replay", "areplay", "replay", "replay_iter"]


class Replay:
    """One replay in progress: an iterator of emissions that keeps no history.

    Made by `replay_iter`. `diagnostics` fills while it is iterated; whoever follows a
    long stream may empty the list.
    """

    def __init__(
        self,
        cassette: Cassette,
        interface: object,
        *,
        variation: Variation | None = None,
        mode: Mode | str | None = None,
        options: AgentOptions | None = None,
        exchange: int | None = None,
        reasoning: bool = False,
        on_response: Callable[[ReplayedResponse], None] | None = None,
    ) -> None:
        self.cassette = cassette.path
        """The cassette's path as the caller named it."""
        self.interface = name_of(interface)
        """How a transcript calls the interface."""
        self.diagnostics: list[Diagnostic] = []
        """What has been found so far."""
        if exchange is not None and not 0 <= exchange < len(cassette.exchanges):
            raise UsageError(
                f"{cassette.path}: there is no exchange {exchange}; "
                f"it has {len(cassette.exchanges)}, numbered from 0"
            )
        made = make_interface(interface, options or AgentOptions())
        if mode is None and made is not interface:
            mode = Mode.TOKENS  # an object keeps the mode that its owner has set
        self._adapter = adapt(
            made, self.interface, None if mode is None else _mode(mode)
        )
        self._loop = AgentLoop(
            cassette,
            self._adapter,
            AgentOptions.of(made, options or AgentOptions()),
            variation=variation or Variation(),
            only=exchange,
            shows_reasoning=reasoning,
            report=self.diagnostics.append,
            on_response=on_response or (lambda _response: None),
        )
        self._emissions: Iterator[Emission] | None = None

    def __iter__(self) -> Iterator[Emission]:
        return self

    def __next__(self) -> Emission:
        if self._emissions is None:
            self._emissions = self._run()
        return next(self._emissions)

    def close(self) -> None:
        """Stop here; what the interface still emits is not seen.

        An iterator that is dropped half-way closes itself.
        """
        if self._emissions is None:
            self._emissions = iter(())
        elif isinstance(self._emissions, Generator):
            self._emissions.close()

    def _run(self) -> Iterator[Emission]:
        if isinstance(self._adapter, GeneratorAdapter):
            yield from self._run_in_own_loop()
            return
        drain = self._adapter.drain
        is_eager = isinstance(self._adapter, StreamingAdapter)
        try:
            for number, chunk, at, is_boundary in self._loop.run():
                if is_eager or is_boundary:
                    for message in drain():
                        yield Emission(number, chunk, at, message)
        except InterfaceError:
            yield from self._left()
            raise
        finally:
            self._adapter.release()

    def _left(self) -> Iterator[Emission]:
        """Yield what an interface that has failed emitted before."""
        number, chunk, at, _ = self._loop.cause
        with suppress(InterfaceError):
            for message in self._adapter.drain():
                yield Emission(number, chunk, at, message)

    def _run_in_own_loop(self) -> Iterator[Emission]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise UsageError(
                f"{self.interface} is read through an async generator, and an event "
                "loop is running here: use `await areplay(...)`, not `replay(...)`"
            )
        loop = loop_of(self._adapter.interface)
        emissions = self.arun()
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(emissions))
                except StopAsyncIteration:
                    return
        finally:
            loop.run_until_complete(emissions.aclose())
            settle_tasks(loop)

    async def arun(self) -> AsyncGenerator[Emission, None]:
        """Run inside the running event loop; any kind of interface.

        Yields:
            The emissions, in order.
        """
        adapter = self._adapter
        if not isinstance(adapter, GeneratorAdapter):
            for emission in self._run():
                yield emission
            return
        last = Cause(0, None, None, is_boundary=True)
        is_deaf = False  # the generator has ended, and that was told
        try:
            for cause in self._loop.run():
                if cause.exchange >= 0:
                    last = cause
                    if adapter.has_ended and not (is_deaf or cause.is_boundary):
                        is_deaf = True
                        self._say(
                            DiagnosticKind.ENDED_EARLY,
                            last,
                            "ended before step_yield(): what came later was not seen",
                        )
                    adapter.open()
                    await adapter.settle()
                else:
                    is_deaf = False
                    if not await adapter.end():
                        self._say(
                            DiagnosticKind.NEVER_ENDED,
                            last,
                            "still waited after step_yield()",
                        )
                for message in adapter.drain():
                    yield Emission(last.exchange, last.chunk, last.at, message)
        except InterfaceError:
            with suppress(InterfaceError):
                await adapter.settle()
            for emission in self._left():
                yield emission
            raise
        finally:
            adapter.release()
            await adapter.cancel()

    def _say(self, kind: DiagnosticKind, cause: Cause, what: str) -> None:
        text = f"the generator of {self.interface} {what}"
        self.diagnostics.append(Diagnostic(kind, cause.exchange, text, cause.chunk))


def replay_iter(  # noqa: PLR0913 - options of one call, keyword-only
    cassette: Cassette | str | os.PathLike[str],
    interface: object,
    *,
    split: Split | str | None = None,
    dialect: Dialect | str | None = None,
    fault: Fault | str | None = None,
    mode: Mode | str | None = None,
    options: AgentOptions | None = None,
    exchange: int | None = None,
    reasoning: bool = False,
) -> Replay:
    """Replay a cassette and yield each emission as it comes.

    Nothing of the past is kept, so that a long stream needs no memory for it.

    Args:
        cassette: A loaded cassette or the path of one.
        interface: ``"streaming"``, ``"queuing"``, ``"MODULE:NAME"``, a class or
            factory, or an interface object (used as it is configured).
        split: How to cut the text: what `--split` takes, or a split; None leaves the
            recorded chunks.
        dialect: Whose habits the stream gets: what `--dialect` takes, or a dialect.
        fault: How the stream goes wrong: what `--fault` takes, or a fault. Chunks are
            then numbered as they come, and `at` is None.
        mode: How a streaming interface is used; None is `tokens` for an interface
            made here and leaves an object's own mode.
        options: What agent and interface agree on; an interface object's own
            attributes go first.
        exchange: Replay only the exchange of this number.
        reasoning: Pass reasoning fields on as content.

    Returns:
        An iterator of emissions with `diagnostics`.

    Raises:
        CassetteError: The file cannot be read.
        UsageError: A name or option is wrong, or an event loop runs here and the
            interface needs one (use `areplay`).
        InterfaceError: The interface raised; while iterating.
    """
    return Replay(
        _loaded(cassette),
        interface,
        variation=vary(split, dialect, fault),
        mode=mode,
        options=options,
        exchange=exchange,
        reasoning=reasoning,
    )


def replay(  # noqa: PLR0913 - options of one call, keyword-only
    cassette: Cassette | str | os.PathLike[str],
    interface: object,
    *,
    split: Split | str | None = None,
    dialect: Dialect | str | None = None,
    fault: Fault | str | None = None,
    mode: Mode | str | None = None,
    options: AgentOptions | None = None,
    exchange: int | None = None,
    reasoning: bool = False,
) -> Transcript:
    """Replay a cassette through an interface and collect what it emits.

    The same cassette gives the same transcript, byte for byte, on every machine.

    Args:
        cassette: See `replay_iter`, as for all arguments.
        interface: See there.
        split: See there.
        dialect: See there.
        fault: See there.
        mode: See there.
        options: See there.
        exchange: See there.
        reasoning: See there.

    Returns:
        The transcript, with diagnostics and the accumulated responses.

    Raises:
        CassetteError: See `replay_iter`, as for all errors.
        UsageError: See there.
        InterfaceError: See there.
    """
    responses: list[ReplayedResponse] = []
    running = Replay(
        _loaded(cassette),
        interface,
        variation=vary(split, dialect, fault),
        mode=mode,
        options=options,
        exchange=exchange,
        reasoning=reasoning,
        on_response=responses.append,
    )
    emissions = list(running)
    return Transcript(
        running.cassette, running.interface, emissions, running.diagnostics, responses
    )


async def areplay(  # noqa: PLR0913 - options of one call, keyword-only
    cassette: Cassette | str | os.PathLike[str],
    interface: object,
    *,
    split: Split | str | None = None,
    dialect: Dialect | str | None = None,
    fault: Fault | str | None = None,
    mode: Mode | str | None = None,
    options: AgentOptions | None = None,
    exchange: int | None = None,
    reasoning: bool = False,
) -> Transcript:
    """Replay inside a running event loop; otherwise as `replay`.

    Args:
        cassette: See `replay_iter`, as for all arguments.
        interface: See there.
        split: See there.
        dialect: See there.
        fault: See there.
        mode: See there.
        options: See there.
        exchange: See there.
        reasoning: See there.

    Returns:
        The same transcript as `replay` gives.

    Raises:
        CassetteError: See `replay_iter`, as for all errors.
        UsageError: See there.
        InterfaceError: See there.
    """
    responses: list[ReplayedResponse] = []
    running = Replay(
        _loaded(cassette),
        interface,
        variation=vary(split, dialect, fault),
        mode=mode,
        options=options,
        exchange=exchange,
        reasoning=reasoning,
        on_response=responses.append,
    )
    emissions = [emission async for emission in running.arun()]
    return Transcript(
        running.cassette, running.interface, emissions, running.diagnostics, responses
    )


def _mode(mode: Mode | str) -> Mode:
    try:
        return Mode(mode)
    except ValueError:
        allowed = ", ".join(Mode)
        raise UsageError(f"there is no mode {mode!r}; it is one of {allowed}") from None


def _loaded(cassette: Cassette | str | os.PathLike[str]) -> Cassette:
    return cassette if isinstance(cassette, Cassette) else load_cassette(cassette)
