"""The endpoint's server: its port, starting and stopping on different event loops, stopping during requests, and its
logs."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import qasync
from PySide6.QtWidgets import QApplication

from api.app import create_app
from api.errors import CannotListen, PortBusy
from api.server import EndpointServer, _bind
from engine.engine import Engine
from engine.status import Status
from tests.api.live_endpoint import KEY, Live, ask, live, read_all, settings, wait_until
from tests.conftest import chat
from tests.fakes import FakeOpener, Script


def empty_server(port: int = 0) -> EndpointServer:
    """Returns a server whose engine has no model."""
    chosen = settings(port=port)
    return EndpointServer(create_app(Engine(FakeOpener()), chosen), chosen)


def health(server: EndpointServer) -> int:
    return httpx.get(f"http://127.0.0.1:{server.port}/health", trust_env=False).status_code


def stop_timed(endpoint: Live) -> float:
    started = time.monotonic()
    endpoint.server.stop()
    return time.monotonic() - started


def test_busy_port_raises_port_busy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = empty_server(port)
        with pytest.raises(PortBusy) as caught:
            server.start()
        assert caught.value.port == port
    server.start()
    assert server.port == port
    server.stop()


def test_second_server_on_same_port_is_refused() -> None:
    first = empty_server()
    first.start()
    try:
        with pytest.raises(PortBusy):
            empty_server(first.port).start()
    finally:
        first.stop()


def test_address_of_another_machine_raises_cannot_listen() -> None:
    chosen = settings(host="192.0.2.1", allow_lan=True)
    with pytest.raises(CannotListen):
        EndpointServer(create_app(Engine(FakeOpener()), chosen), chosen).start()


def test_server_listens_on_ipv6() -> None:
    chosen = settings(host="::1")
    server = EndpointServer(create_app(Engine(FakeOpener()), chosen), chosen)
    try:
        server.start()
    except CannotListen:
        pytest.skip("this machine has no IPv6")
    assert server.url == f"http://[::1]:{server.port}/v1"
    assert httpx.get(f"http://[::1]:{server.port}/health", trust_env=False).status_code == 503
    server.stop()


def test_server_can_be_started_again_after_stop() -> None:
    server = empty_server()
    for _ in range(3):
        server.start()
        server.start()
        assert health(server) == 503
        server.stop()
        server.stop()
        assert not server.running
        with pytest.raises(httpx.ConnectError):
            health(server)


def test_server_does_not_change_signal_handlers() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    server = empty_server()
    server.start()
    during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    server.stop()
    assert before == during


async def switch_on_and_off(server: EndpointServer) -> list[str]:
    """Starts and stops the server. Returns the names of the threads that existed while it ran."""
    await server.start_async()
    assert health(server) == 503
    names = [thread.name for thread in threading.enumerate()]
    await server.stop_async()
    return names


def test_server_starts_and_stops_on_asyncio_loop() -> None:
    server = empty_server()
    names = asyncio.run(switch_on_and_off(server))
    assert not server.running
    assert not [name for name in names if name.startswith("asyncio_")]


def test_server_starts_and_stops_on_qt_loop(qapp: QApplication) -> None:
    server = empty_server()
    with qasync.QEventLoop(qapp) as loop:
        names = loop.run_until_complete(switch_on_and_off(server))
    assert "inglenook-endpoint" in names
    assert not server.running
    # The loop is now cyclic garbage that contains QObjects. Collecting it later on another thread would crash Qt.
    del loop
    gc.collect()


def test_start_async_on_busy_port_raises_port_busy() -> None:
    async def fail(port: int) -> None:
        with pytest.raises(PortBusy):
            await empty_server(port).start_async()

    server = empty_server()
    server.start()
    asyncio.run(fail(server.port))
    server.stop()


def test_endpoint_requests_do_not_change_answers_in_the_window() -> None:
    """As in the desktop app, the engine belongs to another event loop than the server, and exists longer than the
    server."""

    async def window(engine: Engine, server: EndpointServer) -> tuple[str, str, str]:
        await engine.load(Path("fake.gguf"))
        before, _ = await engine.submit(chat(max_tokens=50)).collect()
        await server.start_async()
        own = engine.submit(chat(max_tokens=50))
        async with httpx.AsyncClient(trust_env=False, headers={"x-api-key": KEY}) as client:
            answers = await asyncio.gather(
                *(client.post(f"{server.url}/chat/completions", json=ask(max_tokens=30)) for _ in range(5))
            )
        assert len({answer.json()["choices"][0]["message"]["content"] for answer in answers}) == 1
        during, _ = await own.collect()
        await server.stop_async()
        after, _ = await engine.submit(chat(max_tokens=50)).collect()
        await engine.aclose()
        return before, during, after

    engine, chosen = Engine(FakeOpener(Script(step_s=0.001))), settings()
    answers = asyncio.run(window(engine, EndpointServer(create_app(engine, chosen), chosen)))
    assert len(set(answers)) == 1


def test_answer_that_ends_within_the_stop_timeout_is_complete() -> None:
    with live(FakeOpener(Script(b"x" * 30, step_s=0.02))) as endpoint, endpoint.socket() as connection:
        connection.sendall(endpoint.raw_chat(ask(stream=True)))
        connection.recv(1000)
        took = stop_timed(endpoint)
        assert b"data: [DONE]" in read_all(connection)
    assert took < 2


def test_server_stop_ends_streams_with_error_within_the_stop_timeout() -> None:
    with live(FakeOpener(Script(step_s=0.01))) as endpoint, ExitStack() as clients:
        connections = [clients.enter_context(endpoint.socket()) for _ in range(4)]
        for connection in connections:
            connection.sendall(endpoint.raw_chat(ask(stream=True)))
            assert b"200 OK" in connection.recv(1000)
        took = stop_timed(endpoint)
        ends = [read_all(connection) for connection in connections]
    assert took < 8
    assert all(b'"code":"request_stopped"' in end and b"[DONE]" not in end for end in ends)
    assert endpoint.n_in_progress == 0


def test_server_stop_answers_unfinished_request_with_503() -> None:
    with live(FakeOpener(Script(step_s=0.01))) as endpoint, endpoint.socket() as connection:
        connection.sendall(endpoint.raw_chat(ask()))
        wait_until(lambda: endpoint.n_in_progress == 1)
        assert stop_timed(endpoint) < 8
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"x-should-retry: false" in answer


def test_incomplete_requests_do_not_delay_server_stop(capfd: pytest.CaptureFixture[str]) -> None:
    with live() as endpoint, ExitStack() as clients:
        for part in (b"", b"GET / HT", endpoint.chat_head(1000), endpoint.chat_head(1000) + b"{"):
            clients.enter_context(endpoint.socket()).sendall(part)
        time.sleep(0.1)
        assert stop_timed(endpoint) < 8
    assert capfd.readouterr().err == ""


def test_slow_decode_does_not_delay_server_stop(capfd: pytest.CaptureFixture[str]) -> None:
    """A decode step takes longer than the stop timeout. The request is aborted, and nothing is logged."""

    async def serve_and_stop() -> float:
        engine, chosen = Engine(FakeOpener(Script(step_s=3))), settings()
        await engine.load(Path("fake.gguf"))
        server = EndpointServer(create_app(engine, chosen), chosen)
        await server.start_async()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(Live(server, engine, FakeOpener(), None).raw_chat(ask()))
            await asyncio.sleep(0.2)
            started = time.monotonic()
            await server.stop_async(0.5)
            took = time.monotonic() - started
        await engine.aclose()
        return took

    assert asyncio.run(serve_and_stop()) < 2.5
    assert capfd.readouterr().err == ""


def test_normal_requests_are_not_logged(endpoint: Live, capfd: pytest.CaptureFixture[str]) -> None:
    endpoint.post(ask())
    endpoint.post(ask(n=2))
    endpoint.raw(b"nonsense\r\n\r\n")
    httpx.get(f"{endpoint.root}/v1/models?key={KEY}", trust_env=False)
    assert capfd.readouterr() == ("", "")


class BrokenEngine(Engine):
    """An engine whose property `status` raises an unexpected exception."""

    @property
    def status(self) -> Status:
        raise RuntimeError("/secret/place")


def test_unexpected_error_is_500_and_logged_without_message(caplog: pytest.LogCaptureFixture) -> None:
    chosen = settings()
    server = EndpointServer(create_app(BrokenEngine(FakeOpener()), chosen), chosen)
    server.start()
    answer = httpx.get(f"{server.url}/models", headers={"x-api-key": KEY}, trust_env=False)
    server.stop()
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "secret" not in answer.text
    assert "  builtins.RuntimeError\n" in caplog.text
    assert "    tests.api.test_server:" in caplog.text
    assert "secret" not in caplog.text
    assert KEY not in caplog.text


def test_listening_socket_makes_asyncio_set_tcp_nodelay() -> None:
    """asyncio sets TCP_NODELAY on a connection if its listening socket was created with IPPROTO_TCP."""
    with _bind("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.proto == socket.IPPROTO_TCP
