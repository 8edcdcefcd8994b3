"""Starts the app on a profile that another instance has locked: makes that instance show its window, or waits for its
end."""

from __future__ import annotations

import logging
import time
from typing import Literal

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QMessageBox, QProgressDialog

from desktop.platform.instance_lock import InstanceLock
from desktop.platform.instance_server import signal_running_instance
from desktop.platform.language import install_translators
from desktop.settings.settings_file import SettingsFile
from desktop.startup.options import Options

CLOSING_S = 60.0
"""How long a start waits for the other instance, in seconds. That instance may be closing, which takes up to 56 s: the
sum of the time limits in `desktop.app`."""
DIALOG_DELAY_S = 0.2
POLL_S = 0.1

Outcome = Literal["locked", "shown", "not responding", "cancelled"]
""""locked": the other instance has ended, and this one holds the lock. "shown": the other one was requested to show its
window. "not responding": it neither ended nor received the request in time. "cancelled": the user cancelled the
wait."""

translate = QCoreApplication.translate
log = logging.getLogger(__name__)


def wait_for_running_instance(
    application: QApplication, lock: InstanceLock, options: Options, closing_s: float = CLOSING_S
) -> Outcome:
    """Waits until the other instance has received the request to show its window, or has ended. Waits for at most
    `closing_s`, and shows a dialog meanwhile."""
    began_s, dialog = time.monotonic(), None
    try:
        while not lock.acquire():
            waited_s = time.monotonic() - began_s
            if signal_running_instance(
                options.profile.root, timeout_s=0, request="quick-ask" if options.quick_ask else "show"
            ):
                return "shown"
            if waited_s > closing_s:
                return "not responding"
            if dialog is None and waited_s > DIALOG_DELAY_S:
                install_translators(application, SettingsFile(options.profile.settings).value.language)
                dialog = _dialog()
            if dialog is not None and dialog.wasCanceled():
                return "cancelled"
            application.processEvents()
            time.sleep(POLL_S)
        return "locked"
    finally:
        if dialog is not None:
            dialog.deleteLater()


def show_already_open(application: QApplication, options: Options) -> None:
    """Shows a message that another instance has the profile open. Returns when the user closes it."""
    log.error("Inglenook is already open on this profile")
    install_translators(application, SettingsFile(options.profile.settings).value.language)
    box = QMessageBox(QMessageBox.Icon.Information, "Inglenook", "")
    box.setText(translate("launch", "Inglenook is already open."))
    box.setInformativeText(translate("launch", "Its window may be minimised, or on another desktop."))
    box.finished.connect(application.quit)
    box.open()
    application.exec()


def _dialog() -> QProgressDialog:
    text = translate("launch", "Inglenook is starting or closing already. Waiting for it…")
    dialog = QProgressDialog(text, translate("launch", "Cancel"), 0, 0)
    dialog.setWindowTitle("Inglenook")
    dialog.setMinimumDuration(0)
    dialog.show()
    return dialog
