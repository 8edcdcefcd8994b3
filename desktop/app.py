"""The composition root: creates the store, the engine, the controllers and the pages, and closes them in reverse order.

This module is imported after the first paint of the window, because its own imports take long.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from desktop.chat.answer_actions import answer_actions
from desktop.chat.chat_actions import ChatActions
from desktop.chat.composer.composer_controller import ComposerController
from desktop.chat.controller import ChatController
from desktop.chat.page_controller import ChatPageController
from desktop.chat.quick_ask.controller import QuickAskController
from desktop.compare.controller import CompareController
from desktop.compare.local_models import LocalModels
from desktop.compare.wiring import open_comparison
from desktop.connections.controller import ConnectionsController
from desktop.endpoint.controller import EndpointController, EndpointState, RunningServer
from desktop.endpoint.memory_shares import MemoryShares, memory_shares
from desktop.endpoint.presenter import EndpointPresenter
from desktop.endpoint.server import OWN_KEY, ApiServer, read_key
from desktop.framework.actions import Actions
from desktop.import_export.controller import ImportExportController
from desktop.import_export.exporter import Exporter
from desktop.import_export.strings import role_name
from desktop.models.graphics_controller import GraphicsController
from desktop.models.library_controller import LibraryController
from desktop.models.model_controller import ModelController
from desktop.models.model_switcher import ModelSwitcher
from desktop.platform.closing import TimedExitStack
from desktop.platform.daemon_thread import detached
from desktop.platform.event_loop import Loop
from desktop.platform.gui_gc import GarbageCollector
from desktop.platform.instance_server import InstanceServer
from desktop.platform.logging_setup import LogFile
from desktop.platform.signal_handlers import SignalHandlers
from desktop.platform.task_set import TaskSet
from desktop.render.markdown import prerender
from desktop.services import Services
from desktop.settings.current_settings import AppSettings
from desktop.settings.diagnostics import diagnostics
from desktop.settings.settings_file import SettingsFile
from desktop.shell.command_palette_controller import CommandPaletteController
from desktop.shell.main_window import MainWindow
from desktop.shell.notifications import AnswerNotifier
from desktop.shell.page_list import PAGES
from desktop.shell.tray import Tray
from desktop.shell.window_actions import window_actions
from desktop.sidebar.chat_list_actions import ChatListActions
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.search_controller import SearchController
from desktop.sidebar.wiring import ChatListWiring, SearchWiring, chat_list_model
from desktop.startup.options import Options
from desktop.store.records import ChatMessage
from desktop.store.search import ChatSearch
from desktop.store.store import Store
from desktop.transcript.message_wiring import MessageWiring
from desktop.transcript.view import TranscriptView
from desktop.updates.wiring import UpdateWiring
from engine.files.profile import Profile
from engine.kv_cache.snapshot_owners import delete_snapshots
from engine.library.default_model import find_default_model
from engine.library.hub import Hub
from engine.remote.connection_keys import ConnectionKeys
from engine.step_arbiter import StepArbiter

if TYPE_CHECKING:
    from desktop.settings.page import SettingsPage
    from engine.engine import Engine
    from engine.status import Status

log = logging.getLogger(__name__)

MakeEngine = Callable[[], "Engine"]


def run(application: QApplication, window: MainWindow, settings: SettingsFile, options: Options) -> bool:
    """Runs the app until the window is closed. Returns False if a part of the app did not close in time. Main
    thread."""
    signals = SignalHandlers()
    signals.quit_requested.connect(window.quit)

    def display_lost() -> None:
        log.error("the display is gone: saving and closing")
        window.quit()

    try:
        loop = Loop(application, display_lost)
        with asyncio.Runner(loop_factory=lambda: _as_asyncio(loop)) as runner:
            arbiter = StepArbiter()  # models in memory at the same time take turns
            make = partial(make_engine, options.profile, arbiter)
            clean = runner.run(run_until_closed(window, settings, options, make, partial(make, uses_cards=False)))
        return clean and not loop.is_stuck
    finally:
        signals.close()


async def run_until_closed(
    window: MainWindow,
    settings: SettingsFile,
    options: Options,
    make_engine: MakeEngine,
    make_compared_engine: MakeEngine | None = None,
) -> bool:
    """Opens the parts of the app (store, engine, pages), waits until `window` is closed, and closes them in reverse
    order. `make_compared_engine` creates the engines of comparisons, by default `make_engine` does.

    Returns False if a part did not close in time."""
    closed = asyncio.Event()
    window.close_requested.connect(closed.set)
    if window.closing:
        closed.set()
    async with TimedExitStack() as stack:
        services = _open_services(stack, window, settings, options, make_engine, make_compared_engine or make_engine)
        chat_page = await _open_chat_page(services)
        stack.closes(
            "drafts", chat_page.composer.aclose, 2
        )  # The composer is closed before the store and the task set, because saving its drafts needs both of them.
        quick_ask = _open_quick_ask(stack, services, options.profile)
        stack.callback(window.hide)
        await _open_search(services)
        _add_actions(services, window, quick_ask, chat_page.composer)
        await asyncio.sleep(0)
        await _add_pages(services, window)
        _open_tray(stack, services, window, quick_ask)
        updates = UpdateWiring(window, services.actions, services.tasks, services.settings)
        _start(services, chat_page, updates, settings.problem, options)
        window.set_ready()
        if options.quick_ask:
            quick_ask.open()
        await closed.wait()
    return not stack.overdue


def _open_services(
    stack: TimedExitStack,
    window: MainWindow,
    settings_file: SettingsFile,
    options: Options,
    make_engine: MakeEngine,
    make_compared_engine: MakeEngine,
) -> Services:
    """Opens all services and registers how each is closed. The service that is opened first is closed last."""
    profile = options.profile
    log_file = LogFile(profile.root)
    stack.callback(log_file.close)
    tasks = TaskSet(lambda error, name: _report(window, error, name))
    # The task set is closed after the services below, because closing it cancels the tasks that these services run.
    stack.closes("tasks", tasks.aclose, 2)
    settings = AppSettings(settings_file, tasks)
    models = ModelController(make_engine)
    store = _make_store(profile, models)
    stack.closes("store", store.aclose, 5)
    search, palette_search = SearchController(ChatSearch(profile.chats)), SearchController(ChatSearch(profile.chats))
    stack.closes("search", search.aclose, 2)
    stack.closes("palette's search", palette_search.aclose, 2)
    import_export = _import_export(stack, profile, store, window)
    stack.closes("engine", models.aclose, 10)
    connections = _open_connections(stack, profile, models, settings)
    library = _open_library(stack, profile, models, settings)
    graphics = _open_graphics(stack, models, library, tasks)
    compared = _open_compared(stack, models, make_compared_engine, library)
    endpoint, endpoint_presenter = _open_endpoint(stack, options, settings, models, lambda chat_id: title_of(chat_id))
    chats = ChatController(store, models, prerender)
    # The chats are closed before the engine, because closing them stops the answers and saves their text.
    stack.closes("chats", chats.aclose, 3)
    stack.closes("settings", lambda: _save_geometry(window, settings_file), 2)
    stack.callback(GarbageCollector().close)

    def title_of(chat_id: str) -> str:
        return chat.title if (chat := chats.sessions.chat(chat_id)) else ""

    return Services(
        window=window,
        chat_page=window.chat_page,
        sidebar=window.sidebar,
        actions=Actions(window, settings.value.shortcuts, lambda shortcuts: settings.change(shortcuts=shortcuts)),
        settings=settings,
        tasks=tasks,
        store=store,
        search=search,
        palette_search=palette_search,
        chats=chats,
        models=models,
        model_switcher=ModelSwitcher(window, window.chat_page, models, settings, tasks),
        library=library,
        compared=compared,
        connections=connections,
        graphics=graphics,
        endpoint=endpoint,
        endpoint_presenter=endpoint_presenter,
        import_export=import_export,
        diagnostics=lambda: diagnostics(models.status, endpoint.state.stage, settings.value, log_file.tail()),
    )


def _open_connections(
    stack: TimedExitStack, profile: Profile, models: ModelController, settings: AppSettings
) -> ConnectionsController:
    connections = ConnectionsController(models, settings, ConnectionKeys(profile.connection_keys))
    stack.closes("connections", connections.aclose, 3)
    return connections


def _open_compared(
    stack: TimedExitStack, models: ModelController, make_engine: MakeEngine, library: LibraryController
) -> LocalModels:
    compared = LocalModels(models, make_engine, library.saved_settings_for)
    stack.closes("compared models", compared.aclose, 10)
    models.make_room = compared.make_room
    models.forgotten.connect(compared.forget)
    return compared


def _open_library(
    stack: TimedExitStack, profile: Profile, models: ModelController, settings: AppSettings
) -> LibraryController:
    library = LibraryController(profile, Hub(os.environ.get("HF_ENDPOINT")), settings)
    stack.closes("library", library.aclose, 3)
    models.load_settings_for = library.load_settings_for
    return library


def _open_graphics(
    stack: TimedExitStack, models: ModelController, library: LibraryController, tasks: TaskSet
) -> GraphicsController:
    async def find_devices(again: bool) -> None:
        engine = await models.engine()
        await engine.find_graphics_cards(again)

    graphics = GraphicsController(library, find_devices, tasks)
    stack.closes("graphics cards", graphics.aclose, 3)
    models.status_changed.connect(lambda status: graphics.update_status(status, status.backends))
    return graphics


def _import_export(stack: TimedExitStack, profile: Profile, store: Store, window: MainWindow) -> ImportExportController:
    theme = window.theme
    exporter = Exporter(role_name, lambda: theme.print_style_of("export.css"), theme.paper_style)
    import_export = ImportExportController(profile, store, exporter)
    stack.closes("import and export", import_export.aclose, 3)
    return import_export


def _make_store(profile: Profile, models: ModelController) -> Store:
    def erase_kv_states(chat_ids: Sequence[str]) -> None:
        models.forget(chat_ids)
        delete_snapshots(profile.snapshots, chat_ids)

    return Store(profile.chats, on_erased=erase_kv_states)


def _open_endpoint(
    stack: TimedExitStack,
    options: Options,
    settings: AppSettings,
    models: ModelController,
    title_of: Callable[[str], str],
) -> tuple[EndpointController, EndpointPresenter]:
    server = ApiServer(options.profile)
    server.set_allowed_origins(settings.value.endpoint_origins)

    async def serve(port: int) -> RunningServer:
        return await server.serve(await models.engine(), port)

    async def read_memory() -> MemoryShares:
        engine = await models.engine()
        return memory_shares(await asyncio.to_thread(lambda: engine.memory), title_of)

    port = options.port or settings.value.endpoint_port
    endpoint = EndpointController(serve, lambda: asyncio.to_thread(read_key, options.profile), port)
    stack.closes("endpoint", endpoint.aclose, 4)  # the server waits at most 2 s for its connections, then closes them
    presenter = EndpointPresenter(server, server, OWN_KEY, read_memory)
    stack.closes("endpoint's presenter", presenter.aclose, 2)
    return endpoint, presenter


async def _open_chat_page(services: Services) -> ChatPageController:
    """Creates the transcript and the list of chats, and connects the chat page with its controllers.

    Each part is created in a separate iteration of the event loop, because creating all at once would freeze the window
    for three frames."""
    window, page, sidebar, chats = services.window, services.chat_page, services.sidebar, services.chats
    settings = services.settings
    chats.organizer.fold_archive(settings.value.archive_folded)
    chats.organizer.archive_folded_changed.connect(lambda folded: settings.change(archive_folded=folded))
    transcript = TranscriptView(window.theme, settings=lambda: settings.value)
    settings.on_any_change(transcript.viewport().update)
    await asyncio.sleep(0)
    chat_list = ChatListView(window.theme)
    await asyncio.sleep(0)
    chat_list.setModel(chat_list_model(chats))
    sidebar.add_chats(chat_list)
    page.add_transcript(transcript)
    await asyncio.sleep(0)
    composer = ComposerController(window, page, chats, services.models, services.store, services.tasks)
    await asyncio.sleep(0)
    controller = ChatPageController(window, page, transcript, chats, services.models, composer)
    await asyncio.sleep(0)
    ChatListWiring(window, sidebar, page, chat_list, chats)
    MessageWiring(window, page, transcript, chats, services.tasks)
    return controller


def _open_quick_ask(stack: TimedExitStack, services: Services, profile: Profile) -> QuickAskController:
    quick_ask = QuickAskController(services.window, services.chats)
    stack.callback(quick_ask.close)
    listener = InstanceServer(profile.root)
    listener.show_requested.connect(services.window.bring_to_front)
    listener.quick_ask_requested.connect(quick_ask.open)
    stack.callback(listener.close)
    return quick_ask


async def _open_search(services: Services) -> None:
    SearchWiring(services.window, services.sidebar, services.chat_page, services.search, services.chats)
    services.search.failed.connect(services.window.show_error)
    await asyncio.sleep(0)


def _add_actions(
    services: Services, window: MainWindow, quick_ask: QuickAskController, composer: ComposerController
) -> None:
    """Adds the actions of the window and of chats, in the order in which the command palette lists them. Pages add
    further actions."""
    actions, chats, page = services.actions, services.chats, services.chat_page
    actions.add(*window_actions(window, services.sidebar), quick_ask.action, *services.model_switcher.actions())
    if (chat_list := services.sidebar.chats) is not None:
        actions.add(*ChatActions(window, page, chat_list, chats).all())
        actions.add(*answer_actions(window, page, chats))
        actions.add(_open_comparison(services, composer).action)
        actions.add(*ChatListActions(window, chat_list, chats).all())
        chat_list.fill_menu = partial(actions.fill_menu, icon_of=partial(window.theme.icon, token="muted"))
    page.header.fill_menu = partial(actions.fill_menu, icon_of=partial(window.theme.icon, token="muted"))
    CommandPaletteController(window, actions, services.palette_search, chats)


def _open_comparison(services: Services, composer: ComposerController) -> CompareController:
    return open_comparison(
        services.window,
        services.chat_page,
        services.chats,
        composer,
        services.models,
        services.library,
        services.compared,
        services.connections,
    )


def _open_tray(stack: TimedExitStack, services: Services, window: MainWindow, quick_ask: QuickAskController) -> None:
    settings = services.settings
    page: SettingsPage | None = None
    tray = Tray(window, services.actions, settings.value.tray)
    stack.callback(tray.close)

    def show_availability(_: object = None) -> None:
        """Enables the setting "Closing the window leaves Inglenook in the tray" if the tray icon is visible, and
        disables it otherwise. Without the icon, the user could not show the hidden window again."""
        if page is not None:
            page.row("stays").setEnabled(tray.update_icon())

    def page_created(page_id: str) -> None:
        nonlocal page
        from desktop.settings.page import SettingsPage  # imported here because the start does not need it

        if page_id == "settings" and (page := window.view("settings", SettingsPage)) is not None:
            page.shown.connect(show_availability)
            show_availability()

    window.page_created.connect(page_created)
    settings.on_change("tray", tray.show_icon)
    settings.on_change("tray", show_availability)
    window.stays_in_tray = lambda: settings.value.stays and tray.update_icon()
    AnswerNotifier(window, services.chats, tray, lambda: settings.value.notifies, quick_ask.shows, time.time)


async def _add_pages(services: Services, window: MainWindow) -> None:
    """Connects the features of all pages, each in a separate iteration of the event loop, so that the window stays
    responsive."""
    for page in PAGES:
        window.add_page(page, page.prepare(services))
        await asyncio.sleep(0)


def _start(
    services: Services,
    chat_page: ChatPageController,
    updates: UpdateWiring,
    problem: Exception | None,
    options: Options,
) -> None:
    """Starts the slow steps as tasks: reading the chats, loading the model, opening the endpoint."""
    tasks, chats, models, endpoint = services.tasks, services.chats, services.models, services.endpoint
    if problem is not None:
        services.window.show_error(problem)
    tasks.spawn(_open_chats(services, chat_page), "open the chats")
    # Messages sent before the store is open are saved as soon as it is open.
    services.chat_page.composer.enable_sending()
    services.chat_page.composer.update_focus_frame()
    answers = options.model is not None or not services.connections.restore_choice()
    tasks.spawn(_load_initial_model(models, services.settings.value.model_path, options, answers), "load the model")
    services.graphics.start()
    tasks.spawn(updates.check_at_start(lambda: len(chats.sessions.chats_by_id)), "check for updates")
    tasks.spawn(_start_endpoint(endpoint, services.settings.value.endpoint_on), "open the endpoint")
    models.status_changed.connect(_log_model)
    endpoint.changed.connect(_log_endpoint)
    chats.sessions.answer_changed.connect(_log_answer)


async def _open_chats(services: Services, chat_page: ChatPageController) -> None:
    problem = await services.store.open()
    if problem is not None:
        chat_page.show_not_saved(problem)
    await services.chats.load()
    await chat_page.composer.open()
    services.tasks.spawn(services.store.purge_index(), "clear the index of deleted words")


async def _load_initial_model(models: ModelController, last_used: str, options: Options, answers: bool) -> None:
    path = await detached("find-model", _initial_model, last_used, options)
    if path is None:
        models.none_found()
    else:
        await models.load(path, answers=answers)


def _initial_model(last_used: str, options: Options) -> Path | None:
    """Returns the model file to load at the start: the one given on the command line, else the one loaded last, else
    the default model. May be called on any thread."""
    if options.model is not None:
        return options.model
    if last_used and Path(last_used).is_file():
        return Path(last_used)
    return find_default_model(options.profile)


async def _start_endpoint(endpoint: EndpointController, was_on: bool) -> None:
    """Turns the endpoint on if it was on when the app was last closed, and reads its key."""
    if was_on:
        await endpoint.turn_on()
    await endpoint.read_key()


def make_engine(profile: Profile, arbiter: StepArbiter | None = None, *, uses_cards: bool = True) -> Engine:
    """Creates an engine that runs llama.cpp. The first call takes long because of its imports. May be called on any
    thread. Only one engine may find graphics cards, with `uses_cards`."""
    from engine.devices.graphics_cards import GraphicsCards
    from engine.engine import Engine
    from engine.library.load_trial import LoadTrial

    return Engine(
        load_trial=LoadTrial(profile.probed),
        graphics=GraphicsCards(profile.graphics) if uses_cards else None,
        snapshots=profile.snapshots,
        arbiter=arbiter,
    )


async def _save_geometry(window: MainWindow, settings: SettingsFile) -> None:
    settings.change(geometry=window.geometry_base64)
    await asyncio.to_thread(settings.save)


def _report(window: MainWindow, error: BaseException, name: str) -> None:
    log.error("%s failed", name, exc_info=error)
    window.show_error(error)


def _log_model(status: Status) -> None:
    if status.state != "loading":
        log.info("the model: %s, %s", status.state, _type_name(status.error))


def _log_endpoint(state: EndpointState) -> None:
    log.info("the endpoint: %s, %s", state.stage, _type_name(state.error))


def _log_answer(message: ChatMessage) -> None:
    if message.state != "streaming":
        log.info("an answer: %s, %s tokens", message.state, message.n_output)


def _type_name(error: BaseException | None) -> str:
    return type(error).__name__ if error is not None else "no error"


def create_loop(
    application: QApplication, display_lost: Callable[[], None] = lambda: None
) -> asyncio.AbstractEventLoop:
    return _as_asyncio(Loop(application, display_lost))


def _as_asyncio(loop: Loop) -> asyncio.AbstractEventLoop:
    assert isinstance(loop, asyncio.AbstractEventLoop)
    return loop
