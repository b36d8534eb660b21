"""What can be set, in one table, and who goes first where several set it.

Command line over marker over the fixture `harness_config` over the hook
`pytest_harness_settings` over ini over default. `SETTINGS` is the table: the options,
the ini keys, the keywords of the marker and the docs page are made from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cassettes.matching import DEFAULT_MATCH_ON, json_body_without
from harness.errors import UsageError, did_you_mean
from harness.pytest_plugin.max_age import read_age

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# `at:3,7` has commas of its own, which numbers follow.
_BETWEEN = re.compile(r"\s+|,(?=\s*[a-z])")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set."""

    name: str
    """Keyword of the marker; ``--harness-NAME`` and ``harness_NAME`` besides."""
    default: Any
    allowed: tuple[str, ...] = ()
    """The only values; empty for any that `read` takes."""
    read: Callable[[Any], Any] | None = None
    """Turns what was given into a value; raises ValueError."""

    def value(self, given: Any, where: str) -> Any:
        """Return the value of what was given.

        Raises:
            UsageError: It is not allowed.
        """
        if self.allowed:
            text = str(given)
            if text not in self.allowed:
                raise UsageError(
                    f"{where}: expected {' or '.join(self.allowed)}, got {given!r}"
                )
            return text
        try:
            return given if self.read is None else self.read(given)
        except (TypeError, ValueError, UsageError) as error:
            raise UsageError(f"{where}: {error}") from None


def _seed(given: Any) -> int:
    try:
        seed = int(given)
    except (TypeError, ValueError):
        seed = -1
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"expected a number from 0 below 2**64, got {given!r}")
    return seed


def _speed(given: Any) -> float:
    try:
        speed = float(given)
    except (TypeError, ValueError):
        speed = -1.0
    if not speed >= 0:
        raise ValueError(
            f"expected 0 (at once), 1 (as recorded), 2 (twice as fast), got {given!r}"
        )
    return speed


def _names(given: Any) -> tuple[Any, ...]:
    if isinstance(given, str):
        return tuple(part for part in _BETWEEN.split(given) if part)
    try:
        return tuple(given)
    except TypeError:
        return (given,)


def _words(given: Any) -> tuple[Any, ...]:
    """Read hosts, JSON paths or matchers: a list, or a text of several."""
    if isinstance(given, str):
        return tuple(part for part in re.split(r"[\s,]+", given) if part)
    return tuple(given) if isinstance(given, list | tuple | set) else (given,)


def _matchers(given: Any) -> tuple[Any, ...]:
    from harness.cassettes.vcr_bridge import matcher_of

    named = _words(given)
    if not named:
        raise ValueError("expected at least one matcher, got none")
    for one in named if named != ("vcrpy",) else ():
        matcher_of(one)
    return named


def _json_paths(given: Any) -> tuple[Any, ...]:
    paths = _words(given)
    json_body_without(paths)
    return paths


_FLAGS = {"true": True, "yes": True, "1": True, "on": True}
_FLAGS |= {"false": False, "no": False, "0": False, "off": False}


def _flag(given: Any) -> bool:
    text = str(given).strip().lower()
    if text not in _FLAGS:
        raise ValueError(f"expected true or false, got {given!r}")
    return _FLAGS[text]


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "record",
            "none",
            ("none", "once", "new_episodes", "all", "rewrite", "verify"),
        ),
        Setting("cassette_dir", "cassettes", read=str),
        Setting("splits", (), read=_names),
        Setting("apis", (), read=_names),
        Setting("dialects", (), read=_names),
        Setting("faults", (), read=_names),
        Setting("seed", 0, read=_seed),
        Setting("unplayed", "fail", ("fail", "ignore")),
        Setting("orphans", "ignore", ("fail", "ignore")),
        Setting("speed", 0.0, read=_speed),
        Setting("max_age", 0, read=read_age),
        Setting("block_network", "remote", ("remote", "all", "none")),
        Setting("allow", (), read=_words),
        Setting("match_on", DEFAULT_MATCH_ON, read=_matchers),
        Setting("ignore_json", (), read=_json_paths),
        Setting("ignore_hosts", (), read=_words),
        Setting("ignore_localhost", default=False, read=_flag),
        Setting("ignore_telemetry", default=True, read=_flag),
    )
}
"""By name. The plugin's options and ini keys are these; a test compares them."""

