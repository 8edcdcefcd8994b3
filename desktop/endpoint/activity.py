"""Requests, API keys and web origins of the endpoint as its page shows them, and the interfaces that provide them.

Qt-free. `desktop.endpoint.server.ApiServer` implements the protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

ToolRequestState = Literal["queued", "reading", "writing", "embedding", "finished", "cancelled", "failed"]
ACTIVE_STATES: frozenset[ToolRequestState] = frozenset({"queued", "reading", "writing", "embedding"})


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A snapshot of one request. Counts are tokens."""

    id: str
    client: str
    """IP address."""
    key: str
    """Name of the API key."""
    dialect: str
    path: str
    state: ToolRequestState
    age_s: float = 0.0
    queue_place: int = 0
    """Counted from 1; 0 if the request does not wait."""
    n_prompt: int = 0
    n_cached: int = 0
    n_read: int = 0
    n_output: int = 0
    tokens_per_s: float = 0.0
    body: str | None = None
    """JSON as received; None if request bodies are not kept."""

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """An API key and its usage since Inglenook was started."""

    name: str
    own: bool = False
    """Whether it is the endpoint's own key, which cannot be revoked."""
    n_requests: int = 0
    """Requests that have ended."""
    n_tokens: int = 0
    in_use: bool = False
    """Whether a request with this key is active."""


@dataclass(frozen=True, slots=True)
class PageOrigins:
    """Origins of web pages and apps, as browsers write them: `https://chat.example`, `app://obsidian.md`."""

    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Recently refused, newest first."""


class ActivityFeed(Protocol):
    """Requests and origins of the endpoint. Called on the thread of the window's event loop; never blocks. Empty while
    the endpoint is off."""

    def requests(self) -> Sequence[ToolRequest]:
        """Active requests, oldest first; then ended ones, newest first."""
        ...

    def usage(self) -> Mapping[str, tuple[int, int]]:
        """Numbers of ended requests and of tokens, by the name of the key."""
        ...

    def answer_text(self, request_id: str) -> str:
        """The answer so far; "" if it is not kept."""
        ...

    def stop(self, request_id: str) -> None: ...

    def stop_all(self) -> None: ...

    def keep_bodies(self, keep: bool) -> None:
        """Keep the bodies of requests in memory; False also deletes those that were kept."""
        ...

    def origins(self) -> PageOrigins:
        """Also valid while the endpoint is off."""
        ...

    def set_allowed_origins(self, origins: Sequence[str]) -> None:
        """Takes effect with the next request."""
        ...

    def set_listener(self, listener: Callable[[], None]) -> None:
        """Call `listener` on the window's thread soon after a request began or ended or an origin was refused."""
        ...


class KeyStore(Protocol):
    """API keys of tools. All methods block on a small file; call them on a pool thread. All raise OSError and
    ValueError."""

    def names(self) -> Sequence[str]: ...

    def add(self, name: str) -> str:
        """Create a key and return it; it cannot be read again. Raises KeyNameTaken, InvalidKeyName."""
        ...

    def revoke(self, name: str) -> None: ...
