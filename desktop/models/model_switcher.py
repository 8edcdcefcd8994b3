"""Loads another model at the user's request, and shows the status of the model on the chat page and in toasts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QFileDialog

from desktop.chat.header import ModelState
from desktop.chat.page import ChatPage
from desktop.connections import strings as connection_strings
from desktop.error_messages import error_message
from desktop.framework.actions import Action
from desktop.framework.app_window import AppWindow
from desktop.models import strings
from desktop.models.model_controller import ModelController
from desktop.models.placement_strings import fewer_layers
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from engine.chat_engine import EngineStatus
from engine.errors import CardLost, EngineError, LoadCancelled
from engine.status import ModelInfo, Status

translate = QCoreApplication.translate

HEADER_STATES: dict[str, ModelState] = {"ready": "ready", "loading": "loading"}
TOPIC = "model"


class ModelSwitcher(QObject):
    """Connects the model controller with the chat page. A child object of the window. GUI thread only."""

    def __init__(
        self, window: AppWindow, page: ChatPage, models: ModelController, settings: AppSettings, tasks: TaskSet
    ) -> None:
        super().__init__(window)
        self._window, self._page, self._models = window, page, models
        self._settings, self._tasks = settings, tasks
        self._load_errors: tuple[EngineError, ...] = ()
        self._model: ModelInfo | None = None
        page.greeting.model_file_requested.connect(self.choose_file)
        models.chat_status_changed.connect(self._show_status)

    def actions(self) -> list[Action]:
        """The actions about the model. The menu of the model button in the header shows them too."""
        return [
            Action(
                "cancel_load",
                translate("actions", "Cancel loading the model"),
                self._models.cancel_load,
                is_possible=lambda: self._page.header.is_loading and self._models.answers_locally,
                menu="model",
                label=translate("actions", "Cancel loading"),
                icon="x",
            ),
            Action(
                "open_model",
                translate("actions", "Open a model file…"),
                self.choose_file,
                "Ctrl+O",
                menu="model",
                icon="folder-open",
            ),
        ]

    def choose_file(self) -> None:
        """Open a file dialog and load the chosen model."""
        dialog = QFileDialog(self._window, translate("window", "Open a model file"))
        dialog.setNameFilters([translate("window", "Models (*.gguf)"), translate("window", "All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.load)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def load(self, path: str) -> None:
        """Start to load the file. If the load succeeds, the app loads this file again at its next start."""
        self._tasks.spawn(self._load(Path(path)), "load a model")

    async def _load(self, path: Path) -> None:
        self._page.header.show_speed(0)
        if await self._models.load(path):
            self._settings.change(model_path=str(path))

    def _reload(self, *, on_processor: bool = False) -> None:
        self._tasks.spawn(self._models.reload(on_processor=on_processor), "load the model again")

    def _show_death(self, error: BaseException) -> None:
        """Offer to load the model again; also without the graphics card, if that has failed."""
        again = translate("window", "Load it again")
        without_card = (translate("window", "Load on the processor"), partial(self._reload, on_processor=True))
        self._window.toast.show_message(
            error_message(error),
            alert=True,
            action=again,
            act=self._reload,
            other_action=without_card if isinstance(error, CardLost) else None,
            topic=TOPIC,
        )

    def _show_load_errors(self, status: EngineStatus) -> None:
        """Show once for each load why the model was loaded without its draft model or an adapter."""
        errors = status.model.load_errors if isinstance(status.model, ModelInfo) else ()
        if errors and errors != self._load_errors:
            self._window.toast.show_message(" ".join(map(error_message, errors)), alert=True, topic=TOPIC)
        self._load_errors = errors

    def _show_fewer_layers(self, status: EngineStatus) -> None:
        """Show once for each load that a card had less memory than it reported."""
        model, before = status.model, self._model
        self._model = model if isinstance(model, ModelInfo) else None
        if not isinstance(model, ModelInfo) or model.memory is None:
            return
        if before is not None and before.loaded_at == model.loaded_at:
            return
        if text := fewer_layers(model.memory.offload, model.n_layers_wanted):
            self._window.toast.show_message(text, topic=TOPIC)

    def _show_status(self, status: EngineStatus) -> None:
        header_state = HEADER_STATES.get(status.state, "none")
        has_card = isinstance(status, Status) and any(each.devices for each in status.backends)
        state, facts = strings.model_state(status), strings.model_facts(status.model, has_card=has_card)
        self._page.header.show_model(state, header_state, status.progress, facts)
        self._page.greeting.show_model(header_state, connection_strings.greeting(status))
        toast, error = self._window.toast, status.error
        if error is not None and not self._models.answers_locally:
            return  # the connections show why a server does not answer
        if error is None:
            if status.state in HEADER_STATES:
                toast.clear(TOPIC)
            self._show_load_errors(status)
            self._show_fewer_layers(status)
        elif status.state == "dead":
            self._show_death(error)
        elif isinstance(error, LoadCancelled):  # this toast is not an alert, because the user cancelled the load
            toast.show_message(error_message(error), for_ms=5_000, topic=TOPIC)
        else:
            choose = translate("window", "Choose another…")
            toast.show_message(error_message(error), alert=True, action=choose, act=self.choose_file, topic=TOPIC)
