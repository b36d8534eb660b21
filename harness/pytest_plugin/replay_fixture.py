"""`harness_replay` and `harness_areplay`: replay as the test's case asks, and compare.

Owns the rule that a split or a dialect must not change the answer: a varied replay is
compared with the recorded one by content, and the failure shows where the two
part.
"""

from __future__ import annotations

import shlex
import sys
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.differences import around
from harness.core.text import first_difference
from harness.engine.replay import areplay, replay
from harness.engine.targets import name_of
from harness.pytest_plugin.failure_text import command_of, relative

if TYPE_CHECKING:
    from harness.engine.transcript import Transcript
    from harness.pytest_plugin.playback import HarnessTest


_SHOWN = 60  # characters on each side of the first difference


class Replaying:
    """What the fixture `harness_replay` is: call it with an interface.

    Args:
        test: The test; its case names which cassette and how it arrives.
    """

    def __init__(self, test: HarnessTest) -> None:
        self._test = test

    def __call__(
        self, interface: Any = "streaming", *, same_answer: bool = True, **options: Any
    ) -> Transcript:
        """Replay the test's cassette.

        Args:
            interface: As `harness.replay` takes it. To compare answers it is needed
                twice: give a class or a factory; of an object nothing is compared.
            same_answer: Fail where a split or dialect changes the answer.
            **options: Other options of `harness.replay`.

        Returns:
            The transcript.

        Raises:
            AssertionError: The answer is not that of the recorded stream.
            HarnessError: As `harness.replay`.
        """
        __tracebackhide__ = True
        cassette = self._test.load()
        ways = self._ways(interface, options, same_answer=same_answer)
        found = [replay(cassette, interface, **way) for way in ways]
        return self._compared(interface, ways, found)

    def _ways(
        self, interface: Any, options: dict[str, Any], *, same_answer: bool
    ) -> list[dict[str, Any]]:
        """Return the options of the replay, and of the one that it is compared with."""
        variation = self._test.case.variation
        given = {**self._test.variation_options("harness_replay", options), **options}
        makes = isinstance(interface, str) or callable(interface)
        is_comparable = makes and not variation.is_recorded and variation.fault is None
        if not (same_answer and is_comparable):
            return [given]
        recorded = {k: v for k, v in given.items() if k not in {"split", "dialect"}}
        return [given, recorded]

    def _compared(
        self, interface: Any, ways: list[dict[str, Any]], found: list[Transcript]
    ) -> Transcript:
        __tracebackhide__ = True
        if len(found) > 1:
            seen = _seen(self._test, interface, ways[0])
            _compare(self._test, found[1], found[0], seen)
        return found[0]


class AsyncReplaying(Replaying):
    """What the fixture `harness_areplay` is: the same, to be awaited."""

    async def __call__(  # type: ignore[override]  # awaited
        self, interface: Any = "streaming", *, same_answer: bool = True, **options: Any
    ) -> Transcript:
        """Replay inside the running event loop; see `Replaying`."""
        __tracebackhide__ = True
        cassette = self._test.load()
        ways = self._ways(interface, options, same_answer=same_answer)
        found = [await areplay(cassette, interface, **way) for way in ways]
        return self._compared(interface, ways, found)


def _seen(test: HarnessTest, interface: Any, given: dict[str, Any]) -> str:
    """Return the command that shows the difference: the same interface, both ways."""
    name = name_of(interface)
    if "<" in name:  # `<locals>`, `<lambda>`: nothing outside of the test has it
        return (
            f"(move {name.rpartition('.')[2]} out of the function to see it by command)"
        )
    words = ["harness", "diff", relative(test, test.path), "--interface", name]
    for option in ("mode", "exchange"):
        if given.get(option) is not None:
            words += [f"--{option}", str(given[option])]
    words += ["--reasoning"] if given.get("reasoning") else []
    options = given.get("options")
    if options is not None:
        words += ["--assistant-message"] * options.use_assistant_message
        words += ["--assistant-function", options.assistant_function]
        words += ["--assistant-argument", options.assistant_argument]
    for option in ("dialect", "split"):
        value = given.get(option)
        words += [f"--{option}-b", str(value)] if value is not None else []
    return _found_from(test, interface) + shlex.join([*words, "--said"])


def _found_from(test: HarnessTest, interface: Any) -> str:
    """Return what lets a shell import a module that pytest imported from elsewhere."""
    module = sys.modules.get(getattr(interface, "__module__", ""))
    file = getattr(module, "__file__", None)
    if module is None or file is None:
        return ""
    depth = module.__name__.count(".")
    root = Path(file).resolve().parents[depth]
    here = test.item.config.invocation_params.dir.resolve()
    if root == here or "site-packages" in root.parts:
        return ""
    return f"PYTHONPATH={shlex.quote(relative(test, str(root)))} "


def _compare(
    test: HarnessTest, recorded: Transcript, varied: Transcript, seen: str
) -> None:
    __tracebackhide__ = True
    from harness.debug.folding import fold

    expected = fold(recorded.messages).as_json().lines()
    got = fold(varied.messages).as_json().lines()
    if expected == got:
        return
    lines = [
        f"{varied.interface} gives another answer when the stream arrives otherwise",
        f"  arrived:  {test.case.variation} (nothing else was changed)",
    ]
    pairs = zip_longest(expected, got, fillvalue="")
    one, two = next(((one, two) for one, two in pairs if one != two), ("", ""))
    start = first_difference(one, two)
    shown = [around(t, start, _SHOWN, "...") or "(nothing)" for t in (one, two)]
    lines += [
        f"  expected: {shown[0]}   (as recorded)",
        f"  got:      {shown[1]}",
        f"  see it:   {seen}",
        f"  again:    {command_of(test)}",
        f"  cassette: {relative(test, test.path)}",
    ]
    raise AssertionError("\n".join(lines))
