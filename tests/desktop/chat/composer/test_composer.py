"""Tests of the composer: attaching, removing, counting and sending files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop.chat.attachments.attachment_chips import AttachmentChip
from desktop.chat.composer.composer import Composer
from desktop.chat.prompt import fenced
from desktop.store.records import Attachment
from tests.desktop.chat.attachments.sample_documents import write_pdf
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.drag_events import drag_enter, dropped
from tests.desktop.shell.test_main_window import answered, click_chat, type_and_send
from tests.fakes import Script

OPENS_A_DIALOG = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
"""Ignores a warning that Qt's offscreen platform logs for each dialog."""


def chips(gui: Gui) -> list[AttachmentChip]:
    return gui.window.chat_page.composer.chips.chips


def counted(gui: Gui, n: int) -> bool:
    return len(chips(gui)) == n and all(chip.item.n_tokens is not None for chip in chips(gui))


def note(tmp_path: Path, name: str = "beans.md", text: str = "Sow in March.\n") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def mime_of(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def test_text_typed_after_click_on_transcript_is_inserted_into_composer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"In March.")) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "When?")
            await answered(gui)
            page = gui.window.chat_page.transcript
            assert page is not None
            QTest.mouseClick(page.viewport(), Qt.MouseButton.LeftButton, pos=page.viewport().rect().bottomLeft())
            for letter in "Wha":
                QTest.keyClicks(gui.window.focusWidget(), letter)
            QTest.keyClicks(gui.window.focusWidget(), "t else?")
            assert gui.window.chat_page.composer.text == "What else?"

    run(story())


@OPENS_A_DIALOG
def test_attached_files_are_counted_and_sent_with_message(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"In March.")) as gui:
            await until(lambda: gui.ready)
            composer = gui.window.chat_page.composer
            QTest.mouseClick(composer._attach, Qt.MouseButton.LeftButton)
            dialog = gui.window.findChild(QFileDialog)
            assert isinstance(dialog, QFileDialog)
            dialog.filesSelected.emit([str(note(tmp_path)), str(write_pdf(tmp_path / "plan.pdf", ["By the wall"]))])
            dialog.reject()
            await until(lambda: counted(gui, 2))
            assert [chip._name.text() for chip in chips(gui)] == ["beans.md", "plan.pdf"]
            # The fake model has one token per byte. The file name, the fence and the text are counted.
            assert (
                chips(gui)[0]._tokens.text()
                == f"{len(fenced(Attachment('beans.md', 'markdown', 'Sow in March.' + chr(10))))} tokens"
            )
            type_and_send(gui, "When?")
            await answered(gui)
            assert chips(gui) == []
            assert not composer.chips.isVisible()
            question = gui.rows[0]
            assert question.text == "When?"
            assert [each.name for each in question.attachments] == ["beans.md", "plan.pdf"]
            assert question.attachments[0].n_tokens > 0
            backend = gui.opener.backends[-1]
            read = bytes(token for token in next(iter(backend.slots.values())) if token < 256).decode()
            assert "beans.md:\n```\nSow in March.\n```" in read
            assert "plan.pdf:\n```\nBy the wall\n```\n\nWhen?" in read
        async with open_gui() as gui:
            await until(lambda: gui.chats.model().rowCount() == 2)
            click_chat(gui, "When?")
            await until(lambda: len(gui.rows) == 2)
            assert [each.text for each in gui.rows[0].attachments] == ["Sow in March.\n", "By the wall"]

    run(story())


