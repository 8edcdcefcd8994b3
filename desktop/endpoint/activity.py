"""What tools do at the endpoint, as the page sees it: values, and what is asked of whoever serves them. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

CallState = Literal["queued", "reading", "writing", "embedding", "finished", "cancelled", "failed"]
LIVE: frozenset[CallState] = frozenset({"queued", "reading", "writing", "embedding"})


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """One request of a tool at one moment. `queue_place` counts from 1, 0 where it does not wait. Tokens, seconds."""

    id: str
    client: str
    key: str
    """The name of the key that it came with."""
    dialect: str
    path: str
    state: CallState
    age_s: float = 0.0
    queue_place: int = 0
    n_prompt: int = 0
    n_cached: int = 0
    n_read: int = 0
    n_output: int = 0
    tokens_per_s: float = 0.0
    body: str | None = None
    """What was asked, as it was sent; None where bodies are not kept."""

    @property
    def live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """A key and what it was used for since Inglenook was started. `own` is the endpoint's, which stays."""

    name: str
    own: bool = False
    n_calls: int = 0
    """Those that have ended."""
    n_tokens: int = 0
    in_use: bool = False
    """Whether a request with it is being answered."""


@dataclass(frozen=True, slots=True)
class MemoryHolder:
    """One chat, or one tool's key, and what of the KV memory holds what was read for it, in bytes."""

    name: str
    is_tool: bool
    size: int


@dataclass(frozen=True, slots=True)
class MemoryShares:
    """What memory is spent on, in bytes. `kv_free` is the room that conversations have left in the KV memory."""

    weights: int
    kv_window: int
    kv_tools: int
    kv_free: int
    others: int
    """The window, the endpoint, and what a decode needs in between."""
    available: int
    """What the machine has left."""
    snapshots: int
    """On disk."""
    holders: tuple[MemoryHolder, ...] = ()
    """Those who hold most come first."""

    @property
    def used(self) -> int:
        return self.weights + self.kv_window + self.kv_tools + self.kv_free + self.others


@dataclass(frozen=True, slots=True)
class PageOrigins:
    """Origins of web pages and apps, as browsers write them: `https://chat.example`, `app://obsidian.md`."""

    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Of late, the newest first."""


class Feed(Protocol):
    """What the endpoint is doing. Called on the loop's thread; nothing here waits. Empty while it is off."""

    def calls(self) -> Sequence[ToolRequest]:
        """Under way first, the oldest before the others; then what has ended, the newest first."""
        ...

    def uses(self) -> Mapping[str, tuple[int, int]]:
        """Calls and tokens by the keys' names."""
        ...

    def said(self, call_id: str) -> str:
        """The answer so far, "" where it is not kept."""
        ...

    def stop(self, call_id: str) -> None: ...

    def stop_all(self) -> None: ...

    def keep_bodies(self, keep: bool) -> None:
        """False also forgets what was kept."""
        ...

    def origins(self) -> PageOrigins:
        """Also while the endpoint is off."""
        ...

    def allow_origins(self, origins: Sequence[str]) -> None:
        """Only these, from the next request on."""
        ...

    def watch(self, listener: Callable[[], None]) -> None:
        """Calls `listener` on the loop's thread soon after a call has begun or ended, or an origin was refused."""
        ...


class Keys(Protocol):
    """The keys of tools. Each call reads or writes a small file: for a pool thread. All raise OSError, ValueError."""

    def names(self) -> Sequence[str]: ...

    def add(self, name: str) -> str:
        """A new key, which is told this once. Raises KeyNameTaken, InvalidKeyName."""
        ...

    def revoke(self, name: str) -> None: ...
