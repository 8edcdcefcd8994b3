"""Tests of comparing models in the window: the sheet, the columns, stopping and keeping an answer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.compare.controller import CompareController
from desktop.compare.model_choice import ModelChoice
from desktop.compare.sheet import CompareSheet
from desktop.transcript.comparison import ComparisonItem
from desktop.transcript.view import TranscriptView
from engine.files.profile import Profile
from tests.desktop.compare.fake_source import FakeSource
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import type_and_send
from tests.desktop.transcript.support import message
from tests.fakes import Script
from tests.limited_engine import LimitedEngine


def itself(source: FakeSource) -> FakeSource:
    return source


def sheet_of(gui: Gui) -> CompareSheet:
    controller = gui.window.findChild(CompareController)
    assert controller is not None
    return controller.sheet


def offer(gui: Gui, *sources: FakeSource) -> None:
    """Offers these models besides those that the window knows."""
    controller = gui.window.findChild(CompareController)
    assert controller is not None
    known = controller._choices

    def choices() -> list[ModelChoice]:
        others = [ModelChoice(each.model_id, each.model_id, "elsewhere", partial(itself, each)) for each in sources]
        return [*known(), *others]

    controller._choices = choices


def cards(gui: Gui) -> dict[str, QPushButton]:
    buttons = gui.transcript.viewport().findChildren(QPushButton)
    return {each.accessibleName(): each for each in buttons if each.isVisibleTo(gui.transcript)}


def test_two_models_answer_a_question_and_one_answer_is_kept(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"From the window.")) as gui:
            await until(lambda: gui.ready)
            other = FakeSource("other", LimitedEngine(answer="From elsewhere."), ready=False)
            offer(gui, other)
            composer, sheet = gui.window.chat_page.composer, sheet_of(gui)
            gui.action("compare_models").trigger()
            assert sheet.isVisible()
            assert not sheet.start.isEnabled()
            sheet.rows["other"].switch.click()
            assert not sheet.start.isEnabled(), "there is no question"
            composer.insert_text("Where are you?")
            assert sheet.question.text() == "Where are you?"
            assert sheet.start.isEnabled()
            sheet.start.click()
            assert not sheet.isVisible()
            assert composer.text == ""
            await until(lambda: "Stop other" in cards(gui))
            other.ready.set()
            await until(lambda: not composer._answering)
            await until(lambda: not any(name.startswith("Stop") for name in cards(gui)))
            keep = "Keep the answer of big on gpu-box.lan"
            await until(lambda: keep in cards(gui))
            cards(gui)[keep].click()
            assert gui.rows[-1].text == "From elsewhere."
            await until(lambda: "Answer of big on gpu-box.lan, kept" in cards(gui))
            assert cards(gui)["Answer of big on gpu-box.lan, kept"].accessibleDescription() == "From elsewhere."
        async with open_gui() as gui:
            await until(lambda: gui.chats.model().rowCount() > 1)

    run(story())


def test_sheet_is_opened_from_the_menu_of_a_chat_and_closed_by_escape(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Where are you?")
            await until(lambda: gui.rows and gui.rows[-1].state == "complete")
            menu, page, sheet = QMenu(gui.window), gui.window.chat_page, sheet_of(gui)
            page.header.fill_menu(menu, "chat")
            next(each for each in menu.actions() if each.text() == "Compare models…").trigger()
            menu.deleteLater()
            assert sheet.isVisible()
            assert sheet.question.text() == "Where are you?", "the last question is not asked again"
            assert next(iter(sheet.rows.values())).switch.hasFocus()
            assert page.close_topmost()
            assert not sheet.isVisible()
            gui.action("compare_models").trigger()
            gui.action("chat_settings").trigger()
            assert not sheet.isVisible(), "two sheets are open"

    run(story())


def test_local_files_are_offered_and_loaded_beside_the_model_of_the_window(
    run: Run, open_gui: OpenGui, profile: Profile, model_path: Path
) -> None:
    """The same file under another name is compared with the model of the window. Both are real."""
    copy = profile.models / "Another-Q4_1.gguf"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.symlink_to(model_path)

    async def story() -> None:
        async with open_gui(real=model_path) as gui:
            await until(lambda: gui.ready)
            gui.window.chat_page.composer.insert_text("Say hello.")
            gui.action("chat_settings").trigger()
            gui.action("compare_models").trigger()
            assert not gui.window.chat_page.settings_sheet.isVisible(), "two sheets are open"
            sheet = sheet_of(gui)
            await until(lambda: str(copy) in sheet.rows)
            sheet.rows[str(copy)].switch.click()
            sheet.start.click()
            await until(lambda: gui.window.chat_page.composer._answering)
            await until(lambda: not gui.window.chat_page.composer._answering)
            answers = gui.transcript.messages.alternatives(gui.rows[-1].id)
            assert [each.model_id for each in answers] == [model_path.stem, copy.stem]
            assert all(each.text and each.decode_s > 0 for each in answers)

    run(story())


def test_answers_of_different_models_are_below_each_other_in_a_narrow_window(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:

    answers = tuple(
        replace(message(1, "Text", "streaming"), id=f"a{n}", model_id=f"m{n}", n_output=5) for n in range(3)
    )
    messages.show([message(0, "Hi"), answers[0]], {}, {"a0": answers})
    item, controls = view.cache.items["a0"], view.cache.controls["a0"]
    assert isinstance(item, ComparisonItem)
    assert len({box.top() for box in item.boxes()}) == 1
    stops = controls._stops  # type: ignore[attr-defined]
    assert [each.accessibleName() for each in stops.values()] == ["Stop m0", "Stop m1", "Stop m2"]
    with qtbot.waitSignal(view.stop_requested) as stopped:
        stops["a1"].click()
    assert stopped.args == ["a1"]
    view.resize(540, 600)
    assert len({box.left() for box in item.boxes()}) == 1
    assert len(item.boxes()) == 3
