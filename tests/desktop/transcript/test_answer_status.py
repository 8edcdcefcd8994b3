"""Tests of the status below an answer, which shows what the answer is waiting for: model loading, queue, prompt
reading, stopping. The module also tests the context meter while an answer streams, and cancelling of model loading."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from desktop.transcript.answer_status import WaitStatus
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import type_and_send
from tests.fakes import Script

SLOW = Script(answer=b"Well.", step_s=0.03)


def send(gui: Gui, text: str) -> None:
    gui.window.chat_page.composer.show_text(text)
    QTest.keyClick(gui.window.chat_page.composer._edit, Qt.Key.Key_Return)


def wait_status(gui: Gui) -> WaitStatus:
    """The wait status of the last message; an empty one if there is no message."""
    found: WaitStatus = gui.transcript.column.item(len(gui.rows) - 1).status if gui.rows else WaitStatus()
    return found


def test_progress_of_prompt_reading_of_one_second_is_shown_as_percent_and_bar(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SLOW) as gui:
            await until(lambda: gui.ready)
            send(gui, "w" * 1_900)
            await until(lambda: wait_status(gui).text.startswith("Reading"))
            assert "%" in wait_status(gui).text
            assert wait_status(gui).progress is not None
            assert gui.transcript.column.item(1).height >= wait_status(gui).height
            await until(lambda: gui.rows[1].state == "complete")
            assert not wait_status(gui).text

    run(story())


def test_escape_during_prompt_reading_shows_stopping_at_once(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Well.", step_s=0.3)) as gui:
            await until(lambda: gui.ready)
            send(gui, "w" * 1_900)
            await until(lambda: wait_status(gui).text.startswith("Reading"))
            QTest.keyClick(gui.window.chat_page.composer, Qt.Key.Key_Escape)
            assert wait_status(gui).text == "Stopping…"
            button = gui.window.chat_page.composer._send
            assert (button.toolTip(), button.isEnabled()) == ("Stopping…", False)
            await until(lambda: gui.rows[1].state == "stopped")
            assert button.toolTip() != "Stopping…"

    run(story())


def test_stop_during_decoding_shows_stopping_below_the_text(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=None, step_s=0.3)) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Go on")
            await until(lambda: gui.rows[1].text)
            before = gui.transcript.column.item(1).height
            QTest.keyClick(gui.window.chat_page.composer, Qt.Key.Key_Escape)
            assert wait_status(gui).text == "Stopping…"
            assert gui.transcript.column.item(1).height > before
            await until(lambda: gui.rows[1].state == "stopped")

    run(story())


@pytest.mark.parametrize("way", ["button", "action"])
def test_retry_while_an_answer_stops_writes_another_answer(run: Run, open_gui: OpenGui, way: str) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Well.", step_s=0.15)) as gui:
            await until(lambda: gui.ready)
            send(gui, "w" * 600)
            await until(lambda: wait_status(gui).text.startswith("Reading"))
            stopped_id = gui.rows[1].id
            QTest.keyClick(gui.window.chat_page.composer, Qt.Key.Key_Escape)
            assert wait_status(gui).text == "Stopping…"
            if way == "button":
                QTest.mouseClick(button_named(gui, "Answer once more"), Qt.MouseButton.LeftButton)
            else:
                gui.action("answer_again").trigger()
            assert gui.rows[1].id != stopped_id
            await until(lambda: gui.rows[1].state == "complete")
            assert gui.rows[1].text == "Well."

    run(story())


def button_named(gui: Gui, name: str) -> QAbstractButton:
    buttons: list[QAbstractButton] = gui.transcript.findChildren(QAbstractButton)
    return next(each for each in buttons if each.accessibleName() == name and each.isVisible())


def test_status_of_queued_answer_names_the_chat_whose_answer_runs_first(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=None, step_s=0.01)) as gui:
            await until(lambda: gui.ready)
            for number in range(8):  # eight answers can stream at the same time
                type_and_send(gui, f"Number {number}")
                await until(lambda: gui.rows[1].text)
                gui.window.sidebar.new_chat_requested.emit()
            type_and_send(gui, "One more")
            await until(lambda: wait_status(gui).text == "Waiting for the answer in “Number 0”…")

    run(story())


def test_answer_that_waits_for_model_loading_shows_percent_and_bar(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Well.", load_s=2.0)) as gui:
            type_and_send(gui, "Hi")
            await until(lambda: wait_status(gui).text.startswith("Waiting for the model · "))
            await until(lambda: (wait_status(gui).progress or 0) > 0.3)
            await until(lambda: gui.rows[1].state == "complete")

    run(story())


def test_each_answer_of_a_comparison_shows_its_own_status(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SLOW) as gui:
            await until(lambda: gui.ready)
            send(gui, "w" * 1_500)
            await until(lambda: gui.rows[1].state == "complete")
            gui.window.chat_page.transcript.edited.emit(gui.rows[0].id, "v" * 1_500)
            await until(lambda: gui.rows[1].state == "complete" and gui.rows[0].text.startswith("v"))
            gui.opener.script.step_s = 0.2
            gui.window.chat_page.transcript.alternatives_requested.emit(gui.rows[1].id)
            item = gui.transcript.column.item(1)
            await until(lambda: any(card.status.text for card in item._cards.values()))
            gui.opener.script.step_s = 0.0
            await until(lambda: all(card.message.state == "complete" for card in item._cards.values()))

    run(story())


def test_context_meter_grows_while_an_answer_streams(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=None, step_s=0.01)) as gui:
            await until(lambda: gui.ready)
            send(gui, "Go on and on, for as long as there is room for it")
            seen: set[int] = set()

            def n_tokens() -> int:
                return int(gui.window.chat_page.composer._context_meter.text().split(" ")[0].replace(",", "") or 0)

            def moved() -> bool:
                seen.add(n_tokens())
                return gui.rows[1].state == "streaming" and len({n for n in seen if n > 50}) > 4

            await until(moved)
            gui.window.chat_page.composer.show_text("And then?")
            await until(lambda: n_tokens() > max(seen))
            QTest.keyClick(gui.window.chat_page.composer, Qt.Key.Key_Escape)
            await until(lambda: gui.rows[1].state == "stopped")

    run(story())


def test_cancelling_model_loading_is_confirmed_by_a_toast(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Well.", load_s=20.0)) as gui:
            await until(lambda: "%" in gui.window.chat_page.header._model_text and gui.opener is not None)
            assert gui.window.chat_page.header.is_loading
            await until(lambda: gui.window.chat_page.header._progress > 0)
            gui.action("cancel_load").trigger()
            await until(lambda: not gui.window.chat_page.header.is_loading, 5)
            assert gui.window.toast.text == "Loading the model was cancelled."

    run(story())
