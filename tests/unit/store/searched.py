"""The built-in rules, which search no text twice: for tables of texts that recur.

Where a text has secrets depends on nothing but the text and the rules. Most cuts of a
stream leave the same text to be joined, and what is redacted is also scanned.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harness.redaction.redact import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.redaction.overlaps import Secret
    from harness.redaction.spans import Span


class _Searched(Redaction):
    def text_spans(self, text: bytes, known: Iterable[str] = ()) -> list[Span]:
        return [*_spans(text, tuple(known))]

    def _text_secrets(self, body: bytes, known: tuple[str, ...]) -> list[Secret]:
        return [*_secrets(body, known)]


SEARCHED = _Searched()


@lru_cache(maxsize=5000)
def _spans(text: bytes, known: tuple[str, ...]) -> list[Span]:
    return Redaction.text_spans(SEARCHED, text, known)


@lru_cache(maxsize=2)  # before and after
def _secrets(body: bytes, known: tuple[str, ...]) -> list[Secret]:
    return Redaction._text_secrets(SEARCHED, body, known)


def forget() -> None:
    """Hold no more texts: those of a corpus are large."""
    _spans.cache_clear()
    _secrets.cache_clear()