EARLY = frozenset({"cassette_dir", "splits", "apis", "dialects", "faults", "orphans"})
"""Decided while tests are collected, when no fixture can be asked."""

FIXTURE_KEYS = {
    "redaction": "What is not written besides: a `harness.redaction.redact.Redaction`.",
    "before_record_request": "Changes a request before it is matched or written; "
    "returns None for one that is to be sent and left alone.",
}
"""What besides `SETTINGS` the fixture takes, as `harness.use_cassette` does."""


def checked(given: Mapping[str, Any], where: str, *, is_fixture: bool = False) -> None:
    """Check names that a marker, a fixture or a hook gave.

    Args:
        given: Names and values.
        where: How the message calls the giver.
        is_fixture: Whether it is the fixture, which comes too late for `EARLY`.

    Raises:
        UsageError: A name is unknown, or comes too late.
    """
    if not hasattr(given, "items"):
        raise UsageError(f"{where}: expected a dict, got {type(given).__name__}")
    known = SETTINGS.keys() | (FIXTURE_KEYS.keys() if is_fixture else set())
    for name in given:
        if name not in known:
            allowed = ", ".join(sorted(known))
            hint = did_you_mean(str(name), known)
            hint = f"{hint} " if hint else ""
            raise UsageError(f"{where}: there is no {name!r}; {hint}there is {allowed}")
        if is_fixture and name in EARLY:
            raise UsageError(
                f"{where}: {name!r} is decided while tests are collected; give it to "
                "the marker, the hook pytest_harness_settings, or ini"
            )


def resolve(
    name: str,
    *,
    option: Any,
    marker: Mapping[str, Any],
    ini: Any,
    fixture: Mapping[str, Any] | None = None,
    hook: Mapping[str, Any] | None = None,
) -> Any:
    """Return the value of a setting by precedence.

    Args:
        name: Its name.
        option: The command line's; None if not given.
        marker: The marker's keywords.
        ini: The ini file's; None if not given.
        fixture: What `harness_config` returned.
        hook: What `pytest_harness_settings` returned.

    Raises:
        UsageError: The value that counts is not allowed; the message explains where it
            came from.
    """
    for given, where in (
        (option, _option(name)),
        (marker.get(name), f"@pytest.mark.harness({name}=...)"),
        ((fixture or {}).get(name), f"fixture harness_config, {name!r}"),
        ((hook or {}).get(name), f"pytest_harness_settings, {name!r}"),
        (None if ini == "" else ini, _ini_key(name)),
    ):
        if given is not None:
            return SETTINGS[name].value(given, where)
    return SETTINGS[name].default


def _option(name: str) -> str:
    return f"--harness-{name.replace('_', '-')}"


def _ini_key(name: str) -> str:
    return f"ini key harness_{name}"


def check_value(name: str, *, option: Any, ini: Any) -> None:
    """Check what the command line and the ini file give one setting.

    Args:
        name: Its name.
        option: The command line's; None if not given.
        ini: The ini file's; None or empty if not given.

    Raises:
        UsageError: One of them is not allowed, or names a split, dialect or fault that
            there is not.
    """
    for given, where in (
        (option, _option(name)),
        (None if ini == "" else ini, _ini_key(name)),
    ):
        if given is None:
            continue
        value = SETTINGS[name].value(given, where)
        if name == "splits":  # dialects and faults depend on a recording's API
            _check_splits(value, where)


def _check_splits(values: Iterable[Any], where: str) -> None:
    from harness.apis.varied import vary
    from harness.pytest_plugin.cases import PROFILES

    for value in values:
        if value in PROFILES or value in {"recorded", "random"}:
            continue
        try:
            vary(value)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
