r"""Characters that a provider cut between their UTF-16 units.

A chunk may end in ``"\ud83d"`` and the next begin with ``"\ude00"``: JSON allows
it, no message can carry it (UTF-8 has no halves). The halves are joined here, per
text they belong to, so that what is shown does not depend on the cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


class HalfPairs:
    """Holds back, for each text, a high surrogate until its low half comes."""

    def __init__(self) -> None:
        self.held: dict[Hashable, str] = {}
        """The high surrogates that wait, by text; nearly always empty."""

    def join(self, key: Hashable, fragment: str) -> str:
        """Return what of a text is decided with its next fragment.

        Args:
            key: Which text the fragment continues.
            fragment: The fragment as sent.

        Returns:
            Encodable text; empty if the fragment was only a first half.
        """
        if fragment.isascii() and not self.held:
            return fragment
        text = self.held.pop(key, "") + fragment
        if "\ud800" <= text[-1:] <= "\udbff":
            self.held[key] = text[-1]
            text = text[:-1]
        return encodable(text)

    def flush(self) -> list[Hashable]:
        """Return the texts whose last half never came, and forget them."""
        keys = list(self.held)
        self.held.clear()
        return keys


def encodable(text: str) -> str:
    r"""Return the text without lone surrogates, which UTF-8 cannot carry.

    Args:
        text: Any text; where providers cut between the UTF-16 units of a character,
            its halves may stand in it as two surrogates.

    Returns:
        The same text where it is encodable already; else with halves that follow
        each other joined into their character, and U+FFFD for each other one.

    Source: WHATWG Infra, "convert a string into a scalar value string".
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
