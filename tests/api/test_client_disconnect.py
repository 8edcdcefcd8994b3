"""Clients that leave, at any moment, free the engine at once (S20)."""

from __future__ import annotations

import random
import socket
import struct
import time

import pytest

from tests.api.live_endpoint import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script


def is_free(endpoint: Live) -> bool:
    return endpoint.n_under_way == 0 and endpoint.opener.backends[0].n_open_samplers == 0


def vanish(endpoint: Live, request: bytes, after_s: float, reset: bool) -> None:
    """Sends a request and leaves: by a FIN, or without a word of it (RST)."""
    with endpoint.socket() as connection:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(request)
        time.sleep(after_s)


def test_fifty_random_vanishings(capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(4645)
    with live(FakeOpener(Script(step_s=0.002))) as endpoint:
        expected = endpoint.post(ask(max_tokens=40)).json()["choices"][0]["message"]["content"]
        for _ in range(50):
            request = endpoint.raw_chat(ask("x" * chance.randrange(500), stream=chance.random() < 0.5))
            end = chance.choice([len(request), len(request), chance.randrange(len(request))])
            vanish(endpoint, request[:end], chance.random() * 0.05, chance.random() < 0.5)
        wait_until(lambda: is_free(endpoint), timeout_s=2)
        with endpoint.http() as client:
            assert client.get("/health").status_code == 200
        answer = endpoint.post(ask(max_tokens=40)).json()
        assert answer["choices"][0]["message"]["content"] == expected
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_its_request(stream: bool) -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint:
        vanish(endpoint, endpoint.raw_chat(ask(stream=stream)), 0.1, reset=False)
        wait_until(lambda: is_free(endpoint), timeout_s=1)
        assert endpoint.opener.backends[0].n_decodes < 200  # of the 4,000 that its answer would have taken


@pytest.mark.parametrize("stream", [False, True])
def test_also_while_its_prompt_is_read(stream: bool) -> None:
    with live(FakeOpener(Script(step_s=0.05))) as endpoint:
        vanish(endpoint, endpoint.raw_chat(ask("x" * 3500, stream=stream)), 0.2, reset=False)
        wait_until(lambda: is_free(endpoint), timeout_s=1)
        assert endpoint.opener.backends[0].n_decodes < 30  # of the 55 that its prompt would have taken


def test_an_openai_client_that_closes_its_stream() -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint, endpoint.openai() as client:
        stream = client.chat.completions.create(model="x", messages=[{"role": "user", "content": "a"}], stream=True)
        for _, _chunk in zip(range(3), stream, strict=False):
            pass
        stream.close()
        wait_until(lambda: is_free(endpoint), timeout_s=1)
