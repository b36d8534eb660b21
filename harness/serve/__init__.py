"""Serving: cassettes as a live OpenAI-compatible server, for clients in any language.

`serve` is the entry; the pytest plugin has a fixture of it, `harness_server`.
"""

from harness.serve.access import Access
from harness.serve.context import RunningServer, RunningSession, serve
from harness.serve.settings import Settings

__all__ = ["Access", "RunningServer", "RunningSession", "Settings", "serve"]
