"""Tests of links in messages: hovering shows the address, and a click opens the link."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import centre_of, message


def test_address_of_a_link_is_shown_while_the_mouse_is_over_it(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "[the almanac](https://example.org/a)")])
    QTest.mouseMove(view.viewport(), centre_of(view, 1, "almanac"))
    assert view.link_address is not None
    assert view.link_address.text() == "https://example.org/a"
    assert view.link_address.isVisible()
    QTest.mouseMove(view.viewport(), QPoint(5, 5))
    assert not view.link_address.isVisible()


def test_click_on_a_link_emits_its_address(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "[the almanac](https://example.org/a)")])
    at = view.column.corner(1) + QPoint(20, 16)
    assert view.column.item(1).link_at(QPointF(20, 16)) == "https://example.org/a"
    with qtbot.waitSignal(view.link_activated) as opened:
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert opened.args == [QUrl("https://example.org/a")]
