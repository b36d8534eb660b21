"""A user's interface that is read through its async generator."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from harness.engine.adapter_base import BaseAdapter, Mode
from harness.errors import InterfaceError

if TYPE_CHECKING:
    import asyncio

_QUIET_ROUNDS = 10
# After a push, `asyncio.wait_for(event.wait())` needs four turns of the event loop
# until its generator yields (CPython 3.11); ten leave room for a wrapper or two.
_END_TIMEOUT_S = 5.0
# A generator that still waits so long after `step_yield` never ends.


class GeneratorAdapter(BaseAdapter):
    """A user's interface, read through its async generator.

    Must be used inside a running event loop, always the same. Its methods import
    asyncio, which takes 30 ms of a start: the other adapters do without.
    """

    method = "get_generator"
    """What its generator comes from."""
    ends_at = "step_yield()"
    """When its generator has to end."""

    def __init__(self, interface: Any, name: str, mode: Mode | None) -> None:
        super().__init__(interface, name, mode)
        self._out: list[Any] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the generator of this conversation is through."""
        return self._task is not None and self._task.done()

    def open(self) -> None:
        """Start reading, if this conversation has no reader yet."""
        if self._task is not None:
            return
        try:
            generator = self.interface.get_generator()
        except Exception as error:
            raise self.failure("get_generator", error) from error
        self.start(generator)

    def start(self, generator: Any) -> None:
        """Read a generator from now on."""
        if not hasattr(generator, "__aiter__"):
            if inspect.iscoroutine(generator):
                generator.close()
            raise InterfaceError(
                f"{self.name}.{self.method}() must return an async generator, "
                f"got {type(generator).__name__}",
                where=self.where(),
            )
        import asyncio

        self._task = asyncio.get_running_loop().create_task(self._read(generator))

    async def _read(self, generator: Any) -> None:
        import asyncio

        try:
            async for item in generator:
                self._out.append(item)
        except (SystemExit, asyncio.CancelledError) as error:
            # Of its own making: asyncio would end the loop, or take it for `cancel`.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise self.failure(self.method, error) from error

    async def settle(self) -> None:
        """Let the reader run until nothing more comes out."""
        import asyncio

        seen, quiet = len(self._out), 0
        while quiet < _QUIET_ROUNDS:
            await asyncio.sleep(0)
            quiet += 1
            if len(self._out) != seen:
                seen, quiet = len(self._out), 0
        self._raise_failure()

    async def end(self) -> bool:
        """Wait until the generator ends; return False if it never does."""
        import asyncio

        if self._task is None:
            return True
        done, _ = await asyncio.wait({self._task}, timeout=_END_TIMEOUT_S)
        if not done:
            await self.cancel()
            return False
        self._raise_failure()
        self._task = None
        return True

    async def cancel(self) -> None:
        """Stop reading at once."""
        import asyncio

        if self._task is not None and not self._task.done():
            self._task.cancel()
            # One that catches its cancellation and goes on is left to the loop's end.
            await asyncio.wait({self._task}, timeout=_END_TIMEOUT_S)
            if self._task.done() and not self._task.cancelled():
                self._task.exception()  # or asyncio logs that nobody asked
        self._task = None

    def drain(self) -> list[Any]:
        """Return what the reader has collected since the last call."""
        out, self._out = self._out, []
        return out

    def _raise_failure(self) -> None:
        task = self._task
        if task is not None and task.done() and not task.cancelled():
            error = task.exception()
            if isinstance(error, Exception):
                self._task = None
                if isinstance(error, InterfaceError):
                    raise error
                raise self.failure(self.method, error) from error
