"""Serving: cassettes as a live OpenAI-compatible server, for clients in any language.

`serve` is the entry; `harness.serve.fixture` makes a pytest fixture of it.
"""

from harness.serve.access import Access
from harness.serve.context import RunningServer, RunningSession, serve
from harness.serve.settings import Settings

__all__ = ["Access", "RunningServer", "RunningSession", "Settings", "serve"]
