"""Errors of the model hub and of downloads.

HubError
├── HubUnreachable     no network, or the hub does not answer; may be temporary
│   └── ProxyUnusable  the system's proxy settings are not supported
├── HubRefused         the hub answers with an error status
│   └── Gated          the user has to accept the model's terms first
├── NothingToDownload  the repository has no GGUF file with a checksum
├── DiskFull           not enough disk space, before or during the download
├── Corrupt            the checksum does not match; the file was deleted
└── CannotWrite        the folder is not writable
"""

from __future__ import annotations


class HubError(Exception):
    """Base class of the errors of the hub and of downloads."""


class HubUnreachable(HubError):
    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "the hub cannot be reached")
        self.reason = reason


class ProxyUnusable(HubUnreachable):
    """The system's proxy is not supported. `proxy` is its address without user name and password."""

    def __init__(self, proxy: str) -> None:
        super().__init__(f"the proxy {proxy} cannot be used" if proxy else "the proxy cannot be used")
        self.proxy = proxy


class HubRefused(HubError):
    def __init__(self, status: int) -> None:
        super().__init__(f"the hub answered {status}")
        self.status = status


class Gated(HubRefused):
    def __init__(self, status: int, repo: str) -> None:
        super().__init__(status)
        self.repo = repo


class NothingToDownload(HubError):
    def __init__(self, repo: str) -> None:
        super().__init__(f"{repo} holds no GGUF file")
        self.repo = repo


class DiskFull(HubError):
    """There is not enough disk space. `needed` and `free` are in bytes."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"{needed} bytes are needed, {free} are free")
        self.needed, self.free = needed, free


class Corrupt(HubError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} did not come as it is on the hub")
        self.name = name


class CannotWrite(HubError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
