"""Starting on a profile that another process has locked: it shows its window, or is about to end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QProgressDialog

from desktop.platform.instance_lock import InstanceLock
from desktop.platform.language import speak
from desktop.platform.single_instance import signal_running_instance
from desktop.settings.settings_file import SettingsFile

if TYPE_CHECKING:
    from desktop.launch import Options

ENDING_S = 30.0
"""Longest time that closing takes: the sum of the timeouts in `desktop.app`."""

SIGN_S = 0.2
POLL_S = 0.1

Outcome = Literal["ours", "shown", "taken", "given up"]
"""ours: the other one has ended, and the lock is held. shown: it has come to the front. taken: it does neither. given
up: by the person."""

translate = QCoreApplication.translate


def wait_for_running_instance(
    application: QApplication, lock: InstanceLock, options: Options, ending_s: float = ENDING_S
) -> Outcome:
    """Waits until the other process shows its window or has ended, with a dialog meanwhile."""
    wish, root = ("quick-ask" if options.quick_ask else "show"), options.profile.root
    began_s, dialog = time.monotonic(), None
    try:
        while not lock.acquire():
            waited_s = time.monotonic() - began_s
            if signal_running_instance(root, patience_s=0, wish=wish):  # type: ignore[arg-type]  # both are wishes
                return "shown"
            if waited_s > ending_s:
                return "taken"
            if dialog is None and waited_s > SIGN_S:
                speak(application, SettingsFile(options.profile.settings).value.language)
                dialog = _dialog()
            if dialog is not None and dialog.wasCanceled():
                return "given up"
            application.processEvents()
            time.sleep(POLL_S)
        return "ours"
    finally:
        if dialog is not None:
            dialog.deleteLater()


def _dialog() -> QProgressDialog:
    text = translate("launch", "Inglenook is starting or closing already. Waiting for it…")
    dialog = QProgressDialog(text, translate("launch", "Cancel"), 0, 0)
    dialog.setWindowTitle("Inglenook")
    dialog.setMinimumDuration(0)
    dialog.show()
    return dialog
