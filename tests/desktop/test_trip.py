"""The window with the real model: typed, answered, stopped, closed, opened again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.desktop.conftest import OpenHouse, Run, until
from tests.desktop.test_window import answered, click_chat, free_port, titles, type_and_send


def test_the_real_model_answers_and_the_chat_is_there_again(run: Run, open_house: OpenHouse, model_path: Path) -> None:
    async def story() -> None:
        async with open_house(real=model_path) as house:
            type_and_send(house, "Name three colours")
            await until(lambda: house.ready, 60)
            await until(lambda: len(house.rows[-1].text) > 8, 60)
            assert house.rows[-1].model_id == model_path.stem
            house.window.composer._send.click()
            await answered(house)
            text = house.rows[-1].text
            assert house.rows[-1].state in ("stopped", "complete")
            type_and_send(house, "Tell me a very long story of the sea")
            await until(lambda: len(house.rows[-1].text) > 20, 60)
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await answered(house)
            assert house.rows[-1].n_output > 0
        async with open_house(real=model_path) as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "Name three colours")
            await until(lambda: len(house.rows) == 4)
            assert house.rows[1].text == text

    run(story())


def test_a_tool_is_answered_while_the_window_answers(run: Run, open_house: OpenHouse, model_path: Path) -> None:
    """One model, both doors: the official client, streamed and whole, beside an answer that goes on being written."""

    def ask(port: int, key: str) -> tuple[str, str]:
        with OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0) as client:
            question: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Name a colour"}]
            whole = client.chat.completions.create(model="any", messages=question, max_tokens=12)
            chunks = client.chat.completions.create(model="any", messages=question, max_tokens=12, stream=True)
            streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            return whole.choices[0].message.content or "", streamed

    async def story() -> None:
        async with open_house(real=model_path) as house:
            page = house.endpoint_page
            port = free_port()
            page.port_asked.emit(port)
            await until(lambda: house.ready and page._state.stage == "on", 60)
            type_and_send(house, "Tell me a very long story of the sea")
            await until(lambda: len(house.rows[-1].text) > 20, 60)
            before = len(house.rows[-1].text)
            answers = await asyncio.to_thread(ask, port, page._state.key)
            assert all(answers)
            assert len(house.rows[-1].text) > before
            assert len(titles(house)) == 2  # what tools ask never becomes a chat

    run(story())
