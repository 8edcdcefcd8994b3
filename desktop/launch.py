"""Starts the app: shows the window as early as possible, then imports `desktop.app` and runs it.

This module imports only what the first paint needs. `desktop.app` imports asyncio, the store, the renderer and the
controllers. It is imported when the window is already visible, which handles its events meanwhile. The engine and the
API are imported even later.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEventLoop, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QApplication

from desktop.import_export.restore import finish_restore
from desktop.platform.instance_lock import InstanceLock
from desktop.platform.language import install_translators
from desktop.platform.theme import STYLE_ARGUMENTS, Theme
from desktop.settings.settings_file import SettingsFile
from desktop.shell.main_window import MainWindow
from desktop.startup.options import Options
from desktop.startup.responsive_import import import_responsively
from engine.files.profile import Profile

if TYPE_CHECKING:
    from types import ModuleType

    from desktop.widgets.toast import Toast

translate = QCoreApplication.translate


def launch(options: Options) -> int:
    """Runs the app to its end and returns the exit code of the process. Main thread."""
    application = QApplication([*sys.argv[:1], *STYLE_ARGUMENTS])
    application.setApplicationName("inglenook")
    application.setApplicationDisplayName("Inglenook")
    application.setDesktopFileName("inglenook")
    application.setQuitOnLastWindowClosed(
        False
    )  # `desktop.app` hides the window, closes the services, and only then ends the app
    writable_options = _with_writable_profile(application, options)
    if writable_options is None:
        return 1
    options = writable_options
    lock = InstanceLock(options.profile.root / "window.lock")
    if not lock.acquire() and (exit_code := _wait_for_running_instance(application, lock, options)) is not None:
        return exit_code
    try:
        clean = _run(application, options)
    finally:
        lock.release()
    if not clean:  # a thread is stuck; a normal exit would wait for that thread while no window is visible
        logging.shutdown()
        os._exit(1)
    return 0


def _with_writable_profile(application: QApplication, options: Options) -> Options | None:
    """The options, with another profile folder if the given one is not writable. None if the user chose to quit."""
    from desktop.startup.writable_profile import check_writable, writable

    try:
        check_writable(options.profile)
    except OSError:
        install_translators(application, "system")
        return writable(options)
    return options


def _wait_for_running_instance(application: QApplication, lock: InstanceLock, options: Options) -> int | None:
    """Waits for the other instance on this profile. Returns None if this instance may start, otherwise the exit code
    with which it must end."""
    from desktop.startup.running_instance import show_already_open, wait_for_running_instance

    outcome = wait_for_running_instance(application, lock, options)
    if outcome == "locked":
        return None
    if outcome == "not responding":
        show_already_open(application, options)
        return 1
    return 0


def _run(application: QApplication, options: Options) -> bool:
    """Shows the window and runs the app. Returns False if a part of the app did not close in time."""
    restored = _finish_restore(options.profile)
    settings = SettingsFile(options.profile.settings)
    install_translators(application, settings.value.language)
    if isinstance(restored, OSError):
        from desktop.startup.writable_profile import show_restore_failed

        show_restore_failed(restored)
    window = MainWindow(Theme(application, settings.value.theme, settings.value.text_size), settings.value.geometry)
    window.fit_to_screen(screen_of(window).availableGeometry())
    if isinstance(restored, Path):
        show_restored(window.toast, restored)
    window.show()
    app = _import_app(window)
    return app is None or window.closing or bool(app.run(application, window, settings, options))


def _finish_restore(profile: Profile) -> Path | OSError | None:
    """Restores the staged backup, if there is one. Returns the folder to which the replaced files were moved, the error
    if restoring failed, or None if there is no staged backup."""
    try:
        return finish_restore(profile.root)
    except OSError as error:
        return error


def show_restored(toast: Toast, aside: Path) -> None:
    """Shows a toast: a backup was restored, and the earlier chats and settings are in the folder `aside`."""
    text = translate("launch", "The backup is restored. What was here before is kept in {folder}.")
    toast.show_message(text.format(folder=aside.name))


def screen_of(window: MainWindow) -> QScreen:
    """Returns the screen that contains the middle of the window. Returns the primary screen if no connected screen
    does."""
    return QGuiApplication.screenAt(window.geometry().center()) or QGuiApplication.primaryScreen()


def _import_app(window: MainWindow) -> ModuleType | None:
    """Imports `desktop.app` after the first paint. Raises the error of a failed import.

    Returns None if Qt ended the event loop because the display server was lost. No service is open then."""
    waiting = QEventLoop()
    imported: list[ModuleType | BaseException] = []

    def run() -> None:
        try:
            imported.append(import_responsively("desktop.app"))
        except BaseException as error:  # an exception must not leave a slot
            imported.append(error)
        if waiting.isRunning():
            waiting.quit()
        else:
            imported.clear()

    window.first_painted.connect(run, Qt.ConnectionType.QueuedConnection)
    waiting.exec()
    result = imported[0] if imported else None
    if isinstance(result, BaseException):
        raise result
    return result
