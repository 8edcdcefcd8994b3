"""The window with the real model: typed, answered, stopped, closed, opened again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.desktop.conftest import OpenHouse, Run, until
from tests.desktop.test_window import answered, click_chat, titles, type_and_send


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
