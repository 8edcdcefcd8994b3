"""Web pages of allowed origins may send requests; others may not."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.live_endpoint import KEY, Live, ask, live, settings

ORIGIN = "https://chat.example:8443"
ALLOW_ORIGIN = "access-control-allow-origin"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Live]:
    with live(origins=(ORIGIN,)) as endpoint:
        yield endpoint


def test_no_origin_is_allowed_by_default() -> None:
    assert settings().origins == ()


def preflight(endpoint: Live, origin: str, **headers: str) -> httpx.Response:
    wanted = {"origin": origin, "access-control-request-method": "POST", **headers}
    return httpx.options(f"{endpoint.root}/v1/chat/completions", headers=wanted, trust_env=False)


def test_allowed_origin_gets_cors_headers(endpoint: Live) -> None:
    body = "authorization, content-type, x-stainless-os"
    response = preflight(endpoint, ORIGIN, **{"access-control-request-headers": body})
    assert response.status_code == 200
    assert response.headers[ALLOW_ORIGIN] == ORIGIN
    assert response.headers["access-control-allow-headers"] == body
    assert "access-control-allow-credentials" not in response.headers
    with endpoint.http(origin=ORIGIN) as client:
        answer = client.post("/v1/chat/completions", json=ask())
        assert (answer.status_code, answer.headers[ALLOW_ORIGIN], answer.headers["vary"]) == (200, ORIGIN, "Origin")
        assert client.post("/v1/chat/completions", json={}).headers[ALLOW_ORIGIN] == ORIGIN
        with client.stream("POST", "/v1/chat/completions", json=ask(stream=True)) as stream:
            assert stream.headers[ALLOW_ORIGIN] == ORIGIN


def test_allowed_origin_without_key_is_401(endpoint: Live) -> None:
    answer = httpx.post(
        f"{endpoint.root}/v1/chat/completions", json=ask(), headers={"origin": ORIGIN}, trust_env=False, timeout=20
    )
    assert (answer.status_code, answer.headers[ALLOW_ORIGIN]) == (401, ORIGIN)


def test_preflight_with_foreign_host_is_403(endpoint: Live) -> None:
    assert preflight(endpoint, ORIGIN, host="evil.example").status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        "https://chat.example",
        "http://chat.example:8443",
        "https://chat.example:8443.evil.com",
        "null",
        "*",
        ORIGIN + "/",
    ],
)
def test_origins_similar_to_allowed_one_are_refused(endpoint: Live, origin: str) -> None:
    response = preflight(endpoint, origin)
    assert response.status_code == 403
    assert ALLOW_ORIGIN not in response.headers
    headers = {"origin": origin, "authorization": f"Bearer {KEY}"}
    body = httpx.post(f"{endpoint.root}/v1/chat/completions", json=ask(), headers=headers, trust_env=False, timeout=20)
    assert body.status_code == 403
    assert ALLOW_ORIGIN not in httpx.get(f"{endpoint.root}/v1/models", headers=headers, trust_env=False).headers


def test_two_origin_headers_are_refused(endpoint: Live) -> None:
    for both in ([ORIGIN, "http://evil.com"], ["http://evil.com", ORIGIN]):
        headers = [("authorization", f"Bearer {KEY}"), *(("origin", each) for each in both)]
        url = f"{endpoint.root}/v1/chat/completions"
        body = httpx.post(url, json=ask(), headers=headers, trust_env=False, timeout=20)
        assert body.status_code == 403
        assert ALLOW_ORIGIN not in body.headers


def test_preflight_with_malformed_header_names_allows_no_headers(endpoint: Live) -> None:
    response = preflight(endpoint, ORIGIN, **{"access-control-request-headers": "a; b"})
    assert "access-control-allow-headers" not in response.headers


@pytest.mark.parametrize("origin", ["*", "null", "https://a.example/", "https://a.example/x", "a.example", "HTTPS://A"])
def test_malformed_origins_are_refused_by_settings(origin: str) -> None:
    with pytest.raises(ValueError, match="not an origin"):
        settings(origins=(origin,))
