"""The composition: everything that lives behind the window, opened and closed in one visible order.

Imported after the first paint.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from desktop.chat.controller import ChatController
from desktop.chat.quick_ask.controller import QuickAskController
from desktop.endpoint.controller import EndpointController, EndpointState, RunningServer
from desktop.endpoint.memory_shares import MemoryShares, memory_shares
from desktop.endpoint.presenter import EndpointPresenter
from desktop.endpoint.server import OWN_KEY, ApiServer, read_key
from desktop.endpoint.wiring import EndpointWiring
from desktop.framework.actions import Actions
from desktop.help.wiring import HelpWiring
from desktop.import_export.controller import ImportExportController
from desktop.import_export.exporter import Exporter
from desktop.import_export.strings import role_name
from desktop.import_export.wiring import ImportExportWiring
from desktop.launch import Options
from desktop.models.library_controller import LibraryController
from desktop.models.model_controller import ModelController
from desktop.models.wiring import ModelsWiring
from desktop.platform.daemon_thread import detached
from desktop.platform.event_loop import Loop
from desktop.platform.gui_gc import GarbageCollector
from desktop.platform.logging_setup import LogFile
from desktop.platform.signal_handlers import SignalHandlers
from desktop.platform.single_instance import Listener
from desktop.platform.task_set import TaskSet
from desktop.render.warm import warm
from desktop.settings.background_wiring import BackgroundWiring
from desktop.settings.diagnostics import diagnostics
from desktop.settings.settings_file import SettingsFile
from desktop.settings.settings_wiring import SettingsWiring
from desktop.shell.command_palette_controller import CommandPaletteController
from desktop.shell.main_window import MainWindow
from desktop.shell.notifications import AnswerNotifier
from desktop.shell.tray import Tray
from desktop.shell.window_actions import window_actions
from desktop.shell.wiring import Wiring, make_pages
from desktop.sidebar.search_controller import SearchController
from desktop.sidebar.search_wiring import SearchWiring
from desktop.store.records import ChatMessage
from desktop.store.search import Search
from desktop.store.store import Store
from desktop.updates.wiring import UpdateWiring
from engine.files.profile import Profile
from engine.kv_cache.snapshot_owners import delete_snapshots
from engine.library.default_model import find_default_model
from engine.library.hub import Hub

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.events import Status

log = logging.getLogger(__name__)

MakeEngine = Callable[[], "Engine"]


def run(application: QApplication, window: MainWindow, settings: SettingsFile, options: Options) -> bool:
    """Runs until the window is closed; False where something did not end in time. Main thread."""
    interrupts = SignalHandlers()
    interrupts.asked.connect(window.quit)

    def display_lost() -> None:
        log.error("the screen is gone: all is kept and closed")
        window.quit()

    try:
        loop = Loop(application, display_lost)
        with asyncio.Runner(loop_factory=lambda: _as_asyncio(loop)) as runner:
            clean = runner.run(live(window, settings, options, lambda: make_engine(options.profile)))
        return clean and not loop.is_stuck
    finally:
        interrupts.close()


async def live(window: MainWindow, settings: SettingsFile, options: Options, make_engine: MakeEngine) -> bool:
    """Opens everything behind `window`, waits until it is closed, and closes everything again, the last first."""
    closed = asyncio.Event()
    window.close_requested.connect(closed.set)
    if window.closing:
        closed.set()
    late: list[str] = []
    port = options.port or settings.value.endpoint_port

    wiring: Wiring | None = None

    def report(error: BaseException, name: str) -> None:
        log.error("%s failed", name, exc_info=error)
        if wiring is not None:  # else nothing is there yet that could show it
            wiring.tell(error)

    async def keep_drafts() -> None:
        if wiring is not None:
            await wiring.composing.aclose()

    def remember(**changes: object) -> None:
        if settings.change(**changes):
            tasks.spawn(asyncio.to_thread(settings.save), "save the settings")

    async def serve(port: int) -> RunningServer:
        return await serving.serve(await models.engine(), port)

    async def read_memory() -> MemoryShares:
        engine = await models.engine()
        use = await asyncio.to_thread(lambda: engine.memory)
        return memory_shares(use, lambda chat_id: chat.title if (chat := chats.sessions.chat(chat_id)) else "")

    def diagnose() -> str:
        return diagnostics(models.status, endpoint.state.stage, settings.value, log_file.tail())

    async with AsyncExitStack() as house:

        def closes(name: str, close: Callable[[], Awaitable[object]], timeout_s: float) -> None:
            house.push_async_callback(_close_in_time, name, close, timeout_s, late)

        log_file = LogFile(options.profile.root)
        house.callback(log_file.close)
        tasks = TaskSet(report)
        closes("tasks", tasks.aclose, 2)  # nothing that still runs may outlive what it uses, so they end last
        store = Store(options.profile.chats, on_erased=lambda ids: delete_snapshots(options.profile.snapshots, ids))
        closes("store", store.aclose, 5)
        search, quick_search = (SearchController(Search(options.profile.chats)) for _ in range(2))
        closes("search", search.aclose, 2)
        closes("palette", quick_search.aclose, 2)
        exporter = Exporter(role_name, lambda: window.theme.print_style_of("export.css"), window.theme.paper_style)
        import_export = ImportExportController(options.profile, store, exporter)
        closes("import and export", import_export.aclose, 3)
        models = ModelController(make_engine)
        closes("engine", models.aclose, 10)
        library = LibraryController(options.profile, Hub(os.environ.get("HF_ENDPOINT")), settings.value, remember)
        closes("library", library.aclose, 3)
        models.load_settings_for = library.load_settings_for
        serving = ApiServer(options.profile)
        serving.set_allowed_origins(settings.value.endpoint_origins)
        endpoint = EndpointController(serve, lambda: asyncio.to_thread(read_key, options.profile), port)
        closes("endpoint", endpoint.aclose, 4)  # its own limit is 2 s, then it tears connections off
        desk = EndpointPresenter(serving, serving, OWN_KEY, read_memory)
        closes("endpoint's desk", desk.aclose, 2)
        chats = ChatController(store, models, warm)
        chats.organizer.fold_archive(settings.value.archive_folded)
        chats.organizer.archive_folded_changed.connect(lambda folded: remember(archive_folded=folded))
        closes("chats", chats.aclose, 3)  # before the engine: what is being written is stopped and kept
        closes("settings", lambda: _keep_geometry(window, settings), 2)
        house.callback(GarbageCollector().close)
        closes("drafts", keep_drafts, 2)  # while the store and the tasks are there
        quick = QuickAskController(window, chats)
        house.callback(quick.close)
        listener = Listener(options.profile.root)
        listener.show_requested.connect(window.bring_to_front)
        listener.quick_ask_requested.connect(quick.open)
        house.callback(listener.close)
        house.callback(window.hide)
        pages = await make_pages(window.theme)
        wiring = Wiring(window, pages, chats, models, tasks, remember, store)
        EndpointWiring(window, pages.endpoint, endpoint, desk, chats, models, tasks, remember)
        await asyncio.sleep(0)  # a page in a turn of its own, as `make_pages` does it
        ModelsWiring(window, library, models, chats, wiring.open_model, tasks)
        await asyncio.sleep(0)
        SearchWiring(window, search, chats)
        search.failed.connect(wiring.tell)
        await asyncio.sleep(0)
        actions = Actions(window, settings.value.shortcuts, lambda keys: remember(shortcuts=keys))
        actions.add(*window_actions(window, chats))
        actions.add(quick.action)
        CommandPaletteController(window, actions, quick_search, chats)
        await asyncio.sleep(0)
        tray = Tray(window, actions, settings.value.tray)
        house.callback(tray.close)
        endpoint.changed.connect(tray.show_endpoint)
        AnswerNotifier(window, chats, tray, lambda: settings.value.notifies, quick.shows, time.time)
        await asyncio.sleep(0)
        language = settings.value.language
        page = SettingsWiring(window, actions, remember, diagnose, language).page
        ImportExportWiring(window, page.import_export, import_export, chats, actions, tasks)
        BackgroundWiring(window, page.background, settings, tray, remember)
        HelpWiring(window, actions)
        updates = UpdateWiring(window, actions, tasks, lambda: settings.value, remember)

        if settings.problem is not None:
            wiring.tell(settings.problem)
        tasks.spawn(_open_chats(store, chats, wiring, tasks), "open the chats")
        window.composer.enable_sending()  # what is sent is kept behind the store's opening
        tasks.spawn(_light(models, settings, options), "load the model")
        tasks.spawn(updates.begin(lambda: len(chats.sessions.known)), "look for a new version")
        tasks.spawn(_open_endpoint(endpoint, settings.value.endpoint_on), "open the endpoint")
        models.status_changed.connect(_log_model)
        endpoint.changed.connect(_log_endpoint)
        chats.sessions.answer_changed.connect(_log_answer)
        if options.quick_ask:
            quick.open()
        await closed.wait()
    return not late


def _log_model(status: Status) -> None:
    if status.state != "loading":
        log.info("the model: %s, %s", status.state, _kind(status.error))


def _log_endpoint(state: EndpointState) -> None:
    log.info("the endpoint: %s, %s", state.stage, _kind(state.error))


def _log_answer(message: ChatMessage) -> None:
    if message.state != "streaming":
        log.info("an answer: %s, %s tokens", message.state, message.n_output)


def _kind(error: BaseException | None) -> str:
    return type(error).__name__ if error is not None else "no error"


async def _open_chats(store: Store, chats: ChatController, wiring: Wiring, tasks: TaskSet) -> None:
    if (notice := await store.open()) is not None:
        wiring.tell_not_saved(notice)
    await chats.load()
    await wiring.composing.open()
    tasks.spawn(store.purge_index(), "clear the index of deleted words")


async def _light(models: ModelController, settings: SettingsFile, options: Options) -> None:
    """Loads the model, once."""
    path = await detached("find-model", _model_path, settings.value.model_path, options)
    if path is None:
        models.none_found()
    else:
        await models.load(path)


async def _open_endpoint(endpoint: EndpointController, was_on: bool) -> None:
    """Opens the endpoint if it was open last time; shows the key."""
    if was_on:
        await endpoint.turn_on()
    await endpoint.read_key()


def _model_path(remembered: str, options: Options) -> Path | None:
    """The file asked for, else the last one used, else the one that comes with Inglenook."""
    if options.model is not None:
        return options.model
    if remembered and Path(remembered).is_file():
        return Path(remembered)
    return find_default_model(options.profile)


def make_engine(profile: Profile) -> Engine:
    """The engine over llama.cpp. Any thread; the first call takes long."""
    from engine.engine import Engine
    from engine.library.load_trial import LoadTrial

    return Engine(probe=LoadTrial(profile.probed), snapshots=profile.snapshots)


async def _keep_geometry(window: MainWindow, settings: SettingsFile) -> None:
    settings.change(geometry=window.geometry_base64)
    await asyncio.to_thread(settings.save)


async def _close_in_time(name: str, close: Callable[[], Awaitable[object]], timeout_s: float, late: list[str]) -> None:
    """One step of closing. Whatever goes wrong in it is logged, and the next step follows."""
    try:
        async with asyncio.timeout(timeout_s):
            await close()
    except TimeoutError:
        log.error("closing the %s took longer than %s s", name, timeout_s)
        late.append(name)
    except Exception:
        log.exception("closing the %s failed", name)


def create_loop(
    application: QApplication, display_lost: Callable[[], None] = lambda: None
) -> asyncio.AbstractEventLoop:
    return _as_asyncio(Loop(application, display_lost))


def _as_asyncio(loop: Loop) -> asyncio.AbstractEventLoop:
    assert isinstance(loop, asyncio.AbstractEventLoop)
    return loop
