"""The dialects by name: what `--dialect NAME` takes, and what each is about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.apis.chat.dialects import entry_habits, habits
from harness.apis.chat.dialects.editing import each_delta
from harness.apis.chat.dialects.providers import WRITERS
from harness.apis.framing import Framing
from harness.apis.tables import read_table
from harness.errors import UsageError, did_you_mean, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.chat.chunks import Chunk

_Apply: TypeAlias = "Callable[[Iterable[Chunk]], Iterator[Chunk]]"


@dataclass(frozen=True, slots=True)
class DialectPart:
    """One named dialect; compared by its name."""

    name: str
    """As `parse_dialect` takes it."""
    summary: str = field(compare=False)
    """One line for a help text."""
    apply: _Apply | None = field(default=None, compare=False)
    """What it does to chunks; None if it is only about bytes."""
    framing: dict[str, Any] = field(default_factory=dict, compare=False)
    """What it changes in the `Framing`."""
    cannot: str = field(default="", compare=False)
    """What it cannot carry; empty if it can carry everything."""
    is_harmless: bool = field(default=True, compare=False)
    """Whether a conforming consumer has nothing to report about it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a provider frames what others frame differently; `str()` parses back.

    Made by `parse_dialect`. The same stream means the same in every dialect: text,
    reasoning, calls with their names, order and arguments (as JSON, where the
    arguments are rewritten). Calls without an id get one made of their position.
    """

    parts: tuple[DialectPart, ...]
    """What was joined by ``+``, applied left to right; at least one."""

    def __str__(self) -> str:
        return "+".join(part.name for part in self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return parse_dialect, (str(self),)

    @property
    def framing(self) -> Framing:
        """How its events are written to the wire."""
        framing = Framing()
        for part in self.parts:
            framing = replace(framing, **part.framing)
        return framing

    @property
    def is_harmless(self) -> bool:
        """Whether a conforming consumer has nothing to report about it.

        The answer is the same in every dialect; one without `[DONE]`, for instance, is
        reported all the same, because a stream that was cut off looks alike.
        """
        return all(part.is_harmless for part in self.parts)

    @property
    def cannot(self) -> str:
        """What it cannot carry, a sentence a part; empty if it can carry everything."""
        return " ".join(part.cannot for part in self.parts if part.cannot)

    def apply(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Write a stream in this dialect.

        Args:
            chunks: The stream in any dialect; its payloads are not changed.

        Returns:
            The stream, lazily. Each chunk has the number and time of the one that
            carried it. Calls that this dialect sends whole are held back until they
            are, and everything behind rewritten arguments until the end.
        """
        stream = iter(chunks)
        for part in self.parts:
            if part.apply is not None:
                stream = part.apply(stream)
        return stream


def encode_stream(chunks: Iterable[Chunk], dialect: Dialect) -> Iterator[bytes]:
    """Write a stream as a provider of a dialect sends it.

    Args:
        chunks: The stream in any dialect.
        dialect: How to write it and how to frame it.

    Returns:
        The bytes of each event in order, comments with the event they precede.
    """
    return dialect.framing.encode(dialect.apply(chunks))


def parse_dialect(text: str) -> Dialect:
    """Read a dialect as the command line takes it.

    Args:
        text: A name of `DIALECTS`, or several joined by ``+``, applied left to
            right, such as ``azure+name-in-pieces+crlf``. A provider writes the
            stream anew, so habits go behind it. Blanks around it are ignored.

    Returns:
        The dialect.

    Raises:
        UsageError: A name is unknown; the message lists them.
    """
    parts = []
    for name in text.strip().split("+"):
        if name not in DIALECTS:
            hint = did_you_mean(name, DIALECTS)
            raise UsageError(
                f"dialect {shorten(text)}: {hint and f'{hint} '}expected one of "
                f"{', '.join(DIALECTS)}, or several joined by +; got {shorten(name)}"
            )
        parts.append(DIALECTS[name])
    return Dialect(tuple(parts))


_HABITS: dict[str, _Apply] = {
    "azure-async": habits.async_filter,
    "azure-null-delta": partial(habits.async_filter, has_null_delta=True),
    "usage-chunk": habits.usage_chunk,
    "empty-content": partial(each_delta, habits.empty_content),
    "list-content": partial(each_delta, habits.list_content),
    **{
        edit.__name__.replace("_", "-"): partial(entry_habits.edit_entries, edit)
        for edit in (
            *(entry_habits.no_index, entry_habits.index_null, entry_habits.index_zero),
            *(entry_habits.name_resent, entry_habits.name_in_pieces),
            entry_habits.null_continuation,
        )
    },
    **{
        f"arguments-{name}": partial(habits.rewritten, rewrite)
        for name, rewrite in habits.REWRITES.items()
    },
}
_FRAMINGS: dict[str, dict[str, Any]] = {
    "gpustack": {"has_done": False},
    "openrouter": {"comment": "OPENROUTER PROCESSING"},
    "perplexity": {"newline": "\r\n", "has_done": False},
    "crlf": {"newline": "\r\n"},
    "cr": {"newline": "\r"},
    "no-space": {"has_space": False},
    "comments": {"comment": "keep-alive"},
    "retry": {"retry_ms": 3000},
    "no-done": {"has_done": False},
}


def _applied(name: str) -> _Apply | None:
    writer = WRITERS.get(name)
    if writer is not None:
        return lambda chunks: writer().write(chunks)
    return _HABITS.get(name)


DIALECTS: dict[str, DialectPart] = {
    name: DialectPart(
        name,
        summary,
        _applied(name),
        _FRAMINGS.get(name, {}),
        cells.get("cannot", ""),
        is_harmless="harmless" not in cells,
    )
    for name, summary, cells in read_table("chat", "dialects")
}
"""Every named dialect, providers first, in the order of a help text."""
