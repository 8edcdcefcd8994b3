"""A process that may open few files still serves requests, and logs only a few lines about it."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack

import pytest

from api.connections import MIN_CONNECTIONS, connection_limits
from tests.api.endpoint_process import Served, served
from tests.api.live_endpoint import ask

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")


def crowd(stack: ExitStack, server: Served, n: int) -> list[socket.socket]:
    """Connects up to `n` silent clients, until a connection fails."""
    port = int(server.root.rpartition(":")[2])
    found = []
    for _ in range(n):
        try:
            found.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=1)))
        except OSError:
            break
    return found


def test_connection_limit_follows_open_file_limit() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert connection_limits(100_000).n_connections < before[0]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
        small = connection_limits(256)
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, before[1]))
        smallest = connection_limits(256)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert small.n_connections + small.backlog <= 200 - 64
    assert smallest.n_connections >= MIN_CONNECTIONS


@pytest.mark.parametrize("n_files", [70, 120])
def test_clients_beyond_open_file_limit_do_not_block_others(n_files: int) -> None:
    with served(str(n_files)) as server, ExitStack() as stack:
        assert server.client.post("/v1/chat/completions", json=ask()).status_code == 200
        crowd(stack, server, 300)
        for _ in range(3):
            answer = server.client.post("/v1/chat/completions", json=ask())
            assert answer.status_code == 200
    assert server.errors.count("\n") <= 3, server.errors[:2000]
