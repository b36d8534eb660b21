"""Where an exception comes from: the innermost frame of the package under test.

What a consumer calls (`json`, `pydantic`, an HTTP client) is where a mistake shows, and
what calls the consumer is ours; neither distinguishes two defects.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import sysconfig
import traceback
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.debug.outcomes import Raised
from harness.errors import HarnessError, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_HARNESS = str(Path(__file__).resolve().parent.parent) + "/"
_FUZZ = str(Path(__file__).resolve().parent) + "/"
_STDLIB = sysconfig.get_paths()["stdlib"] + "/"
_INSTALLED = ("/site-packages/", "/dist-packages/")
# Libraries that a consumer hands its data to: a mistake shows there, and is elsewhere.
_TOOLS = frozenset(
    (
        *("pydantic", "pydantic_core", "httpx", "httpcore", "anyio", "requests"),
        *("urllib3", "aiohttp", "jiter", "orjson", "attr", "typing_extensions.py"),
    )
)


def place_of(trace: TracebackType | None) -> str:
    """Return file and line of the frame that an exception is about.

    Args:
        trace: Of the exception.

    Returns:
        ``file.py:7``: the innermost frame of the package under test. That is the one
        whose code was called first; a single file that only calls an installed
        package stands for that package.
    """
    return _place(list(traceback.extract_tb(trace)))


def place_of_frame(frame: FrameType | None) -> str:
    """Return the same of a frame that is still running.

    Of an event loop that waits, that is where the task waits that it was run for.
    """
    stack = traceback.StackSummary.extract(
        chain(reversed([*traceback.walk_stack(frame)]), _awaited(frame))
    )
    return _place(list(stack))


def _awaited(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames that wait in the innermost event loop of a stack.

    Where the task that it was run for is ours alone, so is a task that it began.
    """
    for outer, _ in traceback.walk_stack(frame):
        task = outer.f_locals.get("future")
        if outer.f_code.co_name == "run_until_complete" and asyncio.isfuture(task):
            others = asyncio.all_tasks(task.get_loop()) - {task}
            for one in (task, *sorted(others, key=lambda other: other.get_name())):
                frames = [*_waiting(one)]
                yield from frames
                if any(map(_is_theirs, (f.f_code.co_filename for f, _ in frames))):
                    return
            return


def _waiting(inner: Any) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames of what a task waits for, the innermost last.

    The iterator of an asynchronous generator does not show whose it is; the garbage
    collector knows.
    """
    seen: set[int] = set()  # tasks may wait for each other
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        if isinstance(inner, asyncio.Task):
            inner = inner.get_coro()
        kind = next((k for k in _FRAMES if hasattr(inner, f"{k}_frame")), None)
        if kind is None:
            inner = next(filter(_can_wait, gc.get_referents(inner)), None)
            continue
        frame = getattr(inner, f"{kind}_frame")
        if frame is not None:
            yield frame, frame.f_lineno
        inner = getattr(inner, _FRAMES[kind])


_FRAMES = {"cr": "cr_await", "ag": "ag_await", "gi": "gi_yieldfrom"}


def _can_wait(value: object) -> bool:
    kinds = inspect.iscoroutine, inspect.isasyncgen, inspect.isgenerator
    return isinstance(value, asyncio.Task) or any(is_it(value) for is_it in kinds)


def _place(frames: list[traceback.FrameSummary]) -> str:
    # Of a whole stack, only what our own call of the consumer has called.
    last = max((n for n, f in enumerate(frames) if _is_theirs(f.filename)), default=-1)
    before = frames[:last]
    ours_last = [n for n, f in enumerate(before) if f.filename.startswith(_FUZZ)]
    called = frames[ours_last[-1] + 1 :] if ours_last else frames
    others = [f for f in called if not f.filename.startswith(_HARNESS)]
    theirs = [frame for frame in called if _is_theirs(frame.filename)]
    ours = [f for f in called if f.filename.startswith(_HARNESS)]
    own = _under_test(theirs) or ours or theirs or others or frames
    if not own:
        return "?"
    return f"{own[-1].filename.rpartition('/')[2]}:{own[-1].lineno}"


def _under_test(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    if not frames:
        return []
    packages = [_package(frame.filename) for frame in frames]
    first = packages[0]
    if first.endswith(".py") and "/" in first:  # a single file that is not installed
        later = [p for p in packages if p != first and p not in _TOOLS]
        first = later[0] if later and "/" not in later[0] else first
    return [f for f, p in zip(frames, packages, strict=True) if p == first]


def _is_theirs(filename: str) -> bool:
    """Return whether a file is neither ours nor the standard library's."""
    if filename.startswith(("<", _HARNESS)):
        return False
    return not filename.startswith(_STDLIB) or any(m in filename for m in _INSTALLED)


def _package(filename: str) -> str:
    """Name the package of a file: its folder's name if installed, else its path."""
    for mark in _INSTALLED:
        _, found, inner = filename.rpartition(mark)
        if found:
            return inner.partition("/")[0]
    path = Path(filename)
    top = path
    while (top.parent / "__init__.py").exists():
        top = top.parent
    return str(top)


def _is_accident(error: BaseException) -> bool:
    """Return whether an exception can only be a mistake of whoever let it out.

    Classes of the language (`KeyError`, `AttributeError`, `JSONDecodeError`, ...) show
    that something was not expected; a class of the consumer's own, a plain
    `ValueError` or `RuntimeError`, and errors of connections and files show that
    its author thought of it.
    """
    kind = type(error)
    if kind in {ValueError, RuntimeError} or isinstance(error, OSError | EOFError):
        return False
    if isinstance(error, HarnessError):
        return False
    return kind.__module__ in {"builtins", "json", "json.decoder"}


def raised_of(
    error: BaseException, documented: tuple[type[BaseException], ...]
) -> Raised:
    """Return an exception that came out of a consumer, as it is compared and shown.

    Args:
        error: The exception.
        documented: Those that the consumer means.
    """
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    text = text_of(error).splitlines()
    return Raised(
        f"{module}{kind.__qualname__}",
        text[0] if text else "",
        place_of(error.__traceback__),
        _is_accident(error) and not isinstance(error, documented),
    )
