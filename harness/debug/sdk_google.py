"""What Google's SDK makes of Gemini streams.

It adds nothing up: a caller is given chunk after chunk. Their texts, thoughts and calls
are joined here in the order of its objects, choice 0 alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.debug.sdk import Sdk

if TYPE_CHECKING:
    from harness.debug.sdk import Heard

_AS_SENT = str.maketrans("-_", "+/")
_REQUEST: dict[str, Any] = {"model": "recorded", "contents": "recorded"}


class Google(Sdk):
    """Google's SDK: its chunks, added up as they come."""

    name = "google-genai"
    parses_arguments = True

    def _connect(self) -> None:
        import httpx
        from google import genai

        # Created with a transport, a client reads no certificates and no proxies.
        options = genai.types.HttpOptions(
            httpx_client=self.client(httpx.Client), base_url="http://recorded.invalid"
        )
        self._models: Any = genai.Client(
            api_key="unused", vertexai=False, http_options=options
        ).models

    def ask(self, api: str) -> Any:  # noqa: ARG002 - it has one
        """Return a whole answer; see `Sdk`."""
        return self._models.generate_content(**_REQUEST)

    def accumulate(self, heard: Heard, api: str) -> dict[str, Any]:  # noqa: ARG002 - as above
        """Read a stream; see `Sdk`."""
        chunks = heard.hear(lambda: self._models.generate_content_stream(**_REQUEST))
        return {"chunks": [self.as_sent(chunk) for chunk in chunks]}

    def problems(self, model: Any, data: dict[str, Any]) -> list[str]:
        """Return nothing: its types are checked as it parses."""
        del model, data
        return []

    def kept(self, answer: dict[str, Any], api: str) -> dict[str, Any]:  # noqa: ARG002 - as above
        """Return what the chunks of an answer add up to; see `Sdk`."""
        found: dict[str, Any] = {"text": "", "thoughts": "", "calls": []}
        found |= {"finish_reason": None, "usage": None}
        for data in answer.get("chunks", [answer]):
            found["usage"] = data.get("usageMetadata", found["usage"])
            for candidate in data.get("candidates") or []:
                if candidate.get("index"):
                    continue
                for part in (candidate.get("content") or {}).get("parts") or []:
                    kind = "thoughts" if part.get("thought") else "text"
                    found[kind] += part.get("text") or ""
                    if part.get("functionCall"):
                        found["calls"].append(part["functionCall"])
                finish = candidate.get("finishReason", found["finish_reason"])
                found["finish_reason"] = finish
        return found

    def content_of(
        self, answer: dict[str, Any], api: str
    ) -> tuple[str, list[tuple[Any, Any]], str | None]:
        """Return text, calls and finish reason of an answer; see `Sdk`."""
        found = self.kept(answer, api)
        calls = [(c.get("name") or "", c.get("args") or {}) for c in found["calls"]]
        return found["text"], calls, found["finish_reason"]

    def as_sent(self, model: Any) -> dict[str, Any]:
        """Return an object of the SDK as JSON data, as the API names its fields."""
        data: dict[str, Any] = model.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        data.pop("sdkHttpResponse", None)  # the SDK's own
        for candidate in data.get("candidates") or []:
            for part in (candidate.get("content") or {}).get("parts") or []:
                if "thoughtSignature" in part:  # the same, in the alphabet of URLs
                    signature = part["thoughtSignature"]
                    part["thoughtSignature"] = signature.translate(_AS_SENT)
        return data


SDK = Google
