"""The model is freed and loaded again over HTTP only where the person allows it, and never another file."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.api.live_endpoint import Live, ask, live

FILE = Path("/secret/place/fake.gguf")


@pytest.mark.parametrize("what", ["load", "unload"])
def test_it_is_off_unless_it_is_turned_on(what: str) -> None:
    with live() as endpoint:
        assert endpoint.post({}, f"/models/{what}").status_code == 404
        assert endpoint.post(ask(max_tokens=2)).status_code == 200


def test_the_model_goes_and_comes_back() -> None:
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


def test_it_wants_the_key_too() -> None:
    with live(model_changes=FILE) as endpoint:
        assert _without_key(endpoint) == 401
        assert endpoint.post(ask(max_tokens=2)).status_code == 200


def _without_key(endpoint: Live) -> int:
    return httpx.post(f"{endpoint.root}/models/unload", json={}, trust_env=False).status_code
