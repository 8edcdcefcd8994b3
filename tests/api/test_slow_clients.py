"""Slow clients, silent clients and oversized requests cannot block the server."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from engine.backend import Limits
from tests.api.live_endpoint import Live, ask, live, read_all, wait_until
from tests.fakes import FakeOpener, Script


@pytest.fixture(scope="module")
def _strict() -> Iterator[Live]:
    with live(
        header_timeout_s=0.4,
        body_timeout_s=0.4,
        write_timeout_s=0.4,
        idle_timeout_s=1,
        max_connections=50,
        max_body_bytes=200_000,
    ) as endpoint:
        yield endpoint


@pytest.fixture
def strict(_strict: Live) -> Iterator[Live]:
    yield _strict
    _strict.script.answer, _strict.script.step_s = b"Hello there.", 0.0
    wait_until(lambda: _strict.n_in_progress == 0)


def closes_within(connection: socket.socket, seconds: float) -> bytes:
    """Returns what the server sends until it closes the connection. Fails if that takes longer than `seconds`."""
    started = time.monotonic()
    answer = read_all(connection)
    assert time.monotonic() - started < seconds
    return answer


def read_health(connection: socket.socket) -> None:
    received = b""
    while b'{"status":"ok"}' not in received:
        received += connection.recv(10_000)


@pytest.mark.parametrize("part", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"])
def test_connection_is_closed_if_the_header_remains_incomplete(strict: Live, part: bytes) -> None:
    with strict.socket() as connection:
        connection.sendall(part)
        assert closes_within(connection, 8) == b""


def test_connection_is_closed_if_the_header_arrives_too_slowly(strict: Live) -> None:
    started = time.monotonic()
    with strict.socket() as connection, suppress(OSError):
        for letter in b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 200:
            connection.sendall(bytes([letter]))
            time.sleep(0.05)
    assert time.monotonic() - started < 8


def test_connection_is_closed_if_the_header_of_a_second_request_remains_incomplete(strict: Live) -> None:
    whole = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{strict.server.port}\r\n\r\n".encode()
    with strict.socket() as connection:
        connection.sendall(whole)
        read_health(connection)
        connection.sendall(whole[:20])
        assert closes_within(connection, 8) == b""


def test_request_is_408_if_its_body_remains_incomplete(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(strict.chat_head(1000) + b'{"mess')
        answer = closes_within(connection, 8)
    assert b" 408 " in answer
    assert b'"code":"request_timeout"' in answer


def test_idle_connection_is_closed(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{strict.server.port}\r\n\r\n".encode())
        read_health(connection)
        assert closes_within(connection, 8) == b""


def test_many_silent_clients_do_not_block_others(strict: Live) -> None:
    with ExitStack() as crowd:
        for _ in range(200):
            crowd.enter_context(strict.socket())
        started = time.monotonic()
        assert strict.post(ask()).status_code == 200
        assert time.monotonic() - started < 8


def test_connection_above_limit_is_503_if_no_other_connection_is_idle() -> None:
    with live(FakeOpener(Script(step_s=0.02)), max_connections=2) as endpoint, ExitStack() as busy:
        for _ in range(2):
            connection = busy.enter_context(endpoint.socket())
            connection.sendall(endpoint.raw_chat(ask(stream=True)))
            assert b"200 OK" in connection.recv(1000)
        with endpoint.socket() as late:
            answer = read_all(late)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in answer.lower()
    assert b'"code": "too_many_connections"' in answer


def test_client_that_never_reads_is_disconnected() -> None:
    # Pauses keep the tokens in separate frames. All frames together have about 4 MB, more than the sockets can buffer.
    opener = FakeOpener(Script(b"x" * 20_000, step_s=0.0001), Limits(30_000, 8, 64))
    with live(opener, write_timeout_s=0.4) as endpoint, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.connect(("127.0.0.1", endpoint.server.port))
        connection.sendall(endpoint.raw_chat(ask(stream=True)))
        wait_until(lambda: endpoint.n_in_progress == 1)
        wait_until(lambda: endpoint.n_in_progress == 0, timeout_s=30)
        backend = endpoint.opener.backends[0]
        wait_until(lambda: backend.n_open_samplers == 0)
        assert backend.n_decodes < 20_000
        assert endpoint.post(ask(max_tokens=1)).status_code == 200


def test_content_length_above_limit_is_413(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(strict.chat_head(10_000_000) + b"x" * 1000)
        assert b" 413 " in closes_within(connection, 8)


def test_chunked_body_above_limit_is_413(strict: Live) -> None:
    head = strict.chat_head(0).replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    with strict.socket() as connection:
        connection.sendall(head + chunk * 12)
        answer = closes_within(connection, 8)
    assert b" 413 " in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_too_large"


def test_oversized_header_is_400_or_closes_connection(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nX-Big: " + b"x" * 100_000)
        assert closes_within(connection, 8)[:12] in (b"HTTP/1.1 400", b"")


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"\0" * 100])
def test_malformed_request_is_400_or_closes_connection(strict: Live, noise: bytes) -> None:
    with strict.socket() as connection:
        connection.sendall(noise)
        answer = closes_within(connection, 8)
    assert answer == b"" or b'"type": "invalid_request_error"' in answer


def test_malformed_chunk_closes_connection(strict: Live) -> None:
    head = strict.chat_head(0).replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    with strict.socket() as connection:
        connection.sendall(head + b"5\r\nhello\r\nzz\r\n")
        closes_within(connection, 8)
