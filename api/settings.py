"""Settings and limits of the endpoint."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.backend import LoadSettings

DEFAULT_PORT = 4645

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
"""Matches an origin as browsers send it: in lower case, without a slash at the end. Matches neither "*" nor "null"."""


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
    """Settings and limits of the endpoint.

    Raises ValueError for a missing or malformed key, and for a malformed origin. Also raises it for an address that
    other machines can reach, unless `allow_lan` is set. `port` 0 means any free port. With `unknown_model` "serve", the
    loaded model answers requests for any model, because many clients have a fixed model name. With "404", requests for
    another model are refused."""

    key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allow_lan: bool = False
    tls_cert: Path | None = None
    """The certificate (PEM) with which connections are encrypted; None: they are not."""
    tls_key: Path | None = None
    """Its private key; None if it is in the same file."""
    unknown_model: Literal["serve", "404"] = "serve"
    token_embeddings: bool = False
    """Whether token ids are accepted as input for embeddings. Off by default: most clients that send them use another
    model's tokenizer."""
    responses: Path | None = None
    """The folder for stored responses (`previous_response_id`). With None, responses are not stored."""

    model_changes: Path | None = None
    """The model's file if clients may unload and load the model, else None. If it is not None, the endpoint's event
    loop must own the engine."""
    load_settings: LoadSettings = field(default_factory=LoadSettings)
    """With which that file is loaded again."""
    named_keys: Path | None = None
    """The file of named keys. It may change while the endpoint runs."""
    origins: tuple[str, ...] = ()
    """Origins whose web pages may send requests, as in `https://chat.example`. The pages need a key as well."""
    keep_bodies: bool = False
    """Whether the bodies and answers of the most recent requests are kept in memory, so that the window can show
    them."""

    max_requests: int = 128
    """Maximum number of requests in progress, including queued ones. Further requests are refused."""
    max_body_bytes: int = 16 * 1024 * 1024
    max_query_bytes: int = 4 * 1024 * 1024
    """Maximum size of a body for counting tokens, tokenizing or rendering a template: about a million tokens."""
    max_connections: int = 256
    header_timeout_s: float = 10.0
    """Time limit for receiving the complete header of a request."""
    body_timeout_s: float = 30.0
    """Time limit for receiving the complete body, from the end of the header."""
    write_timeout_s: float = 30.0
    """Time after which a client that reads nothing is disconnected."""
    idle_timeout_s: float = 60.0
    """Time without a request after which a connection is closed."""
    ping_interval_s: float = 15.0
    """Time without an event after which a stream sends keep-alive bytes."""

    def __post_init__(self) -> None:
        for origin in self.origins:
            if not ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin: only a scheme, a host and an optional port are allowed")
        if not self.key or not all("!" <= char <= "~" for char in self.key):
            raise ValueError("the endpoint's key must be printable ASCII without spaces")
        if not self.allow_lan and not is_loopback(self.host):
            raise ValueError(f"{self.host} can be reached from other machines, which must be allowed explicitly")
