"""A streaming client in a process of its own: `python http_client.py`. It uses only the standard library.

It reads {"port", "key", "bodies", "at_once", "reuse", "stop_at_eof"} as one line of JSON from stdin, and sends a chat
request for each body. With `at_once` the requests are concurrent, each on its own connection. Otherwise they are sent
one after another, with `reuse` on one connection. With `stop_at_eof` the client stops at the end of stdin.

It prints a list with [sent_s, arrivals_s, end_s, n_prompt, n_tokens] for each request. `arrivals_s` are the times of
the answer's texts. All times are those of `time.perf_counter`.

While answers arrive, the client only stores bytes with their times. It parses them after the last answer, so that it
takes little CPU time from the servers that are measured."""

from __future__ import annotations

import bisect
import itertools
import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

END = b"\r\n0\r\n\r\n"
Timing = tuple[float, list[float], float, int, int]


class Answer:
    """One request and the bytes of its answer."""

    def __init__(self, connection: socket.socket, key: str, body: dict[str, Any]) -> None:
        self._connection = connection
        content = json.dumps(body).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._request = head.encode() + content
        self._moments: list[float] = []
        self._parts: list[bytes] = []
        self._sent_s = 0.0

    def send(self) -> None:
        self._sent_s = time.perf_counter()
        self._connection.sendall(self._request)

    def receive(self) -> bool:
        """Stores what has arrived. Returns whether the answer goes on."""
        data = self._connection.recv(1 << 20)
        self._moments.append(time.perf_counter())
        self._parts.append(data)
        if not data or not self._parts[0].startswith(b"HTTP/1.1 200"):
            raise ConnectionError(b"".join(self._parts)[:2000])
        return not (data.endswith(END) or (len(data) < len(END) and b"".join(self._parts[-8:]).endswith(END)))

    def timing(self) -> Timing:
        arrivals, n_prompt, n_tokens = [], 0, None
        for moment, line in self._lines():
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if event.get("choices") and event["choices"][0]["delta"].get("content"):
                arrivals.append(moment)
            if event.get("usage"):
                n_prompt, n_tokens = event["usage"]["prompt_tokens"], event["usage"]["completion_tokens"]
        # If the server reports no token count, the number of texts is used: one text per token.
        return self._sent_s, arrivals, self._moments[-1], n_prompt, len(arrivals) if n_tokens is None else n_tokens

    def _lines(self) -> Iterator[tuple[float, bytes]]:
        """The lines of the body, each with the time at which its last byte arrived."""
        raw, ends = b"".join(self._parts), list(itertools.accumulate(len(part) for part in self._parts))
        at, rest = raw.index(b"\r\n\r\n") + 4, b""
        while (end := raw.find(b"\r\n", at)) >= 0 and (size := int(raw[at:end], 16)):
            at = end + 2 + size
            *lines, rest = (rest + raw[end + 2 : at]).split(b"\n")
            moment = self._moments[min(bisect.bisect_left(ends, at), len(ends) - 1)]
            yield from ((moment, line) for line in lines)
            at += 2


def run(answers: list[Answer], connections: list[socket.socket], *, stop_at_eof: bool) -> None:
    """Sends the requests, and receives their answers until all are complete."""
    with selectors.DefaultSelector() as selector:
        for connection, answer in zip(connections, answers, strict=True):
            selector.register(connection, selectors.EVENT_READ, answer)
        if stop_at_eof:
            selector.register(sys.stdin, selectors.EVENT_READ)
        for answer in answers:
            answer.send()
        n_left = len(answers)
        while n_left:
            for key, _ in selector.select():
                if key.data is None:
                    return
                if not key.data.receive():
                    selector.unregister(key.fileobj)
                    n_left -= 1


def main() -> None:
    task = json.loads(sys.stdin.readline())
    port, key, bodies, stop = task["port"], task["key"], task["bodies"], task["stop_at_eof"]
    if task["at_once"]:
        connections = [_connect(port) for _ in bodies]
        answers = [Answer(connection, key, body) for connection, body in zip(connections, bodies, strict=True)]
        run(answers, connections, stop_at_eof=stop)
    else:
        answers, connection = [], _connect(port)
        for body in bodies:
            answers.append(Answer(connection, key, body))
            run(answers[-1:], [connection], stop_at_eof=stop)
            if not task["reuse"]:
                connection = _connect(port)
    json.dump([answer.timing() for answer in answers], sys.stdout)


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


if __name__ == "__main__":
    main()
