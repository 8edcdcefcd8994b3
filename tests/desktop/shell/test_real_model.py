"""Tests of the window with a real model and llama.cpp."""

from __future__ import annotations

import asyncio
from pathlib import Path

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat, free_port, titles, type_and_send


def test_real_model_answers_and_chat_is_kept_after_restart(run: Run, open_gui: OpenGui, model_path: Path) -> None:
    async def story() -> None:
        async with open_gui(real=model_path) as gui:
            type_and_send(gui, "Name three colours")
            await until(lambda: gui.ready, 60)
            await until(lambda: len(gui.rows[-1].text) > 8, 60)
            assert gui.rows[-1].model_id == model_path.stem
            gui.window.chat_page.composer._send.click()
            await answered(gui)
            text = gui.rows[-1].text
            assert gui.rows[-1].state in ("stopped", "complete")
            type_and_send(gui, "Tell me a very long story of the sea")
            await until(lambda: len(gui.rows[-1].text) > 20, 60)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            assert gui.rows[-1].n_output > 0
        async with open_gui(real=model_path) as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Name three colours")
            await until(lambda: len(gui.rows) == 4)
            assert gui.rows[1].text == text

    run(story())


def test_endpoint_request_is_answered_during_an_answer_of_the_window(
    run: Run, open_gui: OpenGui, model_path: Path
) -> None:
    """The official OpenAI client sends a streamed and a normal request while the window streams an answer."""

    def ask(port: int, key: str) -> tuple[str, str]:
        with OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0) as client:
            question: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Name a colour"}]
            whole = client.chat.completions.create(model="any", messages=question, max_tokens=12)
            chunks = client.chat.completions.create(model="any", messages=question, max_tokens=12, stream=True)
            streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            return whole.choices[0].message.content or "", streamed

    async def story() -> None:
        async with open_gui(real=model_path) as gui:
            page = gui.endpoint_page
            port = free_port()
            page.port_requested.emit(port)
            await until(lambda: gui.ready and page._state.stage == "on", 60)
            type_and_send(gui, "Tell me a very long story of the sea")
            await until(lambda: len(gui.rows[-1].text) > 20, 60)
            before = len(gui.rows[-1].text)
            answers = await asyncio.to_thread(ask, port, page._state.key)
            assert all(answers)
            assert len(gui.rows[-1].text) > before
            assert len(titles(gui)) == 2  # requests to the endpoint are not saved as chats

    run(story())
