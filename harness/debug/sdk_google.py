"""What Google's SDK makes of Gemini streams.

It adds nothing up: a caller is given chunk after chunk. Their texts, thoughts and calls
are joined here in the order of its objects, choice 0 alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.debug.sdk import Heard, Sdk, agrees

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_AS_SENT = str.maketrans("-_", "+/")
_REQUEST: dict[str, Any] = {"model": "recorded", "contents": "recorded"}


class Google(Sdk):
    """Google's SDK: its chunks, added up as they come."""

    name = "google-genai"
    title = "the Google Gen AI SDK"

    def _connect(self) -> None:
        import httpx
        from google import genai

        # Created with a transport, a client reads no certificates and no proxies.
        client = httpx.Client(transport=self.transport(httpx))
        options = genai.types.HttpOptions(
            httpx_client=client, base_url="http://recorded.invalid"
        )
        self._client: Any = genai.Client(
            api_key="unused", vertexai=False, http_options=options
        )

    def read_stream(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read a stream; see `Sdk.read`."""
        del api
        heard = Heard(exchange)
        answer = _Answer()
        chunks = heard.hear(
            lambda: self._client.models.generate_content_stream(**_REQUEST),
            _plain,
            lambda _chunk, _data: [],  # its types are checked as it parses
        )
        for chunk in chunks:
            answer.add(chunk)
        return heard.report(answer.said(), agrees=answer.agrees(exchange))

    def read_whole(self, exchange: Exchange, api: str) -> dict[str, Any]:
        """Read a whole answer; see `Sdk.read`."""
        del api
        heard = Heard(exchange)
        answer = _Answer()
        try:
            answer.add(self._client.models.generate_content(**_REQUEST))
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            heard.note("reading", None, error)
        return heard.report_whole(answer.said(), [], agrees=answer.agrees(exchange))


SDK = Google


class _Answer:
    """What the chunks of one answer add up to."""

    def __init__(self) -> None:
        self._text = ""
        self._thoughts = ""
        self._calls: list[dict[str, Any]] = []
        self._finish: str | None = None
        self._usage: dict[str, Any] | None = None

    def add(self, chunk: Any) -> None:
        data = _plain(chunk)
        self._usage = data.get("usageMetadata", self._usage)
        for candidate in data.get("candidates") or []:
            if candidate.get("index"):
                continue
            for part in (candidate.get("content") or {}).get("parts") or []:
                if part.get("thought"):
                    self._thoughts += part.get("text") or ""
                else:
                    self._text += part.get("text") or ""
                if part.get("functionCall"):
                    self._calls.append(part["functionCall"])
            self._finish = candidate.get("finishReason", self._finish)

    def said(self) -> dict[str, Any]:
        return {
            "text": self._text,
            "thoughts": self._thoughts,
            "calls": self._calls,
            "finish_reason": self._finish,
            "usage": self._usage,
        }

    def agrees(self, exchange: Exchange) -> bool:
        calls = [(one.get("name") or "", one.get("args") or {}) for one in self._calls]
        return agrees(exchange, self._text, calls, self._finish, are_parsed=True)


def _plain(chunk: Any) -> dict[str, Any]:
    """Return an object of the SDK as JSON data, as the API names its fields."""
    data: dict[str, Any] = chunk.model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    data.pop("sdkHttpResponse", None)  # the SDK's own
    for candidate in data.get("candidates") or []:
        for part in (candidate.get("content") or {}).get("parts") or []:
            if "thoughtSignature" in part:  # the same bytes, in the alphabet of URLs
                signature = part["thoughtSignature"]
                part["thoughtSignature"] = signature.translate(_AS_SENT)
    return data
