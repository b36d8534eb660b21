"""`harness_server` as a generator, for a pytest plugin or a `conftest.py`.

``harness_server = pytest.fixture(harness.serve.fixture.harness_server)``; pytest is
not imported here.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from harness.cassettes.model import Cassette
    from harness.serve.context import RunningServer

__all__ = ["StartServer", "harness_server"]


class StartServer(Protocol):
    """Starts a server that runs until the end of the test."""

    def __call__(
        self, *sources: str | os.PathLike[str] | Cassette, **settings: Any
    ) -> RunningServer:
        """Start a server; takes what `harness.serve.serve` takes."""


def harness_server() -> Iterator[StartServer]:
    """Serve recordings to the test: `harness_server("chat.yaml").base_url`."""
    from harness.serve.context import serve

    with ExitStack() as running:
        yield lambda *sources, **settings: running.enter_context(
            serve(*sources, **settings)
        )
