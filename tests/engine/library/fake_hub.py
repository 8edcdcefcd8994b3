"""A local model hub that can simulate faults.

It implements the parts of the API that huggingface_hub uses (`/api/models` and the tree of a repository), and
`/resolve/`, which redirects to the file's data as the real hub does. Each request of file data takes the next fault
from `faults`.
"""

from __future__ import annotations

import hashlib
import json
import re
import select
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

Fault = Literal[
    "", "cut", "stall", "corrupt", "503", "429", "404", "403", "416", "no_range", "wrong_range", "loop", "more"
]
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeRepo:
    files: dict[str, bytes]
    n_downloads: int = 10
    licence: str = "apache-2.0"
    gated: bool = False
    gguf: dict[str, Any] | None = None


@dataclass
class FakeHub:
    """The fake hub. Call `start` before its use, and `stop` after it."""

    repos: dict[str, FakeRepo] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    """Faults for requests of file data, in order. Further requests succeed."""
    cut_after: int = 1000
    """The number of bytes that a response sends before it is cut or stalls."""
    bytes_per_s: float = 0.0
    """The speed of each response; 0 for unlimited."""
    down: bool = False
    """Whether the hub answers every request with 503."""
    requests: list[str] = field(default_factory=list)
    """The paths of all requests, in order. Requests of file data include their range."""
    authorizations: set[str] = field(default_factory=set)
    """The Authorization headers of all requests."""

    def start(self) -> FakeHub:
        hub = self

        class Handler(_Handler):
            fake = hub

        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # `stop` waits for running requests
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fake-hub", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops the hub. Does nothing if it is already stopped."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def wait(self, seconds: float) -> bool:
        """Waits for `seconds`. Returns whether the hub was stopped meanwhile."""
        return self._stopped.wait(seconds)

    def take_fault(self) -> Fault:
        return self.faults.pop(0) if self.faults else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeHub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path, query = unquote(urlsplit(self.path).path), parse_qs(urlsplit(self.path).query)
        ranged = self.headers.get("Range", "")
        self.close_connection = True  # otherwise a thread would wait for further requests on this connection
        if authorization := self.headers.get("Authorization"):
            self.fake.authorizations.add(authorization)
        self.fake.requests.append(f"{path} {ranged}".strip())
        if self.fake.down:
            self._send_json(503, {})
        elif path == "/api/models":
            self._search(query.get("search", [""])[0])
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/(.+)", path):
            self._tree(found[1])
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/.+)?", path):
            self._info(found[1])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._redirect(found[1], found[2])
        elif found := re.fullmatch(r"/bytes/([^/]+/[^/]+)/(.+)", path):
            self._bytes(found[1], found[2])
        else:
            self._send_json(404, {})

    def _search(self, text: str) -> None:
        words = text.lower().split()
        found = [
            self._described(name, repo)
            for name, repo in self.fake.repos.items()
            if all(word in name.lower() for word in words)
        ]
        self._send_json(200, sorted(found, key=lambda each: -each["downloads"]))

    def _described(self, name: str, repo: FakeRepo) -> dict[str, Any]:
        return {
            "_id": name,
            "id": name,
            "modelId": name,
            "sha": REVISION,
            "downloads": repo.n_downloads,
            "gated": "manual" if repo.gated else False,
            "tags": ["gguf", f"license:{repo.licence}"],
            "gguf": repo.gguf,
        }

    def _info(self, name: str) -> None:
        repo = self.fake.repos.get(name)
        if repo is None:
            self._send_json(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        elif repo.gated:
            self._send_json(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        else:
            self._send_json(200, self._described(name, repo))

    def _tree(self, name: str) -> None:
        repo = self.fake.repos[name]
        self._send_json(200, [_entry(path, data) for path, data in repo.files.items()])

    def _redirect(self, name: str, path: str) -> None:
        data = self.fake.repos[name].files[path]
        here = {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        target = self.path if self.fake.faults[:1] == ["loop"] else f"/bytes/{name}/{path}"
        self._send_json(302, {}, {"Location": target, "X-Repo-Commit": REVISION, **here})

    def _bytes(self, name: str, path: str) -> None:
        data = self.fake.repos[name].files[path]
        fault = self.fake.take_fault()
        if fault in ("503", "429", "404", "403", "416"):
            self._send_json(int(fault), {})
            return
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found[1]) if found and fault != "no_range" else 0
        body = data[start:]
        if fault == "corrupt" and body:
            body = body[:-1] + bytes([body[-1] ^ 0xFF])
        if fault == "more":
            body += b"x" * 5000
        self.send_response(206 if found and fault != "no_range" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        if found and fault != "no_range":
            shown = start + 7 if fault == "wrong_range" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self._pour(body, fault)

    def _pour(self, body: bytes, fault: Fault) -> None:
        n_bytes = min(len(body), self.fake.cut_after) if fault in ("cut", "stall") else len(body)
        step = max(1, int(self.fake.bytes_per_s / 50)) if self.fake.bytes_per_s else 1 << 20
        try:
            for at in range(0, n_bytes, step):
                self.wfile.write(body[at : min(at + step, n_bytes)])
                self.wfile.flush()
                if self.fake.bytes_per_s:
                    time.sleep(0.02)
            if fault == "stall":
                self._stall()
        except OSError:
            pass  # the client has disconnected

    def _stall(self) -> None:
        """Waits until the client disconnects or the hub is stopped."""
        while not self.fake.wait(0.02):
            if select.select([self.connection], [], [], 0)[0]:
                return

    def _send_json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _entry(path: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": "0" * 40}
    if path.endswith(".gguf"):
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return entry
