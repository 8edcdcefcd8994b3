"""How the hub's library asks: once, and not for long. It is imported when a person first asks for something.

By itself, it would try again for half a minute before it says that there is no network."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.library.http_client import open_client
from engine.library.hub_errors import HubUnreachable

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TIMEOUT_S = 12.0


def hub_api(endpoint: str | None) -> HfApi:
    """Takes 0.4 s the first time. Sends no token along, even where the person keeps one for other programs."""
    _prepare()
    from huggingface_hub import HfApi

    return HfApi(endpoint=endpoint, token=False)


@cache
def _prepare() -> None:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when it is imported
    import httpx2
    from huggingface_hub import set_client_factory

    class Client(httpx2.Client):
        """Tells at once that the hub does not answer, in a way that is not tried again."""

        def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
            try:
                response = super().send(request, **how)
            except httpx2.TransportError as error:
                raise HubUnreachable(str(error) or type(error).__name__) from error
            if response.status_code == 429 or response.status_code >= 500:
                response.close()
                raise HubUnreachable(f"it answers {response.status_code}")
            return response

    set_client_factory(lambda: open_client(Client, follow_redirects=True, timeout=TIMEOUT_S))
