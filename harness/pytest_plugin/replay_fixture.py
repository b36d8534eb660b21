"""`harness_replay` and `harness_areplay`: replay as the test's case asks, and compare.

Owns the rule that a split or a dialect must not change the answer: a varied replay is
compared with the recorded one by content, and the failure shows where the two
part.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.engine.replay import areplay, replay
from harness.engine.targets import name_of
from harness.pytest_plugin.failure_text import command_of, relative

if TYPE_CHECKING:
    from harness.engine.transcript import Transcript
    from harness.pytest_plugin.playback import HarnessTest

__all__ = ["AsyncReplaying", "Replaying"]

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
        given = _options(self._test, options)
        cassette = self._test.load()
        transcript = replay(cassette, interface, **given)
        if same_answer and _is_comparable(self._test, interface):
            recorded = replay(cassette, interface, **_recorded(given))
            _compare(
                self._test, recorded, transcript, _seen(self._test, interface, given)
            )
        return transcript


class AsyncReplaying(Replaying):
    """What the fixture `harness_areplay` is: the same, to be awaited."""

    async def __call__(  # type: ignore[override]  # awaited
        self, interface: Any = "streaming", *, same_answer: bool = True, **options: Any
    ) -> Transcript:
        """Replay inside the running event loop; see `Replaying`."""
        __tracebackhide__ = True
        given = _options(self._test, options)
        cassette = self._test.load()
        transcript = await areplay(cassette, interface, **given)
        if same_answer and _is_comparable(self._test, interface):
            recorded = await areplay(cassette, interface, **_recorded(given))
            _compare(
                self._test, recorded, transcript, _seen(self._test, interface, given)
            )
        return transcript


def _options(test: HarnessTest, options: dict[str, Any]) -> dict[str, Any]:
    return {**test.variation_options("harness_replay", options), **options}


def _recorded(options: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in options.items()
        if name not in {"split", "dialect"}
    }


def _is_comparable(test: HarnessTest, interface: Any) -> bool:
    variation = test.case.variation
    makes = isinstance(interface, str | type) or callable(interface)
    return makes and not variation.is_recorded and variation.fault is None


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
    longest = max(len(expected), len(got))
    pairs = zip(
        expected + [""] * (longest - len(expected)),
        got + [""] * (longest - len(got)),
        strict=True,
    )
    for one, two in pairs:
        if one != two:
            start = next(
                (n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b),
                min(len(one), len(two)),
            )
            lines += [
                f"  expected: {_near(one, start)}   (as recorded)",
                f"  got:      {_near(two, start)}",
            ]
            break
    lines += [
        f"  see it:   {seen}",
        f"  again:    {command_of(test)}",
        f"  cassette: {relative(test, test.path)}",
    ]
    raise AssertionError("\n".join(lines))


def _near(text: str, place: int) -> str:
    if not text:
        return "(nothing)"
    start = 0 if place <= 2 * _SHOWN else place - _SHOWN
    end = place + _SHOWN
    return (
        ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")
    )
