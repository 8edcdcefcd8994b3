"""With a certificate, the endpoint accepts only encrypted connections."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from api.__main__ import main
from tests.api.live_endpoint import KEY, ask, live

pytest.importorskip("cryptography")

from tests.engine.remote.test_secure_connections import identity


def test_connections_are_encrypted(tmp_path: Path) -> None:
    own = identity(tmp_path, "own")
    with live(tls_cert=own.certificate, tls_key=own.key) as endpoint:
        assert endpoint.server.url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(own.certificate))
        head = {"x-api-key": KEY}
        with httpx.Client(base_url=endpoint.server.url, headers=head, verify=trusted, trust_env=False) as client:
            body = ask(max_tokens=3)
            assert client.post("chat/completions", json=body).status_code == 200
            assert "[DONE]" in client.post("chat/completions", json={**body, "stream": True}).text
            named = client.post("chat/completions", json=body, headers={"host": "gpu-box.lan"})
            assert named.status_code == 200, "the certificate decides which names are accepted"
            page = client.post("chat/completions", json=body, headers={"origin": "https://evil.example"})
            assert page.status_code == 403
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{endpoint.root}/health", trust_env=False)
        with pytest.raises(httpx.ConnectError):
            httpx.get(endpoint.server.url, trust_env=False)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unusable_certificate_is_a_usage_error(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as caught:
        main(["--tls-cert", str(path)])
    assert caught.value.code == 2
    assert "certificate" in capsys.readouterr().err


def test_key_without_certificate_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--tls-key", "own.key"])
    assert "needs --tls-cert" in capsys.readouterr().err
