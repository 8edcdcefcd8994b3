"""Records of the requests, API keys and web origins of the endpoint, and the interfaces that the endpoint page reads
them from.

Qt-free. `desktop.endpoint.server.ApiServer` implements the interfaces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

ToolRequestState = Literal["queued", "reading", "writing", "embedding", "finished", "cancelled", "failed"]
ACTIVE_STATES: frozenset[ToolRequestState] = frozenset({"queued", "reading", "writing", "embedding"})


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The state of one request from a tool at one moment. `n_prompt`, `n_cached`, `n_read` and `n_output` count
    tokens."""

    id: str
    client: str
    """IP address of the tool."""
    key: str
    """Name of the API key."""
    dialect: str
    path: str
    state: ToolRequestState
    age_s: float = 0.0
    queue_place: int = 0
    """Position in the queue, counted from 1; 0 if the request does not wait."""
    n_prompt: int = 0
    n_cached: int = 0
    n_read: int = 0
    n_output: int = 0
    tokens_per_s: float = 0.0
    body: str | None = None
    """The request body as received; None unless the user turned on the storing of request bodies."""

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """An API key and its usage since Inglenook was started."""

    name: str
    own: bool = False
    """Whether this is the endpoint's own key, which the user cannot revoke."""
    n_requests: int = 0
    """Number of requests that have ended."""
    n_tokens: int = 0
    in_use: bool = False
    """Whether a request with this key is active."""


@dataclass(frozen=True, slots=True)
class PageOrigins:
    """Origins of web pages and apps, as browsers write them: `https://chat.example`, `app://obsidian.md`."""

    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Origins whose requests were recently refused, newest first."""


class ActivityFeed(Protocol):
    """Access to the requests and web origins of the endpoint. There are no requests while the endpoint is off.

    All methods are called on the thread of the window's event loop, and none blocks."""

    def requests(self) -> Sequence[ToolRequest]:
        """The active requests, oldest first, followed by the ended ones, newest first."""
        ...

    def usage(self) -> Mapping[str, tuple[int, int]]:
        """Maps the name of each API key to the number of its ended requests and the number of their tokens."""
        ...

    def answer_text(self, request_id: str) -> str:
        """The text of the answer so far; "" unless the user turned on the storing of request bodies."""
        ...

    def stop(self, request_id: str) -> None: ...

    def stop_all(self) -> None: ...

    def keep_bodies(self, keep: bool) -> None:
        """Turn the storing of request bodies in memory on or off. Turning it off deletes the stored ones."""
        ...

    def origins(self) -> PageOrigins:
        """The allowed and the refused origins. May also be called while the endpoint is off."""
        ...

    def set_allowed_origins(self, origins: Sequence[str]) -> None:
        """Replace the allowed origins. Requests are checked against the new ones from now on."""
        ...

    def set_listener(self, listener: Callable[[], None]) -> None:
        """Call `listener` on the window's thread soon after a request began or ended, or an origin was refused."""
        ...


class KeyStore(Protocol):
    """The file with the API keys of tools. All methods read or write the file, so call them on a pool thread. They
    raise OSError, or ValueError if the file is damaged."""

    def names(self) -> Sequence[str]: ...

    def add(self, name: str) -> str:
        """Create a key and return its value, which cannot be read again later. Raises KeyNameTaken and
        InvalidKeyName."""
        ...

    def revoke(self, name: str) -> None: ...
