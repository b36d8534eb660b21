"""What a session is served with: recordings, how matched, written, cut and broken.

Settings are values. They come from the command line, from Python and from the control
endpoint, by the same names and in the same forms.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from harness.apis.chat.dialects.registry import Dialect, parse_dialect
from harness.apis.style import ApiStyle, api_style
from harness.apis.varied import Variation
from harness.core.splits import Split, parse_split
from harness.errors import UsageError, did_you_mean, shorten
from harness.serve.wire_faults import (
    NO_FAULT,
    ServedFault,
    parse_served_fault,
    wire_and_other,
)


class Match(StrEnum):
    """Which recording answers a request."""

    STRICT = "strict"
    """The one with the same method, path and JSON body."""
    ORDER = "order"
    """The next one, whatever the request asks."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise UsageError(f"match: expected strict or order, got {shorten(value)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the requests of a session are answered. Made by `make_settings`."""

    cassette: str = ""
    """The recording that answers: a path as it was given to the server, or the end of
    one (`plain-text.yaml`, `plain-text`); empty for all, in order."""
    match: Match = Match.STRICT
    """Which exchange answers."""
    speed: float = 1.0
    """1: as recorded; 2: twice as fast; 0: at once."""
    split: Split | None = None
    """How the text of the deltas is cut; None leaves the recorded chunks."""
    writes: Split | None = None
    """How the bytes are cut into writes; None leaves the recorded pieces, or writes
    an event at a time where the stream is not as recorded."""
    dialect: Dialect | None = None
    """Whose habits the stream has; None leaves the recorded provider's."""
    fault: ServedFault = NO_FAULT
    """How it goes wrong."""
    style: ApiStyle | None = None
    """A dialect and a fault of another API than chat, for requests in that API."""

    @property
    def variation(self) -> Variation:
        """What is done to the chunks."""
        return Variation(self.split, self.dialect, self.fault.said)

    def as_json(self) -> dict[str, Any]:
        """Return the settings in the forms that `make_settings` takes."""
        shown = {
            "cassette": self.cassette,
            "match": self.match.value,
            "speed": self.speed,
            "split": _shown(self.split),
            "writes": _shown(self.writes),
            "dialect": _shown(self.dialect),
            "fault": _shown(self.fault),
        }
        return shown | ({"style": str(self.style)} if self.style else {})


def _shown(value: object) -> str | None:
    return str(value) or None if value is not None else None


def make_settings(base: Settings | None = None, /, **given: Any) -> Settings:
    """Make settings from what a user wrote.

    Args:
        base: What holds where nothing is given; the defaults if None.
        given: Fields of `Settings`; splits, dialects and faults as their text or
            None, the speed as a number or its text. With `api`, the dialect and the
            fault are of that API; faults of the connection may be joined to it.

    Returns:
        The settings.

    Raises:
        UsageError: A name or a value is wrong; the message names what there is.
    """
    api = given.pop("api", None)
    if api is not None and api != "chat":
        dialect, fault = (_text(given.pop(key, None)) for key in ("dialect", "fault"))
        wire, own = wire_and_other(fault)
        style = api_style(_text(api), dialect, own)
        return replace(make_settings(base, **given, fault=wire or None), style=style)
    unknown = given.keys() - {field.name for field in fields(Settings)}
    if unknown:
        names = ", ".join(field.name for field in fields(Settings))
        hint = did_you_mean(min(unknown), names.split(", "))
        raise UsageError(
            f"unknown setting {shorten(min(unknown))}; {hint and f'{hint} '}expected "
            f"one of {names}"
        )
    parsers = {
        "cassette": _text,
        "match": Match,
        "speed": _speed,
        "split": lambda v: _parsed(v, Split, parse_split, "split"),
        "writes": lambda v: _parsed(v, Split, parse_split, "writes"),
        "dialect": lambda v: _parsed(v, Dialect, parse_dialect, "dialect"),
        "fault": lambda v: (
            _parsed(v, ServedFault, parse_served_fault, "fault") or NO_FAULT
        ),
        "style": _style,
    }
    return replace(
        base or Settings(),
        **{name: parsers[name](value) for name, value in given.items()},
    )


def _parsed(value: Any, kind: type, parse: Any, name: str) -> Any:
    if value is None or isinstance(value, kind):
        return value
    if not isinstance(value, str):
        raise UsageError(f"{name}: expected text or nothing, got {shorten(value)}")
    return parse(value)


def _style(value: Any) -> ApiStyle | None:
    if value is None or isinstance(value, ApiStyle):
        return value
    raise UsageError("style: give `api` with a dialect or a fault of that API")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UsageError(f"cassette: expected its path, got {shorten(value)}")
    return value


_FASTEST = 1e6  # beyond this a microsecond is a second: 0 is meant


def _speed(value: Any) -> float:
    try:
        speed = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        speed = -1.0
    if not 0 <= speed <= _FASTEST:
        raise UsageError(
            f"speed: expected 0 (at once), 1 (as recorded) or another factor up to "
            f"{_FASTEST:g}, got {shorten(value)}"
        )
    return speed
