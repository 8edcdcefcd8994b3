"""The composer as a person uses it: files come and go, their cost is seen, and they are sent with the message."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop.compose.prompt import fenced, parts, prompt_for, with_attachments
from desktop.compose.tray import Tray
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from desktop.widgets.chips import Chip
from desktop.widgets.composer import Composer
from engine.requests import Message
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.documents import write_pdf
from tests.desktop.drag_events import drag_enter, dropped
from tests.desktop.test_window import answered, click_chat, type_and_send
from tests.fakes import Script

OPENS_A_DIALOG = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
"""The offscreen platform's word about any dialog."""


def chips(house: House) -> list[Chip]:
    return house.window.composer.chips.chips


def counted(house: House, n: int) -> bool:
    return len(chips(house)) == n and all(chip.item.n_tokens is not None for chip in chips(house))


def note(tmp_path: Path, name: str = "beans.md", text: str = "Sow in March.\n") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def mime_of(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def row(text: str, role: str = "user", attachments: tuple[Attachment, ...] = (), row_id: str = "") -> ChatMessage:
    return ChatMessage(row_id or text, "c", None, role, text, "complete", 0.0, attachments=attachments)  # type: ignore[arg-type]


def test_files_stand_named_and_fenced_before_the_words() -> None:
    code = Attachment("a.py", "code", "print(1)")
    tricky = Attachment("b.md", "markdown", "```\ncode\n```\n````x````\n")
    assert fenced(code) == "a.py:\n```python\nprint(1)\n```"
    assert fenced(tricky) == "b.md:\n`````\n```\ncode\n```\n````x````\n`````"
    assert with_attachments("Why?", [code]) == f"{fenced(code)}\n\nWhy?"
    assert with_attachments("", [code]) == fenced(code)


def test_a_prompt_has_one_system_message_and_no_role_twice_in_a_row() -> None:
    branch = [row("one"), row("", "assistant"), row("two"), row("three", "assistant"), row("four")]
    settings = ChatSettings(system=" Be brief. ")
    assert prompt_for(branch, settings) == (
        Message("system", "Be brief."),
        Message("user", "one\n\ntwo"),
        Message("assistant", "three"),
        Message("user", "four"),
    )
    assert [len(part.rows) for part in parts(branch, settings)] == [0, 1, 1, 1, 1]
    assert prompt_for(branch, settings, (1, 2, 3)) == (Message("system", "Be brief."), Message("user", "four"))


def test_a_summary_stands_behind_the_instructions_in_place_of_its_turns() -> None:
    branch = [row("one"), row("two", "assistant"), row("three")]
    settings = ChatSettings(system="Be brief.", summary="They counted.", summarised_to="two")
    messages = prompt_for(branch, settings)
    assert [message.role for message in messages] == ["system", "user"]
    assert messages[0].content == "Be brief.\n\nSummary of the conversation up to here:\nThey counted."
    other_branch = [row("one"), row("else", "assistant"), row("three")]
    assert len(prompt_for(other_branch, settings)) == 4


def test_a_tray_forgets_what_was_removed_while_it_was_read() -> None:
    ids = iter("abc")
    tray = Tray(lambda: next(ids))
    first, second = tray.begin("one.txt"), tray.begin("two.txt")
    tray.remove(first)
    tray.finish(first, Attachment("one.txt", "text", "1"))
    assert tray.is_reading
    tray.finish(second, Attachment("two.txt", "text", "2"))
    tray.count(second, 7)
    tray.count(first, 7)
    assert tray.attachments == (Attachment("two.txt", "text", "2", 7),)
    assert not tray.is_reading


def test_what_is_typed_after_a_click_on_the_page_is_written(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"In March.")) as house:
            await until(lambda: house.ready)
            type_and_send(house, "When?")
            await answered(house)
            page = house.window.transcript
            assert page is not None
            QTest.mouseClick(page.viewport(), Qt.MouseButton.LeftButton, pos=page.viewport().rect().bottomLeft())
            for letter in "Wha":
                QTest.keyClicks(house.window.focusWidget(), letter)
            QTest.keyClicks(house.window.focusWidget(), "t else?")
            assert house.window.composer.text == "What else?"

    run(story())


