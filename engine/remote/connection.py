"""A connection: the address of a server with chat models, and how it is reached. Contains no secret."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

ServerKind = Literal["openai", "llama.cpp", "vllm", "sglang", "ollama", "lmstudio", "inglenook"]
"""The program that serves the models. "openai" is any other server with OpenAI's API."""

SERVER_KINDS: tuple[ServerKind, ...] = get_args(ServerKind)

DEFAULT_PORTS: Mapping[str, int] = {
    "llama.cpp": 8080,
    "vllm": 8000,
    "sglang": 30000,
    "ollama": 11434,
    "lmstudio": 1234,
    "inglenook": 4645,
}
"""The ports on which the programs listen unless they are told otherwise."""

MAX_ADDRESS = 2000
DEFAULT_API_PATH = "/v1"

_VERSION = re.compile(r"v\d{1,3}[a-z]{0,5}\d?")
_LABEL = re.compile(r"[^\s/?#\\@:\[\]%\x00-\x20\x7f]{1,253}")
_PATH = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@%-]*")
_LOCAL_SUFFIXES = (".local", ".lan", ".localhost", ".internal", ".home", ".home.arpa", ".localdomain")


class InvalidAddress(ValueError):
    """An address that cannot be used. `reason` is a short clause in English."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A normalised address. `root` has no slash at its end; `root + api_path` is the base of OpenAI's API."""

    root: str
    api_path: str = DEFAULT_API_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A server with chat models. Its key is not part of this value, so that it can be stored and shown."""

    name: str
    address: str
    """The normalised root of the server, such as `http://gpu-box:8000`. See `parse_address`."""
    api_path: str = DEFAULT_API_PATH
    """The path of OpenAI's API below `address`."""
    kind: ServerKind | Literal["auto"] = "auto"
    ca_file: Path | None = None
    """Certificates (PEM) that are trusted besides those of the system."""
    client_certificate: Path | None = None
    client_key: Path | None = None
    """The certificate (PEM) that identifies this computer to the server, and its private key."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def to(cls, text: str, *, name: str = "", kind: ServerKind | Literal["auto"] = "auto") -> Connection:
        """A connection to the address that a person typed. Raises InvalidAddress."""
        address = parse_address(text, kind)
        return cls(name=name or host_of(address.root), address=address.root, api_path=address.api_path, kind=kind)

    @property
    def host(self) -> str:
        """The name of the machine, without port."""
        return host_of(self.address)

    @property
    def is_this_computer(self) -> bool:
        return is_loopback(self.host)


def parse_address(text: str, kind: ServerKind | Literal["auto"] = "auto") -> ServerAddress:
    """Normalises the address that a person typed: `gpu-box:8000`, `http://x/v1/`, `[::1]:8080`, `https://x/prefix`.

    Without a scheme, names of the local network and addresses with a port get `http`, others `https`. Without a scheme
    and a port, the address gets the default port of `kind`. A path may end with the API's version, or with the path of
    chat completions. Raises InvalidAddress."""
    text = text.strip()
    if not text:
        raise InvalidAddress("it is empty")
    if len(text) > MAX_ADDRESS:
        raise InvalidAddress("it is too long")
    scheme, has_scheme, rest = text.partition("://")
    if not has_scheme:
        scheme, rest = "", text
    if _is_ipv6(rest):
        rest = f"[{rest}]"
    host, port, path = _split(rest)
    if scheme.lower() not in ("", "http", "https"):
        raise InvalidAddress("only http and https are supported")
    if not scheme:
        scheme = "http" if port is not None or _is_in_local_network(host) else "https"
        if port is None and scheme == "http":
            port = DEFAULT_PORTS.get(kind)
    scheme = scheme.lower()
    if port == {"http": 80, "https": 443}[scheme]:
        port = None
    shown = f"[{host}]" if ":" in host else host
    prefix, api_path = _split_path(path)
    return ServerAddress(f"{scheme}://{shown}{'' if port is None else f':{port}'}{prefix}", api_path)


def _split(rest: str) -> tuple[str, int | None, str]:
    """Splits an address without scheme into host, port and path."""
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidAddress("host or port are invalid") from None
    if "@" in parts.netloc:
        raise InvalidAddress("it contains a user name or a password")
    if parts.query or parts.fragment or "?" in rest or "#" in rest:
        raise InvalidAddress("it contains a query")
    if not _is_host(host):
        raise InvalidAddress("the name of the server is invalid")
    if port == 0:
        raise InvalidAddress("host or port are invalid")
    if not _PATH.fullmatch(parts.path):
        raise InvalidAddress("the path is invalid")
    return host, port, parts.path


def _split_path(path: str) -> tuple[str, str]:
    """Splits a path into the server's prefix and the path of the API."""
    parts = [part for part in path.split("/") if part]
    if ".." in parts or "." in parts:
        raise InvalidAddress("the path is invalid")
    for end in (["chat", "completions"], ["completions"], ["models"]):
        if parts[-len(end) :] == end:
            del parts[-len(end) :]
    if parts and _VERSION.fullmatch(parts[-1]):
        return "".join(f"/{part}" for part in parts[:-1]), f"/{parts[-1]}"
    return "".join(f"/{part}" for part in parts), DEFAULT_API_PATH


def host_of(address: str) -> str:
    return urlsplit(address).hostname or ""


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    found = _ip_address(host)
    return found is not None and found.is_loopback


def _is_in_local_network(host: str) -> bool:
    found = _ip_address(host)
    if found is not None:
        return found.is_private or found.is_link_local
    return "." not in host or host.endswith(_LOCAL_SUFFIXES)


def _is_ipv6(text: str) -> bool:
    return isinstance(_ip_address(text), ipaddress.IPv6Address)


def _is_host(host: str) -> bool:
    if ":" in host:
        return _is_ipv6(host)
    return bool(_LABEL.fullmatch(host)) and not host.startswith((".", "-"))


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
