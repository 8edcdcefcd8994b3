"""The page of settings: chats in and out as a person brings them, and a report without a word of theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton

from desktop.import_export.restore import finish_restore, is_restore_staged
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.import_export import foreign_exports
from tests.desktop.import_export.foreign_exports import chats_in
from tests.desktop.shell.test_gallery import SIZES, fill, show
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.fakes import Script


def wiring_of(gui: Gui) -> object:
    from desktop.settings.settings_wiring import SettingsWiring

    (wiring,) = [child for child in gui.window.children() if isinstance(child, SettingsWiring)]
    return wiring


async def said(gui: Gui, words: str) -> None:
    await until(lambda: words in gui.window.toast.text)


async def found(gui: Gui) -> None:
    view = gui.window.sidebar._found
    assert view is not None
    await until(view.isVisible)


async def lived_in(gui: Gui) -> None:
    await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)


def test_an_export_of_another_program_comes_in(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps(foreign_exports.CHATGPT))

    async def story() -> None:
        async with open_gui() as gui:
            gui.window.sidebar.page_buttons["settings"].click()
            page = gui.window.view("settings")
            assert gui.window.pages.currentWidget() is page
            wiring_of(gui).start_import(tmp_path / "conversations.json")  # type: ignore[attr-defined]
            await until(lambda: page._progress.text() == "One chat came in.")
            await until(lambda: "Sea" in titles(gui))
            wiring_of(gui).start_import(tmp_path / "conversations.json")  # type: ignore[attr-defined]
            await until(lambda: "One was here already" in page._progress.text())
            wiring_of(gui).start_import(tmp_path / "nowhere.json")  # type: ignore[attr-defined]
            await said(gui, "nowhere.json could not be read or written to its end: No such file or directory.")
            assert page._imports[0].isEnabled()

    run(story())


def test_a_chat_goes_out_in_every_form(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"It is **wide**.")) as gui:
            type_and_send(gui, "The sea?")
            await answered(gui)
            exchange = wiring_of(gui)._exchange  # type: ignore[attr-defined]
            chat = wiring_of(gui)._chats.current  # type: ignore[attr-defined]
            for form in ("md", "html", "pdf", "json"):
                exchange.export(chat, tmp_path / f"sea.{form}", form)
                await said(gui, f"Saved as sea.{form}.")
            exchange.export(chat, tmp_path / "no" / "sea.md", "md")
            await said(gui, "sea.md could not be")

    run(story())
    assert "It is **wide**." in (tmp_path / "sea.md").read_text()
    assert "<b>wide</b>" in (tmp_path / "sea.html").read_text()
    assert (tmp_path / "sea.pdf").read_bytes().startswith(b"%PDF-")
    (back,) = chats_in(tmp_path / "sea.json")
    assert [message.text for message in back.messages] == ["The sea?", "It is **wide**."]
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_everything_is_backed_up_and_comes_back_at_the_next_start(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path
) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"It is wide.")) as gui:
            type_and_send(gui, "The sea?")
            await answered(gui)
            exchange = wiring_of(gui)._exchange  # type: ignore[attr-defined]
            exchange.back_up(tmp_path / "all.zip")
            await said(gui, "Saved as all.zip.")
            gui.chats.delete_requested.emit((gui.rows[0].chat_id,))
            exchange.restore(tmp_path / "all.zip")
            await said(gui, "comes back when Inglenook starts next")
        assert finish_restore(profile.root)
        async with open_gui() as gui:
            await until(lambda: "The sea?" in titles(gui))

    run(story())


def test_export_with_half_an_emoji_and_bad_chats_comes_in_and_is_counted(
    run: Run, open_gui: OpenGui, tmp_path: Path
) -> None:
    chats = [
        {**foreign_exports.CHATGPT[0], "conversation_id": f"c{number}", "title": f"Sea {number}"} for number in range(3)
    ]
    bad = [{"title": "no tree", "mapping": None}, None]
    text = json.dumps([chats[0], *bad, *chats[1:]]).replace("Sea 1", "Sea \\ud83d").replace("the sea?", "the \\udc00?")
    (tmp_path / "conversations.json").write_text(text)

    async def story() -> None:
        async with open_gui() as gui:
            wiring, page = wiring_of(gui), gui.window.view("settings")
            wiring.start_import(tmp_path / "conversations.json")  # type: ignore[attr-defined]
            await until(lambda: page._imports[0].isEnabled())
            assert page._progress.text().startswith("3 chats came in. 2 chats could not be read: “no tree” and others.")
            await until(lambda: {"Sea 0", "Sea \ufffd", "Sea 2"} <= set(titles(gui)))

    run(story())


def test_unforeseen_error_of_an_import_is_logged_and_frees_the_page(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps(foreign_exports.CHATGPT))

    async def fail(*_: object) -> object:
        raise ZeroDivisionError("a bug")

    async def story() -> None:
        async with open_gui() as gui:
            page = gui.window.view("settings")
            monkeypatch.setattr("desktop.import_export.importer.Importer._take", fail)
            wiring_of(gui).start_import(tmp_path / "conversations.json")  # type: ignore[attr-defined]
            await said(gui, "Something went wrong")
            assert page._imports[0].isEnabled()
            assert page._progress.text() == ""
            monkeypatch.undo()
            wiring_of(gui).start_import(tmp_path / "conversations.json")  # type: ignore[attr-defined]
            await until(lambda: page._progress.text() == "One chat came in.")

    run(story())
    assert "bring chats in failed" in (profile.root / "inglenook.log").read_text()


def test_stopped_import_frees_the_page(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    many = [{**foreign_exports.CHATGPT[0], "conversation_id": f"c{number}"} for number in range(3_000)]
    (tmp_path / "conversations.json").write_text(json.dumps(many))

    async def story() -> None:
        async with open_gui() as gui:
            page = gui.window.view("settings")
            wiring_of(gui).start_import(tmp_path / "conversations.json")  # type: ignore[attr-defined]
            assert not page._imports[0].isEnabled()
            page._cancel.click()
            await until(lambda: page._imports[0].isEnabled())
            assert "Reading" not in page._progress.text()

    run(story())


def test_staged_restore_is_shown_and_can_be_cancelled(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            exchange, page = wiring_of(gui)._exchange, gui.window.view("settings")  # type: ignore[attr-defined]
            gui.window.show_page("settings")
            assert page._cancel_restore.isHidden()
            await until(lambda: gui.ready)
            exchange.back_up(tmp_path / "all.zip")
            await said(gui, "Saved as all.zip.")
            exchange.restore(tmp_path / "all.zip")
            await until(page._cancel_restore.isVisible)
        async with open_gui() as gui:  # as after a restart that did not put it in place
            page = gui.window.view("settings")
            assert page._restore.text() == "A backup comes back when Inglenook starts next."
            page._cancel_restore.click()
            await until(page._cancel_restore.isHidden)
            assert not is_restore_staged(profile.root)

    run(story())


def test_damaged_settings_are_said_in_the_window(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        profile.settings.write_text("{")
        async with open_gui() as gui:
            await said(gui, "The file of your settings was damaged. It is kept as settings.json.damaged-")

    run(story())


def test_a_report_holds_no_chat_and_no_folder(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"A secret answer.")) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "A secret question")
            await answered(gui)
            page = gui.window.view("settings")
            page._copy.click()
            report = QGuiApplication.clipboard().text()
            assert "llama-cpp-python: 0.3" in report
            assert "model: ready" in report
            assert "secret" not in report
            assert str(tmp_path) not in report

    run(story())


def has_room_when_chosen(button: QPushButton) -> bool:
    option = QStyleOptionButton()
    button.initStyleOption(option)
    room = button.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, button)
    bold = QFont(button.font())
    bold.setWeight(QFont.Weight.DemiBold)
    return QFontMetrics(bold).horizontalAdvance(button.text()) <= room.width()


def test_a_choice_is_wide_enough_for_the_weight_of_the_chosen_one(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        for language in ("en", "de"):
            async with open_gui(language=language) as gui:
                gui.window.show_page("settings")
                sheet = gui.window.chat_page.settings_sheet
                choices = gui.window.view("settings").findChildren(QPushButton, "choice")
                assert len(choices) == 6
                assert all(map(has_room_when_chosen, choices))
                gui.window.show_page("chat")
                sheet.open_sheet()
                segments = sheet.findChildren(QPushButton, "segment")
                assert len(segments) == 3
                assert all(map(has_room_when_chosen, segments))

    run(story())


def test_it_is_pictured(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        for scheme in ("light", "dark"):
            async with open_gui(theme=scheme) as gui:
                await lived_in(gui)
                gui.window.show_page("settings")
                await show(gui, "settings", scheme)
                gui.window.show_page("chat")
                gui.window.sidebar.search.setText("garden")
                await found(gui)
                await show(gui, "search", scheme, SIZES[1:2])

    run(story())
