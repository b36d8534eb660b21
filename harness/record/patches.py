"""Methods replaced while a caller needs it, and put back afterwards.

Owns the counting: the first user installs, the last one restores. A method that
other code has replaced in the meantime is left to them. `ModulePatches` does it for
libraries that may not be there: it imports none, and waits for those that are imported
while the replacements are in place.
"""

from __future__ import annotations

import sys
import threading
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Target = tuple[Any, str, Callable[..., Any]]


_ABSENT: Any = object()


class Patches:
    """A set of replaced methods, shared by all who need them at the same time.

    Args:
        targets: Returns the methods: class or module, name, and a function that wraps
            the original. Called at each first installation, not before.
    """

    def __init__(self, targets: Callable[[], Iterable[Target]]) -> None:
        self._targets = targets
        self._lock = threading.RLock()
        self._users = 0
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def install(self) -> None:
        """Replace the methods, unless they are already replaced."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._begin()

    def uninstall(self) -> None:
        """Put the methods back when nobody needs the replacements any more."""
        with self._lock:
            self._users -= 1
            if not self._users:
                self._end()

    def _begin(self) -> None:
        self._replace(self._targets())

    def _replace(self, targets: Iterable[Target]) -> None:
        for owner, name, wrap in targets:
            before = vars(owner).get(name, _ABSENT)
            wrapper = wrap(getattr(owner, name))
            setattr(owner, name, wrapper)
            self._replaced.append((owner, name, before, wrapper))

    def _end(self) -> None:
        for owner, name, before, wrapper in reversed(self._replaced):
            if vars(owner).get(name) is not wrapper:
                continue
            if before is _ABSENT:
                delattr(owner, name)  # it was inherited
            else:
                setattr(owner, name, before)
        self._replaced.clear()


class ModulePatches(Patches):
    """Replaced methods of modules, once they are imported.

    Args:
        targets: By a module's name, what is replaced in it: a function of the module.
    """

    def __init__(
        self, targets: Mapping[str, Callable[[ModuleType], Iterable[Target]]]
    ) -> None:
        super().__init__(tuple)
        self._by_module = targets
        self._finder = _Finder(targets.keys(), self._imported)

    def _begin(self) -> None:
        for name, targets in self._by_module.items():
            module = sys.modules.get(name)
            if module is not None:
                self._replace(targets(module))
        sys.meta_path.insert(0, self._finder)

    def _end(self) -> None:
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        super()._end()

    def _imported(self, module: ModuleType) -> None:
        with self._lock:
            if self._users:
                self._replace(self._by_module[module.__name__](module))


class _Finder(MetaPathFinder):
    """Finds what the others find, and passes on modules that have been executed."""

    def __init__(
        self, names: Iterable[str], imported: Callable[[ModuleType], None]
    ) -> None:
        self._names = frozenset(names)
        self._imported = imported

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None:
                self._watch(spec.loader)
                return spec
        return None

    def _watch(self, loader: Any) -> None:
        """Have a loader report when it has executed its module, once."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            execute(module)
            self._imported(module)

        loader.exec_module = exec_module
