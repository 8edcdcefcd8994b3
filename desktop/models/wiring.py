"""Connects the models page with the library, the loaded model and the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from desktop.chat.controller import ChatController
from desktop.framework.app_window import AppWindow
from desktop.models import strings
from desktop.models.download_manager import DownloadState
from desktop.models.graphics_controller import GraphicsController
from desktop.models.library_controller import LibraryController
from desktop.models.model_controller import ModelController
from desktop.models.model_list import ModelRow
from desktop.models.model_row_delegate import RowAction
from desktop.models.model_settings_sheet import ModelSettingsSheet
from desktop.models.model_switcher import ModelSwitcher
from desktop.models.page import ModelsPage
from desktop.platform.daemon_thread import detached
from desktop.platform.task_set import TaskSet
from engine.library.new_adapters import check_new_adapters
from engine.status import ModelInfo, Status


class ModelsWiring(QObject):
    """Owns the connections of the models page, which is created by `make_page`. A child object of the window. GUI
    thread only."""

    def __init__(
        self,
        window: AppWindow,
        library: LibraryController,
        models: ModelController,
        chats: ChatController,
        switcher: ModelSwitcher,
        tasks: TaskSet,
        graphics: GraphicsController,
        offers_to_load: Callable[[Path], bool],
        shows_download: Callable[[str], bool],
    ) -> None:
        """`offers_to_load(path)` returns whether another part of the window offers to load this file now, and
        `shows_download(key)` whether one shows the state of this download."""
        super().__init__(window)
        self._offers_to_load, self._shows_download = offers_to_load, shows_download
        self._graphics = graphics
        self._window, self._library = window, library
        self._models, self._switcher, self._tasks = models, switcher, tasks
        self._failed: set[str] = set()
        """Keys of the downloads whose failure was already shown in a toast."""
        library.failed.connect(lambda error: window.toast.show_message(strings.hub_error(error), alert=True))
        library.downloads.changed.connect(self._report_failed)
        library.downloads.arrived.connect(self._report_arrived)
        models.status_changed.connect(self._show_status)
        chats.sessions.speed_measured.connect(self._add_measured_speed)

    def make_page(self) -> ModelsPage:
        """Creates the page and connects it. Called once."""
        page, library = ModelsPage(self._window.theme), self._library
        self._connect_page(page)
        self._connect_sheet(page)
        library.changed.connect(page.show_state)
        library.capacity_changed.connect(page.header.show_capacity)
        self._connect_cards(page)
        library.downloads.changed.connect(page.downloads.show_states)
        page.show_state(library.state)
        page.header.show_capacity(library.capacity)
        page.downloads.show_states(library.downloads.states)
        return page

    def _connect_page(self, page: ModelsPage) -> None:
        library = self._library
        page.local_models.set_list(library.local_models)
        page.recommended.set_list(library.recommended)
        page.hub_results.set_list(library.hub_results)
        page.seen.connect(library.page_shown)
        page.action_requested.connect(partial(self._perform, page))
        page.header.folder_requested.connect(self._choose_folder)
        page.header.file_requested.connect(self._switcher.choose_file)
        page.header.search.textChanged.connect(library.filter_by)
        page.header.search.search_requested.connect(library.search_hub)
        page.hub_results.search_requested.connect(lambda: library.search_hub(page.header.search.text()))
        page.local_models.folder_removed.connect(library.remove_folder)
        page.downloads.pause_requested.connect(library.downloads.pause)
        page.downloads.resume_requested.connect(library.downloads.resume)
        page.downloads.cancel_requested.connect(library.downloads.cancel)

    def _connect_cards(self, page: ModelsPage) -> None:
        cards = page.header.cards
        self._graphics.changed.connect(cards.show_state)
        cards.show_state(self._graphics.state)
        cards.retry_requested.connect(self._graphics.try_again)
        cards.load_requested.connect(self._load_again)

    def _connect_sheet(self, page: ModelsPage) -> None:
        sheet = page.sheet
        sheet.options_changed.connect(self._library.edit_options)
        sheet.adapters.folder = self._library.models_folder
        sheet.adapters_requested.connect(partial(self._add_adapters, sheet))
        sheet.load_requested.connect(self._load_with_options)
        sheet.unload_requested.connect(self._unload)
        sheet.folder_requested.connect(lambda folder: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        sheet.closed.connect(page.local_models.view.setFocus)
        self._library.local_models_changed.connect(partial(self._refresh_sheet, sheet))

    def _perform(self, page: ModelsPage, action: RowAction, row: ModelRow) -> None:
        match action:
            case "load":
                self._load_with_options(row.path)
            case "unload":
                self._unload()
            case "cancel":
                self._models.cancel_load()
            case "download":
                self._library.download(row)
            case "settings":
                self._show_sheet(page.sheet, row)
                page.sheet.open_sheet()

    def _load_with_options(self, path: Path) -> None:
        self._library.save_options(path)
        self._switcher.load(str(path))

    def _add_adapters(self, sheet: ModelSettingsSheet, model: Path, paths: Sequence[Path]) -> None:
        self._tasks.spawn(self._check_and_add(sheet, model, paths), "check adapters")

    async def _check_and_add(self, sheet: ModelSettingsSheet, model: Path, paths: Sequence[Path]) -> None:
        usable, errors = await detached("check-adapters", check_new_adapters, paths, model)
        if sheet.path == model:
            sheet.adapters.add_checked(usable, errors)

    def _load_again(self) -> None:
        if self._models.path is not None:
            self._switcher.load(str(self._models.path))

    def _unload(self) -> None:
        self._tasks.spawn(self._models.unload(), "unload the model")

    def _show_sheet(self, sheet: ModelSettingsSheet, row: ModelRow) -> None:
        loaded = self._library.loaded_options if row.use == "in_use" else None
        library, path = self._library, row.path
        options, draft_models = library.options_for(path), library.draft_models_for(path)
        cards, plan, mtp_refusal = library.capacity.cards, library.plan_for(path), library.mtp_refusal_for(path)
        sheet.show_model(row, options, loaded, draft_models, cards, plan, mtp_refusal)

    def _refresh_sheet(self, sheet: ModelSettingsSheet) -> None:
        if sheet.path is not None and (row := self._library.row_for(sheet.path)) is not None:
            self._show_sheet(sheet, row)

    def _show_status(self, status: Status) -> None:
        path = status.model.path if status.model is not None else self._models.path
        self._library.update_status(status, path)
        if status.state == "ready":
            self._window.toast.clear(str(path))

    def _add_measured_speed(self, tokens_per_s: float) -> None:
        if isinstance(self._models.chat_status.model, ModelInfo):
            self._library.add_measured_speed(tokens_per_s)

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Add a folder with models"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self._library.add_folder(Path(folder)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _report_failed(self, states: Sequence[DownloadState]) -> None:
        """Show a toast for a failed download, unless the models page or the offer shows the reason."""
        failed = {state.key: state for state in states if state.stage == "failed"}
        for key in self._failed - failed.keys():
            self._window.toast.clear(f"download of {key}")
        for key in failed.keys() - self._failed:
            if not self._window.is_page_shown("models") and not self._shows_download(key):
                text = self.tr("The download of {name} stopped: {reason}")
                text = text.format(name=failed[key].name, reason=strings.hub_error(failed[key].error))
                action, topic = self.tr("Show the models"), f"download of {key}"
                self._window.toast.show_message(
                    text, alert=True, action=action, act=lambda: self._window.show_page("models"), topic=topic
                )
        self._failed = set(failed)

    def _report_arrived(self, path: Path) -> None:
        if self._offers_to_load(path):
            return
        name = strings.model_name_from_path(path)
        text = self.tr("{name} was downloaded.").format(name=name)
        act, topic = lambda: self._switcher.load(str(path)), str(path)
        self._window.toast.show_message(text, action=self.tr("Load it"), act=act, topic=topic)
