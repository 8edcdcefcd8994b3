"""A minimal streaming client in a process of its own: `python http_client.py`. It uses only the standard library.

It reads {"port", "key", "bodies", "at_once"} as JSON from stdin, and sends a request for each body. With `at_once` the
requests are concurrent, each on its own connection. Otherwise they are sent one after another on one connection.

It prints a list with [first_s, last_s, end_s, n_tokens] for each request. The times are those of the first text, the
last text and the end of the answer, in seconds since the request was sent."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from typing import Any

Timing = tuple[float, float, float, int]


def send(connection: http.client.HTTPConnection, key: str, body: dict[str, Any]) -> Timing:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    content = json.dumps(body)
    sent_s = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", content, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    first, last, n_chunks, n_tokens = 0.0, 0.0, 0, None
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if event["choices"] and event["choices"][0]["delta"].get("content"):
            last = time.perf_counter() - sent_s
            first = first or last
            n_chunks += 1
        if event.get("usage"):
            n_tokens = event["usage"]["completion_tokens"]
    # If the server reports no token count, the number of chunks is used: one chunk per token.
    return first, last, time.perf_counter() - sent_s, n_chunks if n_tokens is None else n_tokens


def main() -> None:
    task = json.load(sys.stdin)
    bodies = task["bodies"]
    timings: list[Timing | None] = [None] * len(bodies)

    def connect() -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", task["port"])
        connection.connect()
        return connection

    def run(connection: http.client.HTTPConnection, at: int) -> None:
        timings[at] = send(connection, task["key"], bodies[at])

    if task["at_once"]:
        threads = [threading.Thread(target=run, args=(connect(), at)) for at in range(len(bodies))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        connection = connect()
        for at in range(len(bodies)):
            run(connection, at)
    assert None not in timings, timings
    json.dump(timings, sys.stdout)


if __name__ == "__main__":
    main()
