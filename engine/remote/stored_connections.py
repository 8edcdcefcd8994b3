"""Connections as JSON objects for a settings file. They contain no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.remote.connection import (
    DEFAULT_API_PATH,
    SERVER_KINDS,
    Connection,
    InvalidAddress,
    ServerKind,
    parse_address,
)
from engine.remote.untrusted_json import JsonObject, text_in

_FILES = ("ca_file", "client_certificate", "client_key")


def connection_record(connection: Connection) -> dict[str, object]:
    files = {name: str(path) for name in _FILES if (path := getattr(connection, name)) is not None}
    return {
        "id": connection.id,
        "name": connection.name,
        "address": connection.address,
        "api_path": connection.api_path,
        "kind": connection.kind,
        **files,
    }


def connection_from_record(record: JsonObject) -> Connection | None:
    """The stored connection; None if it has no id or no valid address. Other invalid values have their defaults."""
    id = text_in(record, "id")
    kind: ServerKind | Literal["auto"] = next((each for each in SERVER_KINDS if each == record.get("kind")), "auto")
    try:
        # without the path of an API, the end of the address could be taken for one
        address = parse_address(text_in(record, "address") + DEFAULT_API_PATH, kind)
    except InvalidAddress:
        return None
    if not id or address.root != record["address"]:
        return None
    api_path = record.get("api_path")
    files = {name: Path(path) for name in _FILES if (path := text_in(record, name))}
    return Connection(
        id=id,
        name=text_in(record, "name") or address.root,
        address=address.root,
        api_path=api_path if isinstance(api_path, str) else address.api_path,
        kind=kind,
        **files,
    )
