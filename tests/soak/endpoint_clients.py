"""Clients of the endpoint, in a process of their own: `python -m tests.soak.endpoint_clients PORT KEY SEED`.

They send random requests until stdin contains a line. Then they print the number of requests for each outcome as JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

import httpx

N_AT_ONCE = 5
LONG = "This is a long report that somebody wants to be read. " * 120
JSON = {"Content-Type": "application/json"}
BUSY = (429, 503)
"""Status codes that are expected while the model is changed or the queue is full."""


async def main(port: int, key: str, seed: int) -> None:
    rng, outcomes = random.Random(seed), dict[str, int]()
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=120
    ) as client:

        async def client_loop() -> None:
            while not ended.done():
                outcome = await _send(client, rng)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                await asyncio.sleep(rng.uniform(0, 2))

        await asyncio.gather(*(client_loop() for _ in range(N_AT_ONCE)))
    sys.stdout.write(json.dumps(outcomes) + "\n")


async def _send(client: httpx.AsyncClient, rng: random.Random) -> str:
    kind = rng.choice(("stream", "disconnect", "long", "broken", "models", "ollama", "anthropic"))
    messages = [{"role": "user", "content": LONG if kind == "long" else f"Say {rng.randrange(99)} in words."}]
    body = {"messages": messages, "max_tokens": rng.randrange(1, 60), "model": "any"}
    try:
        match kind:
            case "models":
                status = (await client.get("/v1/models")).status_code
            case "broken":
                status = (
                    await client.post("/v1/chat/completions", content=b'{"messages": [', headers=JSON)
                ).status_code
            case "ollama":
                status = (await client.post("/api/chat", json={**body, **_ollama(body)})).status_code
            case "anthropic":
                status = (await client.post("/v1/messages", json=body)).status_code
            case "long":
                status = (await client.post("/v1/chat/completions", json=body)).status_code
            case _:
                status = await _stream(client, body, rng.randrange(1, 9) if kind == "disconnect" else 0)
    except httpx.HTTPError as error:
        return f"{kind}: {type(error).__name__}"
    return f"{kind}: {'busy' if status in BUSY else status}"


def _ollama(body: dict[str, object]) -> dict[str, object]:
    return {"stream": False, "options": {"num_predict": body["max_tokens"]}}


async def _stream(client: httpx.AsyncClient, body: dict[str, object], n_lines: int) -> int:
    """Sends a streamed request and returns the status code. Reads the whole answer; if `n_lines` is not 0, disconnects
    after that many lines."""
    async with client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as response:
        async for _ in response.aiter_lines():
            n_lines -= 1
            if n_lines == 0:
                break
        return response.status_code


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
