"""When an example counts as one that never ends, by a clock of this test."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from harness.fuzz import hang_watch
from harness.fuzz.current_example import CURRENT

if TYPE_CHECKING:
    from harness.fuzz.relations import Failure


class _OverError(Exception):
    """The looks that were wanted are over."""


@pytest.mark.parametrize(
    ("taken", "seconds"),
    [
        (lambda _: 2, 1.75),
        (lambda _: None, 1.5),
        (lambda look: look // 4, 7.25),  # one a second, up to six times the limit
        (lambda look: min(look // 4, 3), 4.25),
    ],
    ids=["hangs", "handed all at once", "slow", "slow, then hangs"],
)
def test_example_may_take_long_while_it_goes_on(
    taken: Any, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine is slow at many events, and no consumer hangs for that."""
    now = 0.0
    found: list[tuple[float, Failure]] = []

    def sleep(duration: float) -> None:
        nonlocal now
        now += duration * 5  # a look is a quarter of a second apart
        CURRENT.taken = taken(int(now * 4))

    def hung(failure: Failure) -> None:
        found.append((now, failure))
        raise _OverError

    def at_once(target: Any, **_: object) -> object:
        return SimpleNamespace(start=target)

    clock = SimpleNamespace(sleep=sleep, monotonic=lambda: now)
    threads = SimpleNamespace(main_thread=threading.main_thread, Thread=at_once)
    monkeypatch.setattr(hang_watch, "time", clock)
    monkeypatch.setattr(hang_watch, "threading", threads)
    monkeypatch.setattr(CURRENT, "fed", ({}, {}))
    monkeypatch.setattr(CURRENT, "taken", 0)
    with pytest.raises(_OverError):
        hang_watch.watch(1.0, hung, lambda: None, lambda: True)
    assert found[0][0] == seconds
    assert found[0][1].kind.startswith("never ends")
