"""Takes screenshots of the models page in each of its states."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.models.download_manager import DownloadState
from desktop.models.hub_search import HubSearchState
from desktop.models.library_controller import LibraryState
from desktop.models.model_list import ModelRow
from desktop.models.page import ModelsPage
from desktop.settings.settings_file import SettingsFile
from engine.files.profile import Profile
from engine.library.hub_errors import Corrupt, HubUnreachable
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SIZES, fill, show
from tests.engine.library.fake_hub import FakeHub, FakeRepo
from tests.model_files.sparse_model import write_sparse

GIGA = 10**9
DOWNLOADS = (
    DownloadState("a/1", "Qwen3 4B", "fetching", "Q4_K_M", 611_000_000, 2_500_000_000, 9_100_000),
    DownloadState("a/2", "Gemma 3 4B", "paused", "Q4_K_M", 1_900_000_000, 2_490_000_000),
    DownloadState("a/3", "Mistral Nemo 12B", "failed", error=Corrupt("Mistral-Nemo.gguf")),
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    fake_hub = FakeHub(
        {
            "ggml-org/gemma-3-4b-it-GGUF": FakeRepo({}, 1_204_000, "gemma", gguf={"total": 3_880_000_000}),
            "bartowski/gemma-2-2b-it-GGUF": FakeRepo({}, 88_000, "gemma", gguf={"total": 2_610_000_000}),
            "unsloth/gemma-3-27b-it-GGUF": FakeRepo({}, 61_000, "gemma", gguf={"total": 27_000_000_000}),
            "google/gemma-3-1b-it-qat-q4_0-gguf": FakeRepo({}, 9_000, "gemma", True, {"total": 1_000_000_000}),
        }
    ).start()
    monkeypatch.setenv("HF_ENDPOINT", fake_hub.endpoint)
    yield fake_hub
    fake_hub.stop()


def page_of(gui: Gui) -> ModelsPage:
    page = gui.window.view("models", ModelsPage)
    assert page is not None
    return page


def write_models(folder: Path) -> None:
    """Write five model files, of which one is too big for this machine and one is damaged."""
    write_sparse(folder / "Qwen2.5-0.5B-Instruct-Q4_K_M.gguf", n_bytes=GIGA * 4 // 10, n_layers=24, n_embd=896)
    write_sparse(folder / "Llama-3.2-3B-Instruct-Q4_K_M.gguf", n_bytes=2 * GIGA)
    write_sparse(folder / "Qwen3-32B-Q4_K_M.gguf", n_bytes=19_800_000_000, n_layers=64, n_embd=5120)
    write_sparse(folder / "Llama-3.3-70B-Instruct-Q4_K_M.gguf", n_bytes=42_500_000_000, n_layers=80, n_embd=8192)
    with (folder / "Llama-3.2-3B-Instruct-Q4_K_M.gguf").open("rb") as whole:
        (folder / "Phi-4-mini-instruct-Q4_K_M.gguf").write_bytes(whole.read(9000))


async def open_page(gui: Gui, n_rows: int) -> ModelsPage:
    page = page_of(gui)
    gui.window.sidebar.page_buttons["models"].click()
    await until(lambda: len(page.local_models._list or ()) >= n_rows)
    await until(lambda: any(row.fit is not None and row.fit.tokens_per_s for row in rows(page)))
    return page


def rows(page: ModelsPage) -> list[ModelRow]:
    models = page.local_models._list
    assert models is not None
    return [models[n] for n in range(len(models))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_of_models_page_are_saved(
    run: Run,
    open_gui: OpenGui,
    profile: Profile,
    hub: FakeHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # sets the home folder, so that folders in it are shown with ~
    write_models(tmp_path / "models")
    settings = SettingsFile(profile.settings)
    settings.change(model_folders=[str(tmp_path / "models"), str(tmp_path / "gone")])
    settings.save()

    async def story() -> None:
        await fill(profile)
        path = tmp_path / "models" / "Qwen2.5-0.5B-Instruct-Q4_K_M.gguf"
        async with open_gui(theme=scheme, file=path) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            page = await open_page(gui, 5)
            await show(gui, "models", scheme)
            page.local_models.view.setFocus()
            await show(gui, "models-focus", scheme, SIZES[1:2])
            page.downloads.show_states(DOWNLOADS)
            await show(gui, "models-downloads", scheme)
            page.verticalScrollBar().setValue(page.downloads.y())
            await show(gui, "models-downloads-seen", scheme, SIZES[:1])
            page.downloads.show_states(())
            row = next(row for row in rows(page) if row.name.startswith("Llama 3.2"))
            page.action_requested.emit("settings", row)
            await show(gui, "models-settings", scheme)
            page.sheet.close_sheet()
            page.header.search.setText("gemma")
            await show(gui, "models-filter", scheme, SIZES[:2])
            page.header.search.search_requested.emit("gemma")
            await until(lambda: len(page.hub_results._list or ()) == 4)
            await show(gui, "models-search", scheme)
            page.show_state(LibraryState(filter="gemma", hub=HubSearchState("failed", "gemma", error=HubUnreachable())))
            page.hub_results._list.show(())  # type: ignore[union-attr]
            await show(gui, "models-offline", scheme, SIZES[:2])

    run(story())


def test_screenshots_of_empty_models_page_are_saved(
    run: Run, open_gui: OpenGui, hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("desktop.models.library_controller.default_model_folder", lambda: tmp_path / "nowhere")

    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: len(page.recommended._list or ()) >= 8 and not page.local_models.note.text())
            await show(gui, "models-empty", "light", SIZES)

    run(story())
