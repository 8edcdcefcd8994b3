"""HTTP clients that use the proxies of the system's settings, or say which of them cannot be used."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from engine.library.hub_errors import ProxyUnusable

if TYPE_CHECKING:
    import httpx2

AnyClient = TypeVar("AnyClient", bound="httpx2.Client")

_SOCKS = ("socks", "socks4", "socks4a", "socks5", "socks5h")


def open_client(kind: type[AnyClient], **options: Any) -> AnyClient:
    """A client of this kind. Proxies are read from the environment here, so a wrong one is found before any request.

    Raises ProxyUnusable."""
    try:
        return kind(**options)
    except (ImportError, ValueError, TypeError) as error:  # httpx2 raises these for what it reads of a proxy
        proxy = _unusable()
        if proxy is None:
            raise
        raise ProxyUnusable(proxy) from error
    except Exception as error:
        import httpx2

        if isinstance(error, httpx2.InvalidURL):
            raise ProxyUnusable(_unusable() or "") from None  # its text may hold the password
        raise


def _unusable() -> str | None:
    """The first proxy that no client can use, as a person may read it; None where all can be used."""
    import httpx2

    found = getproxies()
    for scheme in ("http", "https", "all"):
        if not (given := found.get(scheme)):
            continue
        address = given if "://" in given else f"http://{given}"
        is_socks = address.partition("://")[0].lower() in _SOCKS
        try:
            httpx2.Proxy(address)
        except Exception:
            return shown(address)
        if is_socks and importlib.util.find_spec("socksio") is None:
            return shown(address)
    return None


def shown(address: str) -> str:
    """A proxy's address without user and password. GNOME's and curl's `socks://` is SOCKS 5."""
    scheme, _, rest = address.partition("://")
    scheme = "socks5" if scheme.lower() == "socks" else scheme
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # no port, or no address: the text may hold anything
        return f"{scheme}://…"
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}{f':{port}' if port else ''}"