@OPENS_A_DIALOG
def test_a_file_is_attached_counted_and_sent(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"In March.")) as house:
            await until(lambda: house.ready)
            composer = house.window.composer
            QTest.mouseClick(composer._attach, Qt.MouseButton.LeftButton)
            dialog = house.window.findChild(QFileDialog)
            assert isinstance(dialog, QFileDialog)
            dialog.filesSelected.emit([str(note(tmp_path)), str(write_pdf(tmp_path / "plan.pdf", ["By the wall"]))])
            dialog.reject()
            await until(lambda: counted(house, 2))
            assert [chip._name.text() for chip in chips(house)] == ["beans.md", "plan.pdf"]
            # The fake counts a token for each byte, so that the cost is known: name, fence and text.
            assert (
                chips(house)[0]._cost.text()
                == f"{len(fenced(Attachment('beans.md', 'markdown', 'Sow in March.' + chr(10))))} tokens"
            )
            type_and_send(house, "When?")
            await answered(house)
            assert chips(house) == []
            assert not composer.chips.isVisible()
            question = house.rows[0]
            assert question.text == "When?"
            assert [each.name for each in question.attachments] == ["beans.md", "plan.pdf"]
            assert question.attachments[0].n_tokens > 0
            backend = house.opener.backends[-1]
            read = bytes(token for token in next(iter(backend.slots.values())) if token < 256).decode()
            assert "beans.md:\n```\nSow in March.\n```" in read
            assert "plan.pdf:\n```\nBy the wall\n```\n\nWhen?" in read
        async with open_house() as house:
            await until(lambda: house.chats.model().rowCount() == 2)
            click_chat(house, "When?")
            await until(lambda: len(house.rows) == 2)
            assert [each.text for each in house.rows[0].attachments] == ["Sow in March.\n", "By the wall"]

    run(story())


