"""Every field of the vendors' types is known: a value of each is made, and read.

Who upgrades an SDK sees here which events, items and fields it has got.
"""

from __future__ import annotations

import types
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from harness.apis.base import Event
from harness.apis.detect import api_named
from harness.apis.responses.state import CALL_TYPES
from harness.apis.responses.written import SERVER_ITEMS
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem
from tests.odd_inputs.test_odd_streams import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PICKS = range(20)
"""Which of the types that a field can have; no union of blocks has more."""
DEPTH = 7
NOT_SENT = {"sdk_http_response", "parsed", "automatic_function_calling_history"}
"""What google-genai adds to what came."""


def variants(kind: Any) -> list[Any]:
    """Return the types that a union is made of."""
    if get_origin(kind) is Annotated:
        return variants(get_args(kind)[0])
    if get_origin(kind) in {Union, types.UnionType}:
        found = [variants(one) for one in get_args(kind) if one is not type(None)]
        return [one for many in found for one in many]
    return [kind]


def made(kind: Any, pick: int, name: str = "", depth: int = 0) -> Any:
    """Return a JSON value of a type, with every field that it can have."""
    if len(several := variants(kind)) > 1:
        kind = several[pick % len(several)]
    else:
        kind = several[0]
    inside = get_args(kind)
    if get_origin(kind) is Literal:
        return inside[0 if name == "type" else pick % len(inside)]
    if get_origin(kind) is list:
        return [made(inside[0], pick, name, depth)]
    if get_origin(kind) is dict:
        return {"key": made(inside[1], pick, name, depth)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return list(kind)[-1].value
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {} if depth > DEPTH else kind.model_fields
        return {
            field.alias or key: made(field.annotation, pick, key, depth + 1)
            for key, field in fields.items()
            if key not in NOT_SENT
        }
    known: dict[Any, Any] = {bool: True, int: 0, float: 1.5, bytes: "QUJD"}
    return known.get(kind, "text")


def openai_types() -> tuple[Any, Any]:
    """Return the modules with OpenAI's types of Responses, the second of its beta."""
    return (
        pytest.importorskip("openai.types.responses", reason="needs openai>=3"),
        pytest.importorskip("openai.types.beta", reason="needs openai>=3"),
    )


def events(api: str) -> Iterator[dict[str, Any]]:
    """Yield events of every type that an API's SDK has."""
    if api == "gemini":
        genai = pytest.importorskip("google.genai", reason="needs google-genai")
        kinds = [genai.types.GenerateContentResponse]
    elif api == "anthropic":
        beta = pytest.importorskip("anthropic.types.beta", reason="needs anthropic")
        kinds = variants(beta.BetaRawMessageStreamEvent)
    else:
        stable, beta = openai_types()
        kinds = variants(stable.ResponseStreamEvent)
        kinds += variants(beta.BetaResponseStreamEvent)
    for kind in kinds:
        yield from (made(kind, pick) for pick in PICKS)


@pytest.mark.parametrize("api", ["responses", "anthropic", "gemini"])
def test_every_field_of_the_sdk_s_types_is_known(api: str) -> None:
    """None is reported as one that the reader does not know."""
    unread = {DiagnosticKind.UNREAD, DiagnosticKind.UNREAD_TEXT}
    unknown = set()
    for event in events(api):
        reader = api_named(api).reader()
        parts = reader.feed(Event(0, name_of(api, event), event)) + reader.close()
        problems = (part for part in parts if isinstance(part, Problem))
        unknown |= {one.text for one in problems if one.kind in unread}
    assert unknown == set()


def test_every_item_of_openai_s_types_can_be_written() -> None:
    """Calls are written from their parts, all others as a server fills them."""
    stable, beta = openai_types()
    unions = stable.ResponseOutputItem, beta.BetaResponseOutputItem
    items = [made(kind, 0)["type"] for union in unions for kind in variants(union)]
    assert {*items} - SERVER_ITEMS.keys() - CALL_TYPES.keys() == set()
