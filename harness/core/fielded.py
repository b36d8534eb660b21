"""What `dataclass` would generate for every class, written once.

To generate `__eq__` and `__repr__` takes a start a million instructions a class, and
it makes some twenty: `@dataclass(slots=True, eq=False, repr=False)` on a `Fielded`, and
with `frozen=True` on a `FrozenFielded`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Fielded:
    """A dataclass that compares and prints by its fields, all of them arguments."""

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]  # mutable
    __match_args__: ClassVar[tuple[str, ...]]

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fielded) or type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __repr__(self) -> str:
        pairs = zip(self.__match_args__, self._values(), strict=True)
        shown = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return f"{type(self).__qualname__}({shown})"


class FrozenFielded(Fielded):
    """The same whose fields never change: it has a hash where all of them have."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # unlike one that changes
        return hash(self._values())
