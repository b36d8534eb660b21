"""How every command talks: errors, exit codes, colours, closed pipes.

Owns the promise that a user's mistake gives one line on standard error and never a
traceback. Exit codes: 0 done, 1 findings, 2 wrong usage or unreadable input, 130
interrupted, 141 the reader of a pipe went away (both as of any Unix tool).
"""

from __future__ import annotations

import io
import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

import click

from harness.cli.output import out, rejoin
from harness.errors import (
    HarnessError,
    InterfaceError,
    ProtocolError,
    UsageError,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


COMPLETION = "_HARNESS_COMPLETE"
"""Set where a shell asks what could be typed; click makes it of the program's name."""


FINDING: dict[str, Any] = {"fg": 231, "bg": 160, "bold": True}
"""How a finding looks: white on red. No colour of a terminal's palette reads well on
every background, so those used here bring their own, from the 240 that no palette has.
"""
_CHANGES: dict[str, dict[str, Any]] = {"-": FINDING, "+": {**FINDING, "bg": 22}}


class Exit(IntEnum):
    """What a command's exit code means."""

    DONE = 0
    """It did what was asked and found nothing wrong."""
    FINDINGS = 1
    """It did what was asked and found something."""
    UNUSABLE = 2
    """Wrong usage, or input that cannot be read."""
    INTERRUPTED = 130
    """Ctrl-C: 128 + SIGINT."""
    PIPE_CLOSED = 141
    """The reader of standard output went away: 128 + SIGPIPE."""


class Debug:
    """Whether `--debug` was given, before the command's name or after it."""

    is_on = False


def run(command: click.Command, arguments: Iterable[str] | None = None) -> NoReturn:
    """Run a command and exit with its code; errors become one line each.

    Args:
        command: The click command.
        arguments: Its arguments; None takes the process's.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # the shell closed it: `>&-`
        click.echo("harness: standard output is closed; nothing was done", err=True)
        sys.exit(Exit.UNUSABLE)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Windows writes cp1252 into a pipe, which has no emoji: it becomes an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_code_of(command, given))


def _code_of(command: click.Command, arguments: list[str]) -> int:
    debug = Debug()
    try:
        result = command.main(
            arguments, prog_name="harness", standalone_mode=False, obj=debug
        )
        sys.stdout.flush()
        out().flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        _show(error)
        return Exit.UNUSABLE
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted")
        return Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit) as stop:
        return _stopped(stop)
    except OSError as error:  # one of a file is an error of ours before it comes here
        complain_of(error, _system_problem(error), is_debug=debug.is_on)
        return Exit.UNUSABLE
    except (HarnessError, MemoryError, RecursionError) as error:
        complain_of(error, _problem(error), is_debug=debug.is_on)
        is_finding = isinstance(error, InterfaceError | ProtocolError)
        is_usage = isinstance(error, UsageError)
        return Exit.FINDINGS if is_finding and not is_usage else Exit.UNUSABLE
    finally:
        rejoin()
    return result if isinstance(result, int) else Exit.DONE


def _stopped(stop: BaseException) -> int:
    """Return the code of a closed pipe, or of what ended the process."""
    if isinstance(stop, SystemExit):
        if COMPLETION in os.environ:
            return int(stop.code or 0)
        trace = stop.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        by = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
        if not by.startswith("click."):  # which answers a closed pipe with SystemExit
            complain(f"{by} raised SystemExit({stop}), and what was left is not done")
            return Exit.FINDINGS
    _drop_output()
    return Exit.PIPE_CLOSED


def _system_problem(error: OSError) -> str:
    what = error.filename
    if isinstance(error, FileNotFoundError):  # it was removed meanwhile
        what = what or "the current folder"
    if not what:
        what = "standard output"
        _drop_output()
    return f"{what}: cannot be used ({error.strerror or error})"


def _drop_output() -> None:
    """Let nothing more be written: at exit Python would, and complain there."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), out().fileno())


def _problem(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "out of memory; look at one recording at a time"
    if isinstance(error, RecursionError):
        return "a value is nested too deeply to be shown; see --debug for where"
    return str(error)


def _show(error: click.ClickException) -> None:
    """Show an error of click's, which quotes the arguments as they are."""
    text = io.StringIO()
    error.show(file=text)
    for line in text.getvalue().splitlines():
        click.echo(printable(line), err=True)


def complain(text: str) -> None:
    """Write one line to standard error, after everything already on standard output.

    Args:
        text: The line; it may quote a recording or an argument. Keys, and secrets in
            the URLs that it has, are left out.
    """
    from harness.redaction.config import redacted_url  # only where something is wrong

    out().flush()
    click.echo(f"harness: {printable(redacted_url(text))}", err=True)


def complain_of(
    error: BaseException, text: str = "", *, is_debug: bool | None = None
) -> None:
    """Write an error as one line; with `--debug` its whole traceback before that.

    Args:
        error: The error.
        text: The line; the error's own text where it is empty.
        is_debug: Whether to show the traceback; None asks the command that runs.
    """
    if is_debug is None:
        context = click.get_current_context(silent=True)
        debug = context.find_object(Debug) if context is not None else None
        is_debug = debug is not None and debug.is_on
    if is_debug:
        out().flush()
        import traceback

        for line in traceback.format_exception(error):
            for one in line.splitlines():
                click.echo(printable(one), err=True)
    complain(text or str(error))


def say(text: str) -> None:
    """Write one line to standard error that is no complaint."""
    out().flush()
    click.echo(printable(text), err=True)


def write(text: str, **style: Any) -> None:
    """Write one line to standard output.

    Args:
        text: The line; it may quote a recording.
        style: How it looks where there are colours, as `click.style` takes it.
    """
    text = printable(text)
    if style and use_colour(has_escapes(out())):
        text = click.style(text, **style)
    out().write(f"{text}\n")


def write_change(sign: str, text: str, indent: str = "") -> None:
    """Write one line of a difference to standard output, its sign coloured.

    Args:
        sign: ``-`` or ``+``.
        text: The line; it may quote a recording.
        indent: What stands before the sign.
    """
    if use_colour(has_escapes(out())):
        sign = click.style(sign, **_CHANGES[sign])
    out().write(f"{indent}{sign} {printable(text)}\n")


def has_escapes(stream: Any) -> bool:
    """Return whether a stream is a terminal that knows escape sequences."""
    return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"  # Emacs' shell


def use_colour(stream_is_terminal: bool) -> bool:  # noqa: FBT001 - a predicate's input
    """Return whether to colour: on a terminal, unless `NO_COLOR` is set and not empty.

    Source: no-color.org; `FORCE_COLOR` turns it on elsewhere.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return stream_is_terminal or bool(os.environ.get("FORCE_COLOR"))
