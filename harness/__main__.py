"""The command `harness`; `python -m harness` is the same."""

from __future__ import annotations

import signal


def main() -> None:
    """Load the command line and run it; the entry point."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # Ctrl-C while the rest is imported: nothing was begun that needs a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from harness.cli import main as run

    signal.signal(signal.SIGINT, handler)
    run()


if __name__ == "__main__":
    main()
