"""The recordings of a server, and which of them answers a request.

Matching is the recorder's: method, path and canonical JSON body, both sides as they
are stored, secrets replaced. What differs is found by the same comparison that decides
(`harness.cassettes.differences`), so that matching and explaining cannot disagree.

Two things are looser than in a recorder, because a client of a server chooses its own
base URL and its own way to be answered: whatever stands before ``/chat/completions``
is not compared, and neither are `stream` and `stream_options`, unless they decide
between recordings that are otherwise the same.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from harness.cassettes.differences import ABSENT, Difference, body_differences
from harness.cassettes.library import find_cassettes
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Cassette, Exchange, Request, header_of
from harness.errors import HarnessError, UsageError, shorten
from harness.record.session import redacted_request
from harness.redaction.redact import Redaction
from harness.serve.apis import asked_api, same_question
from harness.serve.settings import Match

if TYPE_CHECKING:
    from collections.abc import Iterable


CHAT = "/chat/completions"
"""How the path of a chat completion ends, whatever stands before it."""

ROUTES = {
    "chat": CHAT,
    "responses": "/responses",
    "anthropic": "/messages",
    "gemini": ":generateContent",
    "ollama": "/api/chat",
}
"""The route of each API, whatever stands before it; any of them finds another's."""

_SHOWN_DIFFERENCES = 5  # as a recorder's miss
_HOW_ASKED = ("stream", "stream_options")


class NoAnswerError(HarnessError):
    """No recording answers a request; the message names the nearest.

    Attributes:
        differences: The fields in which the request differs from it, one line each.
    """

    def __init__(self, problem: str, differences: tuple[str, ...] = ()) -> None:
        self.differences = differences
        super().__init__(problem)


def route_of(path: str) -> str:
    """Return what of a path is compared: one route for each API.

    Args:
        path: A path, with or without a query, which does not count.
    """
    api = asked_api(path)
    path = path.partition("?")[0].rstrip("/") or "/"
    if path.endswith("/api/generate"):  # its answers are of another form than a chat's
        return "/api/generate"
    return ROUTES.get(api, path)


class Recorded(NamedTuple):
    """One exchange that can answer."""

    name: str
    """Where it is: ``chat.yaml#0``."""
    exchange: Exchange
    """The recording."""
    request: Request
    """What was sent, without secrets."""
    route: str
    """Its path, as `route_of` gives it."""
    document: Any
    """The request's JSON; None where there was none."""

    def differences(self, request: Request) -> list[Difference]:
        """Return the fields in which a request differs; empty if it is the same."""
        found: list[Difference] = []
        route = route_of(request.uri)
        if self.is_unknown and route in ROUTES.values():
            return []
        if route != self.route and {route, self.route} <= set(ROUTES.values()):
            # Asked in another API: the questions are compared, not the JSON.
            return [
                Difference(field, known or ABSENT, sent or ABSENT)
                for field, known, sent in same_question(self.request, request)
            ]
        if request.method != self.request.method:
            found.append(Difference("method", self.request.method, request.method))
        if self.route != route_of(request.uri):
            found.append(Difference("path", self.route, route_of(request.uri)))
        return found + body_differences(
            self.request.body,
            request.body,
            recorded_type=header_of(self.request.headers, "content-type"),
            sent_type=header_of(request.headers, "content-type"),
        )

    @property
    def is_unknown(self) -> bool:
        """Whether its request was not recorded: event stream text answers anything."""
        return self.request.uri == "" and self.request.body is None


class Recordings:
    """All exchanges that a server can answer with, in order.

    Args:
        sources: Cassettes, paths of recordings and folders of cassettes.

    Raises:
        CassetteError: One cannot be read, or there is nothing of that name.
        UsageError: There is no source at all.
    """

    def __init__(self, sources: Iterable[str | os.PathLike[str] | Cassette]) -> None:
        self._redaction = Redaction()
        self.cassettes: dict[str, list[Recorded]] = {}
        """The recordings of each cassette, by its path."""
        for source in sources:
            for cassette in _cassettes(source):
                self.cassettes[cassette.path] = [
                    self._recorded(cassette, exchange)
                    for exchange in cassette.exchanges
                ]
        if not self.cassettes:
            raise UsageError("expected at least one recording to serve")

    def _recorded(self, cassette: Cassette, exchange: Exchange) -> Recorded:
        response = exchange.response
        if response.source is not None:  # read once, and every client wants it
            response = dataclasses.replace(
                response, body=response.whole(cassette.path), source=None, beginning=b""
            )
            exchange = dataclasses.replace(exchange, response=response)
        request = self.comparable(exchange.request)
        return Recorded(
            f"{cassette.path}#{exchange.index}",
            exchange,
            request,
            route_of(urlsplit(request.uri).path) if request.uri else CHAT,
            request.json(),
        )

    def comparable(self, request: Request) -> Request:
        """Return a request as it would be stored, secrets replaced."""
        return redacted_request(request, self._redaction)

    def chosen(self, cassette: str) -> list[Recorded]:
        """Return the recordings of a cassette, or of all.

        Args:
            cassette: Its path as it was given, or the end of it, with or without
                `.yaml`; empty for all.

        Raises:
            UsageError: There is none of that name, or more than one.
        """
        if not cassette:
            return [one for found in self.cassettes.values() for one in found]
        if cassette in self.cassettes:
            return self.cassettes[cassette]
        wanted = f"/{cassette.strip('/')}"
        found = [
            path
            for path in self.cassettes
            for name in (f"/{path.replace(os.sep, '/').lstrip('/')}",)
            if name.endswith(wanted) or os.path.splitext(name)[0].endswith(wanted)  # noqa: PTH122 - a name, not a file
        ]
        if len(found) == 1:
            return self.cassettes[found[0]]
        names = ", ".join(list(found or self.cassettes)[:10])
        problem = "several cassettes end in" if found else "no cassette is called"
        raise UsageError(f"{problem} {shorten(cassette)}; expected one of {names}")

    def models(self) -> list[str]:
        """Return the models that were asked for, in order of appearance."""
        found: dict[str, None] = {}
        for recorded in self.chosen(""):
            for document in (recorded.document, _first_json(recorded.exchange)):
                model = document.get("model") if isinstance(document, dict) else None
                if isinstance(model, str) and model:
                    found[model] = None
        return list(found)