def test_a_file_alone_is_a_message(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house() as house:
            composer = house.window.composer
            assert not composer._send.isEnabled()
            composer.files_given.emit([note(tmp_path)])
            assert not composer._send.isEnabled()  # while it is read
            await until(composer._send.isEnabled)
            QTest.mouseClick(composer._send, Qt.MouseButton.LeftButton)
            await answered(house)
            assert house.rows[0].text == ""
            assert house.window.windowTitle().startswith("beans.md")

    run(story())


def test_files_are_dropped_onto_the_page_and_onto_the_text(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house() as house:
            page, zone = house.window.chat_page, house.window.chat_page.findChild(object, "dropZone")
            mime = mime_of(note(tmp_path))
            enter = drag_enter(QPoint(60, 60), mime)
            QApplication.sendEvent(page, enter)
            assert enter.isAccepted()
            assert zone.isVisible()
            drop = dropped(QPoint(60, 60), mime, Qt.DropAction.MoveAction | Qt.DropAction.CopyAction)
            QApplication.sendEvent(page, drop)
            assert drop.dropAction() == Qt.DropAction.CopyAction
            assert not zone.isVisible()
            await until(lambda: len(chips(house)) == 1)
            edit = house.window.composer._edit
            enter = drag_enter(QPoint(5, 5), mime)
            QApplication.sendEvent(edit.viewport(), enter)
            drop = dropped(QPoint(5, 5), mime)
            QApplication.sendEvent(edit.viewport(), drop)
            await until(lambda: len(chips(house)) == 2)
            assert house.window.composer.text == ""
            words = QMimeData()
            words.setText("only words")
            refused = drag_enter(QPoint(60, 60), words)
            refused.ignore()
            QApplication.sendEvent(page, refused)
            assert not zone.isVisible()

    run(story())


def test_files_are_pasted_and_long_text_stays_text(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house() as house:
            edit, clipboard = house.window.composer._edit, QGuiApplication.clipboard()
            edit.setFocus()
            clipboard.setMimeData(mime_of(note(tmp_path)))
            QTest.keyClick(edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
            await until(lambda: len(chips(house)) == 1)
            assert house.window.composer.text == ""
            clipboard.setText("word " * 40_000)
            QTest.keyClick(edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
            assert len(house.window.composer.text) == 200_000
            assert len(chips(house)) == 1
            clipboard.setImage(QImage(8, 8, QImage.Format.Format_RGB32))
            QTest.keyClick(edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
            assert "Pictures cannot be attached" in house.window.notice.text
            clipboard.clear()

    run(story())


def test_what_cannot_be_read_is_said_and_costs_nothing_else(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        picture = tmp_path / "cat.png"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
        locked = write_pdf(tmp_path / "locked.pdf", ["Hidden"], password="sesame")
        scan = write_pdf(tmp_path / "scan {1}.pdf", [""])
        async with open_house() as house:
            QTest.keyClicks(house.window.composer._edit, "Look at this")
            house.window.composer.files_given.emit([picture, locked, scan, note(tmp_path)])
            await until(lambda: house.window.notice.isVisible())
            assert house.window.notice.text.splitlines() == [
                "cat.png is no text, PDF or Word document, so the model cannot read it.",
                "locked.pdf asks for a password. Save it without one, then attach it.",
                "scan {1}.pdf holds no text. A scan must be turned into text first.",
            ]
            assert [chip.item.name for chip in chips(house)] == ["beans.md"]
            assert house.window.composer.text == "Look at this"

    run(story())


def test_of_many_that_cannot_be_read_it_is_said_how_many_more_there_are(
    run: Run, open_house: OpenHouse, tmp_path: Path
) -> None:
    async def story() -> None:
        pictures = [tmp_path / f"cat{number}.png" for number in range(5)]
        for picture in pictures:
            picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
        async with open_house() as house:
            for given, last in ((pictures, "2 more are not attached."), (pictures[:4], "One more is not attached.")):
                house.window.notice.dismiss()
                house.window.composer.files_given.emit(given)
                await until(lambda: house.window.notice.isVisible())
                assert len(house.window.notice.text.splitlines()) == 4
                assert house.window.notice.text.endswith(last)

    run(story())


def test_chips_are_removed_by_mouse_and_by_key(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            names = ["one.txt", "two.txt", "three.txt"]
            house.window.composer.files_given.emit([note(tmp_path, name) for name in names])
            await until(lambda: counted(house, 3))
            for chip in chips(house):
                assert chip.accessibleName().startswith(f"{chip.item.name}, ")
                assert chip._remove.accessibleName() == f"Remove {chip.item.name}"
                assert chip.focusPolicy() & Qt.FocusPolicy.TabFocus
            QTest.mouseClick(chips(house)[1]._remove, Qt.MouseButton.LeftButton)
            assert [chip.item.name for chip in chips(house)] == ["one.txt", "three.txt"]
            house.window.activateWindow()
            chips(house)[0].setFocus()
            QTest.keyClick(chips(house)[0], Qt.Key.Key_Delete)
            assert [chip.item.name for chip in chips(house)] == ["three.txt"]
            QTest.keyClick(chips(house)[0]._remove, Qt.Key.Key_Space)
            assert chips(house) == []

    run(story())


@OPENS_A_DIALOG
def test_another_model_counts_anew(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house(Script(load_s=0.3)) as house:
            house.window.composer.files_given.emit([note(tmp_path)])
            await until(lambda: chips(house) and chips(house)[0].item.attachment is not None)
            assert chips(house)[0]._cost.text() == "…"  # nobody can count yet
            await until(lambda: counted(house, 1))
            house.opener.script = Script(template="{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}")
            before = chips(house)[0].item.n_tokens or 0
            house.window.header.model_wanted.emit()
            dialog = house.window.findChild(QFileDialog)
            assert isinstance(dialog, QFileDialog)
            dialog.fileSelected.emit(str(tmp_path / "Another-Chat-Q4_1.gguf"))
            dialog.reject()
            await until(lambda: counted(house, 1) and chips(house)[0].item.n_tokens == 2 * before)

    run(story())


def test_the_gauge_counts_the_chat_and_what_is_being_written(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready)
            gauge, edit = house.window.composer._gauge, house.window.composer._edit

            def used() -> int:
                return int(gauge.text().split(" of ")[0].replace(",", "")) if gauge.isVisible() else 0

            assert used() == 0
            QTest.keyClicks(edit, "Twelve chars")
            await until(lambda: used() > 12)
            QTest.keyClick(edit, Qt.Key.Key_Return)
            await answered(house)
            last = house.rows[-1]
            await until(lambda: used() == last.n_prompt + last.n_output)
            QTest.keyClicks(edit, "0123456789")
            await until(lambda: used() == last.n_prompt + last.n_output + 10)
            house.window.composer.files_given.emit([note(tmp_path)])
            await until(lambda: counted(house, 1))
            cost = chips(house)[0].item.n_tokens or 0
            await until(lambda: used() == last.n_prompt + last.n_output + 10 + cost)
            edit.setPlainText("x" * 5_000)
            await until(lambda: used() > 5_000)
            assert gauge.property("over")
            assert "more than the model reads" in gauge.accessibleName()

    run(story())


@pytest.mark.parametrize("width", [420, 600, 1100])
def test_nothing_in_the_row_is_cut_off(run: Run, open_house: OpenHouse, tmp_path: Path, width: int) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            composer: Composer = house.window.composer
            composer.files_given.emit([note(tmp_path, f"a file with a rather long name {n}.txt") for n in range(9)])
            await until(lambda: counted(house, 9))
            house.window.resize(width, 450)
            await until(lambda: composer._gauge.isVisible())
            for widget in (*composer._tab_order(), composer._gauge):
                assert widget.width() >= min(widget.sizeHint().width(), widget.maximumWidth())
                assert composer.rect().contains(widget.geometry())
            assert house.window.composer.mapTo(house.window, composer.rect().bottomRight()).y() < 450
            assert house.window.stage.height() > 100

    run(story())
