"""The command `harness`; `python -m harness` is the same."""

from __future__ import annotations

import gc
import signal


def main() -> None:
    """Load the command line and run it; the entry point."""
    # A start makes 40 000 objects that stay: to look through them took a tenth of it.
    gc.set_threshold(50_000, 20, 20)
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # Ctrl-C while the rest is imported: nothing was begun that needs a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from harness.cli import main as run

    signal.signal(signal.SIGINT, handler)
    run()


if __name__ == "__main__":
    main()
