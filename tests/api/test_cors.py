"""A page that a person has listed may ask; every other may not."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.live_endpoint import KEY, Live, ask, live, settings

PAGE = "https://chat.example:8443"
LEAVE = "access-control-allow-origin"


@pytest.fixture(scope="module")
def listed() -> Iterator[Live]:
    with live(origins=(PAGE,)) as endpoint:
        yield endpoint


def test_off_by_default() -> None:
    assert settings().origins == ()


def preflight(endpoint: Live, origin: str, **headers: str) -> httpx.Response:
    wanted = {"origin": origin, "access-control-request-method": "POST", **headers}
    return httpx.options(f"{endpoint.root}/v1/chat/completions", headers=wanted, trust_env=False)


def test_a_listed_page_is_answered(listed: Live) -> None:
    asked = "authorization, content-type, x-stainless-os"
    leave = preflight(listed, PAGE, **{"access-control-request-headers": asked})
    assert leave.status_code == 200
    assert leave.headers[LEAVE] == PAGE
    assert leave.headers["access-control-allow-headers"] == asked
    assert "access-control-allow-credentials" not in leave.headers
    with listed.http(origin=PAGE) as client:
        answer = client.post("/v1/chat/completions", json=ask())
        assert (answer.status_code, answer.headers[LEAVE], answer.headers["vary"]) == (200, PAGE, "Origin")
        assert client.post("/v1/chat/completions", json={}).headers[LEAVE] == PAGE
        with client.stream("POST", "/v1/chat/completions", json=ask(stream=True)) as stream:
            assert stream.headers[LEAVE] == PAGE


def test_it_still_needs_a_key(listed: Live) -> None:
    answer = httpx.post(
        f"{listed.root}/v1/chat/completions", json=ask(), headers={"origin": PAGE}, trust_env=False, timeout=20
    )
    assert (answer.status_code, answer.headers[LEAVE]) == (401, PAGE)


def test_a_listed_page_under_a_foreign_host_is_refused(listed: Live) -> None:
    assert preflight(listed, PAGE, host="evil.example").status_code == 403


@pytest.mark.parametrize(
    "origin",
    ["https://chat.example", "http://chat.example:8443", "https://chat.example:8443.evil.com", "null", "*", PAGE + "/"],
)
def test_what_only_looks_listed_is_refused(listed: Live, origin: str) -> None:
    leave = preflight(listed, origin)
    assert leave.status_code == 403
    assert LEAVE not in leave.headers
    headers = {"origin": origin, "authorization": f"Bearer {KEY}"}
    asked = httpx.post(f"{listed.root}/v1/chat/completions", json=ask(), headers=headers, trust_env=False, timeout=20)
    assert asked.status_code == 403
    assert LEAVE not in httpx.get(f"{listed.root}/v1/models", headers=headers, trust_env=False).headers


def test_a_listed_page_beside_another_is_refused(listed: Live) -> None:
    for both in ([PAGE, "http://evil.com"], ["http://evil.com", PAGE]):
        headers = [("authorization", f"Bearer {KEY}"), *(("origin", each) for each in both)]
        url = f"{listed.root}/v1/chat/completions"
        asked = httpx.post(url, json=ask(), headers=headers, trust_env=False, timeout=20)
        assert asked.status_code == 403
        assert LEAVE not in asked.headers


def test_headers_that_are_no_names_get_no_leave(listed: Live) -> None:
    leave = preflight(listed, PAGE, **{"access-control-request-headers": "a; b"})
    assert "access-control-allow-headers" not in leave.headers


@pytest.mark.parametrize("origin", ["*", "null", "https://a.example/", "https://a.example/x", "a.example", "HTTPS://A"])
def test_only_exact_origins_can_be_listed(origin: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        settings(origins=(origin,))
