"""Saves screenshots of the composer, the overflow card and the settings sheet to build/gallery, in both themes and
three window sizes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.chat.composer.overflow import Overflow, Turn
from desktop.store.records import ChatSettings
from engine.files.profile import Profile
from tests.desktop.chat.attachments.sample_documents import paragraph, write_docx, write_pdf
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.drag_events import drag_enter
from tests.desktop.shell.test_gallery import GALLERY, fill, open_chat, show
from tests.fakes import Script

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


def files(folder: Path) -> list[Path]:
    rows = folder / "harvest.csv"
    rows.write_text("crop,rows\n" + "beans,4\n" * 40, encoding="utf-8")
    code = folder / "watering.py"
    code.write_text("def water(bed: str) -> None:\n    ...\n" * 10, encoding="utf-8")
    long = folder / "minutes of the allotment society, spring meeting, second draft.md"
    long.write_text("# Minutes\n\nAll agreed.", encoding="utf-8")
    plan = write_pdf(folder / "Garden plan.pdf", ["Beans along the wall"])
    return [plan, rows, code, write_docx(folder / "Letter.docx", paragraph("Dear Sir or Madam")), long]


@SCHEMES
def test_gallery_screenshots_of_composer_are_saved(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path, scheme: str
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(theme=scheme) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            await open_chat(gui, "c3")
            composer = gui.window.chat_page.composer
            await until(lambda: composer._context_meter.isVisible())
            await show(gui, "composer-empty", scheme)
            composer.files_given.emit(files(tmp_path)[:3])
            await until(lambda: all(chip.item.n_tokens is not None for chip in composer.chips.chips))
            QTest.keyClicks(composer._edit, "What should I sow next to the beans, and when?")
            await until(lambda: "of" in composer._context_meter.text())
            await asyncio.sleep(0.4)  # the context meter is updated after a delay
            await show(gui, "composer-chips", scheme)
            composer.files_given.emit(files(tmp_path)[3:])
            await until(lambda: len(composer.chips.chips) == 5 and composer.chips.chips[-1].item.n_tokens)
            await show(gui, "composer-many", scheme)
            mime = QMimeData()
            mime.setUrls([QUrl.fromLocalFile(str(path)) for path in files(tmp_path)])
            QApplication.sendEvent(gui.window.chat_page, drag_enter(QPoint(40, 40), mime))
            await show(gui, "composer-drop", scheme)

    run(story())
    assert (GALLERY / f"composer-chips-{scheme}-1100.png").stat().st_size > 10_000


@SCHEMES
def test_gallery_screenshots_of_overflow_card_are_saved(
    run: Run, open_gui: OpenGui, profile: Profile, scheme: str
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(), theme=scheme) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            await open_chat(gui, "c3")
            card = overflow_card(gui)
            QTest.keyClicks(gui.window.chat_page.composer._edit, "And when a row is broken?")
            lines = (
                "How do I parse a CSV whose fields hold quotes and commas?",
                "Does that also hold for a file that somebody saved from a spreadsheet with semicolons in it?",
                "And what about tabs",
            )
            turns = tuple(Turn(line, ()) for line in lines)
            card.show_overflow(Overflow("turns", 9_310, 8_192, 1_240, turns, True))
            await show(gui, "overflow", scheme)
            card.show_turns.click()
            await show(gui, "overflow-list", scheme)
            card.show_progress(0.4)
            await show(gui, "overflow-summary", scheme)
            card.end_progress()
            card.show_overflow(Overflow("message", 9_310, 8_192))
            await show(gui, "overflow-message", scheme)

    run(story())


@SCHEMES
def test_gallery_screenshots_of_chat_settings_are_saved(
    run: Run, open_gui: OpenGui, profile: Profile, scheme: str
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(theme=scheme) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            await open_chat(gui, "c3")
            QTest.keyClick(gui.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
            sheet = gui.window.chat_page.settings_sheet
            assert sheet is not None
            await show(gui, "settings", scheme)
            instructions = "You are a patient teacher. Answer in short paragraphs, and end with one question."
            sheet.show_settings(ChatSettings(system=instructions, temperature=0.2, top_k=20, thinking=False))
            sheet.rows["top_p"].edit.setText("7")
            sheet.rows["top_p"].show_invalid(True)
            await show(gui, "settings-changed", scheme)
            sheet.presets.save.click()
            sheet.presets.name.setText("Everyday")
            sheet.presets.keep.click()
            await show(gui, "settings-preset", scheme)

    run(story())


def overflow_card(gui: Gui):  # type: ignore[no-untyped-def]
    assert gui.window.chat_page.overflow_card is not None
    return gui.window.chat_page.overflow_card