class Chooser:
    """Chooses the recordings for the requests of one session; remembers them.

    Args:
        recordings: The session's recordings, in order.
        match: By what a recording is chosen.
    """

    def __init__(self, recordings: list[Recorded], match: Match) -> None:
        self._recordings = recordings
        self._match = match
        self._played: dict[str, int] = {}
        self._asked: dict[str, int] = {}

    def choose(self, request: Request) -> Recorded:
        """Return the recording that answers a request.

        Of several that match, each answers once, in order, and then the last: a
        request that failed first and then succeeded does so again.

        Args:
            request: What was asked, without secrets.

        Raises:
            NoAnswerError: None does.
        """
        route = route_of(request.uri)
        shown = f"{request.method} {request.uri.partition('?')[0]}"
        alike = {route, *ROUTES.values()} if route in ROUTES.values() else {route}
        candidates = [one for one in self._recordings if one.route in alike]
        if not candidates:
            routes = sorted({one.route for one in self._recordings})
            raise NoAnswerError(
                f"nothing was recorded for {shown}; recorded are {', '.join(routes)}"
            )
        if self._match is Match.ORDER:
            return self._in_order(min(alike), candidates, shown)
        return self._strictly(request, candidates, shown)

    def _in_order(self, key: str, candidates: list[Recorded], shown: str) -> Recorded:
        number = self._asked.get(key, 0)
        if number >= len(candidates):
            raise NoAnswerError(
                f"{shown}: all {len(candidates)} recordings have been played (match "
                "order); start another session, or reset this one"
            )
        self._asked[key] = number + 1
        return candidates[number]

    def _strictly(
        self, request: Request, candidates: list[Recorded], shown: str
    ) -> Recorded:
        compared: list[tuple[list[Difference], Recorded]] = []
        route = route_of(request.uri)
        for is_own in (True, False):  # other APIs' are read where its own has none
            found = [
                (one.differences(request), one)
                for one in candidates
                if (one.route == route) == is_own
            ]
            compared += found
            if same := _same(found):
                break
        else:
            differences, nearest = min(compared, key=lambda pair: len(pair[0]))
            listed = [
                str(item) for item in differences if not _is_how_asked(item)
            ] or list(map(str, differences))
            rest = len(listed) - _SHOWN_DIFFERENCES
            more = f"; and {rest} more" if rest > 0 else ""
            raise NoAnswerError(
                f"{shown} was never recorded; nearest is {nearest.name}: "
                f"{'; '.join(listed[:_SHOWN_DIFFERENCES])}{more}; make the same "
                "request, record this one, or serve with match order",
                tuple(listed),
            )
        left = [one for one in same if not self._played.get(one.name)]
        chosen = left[0] if left else same[-1]
        self._played[chosen.name] = self._played.get(chosen.name, 0) + 1
        return chosen


def _same(compared: list[tuple[list[Difference], Recorded]]) -> list[Recorded]:
    """Return those that match, best those that were asked in the same way."""
    same = [one for differences, one in compared if not differences] or [
        one
        for differences, one in compared
        if all(_is_how_asked(difference) for difference in differences)
    ]
    return [one for one in same if not one.is_unknown] or same


def _is_how_asked(difference: Difference) -> bool:
    return difference.field.partition(".")[0] in _HOW_ASKED


def _cassettes(source: str | os.PathLike[str] | Cassette) -> list[Cassette]:
    if isinstance(source, Cassette):
        return [source]
    return [load_cassette(path) for path in find_cassettes(source)]


def _first_json(exchange: Exchange) -> Any:
    """Return the first JSON object of a response, wherever it begins; None if none."""
    head = exchange.response.peek(65536)
    start = head.find(b"{")
    if start < 0:
        return None
    try:
        text = head[start:].decode("utf-8", "replace")
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
