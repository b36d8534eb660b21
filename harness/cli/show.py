"""`harness show`: one cassette in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from harness.apis.json_values import dict_of
from harness.cli.console import Exit
from harness.cli.options import Options, exchange_option, takes
from harness.errors import printable

if TYPE_CHECKING:
    from harness.core.accumulate import AccumulatedMessage
    from harness.engine.summary import ExchangeSummary


class ShowOptions(Options):
    """The options of `harness show`, as they were given."""

    exchange: int | None = exchange_option("Show")


@click.command("show", no_args_is_help=True)
@click.argument("path", metavar="PATH")
@takes(ShowOptions)
def command(path: str, options: ShowOptions) -> int:
    """Show one recording in full: what was asked, what came, how it ended.

    PATH is a recording, or - for standard input.

    \b
    Examples:
      harness show cassettes/llama-server/plain-text.yaml
      harness show cassettes/llama-server/three-steps.yaml --exchange 1
    """
    from harness.cassettes.load import load_cassette
    from harness.engine.chosen_exchanges import check_exchange
    from harness.engine.summary import summarise_exchange

    cassette, exchange = load_cassette(path), options.exchange
    check_exchange(cassette, exchange)
    for one in cassette.exchanges:
        if exchange is None or one.index == exchange:
            _show(summarise_exchange(one))
    return Exit.DONE


_SHOWN_OF_ITEM = 400  # characters: an image has millions


def _show(summary: ExchangeSummary) -> None:
    exchange = summary.exchange
    request, response = exchange.request, exchange.response
    _line(0, f"exchange {exchange.index}", _asked(request.method, request.uri))
    body = request.json()
    if isinstance(body, dict):
        _show_request(body)
    status = f"{response.status} {response.reason}".strip()
    _line(1, "response", f"{status}, {summary.reason or summary.kind}")
    if summary.model:
        _line(2, "model", summary.model)
    if summary.chunks:
        _line(2, "chunks", str(summary.chunks))
    if response.wire is not None:
        seconds = f", last after {summary.duration_s:.3f} s" if response.wire else ""
        _line(2, "wire", f"{len(response.wire)} reads{seconds}")
    for number, message in summary.choices.items():
        _show_message(number if len(summary.choices) > 1 else None, message)
    if summary.usage:
        _line(2, "usage", json.dumps(summary.usage, ensure_ascii=False))
    _line(2, "ended", summary.ended)
    for diagnostic in summary.diagnostics:
        _line(2, "note", str(diagnostic))


def _asked(method: str, uri: str) -> str:
    from harness.redaction.config import redacted_url

    return f"{method} {redacted_url(uri)}" if uri else "request not recorded"


def _show_request(body: dict[str, Any]) -> None:
    _line(1, "request", "")
    for key, value in body.items():
        if key == "messages" and isinstance(value, list):
            for message in value:
                _show_turn(message)
        elif key == "tools" and isinstance(value, list):
            _line(2, "tools", ", ".join(_tool_name(tool) for tool in value))
        else:
            _line(2, key, json.dumps(value, ensure_ascii=False))


def _show_turn(message: object) -> None:
    if not isinstance(message, dict):
        _line(2, "message", json.dumps(message, ensure_ascii=False))
        return
    role = str(message.get("role"))
    for key, value in message.items():
        if key != "role" and value is not None:
            name = role if key == "content" else f"{role}.{key}"
            _line(2, name, json.dumps(value, ensure_ascii=False))


def _tool_name(tool: object) -> str:
    name = dict_of(dict_of(tool).get("function")).get("name")
    return name if isinstance(name, str) else json.dumps(tool, ensure_ascii=False)


def _show_message(choice: int | None, message: AccumulatedMessage) -> None:
    if choice is not None:
        _line(2, "choice", str(choice))
    for name in ("reasoning", "content", "refusal"):
        text = getattr(message, name)
        if text:
            _line(2, name, json.dumps(text, ensure_ascii=False))
    for call in message.calls:
        _line(2, "call", f"{call.name}({call.arguments}) {call.id}".rstrip())
    for item in message.items:
        held = getattr(item, "data", None) or json.dumps(
            getattr(item, "value", None), ensure_ascii=False
        )
        more = len(held) - _SHOWN_OF_ITEM
        end = f"... ({len(held)} characters)" if more > 0 else ""
        _line(2, item.kind, f"{held[:_SHOWN_OF_ITEM]}{end}")
    if message.finish_reason:
        _line(2, "finish", message.finish_reason)


def _line(depth: int, name: str, value: str) -> None:
    shown = f": {printable(value)}" if value else ""
    click.echo(f"{'  ' * depth}{printable(name)}{shown}")
