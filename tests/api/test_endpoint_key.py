"""The file of the endpoint's key, and the checks of the settings."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from api.keys import find_key, key_matches
from api.settings import EndpointSettings, is_loopback
from engine.files.profile import Profile


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile(tmp_path / "profile")


def test_key_is_created_once(profile: Profile) -> None:
    first = find_key(profile, {})
    assert first.value.startswith("ink-")
    assert len(first.value) > 40
    assert find_key(profile, {}) == first
    assert first.path == profile.endpoint_key
    assert [each.name for each in profile.root.iterdir()] == ["endpoint.key"]
    assert first.value not in repr(first)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_byte_order_mark_is_not_part_of_key(profile: Profile) -> None:
    first = find_key(profile, {})
    profile.endpoint_key.write_text(first.value, encoding="utf-8-sig")
    assert find_key(profile, {}) == first


def test_key_file_is_private(profile: Profile) -> None:
    find_key(profile, {})
    assert stat.S_IMODE(profile.endpoint_key.stat().st_mode) == 0o600
    profile.endpoint_key.chmod(0o644)
    find_key(profile, {})
    assert stat.S_IMODE(profile.endpoint_key.stat().st_mode) == 0o600


def test_environment_variable_replaces_key_file(profile: Profile) -> None:
    assert find_key(profile, {"INGLENOOK_API_KEY": " given "}).value == "given"
    assert not profile.root.exists()
    assert find_key(profile, {"INGLENOOK_API_KEY": ""}).path == profile.endpoint_key


def test_empty_key_file_gets_new_key(profile: Profile) -> None:
    profile.ensure().endpoint_key.write_text("\n")
    assert find_key(profile, {}).value.startswith("ink-")
    assert find_key(profile, {}) == find_key(profile, {})


def test_concurrent_starts_use_one_key(profile: Profile) -> None:
    profile.ensure()
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(find_key(profile, {}).value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(keys) == {find_key(profile, {}).value}
    assert len(keys) == 8


def test_part_of_key_does_not_match() -> None:
    assert key_matches([b"wrong", b"secret"], "secret")
    for wrong in (b"", b"secre", b"secrets", b"SECRET", b" secret", b"\xff"):
        assert not key_matches([wrong], "secret")
    assert not key_matches([], "secret")


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "a\n"])
def test_key_not_valid_in_header_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        EndpointSettings(key)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])
def test_public_host_needs_allow_lan(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValueError, match="other machines"):
        EndpointSettings("key", host)
    assert EndpointSettings("key", host, allow_lan=True).host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "::1"])
def test_loopback_hosts_need_no_allow_lan(host: str) -> None:
    assert EndpointSettings("key", host).host == host


def test_repr_of_settings_hides_key() -> None:
    assert "hidden-key" not in repr(EndpointSettings("hidden-key"))
