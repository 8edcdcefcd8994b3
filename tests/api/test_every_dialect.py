"""The routes of every dialect refuse malformed bodies, and free the slot of a client that disconnects."""

from __future__ import annotations

import json
import socket
import struct
import time

import pytest

from api.openapi import BODIES, LIST_BODIES
from tests.api.hostile_bodies import HOSTILE
from tests.api.live_endpoint import KEY, Live, live, wait_until
from tests.fakes import FakeOpener, Script

USER = {"messages": [{"role": "user", "content": "Hi"}]}
ANSWER_BODIES: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {**USER, "max_tokens": 3000},
    "/v1/completions": {"prompt": "a", "max_tokens": 3000},
    "/v1/responses": {"input": "a", "max_output_tokens": 3000},
    "/v1/messages": {**USER, "max_tokens": 3000},
    "/api/chat": {**USER, "options": {"num_predict": 3000}},
    "/api/generate": {"prompt": "a", "options": {"num_predict": 3000}},
    "/completion": {"prompt": "a", "n_predict": 3000},
    "/infill": {"input_prefix": "a", "input_suffix": "b", "n_predict": 3000},
}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(path, body, id=f"{path}-{name}")
        for path in BODIES
        for name, body in HOSTILE.items()
        if path not in LIST_BODIES or name != "a list"
    ],
)
def test_hostile_body_is_400_in_dialect_format(endpoint: Live, path: str, body: bytes) -> None:
    with endpoint.http() as client:
        refused = client.post(path, content=body, headers={"content-type": "application/json"})
        assert refused.status_code == 400, refused.text
        error = refused.json()["error"]
        assert isinstance(error, str) == path.startswith("/api/")
        assert "Traceback" not in refused.text
    whole = endpoint.post({**USER, "max_tokens": 50}).json()
    assert whole["choices"][0]["message"]["content"] == "Hello there."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ANSWER_BODIES)
def test_client_disconnect_frees_slot_in_every_dialect(path: str, stream: bool) -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint:
        # The client disconnects with FIN during the answer. The second time, it disconnects with RST right after the
        # request.
        for reset in (False, True):
            content = json.dumps({**ANSWER_BODIES[path], "stream": stream}).encode()
            head = (
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.server.port}\r\nx-api-key: {KEY}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            ).encode()
            with endpoint.socket() as connection:
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(head + content)
                if reset:
                    time.sleep(0.01)
                else:
                    wait_until(lambda: endpoint.opener.backends[0].n_decodes > 9)
            wait_until(lambda: endpoint.n_in_progress == 0, timeout_s=5)
            wait_until(lambda: endpoint.opener.backends[0].n_open_samplers == 0, timeout_s=5)
        assert 0 < endpoint.opener.backends[0].n_decodes < 300
