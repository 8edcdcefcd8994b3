"""The endpoint's own key in its file; and named keys, which are shown once, stored as hashes, and revoked
individually."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from api import key_command
from api.__main__ import main
from api.authentication import ENDPOINT_KEY_NAME, KeyFile, KeyRing, find_key, key_matches
from api.errors import InvalidKey
from engine.files.profile import Profile


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile(tmp_path / "profile")


def test_endpoint_key_is_created_only_at_first_start(profile: Profile) -> None:
    first = find_key(profile, {})
    assert first.value.startswith("ink-")
    assert len(first.value) > 40
    assert find_key(profile, {}) == first
    assert first.path == profile.endpoint_key
    assert [each.name for each in profile.root.iterdir()] == ["endpoint.key"]
    assert first.value not in repr(first)


def test_byte_order_mark_is_not_part_of_key(profile: Profile) -> None:
    first = find_key(profile, {})
    profile.endpoint_key.write_text(first.value, encoding="utf-8-sig")
    assert find_key(profile, {}) == first


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_endpoint_key_file_is_readable_only_by_its_owner(profile: Profile) -> None:
    find_key(profile, {})
    assert stat.S_IMODE(profile.endpoint_key.stat().st_mode) == 0o600
    profile.endpoint_key.chmod(0o644)
    find_key(profile, {})
    assert stat.S_IMODE(profile.endpoint_key.stat().st_mode) == 0o600


def test_environment_variable_replaces_key_file(profile: Profile) -> None:
    assert find_key(profile, {"INGLENOOK_API_KEY": " given "}).value == "given"
    assert not profile.root.exists()
    assert find_key(profile, {"INGLENOOK_API_KEY": ""}).path == profile.endpoint_key


def test_new_key_is_created_if_the_key_file_is_empty(profile: Profile) -> None:
    profile.ensure().endpoint_key.write_text("\n")
    assert find_key(profile, {}).value.startswith("ink-")
    assert find_key(profile, {}) == find_key(profile, {})


def test_concurrent_starts_use_the_same_endpoint_key(profile: Profile) -> None:
    profile.ensure()
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(find_key(profile, {}).value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(keys) == {find_key(profile, {}).value}
    assert len(keys) == 8


def test_text_similar_to_the_key_is_not_accepted_as_key() -> None:
    assert key_matches([b"wrong", b"secret"], "secret")
    for wrong in (b"", b"secre", b"secrets", b"SECRET", b" secret", b"\xff"):
        assert not key_matches([wrong], "secret")
    assert not key_matches([], "secret")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_file_of_named_keys_contains_only_hashes(path: Path) -> None:
    value = KeyFile(path).add("editor")
    assert value not in path.read_text()
    assert [key.name for key in KeyFile(path).read()] == ["editor"]
    assert os.name != "posix" or path.stat().st_mode & 0o077 == 0


def test_byte_order_mark_in_file_of_named_keys_is_ignored(path: Path) -> None:
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


def test_hash_of_a_key_is_not_accepted_as_key(path: Path) -> None:
    KeyFile(path).add("a")
    with pytest.raises(InvalidKey):
        KeyRing("own", path).holder_of([KeyFile(path).read()[0].sha256.encode()])


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 65, ENDPOINT_KEY_NAME, "taken"])
def test_invalid_key_names_are_refused(path: Path, name: str) -> None:
    KeyFile(path).add("taken")
    with pytest.raises(ValueError, match="name"):
        KeyFile(path).add(name)


@pytest.mark.parametrize("content", ["{", "[]", '{"keys": [{}]}', '{"keys": 1}'])
def test_only_endpoint_key_is_accepted_if_file_of_named_keys_is_damaged(path: Path, content: str) -> None:
    path.write_text(content)
    ring = KeyRing("own", path)
    assert ring.holder_of([b"own"]).name == ENDPOINT_KEY_NAME
    with pytest.raises(InvalidKey):
        ring.holder_of([b"other"])
    with pytest.raises(ValueError, match="damaged"):
        KeyFile(path).add("a")  # `add` must not overwrite the damaged file
    assert path.read_text() == content


def test_key_command_adds_lists_and_revokes_named_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
