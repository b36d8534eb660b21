"""What a failed test's report has about its cassette, and the commands to go on.

Owns the section `harness` of a report. Commands are for a POSIX shell.
"""

from __future__ import annotations

import os
import re
import shlex
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from harness.errors import CassetteMismatchError, CassetteMissingError, HarnessError
from harness.pytest_plugin.network import NetworkBlockedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.pytest_plugin.playback import HarnessTest


_NOT_PLAYED = (
    "what tried is no client whose requests are played from a cassette; give it the "
    "address of harness_server().base_url"
)


def command_of(test: HarnessTest, *options: str) -> str:
    """Return the command that runs a test again as it ran.

    Args:
        test: The test.
        *options: More options.
    """
    given = []
    config = test.item.config
    for name in ("cassette_dir", "splits", "apis", "dialects", "faults", "seed"):
        value = config.getoption(f"harness_{name}", None)
        if value is not None:
            given.append(f"--harness-{name.replace('_', '-')}={value}")
    return shlex.join(["pytest", test.item.nodeid, *given, *options])


def relative(test: HarnessTest, path: str) -> str:
    """Return a path as it is typed where pytest was started."""
    return _from(test.item.config.invocation_params.dir, path)


def _from(folder: Path | None, path: str) -> str:
    try:
        return os.path.relpath(path, folder)
    except ValueError:  # another drive
        return path


def fact_first(error: HarnessError) -> str:
    """Return an error's text with the path of its cassette last, from this folder."""
    text, path = str(error), getattr(error, "path", "")
    if not path or not text.startswith(f"{path}: "):
        return text
    return f"{text[len(path) + 2 :]} ({_from(None, path)})"


def failure_section(test: HarnessTest, error: BaseException | None) -> str:
    """Return the section of a failed test.

    Args:
        test: The test.
        error: What it failed with.
    """
    lines = []
    if not test.case.variation.is_recorded:
        lines.append(f"arrived:  {test.case.variation}")
    session = test.session
    misses = [] if session is None else session.misses
    misses = [miss for miss in misses if not isinstance(miss, NetworkBlockedError)]
    lines += [f"missed:   {miss}" for miss in misses if miss is not error]
    lines += [
        f"blocked:  the network, for {host}" for host in dict.fromkeys(test.tried)
    ]
    if test.kept is not None:
        lines.append(
            f"kept:     {relative(test, test.kept)} (the cassette was not replaced)"
        )
    lines.append(f"again:    {command_of(test)}")
    if any(isinstance(miss, CassetteMissingError) for miss in misses):
        for name, *paths in islice(_left_behind(test), 3):
            move = shlex.join(["mv", *(relative(test, str(path)) for path in paths)])
            lines.append(f"renamed:  if this was {name}, its cassette is left: {move}")
        lines.append(f"record:   {_recording(test, 'once')}")
    elif any(isinstance(miss, CassetteMismatchError) for miss in misses):
        lines.append(f"record:   {_recording(test, 'new_episodes')}")
    elif session is not None and session.mode.value == "none" and session.unplayed:
        accept = _recording(test, "rewrite")
        if not any(session.play_counts):  # nothing would be recorded
            accept = command_of(test, "--harness-unplayed=ignore")
        if test.tried:
            # Something did ask, past the cassette: that is to be mended, not ignored.
            lines.append(f"client:   {_NOT_PLAYED}")
        else:
            lines.append(f"accept:   {accept}")
    if "harness_snapshot" in test.item.fixturenames:
        lines.append(f"accept:   {command_of(test, '--snapshot-update')}")
    if test.has_cassette:
        lines.append(f"cassette: {relative(test, test.path)}")
    return "\n".join(lines)


def _left_behind(test: HarnessTest) -> Iterator[tuple[str, Path, Path]]:
    """Yield tests that are gone and whose cassette may be this test's.

    Either the file is called otherwise now, or the test is: then what stands behind
    its name in brackets is the same. What to move, and where to, comes with a name.
    """
    own, file = Path(test.path), test.asked.test_file
    if test.asked.names or own.parent.parent != test.asked.folder:
        return
    case = _test_name(own).partition("[")[2]
    for path in sorted(own.parent.parent.glob(f"*/*{own.suffix}")):
        name = _test_name(path)
        if path.name == own.name:
            before = file.with_stem(_test_name(path.parent))
            if not before.exists():
                is_new = not own.parent.exists()
                move = (path.parent, own.parent) if is_new else (path, own)
                yield before.name, *move
        elif path.parent == own.parent and name.partition("[")[2] == case:
            found = test.item.module
            for part in name.partition("[")[0].split("."):
                found = getattr(found, part, None)
            if found is None:
                yield name, path, own


def _test_name(path: Path) -> str:
    """Return the name that `file_name` made a file's of."""
    return unquote(re.sub(r"~[0-9a-f]+$", "", path.with_suffix("").name))


def _recording(test: HarnessTest, mode: str) -> str:
    option = f"--harness-record={mode}"
    if test.case.variation.is_recorded:
        return command_of(test, option)
    return shlex.join(["pytest", test.item.nodeid.partition("[")[0], option])
