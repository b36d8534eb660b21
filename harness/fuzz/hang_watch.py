"""The watch over a worker: an example that never ends is seen, with where it hangs.

The campaign names which input is being run, which costs it one attribute; a thread
looks now and then whether it is still the same one. A thread that hangs cannot be
ended from Python, so whoever is called then ends the process.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from harness.debug.outcomes import Outcome, Raised
from harness.fuzz.current_example import CURRENT
from harness.fuzz.raised_places import place_of_frame
from harness.fuzz.relations import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.fuzz.fuzz_inputs import FuzzInput

_LOOKS = 20  # in the time that an example is given
FIRST = 6
"""How many times as long the first may take: many a library is imported then."""


def watch(
    timeout_s: float,
    hung: Callable[[Failure], None],
    alive: Callable[[], None],
    is_warm: Callable[[], bool],
) -> None:
    """Start a thread that looks at what is being run.

    Args:
        timeout_s: How long one example may take, or, as on a busy machine, one item
            of it; the first, and all items together, `FIRST` times that.
        hung: Called with the finding; does not return.
        alive: Called at every look: the interpreter still switches threads.
        is_warm: Whether the first example is over.
    """
    main = threading.main_thread().ident

    def look() -> None:
        seen: Any = None
        had: int | None = None
        begun = since = time.monotonic()
        limit_s = timeout_s
        while True:
            time.sleep(min(timeout_s / _LOOKS, 0.25))
            alive()
            fed = CURRENT.fed
            now = time.monotonic()
            if fed is None or fed is not seen:
                seen, begun, since = fed, now, now
                limit_s = timeout_s * (1 if is_warm() else FIRST)
            elif CURRENT.taken != had and now - begun < limit_s * FIRST:
                had, since = CURRENT.taken, now
            elif now - since > limit_s:
                frame = sys._current_frames().get(main or 0)  # noqa: SLF001 - the one way
                hung(_failure(fed, limit_s, place_of_frame(frame)))

    threading.Thread(target=look, name="harness-fuzz-watch", daemon=True).start()


def _failure(fed: FuzzInput, timeout_s: float, place: str) -> Failure:
    taken = CURRENT.taken
    so_far = fed if taken is None else fed[:taken]
    raised = Raised(
        "no end", f"still running after {timeout_s:g} s", place, is_accident=True
    )
    return Failure(
        "ends",
        f"never ends, in {place}",
        tuple(so_far),
        Outcome(raised=raised),
        Outcome(),
        note="an end, whatever arrives"
        if taken is None or taken == len(fed)
        else f"an end; these {taken} of {len(fed)} had been taken",
    )
