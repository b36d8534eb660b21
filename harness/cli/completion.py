"""Completing what is typed in a shell: paths, interfaces, dialects, faults, splits.

click does the talking with bash, zsh and fish (`_HARNESS_COMPLETE=bash_source harness`
prints what a shell reads); this lists what may stand where. It is attached to a command
only while one is completed, so that no other run pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def attach(command: click.Command) -> None:
    """Let the values of a command's parameters be completed.

    Args:
        command: The command; of parameters that take any text, the type is replaced.
    """
    for parameter in command.params:
        complete = _BY_NAME.get(parameter.name or "")
        if complete is not None and parameter.type is click.STRING:
            parameter.type = _Text(complete)


class _Text(StringParamType):
    """Any text, with suggestions."""

    def __init__(
        self, complete: Callable[[click.Context, str], Iterable[CompletionItem]]
    ) -> None:
        self._complete = complete

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's
        incomplete: str,
    ) -> list[CompletionItem]:
        return list(self._complete(ctx, incomplete))


def _files(_ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    yield CompletionItem(incomplete, type="file")  # the shell knows files best


def _folders(_ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    yield CompletionItem(incomplete, type="dir")


def _interfaces(ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    names = [("streaming", "token by token"), ("queuing", "whole messages")]
    if ctx.command.name in {"replay", "drift"}:
        names.append(("both", "one after the other"))
    return _named(names, incomplete)


def _targets(_ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    return _named(
        [
            ("streaming", "our interface"),
            ("queuing", "our interface"),
            ("harness:FunctionArgumentsStreamHandler", "our argument machine"),
        ],
        incomplete,
    )


def _splits(_ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    from harness.core.splits import SPLITS

    return _joined(SPLITS.items(), incomplete, "+")


def _dialects(ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    from harness.apis.varied import dialects_of

    known = dialects_of(ctx.params.get("api"))
    names = [(part.name, part.summary) for part in known.values()]
    return _joined(names, incomplete, "+")


def _faults(ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    from harness.apis.varied import faults_of

    known = faults_of(ctx.params.get("api"))
    names = [(kind.name, kind.summary) for kind in known.values()]
    if ctx.command.name == "serve":
        from harness.serve.wire_faults import WIRE_FAULTS

        names += [(name, summary) for name, (_, summary) in WIRE_FAULTS.items()]
        names.append(("http-429", "the first requests get that status"))
    return _joined(names, incomplete, "+")


def _topics(_ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    from harness.cli.docs import topics

    return _named(topics(), incomplete)


def _relations(_ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    from harness.fuzz.relations import RELATIONS

    return _joined([(name, "") for name in RELATIONS], incomplete, ",")


def _joined(
    names: Iterable[tuple[str, str]], incomplete: str, separator: str
) -> Iterable[CompletionItem]:
    """Complete the last of several names that are joined."""
    before, found, last = incomplete.rpartition(separator)
    for item in _named(names, last):
        yield CompletionItem(f"{before}{found}{item.value}", help=item.help)


def _named(
    names: Iterable[tuple[str, str]], incomplete: str
) -> Iterable[CompletionItem]:
    for name, summary in names:
        if name.startswith(incomplete):
            yield CompletionItem(name, help=summary or None)


_BY_NAME = {
    **dict.fromkeys(("a", "b", "path", "paths"), _files),
    **dict.fromkeys(("folder", "store"), _folders),
    **dict.fromkeys(("interface", "interface_b"), _interfaces),
    **dict.fromkeys(("split", "split_b", "writes"), _splits),
    **dict.fromkeys(("dialect", "dialect_b"), _dialects),
    **dict.fromkeys(("fault", "fault_b"), _faults),
    "relations": _relations,
    "target": _targets,
    "topic": _topics,
}
