"""Tests of connections in a settings file and of their keys."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from engine.remote.connection import Connection
from engine.remote.connection_keys import SERVICE, ConnectionKeys
from engine.remote.stored_connections import connection_from_record, connection_record

CONNECTION = Connection.to("https://gpu-box.lan:8443/models/v2", name="GPU box", kind="vllm")


class MemoryKeyring:
    def __init__(self) -> None:
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.passwords[service, username]


class ForgetfulKeyring(MemoryKeyring):
    """Stores nothing, and reports no error, like `keyring.backends.null`."""

    def set_password(self, service: str, username: str, password: str) -> None:
        return


def no_keyring() -> MemoryKeyring:
    raise RuntimeError("no backend")


@pytest.mark.parametrize(
    "connection",
    [
        CONNECTION,
        Connection.to("localhost", kind="ollama"),
        replace(CONNECTION, ca_file=Path("/ca.pem"), client_certificate=Path("/c.pem"), client_key=Path("/k.pem")),
        replace(CONNECTION, api_path=""),
    ],
)
def test_stored_connection_is_read_back(connection: Connection) -> None:
    assert connection_from_record(connection_record(connection)) == connection


@pytest.mark.parametrize(
    "change", [{"id": ""}, {"id": 3}, {"address": None}, {"address": "ftp://x"}, {"address": "http://x/?q"}]
)
def test_unusable_record_is_no_connection(change: dict[str, object]) -> None:
    assert connection_from_record(connection_record(CONNECTION) | change) is None


def test_invalid_values_of_a_record_have_their_defaults() -> None:
    found = connection_from_record(connection_record(CONNECTION) | {"kind": "toaster", "name": 3, "ca_file": []})
    assert found is not None
    assert (found.kind, found.name, found.ca_file) == ("auto", CONNECTION.address, None)


def test_key_is_in_the_keyring_and_removed_with_its_connection(tmp_path: Path) -> None:
    keyring, file = MemoryKeyring(), tmp_path / "keys.json"
    keys = ConnectionKeys(file, lambda: keyring)
    assert keys.read("one") == ("", "")
    assert keys.write("one", "secret") == "keyring"
    assert keyring.passwords == {(SERVICE, "one"): "secret"}
    assert keys.read("one") == ("secret", "keyring")
    keys.remove("one")
    assert not keyring.passwords
    keys.remove("one")
    assert not file.exists()


@pytest.mark.parametrize("keyring", [no_keyring, ForgetfulKeyring])
def test_without_a_working_keyring_keys_are_in_a_private_file(tmp_path: Path, keyring: type[ForgetfulKeyring]) -> None:
    file = tmp_path / "keys.json"
    keys = ConnectionKeys(file, keyring)
    assert keys.write("one", "secret") == "file"
    assert keys.write("two", "other") == "file"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ConnectionKeys(file, keyring).read("one") == ("secret", "file")
    assert keys.write("one", "") == ""
    assert keys.read("one") == ("", "")
    keys.remove("two")
    assert not file.exists()


def test_key_moves_from_the_file_to_a_keyring_that_works_later(tmp_path: Path) -> None:
    file, keyring = tmp_path / "keys.json", MemoryKeyring()
    ConnectionKeys(file, no_keyring).write("one", "secret")
    keys = ConnectionKeys(file, lambda: keyring)
    assert keys.read("one") == ("secret", "file")
    assert keys.write("one", "new") == "keyring"
    assert not file.exists()
