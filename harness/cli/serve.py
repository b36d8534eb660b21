"""`harness serve`: recordings as a live server, for clients in any language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.cli.console import Exit, say
from harness.cli.options import API, DIALECT

if TYPE_CHECKING:
    from harness.serve.server import Server
    from harness.serve.sessions import Sessions


@click.command(
    "serve",
    no_args_is_help=True,
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="The address to listen on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    metavar="N",
    help="The port; 0 takes any free one.",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Listen on an address that other machines can reach.",
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    help="Answer clients that reach the server under this name or address, too.",
)
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    metavar="ORIGIN",
    help="Let web pages of this origin, as http://localhost:3000, use /harness.",
)
@click.option("--cors", is_flag=True, help="Pass recorded access-control-* headers on.")
@click.option(
    "--speed",
    default="1",
    show_default=True,
    metavar="0|1|X",
    help="1: as recorded; X: that many times faster; 0: at once.",
)
@click.option(
    "--split",
    metavar="recorded|whole|chars|N|...",
    help="Cut the text of the deltas otherwise, as `harness replay` does.",
)
@click.option(
    "--writes",
    metavar="whole|chars|N|...",
    help="Cut the bytes into other writes, also inside a character, a line end or an "
    "escape; in the forms of --split, N in bytes.",
)
@click.option(
    "--api",
    type=API,
    help="The API that --dialect and --fault are of; every API is served anyway.",
)
@DIALECT
@click.option(
    "--fault",
    metavar="NAME[:K]",
    help="Break the stream or the connection at K; several joined by +.",
)
@click.option(
    "--match",
    type=click.Choice(("strict", "order")),
    default="strict",
    show_default=True,
    help="Answer a request with the recording of the same one, or with the next.",
)
@click.option("--quiet", is_flag=True, help="Print the base URL and errors only.")
def command(
    paths: tuple[str, ...],
    *,
    host: str,
    port: int,
    allow_remote: bool,
    allow_hosts: tuple[str, ...],
    allow_origins: tuple[str, ...],
    cors: bool,
    quiet: bool,
    **settings: Any,
) -> int:
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

    sessions = Sessions(Recordings(paths), make_settings(**settings))
    server = Server(
        sessions,
        host=host,
        port=port,
        allow_remote=allow_remote,
        access=Access(allow_hosts=allow_hosts, allow_origins=allow_origins, cors=cors),
        report=None if quiet else say,
    )
    asyncio.run(_serve(server, sessions))
    return Exit.DONE


async def _serve(server: Server, sessions: Sessions) -> None:
    import asyncio

    from harness.cli.signals import stop_on_signals

    stop = asyncio.Event()
    stop_on_signals(stop)
    await server.start()
    count = len(sessions.recordings.chosen(""))
    exchanges = f"{count} exchange{'' if count == 1 else 's'}"
    say(f"serving {exchanges}; base URL {server.url}/v1; stop with Ctrl-C")
    await stop.wait()
    await server.stop()
