"""Methods replaced and put back; errors that find their way through an SDK."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from harness.errors import CassetteMismatchError, UsageError
from harness.record.error_surfacing import hidden_cause, surfaced
from harness.record.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable


class Greeter:
    def greet(self) -> str:
        return "hello"


def louder(original: Callable[..., str]) -> Callable[..., str]:
    """Wrap a greeting."""
    return lambda self: original(self).upper()


def test_first_user_installs_and_last_one_restores() -> None:
    """However many there are, and in whatever order they leave."""
    patches = Patches(lambda: [(Greeter, "greet", louder)])
    original = Greeter.greet
    patches.install()
    patches.install()
    assert Greeter().greet() == "HELLO"  # replaced once, not twice
    patches.uninstall()
    assert Greeter().greet() == "HELLO"
    patches.uninstall()
    assert Greeter.greet is original
    patches.install()
    assert Greeter().greet() == "HELLO"
    patches.uninstall()
    assert Greeter.greet is original


def test_what_somebody_else_replaced_meanwhile_is_left_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Putting ours back would throw theirs away."""
    patches = Patches(lambda: [(Greeter, "greet", louder)])
    monkeypatch.setattr(Greeter, "greet", Greeter.greet)  # put back after the test
    patches.install()

    def theirs(self: Greeter) -> str:
        return "theirs"

    Greeter.greet = theirs  # type: ignore[method-assign]  # as another library does
    patches.uninstall()
    assert Greeter().greet() == "theirs"


class OpenAIError(Exception):
    """What the SDK lets through."""


@pytest.mark.parametrize(
    ("version", "client", "is_both"),
    [
        ("2.54.0", httpx, True),
        ("2.54.0", httpx2, False),
        ("3.54.0", httpx, False),
        ("", httpx, False),
    ],
)
def test_openai_2_is_given_an_error_it_lets_through(
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    client: types.ModuleType,
    *,
    is_both: bool,
) -> None:
    """Ours becomes one of its own as well, fields and message unchanged."""
    openai: Any = types.ModuleType("openai")
    openai.__version__ = version
    openai.OpenAIError = OpenAIError
    monkeypatch.setitem(sys.modules, "openai", openai)
    ours = CassetteMismatchError("c.yaml", "no", reason="never recorded", exchange=3)
    with pytest.raises(CassetteMismatchError) as caught, surfaced(client):
        raise ours
    assert isinstance(caught.value, OpenAIError) is is_both
    assert str(caught.value) == "c.yaml: no"
    assert (caught.value.reason, caught.value.exchange) == ("never recorded", 3)


def test_hidden_cause_is_found_behind_other_errors_only() -> None:
    """Through causes and contexts, without end in a loop; never in our own errors."""
    ours = CassetteMismatchError("c.yaml", "no")
    outer, inner = RuntimeError("outer"), ValueError("inner")
    outer.__cause__ = inner
    inner.__context__ = ours
    assert hidden_cause(outer) is ours
    assert hidden_cause(ours) is None
    assert hidden_cause(None) is None
    assert hidden_cause(UsageError("mine")) is None
    inner.__context__ = outer
    assert hidden_cause(outer) is None
