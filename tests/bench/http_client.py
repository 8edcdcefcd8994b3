"""A client in a process of its own: `python http_client.py`, with what to ask on stdin. Standard library alone, and no
more work for each piece than any client has.

Takes {"port", "key", "bodies", "at_once"}; gives a list of [first_s, last_s, end_s, n_tokens], one for each body, in
seconds since it was asked for: the first and the last text, and the end of the answer. One connection for each body, or
one for all where they come one after another.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from typing import Any

Seen = tuple[float, float, float, int]


def ask(connection: http.client.HTTPConnection, key: str, body: dict[str, Any]) -> Seen:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    content = json.dumps(body)
    asked = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", content, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    first, last, n_chunks, n_tokens = 0.0, 0.0, 0, None
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if event["choices"] and event["choices"][0]["delta"].get("content"):
            last = time.perf_counter() - asked
            first = first or last
            n_chunks += 1
        if event.get("usage"):
            n_tokens = event["usage"]["completion_tokens"]
    # A server that counts nothing sends a chunk for each token.
    return first, last, time.perf_counter() - asked, n_chunks if n_tokens is None else n_tokens


def main() -> None:
    told = json.load(sys.stdin)
    bodies = told["bodies"]
    seen: list[Seen | None] = [None] * len(bodies)

    def connect() -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", told["port"])
        connection.connect()
        return connection

    def run(connection: http.client.HTTPConnection, at: int) -> None:
        seen[at] = ask(connection, told["key"], bodies[at])

    if told["at_once"]:
        threads = [threading.Thread(target=run, args=(connect(), at)) for at in range(len(bodies))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        connection = connect()
        for at in range(len(bodies)):
            run(connection, at)
    assert None not in seen, seen
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
