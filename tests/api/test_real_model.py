"""With the real model: requests to the endpoint do not change answers in the window."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx

from api.app import create_app
from api.request_context import activity_of
from api.server import EndpointServer
from engine.engine import Engine, LoadSettings
from tests.api.live_endpoint import KEY, ask, settings
from tests.conftest import chat


async def tool(url: str, leaves_after_s: float | None, max_tokens: int) -> str | None:
    """Sends a request as a client. Returns the answer, or None if the client disconnected before the answer was
    complete."""
    async with httpx.AsyncClient(trust_env=False, headers={"x-api-key": KEY}, timeout=60) as client:
        body = client.post(f"{url}/chat/completions", json=ask(temperature=0, max_tokens=max_tokens))
        try:
            async with asyncio.timeout(leaves_after_s):
                answer = await body
        except TimeoutError:
            return None
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def test_window_answer_is_unchanged_by_endpoint_requests(model_path: Path) -> None:
    """Compares the window's answers before and after the requests, not during them: a model's results are rounded
    differently if other sequences share its steps."""
    chance = random.Random(1)
    engine, chosen = Engine(), settings()
    app = create_app(engine, chosen)
    server = EndpointServer(app, chosen)

    async def window() -> str:
        request = chat("Write about the sea.", max_tokens=24)
        return (await engine.submit(request).collect())[0]

    async def scene() -> None:
        await engine.load(model_path, LoadSettings(n_ctx=2048))
        await server.start_async()
        try:
            alone = await window()
            expected = await tool(server.url, None, 16)
            leaving = [tool(server.url, 0.05 + chance.random() * 0.5, 400) for _ in range(6)]
            beside, staying, *left = await asyncio.gather(window(), tool(server.url, None, 16), *leaving)
            assert left.count(None) == len(left)
            after = await tool(server.url, None, 16)
            assert alone
            assert alone == await window()
            # These answers are not compared with each other. Different KV cells change the rounding, and this small
            # model may then sample another token.
            assert expected
            assert after
            assert beside
            assert staying
            assert len(activity_of(app)) == 0
        finally:
            await server.stop_async()
            await engine.aclose()

    asyncio.run(scene())
