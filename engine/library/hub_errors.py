"""What goes wrong between this computer and the hub.

HubError
├── HubUnreachable     there is no network, or the hub does not answer: a state, it may pass
│   └── ProxyUnusable  the proxy of the system's settings is of a kind that cannot be used
├── HubRefused         the hub answers, but not with what was asked for
│   └── Gated          the model's makers want their terms accepted first
├── NothingToDownload  a repository without a GGUF file that can be verified
├── DiskFull           there is not enough room, before or while it is written
├── Corrupt            what came is not what the hub says it is; it was deleted
└── CannotWrite        the folder does not take it
"""

from __future__ import annotations


class HubError(Exception):
    """See the tree above."""


class HubUnreachable(HubError):
    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "the hub cannot be reached")
        self.reason = reason


class ProxyUnusable(HubUnreachable):
    """`proxy` is its address, without user and password."""

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
    """Bytes."""

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
