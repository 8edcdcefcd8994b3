"""Reads the newest release of Inglenook from a web API. `newer_release` blocks; call it on a pool thread."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import httpx2
from packaging.version import InvalidVersion, Version

from engine.library.http_client import open_client
from engine.library.hub_errors import ProxyUnusable

DEFAULT_URL = "https://api.github.com/repos/inglenook/inglenook/releases/latest"
TIMEOUT_S = 10.0
MAX_BYTES = 1 << 20
"""A longer response of the server is rejected."""


class UpdateCheckError(Exception):
    """The newest release could not be read. `reason` is shown to the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Inglenook. `notes` is Markdown, `page` the address of the download page."""

    version: str
    notes: str
    page: str


def releases_url() -> str:
    """Address of the release API. A custom build may set INGLENOOK_RELEASES to another one."""
    return os.environ.get("INGLENOOK_RELEASES") or DEFAULT_URL


def newer_release(installed: str) -> Release | None:
    """The newest release, if it is newer than version `installed`; else None. The request contains no data about this
    machine. Raises UpdateCheckError."""
    found = _fetch(releases_url())
    try:
        version, page = Version(str(found["tag_name"])), str(found["html_url"])
    except (KeyError, InvalidVersion):
        raise UpdateCheckError("the answer names no version") from None
    if found.get("draft") or found.get("prerelease") or version <= Version(installed):
        return None
    if not page.startswith("https://"):
        raise UpdateCheckError("the answer names no page to download from")
    return Release(str(version), str(found.get("body") or ""), page)


def _fetch(url: str) -> dict[str, object]:
    try:
        client = open_client(httpx2.Client, timeout=TIMEOUT_S, headers={"User-Agent": "Inglenook"})
        with client, client.stream("GET", url) as response:
            response.raise_for_status()
            content = b""
            for part in response.iter_bytes():
                content += part
                if len(content) > MAX_BYTES:
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
