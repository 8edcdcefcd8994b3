"""Unexpected exceptions are answered like other errors: in the format of the dialect, with request id and CORS
headers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.live_endpoint import Live, live

PAGE = "https://chat.example"
PATHS = ["/v1/broken", "/v1/messages/broken", "/api/broken", "/broken"]


async def broken() -> None:
    raise ZeroDivisionError("a word of a prompt")


@pytest.fixture(scope="module")
def failing() -> Iterator[Live]:
    with live(origins=(PAGE,)) as endpoint:
        for path in PATHS:
            endpoint.app.add_api_route(path, broken, methods=["GET", "POST"])
        yield endpoint


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_unexpected_error_has_request_id_and_cors_headers(failing: Live, path: str, method: str) -> None:
    with failing.http(origin=PAGE, **{"content-type": "application/json"}) as client:
        answer = client.request(method, path)
        assert answer.status_code == 500
        assert answer.headers["x-request-id"] == answer.headers["request-id"]
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "prompt" not in answer.text
        assert client.get("/health").status_code == 200
    if method != "HEAD":
        error = answer.json()["error"]
        assert isinstance(error, str) if path.startswith("/api/") else error["message"]


def test_unexpected_error_does_not_log_prompt_text(failing: Live, caplog: pytest.LogCaptureFixture) -> None:
    with failing.http() as client:
        client.get("/broken")
    assert "ZeroDivisionError" in caplog.text
    assert "a word of a prompt" not in caplog.text


def test_connection_stays_open_after_unexpected_error(failing: Live) -> None:
    port = failing.server.port
    head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer ink-only-for-tests\r\n"
    answers = failing.raw(
        f"GET /broken HTTP/1.1\r\n{head}\r\nGET /v1/models HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode()
    )
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"500", b"200"]


def test_unexpected_error_after_first_bytes_of_answer_closes_connection(failing: Live) -> None:
    from starlette.responses import StreamingResponse

    async def half() -> StreamingResponse:
        async def pieces() -> object:
            yield b"half"
            raise ZeroDivisionError

        return StreamingResponse(pieces())  # type: ignore[arg-type]

    failing.app.add_api_route("/half", half, methods=["GET"])
    with failing.http() as client, pytest.raises(httpx.RemoteProtocolError):
        client.get("/half")
