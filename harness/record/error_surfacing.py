"""Getting our errors through client libraries to the person who must read them.

A request that no recording answers raises in the transport, below the client library.
OpenAI's SDK 3 lets such an error through. Its 2.x versions, and other SDKs, take any
exception for a lost connection, retry with pauses and raise an error of their own, in
which ours is only the cause. Two remedies, owned here: OpenAI 2.x lets errors of its
own root class through, so ours becomes one as well where 2.x is in use; and when an
SDK's error leaves the `with` block, ours is raised in its place. What is no error and
yet to be known is a `RecordingWarning`.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from typing import TYPE_CHECKING, Any

from harness.errors import (
    CassetteMismatchError,
    CassetteMissingError,
    HarnessError,
    RecordingRefusedError,
    StateError,
    UnrecordedConnectionError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


_OURS = (
    CassetteMismatchError,
    CassetteMissingError,
    RecordingRefusedError,
    StateError,
    UnrecordedConnectionError,
)


@contextlib.contextmanager
def surfaced(module: ModuleType) -> Iterator[None]:
    """Raise our errors so that the client library above lets them through.

    Args:
        module: The client's package, `httpx` or `httpx2`.
    """
    try:
        yield
    except HarnessError as error:
        root = _root_of_openai_2() if module.__name__ == "httpx" else None
        if root is None:
            raise
        raise _as_both(error, root) from None


def hidden_cause(error: BaseException | None) -> HarnessError | None:
    """Return our error behind another library's, or None.

    Args:
        error: What leaves a block; None if nothing does.
    """
    seen: set[int] = set()
    if isinstance(error, _OURS):
        return None
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, _OURS):
            return error
        error = error.__cause__ or error.__context__
    return None


def _root_of_openai_2() -> type[Exception] | None:
    openai = sys.modules.get("openai")
    version = str(getattr(openai, "__version__", ""))
    root = getattr(openai, "OpenAIError", None)
    return root if version.startswith("2.") and isinstance(root, type) else None


@functools.cache
def _class_of_both(ours: Any, theirs: Any) -> Any:
    return type(ours.__name__, (ours, theirs), {"__module__": ours.__module__})


def _as_both(error: HarnessError, root: type[Exception]) -> HarnessError:
    classes: Any = type(error), root
    kind = _class_of_both(*classes)
    both: HarnessError = kind.__new__(kind, *error.args)
    both.__dict__.update(error.__dict__)
    both.args = error.args
    return both


class RecordingWarning(UserWarning):
    """Something about a recording; nothing is lost."""


def as_warnings(cassette: str) -> Callable[[str], None]:
    """Return what makes a warning of a line of text.

    Args:
        cassette: Its path, which is shown as the place: our own lines do not help.
    """
    return lambda text: warnings.warn_explicit(text, RecordingWarning, cassette, 0)
