"""What the window shows while an answer waits: nothing waits without a sign, and Stop is seen at once."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.transcript.sign import Sign
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_window import type_and_send
from tests.fakes import Script

SLOW = Script(answer=b"Well.", step_s=0.03)


def send(house: House, text: str) -> None:
    house.window.composer.show_text(text)
    QTest.keyClick(house.window.composer._edit, Qt.Key.Key_Return)


def sign(house: House) -> Sign:
    """What stands under the last answer; none where there is no answer yet."""
    found: Sign = house.transcript._item(len(house.rows) - 1).sign if house.rows else Sign()
    return found


def test_reading_is_shown_with_percent_and_bar_within_200_ms(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SLOW) as house:
            await until(lambda: house.ready)
            send(house, "w" * 1_900)
            began = time.monotonic()
            await until(lambda: sign(house).text)
            assert time.monotonic() - began < 1.0, "200 ms, and some for a busy machine"
            await until(lambda: sign(house).text.startswith("Reading"))
            assert sign(house).text.endswith("%")
            assert sign(house).share is not None
            assert house.transcript._item(1).height >= sign(house).height
            await until(lambda: house.rows[1].state == "complete")
            assert not sign(house).text

    run(story())


def test_escape_while_reading_shows_stopping_before_the_engine_has_stopped(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Well.", step_s=0.3)) as house:
            await until(lambda: house.ready)
            send(house, "w" * 1_900)
            await until(lambda: sign(house).text.startswith("Reading"))
            QTest.keyClick(house.window.composer, Qt.Key.Key_Escape)
            assert sign(house).text == "Stopping…"
            button = house.window.composer._send
            assert (button.toolTip(), button.isEnabled()) == ("Stopping…", False)
            await until(lambda: house.rows[1].state == "stopped")
            assert button.toolTip() != "Stopping…"

    run(story())


def test_stopping_is_shown_below_words_that_are_there(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=None, step_s=0.3)) as house:
            await until(lambda: house.ready)
            type_and_send(house, "Go on")
            await until(lambda: house.rows[1].text)
            before = house.transcript._item(1).height
            QTest.keyClick(house.window.composer, Qt.Key.Key_Escape)
            assert sign(house).text == "Stopping…"
            assert house.transcript._item(1).height > before
            await until(lambda: house.rows[1].state == "stopped")

    run(story())


def test_answer_shows_which_chat_it_waits_for(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=None, step_s=0.01)) as house:
            await until(lambda: house.ready)
            for number in range(8):  # as many as run side by side
                type_and_send(house, f"Number {number}")
                await until(lambda: house.rows[1].text)
                house.window.sidebar.new_chat_asked.emit()
            type_and_send(house, "One more")
            await until(lambda: sign(house).text == "Waiting for the answer in “Number 0”…")

    run(story())


def test_loading_is_shown_with_percent_and_bar(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Well.", load_s=2.0)) as house:
            type_and_send(house, "Hi")
            await until(lambda: sign(house).text.startswith("Waiting for the model · "))
            await until(lambda: (sign(house).share or 0) > 0.3)
            await until(lambda: house.rows[1].state == "complete")

    run(story())


def test_answers_side_by_side_each_show_what_they_wait_for(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SLOW) as house:
            await until(lambda: house.ready)
            send(house, "w" * 1_500)
            await until(lambda: house.rows[1].state == "complete")
            house.window.transcript.edited.emit(house.rows[0].id, "v" * 1_500)
            await until(lambda: house.rows[1].state == "complete" and house.rows[0].text.startswith("v"))
            house.opener.script.step_s = 0.2
            house.window.transcript.alternatives_asked.emit(house.rows[1].id)
            item = house.transcript._item(1)
            await until(lambda: any(card.sign.text for card in item._cards.values()))
            house.opener.script.step_s = 0.0
            await until(lambda: all(card.message.state == "complete" for card in item._cards.values()))

    run(story())


def test_ring_of_the_context_moves_while_an_answer_is_written(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=None, step_s=0.01)) as house:
            await until(lambda: house.ready)
            send(house, "Go on and on, for as long as there is room for it")
            seen: set[int] = set()

            def n_tokens() -> int:
                return int(house.window.composer._gauge.text().split(" ")[0].replace(",", "") or 0)

            def moved() -> bool:
                seen.add(n_tokens())
                return house.rows[1].state == "streaming" and len({n for n in seen if n > 50}) > 4

            await until(moved)
            house.window.composer.show_text("And then?")
            await until(lambda: n_tokens() > max(seen))
            QTest.keyClick(house.window.composer, Qt.Key.Key_Escape)
            await until(lambda: house.rows[1].state == "stopped")

    run(story())


def test_loading_is_cancelled_from_the_header(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Well.", load_s=20.0)) as house:
            await until(lambda: "%" in house.window.header._model_words and house.opener is not None)
            assert house.window.header.is_loading
            await until(lambda: house.window.header._progress > 0)
            house.window.header.load_cancel_requested.emit()
            await until(lambda: not house.window.header.is_loading, 5)
            assert house.window.notice.text == "Loading the model was cancelled."

    run(story())
