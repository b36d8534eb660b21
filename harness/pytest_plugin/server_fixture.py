"""`harness_server`: a live server that sends what was recorded, for one test.

Owns which recordings are served and how they arrive, and that the test may reach what
it started; the servers are `harness.serve`'s.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.pytest_plugin.cases import named_paths
from harness.serve.context import RunningServer, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from harness.cassettes.model import Cassette
    from harness.pytest_plugin.playback import HarnessTest


class Serving:
    """What the fixture `harness_server` is: call it to start a server.

    Args:
        test: The test; its case names which cassette and how it arrives.
        running: Ends the servers with the test.
    """

    def __init__(self, test: HarnessTest, running: ExitStack) -> None:
        self._test = test
        self._running = running

    def __call__(
        self, *sources: str | os.PathLike[str] | Cassette, **settings: Any
    ) -> RunningServer:
        """Start a server on a free port of this machine; it ends with the test.

        Args:
            *sources: Cassettes in the test's cassette folder, named as the marker
                names them (globs too), folders, or loaded cassettes; the test's own
                if there are none.
            **settings: What `harness.serve.serve` takes. The split, dialect and fault
                of the test's id are given already, and so is the speed.

        Returns:
            The server; give a client its `base_url`.

        Raises:
            HarnessError: A cassette cannot be read, or a setting is wrong.
        """
        __tracebackhide__ = True
        given = {
            name: str(value)
            for name, value in self._test.variation_options(
                "harness_server", settings
            ).items()
        }
        given["speed"] = self._test.setting("speed")
        served = [found for one in sources for found in self._found(one)]
        if not sources:
            served = [self._test.load()]
        server = self._running.enter_context(serve(*served, **{**given, **settings}))
        place = urlsplit(server.url)
        self._test.allowed.add((place.hostname, place.port))
        return server

    def _found(
        self, source: str | os.PathLike[str] | Cassette
    ) -> Iterator[str | Cassette]:
        if not isinstance(source, str | os.PathLike):
            yield source
            return
        folder = self._test.asked.folder / source
        if folder.is_dir():
            self._test.used |= {str(path) for path in folder.rglob("*")}
            yield str(folder)
            return
        paths = named_paths(
            self._test.asked.folder, os.fspath(source), "harness_server"
        )
        self._test.used.update(paths)
        yield from paths
