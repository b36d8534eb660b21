"""`harness record`: from a real server to a cassette, as a proxy or from scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.console import Exit, say
from harness.cli.options import Options, given, option, takes
from harness.errors import counted

if TYPE_CHECKING:
    from harness.record.proxy import ProxyOptions

_DEFAULT_LISTEN = "127.0.0.1:8787"


class RecordOptions(Options):
    """The options of `harness record`, as they were given."""

    proxy: bool = option(
        "Be a recording proxy; PATH is the cassette. Point a client's base URL at it."
    )
    upstream: str | None = option(
        "With --proxy: the real server's base URL.", metavar="URL"
    )
    listen: str = option(
        "With --proxy: the address to listen on; port 0 takes any free one.",
        default=_DEFAULT_LISTEN,
        metavar="HOST:PORT",
    )
    allow_remote: bool = option(
        "With --proxy: listen on an address that other machines can reach."
    )
    rewrite: bool = option(
        "Replace the cassette as a whole, at the end and only after success; "
        "without it new recordings replace those they match and the others stay."
    )
    base_url: str | None = option(
        "Without --proxy: the server that PATH..., scenario files, are run against.",
        metavar="URL",
    )
    api_key_env: str | None = option(
        "Without --proxy: the environment variable that holds the server's key.",
        metavar="NAME",
    )
    force: bool = option("Record even where CI is set.")


@click.command("record", no_args_is_help=True)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@takes(RecordOptions)
def command(paths: tuple[str, ...], options: RecordOptions) -> int:
    """Record real streams, with every cut, pause and ending.

    \b
    Examples:
      harness record chat.scenario.yaml --base-url http://127.0.0.1:8080/v1
      harness record --proxy --upstream https://api.openai.com chat.yaml
      harness record --proxy --upstream http://127.0.0.1:8000 --rewrite chat.yaml

    The proxy forwards each request and passes every piece of the answer on as it
    arrives. It stops on Ctrl-C and writes the cassette then; until then each
    exchange that has ended is in a journal beside it, which the next recording takes
    in if this one is killed. Credentials are removed before anything is written.

    A scenario file lists what to ask, which tools to offer and what they return; its
    cassette is written beside it, NAME.scenario.yaml to NAME.yaml, and only when the
    answers are what the scenario expects.
    """
    base_url, api_key_env = options.base_url, options.api_key_env
    upstream, force = options.upstream, options.force
    if not options.proxy:
        if base_url is None or upstream is not None:
            raise click.UsageError(
                "expected --base-url URL for scenario files, or --proxy and --upstream"
            )
        if idle := given("listen", "allow_remote", "rewrite"):
            raise click.UsageError(f"{', '.join(idle)}: only for --proxy")
        from harness.cli.record_scenario import record_scenarios

        return record_scenarios(
            paths, base_url=base_url, api_key_env=api_key_env, force=force
        )
    if base_url is not None or api_key_env is not None:
        raise click.UsageError("--base-url and --api-key-env are not for --proxy")
    from harness.net import require_h11

    require_h11("the proxy", "record")
    from harness.record.proxy import ProxyOptions

    if upstream is None or len(paths) != 1:
        raise click.UsageError("--proxy takes --upstream URL and one cassette")
    host, port = _address(options.listen)
    settings = ProxyOptions(
        upstream=upstream,
        host=host,
        port=port,
        mode="rewrite" if options.rewrite else "all",
        allow_remote=options.allow_remote,
        force=force,
    )
    return _run_proxy(paths[0], settings)


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise click.BadParameter(
            f"expected HOST:PORT such as {_DEFAULT_LISTEN}, got {listen!r}",
            param_hint="--listen",
        )
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def _run_proxy(path: str, options: ProxyOptions) -> int:
    import asyncio

    from harness.cli.signals import stop_on_signals
    from harness.record.proxy import serve_proxy
    from harness.redaction.config import redacted_url

    async def serve() -> int:
        return await serve_proxy(
            path,
            options,
            stop=stop_on_signals(),
            started=lambda url: say(
                f"recording {redacted_url(options.upstream)} to {path}; "
                f"base URL {url}; stop with Ctrl-C"
            ),
            report=say,
        )

    count = asyncio.run(serve())
    say(f"{path}: {counted(count, 'exchange')} recorded")
    return Exit.DONE
