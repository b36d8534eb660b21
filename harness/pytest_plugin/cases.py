"""What a marked test runs under: each cassette, and each way its stream could arrive.

Owns how the arguments of the marker become cases, and what the cases are called in
test ids. Nothing is read but the names in the cassette folder.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.apis.chat.dialects.registry import Dialect
from harness.apis.chat.faults import Fault
from harness.apis.varied import Variation, vary
from harness.core.splits import Split
from harness.core.stable_random import mix
from harness.errors import UsageError
from harness.pytest_plugin.naming import file_name
from harness.pytest_plugin.plugin_settings import checked, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pluggy
    import pytest


PROFILES = {
    "quick": ("recorded", "whole", "chars", "random"),
    "thorough": (
        *("recorded", "whole", "tokens", "chars", "2", "3", "7"),
        *["random"] * 8,
    ),
}
"""The splits of each profile; each ``random`` gets a number mixed from the seed."""

_ENDINGS = (".yaml", ".yml", ".json")
_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Case:
    """One test id of a marked test."""

    cassette: str | None = None
    """The path of a named cassette; None stands for the test's own."""
    variation: Variation = Variation()  # noqa: RUF009 - a frozen value
    """How the stream arrives."""
    id: str = ""
    """Its part of the test id."""


PLAIN = Case()
"""The test's own cassette, as recorded."""


class Asked:
    """What was asked of a test, by everybody that is known while it is collected.

    Args:
        config: pytest's configuration.
        markers: The test's `harness` markers, the closest first.
        test_file: The absolute path of the test file.
        hooks: Those that a `conftest.py` of its folder or above it may have.

    Raises:
        UsageError: A marker or a hook gave a name that there is not.
    """

    def __init__(
        self,
        config: pytest.Config,
        markers: Iterable[pytest.Mark],
        test_file: Path,
        hooks: pluggy.HookRelay,
    ) -> None:
        self.config = config
        self.test_file = test_file
        self._hooks = hooks
        self.marker: dict[str, Any] = {}
        self.names: tuple[str, ...] = ()
        for mark in markers:
            checked(mark.kwargs, "@pytest.mark.harness")
            self.marker = {**mark.kwargs, **self.marker}
            self.names = self.names or tuple(_flat(mark.args))
        self.hook: dict[str, Any] = (
            hooks.pytest_harness_settings(config=config, test_file=test_file) or {}
        )
        checked(self.hook, "pytest_harness_settings")

    def get(self, name: str, fixture: dict[str, Any] | None = None) -> Any:
        """Return a setting's value by precedence.

        Raises:
            UsageError: It is not allowed.
        """
        return resolve(
            name,
            option=self.config.getoption(f"harness_{name}", None),
            marker=self.marker,
            ini=self.config.getini(f"harness_{name}"),
            fixture=fixture,
            hook=self.hook,
        )

    @property
    def folder(self) -> Path:
        """The folder of the test file's cassettes."""
        folder: Any = None
        if (
            self.config.getoption("harness_cassette_dir") is None
            and self.marker.get("cassette_dir") is None
        ):
            folder = self._hooks.pytest_harness_cassette_dir(
                config=self.config, test_file=self.test_file
            )
        return self.test_file.parent.joinpath(folder or self.get("cassette_dir"))


def cases_of(asked: Asked, *, is_replayed: bool) -> list[Case]:
    """Return the cases of a test.

    Args:
        asked: What was asked of it.
        is_replayed: Whether it replays its cassette, so that splits of the command
            line and of ini apply; those of the marker always do.

    Returns:
        At least one. The ids are empty where one case is all there is and nothing
        about it needs a report.

    Raises:
        UsageError: A name is wrong, or nothing matches a glob.
    """
    cassettes = _cassettes(asked) or [None]
    axes = [
        _axis(asked, name, is_replayed)
        for name in ("splits", "apis", "dialects", "faults")
    ]
    varied = any(axes)
    if (
        asked.get("record") not in {"none", "verify"}
        and axes[0]
        and "recorded" not in axes[0]
    ):
        axes[0] = ("recorded", *axes[0])  # what is varied must be recorded first
    combined = list(itertools.product(*(axis or (None,) for axis in axes)))
    stems = _stems(cassettes)
    cases = []
    for cassette, chosen in itertools.product(cassettes, combined):
        split, api, dialect, fault = map(_named, chosen)
        variation = vary(split, dialect, fault, api)
        parts = [stems[cassette]] if cassette and len(cassettes) > 1 else []
        if varied:
            parts.append(_label(variation))
        cases.append(Case(cassette, variation, "-".join(parts)))
    return list({(case.cassette, case.id): case for case in cases}.values())


