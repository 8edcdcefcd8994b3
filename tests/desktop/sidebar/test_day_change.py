"""Tests of updating the chat list when the date changes."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.sidebar.chat_list_model import ChatListModel
from desktop.sidebar.day_change import MARGIN_MS, DayChange
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, titles, type_and_send


class Clock:
    def __init__(self, time: datetime) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time


def test_day_change_timer_ends_shortly_after_midnight(qtbot: QtBot) -> None:
    clock = Clock(datetime(2026, 5, 4, 23, 59, 50))
    day = DayChange(clock)
    assert day._timer.interval() == 10_000 + MARGIN_MS
    clock.time += timedelta(seconds=11)
    with qtbot.waitSignal(day.changed):
        day._timer.timeout.emit()
    assert day._timer.interval() == (24 * 3600 - 1) * 1000 + MARGIN_MS


def test_activating_the_app_on_another_day_emits_changed_once(qtbot: QtBot, qapp: QApplication) -> None:
    clock = Clock(datetime(2026, 5, 4, 18))
    day = DayChange(clock)
    changes: list[int] = []
    day.changed.connect(lambda: changes.append(1))
    day.check()
    assert not changes
    clock.time += timedelta(hours=15)
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    day.check()
    assert changes == [1]


def test_chat_moves_from_today_to_this_week_at_midnight(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Hello")
            await answered(gui)
            assert titles(gui) == ["Today", "Hello"]
            chats = gui.chats.model()
            assert isinstance(chats, ChatListModel)
            day = chats.findChild(DayChange)
            assert isinstance(day, DayChange)
            chats._now = day._now = lambda: datetime.now() + timedelta(days=1)
            day._timer.timeout.emit()
            assert titles(gui) == ["This week", "Hello"]

    run(story())
