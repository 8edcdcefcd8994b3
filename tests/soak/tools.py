"""Programs that use the endpoint, in a process of their own: `python -m tests.soak.tools PORT KEY SEED`, until a line
comes on stdin; then they say as JSON what they were answered."""

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
"""Answers that a tool may get while a model is exchanged or the queue is full."""


async def main(port: int, key: str, seed: int) -> None:
    chance, seen = random.Random(seed), dict[str, int]()
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=120
    ) as client:

        async def tool() -> None:
            while not ended.done():
                outcome = await _ask(client, chance)
                seen[outcome] = seen.get(outcome, 0) + 1
                await asyncio.sleep(chance.uniform(0, 2))

        await asyncio.gather(*(tool() for _ in range(N_AT_ONCE)))
    sys.stdout.write(json.dumps(seen) + "\n")


async def _ask(client: httpx.AsyncClient, chance: random.Random) -> str:
    kind = chance.choice(("stream", "vanish", "long", "broken", "models", "ollama", "anthropic"))
    messages = [{"role": "user", "content": LONG if kind == "long" else f"Say {chance.randrange(99)} in words."}]
    body = {"messages": messages, "max_tokens": chance.randrange(1, 60), "model": "any"}
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
                status = await _stream(client, body, chance.randrange(1, 9) if kind == "vanish" else 0)
    except httpx.HTTPError as error:
        return f"{kind}: {type(error).__name__}"
    return f"{kind}: {'busy' if status in BUSY else status}"


def _ollama(body: dict[str, object]) -> dict[str, object]:
    return {"stream": False, "options": {"num_predict": body["max_tokens"]}}


async def _stream(client: httpx.AsyncClient, body: dict[str, object], n_lines: int) -> int:
    """Reads to the end, or leaves after so many lines."""
    async with client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as response:
        async for _ in response.aiter_lines():
            n_lines -= 1
            if n_lines == 0:
                break
        return response.status_code


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