def _flat(args: Iterable[Any]) -> Iterator[str]:
    for arg in args:
        if isinstance(arg, list | tuple):
            yield from _flat(arg)
        elif isinstance(arg, str | Path):
            yield str(arg)
        else:
            raise UsageError(
                "@pytest.mark.harness: expected names of cassettes, globs or lists of "
                f"them, got {arg!r}"
            )


def named_paths(folder: Path, name: str, where: str) -> list[str]:
    """Return the paths that a name of a cassette stands for.

    Args:
        folder: The cassette folder.
        name: A name, ``.yaml`` added unless it has an ending, or a glob.
        where: How the message calls who gave it.

    Returns:
        One path, whether or not it is there, or the cassettes that the glob matches.

    Raises:
        UsageError: The glob matches none.
    """
    if _GLOB & set(name):
        found = list(_matching(folder, name))
        if not found:
            raise UsageError(f"{where}({name!r}): no cassette in {folder} matches")
        return found
    path = folder / name
    if not folder.exists():  # and the system knows no `..` of it
        path = Path(os.path.normpath(path))
    has_ending = path.suffix.lower() in _ENDINGS
    return [str(path if has_ending else path.with_name(f"{path.name}.yaml"))]


def _cassettes(asked: Asked) -> list[str | None]:
    where = "@pytest.mark.harness"
    found = (named_paths(asked.folder, name, where) for name in asked.names)
    return list(dict.fromkeys(itertools.chain.from_iterable(found)))


def _matching(folder: Path, pattern: str) -> Iterator[str]:
    from harness.cassettes.library import is_cassette

    place = Path(pattern)
    if place.is_absolute():
        folder, pattern = Path(place.anchor), str(place.relative_to(place.anchor))
    for path in sorted(folder.glob(pattern)):
        if path.suffix.lower() in _ENDINGS and is_cassette(str(path)):
            yield str(path)


def _stems(cassettes: list[Any]) -> dict[Any, str]:
    """Name cassettes by their stems, by more of their paths where stems repeat."""
    paths = [Path(cassette) for cassette in cassettes if cassette]
    for depth in range(1, 1 + max((len(path.parts) for path in paths), default=0)):
        names = ["/".join(p.with_suffix("").parts[-depth:]) for p in paths]
        if len(set(names)) == len(names):
            return dict(zip(map(str, paths), names, strict=True))
    return {str(path): path.name for path in paths}


def _axis(asked: Asked, name: str, is_replayed: bool) -> tuple[Any, ...]:  # noqa: FBT001 - private
    is_set_here = asked.marker.get(name) is not None
    if not (is_replayed or is_set_here):
        return ()
    values: tuple[Any, ...] = asked.get(name)
    if name != "splits":
        return values
    seed = asked.get("seed")
    splits: list[Any] = []
    for value in values:
        for split in PROFILES.get(str(value), (value,)):
            if split == "random":
                turn = sum(str(known).startswith("random:") for known in splits)
                splits.append(f"random:{mix(seed, turn) if turn else seed}")
            else:
                splits.append(split)
    return tuple(splits)


def _named(value: Any) -> Any:
    if value is None or value == "recorded":
        return None
    if isinstance(value, int):
        return str(value)  # a split of N code points
    if isinstance(value, str | Split | Dialect | Fault):
        return value
    raise UsageError(
        "@pytest.mark.harness: expected names of splits, dialects or faults, "
        f"got {value!r}"
    )


def _label(variation: Variation) -> str:
    parts: tuple[object, ...] = (variation.dialect, variation.split, variation.fault)
    if variation.style is not None:
        style = variation.style
        parts = (style.api, style.dialect, variation.split, style.fault_text)
    return "-".join(str(part) for part in parts if part) or "recorded"


def own_name(test_file: Path, name: str) -> str:
    """Return the name of a test's own cassette in the folder, without ending.

    Args:
        test_file: The test's file.
        name: The test's name in it, such as ``TestCity.test_weather[Rome]``.
    """
    return f"{file_name(test_file.stem)}/{file_name(name)}"


def case_of(item: Any) -> Case:
    """Return the case that a test's parameters hold."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    case = params.get("_harness_case", PLAIN)
    return case if isinstance(case, Case) else PLAIN


def plain_name(item: Any) -> str:
    """Return a test function's name, without what the plugin added to its id."""
    name: str = item.name
    case = case_of(item)
    if case.id:
        base, _, ids = name.partition("[")
        ids = ids.removesuffix("]")
        ids = "" if ids == case.id else ids.removesuffix(f"-{case.id}")
        name = f"{base}[{ids}]" if ids else base
    return name


def name_of_test(item: Any) -> str:
    """Return a test's name in its file, without what the plugin added to its id."""
    name = plain_name(item)
    classes = []
    parent = item.parent
    while (
        parent is not None
        and parent.nodeid != str(parent.path)
        and "::" in (parent.nodeid)
    ):
        classes.append(parent.name)
        parent = parent.parent
    return ".".join([*reversed(classes), name])
