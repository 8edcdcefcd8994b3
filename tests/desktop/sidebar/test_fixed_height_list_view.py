"""Tests of the row positions that `FixedHeightListView` computes."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QStringListModel
from pytestqt.qtbot import QtBot

from desktop.sidebar.fixed_height_list_view import FixedHeightListView


def test_row_positions_are_computed_from_row_heights(qtbot: QtBot) -> None:
    class Tall(FixedHeightListView):
        def special_heights(self) -> Iterable[tuple[int, int]]:
            return [(0, 28), (4, 38), (9, 44)]

    view = Tall(32)
    qtbot.addWidget(view)
    view.setModel(QStringListModel([str(number) for number in range(1_000)]))
    view.resize(200, 300)
    view.doItemsLayout()
    tops = [view.top_of(row) for row in range(11)]
    assert tops[:2] + tops[4:6] + tops[9:11] == [0, 28, 124, 162, 290, 334]
    assert [view.row_at(top) for top in tops] == list(range(11))
    assert [view.row_at(top - 1) for top in tops] == list(range(-1, 10))
    view.scrollTo(view.model().index(999, 0))
    last = view.visualRect(view.model().index(999, 0))
    assert last.bottom() == view.viewport().rect().bottom()
    assert view.indexAt(last.center()).row() == 999
    assert not view.indexAt(QPoint(5, 10_000)).isValid()