def test_message_with_attached_file_and_without_text_can_be_sent(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            composer = gui.window.chat_page.composer
            assert not composer._send.isEnabled()
            composer.files_given.emit([note(tmp_path)])
            assert not composer._send.isEnabled()  # the message cannot be sent while the file is being read
            await until(composer._send.isEnabled)
            QTest.mouseClick(composer._send, Qt.MouseButton.LeftButton)
            await answered(gui)
            assert gui.rows[0].text == ""
            assert gui.window.windowTitle().startswith("beans.md")

    run(story())


def test_files_dropped_on_page_or_text_field_are_attached(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            page, zone = gui.window.chat_page, gui.window.chat_page.findChild(object, "dropZone")
            mime = mime_of(note(tmp_path))
            enter = drag_enter(QPoint(60, 60), mime)
            QApplication.sendEvent(page, enter)
            assert enter.isAccepted()
            assert zone.isVisible()
            drop = dropped(QPoint(60, 60), mime, Qt.DropAction.MoveAction | Qt.DropAction.CopyAction)
            QApplication.sendEvent(page, drop)
            assert drop.dropAction() == Qt.DropAction.CopyAction
            assert not zone.isVisible()
            await until(lambda: len(chips(gui)) == 1)
            edit = gui.window.chat_page.composer._edit
            enter = drag_enter(QPoint(5, 5), mime)
            QApplication.sendEvent(edit.viewport(), enter)
            drop = dropped(QPoint(5, 5), mime)
            QApplication.sendEvent(edit.viewport(), drop)
            await until(lambda: len(chips(gui)) == 2)
            assert gui.window.chat_page.composer.text == ""
            words = QMimeData()
            words.setText("only words")
            refused = drag_enter(QPoint(60, 60), words)
            refused.ignore()
            QApplication.sendEvent(page, refused)
            assert not zone.isVisible()

    run(story())


def test_pasted_files_are_attached_and_pasted_text_is_inserted(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            edit, clipboard = gui.window.chat_page.composer._edit, QGuiApplication.clipboard()
            edit.setFocus()
            clipboard.setMimeData(mime_of(note(tmp_path)))
            QTest.keyClick(edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
            await until(lambda: len(chips(gui)) == 1)
            assert gui.window.chat_page.composer.text == ""
            clipboard.setText("word " * 40_000)
            QTest.keyClick(edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
            assert len(gui.window.chat_page.composer.text) == 200_000
            assert len(chips(gui)) == 1
            clipboard.setImage(QImage(8, 8, QImage.Format.Format_RGB32))
            QTest.keyClick(edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
            assert "Pictures cannot be attached" in gui.window.toast.text
            clipboard.clear()

    run(story())


def test_unreadable_files_are_reported_and_other_files_attached(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        picture = tmp_path / "cat.png"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
        locked = write_pdf(tmp_path / "locked.pdf", ["Hidden"], password="sesame")
        scan = write_pdf(tmp_path / "scan {1}.pdf", [""])
        async with open_gui() as gui:
            QTest.keyClicks(gui.window.chat_page.composer._edit, "Look at this")
            gui.window.chat_page.composer.files_given.emit([picture, locked, scan, note(tmp_path)])
            await until(lambda: gui.window.toast.isVisible())
            assert gui.window.toast.text.splitlines() == [
                "cat.png is not a text, PDF or Word file, so it cannot be attached.",
                "locked.pdf is protected by a password. Save it without a password, then attach it.",
                "scan {1}.pdf contains no text. A scan needs text recognition (OCR) first.",
            ]
            assert [chip.item.name for chip in chips(gui)] == ["beans.md"]
            assert gui.window.chat_page.composer.text == "Look at this"

    run(story())


def test_toast_gives_reasons_for_three_unreadable_files_and_number_of_further_ones(
    run: Run, open_gui: OpenGui, tmp_path: Path
) -> None:
    async def story() -> None:
        pictures = [tmp_path / f"cat{number}.png" for number in range(5)]
        for picture in pictures:
            picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
        async with open_gui() as gui:
            for given, last in ((pictures, "2 more are not attached."), (pictures[:4], "One more is not attached.")):
                gui.window.toast.dismiss()
                gui.window.chat_page.composer.files_given.emit(given)
                await until(lambda: gui.window.toast.isVisible())
                assert len(gui.window.toast.text.splitlines()) == 4
                assert gui.window.toast.text.endswith(last)

    run(story())


def test_attachment_chips_are_removed_by_mouse_and_keyboard(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            names = ["one.txt", "two.txt", "three.txt"]
            gui.window.chat_page.composer.files_given.emit([note(tmp_path, name) for name in names])
            await until(lambda: counted(gui, 3))
            for chip in chips(gui):
                assert chip.accessibleName().startswith(f"{chip.item.name}, ")
                assert chip._remove.accessibleName() == f"Remove {chip.item.name}"
                assert chip.focusPolicy() & Qt.FocusPolicy.TabFocus
            QTest.mouseClick(chips(gui)[1]._remove, Qt.MouseButton.LeftButton)
            assert [chip.item.name for chip in chips(gui)] == ["one.txt", "three.txt"]
            gui.window.activateWindow()
            chips(gui)[0].setFocus()
            QTest.keyClick(chips(gui)[0], Qt.Key.Key_Delete)
            assert [chip.item.name for chip in chips(gui)] == ["three.txt"]
            QTest.keyClick(chips(gui)[0]._remove, Qt.Key.Key_Space)
            assert chips(gui) == []

    run(story())


@OPENS_A_DIALOG
def test_tokens_of_attachments_are_counted_again_when_another_model_is_loaded(
    run: Run, open_gui: OpenGui, tmp_path: Path
) -> None:
    async def story() -> None:
        async with open_gui(Script(load_s=0.3)) as gui:
            gui.window.chat_page.composer.files_given.emit([note(tmp_path)])
            await until(lambda: chips(gui) and chips(gui)[0].item.attachment is not None)
            assert chips(gui)[0]._tokens.text() == "…"  # no tokens are counted, because no model is loaded yet
            await until(lambda: counted(gui, 1))
            gui.opener.script = Script(template="{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}")
            before = chips(gui)[0].item.n_tokens or 0
            gui.window.chat_page.greeting.model_file_requested.emit()
            dialog = gui.window.findChild(QFileDialog)
            assert isinstance(dialog, QFileDialog)
            dialog.fileSelected.emit(str(tmp_path / "Another-Chat-Q4_1.gguf"))
            dialog.reject()
            await until(lambda: counted(gui, 1) and chips(gui)[0].item.n_tokens == 2 * before)

    run(story())


def test_context_meter_counts_chat_draft_and_attachments(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            meter, edit = gui.window.chat_page.composer._context_meter, gui.window.chat_page.composer._edit

            def used() -> int:
                return int(meter.text().split(" of ")[0].replace(",", "")) if meter.isVisible() else 0

            assert used() == 0
            QTest.keyClicks(edit, "Twelve chars")
            await until(lambda: used() > 12)
            QTest.keyClick(edit, Qt.Key.Key_Return)
            await answered(gui)
            last = gui.rows[-1]
            await until(lambda: used() == last.n_prompt + last.n_output)
            QTest.keyClicks(edit, "0123456789")
            await until(lambda: used() == last.n_prompt + last.n_output + 10)
            gui.window.chat_page.composer.files_given.emit([note(tmp_path)])
            await until(lambda: counted(gui, 1))
            cost = chips(gui)[0].item.n_tokens or 0
            await until(lambda: used() == last.n_prompt + last.n_output + 10 + cost)
            edit.setPlainText("x" * 5_000)
            await until(lambda: used() > 5_000)
            assert meter.property("over")
            assert "more than the model can read" in meter.accessibleName()

    run(story())


@pytest.mark.parametrize("width", [420, 600, 1100])
def test_no_control_of_composer_is_clipped_in_narrow_window(
    run: Run, open_gui: OpenGui, tmp_path: Path, width: int
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            composer: Composer = gui.window.chat_page.composer
            composer.files_given.emit([note(tmp_path, f"a file with a rather long name {n}.txt") for n in range(9)])
            await until(lambda: counted(gui, 9))
            gui.window.resize(width, 450)
            await until(lambda: composer._context_meter.isVisible())
            for widget in (*composer._tab_order(), composer._context_meter):
                assert widget.width() >= min(widget.sizeHint().width(), widget.maximumWidth())
                assert composer.rect().contains(widget.geometry())
            assert gui.window.chat_page.composer.mapTo(gui.window, composer.rect().bottomRight()).y() < 450
            assert gui.window.chat_page.stage.height() > 100

    run(story())
