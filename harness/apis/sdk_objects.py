"""Events as the typed objects of the vendors' SDKs, for consumers that take those.

Imported late: an SDK is needed only where a consumer is annotated with its types, which
it then has imported itself.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import Payload

_ROOTS = {"openai", "anthropic", "google"}


def wants_typed(annotation: object) -> bool:
    """Return whether a parameter is annotated with a type of a vendor's SDK.

    Args:
        annotation: A type, a union of types, or their text.
    """
    if isinstance(annotation, str):
        return any(name in annotation for name in _TYPE_NAMES)
    for one in getattr(annotation, "__args__", None) or (annotation,):
        if getattr(one, "__module__", "").partition(".")[0] in _ROOTS:
            return True
    return False


_TYPE_NAMES = (
    "ChatCompletionChunk",
    "ResponseStreamEvent",
    "RawMessageStreamEvent",
    "MessageStreamEvent",
    "GenerateContentResponse",
)


def is_dropped(api: str, payload: Payload) -> bool:
    """Return whether an SDK's client drops an event before its caller sees it."""
    return api == "anthropic" and payload.get("type") == "ping"


def typed_event(api: str, payload: Payload, *, is_beta: bool = False) -> Any:
    """Return an event as the object that the vendor's SDK makes of it.

    Args:
        api: Whose event it is.
        payload: Its object.
        is_beta: Make the object of the SDK's `beta` part, where it has one.

    Returns:
        A chat chunk or Responses event of `openai`, a raw event of `anthropic`, or a
        response of `google.genai`, made without validation where the SDK does so.

    Raises:
        UsageError: The SDK is not installed.
    """
    return _maker(api, is_beta=is_beta)(payload)


@cache
def _maker(api: str, *, is_beta: bool) -> Callable[[Payload], Any]:
    try:
        if api == "anthropic":
            from anthropic._models import construct_type as construct
            from anthropic.types import RawMessageStreamEvent
            from anthropic.types.beta import BetaRawMessageStreamEvent

            event: Any = BetaRawMessageStreamEvent if is_beta else RawMessageStreamEvent
            return lambda payload: construct(type_=event, value=payload)
        if api == "gemini":
            from google.genai.types import GenerateContentResponse

            return lambda payload: _validated(GenerateContentResponse, payload)
        from openai._models import construct_type
        from openai.types.chat import ChatCompletionChunk
        from openai.types.responses import ResponseStreamEvent

        kind: Any = ResponseStreamEvent if api == "responses" else ChatCompletionChunk
        return lambda payload: construct_type(type_=kind, value=payload)
    except ImportError as error:
        name = {"anthropic": "anthropic", "gemini": "google-genai"}.get(api, "openai")
        raise UsageError(
            f"events of {api} as its SDK's objects need `pip install {name}` ({error})"
        ) from None


def _validated(kind: Any, payload: Payload) -> Any:
    """Validate without the fields that this version of the SDK does not know.

    Its client drops them before it makes its objects, which refuse them.
    """
    from pydantic import ValidationError

    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        unknown = [e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"]
        if not unknown:
            raise
    known = deepcopy(payload)
    for *path, last in unknown:
        holder: Any = known
        for step in path:
            holder = holder[step]
        del holder[last]
    return kind.model_validate(known)
