"""What the newest release is, as its page says. Blocks; off the GUI thread."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import httpx2
from packaging.version import InvalidVersion, Version

from engine.library.http_client import open_client
from engine.library.hub_errors import ProxyUnusable

ADDRESS = "https://api.github.com/repos/inglenook/inglenook/releases/latest"
TIMEOUT_S = 10.0
LARGEST = 1 << 20
"""Bytes of an answer that are read."""


class UpdateCheckError(Exception):
    """The newest release could not be learned. `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Release:
    """`notes` is Markdown, `page` where it is downloaded."""

    version: str
    notes: str
    page: str


def address() -> str:
    """Where releases are announced; who builds Inglenook for others may name another place."""
    return os.environ.get("INGLENOOK_RELEASES") or ADDRESS


def newer_release(installed: str) -> Release | None:
    """The newest release, if it is newer than `installed`. Nothing is told about this machine but that it asks.

    Raises UpdateCheckError."""
    found = _fetched(address())
    try:
        version, page = Version(str(found["tag_name"])), str(found["html_url"])
    except (KeyError, InvalidVersion):
        raise UpdateCheckError("the answer names no version") from None
    if found.get("draft") or found.get("prerelease") or version <= Version(installed):
        return None
    if not page.startswith("https://"):
        raise UpdateCheckError("the answer names no page to download from")
    return Release(str(version), str(found.get("body") or ""), page)


def _fetched(place: str) -> dict[str, object]:
    try:
        client = open_client(httpx2.Client, timeout=TIMEOUT_S, headers={"User-Agent": "Inglenook"})
        with client, client.stream("GET", place) as response:
            response.raise_for_status()
            content = b""
            for part in response.iter_bytes():
                content += part
                if len(content) > LARGEST:
                    raise UpdateCheckError("the answer is too long")
    except ProxyUnusable as error:
        raise UpdateCheckError(error.reason) from None
    except httpx2.HTTPStatusError as error:
        raise UpdateCheckError(f"the server answered {error.response.status_code}") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UpdateCheckError(str(error) or type(error).__name__) from None
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UpdateCheckError("the answer is not understood")
    return found
