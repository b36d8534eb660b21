"""`harness drift`: which reader reads old recordings otherwise than before."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, complain_of, say, write, write_change
from harness.cli.jobs import each, named
from harness.cli.options import (
    AGENT,
    AS_JSON,
    MODE,
    OURS,
    Options,
    given,
    option,
    takes,
)
from harness.cli.output import imports_own_code, out
from harness.errors import CassetteError, NothingToReplayError, UsageError, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.debug.drift import Change, Drift, Drifter
    from harness.debug.stored_readings import Asked
    from harness.engine.agent_options import AgentOptions

_SHOWN = 5  # changes of one reader; more of them have one cause
_WINDOW = 60  # characters of a text before its first difference; then as many again


class DriftOptions(Options):
    """The options of `harness drift`, as they were given."""

    update: bool = option(
        "Store what is new and replace what has changed; without it nothing is written."
    )
    store: str | None = option(
        "Keep readings below DIR, by the path from the PATH that was named.  "
        "[default: __drift__ beside each recording]",
        metavar="DIR",
    )
    no_sdk: bool = option("Leave the vendors' SDKs out.")
    interface: str | None = option(
        "The interface to ask.  [default: those that are stored, else both]",
        metavar="streaming|queuing|both|MODULE:NAME",
    )
    mode: str | None = option(
        "With --update: how a streaming interface is used.", of=MODE
    )
    agent: AgentOptions = AGENT
    reasoning: bool = option("With --update: show reasoning as inner thoughts.")
    as_json: bool = AS_JSON
    quiet: bool = option("Print changes and errors only.")


@click.command("drift", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@takes(DriftOptions)
def command(paths: tuple[str, ...], options: DriftOptions) -> int:
    """Read old recordings again and report what changed, and which reader changed it.

    PATH is a recording or a folder of them. Each is read by the installed SDK of its
    vendor (openai, anthropic, google-genai) and by the interfaces, and compared with
    what --update stored: a change is the SDK's (its versions are stored too), an
    interface's, or the recording's own. What is stored is read again as it was
    stored: --mode, --reasoning and --assistant-... are for --update. Exit code 1 if
    anything changed, or is not stored yet.

    \b
    Examples:
      harness drift cassettes --update
      harness drift cassettes
      harness drift old.yaml --store readings --no-sdk --json
      harness drift old.yaml --interface my.agent:Interface --update
    """
    from harness.debug.drift import Drifter
    from harness.debug.sdk import Sdks

    asked = _asked(options)
    drifter = Drifter(
        asked,
        None if options.no_sdk else Sdks(_is_missing),
        store=options.store,
        is_updating=options.update,
    )
    run = _Run(drifter, options)
    for path in paths:
        run.check(path)
    return run.finish()


def _asked(options: DriftOptions) -> list[Asked] | None:
    from harness.debug.stored_readings import Asked

    asked = given(
        *("mode", "assistant_message", "assistant_function", "assistant_argument"),
        "reasoning",
    )
    if asked and not options.update:
        named = ", ".join(asked)
        raise click.UsageError(
            f"{named}: what is stored is read as it was stored; add --update to store "
            "another reading"
        )
    chosen = options.interface
    # One that is stored must not shadow what is installed.
    imports_own_code(goes_first=":" in (chosen or ""))
    if chosen is None and not asked:
        return None
    names = OURS if chosen is None or chosen == "both" else (chosen,)
    return [
        Asked(
            name,
            None if name == "queuing" else options.mode,
            options.agent,
            options.reasoning,
        )
        for name in names
    ]


def _is_missing(problem: str) -> None:
    say(f"only the interfaces are compared: {problem}")


class _Run:
    """One invocation: what has been found so far."""

    def __init__(self, drifter: Drifter, options: DriftOptions) -> None:
        self._drifter = drifter
        self._options = options
        self._drifts: list[Drift] = []
        self._unreadable = 0

    def check(self, base: str) -> None:
        """Check what one argument stands for."""
        from harness.cassettes.load import load_cassette

        if base == "-" or Path(base).is_fifo():
            raise UsageError(
                f"{base}: a pipe can be read only once; save it to a file to read it "
                "again another day"
            )
        drifter = self._drifter
        found = each(
            lambda path: drifter.check(load_cassette(path), base), named([base])
        )
        for path, result in found:
            try:
                drift = result()
            except NothingToReplayError as error:
                if path == base:
                    complain_of(error)
                    self._unreadable += 1
                elif not self._options.quiet:
                    say(str(error))
            except CassetteError as error:
                complain_of(error)
                self._unreadable += 1
            else:
                self._drifts.append(drift)
                if not self._options.as_json:
                    self._print(drift)

    def finish(self) -> int:
        """Print the summary; return the exit code."""
        states = Counter(drift.state for drift in self._drifts)
        if self._options.as_json:
            data = {
                "recordings": [drift.to_dict() for drift in self._drifts],
                "same": states["same"],
                "changed": states["changed"],
                "new": states["new"],
                "unreadable": self._unreadable,
            }
            out().write(json.dumps(data, indent=2) + "\n")
        elif not self._options.quiet:
            self._summarise(states)
        if self._unreadable or not self._drifts:
            return Exit.UNUSABLE
        if self._options.update:
            failed = any(c.what == "raised" for d in self._drifts for c in d.changes)
            return Exit.FINDINGS if failed else Exit.DONE
        return Exit.FINDINGS if states["changed"] or states["new"] else Exit.DONE

    def _print(self, drift: Drift) -> None:
        name = drift.cassette
        for by in dict.fromkeys(change.by for change in drift.changes):
            changes = [change for change in drift.changes if change.by == by]
            for change in changes[:_SHOWN]:
                place = f"exchange {change.exchange}: " * (change.exchange is not None)
                after = " (after the recording)" * (change.side == "recording" != by)
                write(f"{name}: {by}{after}: {place}{change.what}", bold=True)
                self._texts(change)
            if len(changes) > _SHOWN:
                write(f"    … {len(changes) - _SHOWN} more by {by}, see --json")
        if self._options.quiet:
            return
        if drift.written:
            write(f"{name}: stored: {', '.join(drift.written)}")
        elif drift.missing:
            write(f"{name}: not stored: {', '.join(drift.missing)}")

    def _texts(self, change: Change) -> None:
        from harness.cassettes.differences import around

        if change.by == "recording":
            return  # digests help no person
        for sign, text in (("-", change.stored), ("+", change.now)):
            if text is not None:
                at = 2 * _WINDOW if change.at is None else change.at
                write_change(sign, around(text, at, _WINDOW), "    ")

    def _summarise(self, states: Counter[str]) -> None:
        new = "stored" if self._options.update else "not stored"
        parts = [f"{states['same']} as stored", f"{states['changed']} changed"]
        parts += [f"{states['new']} {new}"] * bool(states["new"])
        parts += [f"{self._unreadable} unreadable"] * bool(self._unreadable)
        say(", ".join(parts))
        for line in (*_verdicts(self._drifts), *_harmless(self._drifts)):
            say(line)
        unlike = sum(len(drift.disagreements) for drift in self._drifts)
        if unlike:
            say(f"{unlike} exchanges are read otherwise by an SDK than by harness")
        if states["new"] and not self._options.update:
            say("store what is new with --update")


def _verdicts(drifts: list[Drift]) -> Iterator[str]:
    """Yield a line for each reader that changed, with its versions."""
    from harness.debug.sdk import SDK_TITLES

    names = {"recording": "the recording itself", **SDK_TITLES}
    blamed: dict[str, list[tuple[Drift, Change]]] = {}
    for drift in drifts:
        for change in drift.changes:
            by = "recording" if change.side == "recording" else change.by
            blamed.setdefault(by, []).append((drift, change))
    for by, found in blamed.items():
        files = len({drift.cassette for drift, _ in found})
        versions = {} if by == "recording" else _versions(found, by)
        shown = f" ({', '.join(versions)})" if versions else ""
        who = names.get(by, f"the interface {by}")
        where = counted(files, "recording")
        yield f"changed by {who}{shown}: {len(found)} in {where}"


def _harmless(drifts: list[Drift]) -> Iterator[str]:
    """Yield the packages that are not those of the store and changed nothing."""
    updates = {
        (name, *versions)
        for drift in drifts
        for name, versions in drift.versions.items()
        if versions[0] != versions[1]
    }
    guilty = {change.side for drift in drifts for change in drift.changes}
    for name, stored, now in sorted(updates):
        if ("interface" if name == "harness" else "sdk") not in guilty:
            yield f"{name} {stored} -> {now}: reads the same"


def _versions(found: list[tuple[Drift, Change]], by: str) -> dict[str, None]:
    """Return the versions that matter, each once: `openai 3.50.0 -> 3.54.0`."""
    from harness.debug.sdk import SDK_NAMES

    names = (by, "pydantic") if by in SDK_NAMES else ("harness",)
    shown: dict[str, None] = {}
    for drift, _ in found:
        for name in names:
            stored, now = drift.versions.get(name, ("", ""))
            if stored and stored != now:
                shown[f"{name} {stored} -> {now}"] = None
            elif stored:
                shown[f"{name} {now} as stored"] = None
    return shown
