"""The endpoint's settings refuse invalid values, and their `repr` hides the key."""

from __future__ import annotations

import pytest

from api.settings import EndpointSettings, is_loopback


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "a\n"])
def test_key_that_is_invalid_in_a_header_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        EndpointSettings(key)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])
def test_host_that_other_machines_can_reach_needs_allow_lan(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValueError, match="other machines"):
        EndpointSettings("key", host)
    assert EndpointSettings("key", host, allow_lan=True).host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "::1"])
def test_loopback_hosts_need_no_allow_lan(host: str) -> None:
    assert EndpointSettings("key", host).host == host


def test_repr_of_settings_hides_key() -> None:
    assert "hidden-key" not in repr(EndpointSettings("hidden-key"))
