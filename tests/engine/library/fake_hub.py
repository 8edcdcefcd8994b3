"""A hub on this machine: what the real one answers about models, and everything that can go wrong on the way.

Speaks the parts of the API that huggingface_hub asks for (`/api/models`, its tree) and `/resolve/`, which redirects to
where the bytes lie, as the real one does. Faults are lists: each request takes the next one."""

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
    """`start`, then `stop`."""

    repos: dict[str, FakeRepo] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    """Of the requests for bytes, in their order; then none."""
    cut_after: int = 1000
    """Bytes that still come in an answer that is cut or stalls."""
    bytes_per_s: float = 0.0
    """0: as fast as it goes."""
    down: bool = False
    """Answers everything with 503."""
    asked: list[str] = field(default_factory=list)
    """Paths, in their order; those for bytes with their range."""
    tokens: set[str] = field(default_factory=set)
    """What was sent to say who asks."""

    def start(self) -> FakeHub:
        hub = self

        class Handler(_Handler):
            fake = hub

        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # `stop` waits for those who answer
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fake-hub", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Idempotent."""
        if self._over.is_set():
            return
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def wait(self, seconds: float) -> bool:
        """Whether it was stopped meanwhile."""
        return self._over.wait(seconds)

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
        path, asked = unquote(urlsplit(self.path).path), parse_qs(urlsplit(self.path).query)
        ranged = self.headers.get("Range", "")
        self.close_connection = True  # so that no thread of ours waits for a client that keeps its connection
        if who := self.headers.get("Authorization"):
            self.fake.tokens.add(who)
        self.fake.asked.append(f"{path} {ranged}".strip())
        if self.fake.down:
            self._say(503, {})
        elif path == "/api/models":
            self._search(asked.get("search", [""])[0])
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/(.+)", path):
            self._tree(found[1])
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/.+)?", path):
            self._info(found[1])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._redirect(found[1], found[2])
        elif found := re.fullmatch(r"/bytes/([^/]+/[^/]+)/(.+)", path):
            self._bytes(found[1], found[2])
        else:
            self._say(404, {})

    def _search(self, text: str) -> None:
        words = text.lower().split()
        found = [
            self._described(name, repo)
            for name, repo in self.fake.repos.items()
            if all(word in name.lower() for word in words)
        ]
        self._say(200, sorted(found, key=lambda each: -each["downloads"]))

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
            self._say(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        elif repo.gated:
            self._say(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        else:
            self._say(200, self._described(name, repo))

    def _tree(self, name: str) -> None:
        repo = self.fake.repos[name]
        self._say(200, [_entry(path, data) for path, data in repo.files.items()])

    def _redirect(self, name: str, path: str) -> None:
        data = self.fake.repos[name].files[path]
        here = {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        target = self.path if self.fake.faults[:1] == ["loop"] else f"/bytes/{name}/{path}"
        self._say(302, {}, {"Location": target, "X-Repo-Commit": REVISION, **here})

    def _bytes(self, name: str, path: str) -> None:
        data = self.fake.repos[name].files[path]
        fault = self.fake.take_fault()
        if fault in ("503", "429", "404", "403", "416"):
            self._say(int(fault), {})
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
                self._stand_still()
        except OSError:
            pass  # who asked has left

    def _stand_still(self) -> None:
        """Until who asked has had enough, or the test has."""
        while not self.fake.wait(0.02):
            if select.select([self.connection], [], [], 0)[0]:
                return

    def _say(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
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
