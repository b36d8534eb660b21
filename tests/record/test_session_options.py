"""What `use_cassette` and `replay` answer to options and uses that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness import replay, use_cassette
from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "cassettes/stock-vcrpy/text.yaml"

WRONG = {
    "an option of vcrpy's": ({"record_mode": "once"}, "did you mean 'record'?"),
    "a filter of vcrpy's": ({"filter_headers": ["x"]}, "give it a `redaction`"),
    "a name that is almost one": ({"ignore_host": "a"}, "did you mean 'ignore_hosts'?"),
    "the mode by another name": ({"mode": "once"}, "given as record="),
    "no hosts": ({"allow": 5}, "allow: expected hosts"),
    "no number": ({"speed": "fast"}, "expected a speed of 0"),
    "no redaction": ({"redaction": {}}, "redaction: expected a harness.redaction"),
    "no matcher": ({"match_on": []}, "at least one matcher"),
    "no hook": ({"before_record_request": "x"}, "expected a function, got 'x'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_option_is_named(name: str, tmp_path: Path) -> None:
    """Each with what is expected, and none of them a TypeError from within."""
    options, expected = WRONG[name]
    with (
        pytest.raises(UsageError) as caught,
        use_cassette(tmp_path / "chat.yaml", **options),  # type: ignore[arg-type]
    ):
        pass
    assert expected in str(caught.value)


def _generator() -> Any:
    yield 1


async def _async_generator() -> Any:
    yield 1


class _Class:
    pass


@pytest.mark.parametrize("decorated", [_generator, _async_generator, _Class])
def test_what_runs_after_the_call_is_not_decorated(decorated: Any) -> None:
    """The cassette would be closed by then, and requests would reach the network."""
    with pytest.raises(UsageError, match=f"decorate the .*{decorated.__name__}: "):
        use_cassette("chat.yaml")(decorated)


@pytest.mark.parametrize("path", [_generator, None, 5, b"chat.yaml"])
def test_a_decorator_needs_a_path(path: Any) -> None:
    """Without its parentheses it would be taken for a test that passes."""
    with pytest.raises(UsageError, match="expected the path of a cassette"):
        use_cassette(path)


def test_a_variation_of_another_type_is_named() -> None:
    """A number is a split of so many code points; what is none is an error of ours."""
    text = replay(TEXT, "streaming", split=3).responses[0].choices[0].content
    assert text == replay(TEXT, "streaming").responses[0].choices[0].content
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"split": 2.5}, "split: expected a name"),
        ({"split": 0}, "split '0'"),
        ({"dialect": 3}, "dialect: expected a name"),
        ({"fault": ["no-done"]}, "fault: expected a name"),
    ]
    for options, expected in wrong:
        with pytest.raises(UsageError, match=expected):
            replay(TEXT, "streaming", **options)
