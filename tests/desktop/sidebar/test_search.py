"""Tests of the search in the sidebar: model of the results, shortened lines, opening results."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.sidebar.search_controller import SearchResultRole, SearchResultsModel
from desktop.sidebar.search_results_view import shortened
from desktop.store.search import SearchHit, SnippetPart
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script


def test_search_results_model_passes_qt_model_tester(qtmodeltester: Any) -> None:
    hits = [SearchHit(f"c{n}", "", (SnippetPart("a", True),), (), 0.0) for n in range(3)]
    model = SearchResultsModel()
    model.show(hits)
    qtmodeltester.check(model)
    assert model.data(model.index(0, 0), SearchResultRole.HIT) == hits[0]
    model.show(hits[:1])
    assert model.rowCount() == 1


def test_search_result_is_shortened_only_if_its_match_would_be_hidden(qapp: QApplication) -> None:
    parts = (
        SnippetPart("The second chat about ", False),
        SnippetPart("apples", True),
        SnippetPart(" and much else that is grown", False),
    )
    assert shortened(parts, 250) == list(parts)
    cut = shortened(parts, 130)
    assert [part.text for part in cut] == ["…chat about ", "apples", " and much else that is grown"]


def test_opening_a_search_result_opens_its_chat(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Turn the soil, then wait a week.")) as gui:
            type_and_send(gui, "My garden")
            await answered(gui)
            QTest.keyClick(gui.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            field, found = gui.window.sidebar.search, gui.window.sidebar._results
            QTest.keyClick(
                gui.window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            )
            assert gui.window.focusWidget() is field
            QTest.keyClicks(field, "soi")
            await until(lambda: found.isVisible() and found.model().rowCount() == 1)
            assert not gui.chats.isVisible()
            QTest.keyClick(field, Qt.Key.Key_Down)
            QTest.keyClick(found, Qt.Key.Key_Return)
            await until(lambda: len(gui.rows) == 2)
            await until(lambda: gui.transcript.column.top_id == gui.rows[1].id or gui.transcript.at_end)
            QTest.keyClicks(field, "xx")
            await until(lambda: found.model().rowCount() == 0)
            QTest.keyClick(field, Qt.Key.Key_Escape)
            assert field.text() == ""
            await until(gui.chats.isVisible)

    run(story())


def test_answer_is_found_by_search_after_its_generation_has_ended(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        script = Script(answer=b"Turn the soil, then wait a week.", cases={b"Write a title": b""}, step_s=0.02)
        async with open_gui(script) as gui:
            type_and_send(gui, "My garden")
            await until(lambda: len(gui.rows) == 2 and "Turn" in gui.rows[1].text)
            shift_f = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            QTest.keyClick(gui.window, Qt.Key.Key_F, shift_f)
            QTest.keyClicks(gui.window.sidebar.search, "week")
            found = gui.window.sidebar._results
            await until(lambda: found.isVisible() and found.model().rowCount() == 0)
            assert gui.rows[1].state == "streaming"
            await until(lambda: found.model().rowCount() == 1)

    run(story())


def test_opening_a_search_result_on_another_branch_shows_that_branch(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"The lighthouse is tall.")) as gui:
            type_and_send(gui, "About the coast")
            await answered(gui)
            old = gui.rows[-1].id
            gui.opener.script.answer = b"Another answer."
            gui.transcript.retry_requested.emit(old)
            await until(lambda: gui.rows[-1].text == "Another answer.")
            QTest.keyClicks(gui.window.sidebar.search, "lighth")
            found = gui.window.sidebar._results
            await until(lambda: found.model().rowCount() == 1)
            found.open_first()
            await until(lambda: gui.rows[-1].id == old)

    run(story())
