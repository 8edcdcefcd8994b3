"""Access control over HTTP: Host, Origin, key and content type, on every route and on unknown paths."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.types import Message

from api.app import create_app
from api.authentication import KeyRing
from api.cors import Origins
from api.security import OPEN_PATHS, SecurityMiddleware
from engine.engine import Engine
from tests.api.live_endpoint import KEY, Live, ask, live, routes_of, settings
from tests.fakes import FakeOpener

PATHS = ["/", "/health", "/v1/models", "/v1/models/fake", "/v1/chat/completions", "/nothing", "/docs", "/openapi.json"]
METHODS = ["GET", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"]
CLOSED = [path for path in PATHS if path not in OPEN_PATHS]


@pytest.fixture
def calls_model() -> None:
    """A fixture without a value. Each test in which a request reaches the model must use it, because
    `_model_not_called` fails otherwise."""


@pytest.fixture(autouse=True)
def _model_not_called(request: pytest.FixtureRequest) -> Iterator[None]:
    """Checks after each test that no request has reached the model, unless the test requests `calls_model`."""
    endpoint: Live = request.getfixturevalue("endpoint")
    before = endpoint.opener.backends[0].n_decodes
    yield
    if "calls_model" not in request.fixturenames:
        assert endpoint.opener.backends[0].n_decodes == before


def send(
    endpoint: Live, path: str, method: str = "GET", headers: tuple[str, ...] = (), body: bytes = b"{}"
) -> tuple[int, dict[str, str], Any]:
    """Sends a raw request, and returns status, headers and JSON. `headers` must contain `Host`."""
    lines = [f"{method} {path} HTTP/1.1", *headers, "Connection: close", f"Content-Length: {len(body)}", "", ""]
    answer = endpoint.raw("\r\n".join(lines).encode() + body)
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *rest = head.decode().split("\r\n")
    names = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    return int(status.split()[1]), names, json.loads(content) if b"json" in head else content


def own(endpoint: Live) -> str:
    return f"Host: 127.0.0.1:{endpoint.server.port}"


AUTH = f"Authorization: Bearer {KEY}"
JSON = "Content-Type: application/json"


@pytest.mark.parametrize("path", PATHS)
def test_foreign_host_is_403_on_every_path(endpoint: Live, path: str) -> None:
    for method in METHODS:
        status, _, body = send(endpoint, path, method, (f"Host: evil.example:{endpoint.server.port}", AUTH, JSON))
        assert status == 403
        assert body["error"]["code"] == "host_refused"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.evil.example",
        "localhost.evil.com",
        "notlocalhost",
        "0.0.0.0",
        "[::]",
        "localhost.",
        "127.0.0.1:1",
        "localhost:",
        "127.0.0.1:PORT:PORT",
        "[::1]x:PORT",
        "user@127.0.0.1:PORT",
        "127.0.0.1:PORT, evil.example",
        "",
    ],
)
def test_hosts_similar_to_own_names_are_refused(endpoint: Live, host: str) -> None:
    host = host.replace("PORT", str(endpoint.server.port))
    status, _, body = send(endpoint, "/health", headers=(f"Host: {host}",))
    assert status in (400, 403)
    assert set(body["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:PORT", "127.0.0.1", "127.0.0.1:PORT", "[::1]:PORT", "[::1]"])
def test_own_host_names_are_accepted(endpoint: Live, host: str) -> None:
    assert send(endpoint, "/health", headers=(f"Host: {host.replace('PORT', str(endpoint.server.port))}",))[0] == 200


def test_missing_or_repeated_host_header_is_refused(endpoint: Live) -> None:
    for headers in ((), (own(endpoint), own(endpoint)), (own(endpoint), "Host: evil.example")):
        status, _, body = send(endpoint, "/health", headers=headers)
        assert status == 400  # the HTTP parser refuses this request
        assert body["error"]["type"] == "invalid_request_error"
    assert b" 403 " in endpoint.raw(b"GET /health HTTP/1.0\r\n\r\n").split(b"\r\n")[0]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.com",
        "http://notlocalhost",
        "http://localhost.evil.com",
        "null",
        "https://127.0.0.1:PORT",
        "app://x",
    ],
)
def test_foreign_origin_is_403(endpoint: Live, origin: str) -> None:
    origin = f"Origin: {origin.replace('PORT', str(endpoint.server.port))}"
    for path in PATHS:
        for method in ("POST", "OPTIONS", "PUT"):
            status, headers, _ = send(endpoint, path, method, (own(endpoint), origin, AUTH, JSON))
            assert status == 403
            assert not [name for name in headers if name.startswith("access-control")]
        status, headers, _ = send(endpoint, path, "GET", (own(endpoint), origin, AUTH))
        assert not [name for name in headers if name.startswith("access-control")]


def test_foreign_origin_header_beside_own_origin_header_is_403(endpoint: Live) -> None:
    origins = (f"Origin: http://127.0.0.1:{endpoint.server.port}", "Origin: http://evil.com")
    for both in (origins, origins[::-1]):
        status, _, body = send(endpoint, "/v1/chat/completions", "POST", (own(endpoint), *both, AUTH, JSON))
        assert (status, body["error"]["code"]) == (403, "origin_refused")


def test_preflight_of_unlisted_origin_has_no_cors_headers(endpoint: Live) -> None:
    body = ("Origin: http://evil.com", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: *")
    status, headers, _ = send(endpoint, "/v1/chat/completions", "OPTIONS", (own(endpoint), *body))
    assert status == 403
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
def test_post_without_json_content_type_is_415(endpoint: Live, content_type: str | None) -> None:
    types = (f"Content-Type: {content_type}",) if content_type else ()
    body = json.dumps(ask()).encode()
    status, _, answer = send(endpoint, "/v1/chat/completions", "POST", (own(endpoint), AUTH, *types), body)
    assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.usefixtures("calls_model")
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_ollama_routes_accept_any_content_type(endpoint: Live, content_type: str | None) -> None:
    types = (f"Content-Type: {content_type}",) if content_type else ()
    body = json.dumps(ask(stream=False)).encode()
    status, _, answer = send(endpoint, "/api/chat", "POST", (own(endpoint), AUTH, *types), body)
    assert (status, answer["message"]["content"]) == (200, "Hello there.")
    page = "Origin: http://evil.example"
    assert send(endpoint, "/api/chat", "POST", (own(endpoint), page, AUTH, *types), body)[0] == 403
    assert send(endpoint, "/api/chat", "POST", (own(endpoint), *types), body)[0] == 401


@pytest.mark.usefixtures("calls_model")
def test_json_content_type_with_charset_is_accepted(endpoint: Live) -> None:
    headers = (own(endpoint), AUTH, "Content-Type: Application/JSON; charset=utf-8")
    assert send(endpoint, "/v1/chat/completions", "POST", headers, json.dumps(ask()).encode())[0] == 200


WRONG = [
    (),
    ("Authorization: Bearer wrong",),
    (f"Authorization: Bearer {KEY[:-1]}",),
    (f"Authorization: Bearer {KEY}x",),
    (f"Authorization: Basic {KEY}",),
    (f"Authorization: {KEY}",),
    ("x-api-key: wrong",),
    ("x-api-key:",),
]


@pytest.mark.parametrize("keys", WRONG)
def test_every_path_without_key_is_401(endpoint: Live, keys: tuple[str, ...]) -> None:
    for path in [*CLOSED, f"/v1/models?key={KEY}&api_key={KEY}"]:
        for method in METHODS:
            status, headers, body = send(endpoint, path, method, (own(endpoint), JSON, *keys))
            assert (status, body["error"]["code"]) == (401, "invalid_api_key"), (method, path)
            assert headers["www-authenticate"] == "Bearer"
            assert KEY not in str(body)


def test_head_requests_and_paths_similar_to_public_ones_need_key(endpoint: Live) -> None:
    for path in ("/healthz", "/health/../v1/models", "/v1/health/x", "/v1/healthy", "/v1//health/x"):
        assert send(endpoint, path, "GET", (own(endpoint),))[0] == 401, path
    for path in CLOSED:
        assert httpx.head(f"{endpoint.root}{path}", trust_env=False).status_code == 401, path


@pytest.mark.parametrize("key", [f"x-api-key: {KEY}", f"Authorization: Bearer {KEY}", f"authorization: bearer  {KEY}"])
def test_key_is_accepted_in_x_api_key_and_in_authorization_header(endpoint: Live, key: str) -> None:
    for path in ("/v1/models", "/v1/models/fake"):
        assert send(endpoint, path, "GET", (own(endpoint), key))[0] == 200
    assert send(endpoint, "/nothing", "GET", (own(endpoint), key))[0] == 404
    assert send(endpoint, "/v1/models", "GET", (own(endpoint), key, "Authorization: Bearer other"))[0] == 200


def test_every_route_except_public_ones_needs_key(endpoint: Live) -> None:
    routes = routes_of(endpoint.app)
    assert ("/v1/chat/completions", "POST") in routes
    for path, method in routes:
        real = path.replace("{name:path}", "fake").replace("{response_id}", "resp_1").replace("{request_id}", "a")
        assert "{" not in real
        status = send(endpoint, real, method, (own(endpoint), JSON))[0]
        assert status == (200 if path in OPEN_PATHS and method == "GET" else 401), (method, path)


def test_redoc_page_is_404(endpoint: Live) -> None:
    assert send(endpoint, "/redoc", "GET", (own(endpoint), AUTH))[0] == 404


def test_websocket_is_closed_immediately() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def remember(message: Message) -> None:
        sent.append(message)

    app = create_app(Engine(FakeOpener()), settings())
    asyncio.run(
        SecurityMiddleware(app, settings(), KeyRing(KEY), Origins(()))({"type": "websocket"}, receive, remember)
    )
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_websocket_upgrade_header_is_ignored(endpoint: Live) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAA")
    assert send(endpoint, "/v1/models", "GET", (own(endpoint), *upgrade))[0] == 401


def test_public_page_contains_no_model_or_version(endpoint: Live) -> None:
    status, headers, body = send(endpoint, "/", "GET", (own(endpoint),))
    assert status == 200
    assert "Inglenook" in body.decode()
    assert "fake" not in body.decode()
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers
    assert send(endpoint, "/", "POST", (own(endpoint), JSON))[0] == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"chat_template": "{{ messages }}"},
        {"chat_template_kwargs": {"chat_template": "{{ messages }}"}},
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/"}}]}
            ]
        },
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "../x"}}]}]},
    ],
)
def test_chat_template_or_image_url_in_request_is_refused(endpoint: Live, fields: dict[str, object]) -> None:
    assert endpoint.post({**ask(), **fields}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/api/pull", "/api/create", "/api/delete", "/models/load", "/v1/files", "/../etc/passwd"]
)
def test_routes_that_change_models_do_not_exist_by_default(endpoint: Live, path: str) -> None:
    assert send(endpoint, path, "POST", (own(endpoint), AUTH, JSON))[0] == 404


@pytest.mark.usefixtures("calls_model")
def test_answers_do_not_contain_model_path(endpoint: Live) -> None:
    with endpoint.http() as client:
        shown = [client.get(path).text for path in PATHS]
    shown += [endpoint.post(ask()).text, endpoint.post(ask(stream=True)).text, endpoint.post(ask(n=2)).text]
    for text in shown:
        assert "secret" not in text
        assert ".gguf" not in text
        assert "Traceback" not in text


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 stands for another address of this machine")
def test_server_on_wildcard_address_accepts_only_the_connected_address_as_host() -> None:
    with live(host="0.0.0.0", allow_lan=True) as endpoint:
        url = f"http://127.0.0.2:{endpoint.server.port}/v1/models"
        assert httpx.get(url, headers={"x-api-key": KEY}, trust_env=False).status_code == 200
        assert httpx.get(url, trust_env=False).status_code == 401
        for host in ("192.168.1.9", "evil.example", "0.0.0.0"):
            assert httpx.get(url, headers={"x-api-key": KEY, "host": host}, trust_env=False).status_code == 403
