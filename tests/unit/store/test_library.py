"""Which files of a folder are cassettes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.library import find_cassettes, is_cassette
from harness.errors import CassetteError, CassetteMissingError
from tests.shared import SHARED, corpus_files, needs_shared
from tests.unit.store.recordings import STREAM, document, interaction, save

if TYPE_CHECKING:
    from pathlib import Path

YES: dict[str, Any] = {
    "vcrpy.yaml": document(),
    "vcrpy.yml": document(interaction(), interaction()),
    "vcrpy.json": document(),
    "UPPER.YAML": document(),
    "version-first.yaml": "version: 1\ninteractions:\n- request: {}\n",
    "marked.yaml": "%YAML 1.1\n---\n# a comment\ninteractions: # here\n- request: {}\n",
    "quoted.yaml": '"interactions":\n- request: {}\n',
    "crlf.yaml": "interactions:\r\n- request: {}\r\n",
    "bom.yaml": "\ufeffinteractions:\n- request: {}\n",
    "empty-list.yaml": "interactions: []\nversion: 1\n",
    "flow.yaml": "{interactions: [{request: {}, response: {}}], version: 1}",
    "damaged.yaml": "interactions:\n- request: [\n",
    "damaged-flow.yaml": "version: 1\ninteractions: [\n  bro ken\n",
    "cut.yaml": "interactions:\n",
    "cut-flow.yaml": 'interactions: &all [ {"req',
    "cut.json": '{"version": 1, "interactions": [{"reques',
    "cut-value.json": '{"interactions":',
    "response-first.yaml": "interactions:\n- response: {}\n",
    "binary.yaml": b"interactions:\n- \0\1\n",
    "pretty.json": json.dumps(document(), indent=2),
    "after-metadata.json": json.dumps({"metadata": {"x": ["]", "}"]}, **document()}),
}
NO: dict[str, Any] = {
    "openapi.json": json.dumps(
        {"paths": {f"/p{n}": {"interactions": [{"request": 1}]} for n in range(30000)}}
    ),
    "package.json": {"name": "interactions", "version": "1"},
    "nested.yaml": "a:\n  interactions:\n  - request: {}\n",
    "other.yaml": "interactions: many\n",
    "chat.yaml": "interactions:\n- user: hi\n",
    "numbers.yaml": "interactions: [1, 2]\n",
    "mapping.json": '{"interactions": {"a": ["b"]}}',
    "events.json": '{"interactions": [{"kind": "click"}]}',
    "in-text.yaml": "text: |\n  interactions:\n  - request: 1\nbody: x\n",
    "list.json": "[1]",
    "empty.yaml": "",
    "junk.yaml": bytes(range(256)),
    "whole.json": {"object": "chat.completion", "choices": []},
    "stream.sse": STREAM,
    "cassette.txt": "interactions:\n- request: {}\n",
}


@pytest.mark.parametrize("name", YES)
def test_cassette_is_told_from_its_beginning(tmp_path: Path, name: str) -> None:
    """A cassette is found in all forms, also a damaged one, so that it is reported."""
    path = save(tmp_path, YES[name], name)
    assert is_cassette(str(path))
    assert find_cassettes(tmp_path) == [str(path)]


@pytest.mark.parametrize("name", NO)
def test_other_file_is_passed_over_unless_named(tmp_path: Path, name: str) -> None:
    """What is no cassette is not searched for, and taken as it is when named."""
    path = save(tmp_path, NO[name], name)
    assert find_cassettes(path) == [str(path)]
    with pytest.raises(CassetteError, match="no cassettes in this folder"):
        find_cassettes(tmp_path)


def test_folders_are_searched_in_the_order_of_names(tmp_path: Path) -> None:
    """Every folder counts but hidden ones, environments and installed packages.

    A link to what is not there is found: whoever reads it names it.
    """
    for folder in ("b", "a/deep", ".hidden", "node_modules/x", "venv", "__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        save(tmp_path / folder, document(), "c.yaml")
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    save(tmp_path, document(), ".hidden.yaml")
    save(tmp_path, document(), "aa.yaml")
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    found = [name.removeprefix(f"{tmp_path}/") for name in find_cassettes(tmp_path)]
    assert found == ["a/deep/c.yaml", "aa.yaml", "b/c.yaml", "gone.yaml"]


def test_hidden_folder_that_is_named_is_searched(tmp_path: Path) -> None:
    """Leaving out hidden folders is not about what is asked for by name."""
    (tmp_path / ".c").mkdir()
    path = save(tmp_path / ".c", document())
    assert find_cassettes(tmp_path / ".c") == [str(path)]


def test_standard_input_and_missing_names(tmp_path: Path) -> None:
    """`-` stands for itself; a name that is not there is an error."""
    assert find_cassettes("-") == ["-"]
    with pytest.raises(CassetteMissingError, match="no such file or folder"):
        find_cassettes(tmp_path / "nothing")


@needs_shared
def test_the_whole_corpus_and_nothing_else_is_found() -> None:
    """All cassettes of the corpus are told from the files beside them."""
    expected = sorted(str(path) for path in corpus_files())
    assert sorted(find_cassettes(SHARED / "corpus")) == expected
