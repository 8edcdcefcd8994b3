"""A client that disconnects at any moment frees its slot at once."""

from __future__ import annotations

import random
import socket
import struct
import time

import pytest

from tests.api.live_endpoint import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script


def is_free(endpoint: Live) -> bool:
    return endpoint.n_in_progress == 0 and endpoint.opener.backends[0].n_open_samplers == 0


def disconnect(endpoint: Live, request: bytes, after_s: float, reset: bool) -> None:
    """Sends a request and disconnects, with FIN or RST."""
    with endpoint.socket() as connection:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(request)
        time.sleep(after_s)


def test_fifty_random_disconnects_free_all_slots(capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(4645)
    with live(FakeOpener(Script(step_s=0.002))) as endpoint:
        expected = endpoint.post(ask(max_tokens=40)).json()["choices"][0]["message"]["content"]
        for _ in range(50):
            request = endpoint.raw_chat(ask("x" * chance.randrange(500), stream=chance.random() < 0.5))
            end = chance.choice([len(request), len(request), chance.randrange(len(request))])
            disconnect(endpoint, request[:end], chance.random() * 0.05, chance.random() < 0.5)
        wait_until(lambda: is_free(endpoint), timeout_s=8)
        with endpoint.http() as client:
            assert client.get("/health").status_code == 200
        answer = endpoint.post(ask(max_tokens=40)).json()
        assert answer["choices"][0]["message"]["content"] == expected
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("stream", [False, True])
def test_disconnect_cancels_request(stream: bool) -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint:
        disconnect(endpoint, endpoint.raw_chat(ask(stream=stream)), 0.1, reset=False)
        wait_until(lambda: is_free(endpoint), timeout_s=8)
        assert endpoint.opener.backends[0].n_decodes < 1500  # the complete answer would take 4,000 decodes


@pytest.mark.parametrize("stream", [False, True])
def test_disconnect_during_prompt_processing_cancels_request(stream: bool) -> None:
    with live(FakeOpener(Script(step_s=0.05))) as endpoint:
        disconnect(endpoint, endpoint.raw_chat(ask("x" * 3500, stream=stream)), 0.2, reset=False)
        wait_until(lambda: is_free(endpoint))
        assert endpoint.opener.backends[0].n_decodes < 45  # the complete prompt would take 55 decodes


def test_closed_openai_stream_cancels_request() -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint, endpoint.openai() as client:
        stream = client.chat.completions.create(model="x", messages=[{"role": "user", "content": "a"}], stream=True)
        for _, _chunk in zip(range(3), stream, strict=False):
            pass
        stream.close()
        wait_until(lambda: is_free(endpoint), timeout_s=8)
