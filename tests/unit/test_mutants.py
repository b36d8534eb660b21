"""The list of mutants fits the code; `python -m tests.mutants` runs them all."""

from __future__ import annotations

import pytest

from tests.mutants import ROOT, Mutant, applied, load
from tests.mutants.__main__ import run

CORE = (
    "core/json_states",
    "core/json_strings",
    "core/json_arguments",
    "apis/chat/deltas",
    "core/accumulate",
)
AREAS = (
    "redaction/",
    "cassettes/atomic",
    "cassettes/matching",
    "record/session",
    "pytest_plugin/plugin_settings",
    "fuzz/judge",
    "engine/conversation",
)


def test_each_old_text_stands_exactly_once() -> None:
    """A changed line takes its mutant along, or the list would rot in silence."""
    texts = {
        mutant.file: (ROOT / mutant.file).read_text(encoding="utf-8")
        for mutant in load()
    }
    for mutant in load():
        broken = applied(mutant, texts[mutant.file])
        compile(broken, mutant.file, "exec")
        assert broken != texts[mutant.file]


def test_every_file_of_the_two_machines_has_mutants() -> None:
    """The state machine, the reader of deltas and the accumulator, none left out."""
    files = [mutant.file for mutant in load()]
    for name in CORE:
        assert files.count(f"harness/{name}.py") >= 5


def test_every_promise_outside_the_core_has_mutants() -> None:
    """Secrets, whole files, matching, refusals, precedence, oracles, pairs of calls."""
    files = [mutant.file for mutant in load()]
    for area in AREAS:
        assert sum(file.startswith(f"harness/{area}") for file in files) >= 3, area


def test_an_old_text_that_is_gone_is_an_error() -> None:
    """Neither missing nor doubled text is passed over."""
    mutant = Mutant("rule", "some.py", "a", "b", "tests/x.py::test_x")
    assert applied(mutant, "cat") == "cbt"
    for text in ("dog", "banana"):
        with pytest.raises(
            ValueError, match=r"rule: 'a' stands [03] times in some\.py"
        ):
            applied(mutant, text)


@pytest.mark.slow
def test_a_mutant_that_changes_nothing_survives() -> None:
    """The judge is judged: a harmless change and a missing test are both told."""
    first = load()[0]
    harmless = first._replace(new=first.old + "  ")
    assert run([harmless]) == [f"{first.rule}: survived {first.test}"]
    lost = first._replace(test="tests/unit/core/test_json_arguments.py::test_gone")
    assert "do not pass without a mutant" in run([lost])[0]
