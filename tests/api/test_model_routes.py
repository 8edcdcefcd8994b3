"""Clients can unload and load the model only if the settings allow it, and never load another file."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.api.live_endpoint import Live, ask, live

FILE = Path("/secret/place/fake.gguf")


@pytest.mark.parametrize("what", ["load", "unload"])
def test_clients_cannot_unload_or_load_model_by_default(what: str) -> None:
    with live() as endpoint:
        assert endpoint.post({}, f"/models/{what}").status_code == 404
        assert endpoint.post(ask(max_tokens=2)).status_code == 200


def test_model_can_be_loaded_again_after_unload() -> None:
    with live(model_changes=FILE) as endpoint:
        assert endpoint.post({}, "/models/unload").json() == {"success": True}
        gone = endpoint.post(ask(max_tokens=2))
        assert (gone.status_code, gone.headers["retry-after"]) == (503, "15")
        back = endpoint.post({"model": "/etc/passwd"}, "/models/load")
        assert back.json()["model"]["id"] == "fake"
        assert "secret" not in back.text
        assert endpoint.opener.backends[-1].info.path == FILE
        assert len(endpoint.opener.backends) == 2
        assert endpoint.post({}, "/models/load").status_code == 200
        assert len(endpoint.opener.backends) == 2, "what is loaded stays"
        assert endpoint.post(ask(max_tokens=2)).status_code == 200


def test_unload_without_key_is_401() -> None:
    with live(model_changes=FILE) as endpoint:
        assert _without_key(endpoint) == 401
        assert endpoint.post(ask(max_tokens=2)).status_code == 200


def _without_key(endpoint: Live) -> int:
    return httpx.post(f"{endpoint.root}/models/unload", json={}, trust_env=False).status_code
