"""Tests of the statement in SECURITY.md that the app sends no network request unless the user starts it."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.test_headless import served, wait_ready
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, free_port, type_and_send

ROOT = Path(__file__).resolve().parents[3]
EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")

WATCH = f"""
import os, sys
def heard(event, arguments):
    if event in {EVENTS!r}:
        with open(os.environ["INGLENOOK_HEARD"], "a") as file:
            file.write(f"{{event}} {{arguments[-1 if event in ('socket.connect', 'socket.sendto') else 0]}}\\n")
sys.addaudithook(heard)
"""
"""Source of a `sitecustomize` module, which Python imports when it starts. It writes each network request to a file."""

SENDERS = {
    "desktop/updates/releases.py": "checks for a newer version, once the user allowed it",
    "engine/library/hub.py": "searches the hub, when the user requests it",
    "engine/library/http_client.py": "creates the HTTP clients and reads the proxy settings of the system",
    "engine/library/http_transfer.py": "downloads from the hub, when the user requests it",
    "engine/remote/client.py": "talks to the servers of the connections that the user added",
    "engine/remote/server_errors.py": "names the errors of the HTTP library",
}
LOCAL_ONLY = {
    "api/server.py": "the server of the endpoint listens",
    "desktop/platform/instance_server.py": "a local socket between two starts of the app",
    "desktop/platform/signal_handlers.py": "a pair of connected sockets for signals",
}
NETWORK_MODULES = {
    "PySide6.QtNetwork", "aiohttp", "ftplib", "http.client", "httpx", "httpx2", "huggingface_hub", "imaplib",
    "requests", "smtplib", "socket", "telnetlib", "urllib.request", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_only_listed_modules_import_network_libraries() -> None:
    found = {}
    for package in ("engine", "api", "desktop"):
        for path in (ROOT / package).rglob("*.py"):
            # `url2pathname` only converts a URL to a path.
            names = imported(path) - {"urllib.request.url2pathname"}
            used = {each for each in NETWORK_MODULES for name in names if name == each or name.startswith(f"{each}.")}
            if used - ({"urllib.request"} if path.name == "local_pictures.py" else set()):
                found[path.relative_to(ROOT).as_posix()] = used
    assert set(found) == {*SENDERS, *LOCAL_ONLY}, found


class NetworkRecorder:
    """Records the network requests of this process while `open` is True. Python cannot remove its audit hook."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.open = False
        sys.addaudithook(self._record)

    def _record(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.open and event in EVENTS:
            whom = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
            self.heard.append(f"{event} {whom}")


@pytest.fixture
def recorder() -> Iterator[NetworkRecorder]:
    recorder = NetworkRecorder()
    recorder.open = True
    yield recorder
    recorder.open = False


def not_local(lines: list[str]) -> list[str]:
    return [line for line in lines if "127.0.0.1" not in line]


def test_window_sends_no_network_request(
    run: Run, open_gui: OpenGui, model_path: Path, recorder: NetworkRecorder
) -> None:
    """The test opens the window, sends a message, turns the endpoint on and shows pages, but does not search for
    models."""

    async def story() -> None:
        async with open_gui(real=model_path) as gui:
            gui.endpoint_page.port_requested.emit(free_port())
            await until(lambda: gui.ready and gui.endpoint_page._state.stage == "on", 60)
            type_and_send(gui, "Name a colour")
            await until(lambda: len(gui.rows[-1].text) > 8, 60)
            gui.window.chat_page.composer._send.click()
            await answered(gui)
            for page_id in ("settings", "endpoint", "models"):
                gui.window.show_page(page_id)
            await until(lambda: gui.window.view("models").isVisible())

    run(story())
    assert not_local(recorder.heard) == []


@pytest.mark.skipif(sys.platform == "win32", reason="ended by a signal")
def test_endpoint_sends_no_network_request_of_its_own(tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    heard = tmp_path / "heard"
    # First check that the audit hook works: it records a request that the test sends itself.
    told = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "INGLENOOK_HEARD": str(heard)}
    script = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], env=os.environ | told)
    assert "192.0.2.1" in heard.read_text()
    heard.write_text("")

    with served("--profile", tmp_path / "profile", "--model", model_path, INGLENOOK_API_KEY="k", **told) as (one, url):
        wait_ready(url)
        question = {"messages": [{"role": "user", "content": "Name a colour"}], "max_tokens": 8}
        for address, body in (
            (f"{url}/chat/completions", question), (f"{url}/messages", question), (f"{url}/embeddings", {"input": "a"}),
        ):  # fmt: skip
            answer = httpx.post(address, json=body, headers={"Authorization": "Bearer k"}, timeout=60)
            assert answer.status_code == 200, answer.text
        one.send_signal(signal.SIGTERM)
        assert one.wait(30) == 0
    assert not_local(heard.read_text().splitlines()) == []
