"""How the server treats HTTP: methods, request targets, content encodings, lengths, pipelining."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest
from starlette.types import Message

from api.body_limits import BoundedReceive
from api.errors import BodyTooLarge
from api.settings import EndpointSettings
from tests.api.live_endpoint import KEY, Live, ask, live, read_all

ROUTES = [
    *("/", "/health", "/v1/models", "/models", "/v1/models/fake", "/api/tags", "/api/version", "/api/ps"),
    *("/props", "/slots", "/metrics", "/v1/activity", "/openapi.json", "/docs"),
]


@pytest.mark.parametrize("path", ROUTES)
def test_head_request_is_answered_like_get_but_without_body(endpoint: Live, path: str) -> None:
    with endpoint.http() as client:
        got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    ignored = ("date", "x-request-id", "request-id")
    assert {name: value for name, value in head.headers.items() if name not in ignored} == {
        name: value for name, value in got.headers.items() if name not in ignored
    }


@pytest.mark.parametrize("path", ["/v1/models", "/api/tags", "/unknown"])
def test_head_request_with_wrong_key_is_401(endpoint: Live, path: str) -> None:
    with endpoint.http(authorization="Bearer wrong") as client:
        answer = client.head(path)
    assert (answer.status_code, answer.content) == (401, b"")


def test_head_request_to_route_without_get_is_405(endpoint: Live) -> None:
    with endpoint.http() as client:
        assert client.head("/v1/chat/completions").status_code == 405


def request(endpoint: Live, target: str, host: str | None = None) -> bytes:
    host = host or f"127.0.0.1:{endpoint.server.port}"
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n\r\n"
    ).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_absolute_request_target_is_served_like_its_path(endpoint: Live) -> None:
    port = endpoint.server.port
    for target in (f"http://127.0.0.1:{port}/v1/models", f"HTTP://localhost:{port}/v1/models?a=b"):
        assert status_of(endpoint.raw(request(endpoint, target))) == 200
    assert b"endpoint" in endpoint.raw(request(endpoint, f"http://127.0.0.1:{port}"))


def test_host_in_absolute_request_target_replaces_host_header(endpoint: Live) -> None:
    for target in ("http://evil.example/v1/models", "http://evil.example", "http://user@127.0.0.1/v1/models"):
        assert status_of(endpoint.raw(request(endpoint, target))) == 403
    own = f"http://127.0.0.1:{endpoint.server.port}/v1/models"
    assert status_of(endpoint.raw(request(endpoint, own, "evil.example"))) == 200
    assert status_of(endpoint.raw(request(endpoint, "https://127.0.0.1/v1/models"))) == 404


@pytest.mark.parametrize("path", ["/v1/models/", "//v1/models", "/v1//models", "//v1///models//"])
def test_repeated_and_trailing_slashes_are_ignored(endpoint: Live, path: str) -> None:
    assert status_of(endpoint.raw(request(endpoint, path))) == 200


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions/", "//v1/chat/completions", "/v1/messages/", "/api//chat/", "/completion/"]
)
def test_trailing_slashes_of_post_paths_are_ignored(endpoint: Live, path: str) -> None:
    assert endpoint.post(ask(max_tokens=3, prompt="a", stream=False), path).status_code == 200


def test_extra_slashes_do_not_change_which_paths_need_key(endpoint: Live) -> None:
    with httpx.Client(base_url=endpoint.root, trust_env=False) as client:
        assert [client.get(path).status_code for path in ("/health/", "//health", "/v1/health/", "//")] == [200] * 4
        assert [client.get(path).status_code for path in ("//v1/models", "/v1/models/")] == [401] * 2


CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "GZIP": gzip.compress,
}


def post_coded(endpoint: Live, path: str, content: bytes, coding: str) -> httpx.Response:
    with endpoint.http(**{"content-encoding": coding, "content-type": "application/json"}) as client:
        return client.post(path, content=content)


@pytest.mark.parametrize("coding", list(CODINGS))
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat"])
def test_compressed_body_is_decoded(endpoint: Live, path: str, coding: str) -> None:
    content = CODINGS[coding](json.dumps(ask("Hi" * 300, max_tokens=3, stream=False)).encode())
    assert post_coded(endpoint, path, content, coding).status_code == 200


@pytest.mark.parametrize("coding", ["zstd", "br", "compress", "gzip, gzip", "unknown"])
def test_unknown_content_encoding_is_415(endpoint: Live, coding: str) -> None:
    answer = post_coded(endpoint, "/v1/chat/completions", b"xx", coding)
    assert answer.status_code == 415
    assert f"'{coding}'" in answer.json()["error"]["message"].replace(",gzip", ", gzip")


GZIPPED = gzip.compress(b"{}", mtime=0)
"""An empty object, compressed without a timestamp, so that test parameters are the same in every process."""


def test_compressed_body_that_decodes_to_nothing_is_limited_by_its_received_size() -> None:
    """The body is an endless gzip stream of empty blocks."""
    empty_block = b"\x00\x00\x00\xff\xff"
    chunks = iter([gzip.compress(b"", mtime=0)[:10]])

    async def receive() -> Message:
        return {"type": "http.request", "body": next(chunks, empty_block * 1000), "more_body": True}

    async def receive_all() -> None:
        bounded = BoundedReceive(receive, EndpointSettings(KEY, max_body_bytes=100_000), "gzip")
        for _ in range(1000):
            await bounded()

    with pytest.raises(BodyTooLarge):
        asyncio.run(receive_all())


@pytest.mark.parametrize("damaged", [b"no gzip", GZIPPED[:-4], GZIPPED + b"more", b""])
def test_corrupt_compressed_body_is_400(endpoint: Live, damaged: bytes) -> None:
    answer = post_coded(endpoint, "/v1/chat/completions", damaged, "gzip")
    assert answer.status_code == 400
    assert "gzip" in answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def small() -> Iterator[Live]:
    with live(max_body_bytes=100_000) as endpoint:
        yield endpoint


def test_size_limit_applies_to_decoded_body(small: Live) -> None:
    bomb = gzip.compress(b" " * 50_000_000, mtime=0)
    assert len(bomb) < 100_000
    began = time.monotonic()
    assert post_coded(small, "/v1/chat/completions", bomb, "gzip").status_code == 413
    assert time.monotonic() - began < 8


def test_content_length_with_transfer_encoding_is_400(endpoint: Live) -> None:
    began = time.monotonic()
    answer = endpoint.raw(endpoint.chat_head(5, "Transfer-Encoding: chunked\r\n") + b"5\r\nhello\r\n")
    assert status_of(answer) == 400
    assert b"Transfer-Encoding" in answer
    assert time.monotonic() - began < 8


def test_content_length_with_transfer_encoding_closes_connection_even_if_key_is_wrong(
    endpoint: Live,
) -> None:
    head = endpoint.chat_head(5, "Transfer-Encoding: chunked\r\n").replace(KEY.encode(), b"wrong")
    answer = endpoint.raw(head + b"5\r\nhello\r\n0\r\n\r\n")
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1


def test_malformed_chunk_is_400(endpoint: Live) -> None:
    head = endpoint.chat_head(5).replace(b"Content-Length: 5", b"Transfer-Encoding: chunked")
    assert status_of(endpoint.raw(head + b"hello\r\n")) == 400
    with endpoint.socket() as connection:
        connection.sendall(head)
        connection.sendall(b"5\r\n")
        connection.sendall(b"hello wrong")
        assert status_of(read_all(connection)) == 400
    assert endpoint.post(ask(max_tokens=1)).status_code == 200


PIPELINED_ERRORS = {
    "wrong key": (b"Authorization: Bearer wrong", 401),
    "foreign host": (b"Authorization: Bearer " + KEY.encode(), 403),
    "no JSON": (b"Authorization: Bearer " + KEY.encode(), 400),
    "wrong type": (b"Authorization: Bearer " + KEY.encode() + b"\r\nContent-Type: text/plain", 415),
    "unknown route": (b"Authorization: Bearer " + KEY.encode(), 404),
}


@pytest.mark.parametrize("case", list(PIPELINED_ERRORS))
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("size", [1, 200_000])
def test_pipelined_request_after_an_error_is_answered(endpoint: Live, case: str, at_once: bool, size: int) -> None:
    header, status = PIPELINED_ERRORS[case]
    host = b"evil.example" if case == "foreign host" else f"127.0.0.1:{endpoint.server.port}".encode()
    path = b"/nothing" if case == "unknown route" else b"/v1/chat/completions"
    extra = b"" if b"Content-Type" in header else b"Content-Type: application/json\r\n"
    first = (
        b"POST %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%sContent-Length: %d\r\n\r\n" % (path, host, header, extra, size)
        + b"x" * size
    )
    second = request(endpoint, "/v1/models")
    with endpoint.socket() as connection:
        if at_once:
            connection.sendall(first + second)
        else:
            connection.sendall(first)
            connection.sendall(second)
        answers = read_all(connection)
    assert status_of(answers) == status
    assert b"HTTP/1.1 200 OK" in answers
