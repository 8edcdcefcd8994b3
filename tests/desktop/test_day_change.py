"""The list of chats while the app runs past midnight."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.chat.chat_list import ChatList
from desktop.chat.day_change import MARGIN_MS, DayChange
from desktop.chat.desk import ChatDesk
from tests.desktop.conftest import OpenHouse, Run, until
from tests.desktop.test_window import answered, titles, type_and_send


class Clock:
    def __init__(self, time: datetime) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time


def test_timer_ends_shortly_after_midnight(qtbot: QtBot) -> None:
    clock = Clock(datetime(2026, 5, 4, 23, 59, 50))
    day = DayChange(clock)
    assert day._timer.interval() == 10_000 + MARGIN_MS
    clock.time += timedelta(seconds=11)
    with qtbot.waitSignal(day.changed):
        day._timer.timeout.emit()
    assert day._timer.interval() == (24 * 3600 - 1) * 1000 + MARGIN_MS


def test_return_to_the_app_after_a_night_is_another_day_once(qtbot: QtBot, qapp: QApplication) -> None:
    clock = Clock(datetime(2026, 5, 4, 18))
    day = DayChange(clock)
    changes: list[int] = []
    day.changed.connect(lambda: changes.append(1))
    day.look()
    assert not changes
    clock.time += timedelta(hours=15)
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    day.look()
    assert changes == [1]


def test_chat_of_yesterday_leaves_today_at_midnight(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            type_and_send(house, "Hello")
            await answered(house)
            assert titles(house) == ["Today", "Hello"]
            chats = house.chats.model()
            assert isinstance(chats, ChatList)
            desk = chats.parent()
            assert isinstance(desk, ChatDesk)
            chats._now = desk.day._now = lambda: datetime.now() + timedelta(days=1)
            desk.day._timer.timeout.emit()
            assert titles(house) == ["This week", "Hello"]

    run(story())
