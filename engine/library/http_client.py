"""Creates HTTP clients that use the system's proxy settings, and reports proxies that are not supported."""

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
    """Creates a client of type `kind`.

    The client reads the proxy settings when it is created, so an unsupported proxy is detected before any request.
    Raises ProxyUnusable."""
    try:
        return kind(**options)
    except (ImportError, ValueError, TypeError) as error:  # httpx2 raises these errors for unsupported proxies
        proxy = _unusable_proxy()
        if proxy is None:
            raise
        raise ProxyUnusable(proxy) from error
    except Exception as error:
        import httpx2

        if isinstance(error, httpx2.InvalidURL):
            raise ProxyUnusable(_unusable_proxy() or "") from None  # the error's text may contain the proxy's password
        raise


def _unusable_proxy() -> str | None:
    """Returns the first proxy in the system's settings that is not supported; None if all are supported. The password
    is removed from its address."""
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
            return redacted(address)
        if is_socks and importlib.util.find_spec("socksio") is None:
            return redacted(address)
    return None


def redacted(address: str) -> str:
    """A proxy's address without user name and password. The scheme `socks://`, which GNOME and curl use, becomes
    `socks5://`."""
    scheme, _, rest = address.partition("://")
    scheme = "socks5" if scheme.lower() == "socks" else scheme
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # not a valid address: the text may contain a password
        return f"{scheme}://…"
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}{f':{port}' if port else ''}"
