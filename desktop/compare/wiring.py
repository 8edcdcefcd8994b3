"""Connects comparisons with the chat page, the local models and the connections."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.chat.answer_source import WindowModel
from desktop.chat.composer.composer_controller import ComposerController
from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.compare import strings
from desktop.compare.controller import CompareController
from desktop.compare.local_models import LocalModel, LocalModels
from desktop.compare.model_choice import ModelChoice
from desktop.compare.remote_model import connected_choices
from desktop.connections.controller import ConnectionsController
from desktop.framework.app_window import AppWindow
from desktop.models.library_controller import LibraryController
from desktop.models.model_controller import ModelController
from desktop.models.strings import model_name_from_path
from engine.status import ModelInfo


def open_comparison(
    window: AppWindow,
    page: ChatPage,
    chats: ChatController,
    composer: ComposerController,
    models: ModelController,
    library: LibraryController,
    local: LocalModels,
    connections: ConnectionsController,
) -> CompareController:
    """Makes the controller of comparisons, which the window owns."""

    def choices() -> Sequence[ModelChoice]:
        return [
            *_window_model(models),
            *_other_models(models, library, local),
            *connected_choices(connections),
        ]

    def look_for_models() -> None:
        library.page_shown()
        connections.look_at_all()

    controller = CompareController(window, page, chats, composer, choices, look_for_models)
    connections.changed.connect(lambda _: controller.refresh())
    library.local_models_changed.connect(controller.refresh)
    models.chat_status_changed.connect(lambda _: controller.refresh())
    return controller


def _window_model(models: ModelController) -> list[ModelChoice]:
    model = models.chat_status.model
    if model is None or models.chat_status.state not in ("ready", "loading"):
        return []
    model_id, host = model.id, model.host
    place = model.host or strings.on_this_computer("")
    detail = f"{place} · {strings.in_window()}"
    name = model_name_from_path(model.path) if isinstance(model, ModelInfo) else model.name
    return [ModelChoice("window", name, detail, lambda: WindowModel(models, model_id, host), host)]


def _other_models(models: ModelController, library: LibraryController, local: LocalModels) -> list[ModelChoice]:
    """The local models except the one that answers in the window."""
    shown = models.chat_status.model
    in_window = shown.path if isinstance(shown, ModelInfo) else None
    return [
        ModelChoice(
            row.key,
            row.name,
            strings.on_this_computer(row.quantisation),
            lambda path=row.path: LocalModel(local, path),  # type: ignore[misc]  # mypy cannot infer lambda defaults
        )
        for row in library.chat_models()
        if row.path != in_window
    ]
