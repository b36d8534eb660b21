"""`harness serve`: recordings as a live server, for clients in any language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, say
from harness.cli.options import API, DIALECT, Options, option, takes
from harness.errors import counted

if TYPE_CHECKING:
    from harness.serve.server import Server
    from harness.serve.sessions import Sessions


class ServeOptions(Options):
    """The options of `harness serve`, as they were given."""

    host: str = option(
        "The address to listen on.", default="127.0.0.1", metavar="ADDRESS"
    )
    port: int = option(
        "The port; 0 takes any free one.", least=0, most=65535, default=0
    )
    allow_remote: bool = option("Listen on an address that other machines can reach.")
    allow_hosts: tuple[str, ...] = option(
        "Answer clients that reach the server under this name or address, too.",
        "--allow-host",
        metavar="NAME",
    )
    allow_origins: tuple[str, ...] = option(
        "Let web pages of this origin, as http://localhost:3000, read answers, and use "
        "/harness.",
        "--allow-origin",
        metavar="ORIGIN",
    )
    cors: bool = option("Pass recorded access-control-* headers on.")
    speed: str = option(
        "1: as recorded; X: that many times faster; 0: at once.",
        default="1",
        metavar="0|1|X",
    )
    split: str | None = option(
        "Cut the text of the deltas otherwise, as `harness replay` does.",
        metavar="recorded|whole|chars|N|...",
    )
    writes: str | None = option(
        "Cut the bytes into other writes, also inside a character, a line end or an "
        "escape; in the forms of --split, N in bytes.",
        metavar="whole|chars|N|...",
    )
    api: str | None = option(
        "The API that --dialect and --fault are of; every API is served anyway.", of=API
    )
    dialect: str | None = DIALECT
    fault: str | None = option(
        "Break the stream or the connection at K; several joined by +.",
        metavar="NAME[:K]",
    )
    match: str = option(
        "Answer a request with the recording of the same one, or with the next.",
        of=("strict", "order"),
        default="strict",
    )
    quiet: bool = option("Print the base URL and errors only.")


_SETTINGS = ("speed", "split", "writes", "api", "dialect", "fault", "match")


@click.command("serve", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@takes(ServeOptions)
def command(paths: tuple[str, ...], options: ServeOptions) -> int:
    """Serve recordings as an OpenAI-compatible server, until Ctrl-C.

    PATH is what `harness replay` takes. The recorded pieces leave as separate writes,
    at their recorded times. A client that wants no stream gets the whole completion.

    \b
    Examples:
      harness serve chat.yaml --port 8080
      harness serve cassettes --speed 0 --match order
      harness serve chat.yaml --writes 1 --dialect azure
      harness serve chat.yaml --fault http-429:2+reset:500

    Faults of the connection: http-CODE:N (the first N requests get that status),
    reset:K, close:K, stall:K (after K bytes of the body), trickle:K (K bytes a
    second), length-over:K, length-under:K (a content-length that is K bytes wrong).
    The others are those of `harness replay --fault`.

    A test can have a session of its own, at /s/NAME/v1: PUT settings as JSON to
    /harness/sessions/NAME, GET them and the requests so far from there.
    """
    import asyncio

    from harness.net import require_h11

    require_h11("the server", "serve")
    from harness.serve.access import Access
    from harness.serve.recordings import Recordings
    from harness.serve.server import Server
    from harness.serve.sessions import Sessions
    from harness.serve.settings import make_settings

    settings = make_settings(**{name: getattr(options, name) for name in _SETTINGS})
    sessions = Sessions(Recordings(paths), settings)
    server = Server(
        sessions,
        host=options.host,
        port=options.port,
        allow_remote=options.allow_remote,
        access=Access(
            allow_hosts=options.allow_hosts,
            allow_origins=options.allow_origins,
            cors=options.cors,
        ),
        report=None if options.quiet else say,
    )
    asyncio.run(_serve(server, sessions))
    return Exit.DONE


async def _serve(server: Server, sessions: Sessions) -> None:
    from harness.cli.signals import stop_on_signals

    stop = stop_on_signals()
    await server.start()
    exchanges = counted(len(sessions.recordings.chosen("")), "exchange")
    say(f"serving {exchanges}; base URL {server.url}/v1; stop with Ctrl-C")
    await stop.wait()
    await server.stop()
