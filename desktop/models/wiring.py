"""Where the models' page meets the library, the one model in memory, and the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from desktop.chat.controller import ChatController
from desktop.framework.app_window import AppWindow
from desktop.models import strings
from desktop.models.download_manager import DownloadState
from desktop.models.library_controller import LibraryController, LibraryState
from desktop.models.load_options import LoadOptions
from desktop.models.model_controller import ModelController
from desktop.models.model_row import ModelRow
from desktop.models.model_row_delegate import Act
from desktop.models.model_switcher import ModelSwitcher
from desktop.models.page import ModelsPage
from desktop.platform.task_set import TaskSet
from engine.events import Status


class ModelsWiring(QObject):
    """Lives as long as its window. GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        page: ModelsPage,
        library: LibraryController,
        models: ModelController,
        chats: ChatController,
        switcher: ModelSwitcher,
        tasks: TaskSet,
    ) -> None:
        super().__init__(window)
        self._window, self._library, self._models, self._load, self._tasks = (
            window,
            library,
            models,
            switcher.load,
            tasks,
        )
        self._failed: set[str] = set()
        """Downloads whose failure was said."""
        self._page = page
        page.on_disk.set_list(library.on_disk)
        page.suggested.set_list(library.suggested)
        page.on_hub.set_list(library.on_hub)
        page.seen.connect(library.open)
        page.action_requested.connect(self._act)
        page.head.folder_requested.connect(self._choose_folder)
        page.head.file_requested.connect(switcher.choose_file)
        page.head.search.textChanged.connect(library.find)
        page.head.search.asked.connect(library.search_hub)
        page.on_hub.search_requested.connect(lambda: library.search_hub(page.head.search.text()))
        page.on_disk.folder_removed.connect(library.remove_folder)
        page.downloads.pause_requested.connect(library.downloads.pause)
        page.downloads.resume_requested.connect(library.downloads.resume)
        page.downloads.cancel_requested.connect(library.downloads.cancel)
        self._connect_sheet()
        library.changed.connect(self._show_state)
        library.room_changed.connect(page.head.show_room)
        library.failed.connect(lambda error: window.toast.show_message(strings.trouble(error), alert=True))
        library.downloads.changed.connect(page.downloads.show_states)
        library.downloads.changed.connect(self._tell_failed)
        library.downloads.arrived.connect(self._tell_arrived)
        models.status_changed.connect(self._show_status)
        chats.speed_measured.connect(library.learn_speed)
        self._show_state(library.state)

    def _connect_sheet(self) -> None:
        sheet = self._page.sheet
        sheet.choice_changed.connect(self._library.choose)
        sheet.load_requested.connect(self._load_as_chosen)
        sheet.unload_requested.connect(self._unload)
        sheet.folder_requested.connect(lambda folder: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        sheet.closed.connect(self._page.on_disk.view.setFocus)
        self._library.disk_changed.connect(self._refresh_sheet)

    def _act(self, act: Act, row: ModelRow) -> None:
        match act:
            case "load":
                self._load_as_chosen(row.path)
            case "unload":
                self._unload()
            case "cancel":
                self._models.cancel_load()
            case "download":
                self._library.download(row)
            case "settings":
                self._show_sheet(row)
                self._page.sheet.open_sheet()

    def _load_as_chosen(self, path: Path) -> None:
        self._library.apply(path)
        self._load(str(path))

    def _unload(self) -> None:
        self._tasks.spawn(self._models.unload(), "unload the model")

    def _show_sheet(self, row: ModelRow) -> None:
        choice: LoadOptions = self._library.choice_of(row.path)
        loaded = self._library.loaded if row.use == "in_use" else None
        self._page.sheet.show_model(row, choice, loaded)

    def _refresh_sheet(self) -> None:
        path = self._page.sheet.path
        if path is not None and (row := self._library.row_of(path)) is not None:
            self._show_sheet(row)

    def _show_state(self, state: LibraryState) -> None:
        self._page.show_state(state)

    def _show_status(self, status: Status) -> None:
        path = status.model.path if status.model is not None else self._models.path
        self._library.show_status(status, path)
        if status.state == "ready":
            self._window.toast.clear(str(path))

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Add a folder with models"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self._library.add_folder(Path(folder)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _tell_failed(self, states: Sequence[DownloadState]) -> None:
        """The page says why a download stopped; a person who is elsewhere has to be told too."""
        failed = {state.key: state for state in states if state.stage == "failed"}
        for key in self._failed - failed.keys():
            self._window.toast.clear(f"download of {key}")
        for key in failed.keys() - self._failed:
            if not self._window.is_page_shown("models"):
                text = self.tr("The download of {name} stopped: {reason}")
                text = text.format(name=failed[key].name, reason=strings.trouble(failed[key].error))
                action, topic = self.tr("Show the models"), f"download of {key}"
                self._window.toast.show_message(
                    text, alert=True, action=action, act=lambda: self._window.show_page("models"), topic=topic
                )
        self._failed = set(failed)

    def _tell_arrived(self, path: Path) -> None:
        name = strings.name_of_file(path)
        text = self.tr("{name} is here.").format(name=name)
        act, topic = lambda: self._load(str(path)), str(path)
        self._window.toast.show_message(text, action=self.tr("Load it"), act=act, topic=topic)
