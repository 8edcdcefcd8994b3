"""The note in a model's settings says whether its MTP layers draft tokens, and if not, why."""

from __future__ import annotations

from pathlib import Path

from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import click, page_of, rows, save_folder, use_of
from tests.engine.library.fake_hub import FakeHub
from tests.model_files.tiny_mtp import write_mtp_model


def test_settings_say_whether_mtp_layers_draft(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)
    path = write_mtp_model(model_folder / "Tiny-MTP.gguf")

    async def story() -> None:
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Tiny MTP") == "in_use")
            await until(lambda: rows(page.local_models.view)[0].fit is not None)
            click(page.local_models.view, "Tiny MTP", "settings")
            note, drafts = page.sheet.mtp_note, page.sheet.drafts.group
            assert note.isVisible()
            assert "draft where a text does not repeat itself" in note.text()
            drafts.button(1).click()
            await until(lambda: "not used: draft tokens are turned off" in note.text())
            drafts.button(0).click()
            await until(lambda: "draft where" in note.text())
            page.sheet.close_sheet()
            click(page.local_models.view, "Alpha", "settings")
            assert page.sheet.mtp_note.isHidden()

    run(story())
