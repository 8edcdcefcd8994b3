"""What a person can set about the endpoint, and the limits that keep it standing."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_PORT = 4645

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
"""As browsers write them: small letters, no slash at the end. "*" and "null" are none."""


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Raises ValueError where the endpoint would stand open: no key, or a wider address without `allow_lan`.

    `port` 0 takes any free one. `unknown_model` says what becomes of a request that names another model than the
    loaded one: "serve" answers with the loaded one, since many tools have a name built in, "404" refuses."""

    key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allow_lan: bool = False
    unknown_model: Literal["serve", "404"] = "serve"
    token_embeddings: bool = False
    """Whether numbers to embed are the model's own tokens; most clients send those of another tokenizer."""
    responses: Path | None = None
    """The folder in which responses are kept that a later call may go on from; None keeps none."""

    model_changes: Path | None = None
    """The model's file, which tools may unload and load again; None lets them do neither. Only for an app whose own
    loop owns the engine."""
    named_keys: Path | None = None
    """The file of further keys, one for each tool; it may change while the endpoint runs."""
    origins: tuple[str, ...] = ()
    """Web pages that may ask, each exactly as browsers name it: `https://chat.example`. They need a key like all."""
    keep_bodies: bool = False
    """Whether the bodies of the last requests are kept in memory, to be looked at."""

    max_requests: int = 128
    """Answers under way at once, those that wait for their turn among them; what comes beyond is refused."""
    max_body_bytes: int = 16 * 1024 * 1024
    max_query_bytes: int = 4 * 1024 * 1024
    """Of the body of a request that only counts, cuts or renders a text; some million tokens."""
    max_connections: int = 256
    header_timeout_s: float = 10.0
    """From the first moment to the last line of a request's header."""
    body_timeout_s: float = 30.0
    """From the end of the header to the last byte of the body."""
    write_timeout_s: float = 30.0
    """How long a client may leave everything unread that is written to it."""
    idle_timeout_s: float = 60.0
    """How long a connection stays open between two requests."""
    ping_interval_s: float = 15.0
    """After so much silence a stream says that it lives."""

    def __post_init__(self) -> None:
        for origin in self.origins:
            if not ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin: a scheme, a host, perhaps a port, and nothing behind")
        if not self.key or not all("!" <= letter <= "~" for letter in self.key):
            raise ValueError("the endpoint's key must be printable ASCII without spaces")
        if not self.allow_lan and not is_loopback(self.host):
            raise ValueError(f"{self.host} can be reached from other machines, which must be allowed explicitly")
