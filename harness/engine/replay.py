"""`replay`, `replay_iter`, `areplay`: one engine, driven at once or by an event loop.

An interface of ours, and anything with `to_list`, is drained in place. An interface
that is read through its async generator needs an event loop: `areplay` uses the
running one, `replay` and `replay_iter` bring their own.
"""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.varied import Variation, vary
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Cassette
from harness.engine.adapter_base import Mode
from harness.engine.adapters import adapt
from harness.engine.agent import AgentLoop
from harness.engine.agent_options import AgentOptions
from harness.engine.chosen_exchanges import check_exchange
from harness.engine.drive import Running
from harness.engine.targets import make_interface, name_of
from harness.engine.transcript import Diagnostic, ReplayedResponse, Transcript
from harness.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    from harness.apis.chat.dialects.registry import Dialect
    from harness.apis.chat.faults import Fault
    from harness.core.splits import Split
    from harness.engine.emission import Emission


class Unhearing:
    """An interface that takes nothing in: what is left is the agent loop's reading."""

    def to_list(self) -> list[Any]:
        """Return nothing: there is nothing to empty."""
        return []


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
        check_exchange(cassette, exchange)
        options = options or AgentOptions()
        made = make_interface(interface, options)
        if mode is None and made is not interface:
            mode = Mode.TOKENS  # an object keeps the mode that its owner has set
        adapter = adapt(
            made,
            self.interface,
            None if mode is None else _mode(mode),
            make=None
            if made is interface
            else partial(make_interface, interface, options),
        )
        loop = AgentLoop(
            cassette,
            adapter,
            AgentOptions.of(made, options),
            variation=variation or Variation(),
            only=exchange,
            shows_reasoning=reasoning,
            report=self.diagnostics.append,
            on_response=on_response or (lambda _response: None),
        )
        self._running = Running(self.interface, adapter, loop, self.diagnostics)
        self._emissions: Generator[Emission, None, None] | None = None

    def __iter__(self) -> Iterator[Emission]:
        return self

    def __next__(self) -> Emission:
        return next(self.run())

    def run(self) -> Generator[Emission, None, None]:
        """Return the generator behind this iterator: the same emissions, faster.

        Going through `__next__` costs 0.2 us an emission, one in forty.
        """
        if self._emissions is None:
            self._emissions = self._running.run()
        return self._emissions

    def close(self) -> None:
        """Stop here; what the interface still emits is not seen.

        An iterator that is dropped half-way closes itself.
        """
        self.run().close()

    async def arun(self) -> AsyncGenerator[Emission, None]:
        """Run inside the running event loop; any kind of interface.

        Yields:
            The emissions, in order.
        """
        async for emission in self._running.arun():
            yield emission


def replay_iter(  # noqa: PLR0913 - options of one call, keyword-only
    cassette: Cassette | str | os.PathLike[str],
    interface: object = "streaming",
    *,
    split: Split | str | int | None = None,
    dialect: Dialect | str | None = None,
    fault: Fault | str | None = None,
    api: str | None = None,
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
        api: The API to restate the recording in; `dialect` and `fault` are then names
            of that API's.
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
        variation=vary(split, dialect, fault, api),
        mode=mode,
        options=options,
        exchange=exchange,
        reasoning=reasoning,
    )


def replay(  # noqa: PLR0913 - options of one call, keyword-only
    cassette: Cassette | str | os.PathLike[str],
    interface: object = "streaming",
    *,
    split: Split | str | int | None = None,
    dialect: Dialect | str | None = None,
    fault: Fault | str | None = None,
    api: str | None = None,
    mode: Mode | str | None = None,
    options: AgentOptions | None = None,
    exchange: int | None = None,
    reasoning: bool = False,
) -> Transcript:
    """Replay a cassette through an interface and collect what it emits.

    The same cassette gives the same transcript, byte for byte, on every machine.

    Args:
        cassette: A loaded cassette or the path of one.
        interface: ``"streaming"``, ``"queuing"``, ``"MODULE:NAME"``, a class or
            factory, or an interface object (used as it is configured).
        split: How to cut the text: what `--split` takes, or a split; None leaves the
            recorded chunks.
        dialect: Whose habits the stream gets: what `--dialect` takes, or a dialect.
        fault: How the stream goes wrong: what `--fault` takes, or a fault. Chunks are
            then numbered as they come, and `at` is None.
        api: The API to restate the recording in; `dialect` and `fault` are then names
            of that API's.
        mode: How a streaming interface is used; None is `tokens` for an interface
            made here and leaves an object's own mode.
        options: What agent and interface agree on; an interface object's own
            attributes go first.
        exchange: Replay only the exchange of this number.
        reasoning: Pass reasoning fields on as content.

    Returns:
        The transcript, with diagnostics and the accumulated responses.

    Raises:
        CassetteError: The file cannot be read.
        UsageError: A name or option is wrong, or an event loop runs here and the
            interface needs one (use `areplay`).
        InterfaceError: The interface raised.
    """
    # All messages of a long stream are kept, and the garbage collector would look
    # through them again and again: a quarter of the time at 20 000 chunks. We make no
    # cycles; those of a user's interface are collected afterwards.
    was_on = gc.isenabled()
    gc.disable()
    try:
        responses: list[ReplayedResponse] = []
        running = Replay(
            _loaded(cassette),
            interface,
            variation=vary(split, dialect, fault, api),
            mode=mode,
            options=options,
            exchange=exchange,
            reasoning=reasoning,
            on_response=responses.append,
        )
        emissions = list(running.run())
        return Transcript(
            running.cassette,
            running.interface,
            emissions,
            running.diagnostics,
            responses,
        )
    finally:
        if was_on:
            gc.enable()


async def areplay(  # noqa: PLR0913 - options of one call, keyword-only
    cassette: Cassette | str | os.PathLike[str],
    interface: object = "streaming",
    *,
    split: Split | str | int | None = None,
    dialect: Dialect | str | None = None,
    fault: Fault | str | None = None,
    api: str | None = None,
    mode: Mode | str | None = None,
    options: AgentOptions | None = None,
    exchange: int | None = None,
    reasoning: bool = False,
) -> Transcript:
    """Replay inside a running event loop; otherwise as `replay`.

    Args:
        cassette: As for `replay`.
        interface: As for `replay`.
        split: As for `replay`.
        dialect: As for `replay`.
        fault: As for `replay`.
        api: As for `replay`.
        mode: As for `replay`.
        options: As for `replay`.
        exchange: As for `replay`.
        reasoning: As for `replay`.

    Returns:
        The same transcript as `replay` gives.

    Raises:
        CassetteError: The file cannot be read.
        UsageError: A name or option is wrong.
        InterfaceError: The interface raised.
    """
    responses: list[ReplayedResponse] = []
    running = Replay(
        _loaded(cassette),
        interface,
        variation=vary(split, dialect, fault, api),
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
