"""From nothing to a window on the screen: only what the first paint needs is imported here.

asyncio, the store, the renderer and the controllers come with `desktop.app`, which is imported on a thread while the
window already stands; the engine and the endpoint come later still.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QApplication

from desktop.import_export.restore import finish_restore
from desktop.platform.instance_lock import InstanceLock
from desktop.platform.language import speak
from desktop.platform.theme import Theme
from desktop.settings.settings_file import SettingsFile
from desktop.shell.main_window import MainWindow
from engine.files.profile import Profile

if TYPE_CHECKING:
    from types import ModuleType

    from desktop.widgets.toast import Toast

translate = QCoreApplication.translate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said. None: as the settings say."""

    profile: Profile
    model: Path | None = None
    port: int | None = None
    quick_ask: bool = False
    """Open the small window for a quick question, here or in the app that runs already."""


def launch(options: Options) -> int:
    """Runs the app to its end and returns the process's exit code. Main thread."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName("inglenook")
    application.setApplicationDisplayName("Inglenook")
    application.setDesktopFileName("inglenook")
    application.setQuitOnLastWindowClosed(False)  # closing hides the window; the composition then ends the app
    writable_options = _writable(application, options)
    if writable_options is None:
        return 1
    options = writable_options
    lock = InstanceLock(options.profile.root / "window.lock")
    if not lock.acquire():
        from desktop.startup.running_instance import (
            wait_for_running_instance,  # only here, where nothing else has to be fast
        )

        found = wait_for_running_instance(application, lock, options)
        if found == "taken":
            _say_already_open(application, options.profile)
        if found != "ours":
            return 1 if found == "taken" else 0
    restored = _restore(options.profile)
    settings = SettingsFile(options.profile.settings)
    speak(application, settings.value.language)
    if isinstance(restored, OSError):
        from desktop.startup.writable_profile import show_restore_failed

        show_restore_failed(restored)
    window = MainWindow(Theme(application, settings.value.theme, settings.value.text_size), settings.value.geometry)
    window.fit_to_screen(screen_of(window).availableGeometry())
    if isinstance(restored, Path):
        show_restored(window.toast, restored)
    try:
        window.show()
        app = _import_behind(window)
        clean = app is None or window.closing or app.run(application, window, settings, options)
    finally:
        lock.release()
    if not clean:  # a thread is stuck; waiting for it would leave a process without a window
        logging.shutdown()
        os._exit(1)
    return 0


def _writable(application: QApplication, options: Options) -> Options | None:
    """The options with a profile that can be written; None where the person chose to quit."""
    from desktop.startup.writable_profile import check_writable, writable

    try:
        check_writable(options.profile)
    except OSError:
        speak(application, "system")
        return writable(options)
    return options


def _restore(profile: Profile) -> Path | OSError | None:
    """The folder with what a restored backup replaced, or what kept it from being put in place."""
    try:
        return finish_restore(profile.root)
    except OSError as error:
        return error


def show_restored(toast: Toast, aside: Path) -> None:
    """That a backup is in place, and where the chats and settings before it are."""
    text = translate("launch", "The backup is restored. What was here before is kept in {folder}.")
    toast.show_message(text.format(folder=aside.name))


def screen_of(window: MainWindow) -> QScreen:
    """The screen that the middle of the window stands on, else the first one: its own may not be there any more."""
    return QGuiApplication.screenAt(window.geometry().center()) or QGuiApplication.primaryScreen()


class _Import(QObject):
    """Imports a module on a thread, so that Qt's loop goes on meanwhile."""

    done = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.module: ModuleType | None = None
        self.error: BaseException | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="import", daemon=True).start()

    def _run(self) -> None:
        try:
            self.module = importlib.import_module(self._name)
        except BaseException as error:
            self.error = error
        self.done.emit()


def _import_behind(window: MainWindow) -> ModuleType | None:
    """Lets the window paint, then imports `desktop.app` behind it. Raises what the import raises.

    None where Qt ended the waiting, as it does when the screen is gone: nothing is open yet."""
    waiting = QEventLoop()
    importing = _Import("desktop.app")
    importing.done.connect(waiting.quit, Qt.ConnectionType.QueuedConnection)
    window.first_painted.connect(importing.start, Qt.ConnectionType.QueuedConnection)
    waiting.exec()
    if importing.error is not None:
        raise importing.error
    return importing.module


def _say_already_open(application: QApplication, profile: Profile) -> None:
    from PySide6.QtWidgets import QMessageBox

    log.error("Inglenook is already open on this profile")
    speak(application, SettingsFile(profile.settings).value.language)
    box = QMessageBox(QMessageBox.Icon.Information, "Inglenook", "")
    box.setText(translate("launch", "Inglenook is already open."))
    box.setInformativeText(translate("launch", "Its window may be minimised, or on another desktop."))
    box.finished.connect(application.quit)
    box.open()
    application.exec()
