"""Driving the agent loop: at once, in a loop of its own, or in the caller's.

What is emitted is taken after each input, so that it belongs to that input.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from harness.core.diagnostics import DiagnosticKind
from harness.engine.adapters import StreamingAdapter
from harness.engine.agent import AgentLoop, Cause
from harness.engine.emission import Emission
from harness.engine.generator_adapter import GeneratorAdapter
from harness.engine.transcript import Diagnostic
from harness.errors import InterfaceError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from harness.engine.adapters import ListAdapter


class Running:
    """The machinery of one replay.

    Apart from `Replay` on purpose: its generators hold no reference to the object that
    holds them, so that a replay that is dropped half-way is closed there and then, and
    not by the garbage collector in an order of its own.

    Args:
        name: How messages call the interface.
        adapter: The interface.
        loop: What feeds it the recording.
        diagnostics: Where to add what is found about its generator.
    """

    def __init__(
        self,
        name: str,
        adapter: StreamingAdapter | ListAdapter | GeneratorAdapter,
        loop: AgentLoop,
        diagnostics: list[Diagnostic],
    ) -> None:
        self._name = name
        self._adapter = adapter
        self._loop = loop
        self._diagnostics = diagnostics

    def run(self) -> Generator[Emission, None, None]:
        """Run to the end, in an event loop of its own where one is needed.

        Yields:
            The emissions, in order.

        Raises:
            InterfaceError: The interface raised.
            UsageError: It needs an event loop, and one is running here.
        """
        if isinstance(self._adapter, GeneratorAdapter):
            yield from self._run_in_own_loop()
            return
        drain = self._adapter.drain
        is_eager = isinstance(self._adapter, StreamingAdapter)
        try:
            for cause in self._loop.run():
                if is_eager or cause.is_boundary:
                    for message in drain() if cause.made is None else cause.made:
                        yield Emission(cause.exchange, cause.chunk, cause.at, message)
        except InterfaceError as error:
            error.chunk = self._loop.cause.chunk
            yield from self._left()
            raise
        finally:
            self._adapter.release()

    def _left(self) -> Iterator[Emission]:
        """Yield what an interface that has failed emitted before."""
        cause = self._loop.cause
        with suppress(InterfaceError):
            for message in self._adapter.drain():
                yield Emission(cause.exchange, cause.chunk, cause.at, message)

    def _run_in_own_loop(self) -> Iterator[Emission]:
        # Not at the top: asyncio takes 30 ms, and most replays need no event loop.
        import asyncio

        from harness.engine.event_loop import OwnLoop

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise UsageError(
                f"{self._name} is read through an async generator, and an event "
                "loop is running here: use `await areplay(...)`, not `replay(...)`"
            )
        own = OwnLoop.of(self._adapter.interface)
        emissions = self.arun()
        try:
            while True:
                try:
                    yield own.loop.run_until_complete(anext(emissions))
                except StopAsyncIteration:
                    return
        finally:
            own.loop.run_until_complete(emissions.aclose())
            own.release()

    async def arun(self) -> AsyncGenerator[Emission, None]:
        """Run inside the running event loop; any kind of interface.

        Yields:
            The emissions, in order.

        Raises:
            InterfaceError: The interface raised.
        """
        adapter = self._adapter
        if not isinstance(adapter, GeneratorAdapter):
            for emission in self.run():
                yield emission
            return
        last = Cause(0, None, None, is_boundary=True)
        is_deaf = False  # the generator has ended, and that was reported
        try:
            for cause in self._loop.run():
                if cause.exchange >= 0:
                    last = cause
                    if adapter.has_ended and not (is_deaf or cause.is_boundary):
                        is_deaf = True
                        self._diagnose(
                            DiagnosticKind.ENDED_EARLY,
                            last,
                            f"ended before {adapter.ends_at}: what came later was not "
                            "seen",
                        )
                    adapter.open()
                    await adapter.settle()
                else:
                    is_deaf = False
                    if not await adapter.end():
                        self._diagnose(
                            DiagnosticKind.NEVER_ENDED,
                            last,
                            f"still waited after {adapter.ends_at}",
                        )
                for message in adapter.drain():
                    yield Emission(last.exchange, last.chunk, last.at, message)
        except InterfaceError as error:
            error.chunk = self._loop.cause.chunk
            with suppress(InterfaceError):
                await adapter.settle()
            for emission in self._left():
                yield emission
            raise
        finally:
            adapter.release()
            await adapter.cancel()

    def _diagnose(self, kind: DiagnosticKind, cause: Cause, what: str) -> None:
        text = f"the generator of {self._name} {what}"
        self._diagnostics.append(Diagnostic(kind, cause.exchange, text, cause.chunk))
