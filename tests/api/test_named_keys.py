"""Named keys: shown once, stored as hashes, revoked individually."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from api import key_command
from api.__main__ import main
from api.errors import InvalidKey
from api.keys import ENDPOINT_KEY_NAME, KeyFile, KeyRing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_key_file_contains_only_hashes(path: Path) -> None:
    value = KeyFile(path).add("editor")
    assert value not in path.read_text()
    assert [key.name for key in KeyFile(path).read()] == ["editor"]
    assert os.name != "posix" or path.stat().st_mode & 0o077 == 0


def test_byte_order_mark_in_key_file_is_ignored(path: Path) -> None:
    value = KeyFile(path).add("editor")
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert KeyRing("own", path).holder_of([value.encode()]).name == "editor"


def test_key_ring_returns_holder_of_key(path: Path) -> None:
    first, second = KeyFile(path).add("a"), KeyFile(path).add("b")
    ring = KeyRing("own", path)
    assert [ring.holder_of([key.encode()]).name for key in (first, second, "own")] == ["a", "b", ENDPOINT_KEY_NAME]
    for wrong in (b"", first.encode()[:-1], first.encode() + b"x", b"ow"):
        with pytest.raises(InvalidKey):
            ring.holder_of([wrong])


def test_hash_is_not_accepted_as_key(path: Path) -> None:
    KeyFile(path).add("a")
    with pytest.raises(InvalidKey):
        KeyRing("own", path).holder_of([KeyFile(path).read()[0].sha256.encode()])


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 65, ENDPOINT_KEY_NAME, "taken"])
def test_invalid_key_names_are_refused(path: Path, name: str) -> None:
    KeyFile(path).add("taken")
    with pytest.raises(ValueError, match="name"):
        KeyFile(path).add(name)


@pytest.mark.parametrize("content", ["{", "[]", '{"keys": [{}]}', '{"keys": 1}'])
def test_damaged_key_file_accepts_only_endpoint_key(path: Path, content: str) -> None:
    path.write_text(content)
    ring = KeyRing("own", path)
    assert ring.holder_of([b"own"]).name == ENDPOINT_KEY_NAME
    with pytest.raises(InvalidKey):
        ring.holder_of([b"other"])
    with pytest.raises(ValueError, match="damaged"):
        KeyFile(path).add("a")  # and the file is not overwritten
    assert path.read_text() == content


def test_key_command_adds_lists_and_revokes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--profile", str(tmp_path)]
    assert main(["key", *where, "add", "editor"]) == 0
    shown = capsys.readouterr().out.strip()
    assert KeyRing("own", tmp_path / "endpoint-keys.json").holder_of([shown.encode()]).name == "editor"
    assert key_command.main([*where, "list"]) == 0
    assert capsys.readouterr().out.startswith("editor\t20")
    assert key_command.main([*where, "revoke", "editor"]) == 0
    assert json.loads((tmp_path / "endpoint-keys.json").read_text()) == {"keys": []}
    assert key_command.main([*where, "revoke", "editor"]) == 1
    assert capsys.readouterr().err == "inglenook-serve: there is no key named 'editor'\n"
