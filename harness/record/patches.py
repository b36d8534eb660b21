"""Methods replaced while somebody needs it, and put back afterwards.

Owns the counting: the first user installs, the last one restores. A method that
somebody else has replaced in the meantime is left to them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Patches"]


class Patches:
    """A set of replaced methods, shared by all who need them at the same time.

    Args:
        targets: Returns the methods: class, name, and a function that wraps the
            original. Called at each first installation, not before.
    """

    def __init__(
        self, targets: Callable[[], Iterable[tuple[type, str, Callable[..., Any]]]]
    ) -> None:
        self._targets = targets
        self._lock = threading.Lock()
        self._users = 0
        self._replaced: list[tuple[type, str, Any, Any]] = []

    def install(self) -> None:
        """Replace the methods, unless they are already replaced."""
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            for owner, name, wrap in self._targets():
                original = getattr(owner, name)
                wrapper = wrap(original)
                setattr(owner, name, wrapper)
                self._replaced.append((owner, name, original, wrapper))

    def uninstall(self) -> None:
        """Put the methods back when nobody needs the replacements any more."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for owner, name, original, wrapper in self._replaced:
                if owner.__dict__.get(name) is wrapper:
                    setattr(owner, name, original)
            self._replaced.clear()
