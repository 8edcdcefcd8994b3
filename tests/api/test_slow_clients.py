"""Clients that are slow, silent or too big cost nothing (S16)."""

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
    wait_until(lambda: _strict.n_under_way == 0)


def closes_within(connection: socket.socket, seconds: float) -> bytes:
    """What the server still says before it closes; fails where it does not close."""
    started = time.monotonic()
    answer = read_all(connection)
    assert time.monotonic() - started < seconds
    return answer


def read_health(connection: socket.socket) -> None:
    received = b""
    while b'{"status":"ok"}' not in received:
        received += connection.recv(10_000)


@pytest.mark.parametrize("part", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"])
def test_half_a_header_is_closed(strict: Live, part: bytes) -> None:
    with strict.socket() as connection:
        connection.sendall(part)
        assert closes_within(connection, 2) == b""


def test_a_header_that_drips_is_closed(strict: Live) -> None:
    started = time.monotonic()
    with strict.socket() as connection, suppress(OSError):
        for letter in b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 200:
            connection.sendall(bytes([letter]))
            time.sleep(0.05)
    assert time.monotonic() - started < 3


def test_half_a_second_header_is_closed(strict: Live) -> None:
    whole = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{strict.server.port}\r\n\r\n".encode()
    with strict.socket() as connection:
        connection.sendall(whole)
        read_health(connection)
        connection.sendall(whole[:20])
        assert closes_within(connection, 2) == b""


def test_half_a_body_is_answered_408(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(strict.chat_head(1000) + b'{"mess')
        answer = closes_within(connection, 3)
    assert b" 408 " in answer
    assert b'"code":"request_timeout"' in answer


def test_an_idle_connection_is_closed(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{strict.server.port}\r\n\r\n".encode())
        read_health(connection)
        assert closes_within(connection, 3) == b""


def test_a_crowd_of_silent_clients_keeps_nobody_out(strict: Live) -> None:
    with ExitStack() as crowd:
        for _ in range(200):
            crowd.enter_context(strict.socket())
        started = time.monotonic()
        assert strict.post(ask()).status_code == 200
        assert time.monotonic() - started < 2


def test_when_all_are_busy_a_new_client_is_told() -> None:
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


def test_a_reader_that_never_reads_is_let_go() -> None:
    # The pause between two tokens keeps them in frames of their own: some 4 MB, more than the sockets take in.
    opener = FakeOpener(Script(b"x" * 20_000, step_s=0.0001), Limits(30_000, 8, 64))
    with live(opener, write_timeout_s=0.4) as endpoint, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.connect(("127.0.0.1", endpoint.server.port))
        connection.sendall(endpoint.raw_chat(ask(stream=True)))
        wait_until(lambda: endpoint.n_under_way == 1)
        wait_until(lambda: endpoint.n_under_way == 0, timeout_s=30)
        backend = endpoint.opener.backends[0]
        wait_until(lambda: backend.n_open_samplers == 0)
        assert backend.n_decodes < 20_000
        assert endpoint.post(ask(max_tokens=1)).status_code == 200


# Too big


def test_a_body_that_says_it_is_too_big_is_refused_unread(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(strict.chat_head(10_000_000) + b"x" * 1000)
        assert b" 413 " in closes_within(connection, 3)


def test_a_body_that_grows_too_big_is_refused(strict: Live) -> None:
    head = strict.chat_head(0).replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    with strict.socket() as connection:
        connection.sendall(head + chunk * 12)
        answer = closes_within(connection, 3)
    assert b" 413 " in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_too_large"


def test_a_header_that_is_too_big_is_refused(strict: Live) -> None:
    with strict.socket() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nX-Big: " + b"x" * 100_000)
        assert closes_within(connection, 3)[:12] in (b"HTTP/1.1 400", b"")


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"\0" * 100])
def test_what_is_no_http_gets_a_400(strict: Live, noise: bytes) -> None:
    with strict.socket() as connection:
        connection.sendall(noise)
        answer = closes_within(connection, 3)
    assert answer == b"" or b'"type": "invalid_request_error"' in answer


def test_a_broken_chunk_in_a_body_ends_the_connection(strict: Live) -> None:
    head = strict.chat_head(0).replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    with strict.socket() as connection:
        connection.sendall(head + b"5\r\nhello\r\nzz\r\n")
        closes_within(connection, 3)
