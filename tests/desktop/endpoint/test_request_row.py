"""Tests of the layout of the row of a request."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication

from desktop.endpoint.activity import ToolRequest
from desktop.endpoint.request_row_delegate import action_rects

BOX = QRect(0, 0, 700, 44)


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_open_button_of_request_row_keeps_its_position_when_request_ends(
    qapp: object, direction: Qt.LayoutDirection
) -> None:
    QApplication.setLayoutDirection(direction)
    try:
        live = action_rects(BOX, ToolRequest("1", "", "aider", "openai", "/v1", "writing"))
        ended = action_rects(BOX, ToolRequest("1", "", "aider", "openai", "/v1", "cancelled"))
    finally:
        QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    assert live["open"] == ended["open"]
    assert "stop" not in ended
    assert not live["stop"].intersects(ended["open"])
