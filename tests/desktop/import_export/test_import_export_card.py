"""Tests of import, export, backup and restore in the window: toasts, and the card of the settings page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.import_export.restore import finish_restore, is_restore_staged
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.import_export import foreign_exports
from tests.desktop.import_export.foreign_exports import chats_in
from tests.desktop.import_export.gui_driver import card_of, controller_of, toast_shows, wiring_of
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.fakes import Script


def test_export_of_another_program_is_imported_and_a_missing_file_is_reported(
    run: Run, open_gui: OpenGui, tmp_path: Path
) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps(foreign_exports.CHATGPT))

    async def story() -> None:
        async with open_gui() as gui:
            gui.window.sidebar.page_buttons["settings"].click()
            card = card_of(gui)
            assert gui.window.pages.currentWidget() is gui.window.view("settings")
            wiring_of(gui).start_import(tmp_path / "conversations.json")
            await until(lambda: card._import_status.text() == "One chat imported.")
            await until(lambda: "Sea" in titles(gui))
            wiring_of(gui).start_import(tmp_path / "conversations.json")
            await until(lambda: "One was here already" in card._import_status.text())
            wiring_of(gui).start_import(tmp_path / "nowhere.json")
            await toast_shows(gui, "nowhere.json could not be read or written completely: No such file or directory.")
            assert card._import_buttons[0].isEnabled()

    run(story())


def test_chat_is_exported_in_every_format(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"It is **wide**.")) as gui:
            type_and_send(gui, "The sea?")
            await answered(gui)
            controller = controller_of(gui)
            chat = wiring_of(gui)._chats.sessions.current
            for form in ("md", "html", "pdf", "json"):
                controller.export(chat, tmp_path / f"sea.{form}", form)
                await toast_shows(gui, f"Saved as sea.{form}.")
            controller.export(chat, tmp_path / "no" / "sea.md", "md")
            await toast_shows(gui, "sea.md could not be")

    run(story())
    assert "It is **wide**." in (tmp_path / "sea.md").read_text()
    assert "<b>wide</b>" in (tmp_path / "sea.html").read_text()
    assert (tmp_path / "sea.pdf").read_bytes().startswith(b"%PDF-")
    (back,) = chats_in(tmp_path / "sea.json")
    assert [message.text for message in back.messages] == ["The sea?", "It is **wide**."]
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_backup_is_restored_at_the_next_start(run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"It is wide.")) as gui:
            type_and_send(gui, "The sea?")
            await answered(gui)
            controller = controller_of(gui)
            controller.back_up(tmp_path / "all.zip")
            await toast_shows(gui, "Saved as all.zip.")
            gui.chats.requests.delete_requested.emit((gui.rows[0].chat_id,))
            controller.restore(tmp_path / "all.zip")
            await toast_shows(gui, "is restored at the next start")
        assert finish_restore(profile.root)
        async with open_gui() as gui:
            await until(lambda: "The sea?" in titles(gui))

    run(story())


def test_import_with_malformed_chats_shows_their_number(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    chats = [
        {**foreign_exports.CHATGPT[0], "conversation_id": f"c{number}", "title": f"Sea {number}"} for number in range(3)
    ]
    bad = [{"title": "no tree", "mapping": None}, None]
    text = json.dumps([chats[0], *bad, *chats[1:]]).replace("Sea 1", "Sea \\ud83d").replace("the sea?", "the \\udc00?")
    (tmp_path / "conversations.json").write_text(text)

    async def story() -> None:
        async with open_gui() as gui:
            wiring, card = wiring_of(gui), card_of(gui)
            wiring.start_import(tmp_path / "conversations.json")
            await until(lambda: card._import_buttons[0].isEnabled())
            assert card._import_status.text().startswith(
                "3 chats imported. 2 chats could not be read: “no tree” and others."
            )
            await until(lambda: {"Sea 0", "Sea \ufffd", "Sea 2"} <= set(titles(gui)))

    run(story())


def test_unexpected_import_error_is_logged_and_reenables_the_buttons(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps(foreign_exports.CHATGPT))

    async def fail(*_: object) -> object:
        raise ZeroDivisionError("a bug")

    async def story() -> None:
        async with open_gui() as gui:
            card = card_of(gui)
            monkeypatch.setattr("desktop.import_export.importer.Importer._import_batch", fail)
            wiring_of(gui).start_import(tmp_path / "conversations.json")
            await toast_shows(gui, "Something went wrong")
            assert card._import_buttons[0].isEnabled()
            assert card._import_status.text() == ""
            monkeypatch.undo()
            wiring_of(gui).start_import(tmp_path / "conversations.json")
            await until(lambda: card._import_status.text() == "One chat imported.")

    run(story())
    assert "import chats failed" in (profile.root / "inglenook.log").read_text()


def test_stopped_import_reenables_the_buttons(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    many = [{**foreign_exports.CHATGPT[0], "conversation_id": f"c{number}"} for number in range(3_000)]
    (tmp_path / "conversations.json").write_text(json.dumps(many))

    async def story() -> None:
        async with open_gui() as gui:
            card = card_of(gui)
            wiring_of(gui).start_import(tmp_path / "conversations.json")
            assert not card._import_buttons[0].isEnabled()
            card._stop_import.click()
            await until(lambda: card._import_buttons[0].isEnabled())
            assert "Reading" not in card._import_status.text()

    run(story())


def test_staged_restore_is_shown_and_can_be_cancelled(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            controller, card = controller_of(gui), card_of(gui)
            gui.window.show_page("settings")
            assert card._cancel_restore.isHidden()
            await until(lambda: gui.ready)
            controller.back_up(tmp_path / "all.zip")
            await toast_shows(gui, "Saved as all.zip.")
            controller.restore(tmp_path / "all.zip")
            await until(card._cancel_restore.isVisible)
        async with open_gui() as gui:  # a restart without `finish_restore`: the backup is still staged
            card = card_of(gui)
            assert card._restore_status.text() == "A backup is restored at the next start."
            card._cancel_restore.click()
            await until(card._cancel_restore.isHidden)
            assert not is_restore_staged(profile.root)

    run(story())


def test_focus_returns_to_the_import_button_after_an_import(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps(foreign_exports.CHATGPT))

    async def story() -> None:
        async with open_gui() as gui:
            gui.window.show_page("settings")
            card = card_of(gui)
            for button in card._import_buttons:
                button.setFocus()
                wiring_of(gui).start_import(tmp_path / "conversations.json")
                assert gui.window.focusWidget() is card._stop_import
                await until(lambda: card._import_buttons[0].isEnabled())
                assert gui.window.focusWidget() is button

    run(story())


def test_focus_moved_by_the_user_during_an_import_is_kept(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps(foreign_exports.CHATGPT))

    async def story() -> None:
        async with open_gui() as gui:
            gui.window.show_page("settings")
            card = card_of(gui)
            card._import_buttons[0].setFocus()
            wiring_of(gui).start_import(tmp_path / "conversations.json")
            gui.window.view("settings")._copy.setFocus()
            await until(lambda: card._import_buttons[0].isEnabled())
            assert gui.window.focusWidget() is gui.window.view("settings")._copy

    run(story())
